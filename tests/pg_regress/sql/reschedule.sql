-- reschedule() moves a hold to another period: every answer.
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
begin;
select count(booking.create_calendar('room')), count(booking.create_calendar('hotel', 3, buffer => '1 hour')), count(booking.create_pool('gig', 2));
select status from booking.hold('room', during => on_monday(9, 11), key => 'a', metadata => '{"kept": true}');
select status from booking.hold('room', during => on_monday(14, 15), key => 'b');
create view holds as select key, quantity, said(during), said(occupied) as occupied, exclusive, state, version, metadata from booking.holds order by key;
select expires_at as before from booking.holds where key = 'a' \gset
savepoint s;

-- The hold moves, whether its new period overlaps the old one or not.
select :show, hold_id = id('a') as same, expires_at = :'before' as same_end from booking.reschedule(id('a'), on_monday(10, 12));
select :show from booking.reschedule(id('a'), on_monday(10, 11));
select :show from booking.reschedule(id('a'), on_monday(8, 13));
select :show from booking.reschedule(id('a'), on_monday(15, 16), expected_version => 4);
select * from holds;
select said(slot), held, available from booking.calendar('room', on_monday(8, 17), '1 hour');
select * from booking.check();
-- The same call again is a replay, whatever version it names; a different call with an old version is not.
select :show from booking.reschedule(id('a'), on_monday(15, 16));
select :show from booking.reschedule(id('a'), on_monday(15, 16), expected_version => 4);
select :show from booking.reschedule(id('a'), on_monday(16, 17), expected_version => 4);
select :show from booking.reschedule(id('a'), on_monday(16, 17), resource => 'room');
select :show from booking.reschedule(id('a'), on_monday(16, 18), resource => 'hotel');
-- The key still belongs to the request that was made at first.
select :show from booking.hold('room', during => on_monday(9, 11), key => 'a', metadata => '{"kept": true}');
select :show from booking.hold('room', during => on_monday(16, 17), key => 'a', metadata => '{"kept": true}');
rollback to savepoint s;

-- No room: the hold stays where it is.
select :show, hold_id = id('a') as same, expires_at = :'before' as same_end from booking.reschedule(id('a'), on_monday(14, 15));
select :show from booking.reschedule(id('a'), on_monday(11, 14.5));
select :show from booking.reschedule(id('a'), on_monday(0, 24));
select * from holds;
-- Confirmed holds move as well, and stay confirmed.
select status from booking.confirm(id('a'), 'payment');
select :show from booking.reschedule(id('a'), on_monday(14.5, 16));
select :show from booking.reschedule(id('a'), on_monday(12, 14), expected_version => 1);
select :show from booking.reschedule(id('a'), on_monday(12, 14), expected_version => 2);
select * from holds;
select :show from booking.cancel(id('a'), expected_version => 3);
-- A hold that has ended cannot move.
select :show from booking.reschedule(id('a'), on_monday(9, 11));
select :show from booking.reschedule(id('a'), on_monday(12, 14));
select status from booking.release(id('b'));
select :show from booking.reschedule(id('b'), on_monday(9, 11));
select :show from booking.reschedule('00000000-0000-0000-0000-000000000000', on_monday(9, 11));
select * from booking.check();
rollback to savepoint s;
-- The hold has run out, and is marked as expired or not yet.
call overdue('a');
select :show from booking.reschedule(id('a'), on_monday(10, 12));
select :show from booking.reschedule(id('a'), on_monday(9, 11));
select booking.expire(9, 'room');
select :show from booking.reschedule(id('a'), on_monday(10, 12));
select * from holds;
rollback to savepoint s;
-- An overdue hold keeps nobody from its place.
call overdue('b');
select :show from booking.reschedule(id('a'), on_monday(14, 16));
select * from holds;
select * from booking.check();
rollback to savepoint s;
-- A call that is refused all the same ends no hold.
call overdue('b');
select status from booking.hold('room', during => on_monday(15, 16), key => 'c');
select :show from booking.reschedule(id('a'), on_monday(14, 16));
select * from holds;
rollback to savepoint s;
-- The calendar is closed, or the period lies outside its hours.
select status from booking.set_open('room', false);
select :show from booking.reschedule(id('a'), on_monday(10, 12));
select :show from booking.reschedule(id('a'), on_monday(9, 11));
select status from booking.set_open('room', true);
select status from booking.set_hours('room', '{"mon": ["10:00-12:00", "13:00-15:00"]}');
select :show from booking.reschedule(id('a'), on_monday(10, 12));
select :show from booking.reschedule(id('a'), on_monday(11, 13.5));
select :show from booking.reschedule(id('a'), '[2030-06-04 10:00, 2030-06-04 12:00)');
select :show from booking.reschedule(id('a'), '[2030-06-10 10:00, 2030-06-10 12:00)');
select * from booking.check();
rollback to savepoint s;

