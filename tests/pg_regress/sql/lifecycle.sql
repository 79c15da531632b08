-- The life of a hold: every answer of every verb.
create function id(of_key text) returns uuid language sql as 'select id from booking.holds where key = of_key';
create procedure overdue(of_key text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where key = of_key';
-- Holds run out inside a transaction, so that no sweep ends them first.
begin;
\set show 'ok, status, version, available, replayed, detail'

select name, kind, contention, capacity, overbooking, taken, version, open, max_per_holder, metadata
from booking.create_pool('gig', 5, overbooking => 1, max_per_holder => 4, metadata => '{"hall": "big"}');
select :show, expires_at > clock_timestamp() as lives, hold_id = id('a') as same from booking.hold('gig', 3, key => 'a', holder => 'ann');
select capacity, confirmed, held, available, version, next_expiry > now() as lives from booking.availability('gig');

-- hold: refusals
select :show from booking.hold('gig', 2, holder => 'ann');
select :show from booking.hold('gig', 4, holder => 'bob');
select :show from booking.hold('gig', 1, holder => 'bob', expected_version => 1);
select :show from booking.hold('gig', 1, holder => 'bob', expected_version => 2, key => 'b');
select :show from booking.set_open('gig', false);
select :show from booking.set_open('gig', false);
select :show from booking.hold('gig', 1, holder => 'cy');
select :show from booking.hold('gig', 3, key => 'a', holder => 'ann');
select :show from booking.set_open('gig', true);

-- keys
select :show from booking.hold('gig', 3, key => 'a', holder => 'ann');
select :show from booking.hold('gig', 2, key => 'a', holder => 'ann');
select :show from booking.hold('gig', 3, key => 'a', holder => 'bob');
select :show from booking.hold('gig', 3, '1 minute', key => 'a', holder => 'ann');
select :show from booking.hold('gig', 3, key => 'a', holder => 'ann', metadata => '{}');
select name from booking.create_pool('other', 1);
select :show from booking.hold('other', 1, key => 'a');
select :show from booking.hold('other', 1, key => 'refused');
select :show from booking.release((select id from booking.holds where resource = 'other'));
select :show from booking.hold('other', 1, key => 'refused');
select :show from booking.hold('other', 1, key => 'a');

-- confirm
delete from booking.holds where resource = 'other';
update booking.resources set taken = 0 where name = 'other';
select :show from booking.confirm(id('a'), 'payment 1', expected_version => 9);
select :show from booking.confirm(id('a'), 'payment 1', resource => 'other');
select :show from booking.confirm(id('a'), 'payment 1', expected_version => 1);
select :show from booking.confirm(id('a'), 'payment 1', expected_version => 1);
select :show from booking.confirm(id('a'));
select :show from booking.confirm(id('a'), 'payment 2');
select :show from booking.release(id('a'));
select :show from booking.extend(id('a'));
select :show from booking.hold('gig', 3, key => 'a', holder => 'ann');
select :show from booking.confirm(id('b'));
select :show from booking.confirm(id('b'), 'payment 3');
select :show from booking.confirm('00000000-0000-0000-0000-000000000000');

-- cancel, in part and whole
select :show from booking.cancel(id('a'), 1, expected_version => 9);
select :show from booking.cancel(id('a'), 1);
select :show from booking.cancel(id('a'), 2);
select :show from booking.cancel(id('a'), 2);
select :show from booking.confirm(id('a'));
select :show from booking.release(id('a'));
select :show from booking.extend(id('a'));
select :show from booking.hold('gig', 3, key => 'a', holder => 'ann');
select :show from booking.cancel('00000000-0000-0000-0000-000000000000');

-- extend
select :show from booking.hold('gig', 2, '10 minutes', key => 'c', holder => 'cy');
select :show, expires_at between clock_timestamp() + interval '29 minutes' and clock_timestamp() + interval '30 minutes' as later
from booking.extend(id('c'), '30 minutes');
select :show, expires_at > clock_timestamp() + interval '29 minutes' as not_shorter from booking.extend(id('c'), '1 minute');
select :show from booking.extend(id('c'), '1 hour', expected_version => 1);
select :show from booking.extend('00000000-0000-0000-0000-000000000000');
set local booking.max_ttl = '45min';
select :show, expires_at = (select placed_at from booking.holds where key = 'c') + interval '45 minutes' as capped
from booking.extend(id('c'), '45 minutes');
reset booking.max_ttl;

-- release, in part and whole
select :show from booking.cancel(id('c'));
select :show from booking.release(id('c'), 1, expected_version => 1);
select :show from booking.release(id('c'), 1);
select :show from booking.release(id('c'));
select :show from booking.release(id('c'));
select :show from booking.confirm(id('c'));
select :show from booking.extend(id('c'));
select :show from booking.cancel(id('c'));
select :show from booking.release('00000000-0000-0000-0000-000000000000');

-- a hold that has run out: the same answers before it is marked as expired and after
select ok, status from booking.hold('gig', 2, key => 'd', holder => 'dan');
call overdue('d');
savepoint unswept;
select :show from booking.find(id('d'));
select :show from booking.confirm(id('d'), 'late');
select :show from booking.extend(id('d'));
select :show from booking.cancel(id('d'));
select :show from booking.hold('gig', 2, key => 'd', holder => 'dan');
select confirmed, held, available from booking.availability('gig');
select :show from booking.release(id('d'));
rollback to savepoint unswept;
select booking.expire(10, 'gig');
select :show from booking.find(id('d'));
select :show from booking.confirm(id('d'), 'late');
select :show from booking.extend(id('d'));
select :show from booking.cancel(id('d'));
select :show from booking.hold('gig', 2, key => 'd', holder => 'dan');
select confirmed, held, available from booking.availability('gig');
select :show from booking.release(id('d'));
rollback to savepoint unswept;

-- late confirmations
select :show from booking.confirm(id('d'), 'late', late => 'reacquire');
select state, quantity from booking.holds where key = 'd';
rollback to savepoint unswept;
select booking.expire(10, 'gig');
select :show from booking.confirm(id('d'), 'late', expected_version => 9, late => 'reacquire');
select :show from booking.set_open('gig', false);
select :show from booking.confirm(id('d'), 'late', expected_version => 1, late => 'reacquire');
rollback to savepoint unswept;
select :show from booking.hold('gig', 4, key => 'e', holder => 'eve');
select taken from booking.resources where name = 'gig';
select :show from booking.confirm(id('d'), 'late', late => 'reacquire');
select :show from booking.hold('gig', 2, key => 'f', holder => 'fay');
rollback to savepoint unswept;
select :show from booking.hold('gig', 4, key => 'e', holder => 'dan');
select :show from booking.confirm(id('d'), 'late', late => 'reacquire');
rollback to savepoint unswept;

-- capacity
select :show from booking.set_capacity('gig', 0);
select :show from booking.set_capacity('gig', 7, expected_version => 1);
select :show from booking.set_capacity('gig', 7);
select * from booking.check();
select key, state, quantity, version, reference, holder from booking.holds order by key;
rollback;
drop function id(text);
drop procedure overdue(text);
