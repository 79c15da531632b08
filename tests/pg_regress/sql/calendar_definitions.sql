-- A session drops a cached calendar when this session or another changes it, and when the change is
-- rolled back.
select from booking.create_calendar('room');
select status from booking.hold('room', during => '[2030-01-01 00:00+00,2030-01-01 00:30+00)');
begin; select status from booking.set_open('room', false);
select status from booking.hold('room', during => '[2030-01-01 01:00+00,2030-01-01 01:30+00)');
rollback;
select status from booking.hold('room', during => '[2030-01-01 02:00+00,2030-01-01 02:30+00)');
select status from booking.set_hours('room', '{"mon":["08:00-09:00"]}');
select status from booking.hold('room', during => '[2030-01-01 03:00+00,2030-01-01 03:30+00)');
begin; select status from booking.set_hours('room', null);
select status from booking.hold('room', during => '[2030-01-01 03:00+00,2030-01-01 03:30+00)');
rollback;
select status from booking.hold('room', during => '[2030-01-01 03:00+00,2030-01-01 03:30+00)');
select status from booking.set_hours('room', null);
select status from booking.hold('room', during => '[2030-01-01 03:00+00,2030-01-01 03:30+00)');
drop extension booking;
create extension booking;
select status from booking.hold('room', during => '[2030-01-01 03:00+00,2030-01-01 03:30+00)');
