-- The hours of a calendar, the slots that are left in them, and the map of a month.
\set SHOW_CONTEXT never
\pset format unaligned
set timezone = 'UTC';
create function id(of_key text) returns uuid language sql as 'select id from booking.holds where key = of_key';
-- Returns a period on 2030-06-03, a Monday, from the first hour to the second.
create function on_monday(from_hour numeric, to_hour numeric) returns tstzrange language sql as
    $$ select tstzrange('2030-06-03 00:00+00'::timestamptz + from_hour * interval '1 hour', '2030-06-03 00:00+00'::timestamptz + to_hour * interval '1 hour') $$;
create function said(during tstzrange) returns text language sql as
    $$ select to_char(lower(during), 'Dy HH24:MI') || ' to ' || to_char(upper(during), 'Dy HH24:MI') $$;
-- Returns the period together with the detail of the answer.
\set show 'ok, status, version, available, replayed, case when during is null then detail else coalesce(detail, ''{}'') || jsonb_build_object(''during'', jsonb_build_array(lower(during), upper(during))) end as detail'
begin;
select count(booking.create_calendar('room'));

-- set_hours() keeps the windows as they were given, in the order of the week, each once.
select :show from booking.set_hours('room', '{"sun": [], "wed": ["13:00-17:00", "09:00-12:00", "09:00-12:00"], "mon": [" 09:00 - 12:00 "], "fri": ["18:00-02:00", "23:30-00:00"], "sat": ["00:00-24:00"]}');
select unnest(hours) from booking.resources;
select :show from booking.set_hours('room', '{"mon": ["09:00-12:00"], "wed": ["09:00-12:00", "13:00-17:00"], "fri": ["18:00-02:00", "23:30-24:00"], "sat": ["00:00-24:00"]}');
select :show from booking.set_hours('room', '{}');
select hours from booking.resources;
select :show from booking.set_hours('room', '{"mon": []}');
select :show from booking.set_hours('room', null);
select hours from booking.resources;
select :show from booking.set_hours('room', null);

-- Outside its hours the calendar is closed. The buffer may lie there; the booking must lie in one open segment.
select count(booking.create_calendar('shop', 2, 'Europe/Berlin', buffer => '30 min'));
-- Berlin is two hours ahead of UTC in June: nine to twelve there is seven to ten in UTC.
select :show from booking.set_hours('shop', '{"mon": ["09:00-12:00", "12:00-13:00", "14:00-17:00"], "tue": ["00:00-24:00"], "wed": ["00:00-01:00"]}');
select :show from booking.hold('shop', during => on_monday(7, 8), key => 'a');
select :show from booking.hold('shop', during => on_monday(6.5, 8));
select :show from booking.hold('shop', during => on_monday(10.5, 12.5));
select :show from booking.hold('shop', during => on_monday(9, 11), key => 'b');
select :show from booking.hold('shop', during => on_monday(15, 15.5));
select :show from booking.hold('shop', during => '[2030-06-09 07:00, 2030-06-09 08:00)');
-- Midnight at the end of Monday is the start of Tuesday, and so on until one o'clock on Wednesday.
select :show from booking.hold('shop', during => '[2030-06-03 22:00, 2030-06-04 23:00)', key => 'c');
select :show from booking.hold('shop', during => '[2030-06-03 22:00, 2030-06-04 23:00:01)');
select :show from booking.hold_nights('shop', '2030-06-03', '2030-06-04');
select capacity, confirmed, held, available from booking.availability('shop', on_monday(7, 8));
select capacity, confirmed, held, available from booking.availability('shop', on_monday(6, 8));
select said(slot), capacity, confirmed, held, available from booking.calendar('shop', on_monday(5, 17), '1 hour');
-- New hours leave existing holds alone: these can still be confirmed and given back.
select :show from booking.set_hours('shop', '{}');
select :show from booking.confirm(id('a'));
select :show from booking.extend(id('b'), '20 min');
select :show from booking.cancel(id('a'));
select * from booking.check();
rollback;

-- Hours over midnight.
begin;
select count(booking.create_calendar('bar', 2));
select :show from booking.set_hours('bar', '{"fri": ["18:00-02:00"], "sun": ["22:00-06:00"]}');
select ok, status from booking.hold('bar', during => '[2030-06-07 18:00, 2030-06-08 02:00)', key => 'a');
select ok, status from booking.hold('bar', during => '[2030-06-07 23:59, 2030-06-08 00:01)', key => 'b');
select ok, status from booking.hold('bar', during => '[2030-06-08 01:00, 2030-06-08 02:00:00.000001)');
select ok, status from booking.hold('bar', during => '[2030-06-08 00:00, 2030-06-08 01:00)', key => 'c');
select ok, status from booking.hold('bar', during => '[2030-06-06 00:00, 2030-06-06 01:00)');
-- From Sunday into Monday, over the end of the week.
select ok, status from booking.hold('bar', during => '[2030-06-09 22:00, 2030-06-10 06:00)', key => 'd');
select ok, status from booking.hold('bar', during => '[2030-06-10 05:00, 2030-06-10 06:00)', key => 'e');
select said(slot), available from booking.free_slots('bar', '[2030-06-07, 2030-06-11)', '2 hours');
select said(slot), available from booking.free_slots('bar', '[2030-06-08 01:00, 2030-06-08 12:00)', '1 hour');
select * from booking.check();
rollback;

