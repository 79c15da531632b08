-- Rooms as a competent team writes them, and the calendars that both sides book.

create type rival.booking_state as enum ('held', 'confirmed', 'released', 'cancelled', 'expired');

create table rival.bookings (
    id uuid primary key default gen_random_uuid(),
    room text not null,
    during tstzrange not null,
    state rival.booking_state not null default 'held',
    placed_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    exclude using gist (room with =, during with &&) where (state in ('held', 'confirmed'))
);

-- The constraint decides; it does not know that a hold has run out.
create function rival.book(of_room text, period tstzrange, ttl interval, out id uuid, out expires_at timestamptz)
language plpgsql as $$
begin
    insert into rival.bookings as bookings (room, during, expires_at)
    values (of_room, period, clock_timestamp() + ttl)
    returning bookings.id, bookings.expires_at into id, expires_at;
exception when exclusion_violation then
    null;
end
$$;

create table rival.hotels (name text primary key, rooms integer not null);
create table rival.stays (
    id uuid primary key default gen_random_uuid(),
    hotel text not null,
    during tstzrange not null,
    quantity integer not null,
    state rival.booking_state not null default 'held',
    placed_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
create index on rival.stays using gist (hotel, during) where state in ('held', 'confirmed');

-- The hotel's row locked, what overlaps summed up (which asks for more rooms than the peak), then written.
create function rival.stay(
    of_hotel text, period tstzrange, wanted integer, ttl interval, out id uuid, out expires_at timestamptz)
language plpgsql as $$
declare
    free integer;
begin
    select rooms into free from rival.hotels where name = of_hotel for update;
    free := free - (
        select coalesce(sum(quantity), 0) from rival.stays s
        where s.hotel = of_hotel and s.during && period
          and (s.state = 'confirmed' or s.state = 'held' and s.expires_at > clock_timestamp()));
    if free >= wanted then
        insert into rival.stays as stays (hotel, during, quantity, expires_at)
        values (of_hotel, period, wanted, clock_timestamp() + ttl)
        returning stays.id, stays.expires_at into id, expires_at;
    end if;
end
$$;

select from booking.create_calendar('empty');
select from booking.create_calendar('busy');
select from booking.create_calendar('hotel', 40);
select from booking.create_calendar('surgery', time_zone => 'Europe/Berlin', buffer => '5 min');
select from booking.set_hours('surgery', '{
    "mon": ["08:00-12:00", "13:00-18:00"], "tue": ["08:00-12:00", "13:00-18:00"], "wed": ["08:00-12:00"],
    "thu": ["08:00-12:00", "13:00-18:00"], "fri": ["08:00-12:00", "13:00-16:00"], "sat": ["09:00-12:00"]}');
insert into rival.hotels values ('hotel', 40);

-- 100,000 bookings of half an hour in 114 years, in no order.
create table rival.filling as
    select tstzrange(at, at + interval '30 min') as period
    from (select timestamptz '2030-01-01 00:00+00' + n * interval '10 h' as at
          from generate_series(0, 99999) as n) as times
    order by random();
insert into rival.bookings (room, during, state, expires_at)
    select 'busy', period, 'confirmed', now() from rival.filling;
insert into booking.holds
    (id, resource, quantity, during, occupied, exclusive, state, placed_at, expires_at, confirmed_at)
    select gen_random_uuid(), 'busy', 1, period, period, true, 'confirmed', now(), now() + interval '1 h', now()
    from rival.filling;

-- 100,000 stays of one to five nights in 25 years: 33 of the 40 rooms are taken on average.
truncate rival.filling;
insert into rival.filling
    select tstzrange(day + interval '15 h', day + nights * interval '24 h' + interval '11 h')
    from (select timestamptz '2030-01-01 00:00+00' + n % 9125 * interval '24 h' as day, 1 + n % 5 as nights
          from generate_series(0, 99999) as n) as stays
    order by random();
insert into rival.stays (hotel, during, quantity, state, expires_at)
    select 'hotel', period, 1, 'confirmed', now() from rival.filling;
insert into booking.holds
    (id, resource, quantity, during, occupied, exclusive, state, placed_at, expires_at, confirmed_at)
    select gen_random_uuid(), 'hotel', 1, period, period, false, 'confirmed', now(), now() + interval '1 h', now()
    from rival.filling;

-- Of each hour of a month, a third of an hour: every booking that the surgery lets in.
select count(*) from booking.hold_each((
    select jsonb_agg(jsonb_build_object('resource', 'surgery', 'during', jsonb_build_array(at, at + interval '20 min')))
    from generate_series(timestamptz '2030-03-01 00:00+01', '2030-03-31 23:00+02', interval '60 min') as at));
update booking.holds set state = 'confirmed', confirmed_at = now() where resource = 'surgery';

analyze;
