-- What belongs together in an answer: the hold, its resource, replays, and how long a call waits.
create procedure overdue(of_key text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where key = of_key';
begin;
select count(booking.create_pool('gig', 2));
select count(booking.create_pool('other', 2));

-- No other transaction holds a lock, so wait => false makes no difference; nor does lock_timeout.
set local lock_timeout = '1min';
select status, available from booking.hold('gig', key => 'a', wait => false);
select status, available from booking.hold('gig', key => 'b');
select status, available from booking.hold('gig', wait => false);
call overdue('b');
select status, available from booking.hold('gig', key => 'c', wait => false);
reset lock_timeout;

-- Every verb refuses a hold whose resource is not the one named.
select id as a from booking.holds where key = 'a' \gset
select h.ok, h.status, h.hold_id = :'a' as same, h.version from booking.find(:'a', 'other') h;
select h.ok, h.status, h.hold_id = :'a' as same, h.version from booking.confirm(:'a', resource => 'other') h;
select h.ok, h.status, h.hold_id = :'a' as same, h.version from booking.confirm(:'a', late => 'reacquire', resource => 'other') h;
select h.ok, h.status, h.hold_id = :'a' as same, h.version from booking.extend(:'a', resource => 'other') h;
select h.ok, h.status, h.hold_id = :'a' as same, h.version from booking.release(:'a', resource => 'other') h;
select h.ok, h.status, h.hold_id = :'a' as same, h.version from booking.cancel(:'a', resource => 'nowhere') h;
select state, version from booking.holds where key = 'a';

-- Every verb accepts the hold if the resource matches.
select h.ok, h.status, h.version from booking.find(:'a', 'gig') h;
select h.ok, h.status, h.version from booking.extend(:'a', '1 hour', 1, 'gig') h;
select h.ok, h.status, h.version from booking.confirm(:'a', 'p', 2, 'refuse', 'gig') h;
-- The verbs answer a repeated call before they look at its version; a different call is checked against it.
select h.ok, h.status, h.version, h.replayed from booking.confirm(:'a', 'p', 2, 'refuse', 'gig') h;
select h.ok, h.status, h.version, h.replayed from booking.confirm(:'a', null, 99) h;
select h.ok, h.status, h.version, h.replayed, h.detail from booking.confirm(:'a', 'q', 3) h;
select h.ok, h.status, h.version from booking.cancel(:'a', 1, null, 3, 'gig') h;
select h.ok, h.status, h.version, h.replayed from booking.cancel(:'a', null, null, 3) h;

-- A confirmation without a reference adopts the first reference that follows; another one is another payment.
select h.hold_id as d from booking.hold('other', 2, key => 'd') h \gset
select h.ok, h.status, h.replayed from booking.confirm(:'d') h;
select h.ok, h.status, h.version, h.replayed, h.detail from booking.confirm(:'d', 'p', 1) h;
select h.ok, h.status, h.version, h.replayed, h.detail from booking.confirm(:'d', 'p') h;
select h.ok, h.status, h.replayed, h.detail from booking.confirm(:'d', 'q') h;
select reference, confirmed_at > placed_at as confirmed from booking.holds where id = :'d';
-- A cancellation of more than a confirmed hold has is an error; then all but one of it is cancelled.
savepoint s;
\set SHOW_CONTEXT never
select booking.cancel(:'d', 3);
rollback to savepoint s;
select h.status, h.version, h.available from booking.cancel(:'d', 1) h;
-- A capacity below what is confirmed is refused, and the answer says how low it can be.
select h.ok, h.status, h.version, h.available, h.detail from booking.set_capacity('other', 0) h;
select h.ok, h.status, h.available from booking.set_capacity('other', 1) h;
savepoint s;
select booking.drop_resource('other');
rollback to savepoint s;
select h.status from booking.cancel(:'d') h;
select h.ok, h.status, h.version > 0 as version, h.hold_id, h.available from booking.drop_resource('other') h;
-- drop_resource() deletes the holds of the resource with it.
select h.status from booking.find(:'d') h;
select * from booking.check();

-- A resource whose holds have all run out is not in use.
select count(booking.create_pool('brief', 1));
select status from booking.hold('brief', key => 'e');
call overdue('e');
select confirmed, held, available, next_expiry from booking.availability('brief');
select status from booking.drop_resource('brief');
-- require() returns what it was given, in every column.
select r.status, r.available, r.replayed, r.seats from booking.require(booking.cancel(:'a')) r;
select count(*) from booking.hold('gig', 1, key => 'f') h where booking.require(h) is null;
savepoint s;
\set VERBOSITY sqlstate
select booking.require(booking.hold('gig', 9));
rollback to savepoint s;
select booking.require(booking.find('00000000-0000-0000-0000-000000000000'));
rollback to savepoint s;
select booking.require(booking.release(:'d'));
rollback to savepoint s;
rollback;
drop procedure overdue(text);
