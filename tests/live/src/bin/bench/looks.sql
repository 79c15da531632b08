-- What shops look at: pools and a hall on which a hundred thousand holds are live, and calendars that are booked out.

select from booking.create_pool('looked', 200000, contention => 'locked');
select from booking.create_pool('looked at once', 200000, contention => 'escrow');
select from booking.create_pool('nobody holds', 200000, contention => 'locked');
select from booking.create_seats('stadium', (
    select jsonb_agg(jsonb_build_object('label', 's' || n, 'section', '', 'row', (n / 60)::text, 'position', n % 60))
    from generate_series(0, 59999) n));
select from booking.create_calendar('room');
select from booking.create_calendar('hotel', 40);

-- Half of them are confirmed.
create function rival.fill(pool text, contention text) returns void language sql as $$
    insert into booking.holds (id, resource, quantity, state, placed_at, expires_at, confirmed_at)
    select gen_random_uuid(), pool, 1, case n % 2 when 0 then 'held' else 'confirmed' end::booking.hold_state,
           clock_timestamp(), clock_timestamp() + interval '1 day',
           case n % 2 when 1 then clock_timestamp() end
    from generate_series(1, 100000) n;
    update booking.resources set taken = 100000 where name = pool and contention::text = 'locked';
$$;
select rival.fill('looked', 'locked'), rival.fill('looked at once', 'escrow');
select count(*) from booking.hold_each((
    select jsonb_agg(jsonb_build_object('resource', 'stadium', 'ttl', '1 day', 'seats', array['s' || n]))
    from generate_series(0, 9999) n));
select count(*) from booking.hold_each((
    select jsonb_agg(jsonb_build_object('resource', 'stadium', 'ttl', '1 day', 'seats', array['s' || n]))
    from generate_series(10000, 19999) n));
insert into booking.holds (id, resource, quantity, during, occupied, exclusive, state, placed_at, expires_at, confirmed_at)
select gen_random_uuid(), place, 1, period, period, place = 'room', 'confirmed', clock_timestamp(),
       clock_timestamp() + interval '1 day', clock_timestamp()
from (
    select 'room' as place, tstzrange('2027-01-01Z'::timestamptz + n * interval '1 hour', '2027-01-01Z'::timestamptz + (n + 1) * interval '1 hour') as period
    from generate_series(1, 99999, 2) n
    union all
    select 'hotel', tstzrange('2027-01-01Z'::timestamptz + n / 35 * interval '1 day', '2027-01-01Z'::timestamptz + (n / 35 + 1) * interval '1 day')
    from generate_series(0, 99999) n) as booked;
vacuum analyze booking.holds, booking.seats, booking.resources;
checkpoint;
