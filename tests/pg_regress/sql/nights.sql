-- Nights, days and hours where clocks change: every expected instant was worked out from the rules of the zone.
-- A time that the clock skips is read as before the change; of a time that comes twice, the second counts.
\set SHOW_CONTEXT never
\pset format unaligned
create table cases (n integer generated always as identity, zone text, check_in time, check_out time, first date, last date, begins timestamptz, ends timestamptz, hours numeric);
insert into cases (zone, check_in, check_out, first, last, begins, ends, hours) values
-- New York: five hours behind UTC, four from 2030-03-10 02:00 to 2030-11-03 02:00.
('America/New_York', '15:00', '11:00', '2030-01-15', '2030-01-16', '2030-01-15 20:00Z', '2030-01-16 16:00Z', 20),
('America/New_York', '15:00', '11:00', '2030-04-30', '2030-05-01', '2030-04-30 19:00Z', '2030-05-01 15:00Z', 20),
('America/New_York', '15:00', '11:00', '2030-12-31', '2031-01-01', '2030-12-31 20:00Z', '2031-01-01 16:00Z', 20),
('America/New_York', '15:00', '11:00', '2031-02-28', '2031-03-01', '2031-02-28 20:00Z', '2031-03-01 16:00Z', 20),
('America/New_York', '15:00', '11:00', '2032-02-28', '2032-03-01', '2032-02-28 20:00Z', '2032-03-01 16:00Z', 44),
('America/New_York', '15:00', '11:00', '2030-03-09', '2030-03-10', '2030-03-09 20:00Z', '2030-03-10 15:00Z', 19),
('America/New_York', '15:00', '11:00', '2030-11-02', '2030-11-03', '2030-11-02 19:00Z', '2030-11-03 16:00Z', 21),
('America/New_York', '02:30', '11:00', '2030-03-10', '2030-03-11', '2030-03-10 07:30Z', '2030-03-11 15:00Z', 31.5),
('America/New_York', '15:00', '02:30', '2030-03-09', '2030-03-10', '2030-03-09 20:00Z', '2030-03-10 07:30Z', 11.5),
('America/New_York', '01:30', '11:00', '2030-11-03', '2030-11-04', '2030-11-03 06:30Z', '2030-11-04 16:00Z', 33.5),
('America/New_York', '15:00', '01:30', '2030-11-02', '2030-11-03', '2030-11-02 19:00Z', '2030-11-03 06:30Z', 11.5),
('America/New_York', '00:00', '00:00', '2030-03-10', '2030-03-11', '2030-03-10 05:00Z', '2030-03-11 04:00Z', 23),
('America/New_York', '00:00', '00:00', '2030-11-03', '2030-11-04', '2030-11-03 04:00Z', '2030-11-04 05:00Z', 25),
('America/New_York', '24:00', '24:00', '2030-03-09', '2030-03-10', '2030-03-10 05:00Z', '2030-03-11 04:00Z', 23),
-- Berlin: one hour ahead of UTC, two from 2030-03-31 02:00 to 2030-10-27 03:00.
('Europe/Berlin', '15:00', '11:00', '2030-03-30', '2030-03-31', '2030-03-30 14:00Z', '2030-03-31 09:00Z', 19),
('Europe/Berlin', '15:00', '11:00', '2030-10-26', '2030-10-27', '2030-10-26 13:00Z', '2030-10-27 10:00Z', 21),
('Europe/Berlin', '02:30', '11:00', '2030-03-31', '2030-04-01', '2030-03-31 01:30Z', '2030-04-01 09:00Z', 31.5),
('Europe/Berlin', '02:30', '11:00', '2030-10-27', '2030-10-28', '2030-10-27 01:30Z', '2030-10-28 10:00Z', 32.5),
('Europe/Berlin', '15:00', '02:00', '2030-03-30', '2030-03-31', '2030-03-30 14:00Z', '2030-03-31 01:00Z', 11),
('Europe/Berlin', '15:00', '02:00', '2030-10-26', '2030-10-27', '2030-10-26 13:00Z', '2030-10-27 01:00Z', 12),
('Europe/Berlin', '15:00', '03:00', '2030-10-26', '2030-10-27', '2030-10-26 13:00Z', '2030-10-27 02:00Z', 13),
('Europe/Berlin', '15:00', '11:00', '2032-02-29', '2032-03-01', '2032-02-29 14:00Z', '2032-03-01 10:00Z', 20),
('CET', '15:00', '11:00', '2030-07-01', '2030-07-02', '2030-07-01 13:00Z', '2030-07-02 09:00Z', 20),
-- Lord Howe: ten and a half hours ahead of UTC, eleven up to 2030-04-07 02:00 and from 2030-10-06 02:00 on.
('Australia/Lord_Howe', '15:00', '11:00', '2030-06-15', '2030-06-16', '2030-06-15 04:30Z', '2030-06-16 00:30Z', 20),
('Australia/Lord_Howe', '15:00', '11:00', '2030-10-05', '2030-10-06', '2030-10-05 04:30Z', '2030-10-06 00:00Z', 19.5),
('Australia/Lord_Howe', '15:00', '11:00', '2030-04-06', '2030-04-07', '2030-04-06 04:00Z', '2030-04-07 00:30Z', 20.5),
('Australia/Lord_Howe', '02:15', '11:00', '2030-10-06', '2030-10-07', '2030-10-05 15:45Z', '2030-10-07 00:00Z', 32.25),
('Australia/Lord_Howe', '01:45', '11:00', '2030-04-07', '2030-04-08', '2030-04-06 15:15Z', '2030-04-08 00:30Z', 33.25),
('Australia/Lord_Howe', '00:00', '00:00', '2030-10-06', '2030-10-07', '2030-10-05 13:30Z', '2030-10-06 13:00Z', 23.5),
('Australia/Lord_Howe', '00:00', '00:00', '2030-04-07', '2030-04-08', '2030-04-06 13:00Z', '2030-04-07 13:30Z', 24.5),
-- Apia: ten hours behind UTC up to 2011-12-30 00:00, then fourteen ahead: the zone left that day out.
('Pacific/Apia', '15:00', '11:00', '2011-12-28', '2011-12-29', '2011-12-29 01:00Z', '2011-12-29 21:00Z', 20),
('Pacific/Apia', '15:00', '11:00', '2011-12-29', '2011-12-31', '2011-12-30 01:00Z', '2011-12-30 21:00Z', 20),
('Pacific/Apia', '15:00', '11:00', '2011-12-29', '2011-12-30', '2011-12-30 01:00Z', '2011-12-30 21:00Z', 20),
('Pacific/Apia', '15:00', '11:00', '2011-12-31', '2012-01-01', '2011-12-31 01:00Z', '2011-12-31 21:00Z', 20),
('Pacific/Apia', '00:00', '00:00', '2011-12-29', '2011-12-31', '2011-12-29 10:00Z', '2011-12-30 10:00Z', 24),
-- Sao Paulo: three hours behind UTC, two from 2018-11-04 00:00, which the clock skipped, to 2019-02-17 00:00.
('America/Sao_Paulo', '15:00', '11:00', '2018-11-03', '2018-11-04', '2018-11-03 18:00Z', '2018-11-04 13:00Z', 19),
('America/Sao_Paulo', '00:00', '00:00', '2018-11-04', '2018-11-05', '2018-11-04 03:00Z', '2018-11-05 02:00Z', 23),
('America/Sao_Paulo', '00:30', '11:00', '2018-11-04', '2018-11-05', '2018-11-04 03:30Z', '2018-11-05 13:00Z', 33.5),
('America/Sao_Paulo', '15:00', '11:00', '2019-02-16', '2019-02-17', '2019-02-16 17:00Z', '2019-02-17 14:00Z', 21),
('America/Sao_Paulo', '23:30', '11:00', '2019-02-16', '2019-02-17', '2019-02-17 02:30Z', '2019-02-17 14:00Z', 11.5),
('America/Sao_Paulo', '00:00', '00:00', '2019-02-16', '2019-02-17', '2019-02-16 02:00Z', '2019-02-17 03:00Z', 25),
-- Leap days, and years that have none.
('UTC', '15:00', '11:00', '1900-02-28', '1900-03-01', '1900-02-28 15:00Z', '1900-03-01 11:00Z', 20),
('UTC', '15:00', '11:00', '2000-02-28', '2000-03-01', '2000-02-28 15:00Z', '2000-03-01 11:00Z', 44),
('UTC', '15:00', '11:00', '2100-02-28', '2100-03-01', '2100-02-28 15:00Z', '2100-03-01 11:00Z', 20),
('UTC', '24:00', '00:00', '2030-02-27', '2030-03-01', '2030-02-28 00:00Z', '2030-03-01 00:00Z', 24),
-- POSIX specifications: three hours behind UTC, and five with four in summer.
('<-03>3', '15:00', '11:00', '2030-07-01', '2030-07-02', '2030-07-01 18:00Z', '2030-07-02 14:00Z', 20),
('EST5EDT,M3.2.0,M11.1.0', '15:00', '11:00', '2030-11-02', '2030-11-03', '2030-11-02 19:00Z', '2030-11-03 16:00Z', 21);
-- The table itself: each night is as long as it says.
select n from cases where extract(epoch from ends - begins) <> 3600 * hours;
select count(booking.create_calendar('case ' || n, time_zone => zone, check_in => check_in, check_out => check_out)) from cases;
create view found as
    select n, zone, first, last, during, hold_during = during and during = tstzrange(begins, ends) as sound
    from cases,
    lateral (select during, hold_id from booking.hold_nights('case ' || n, first, last)) as h,
    lateral (select f.during from booking.find(hold_id) f) as s(hold_during);
