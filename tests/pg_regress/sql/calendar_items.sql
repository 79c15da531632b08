-- Calendars in baskets and in batches.
\set SHOW_CONTEXT never
\pset format unaligned
set timezone = 'UTC';
-- Returns what the answer says of the items, without their ids.
create function said(detail jsonb) returns text language sql as
    'select string_agg(concat_ws('' '', i -> ''item'', i ->> ''resource'', i ->> ''status'', i - ''{item,resource,status,hold_id}''::text[]), ''; '' order by n)
     from jsonb_array_elements(detail -> ''items'') with ordinality as d(i, n)';
create function basket(of_key text) returns uuid language sql as 'select distinct basket from booking.holds where key = of_key';
create procedure overdue(of_key text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where key = of_key';
select count(booking.create_calendar('room', buffer => '1 hour')), count(booking.create_calendar('hotel', 3, 'Europe/Berlin')),
       count(booking.create_pool('gig', 5)), count(booking.create_seats('hall', booking.seat_grid(1, 'ABC')));
begin;

-- A flight and a hotel, or neither. The items give their periods in every way that is accepted.
select ok, status, version, available, said(detail) as items from booking.hold_all('[
    {"resource": "hall", "best": 2},
    {"resource": "hotel", "nights": ["2030-06-03", "2030-06-05"], "quantity": 2},
    {"resource": "room", "during": ["2030-06-03T09:00:00+00:00", "2030-06-03 12:00+02"]},
    {"resource": "room", "during": "[2030-06-03 11:00, 2030-06-03 12:00)"},
    {"resource": "room", "during": " [ \"2030-06-03 13:00:00+00\" , \"2030-06-03 15:00:00+01\" ) ", "quantity": null},
    {"resource": "gig", "during": null, "nights": null}]', key => 'a');
select item, resource, quantity, during, exclusive from booking.holds order by item;
select ok, status, replayed, said(detail) as items from booking.hold_all('[
    {"resource": "hall", "best": 2},
    {"resource": "hotel", "nights": ["2030-06-03", "2030-06-05"], "quantity": 2},
    {"resource": "room", "during": ["2030-06-03T09:00:00+00:00", "2030-06-03 12:00+02"]},
    {"resource": "room", "during": "[2030-06-03 11:00, 2030-06-03 12:00)"},
    {"resource": "room", "during": " [ \"2030-06-03 13:00:00+00\" , \"2030-06-03 15:00:00+01\" ) ", "quantity": null},
    {"resource": "gig", "during": null, "nights": null}]', key => 'a');
-- An item accepts a range as PostgreSQL prints it, whatever the session's DateStyle.
savepoint s;
select ok, status from booking.release(basket('a'));
select ok, status, said(detail) from booking.hold_all(jsonb_build_array(
    jsonb_build_object('resource', 'room', 'during', tstzrange('2030-06-03 09:00Z', '2030-06-03 10:00Z', '[)')::text),
    jsonb_build_object('resource', 'room', 'during', tstzrange('2030-06-03 12:00Z', '2030-06-03 13:00Z'))));
rollback to savepoint s;
select ok, status, version, said(detail) as items from booking.confirm(basket('a'), 'payment');
select ok, status, version, said(detail) as items from booking.cancel(basket('a'));
select * from booking.check();
rollback;

-- Each item that was short says why. Other items of the basket count, by their peak and not by their sum.
begin;
select ok, status, said(detail) as items from booking.hold_all('[
    {"resource": "hotel", "during": ["2030-06-03", "2030-06-05"], "quantity": 2},
    {"resource": "hotel", "during": ["2030-06-04", "2030-06-06"], "quantity": 2},
    {"resource": "gig", "quantity": 9}]', key => 'b');
select ok, status, said(detail) as items from booking.hold_all('[
    {"resource": "hotel", "during": ["2030-06-03", "2030-06-05"], "quantity": 2},
    {"resource": "hotel", "during": ["2030-06-05", "2030-06-06"], "quantity": 2},
    {"resource": "hotel", "during": ["2030-06-04", "2030-06-06"]}]', key => 'b');
select ok, status, said(detail) as items from booking.hold_all('[
    {"resource": "room", "during": ["2030-06-03 09:00", "2030-06-03 10:00"]},
    {"resource": "room", "during": ["2030-06-03 10:00", "2030-06-03 11:00"]}]', key => 'c');
select ok, status, said(detail) as items from booking.hold_all('[
    {"resource": "room", "during": ["2030-06-03 09:00", "2030-06-03 10:00"]},
    {"resource": "hotel", "nights": ["2030-06-04", "2030-06-06"]}]', key => 'c');
select ok, status from booking.hold('room', during => '[2030-06-03 09:00, 2030-06-03 10:00)', key => 'old');
call overdue('old');
select ok, status, said(detail) as items from booking.hold_all('[
    {"resource": "room", "during": ["2030-06-03 09:00", "2030-06-03 10:00"]},
    {"resource": "hotel", "nights": ["2030-06-06", "2030-06-07"]}]', key => 'c');
select key, state from booking.holds where key = 'old';
-- The calendar is closed at that time, or altogether.
select status from booking.set_hours('hotel', '{"mon": ["15:00-24:00"]}');
select status from booking.set_open('room', false);
select ok, status, said(detail) as items from booking.hold_all('[
    {"resource": "hotel", "nights": ["2030-07-01", "2030-07-02"]},
    {"resource": "room", "during": ["2030-07-01 09:00", "2030-07-01 10:00"]}]');
select * from booking.check();
rollback;

-- A batch: each request is answered as a single call is.
begin;
select ok, status, available, replayed, case when during is null then detail else coalesce(detail, '{}') || jsonb_build_object('during', jsonb_build_array(lower(during), upper(during))) end as detail from booking.hold_each('[
    {"resource": "room", "during": ["2030-06-03 09:00", "2030-06-03 10:00"], "key": "a"},
    {"resource": "room", "during": "[2030-06-03 10:30, 2030-06-03 11:00)"},
    {"resource": "room", "during": ["2030-06-03 09:00", "2030-06-03 10:00"], "key": "a"},
    {"resource": "room", "during": ["2030-06-03 09:00", "2030-06-03 11:00"], "key": "a"},
    {"resource": "room", "during": ["2030-06-03 11:00", "2030-06-03 12:00"], "ttl": "1 min", "holder": "ann", "metadata": {"a": 1}},
    {"resource": "hotel", "nights": ["2030-06-03", "2030-06-05"], "quantity": 2, "key": "b"},
    {"resource": "hotel", "nights": ["2030-06-04", "2030-06-05"], "quantity": 2},
    {"resource": "hotel", "nights": ["2030-06-05", "2030-06-06"], "quantity": 3},
    {"resource": "gig"}]');
-- Single calls return the same.
select ok, status, replayed, case when during is null then detail else coalesce(detail, '{}') || jsonb_build_object('during', jsonb_build_array(lower(during), upper(during))) end as detail from booking.hold('room', during => '[2030-06-03 09:00, 2030-06-03 10:00)', key => 'a');
select ok, status, replayed, case when during is null then detail else coalesce(detail, '{}') || jsonb_build_object('during', jsonb_build_array(lower(during), upper(during))) end as detail from booking.hold_nights('hotel', '2030-06-03', '2030-06-05', 2, key => 'b');
select * from booking.check();
rollback;
-- A year of nights in one call.
begin;
select status, count(*), min(available), max(available) from booking.hold_each((
    select jsonb_agg(jsonb_build_object('resource', 'hotel', 'nights', array[day::date, day::date + 1], 'quantity', 3))
    from generate_series('2030-01-01'::timestamptz, '2030-12-31', '1 day') day)) group by 1;
select min(available), max(available), count(*) from booking.calendar('hotel', '[2030-01-01 14:00Z, 2031-01-01 10:00Z)', '1 hour');
select * from booking.check();
rollback;

-- No item can be like these: each error names the item and the field.
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "quantity": 2}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "seats": ["A"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "best": 1}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "gig", "nights": ["2030-01-02", "2030-01-03"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hall", "during": ["2030-01-02", "2030-01-03"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "2030-01-03"], "nights": ["2030-01-02", "2030-01-03"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "2030-01-03"], "seats": ["A"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "2030-01-03"], "best": 1}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "2030-01-03"], "section": ""}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "2030-01-03"], "together": true}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "2030-01-03"], "quantity": 0}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": 7}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "soon"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ""}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "x"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "ä"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "empty"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "{2030-01-02,2030-01-03}"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "[2030-01-02)"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "(,)"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "[2030-01-02,)"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": "[2030-01-02,2030-01-02)"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": []}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", null]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", ""]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "2030-01-02"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-03", "2030-01-02"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "infinity"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "2030-13-02"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "2030-01-03 Europe/Atlantis"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "300000-01-01"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "12000-01-01"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "2032-01-04"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": "[2030-01-02,2030-01-03)"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", 3]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "2030-02-30"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "2030-01-02"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "infinity"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "12000-01-01"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-02", "2032-01-05"]}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hotel"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hotel", "during": "soon"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hotel", "nights": ["2030-01-03", "2030-01-02"]}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "during": ["2030-01-02", "2030-01-03"]}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "2030-01-03"], "expected_version": 1}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hotel", "during": ["2030-01-02", "2030-01-03"], "check_in": "12:00"}]');
select count(*) from booking.holds;
select * from booking.check();
select count(booking.drop_resource(name)) from booking.resources;
reset timezone;
drop function said(jsonb), basket(text);
drop procedure overdue(text);
