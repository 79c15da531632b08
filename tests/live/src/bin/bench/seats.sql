-- Seats as a competent team writes them, and the venues that both sides sell.

create table rival.seats (
    venue text not null,
    label text not null,
    rank integer not null,
    position integer not null,
    hold_id uuid,
    blocked boolean not null default false,
    primary key (venue, label)
);
create index on rival.seats (venue, rank, position) where hold_id is null and not blocked;

create table rival.seat_holds (
    id uuid primary key default gen_random_uuid(),
    venue text not null,
    seats text[] not null,
    state text not null default 'held'
        check (state in ('held', 'confirmed', 'released', 'cancelled', 'expired')),
    version bigint not null default 1,
    placed_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
create index on rival.seat_holds (expires_at) where state = 'held';
create index on rival.seat_holds (venue, expires_at) where state = 'held';

-- The rows locked in the order of their labels, looked at, then written.
create function rival.hold_seats(
    of_venue text, labels text[], ttl interval, out ok boolean, out hold_id uuid, out expires_at timestamptz)
language plpgsql as $$
declare
    free integer;
begin
    perform from rival.seats s
    where s.venue = of_venue and s.label = any(labels) and s.hold_id is null and not s.blocked
    order by s.label
    for update;
    get diagnostics free = row_count;
    ok := free = cardinality(labels);
    if ok then
        insert into rival.seat_holds as h (venue, seats, expires_at)
        values (of_venue, labels, clock_timestamp() + ttl)
        returning h.id, h.expires_at into hold_id, expires_at;
        update rival.seats s set hold_id = hold_seats.hold_id
        where s.venue = of_venue and s.label = any(labels);
    end if;
end $$;

-- Any so many seats, wherever they are.
create function rival.hold_any(of_venue text, wanted integer, ttl interval, out ok boolean, out hold_id uuid)
language plpgsql as $$
declare
    labels text[];
begin
    select array_agg(free.label) into labels
    from (select s.label from rival.seats s
          where s.venue = of_venue and s.hold_id is null and not s.blocked
          limit wanted
          for update skip locked) as free;
    ok := coalesce(cardinality(labels), 0) = wanted;
    if ok then
        insert into rival.seat_holds as h (venue, seats, expires_at)
        values (of_venue, labels, clock_timestamp() + ttl)
        returning h.id into hold_id;
        update rival.seats s set hold_id = hold_any.hold_id
        where s.venue = of_venue and s.label = any(labels);
    end if;
end $$;

-- A bulk insert of as many rows into the very table that the extension writes.
create function rival.bulk_insert(rows integer) returns void
language sql as $$
    insert into booking.holds (id, resource, quantity, state, placed_at, expires_at)
    select gen_random_uuid(), 'pool' || (1 + n % 100), 1, 'held', clock_timestamp(),
           clock_timestamp() + interval '10 minutes'
    from generate_series(1, rows) n
$$;

create table rival.batch as
    select jsonb_agg(jsonb_build_object(
               'resource', 'pool' || (1 + n % 100), 'quantity', 1, 'ttl', '10 minutes')) as requests
    from generate_series(1, 1000) n;

select from booking.create_seats('named', (
    select jsonb_agg(jsonb_build_object('label', 's' || n, 'row', (n / 50)::text) order by n)
    from generate_series(0, 19999) n));
select from booking.create_seats('small', (
    select jsonb_agg(jsonb_build_object('label', 's' || n, 'row', (n / 50)::text) order by n)
    from generate_series(0, 5999) n));
select from booking.create_seats('large', (
    select jsonb_agg(jsonb_build_object('label', 's' || n, 'row', (n / 50)::text) order by n)
    from generate_series(0, 59999) n));

-- Half of the two is sold, seat by seat at random, before anybody measures.
select setseed(0.5);
create table rival.sold as
    select resource, label, gen_random_uuid() as id
    from booking.seats where resource in ('small', 'large') and random() < 0.5;
insert into booking.holds (id, resource, quantity, seats, state, placed_at, expires_at, confirmed_at)
select id, resource, 1, array[label], 'confirmed', clock_timestamp(), clock_timestamp() + interval '1 hour',
       clock_timestamp()
from rival.sold;
update booking.seats s set hold_id = sold.id
from rival.sold where sold.resource = s.resource and sold.label = s.label;
insert into rival.seats (venue, label, rank, position, hold_id)
select resource, label, rank, position, hold_id from booking.seats;
