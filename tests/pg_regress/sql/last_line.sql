-- What the tables prevent on their own, when no lock is taken, for each kind of resource. A superuser
-- writes the rows by hand here, as two transactions would that did not see each other.
begin;
-- Without shared memory there are no escrow pools.
select case state when 'absent' then 'locked' else 'escrow' end as contention from booking.worker_status \gset
\set VERBOSITY terse
select count(booking.create_pool('pool', 2)), count(booking.create_pool('drop', 2, contention => :'contention')),
       count(booking.create_seats('hall', '["A", "B"]')), count(booking.create_calendar('one')), count(booking.create_calendar('two', 2));
select status from booking.hold('two', 2, during => '[2040-01-01 10:00Z, 2040-01-01 11:00Z)');
select status from booking.hold('one', during => '[2040-01-01 10:00Z, 2040-01-01 11:00Z)');
create function another(of_resource text, seats text[] default null) returns void language sql as $$
    insert into booking.holds (id, resource, quantity, seats, during, occupied, exclusive, state, placed_at, expires_at)
    select gen_random_uuid(), of_resource, 1, another.seats, h.during, h.occupied, h.exclusive, 'held', clock_timestamp(), clock_timestamp() + '1 hour'
    from (select 1) as one left join booking.holds as h on h.resource = of_resource limit 1 $$;
savepoint s;
-- A pool: the check on its row.
update booking.resources set taken = 3 where name = 'pool';
rollback to savepoint s;
-- A calendar with one place: the exclusion constraint.
select another('one');
rollback to savepoint s;
-- Seats: each has one column for its owner, so that a second owner replaces the first.
update booking.seats set hold_id = '00000000-0000-0000-0000-000000000001' where label = 'A';
update booking.seats set hold_id = '00000000-0000-0000-0000-000000000002' where label = 'A';
select count(*) as owners from booking.seats where label = 'A' and hold_id is not null;
rollback to savepoint s;
-- A calendar with more places, and an escrow pool, rely on the locks alone. Only check() would find it.
select another('two');
select another('drop') from generate_series(1, 3);
select rule, resource from booking.check() order by 1, 2;
rollback;
