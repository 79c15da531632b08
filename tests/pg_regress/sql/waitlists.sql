-- Waitlists: pools, seats and calendars; strict and with skip; what is owed; what others are told.
\set SHOW_CONTEXT never
\pset format unaligned
set timezone = 'UTC';
-- Returns the period together with the detail of the answer.
\set show 'ok, status, available, replayed, seats, case when during is null then detail else coalesce(detail, ''{}'') || jsonb_build_object(''during'', jsonb_build_array(lower(during), upper(during))) end as detail'
create function id(of_key text) returns uuid language sql as
    'select id from booking.holds where key = of_key union all select id from booking.waitlist_entries where key = of_key';
create procedure overdue(of_id uuid) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where id = of_id';
create function in_line(of_resource text) returns text language sql as
    'select string_agg(concat_ws('' '', position, state, holder, quantity, seats::text), '', '') from booking.waitlist(of_resource)';

-- A pool: the head is served first, whatever those behind it could get.
begin;
select name, waiting, skip from booking.create_pool('gig', 3);
select :show from booking.hold('gig', 3, key => 'all');
select :show, expires_at from booking.join_waitlist('gig', 2, holder => 'ann', offer_ttl => '7 min', key => 'ann');
select :show from booking.join_waitlist('gig', holder => 'bob', key => 'bob', metadata => '{"row": 1}');
select :show from booking.join_waitlist('gig', 1, 'cid', key => 'cid');
-- The same call again returns the place in the line. A different one under the key is another request.
select :show, hold_id = id('ann') as same from booking.join_waitlist('gig', 2, holder => 'ann', offer_ttl => '7 min', key => 'ann');
select :show from booking.join_waitlist('gig', 1, holder => 'ann', offer_ttl => '7 min', key => 'ann');
select in_line('gig'), waiting from booking.resources;
-- The entry is not a hold yet.
select :show from booking.find(id('bob'));
select :show from booking.confirm(id('bob'), 'payment');
select :show from booking.extend(id('bob'));
select :show from booking.release(id('bob'));
select :show from booking.cancel(id('bob'));
select :show from booking.transfer(id('bob'), 'dan');
-- One place is free, and the pool owes it to the head, which waits for two.
select :show from booking.release(id('all'), 1);
select in_line('gig');
select :show from booking.hold('gig');
select :show from booking.hold('gig', wait => false);
select available from booking.availability('gig');
select ok, status, detail -> 'items' from booking.hold_all('[{"resource": "gig"}]');
select ok, status, available from booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "quantity": 2}]');
select :show from booking.release(id('all'), 1);
select in_line('gig');
select quantity, holder, state, expires_at - placed_at as ttl, key, metadata from booking.holds where id = id('ann');
select :show from booking.find(id('ann'));
select :show from booking.confirm(id('ann'), 'payment');
select :show, hold_id = id('ann') as same from booking.join_waitlist('gig', 2, holder => 'ann', offer_ttl => '7 min', key => 'ann');
-- An offer is declined, left, or runs out: the place goes to the next in the line.
select :show from booking.release(id('all'));
select in_line('gig');
select :show from booking.release(id('bob'));
select in_line('gig');
select metadata from booking.holds where id = id('bob');
select :show from booking.join_waitlist('gig', 1, 'dan', key => 'dan');
call overdue(id('cid'));
select booking.expire(10, 'gig');
select in_line('gig');
select :show from booking.join_waitlist('gig', 1, 'eve', key => 'eve');
select :show from booking.leave_waitlist(id('dan'));
select in_line('gig');
select :show from booking.leave_waitlist(id('dan'));
select :show from booking.leave_waitlist(id('eve'));
select :show from booking.hold('gig', key => 'fay');
select :show from booking.leave_waitlist(id('ann'));
-- When the head leaves the line, those behind it are served.
select :show from booking.join_waitlist('gig', 3, 'gus', key => 'gus');
select :show from booking.cancel(id('ann'), 1);
select :show from booking.join_waitlist('gig', 1, 'hal', key => 'hal');
select :show from booking.leave_waitlist(id('gus'));
select in_line('gig');
select :show from booking.find(id('gus'));
select :show from booking.leave_waitlist(id('gus'));
select * from booking.check() where rule not like '%times%';
-- join_waitlist() refuses to wait for more than the capacity.
select :show from booking.join_waitlist('gig', 4);
-- More capacity, and opening again.
select :show from booking.join_waitlist('gig', 2, 'ida', key => 'ida');
select :show from booking.set_capacity('gig', 4);
select :show from booking.set_open('gig', false);
select :show from booking.set_capacity('gig', 6);
select in_line('gig');
select :show from booking.join_waitlist('gig', 1, 'joe', key => 'joe');
select :show from booking.hold('gig');
select :show from booking.set_open('gig', true);
select in_line('gig');
select * from booking.check() where rule not like '%times%';
rollback;

