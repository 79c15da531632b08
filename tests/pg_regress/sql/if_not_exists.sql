-- A script that creates what it needs may run twice.
begin;
\set VERBOSITY default
select name, capacity from booking.create_pool('gig', 3, max_per_holder => 2, metadata => '{"a": 1}', if_not_exists => true);
select name, capacity from booking.create_pool('gig', 3, max_per_holder => 2, metadata => '{"a": 1}', if_not_exists => true);
select name, capacity from booking.create_pool('gig', 3, max_per_holder => 2, if_not_exists => true);
savepoint s;
select name from booking.create_pool('gig', 3, max_per_holder => 2);
rollback to savepoint s;
select name from booking.create_pool('gig', 4, overbooking => 1, metadata => '{"a": 2}', skip => true, if_not_exists => true);
rollback to savepoint s;
select name from booking.create_pool('gig', 3, contention => 'escrow', max_per_holder => 2, if_not_exists => true);
rollback to savepoint s;
select name from booking.create_calendar('gig', if_not_exists => true);
rollback to savepoint s;
select name from booking.create_pool('gig', 3, if_not_exists => null);
rollback to savepoint s;
-- An existing resource stays as it is, with its holds.
select status from booking.hold('gig', 2, holder => 'ann');
select name, taken, version from booking.create_pool('gig', 3, max_per_holder => 2, if_not_exists => true);
-- create_seats() compares the seats one by one, and blocked seats count.
select name, capacity from booking.create_seats('hall', booking.seat_grid(2, 'AB C'), if_not_exists => true);
select status from booking.set_blocked('hall', '{1A}', true);
select name, capacity from booking.create_seats('hall', booking.seat_grid(2, 'AB C'), if_not_exists => true);
savepoint s;
select name from booking.create_seats('hall', booking.seat_grid(2, 'ABC'), if_not_exists => true);
rollback to savepoint s;
select name from booking.create_seats('hall', booking.seat_grid(3, 'AB C'), if_not_exists => true);
rollback to savepoint s;
select name from booking.create_seats('hall', '["1A"]', max_per_holder => 1, if_not_exists => true);
rollback to savepoint s;
select name from booking.create_seats('hall', booking.seat_grid(2, 'AB C'));
rollback to savepoint s;
select name, capacity, time_zone from booking.create_calendar('room', 2, 'Europe/Berlin', '15 min', if_not_exists => true);
select name, capacity, time_zone from booking.create_calendar('room', 2, 'europe/berlin', '15 min', if_not_exists => true);
select name from booking.create_calendar('room', 1, 'UTC', '0', '14:00', '10:00', if_not_exists => true);
rollback;