-- Several places, with a buffer.
select status from booking.hold('hotel', 2, during => on_monday(9, 10), key => 'c');
select status from booking.hold('hotel', 2, during => on_monday(12, 13), key => 'd');
select :show from booking.reschedule(id('c'), on_monday(10, 11));
select :show from booking.reschedule(id('c'), on_monday(10, 11.25));
select :show from booking.reschedule(id('c'), on_monday(13.75, 15));
select :show from booking.release(id('d'), 1);
select :show from booking.reschedule(id('c'), on_monday(13.75, 15));
select * from holds where key > 'b';
select * from booking.check();
-- The new period has another capacity.
select status from booking.set_capacity('hotel', 1, during => '[2030-07-01, 2030-08-01)');
select :show from booking.reschedule(id('c'), '[2030-07-10, 2030-07-12)');
select :show from booking.reschedule(id('d'), '[2030-07-10, 2030-07-12)');
select * from holds where key > 'b';
select :show from booking.hold('hotel', during => '[2030-07-11, 2030-07-12)');
select :show from booking.reschedule(id('d'), '[2030-06-30, 2030-07-02)');
select * from holds where key > 'b';
select :show from booking.reschedule(id('d'), '[2030-08-01, 2030-08-02)');
select * from holds where key > 'b';
-- More than two months at once.
select :show from booking.reschedule(id('d'), '[2031-01-01, 2031-12-01)');
select :show from booking.reschedule(id('d'), '[2031-11-01, 2032-02-01)');
select * from booking.check();
rollback to savepoint s;

-- max_per_holder applies only if a booking that is over moves into the future.
select count(booking.create_calendar('desks', 9, max_per_holder => 2));
select status from booking.hold('desks', 2, during => '[2020-01-01, 2020-01-02)', key => 'past', holder => 'ann');
select status from booking.confirm(id('past'));
select status from booking.hold('desks', during => on_monday(9, 10), key => 'c', holder => 'ann');
select :show from booking.reschedule(id('c'), on_monday(10, 11));
select :show from booking.reschedule(id('past'), on_monday(12, 13));
select :show from booking.reschedule(id('past'), '[2020-01-03, 2020-01-04)');
select :show from booking.reschedule(id('c'), '[2020-01-03, 2020-01-04)');
select :show from booking.reschedule(id('past'), on_monday(12, 13));
select :show from booking.reschedule(id('c'), on_monday(9, 10));
select * from booking.check();
rollback to savepoint s;

-- An item of a basket moves by its own id; a basket has no period of its own.
select status, hold_id as basket from booking.hold_all('[{"resource": "hotel", "nights": ["2030-06-10", "2030-06-12"]}, {"resource": "gig"}]', key => 'basket') \gset
select id as item from booking.holds where key = 'basket' and item = 1 \gset
select :show from booking.reschedule(:'item', '[2030-06-11 15:00, 2030-06-13 11:00)');
select status, version, detail #- '{items,0,hold_id}' #- '{items,1,hold_id}' from booking.find(:'basket');
savepoint t;
select booking.reschedule(:'basket', on_monday(9, 10));
rollback to savepoint t;
select booking.reschedule((select id from booking.holds where key = 'basket' and item = 2), on_monday(9, 10));
rollback to savepoint t;
-- Only a hold on a calendar can move, and it needs a new period.
select booking.reschedule(hold_id, on_monday(9, 10)) from booking.hold('gig');
rollback to savepoint t;
select booking.reschedule(id('a'), '[2030-06-03, 2033-06-03)');
rollback to savepoint t;
select booking.reschedule(id('a'), '[2030-06-03,)');
rollback to savepoint t;
select booking.reschedule(id('a'), null);
rollback;

-- A move is part of the caller's transaction, and a rollback undoes it.
select count(booking.create_calendar('room'));
select status from booking.hold('room', during => on_monday(9, 10), key => 'a');
do $$
declare
    r booking.result;
begin
    begin
        r := booking.reschedule(id('a'), on_monday(12, 13));
        raise notice '% %', r.status, r.version;
        raise exception 'changed my mind';
    exception when others then
        raise notice '%', sqlerrm;
    end;
    r := booking.hold('room', during => on_monday(12, 13), key => 'b');
    raise notice '%', r.status;
    begin
        perform booking.require(booking.reschedule(id('a'), on_monday(12, 13)));
    exception when sqlstate 'RS001' then
        raise notice 'taken: %', sqlerrm;
    end;
end $$;
select key, said(during), version from booking.holds order by key;
select * from booking.check();
select count(booking.release(id)) from booking.holds;
select status from booking.drop_resource('room');
reset timezone;
drop function id(text), on_monday(numeric, numeric), said(tstzrange);
drop procedure overdue(text);
