-- Calendars: places that are counted at every moment. Every answer of every verb.
\set SHOW_CONTEXT never
\pset format unaligned
set timezone = 'UTC';
create function id(of_key text) returns uuid language sql as 'select id from booking.holds where key = of_key';
create procedure overdue(of_key text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where key = of_key';
-- Returns a period on 2030-06-03, a Monday, from the first hour to the second.
create function on_monday(from_hour numeric, to_hour numeric) returns tstzrange language sql as
    $$ select tstzrange('2030-06-03 00:00+00'::timestamptz + from_hour * interval '1 hour', '2030-06-03 00:00+00'::timestamptz + to_hour * interval '1 hour') $$;
create function said(during tstzrange) returns text language sql as
    $$ select to_char(lower(during), 'MM-DD HH24:MI') || ' to ' || to_char(upper(during), 'MM-DD HH24:MI') $$;
-- Returns the period together with the detail of the answer.
\set show 'ok, status, version, available, replayed, case when during is null then detail else coalesce(detail, ''{}'') || jsonb_build_object(''during'', jsonb_build_array(lower(during), upper(during))) end as detail'

-- Holds run out inside a transaction, so that no sweep ends them first.
begin;
select name, kind, contention, capacity, overbooking, taken, version, open, max_per_holder, time_zone, buffer, check_in, check_out, hours, resized, metadata
from booking.create_calendar('room', metadata => '{"floor": 2}');
select name, capacity, max_per_holder, time_zone, buffer, check_in, check_out
from booking.create_calendar('hotel', 3, 'europe/berlin', '1 day 30 min', '14:30', '24:00', 2);
select status from booking.drop_resource('hotel');

-- One place: back to back is no conflict, a microsecond of overlap is one.
select :show, expires_at > clock_timestamp() as lives, hold_id = id('a') as same from booking.hold('room', during => on_monday(9, 10), key => 'a');
select :show from booking.hold('room', during => on_monday(10, 11), key => 'b');
select :show from booking.hold('room', during => on_monday(8, 9), key => 'c');
select :show from booking.hold('room', during => on_monday(9, 10));
select :show from booking.hold('room', during => on_monday(9.25, 9.5));
select :show from booking.hold('room', during => on_monday(6, 20));
select :show from booking.hold('room', during => on_monday(7, 8) + tstzrange('2030-06-03 08:00', '2030-06-03 08:00:00.000001'));
select :show from booking.hold('room', during => '[2030-06-03 07:00, 2030-06-03 08:00:00.000001)');
select :show from booking.hold('room', 2, during => on_monday(12, 13));
select :show from booking.hold('room', 9223372036854775807, during => on_monday(12, 13));
select :show from booking.hold('room', during => on_monday(11, 12), key => 'd');
select said(during), during = on_monday(11, 12) as exact, occupied = during as no_buffer, quantity, exclusive, state from booking.holds where key = 'd';
-- A hold does not change the row of its calendar.
select taken, version from booking.resources;
select * from booking.availability('room', on_monday(0, 24)) \gset now_
select :now_capacity, :now_confirmed, :now_held, :now_available, :now_version, :'now_next_expiry'::timestamptz = min(expires_at) as next from booking.holds where state = 'held';
select capacity, confirmed, held, available, version, next_expiry from booking.availability('room', on_monday(12, 24));
select capacity, confirmed, held, available, version, next_expiry from booking.availability('room');

-- Holds on calendars are confirmed, extended, found, released and cancelled like every other hold.
savepoint s;
select :show from booking.confirm(id('a'), 'payment', expected_version => 9);
select :show from booking.confirm(id('a'), 'payment', expected_version => 1);
select :show from booking.confirm(id('a'), 'payment', expected_version => 1);
select :show from booking.confirm(id('a'), 'another');
select :show from booking.release(id('a'));
select :show from booking.extend(id('a'));
select :show from booking.extend(id('b'), '20 min');
select :show from booking.cancel(id('b'));
select :show from booking.find(id('a'));
select :show from booking.find(id('a'), 'room');
select :show from booking.find(id('a'), 'hotel');
select capacity, confirmed, held, available from booking.availability('room', on_monday(9, 10));
select said(slot), capacity, confirmed, held, available from booking.calendar('room', on_monday(7, 13), '1 hour');
select said(slot), capacity, confirmed, held, available from booking.calendar('room', on_monday(0, 24));
select :show from booking.cancel(id('a'), expected_version => 1);
select :show from booking.cancel(id('a'), expected_version => 2);
select :show from booking.cancel(id('a'));
select :show from booking.release(id('a'));
select :show from booking.release(id('b'));
select :show from booking.release(id('b'));
select :show from booking.confirm(id('b'));
select :show from booking.hold('room', during => on_monday(9, 11), key => 'e');
select * from booking.check();
rollback to savepoint s;

-- Keys.
select :show from booking.hold('room', during => on_monday(9, 10), key => 'a');
select :show from booking.hold('room', 1, during => '[2030-06-03 11:00+02, 2030-06-03 12:00+02)', key => 'a');
select :show from booking.hold('room', during => on_monday(9, 11), key => 'a');
select :show from booking.hold('room', during => on_monday(9, 10), key => 'a', holder => 'ann');
select :show from booking.hold('room', during => on_monday(9, 10), ttl => '1 min', key => 'a');
select :show from booking.hold_nights('room', '2030-06-03', '2030-06-04', key => 'a');
select :show from booking.hold('room', during => on_monday(9, 10), key => 'refused');
select :show from booking.release(id('a'));
select :show from booking.hold('room', during => on_monday(9, 10), key => 'a');
select :show from booking.hold('room', during => on_monday(9, 10), key => 'refused');
select :show from booking.hold_nights('room', '2030-07-01', '2030-07-03', key => 'n');
select :show from booking.hold_nights('room', '2030-07-01', '2030-07-03', key => 'n');
select :show from booking.hold_nights('room', '2030-07-01', '2030-07-04', key => 'n');
select :show from booking.hold_nights('room', '2030-07-01', '2030-07-03', 1, key => 'n', holder => 'ann');
-- The same time written in another way is another request.
select :show from booking.hold('room', during => '[2030-07-01 15:00, 2030-07-03 11:00)', key => 'n');
select * from booking.check();
rollback to savepoint s;

-- A hold that has run out gets the same answers before it is marked as expired and after.
call overdue('a');
savepoint unswept;
select :show from booking.find(id('a'));
select :show from booking.confirm(id('a'), 'late');
select :show from booking.extend(id('a'));
select :show from booking.cancel(id('a'));
select :show from booking.hold('room', during => on_monday(9, 10), key => 'a');
select capacity, confirmed, held, available from booking.availability('room', on_monday(9, 10));
select said(slot), held, available from booking.calendar('room', on_monday(9, 10), '1 hour');
select said(slot), available from booking.free_slots('room', on_monday(8, 11), '30 min');
select :show from booking.release(id('a'));
rollback to savepoint unswept;
select booking.expire(10, 'room');
select state from booking.holds where key = 'a';
select :show from booking.find(id('a'));
select :show from booking.confirm(id('a'), 'late');
select capacity, confirmed, held, available from booking.availability('room', on_monday(9, 10));
select :show from booking.release(id('a'));
-- A late confirmation succeeds only while the place is still free.
select :show from booking.confirm(id('a'), 'late', late => 'reacquire');
rollback to savepoint unswept;
select :show from booking.confirm(id('a'), 'late', expected_version => 9, late => 'reacquire');
select :show from booking.confirm(id('a'), 'late', expected_version => 1, late => 'reacquire');
select * from booking.check();
rollback to savepoint unswept;
-- A call that needs the place ends the overdue hold; after that, a late confirmation is refused.
select :show from booking.hold('room', during => on_monday(9.5, 10), key => 'e');
select key, state, count(*) from booking.holds where key in ('a', 'e') group by 1, 2 order by 1;
select :show from booking.confirm(id('a'), 'late', late => 'reacquire');
select status from booking.release(id('e'));
select :show from booking.confirm(id('a'), 'late', late => 'reacquire');
select * from booking.check();
rollback;

-- Three places: the peak counts and not the sum.
begin;
select count(booking.create_calendar('hotel', 3));
select :show from booking.hold('hotel', 2, during => on_monday(9, 12), key => 'a');
select :show from booking.hold('hotel', 1, during => on_monday(9, 10), key => 'b');
select :show from booking.hold('hotel', 1, during => on_monday(10, 12), key => 'c');
select :show from booking.hold('hotel', 1, during => on_monday(9, 12));
select :show from booking.hold('hotel', 1, during => on_monday(8, 9.5));
select :show from booking.hold('hotel', 3, during => on_monday(12, 13), key => 'd');
select :show from booking.hold('hotel', 4, during => on_monday(15, 16));
select key, quantity, exclusive from booking.holds order by key;
savepoint s;
-- A hold is given back in part.
select :show from booking.release(id('a'), 1);
select :show from booking.release(id('a'), 1, expected_version => 1);
select :show from booking.hold('hotel', 1, during => on_monday(9, 12), key => 'e');
select status from booking.confirm(id('d'));
select :show from booking.cancel(id('d'), 2);
select :show from booking.cancel(id('d'), 1, expected_version => 2);
select said(slot), capacity, confirmed, held, available from booking.calendar('hotel', on_monday(8, 14), '1 hour');
select :show from booking.cancel(id('d'), 1);
select :show from booking.find(id('d'));
select * from booking.check();
rollback to savepoint s;
-- A call ends only the overdue holds that overlap its period, and all of them.
call overdue('a'); call overdue('b'); call overdue('d');
select :show from booking.hold('hotel', 2, during => on_monday(9, 11), key => 'e');
select key, state from booking.holds order by key;
select * from booking.check();
rollback to savepoint s;
-- If there is room beside the overdue holds, the call leaves them: a late confirmation finds its place.
call overdue('b');
select status from booking.release(id('a'));
select :show from booking.hold('hotel', 2, during => on_monday(9, 10), key => 'e');
select state from booking.holds where key = 'b';
select :show from booking.confirm(id('b'), late => 'reacquire');
select :show from booking.hold('hotel', 1, during => on_monday(9, 10));
select * from booking.check();
rollback to savepoint s;
-- A call that is refused all the same ends no hold.
call overdue('a');
select :show from booking.hold('hotel', 3, during => on_monday(9, 13));
select key, state from booking.holds order by key;
rollback;

-- A buffer keeps the place taken after each booking, and the new booking's own buffer counts as well.
begin;
select count(booking.create_calendar('room', buffer => '30 min'));
select :show from booking.hold('room', during => on_monday(9, 10), key => 'a');
select said(during), said(occupied) from booking.holds where key = 'a';
select :show from booking.hold('room', during => on_monday(10, 11));
select :show from booking.hold('room', during => on_monday(10.25, 11));
select :show from booking.hold('room', during => on_monday(10.5, 11), key => 'b');
select :show from booking.hold('room', during => on_monday(8, 9));
select :show from booking.hold('room', during => on_monday(8, 8.5), key => 'c');
select available from booking.availability('room', on_monday(11, 11.5));
select available from booking.availability('room', on_monday(11.5, 12));
select available from booking.availability('room', on_monday(7, 7.75));
select :show from booking.find(id('a'));
select said(slot), confirmed, held, available from booking.calendar('room', on_monday(8, 12), '30 min');
select said(slot) from booking.free_slots('room', on_monday(6, 13), '30 min');
select * from booking.check();
rollback;

-- The capacity: the usual one, and the one that is set for a period.
begin;
select count(booking.create_calendar('hotel', 3));
create view said as select said(during), capacity from booking.capacity_changes order by during;
select :show from booking.set_capacity('hotel', 5);
select :show from booking.set_capacity('hotel', 5, expected_version => 1);
select :show from booking.set_capacity('hotel', 3, expected_version => 2);
select resized from booking.resources;
select :show from booking.set_capacity('hotel', 0, during => on_monday(8, 20));
select * from said;
select :show from booking.hold('hotel', during => on_monday(7, 9));
-- The latest setting counts, and splits the periods set before.
select :show from booking.set_capacity('hotel', 9, during => on_monday(12, 14));
select * from said;
select :show from booking.set_capacity('hotel', 1, during => on_monday(7, 9));
select :show from booking.set_capacity('hotel', 2, during => on_monday(19, 22));
select * from said;
select said(slot), capacity, available from booking.calendar('hotel', on_monday(6, 23), '1 hour');
-- null removes the setting, in part and as a whole.
select :show from booking.set_capacity('hotel', null, during => on_monday(13, 19.5));
select * from said;
select :show from booking.set_capacity('hotel', null, during => on_monday(0, 24));
select * from said;
select :show from booking.set_capacity('hotel', null, during => on_monday(0, 24));
select version from booking.resources;
-- A setting over all of these periods leaves one row.
select :show from booking.set_capacity('hotel', 1, during => on_monday(1, 2));
select :show from booking.set_capacity('hotel', 2, during => on_monday(3, 4));
select :show from booking.set_capacity('hotel', 7, during => on_monday(0, 24));
select * from said;
select * from booking.check();
rollback;

-- The capacity cannot go below what is taken from now on.
begin;
select count(booking.create_calendar('hotel', 3));
create view said as select said(during), capacity from booking.capacity_changes order by during;
select status from booking.hold('hotel', 2, during => on_monday(9, 12), key => 'a');
select status from booking.confirm(id('a'));
select status from booking.hold('hotel', 1, during => on_monday(11, 14), key => 'b');
select :show from booking.set_capacity('hotel', 2);
select :show from booking.set_capacity('hotel', 2, during => on_monday(10, 12));
select :show from booking.set_capacity('hotel', 2, during => on_monday(9, 11));
select :show from booking.set_capacity('hotel', 1, during => on_monday(8, 9));
select :show from booking.set_capacity('hotel', 0, during => on_monday(13, 15));
select :show from booking.set_capacity('hotel', 0, during => on_monday(14, 15));
select * from said;
select :show from booking.set_capacity('hotel', 5, during => on_monday(0, 24));
select :show from booking.set_capacity('hotel', 0);
-- A period with its own capacity does not count for the usual capacity; once that is removed, it counts.
select :show from booking.set_capacity('hotel', null, during => on_monday(11, 12));
select :show from booking.set_capacity('hotel', 3);
select :show from booking.set_capacity('hotel', null, during => on_monday(11, 12));
select * from booking.check();
-- Overdue holds do not keep the capacity up.
call overdue('b');
select :show from booking.set_capacity('hotel', 2);
select :show from booking.set_capacity('hotel', 2, during => on_monday(9, 24));
select key, state from booking.holds order by key;
select * from booking.check();
-- Past periods do not matter: any capacity may be set there.
select status from booking.hold('hotel', 2, during => '[2020-01-01, 2020-01-02)', key => 'past');
select :show from booking.set_capacity('hotel', 0, during => '[2020-01-01, 2020-02-01)');
select :show from booking.cancel(id('a'));
select :show from booking.set_capacity('hotel', 0);
select * from booking.check();
-- Whether a hold is exclusive depends on the capacity that was in force when it was placed.
select :show from booking.set_capacity('hotel', 1);
select status from booking.hold('hotel', during => '[2031-01-01, 2031-01-02)', key => 'sole');
select :show from booking.set_capacity('hotel', 2);
select status from booking.hold('hotel', during => '[2031-01-01, 2031-01-02)', key => 'second');
select :show from booking.hold('hotel', during => '[2031-01-01 12:00, 2031-01-03)');
select :show from booking.set_capacity('hotel', 1);
select key, exclusive from booking.holds where key in ('sole', 'second') order by key;
select status from booking.release(id('second'));
select :show from booking.set_capacity('hotel', 1);
select :show from booking.hold('hotel', during => '[2031-01-01 12:00, 2031-01-03)');
select status from booking.release(id('sole'));
select :show from booking.hold('hotel', during => '[2031-01-01 12:00, 2031-01-03)', key => 'sole again');
select exclusive from booking.holds where key = 'sole again';
select * from booking.check();
rollback;

-- max_per_holder: bookings that are over do not count.
begin;
select count(booking.create_calendar('desks', 9, max_per_holder => 2));
select status from booking.hold('desks', 2, during => '[2020-01-01, 2020-01-02)', key => 'past', holder => 'ann');
select status from booking.confirm(id('past'));
select :show from booking.hold('desks', 1, during => on_monday(9, 10), key => 'a', holder => 'ann');
-- Bookings at other times count all the same.
select :show from booking.hold('desks', 2, during => on_monday(12, 13), holder => 'ann');
select :show from booking.hold('desks', 1, during => on_monday(12, 13), key => 'b', holder => 'ann');
select :show from booking.hold('desks', 1, during => on_monday(15, 16), holder => 'ann');
select :show from booking.hold('desks', 3, during => on_monday(15, 16), holder => 'bob');
select :show from booking.hold_nights('desks', '2030-07-01', '2030-07-02', 3, holder => 'bob');
select :show from booking.hold_nights('desks', '2030-07-01', '2030-07-02', 2, holder => 'bob', key => 'c');
call overdue('a');
select :show from booking.hold('desks', 1, during => on_monday(15, 16), key => 'd', holder => 'ann');
select :show from booking.confirm(id('a'), late => 'reacquire');
select status from booking.release(id('b'));
select :show from booking.confirm(id('a'), late => 'reacquire');
select * from booking.check();
savepoint s;
select booking.hold('desks', during => on_monday(9, 10));
rollback to savepoint s;
select booking.hold_nights('desks', '2030-07-01', '2030-07-02');
rollback;

-- A calendar is closed, and dropped.
begin;
select count(booking.create_calendar('room')), count(booking.create_calendar('hotel', 2, buffer => '1 hour'));
select status from booking.hold('room', during => on_monday(9, 10), key => 'a');
select :show from booking.set_open('room', false);
select :show from booking.set_open('room', false);
select :show from booking.hold('room', during => on_monday(11, 12));
select :show from booking.hold_nights('room', '2030-07-01', '2030-07-02');
select :show from booking.hold('room', during => on_monday(9, 10), key => 'a');
select :show from booking.confirm(id('a'));
select capacity, available from booking.availability('room', on_monday(11, 12));
select :show from booking.set_open('room', true);
savepoint s;
select booking.drop_resource('room');
rollback to savepoint s;
select status from booking.cancel(id('a'));
select status from booking.hold('room', during => on_monday(9, 10), key => 'b');
savepoint s;
select booking.drop_resource('room');
rollback to savepoint s;
-- A hold that has run out does not count as live; a booking that is over does.
call overdue('b');
savepoint s;
select status from booking.hold('room', during => '[2020-01-01, 2020-01-02)', key => 'past');
select status from booking.confirm(id('past'));
savepoint t;
select booking.drop_resource('room');
rollback to savepoint s;
select status from booking.set_capacity('room', 2, on_monday(0, 24));
select :show from booking.drop_resource('room');
select count(*) from booking.holds;
select count(*) from booking.capacity_changes;
select :show from booking.drop_resource('hotel');
select count(booking.create_calendar('room'));
select :show from booking.hold('room', during => on_monday(9, 10), key => 'a');
rollback;

-- What the tables themselves refuse, and what check() finds where they cannot refuse it.
begin;
select count(booking.create_calendar('room', buffer => '1 hour')), count(booking.create_calendar('hotel', 2)), count(booking.create_pool('gig', 2));
select status from booking.hold('room', during => on_monday(9, 10), key => 'a');
select status from booking.hold('room', during => on_monday(12, 13), key => 'b');
select status from booking.hold('hotel', during => on_monday(9, 10), key => 'c');
select status from booking.hold('hotel', during => on_monday(9, 12), key => 'd');
select status from booking.set_capacity('hotel', 3, during => on_monday(20, 24));
select status from booking.hold('gig', key => 'e');
create view found as
    select rule, resource, (select key from booking.holds h where h.id = hold_id) as hold, detail from booking.check() order by rule, resource, detail;
select * from found;
savepoint sound;
\set VERBOSITY terse
update booking.holds set occupied = on_monday(12, 14) where key = 'a';
rollback to savepoint sound;
insert into booking.capacity_changes values ('hotel', on_monday(23, 25), 1);
rollback to savepoint sound;
update booking.capacity_changes set capacity = -1;
rollback to savepoint sound;
\set VERBOSITY default
-- never over capacity at any moment
update booking.resources set capacity = 1 where name = 'hotel';
select * from found;
rollback to savepoint sound;
update booking.capacity_changes set during = on_monday(9.5, 24), capacity = 1;
select * from found;
rollback to savepoint sound;
update booking.holds set quantity = 2 where key = 'a';
select * from found;
rollback to savepoint sound;
-- Two holds overlap on a calendar that always had one place, once one of them is marked as not exclusive.
update booking.holds set exclusive = false, during = on_monday(12.5, 13), occupied = on_monday(12.5, 14) where key = 'a';
select * from found;
rollback to savepoint sound;
-- a hold on a calendar has a period
update booking.holds set during = null where key = 'a';
select rule, resource, hold from found;
rollback to savepoint sound;
update booking.holds set occupied = null where key = 'a';
select * from found;
rollback to savepoint sound;
update booking.holds set occupied = during where key = 'a';
select * from found;
rollback to savepoint sound;
update booking.holds set exclusive = null where key = 'a';
select * from found;
rollback to savepoint sound;
update booking.holds set during = tstzrange(lower(during), upper(during), '[]') where key = 'a';
select * from found;
rollback to savepoint sound;
update booking.holds set during = on_monday(1, 2), occupied = on_monday(1, 2), exclusive = true where key = 'e';
select * from found;
rollback to savepoint sound;
-- a calendar keeps its own clock
update booking.resources set buffer = null where name = 'hotel';
select rule, resource, hold, detail from found where hold is null;
rollback to savepoint sound;
update booking.resources set time_zone = 'UTC' where name = 'gig';
select * from found;
rollback to savepoint sound;
update booking.resources set hours = '{}' where name = 'gig';
select * from found;
rollback to savepoint sound;
update booking.resources set taken = 1 where name = 'hotel';
select * from found;
rollback to savepoint sound;
update booking.resources set resized = null where name = 'room';
select * from found;
rollback to savepoint sound;
-- a change of capacity has a calendar, and its row says so: otherwise no call reads the changes
update booking.resources set resized = false where name = 'hotel';
select * from found;
rollback to savepoint sound;
update booking.capacity_changes set resource = 'gig';
select * from found;
rollback to savepoint sound;
update booking.capacity_changes set resource = 'nowhere';
select * from found;
rollback to savepoint sound;
-- a hold has a resource, a holder stays within max_per_holder
delete from booking.resources where name = 'room';
select rule, resource, hold, detail from found;
rollback to savepoint sound;
update booking.resources set max_per_holder = 1 where name = 'hotel';
update booking.holds set holder = 'ann' where resource = 'hotel';
select * from found;
rollback to savepoint sound;
update booking.holds set seats = '{A}' where key = 'a';
select * from found;
rollback;
reset timezone;
drop function id(text), on_monday(numeric, numeric), said(tstzrange);
drop procedure overdue(text);