-- With skip, entries behind that fit pass the head, and others get what is left.
begin;
select name, skip from booking.create_pool('gig', 3, skip => true);
select :show from booking.hold('gig', 3, key => 'all');
select :show from booking.join_waitlist('gig', 3, 'ann', key => 'ann');
select :show from booking.join_waitlist('gig', 1, 'bob', key => 'bob');
select :show from booking.release(id('all'), 2);
select in_line('gig');
select available from booking.availability('gig');
select :show from booking.hold('gig', key => 'fay');
select :show from booking.hold('gig');
select * from booking.check();
rollback;

-- A limit for each holder: a holder that has reached it blocks nobody behind it.
begin;
select name from booking.create_pool('gig', 3, max_per_holder => 2);
select :show from booking.hold('gig', 2, key => 'ann', holder => 'ann');
select :show from booking.hold('gig', 1, key => 'bob', holder => 'bob');
select :show from booking.join_waitlist('gig', 1, 'ann', key => 'more');
select :show from booking.join_waitlist('gig', 1, 'cid', key => 'cid');
select :show from booking.join_waitlist('gig', 3, 'cid');
select :show from booking.release(id('bob'));
select in_line('gig');
select :show from booking.release(id('ann'), 1);
select in_line('gig');
\set VERBOSITY sqlstate
savepoint s;
select booking.join_waitlist('gig', 1);
rollback to s;
\set VERBOSITY default
rollback;

-- Seats: entries wait for named seats, or for any. A resource owes only the seats that an entry waits for.
begin;
select name from booking.create_seats('hall', '["A", "B", "C", "D"]');
select :show from booking.hold('hall', seats => '{A,B,C,D}', key => 'all');
select :show from booking.join_waitlist('hall', seats => '{A,B}', holder => 'ann', key => 'ann');
select :show from booking.join_waitlist('hall', seats => '{B,C}', holder => 'bob', key => 'bob');
select :show from booking.join_waitlist('hall', seats => '{D}', holder => 'cid', key => 'cid');
select :show from booking.release(id('all'), seats => '{B,C}');
select in_line('hall');
select :show from booking.hold('hall', seats => '{C}');
select :show from booking.hold_best('hall', 1);
select :show from booking.release(id('all'), seats => '{D}');
select in_line('hall');
select :show from booking.leave_waitlist(id('ann'));
select in_line('hall');
select :show from booking.join_waitlist('hall', 2, 'dan', key => 'dan');
select :show from booking.release(id('all'));
select :show from booking.hold('hall', seats => '{A}');
select :show from booking.swap_seats(id('cid'), '{A}');
select :show from booking.release(id('bob'));
select in_line('hall');
select label, h.holder from booking.seats s left join booking.holds h on h.id = s.hold_id order by label;
select :show from booking.set_blocked('hall', '{A}', true);
select :show from booking.join_waitlist('hall', seats => '{A}', holder => 'eve', key => 'eve');
select :show from booking.set_blocked('hall', '{A}', false);
select in_line('hall');
select * from booking.check();
\set VERBOSITY sqlstate
savepoint s;
select booking.join_waitlist('hall', seats => '{Z}');
rollback to s;
select booking.join_waitlist('hall', during => '[2040-01-01, 2040-01-02)');
rollback to s;
\set VERBOSITY default
select :show from booking.join_waitlist('hall', 5);
rollback;

