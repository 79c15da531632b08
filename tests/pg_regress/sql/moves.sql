-- transfer() gives a hold to another holder, and swap_seats() moves it to other seats.
\set SHOW_CONTEXT never
\pset format unaligned
\set show 'ok, status, version, replayed, seats, detail'
create function id(of_key text) returns uuid language sql as 'select id from booking.holds where key = of_key';
create procedure overdue(of_key text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where key = of_key';

-- transfer(): held or confirmed, to the same holder again, with a version, and after the hold has ended.
begin;
select name from booking.create_pool('gig', 9);
select :show from booking.hold('gig', 2, key => 'a', holder => 'ann');
select :show from booking.transfer(id('a'), 'bob');
select :show from booking.transfer(id('a'), 'bob');
select :show from booking.transfer(id('a'), 'cid', expected_version => 1);
select :show from booking.transfer(id('a'), 'cid', expected_version => 2);
select holder, state, version from booking.holds;
select :show from booking.confirm(id('a'), 'payment');
select :show from booking.transfer(id('a'), 'dan', resource => 'gig');
select :show from booking.transfer(id('a'), 'dan', resource => 'other');
-- The key still belongs to the request that was made at first.
select ok, status, replayed from booking.hold('gig', 2, key => 'a', holder => 'ann');
select :show from booking.cancel(id('a'));
select :show from booking.transfer(id('a'), 'eve');
select :show from booking.hold('gig', key => 'b');
select :show from booking.transfer(id('b'), 'ann');
call overdue('b');
select :show from booking.transfer(id('b'), 'bob');
select :show from booking.hold('gig', key => 'c');
select :show from booking.release(id('c'));
select :show from booking.transfer(id('c'), 'bob');
select :show from booking.transfer('00000000-0000-0000-0000-000000000000', 'bob');
-- transfer() moves the whole basket.
select ok, status, hold_id from booking.hold_all('[{"resource": "gig"}, {"resource": "gig"}]', holder => 'ann') \gset basket_
select ok, status, version, replayed from booking.transfer(:'basket_hold_id', 'bob');
select ok, status, version, replayed from booking.transfer(:'basket_hold_id', 'bob');
select holder, count(*) from booking.holds where basket is not null group by 1;
rollback;

-- The new holder's limit applies.
begin;
select name from booking.create_pool('gig', 9, max_per_holder => 3);
select name from booking.create_seats('hall', '["A", "B", "C", "D"]', max_per_holder => 2);
select name from booking.create_calendar('room', max_per_holder => 1);
select :show from booking.hold('gig', 2, key => 'a', holder => 'ann');
select :show from booking.hold('gig', 2, key => 'b', holder => 'bob');
select :show from booking.transfer(id('a'), 'bob');
select :show from booking.release(id('b'), 1);
select :show from booking.transfer(id('a'), 'bob');
select :show from booking.hold('gig', 1, holder => 'bob');
select :show from booking.hold('gig', 3, key => 'again', holder => 'ann');
select :show from booking.hold('hall', seats => '{A}', key => 'c', holder => 'ann');
select :show from booking.hold('hall', seats => '{B,C}', key => 'd', holder => 'bob');
select :show from booking.transfer(id('c'), 'bob');
select :show from booking.transfer(id('d'), 'cid');
select :show from booking.transfer(id('c'), 'bob');
select :show from booking.hold('room', during => '[2040-01-01 10:00+00, 2040-01-01 11:00+00)', key => 'e', holder => 'ann');
select ok, status from booking.hold('room', during => '[2040-01-02 10:00+00, 2040-01-02 11:00+00)', key => 'f', holder => 'bob');
select ok, status from booking.transfer(id('e'), 'bob');
select ok, status from booking.transfer(id('e'), 'cid');
select ok, status, detail from booking.hold_all('[{"resource": "gig"}, {"resource": "gig"}]', holder => 'dan') \gset basket_
select ok, status, detail from booking.transfer((select basket from booking.holds where holder = 'dan' limit 1), 'bob');
select count(*) from booking.holds where holder = 'dan';
select rule, detail from booking.check();
rollback;

-- swap_seats() gives all of the new seats, or none of them.
begin;
select name from booking.create_seats('hall', '["A", "B", "C", "D", "E", "F"]');
select :show from booking.hold('hall', seats => '{A,B}', key => 'a');
select :show, available, expires_at = (select expires_at from booking.holds where key = 'a') as as_long from booking.swap_seats(id('a'), '{D,C}');
select :show from booking.swap_seats(id('a'), '{C,D}');
select :show from booking.swap_seats(id('a'), '{C,B}', expected_version => 1);
select :show from booking.swap_seats(id('a'), '{C,B}', expected_version => 2);
select label, hold_id is not null as taken from booking.seats order by 1;
select :show from booking.hold('hall', seats => '{E}', key => 'b');
select :show from booking.swap_seats(id('a'), '{E,F}');
select :show from booking.set_blocked('hall', '{F}', true);
select :show from booking.swap_seats(id('b'), '{F}');
-- swap_seats() may take a seat of an overdue hold, and ends that hold.
call overdue('b');
select :show from booking.swap_seats(id('a'), '{E,B}');
select key, state, seats from booking.holds order by key;
select :show from booking.confirm(id('a'), 'payment');
select :show from booking.swap_seats(id('a'), '{A,C}');
select :show from booking.set_open('hall', false);
select :show from booking.swap_seats(id('a'), '{A,D}');
select :show from booking.set_open('hall', true);
select :show from booking.cancel(id('a'), seats => '{A}');
select :show from booking.swap_seats(id('a'), '{A}');
select :show from booking.cancel(id('a'));
select :show from booking.swap_seats(id('a'), '{B}');
select :show from booking.swap_seats(id('b'), '{B}');
select :show from booking.swap_seats('00000000-0000-0000-0000-000000000000', '{B}');
select rule, detail from booking.check() where rule not like '%times%';
\set VERBOSITY sqlstate
select :show from booking.hold('hall', seats => '{A,B}', key => 'c');
savepoint s;
select booking.swap_seats(id('c'), '{A}');
rollback to s;
select booking.swap_seats(id('c'), '{A,Z}');
rollback to s;
select booking.swap_seats(id('c'), '{A,A}');
rollback to s;
select booking.swap_seats(id('c'), '{}');
rollback to s;
select booking.swap_seats(id('c'), null);
rollback to s;
select booking.swap_seats(null, '{A}');
rollback to s;
select booking.transfer(id('c'), null);
rollback to s;
select booking.transfer(id('c'), '');
rollback to s;
select booking.transfer(null, 'ann');
rollback to s;
\set VERBOSITY default
select booking.swap_seats(id('c'), '{A}');
rollback to s;
select name from booking.create_pool('gig', 9);
select ok, status from booking.hold('gig', key => 'd');
select booking.swap_seats(id('d'), '{A}');
rollback to s;
select ok, status from booking.hold_all('[{"resource": "hall", "seats": ["C"]}, {"resource": "hall", "seats": ["D"]}]', holder => 'zoe');
select booking.swap_seats((select basket from booking.holds where holder = 'zoe' limit 1), '{A}');
rollback;
drop function id(text);
drop procedure overdue(text);