-- Free slots.
begin;
select count(booking.create_calendar('room')), count(booking.create_calendar('desks', 2)), count(booking.create_calendar('cleaned', buffer => '30 min'));
-- Without hours, slots begin at the start of the given period, and each lies wholly in it.
select said(slot), available from booking.free_slots('room', on_monday(9, 11.75), '1 hour');
select said(slot), available from booking.free_slots('room', on_monday(9, 11), '1 hour', '30 min');
select said(slot), available from booking.free_slots('room', on_monday(9.25, 12), '45 min', '1 hour');
select count(*) from booking.free_slots('room', on_monday(9, 10), '61 min');
select said(slot) from booking.free_slots('room', on_monday(9, 10), '60 min');
-- With hours, slots begin when the calendar opens, whatever period was given.
select status from booking.set_hours('room', '{"mon": ["09:00-12:00", "13:30-15:00"]}');
select said(slot), available from booking.free_slots('room', on_monday(0, 24), '1 hour');
select said(slot), available from booking.free_slots('room', on_monday(9.25, 24), '1 hour');
select said(slot), available from booking.free_slots('room', on_monday(9.25, 11.5), '1 hour', '30 min');
select said(slot), available from booking.free_slots('room', on_monday(0, 24), '90 min', '45 min');
select count(*) from booking.free_slots('room', on_monday(0, 24), '4 hours');
-- Two windows that touch: slots begin at the start of each.
select status from booking.set_hours('room', '{"mon": ["09:00-10:30", "10:30-12:00"]}');
select said(slot) from booking.free_slots('room', on_monday(0, 24), '1 hour');
-- Two windows that overlap.
select status from booking.set_hours('room', '{"mon": ["09:00-11:00", "10:00-12:00"]}');
select said(slot) from booking.free_slots('room', on_monday(0, 24), '90 min');
-- With bookings in between.
select status from booking.set_hours('room', '{"mon": ["09:00-12:00"]}');
select status from booking.hold('room', during => on_monday(10, 10.5), key => 'a');
select said(slot), available from booking.free_slots('room', on_monday(0, 24), '30 min');
select said(slot), available from booking.free_slots('room', on_monday(0, 24), '1 hour', '15 min');
-- Two places: a slot shows how many are free at the moment when fewest are.
select status from booking.hold('desks', 1, during => on_monday(9, 11), key => 'b');
select status from booking.hold('desks', 1, during => on_monday(10, 12), key => 'c');
select said(slot), available from booking.free_slots('desks', on_monday(8, 13), '1 hour');
select said(slot), available from booking.free_slots('desks', on_monday(8, 13), '2 hours', '1 hour');
select status from booking.set_capacity('desks', 5, on_monday(10, 11));
select said(slot), available from booking.free_slots('desks', on_monday(8, 13), '1 hour');
-- The buffer after a slot must be free, too, even beyond the end of the given period and of the hours.
select status from booking.hold('cleaned', during => on_monday(12, 13), key => 'd');
select said(slot), available from booking.free_slots('cleaned', on_monday(10, 12), '1 hour', '30 min');
select said(slot), available from booking.free_slots('cleaned', on_monday(13, 15), '1 hour', '30 min');
select status from booking.set_hours('cleaned', '{"mon": ["09:00-12:00"]}');
select said(slot), available from booking.free_slots('cleaned', on_monday(0, 24), '1 hour', '30 min');
select status from booking.release(id('d'));
select said(slot), available from booking.free_slots('cleaned', on_monday(0, 24), '1 hour', '30 min');
-- Every slot that free_slots() returns can be booked.
select ok, said(slot) from booking.free_slots('desks', on_monday(8, 13), '1 hour') f, booking.hold('desks', f.available, during => f.slot) h order by slot;
select count(*) from booking.free_slots('desks', on_monday(8, 13), '1 hour');
select * from booking.check();
rollback;

-- The map of a month: full days, partly full days, closed days, and days without capacity.
begin;
select count(booking.create_calendar('hotel', 3));
select status from booking.hold('hotel', 3, during => '[2032-02-02, 2032-02-03)');
select status from booking.hold('hotel', 2, during => '[2032-02-04 12:00, 2032-02-06)');
select status from booking.hold('hotel', 3, during => '[2032-02-10 08:00, 2032-02-10 09:00)');
select status from booking.hold_nights('hotel', '2032-02-28', '2032-03-01', 3);
select status from booking.set_capacity('hotel', 0, '[2032-02-16, 2032-02-19)');
select status from booking.set_capacity('hotel', 12, '[2032-02-20, 2032-02-22)');
select status from booking.hold('hotel', 12, during => '[2032-02-20 08:00, 2032-02-20 09:00)');
select booking.calendar_map('hotel', '2032-02-17');
select status from booking.set_hours('hotel', '{"mon": ["09:00-12:00"], "tue": ["09:00-12:00"], "wed": ["09:00-12:00"], "thu": ["09:00-12:00"], "fri": ["09:00-12:00"], "sat": ["22:00-02:00"]}');
select booking.calendar_map('hotel', '2032-02-29');
-- The columns are as wide as their longest text.
select status from booking.set_hours('hotel', null);
select status from booking.set_capacity('hotel', 1234567, '[2032-02-24, 2032-02-25)');
select booking.calendar_map('hotel', '2032-02-01');
rollback;
-- A month that begins on each day of the week, of 28 to 31 days, whatever day of it is named.
begin;
select count(booking.create_calendar('room', time_zone => 'Asia/Tokyo'));
select booking.calendar_map('room', month) from unnest('{2031-09-30, 2031-04-15, 2031-01-31, 2031-05-01, 2031-08-09, 2031-02-28, 2031-06-30}'::date[]) as month;
-- A day begins by the calendar's own clock: five in the afternoon here is tomorrow there.
select status from booking.hold('room', during => '[2031-01-01 17:00, 2031-01-01 18:00)');
select split_part(booking.calendar_map('room', '2031-01-01'), E'\n', 4) as first_week;
rollback;
reset timezone;
drop function id(text), on_monday(numeric, numeric), said(tstzrange);