-- A calendar: entries wait for a period. Other times stay free for everybody.
begin;
select name from booking.create_calendar('room', buffer => '1 hour');
select :show from booking.hold('room', during => '[2040-01-01 10:00, 2040-01-01 12:00)', key => 'there');
select :show from booking.join_waitlist('room', during => '[2040-01-01 11:00, 2040-01-01 14:00)', holder => 'ann', key => 'ann');
select :show from booking.join_waitlist('room', during => '[2040-01-01 13:00, 2040-01-01 16:00)', holder => 'bob', key => 'bob');
select :show from booking.join_waitlist('room', during => '[2040-01-02 13:00, 2040-01-02 16:00)', holder => 'cid', key => 'cid');
select :show from booking.hold('room', during => '[2040-01-01 13:30, 2040-01-01 14:00)');
select :show from booking.hold('room', during => '[2040-01-01 18:00, 2040-01-01 19:00)', key => 'late');
select available from booking.availability('room', '[2040-01-01 13:30, 2040-01-01 14:00)');
select slot from booking.free_slots('room', '[2040-01-01 08:00, 2040-01-01 20:00)', '1 hour');
select :show from booking.reschedule(id('late'), '[2040-01-01 13:00, 2040-01-01 14:00)');
select :show from booking.reschedule(id('there'), '[2040-01-03 10:00, 2040-01-03 12:00)');
select holder, position, during from booking.waitlist('room');
select :show from booking.release(id('ann'));
select holder, position from booking.waitlist('room') order by holder;
select :show from booking.join_waitlist('room', during => '[2040-01-03 10:00, 2040-01-03 11:00)', holder => 'dan', key => 'dan');
select :show from booking.set_capacity('room', 2);
select holder, position from booking.waitlist('room') order by holder;
-- Outside the hours; a time that is over; more than the capacity.
select :show from booking.set_hours('room', '{"sun": ["08:00-18:00"]}');
select :show from booking.join_waitlist('room', during => '[2040-01-01 19:00, 2040-01-01 20:00)');
select :show from booking.join_waitlist('room', 3, during => '[2040-01-01 09:00, 2040-01-01 10:00)');
select * from booking.check();
\set VERBOSITY sqlstate
savepoint s;
select booking.join_waitlist('room', during => '[2020-01-01 09:00, 2020-01-01 10:00)');
rollback to s;
select booking.join_waitlist('room');
rollback to s;
\set VERBOSITY default
rollback;

-- What has run out goes to the line first, even if the call is a basket that is refused for another reason.
begin;
select name from booking.create_pool('gig', 2);
select name from booking.create_pool('full', 0);
select :show from booking.hold('gig', 2, key => 'all');
select :show from booking.join_waitlist('gig', 1, 'ann', key => 'ann');
call overdue(id('all'));
select ok, status from booking.hold_all('[{"resource": "gig"}, {"resource": "full"}]');
select in_line('gig');
select available from booking.availability('gig');
select ok, status from booking.hold_all('[{"resource": "gig"}]', key => 'basket');
select * from booking.check() where rule not like '%times%';
rollback;

-- Calls that raise an error.
\set VERBOSITY sqlstate
select booking.join_waitlist(null);
select booking.join_waitlist('nothing');
select booking.leave_waitlist(null);
select status from booking.leave_waitlist('00000000-0000-0000-0000-000000000000');
select name from booking.create_pool('gig', 1);
select booking.join_waitlist('gig', 0);
select booking.join_waitlist('gig', offer_ttl => '1 year');
select booking.join_waitlist('gig', seats => '{A}');
select booking.join_waitlist('gig', during => '[2040-01-01, 2040-01-02)');
begin read only;
select booking.join_waitlist('gig');
rollback;
begin read only;
select status from booking.find('00000000-0000-0000-0000-000000000000');
rollback;
\set VERBOSITY default
select in_line('gig');

-- drop_resource() deletes the entries of the resource; purge() deletes those that are over.
select status from booking.hold('gig', ttl => '1 h', key => 'h');
select status from booking.join_waitlist('gig', key => 'w');
select status from booking.leave_waitlist(id('w'));
select status from booking.join_waitlist('gig', key => 'x');
select booking.purge('0');
select key, state from booking.waitlist_entries;
select status from booking.release(id('h'));
select status from booking.release(id('x'));
select booking.purge('1 h');
select booking.purge('0'), booking.purge('0');
select count(*) from booking.waitlist_entries;
select status from booking.hold('gig', ttl => '1 h', key => 'h');
select status from booking.join_waitlist('gig', key => 'w');
select status from booking.release(id('h'));
select status from booking.confirm(id('w'));
select status from booking.join_waitlist('gig', key => 'y');
select status from booking.cancel(id('w'));
select status from booking.release(id('y'));
select status from booking.drop_resource('gig');
select count(*) from booking.waitlist_entries;

-- Clients may wait, but cannot read the table.
create role waiter;
select booking.grant_client('waiter');
select name from booking.create_pool('gig', 0);
select status from booking.set_capacity('gig', 1);
select status from booking.hold('gig', ttl => '1 h', key => 'h');
set role waiter;
select status from booking.join_waitlist('gig', key => 'w');
select * from booking.waitlist;
select * from booking.waitlist('gig');
reset role;
select status from booking.leave_waitlist(id('w'));
select status from booking.release(id('h'));
select status from booking.drop_resource('gig');
select booking.revoke_all('waiter');
drop role waiter;
drop function id(text), in_line(text);
drop procedure overdue(uuid);
reset timezone;