begin;
set local timezone = 'UTC';
select n, zone, first, last, during from found where sound is not true;
select count(*), bool_and(h.during = tstzrange(begins, ends) and h.occupied = h.during) as written from booking.holds h, cases where resource = 'case ' || n;
select * from booking.check();
rollback;
-- The session's time zone and abbreviations change nothing.
begin;
set local timezone = 'America/New_York';
select count(*), bool_and(sound) from found;
rollback;
begin;
set local timezone = 'Pacific/Apia';
select count(*), bool_and(sound) from found;
rollback;
begin;
set local timezone = 'Australia/Lord_Howe';
set local timezone_abbreviations = 'Australia';
set local datestyle = 'SQL, DMY';
select count(*), bool_and(sound) from found;
rollback;
-- The same nights as items of a basket and as requests of a batch.
begin;
select n from cases, booking.hold_all(jsonb_build_array(jsonb_build_object('resource', 'case ' || n, 'nights', array[first, last]))),
    lateral (select detail #> '{items,0,during}') as i(d)
where tstzrange((d ->> 0)::timestamptz, (d ->> 1)::timestamptz) <> tstzrange(begins, ends);
select count(*) from booking.holds;
rollback;
begin;
select count(*), count(*) filter (where ok) as ok from booking.hold_each((select jsonb_agg(jsonb_build_object('resource', 'case ' || n, 'nights', array[first, last])) from cases));
select count(*), bool_and(h.during = tstzrange(begins, ends)) from booking.holds h, cases where resource = 'case ' || n;
rollback;
select count(booking.drop_resource(name)) from booking.resources;
drop view found;
drop table cases;

-- Nights on a day that the zone left out.
select count(booking.create_calendar('apia', 2, 'Pacific/Apia'));
select booking.hold_nights('apia', '2011-12-30', '2011-12-31');
select count(booking.create_calendar('midnight', 2, 'Pacific/Apia', check_in => '00:00', check_out => '00:00'));
select booking.hold_nights('midnight', '2011-12-30', '2011-12-31');
-- The booking begins and ends on one day: a room that is booked by the day.
select count(booking.create_calendar('day', 2, check_in => '09:00', check_out => '17:00'));
select booking.hold_nights('day', '2030-01-01', '2030-01-01');

-- Days, as long as they are. They have 24 hours where the clock does not change.
set timezone = 'UTC';
create function days(of_calendar text, during tstzrange, step interval = '1 day') returns table (begins timestamptz, hours numeric) language sql as
    'select lower(slot), round(extract(epoch from upper(slot) - lower(slot))::numeric / 3600, 2) from booking.calendar(of_calendar, during, step)';
select count(booking.create_calendar('new york', time_zone => 'America/New_York'));
select * from days('new york', '[2030-03-09 05:00, 2030-03-12 04:00)');
select * from days('new york', '[2030-11-02 04:00, 2030-11-05 05:00)');
select count(booking.create_calendar('berlin', time_zone => 'europe/berlin'));
select * from days('berlin', '[2030-03-29 23:00, 2030-04-01 22:00)');
select * from days('berlin', '[2030-10-25 22:00, 2030-10-28 23:00)');
select count(booking.create_calendar('lord howe', time_zone => 'Australia/Lord_Howe'));
select * from days('lord howe', '[2030-10-04 13:30, 2030-10-07 13:00)');
select * from days('lord howe', '[2030-04-05 13:00, 2030-04-08 13:30)');
select count(booking.create_calendar('sao paulo', time_zone => 'America/Sao_Paulo'));
select * from days('sao paulo', '[2018-11-03 03:00, 2018-11-06 02:00)');
select * from days('sao paulo', '[2019-02-15 02:00, 2019-02-18 03:00)');
-- A day that the zone left out has no row.
select * from days('apia', '[2011-12-28 10:00, 2012-01-01 10:00)');
-- Days that begin after midnight begin at the same time each day. Steps in hours ignore clock changes.
select * from days('new york', '[2030-03-09 17:00, 2030-03-12 00:00)');
select * from days('new york', '[2030-03-10 05:00, 2030-03-11 05:00)', '12 hours');
select * from days('new york', '[2030-03-03 05:00, 2030-03-25 00:00)', '1 week');
select * from days('new york', '[2030-01-31 05:00, 2030-06-01 00:00)', '1 month');
select * from days('new york', '[2032-02-29 05:00, 2033-03-02 00:00)', '1 year');
select * from days('new york', '[2030-03-09 05:00, 2030-03-12 00:00)', '1 day 1 hour');
select booking.calendar_map('apia', '2011-12-24');

-- Hours across clock changes, in slots of half an hour.
create function slots(of_calendar text, during tstzrange, hours jsonb) returns table (begins timestamptz, ends timestamptz, n bigint) language sql as $$
    select booking.set_hours(of_calendar, hours);
    select min(lower(slot)), max(upper(slot)), count(*) from booking.free_slots(of_calendar, during, '30 min') $$;
-- 2030-03-10, a Sunday: one to four o'clock lasts two hours.
select * from slots('new york', '[2030-03-09 05:00, 2030-03-12 04:00)', '{"sun": ["01:00-04:00"]}');
-- If the clock skips the time at which a calendar opens or closes, it opens or closes at the change.
select * from slots('new york', '[2030-03-09 05:00, 2030-03-12 04:00)', '{"sun": ["01:30-02:30"]}');
select * from slots('new york', '[2030-03-09 05:00, 2030-03-12 04:00)', '{"sun": ["02:30-03:30"]}');
select * from slots('new york', '[2030-03-09 05:00, 2030-03-12 04:00)', '{"sun": ["02:00-03:00"]}');
select * from slots('new york', '[2030-03-09 05:00, 2030-03-12 04:00)', '{"sun": ["02:15-02:45"]}');
-- Over midnight: seven hours, and nine.
select * from slots('new york', '[2030-03-09 05:00, 2030-03-12 04:00)', '{"sat": ["22:00-06:00"]}');
select * from slots('new york', '[2030-11-02 04:00, 2030-11-05 05:00)', '{"sat": ["22:00-06:00"]}');
-- 2030-11-03: midnight to two lasts three hours; hours from one o'clock on begin at the second one o'clock.
select * from slots('new york', '[2030-11-02 04:00, 2030-11-05 05:00)', '{"sun": ["00:00-02:00"]}');
select * from slots('new york', '[2030-11-02 04:00, 2030-11-05 05:00)', '{"sun": ["01:00-04:00"]}');
select * from slots('new york', '[2030-11-02 04:00, 2030-11-05 05:00)', '{"sun": ["00:00-24:00"]}');
select * from slots('lord howe', '[2030-10-04 13:30, 2030-10-07 13:00)', '{"sun": ["00:00-24:00"]}');
select * from slots('lord howe', '[2030-04-05 13:00, 2030-04-08 13:30)', '{"sun": ["00:00-24:00"]}');
select * from slots('sao paulo', '[2018-11-03 03:00, 2018-11-06 02:00)', '{"sun": ["00:00-02:00"]}');
select * from slots('sao paulo', '[2019-02-15 02:00, 2019-02-18 03:00)', '{"sat": ["22:00-24:00"]}');
-- The Friday that the zone left out has no hours, and hours that run on into it end with Thursday.
select * from slots('apia', '[2011-12-28 10:00, 2012-01-01 10:00)', '{"fri": ["09:00-17:00"]}');
select * from slots('apia', '[2011-12-28 10:00, 2012-01-01 10:00)', '{"thu": ["22:00-02:00"]}');
select * from slots('apia', '[2011-12-28 10:00, 2012-01-01 10:00)', '{"thu": ["22:00-24:00"], "fri": ["00:00-24:00"], "sat": ["00:00-02:00"]}');
select booking.calendar_map('apia', '2011-12-24');
-- hold() and hold_nights() keep to these hours.
select status from booking.set_hours('new york', '{"sun": ["01:30-02:30"]}');
begin;
select ok, status from booking.hold('new york', during => '[2030-03-10 06:30, 2030-03-10 07:00)');
select ok, status from booking.hold('new york', during => '[2030-03-10 07:00, 2030-03-10 07:00:01)');
select ok, status from booking.hold('new york', during => '[2030-03-10 06:29:59, 2030-03-10 06:45)');
select ok, status, during from booking.hold_nights('new york', '2030-03-09', '2030-03-10');
select * from booking.check();
rollback;
reset timezone;
select count(booking.drop_resource(name)) from booking.resources;
drop function days(text, tstzrange, interval), slots(text, tstzrange, jsonb);
