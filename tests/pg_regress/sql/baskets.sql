-- Baskets: several holds, all of them or none, and one id for all.
\set SHOW_CONTEXT never
create function basket(of_key text) returns uuid language sql as 'select basket from booking.holds where key = of_key limit 1';
create function item(of_key text, n integer) returns uuid language sql as 'select id from booking.holds where key = of_key and item = n';
create procedure overdue(of_key text, n integer = null) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours''
     where key = of_key and (n is null or item = n)';
-- Returns what the answer says of the items, without their ids.
create function said(detail jsonb) returns text language sql as
    'select string_agg(concat_ws('' '', i -> ''item'', i ->> ''resource'', i ->> ''status'', i - ''{item,resource,status,hold_id}''::text[]), ''; '' order by n)
     from jsonb_array_elements(detail -> ''items'') with ordinality as d(i, n)';
\pset format unaligned
\set show 'ok, status, version, available, seats, replayed, said(detail) as items'
select count(booking.create_pool('gig', 5));
select count(booking.create_pool('bus', 2));
select count(booking.create_seats('hall', booking.seat_grid(2, 'ABC')));
begin;

-- The basket gets all of its items.
select :show from booking.hold_all('[{"resource": "hall", "seats": ["1B", "1A"]}, {"resource": "gig", "quantity": 2}, {"resource": "bus"}, {"resource": "hall", "best": 2}]', key => 'a', holder => 'ann');
select h.hold_id = basket('a') as same, h.expires_at = (select min(expires_at) from booking.holds) as first_end,
       (select array_agg((i ->> 'hold_id')::uuid order by n) from jsonb_array_elements(h.detail -> 'items') with ordinality as d(i, n))
       = (select array_agg(id order by item) from booking.holds where key = 'a') as ids
from booking.find(basket('a')) h;
select item, resource, quantity, seats, state, version, holder, count(*) over (partition by basket) as in_basket from booking.holds order by item;
select name, taken, version from booking.resources order by name;

-- The same call again is a replay; a different one under the same key is another request.
select :show from booking.hold_all('[{"resource": "hall", "seats": ["1B", "1A"]}, {"quantity": 2, "resource": "gig"}, {"resource": "bus"}, {"resource": "hall", "best": 2}]', key => 'a', holder => 'ann');
select :show from booking.hold_all('[{"resource": "gig", "quantity": 2}]', key => 'a', holder => 'ann');
select :show from booking.hold_all('[{"resource": "hall", "seats": ["1B", "1A"]}, {"resource": "gig", "quantity": 2}, {"resource": "bus"}, {"resource": "hall", "best": 2}]', key => 'a', holder => 'bob');
select ok, status, replayed from booking.hold('gig', 2, key => 'a', holder => 'ann');
select ok, status, replayed from booking.hold('hall', seats => '{1A,1B}', key => 'a', holder => 'ann');

-- The basket gets none of its items: each item that was short says why.
select :show from booking.hold_all('[{"resource": "gig", "quantity": 1}, {"resource": "hall", "seats": ["1A", "2C"]}, {"resource": "bus", "quantity": 2}, {"resource": "hall", "best": 9}]', key => 'b');
select :show from booking.hold_all('[{"resource": "gig", "quantity": 2}, {"resource": "hall", "best": 1}, {"resource": "gig", "quantity": 2}]', key => 'b');
select count(*) from booking.holds where key = 'b';
-- The items that name one pool are summed, and the sum fits or does not.
select :show from booking.hold_all('[{"resource": "gig", "quantity": 2}, {"resource": "hall", "best": 1}, {"resource": "gig", "quantity": 1}]', key => 'b');
select taken, version from booking.resources where name = 'gig';
-- A seat that one item gets is not given to the next.
select :show from booking.release(basket('b'));
select :show from booking.hold_all('[{"resource": "hall", "best": 1}, {"resource": "hall", "best": 1}]', key => 'c');
select :show from booking.hold_all('[{"resource": "hall", "best": 1}, {"resource": "hall", "best": 1}]', key => 'd');
select * from booking.check();
rollback;

-- Confirm, extend, release and cancel act on the whole basket, and on single items.
begin;
select status from booking.hold_all('[{"resource": "hall", "seats": ["1A", "1B"]}, {"resource": "gig", "quantity": 2}, {"resource": "bus"}]', key => 'a');
savepoint placed;
select :show from booking.extend(basket('a'), '1 hour');
select :show from booking.extend(basket('a'), '1 minute');
select :show from booking.confirm(basket('a'), 'payment', expected_version => 1);
select :show from booking.confirm(basket('a'), 'payment', expected_version => 4);
select :show from booking.confirm(basket('a'), 'payment', expected_version => 4);
select :show from booking.confirm(basket('a'));
select :show from booking.confirm(basket('a'), 'another');
select :show from booking.release(basket('a'));
select :show from booking.extend(basket('a'));
select ok, status, version, replayed, detail from booking.confirm(item('a', 2), 'payment');
-- One item is given back in part, and another whole: the basket goes on with what it has left.
select ok, status, version, available from booking.cancel(item('a', 2), 1);
select ok, status, seats from booking.cancel(item('a', 1), seats => '{1B}');
select ok, status from booking.cancel(item('a', 3));
select :show from booking.find(basket('a'));
select :show from booking.cancel(basket('a'), expected_version => 7);
select :show from booking.cancel(basket('a'), expected_version => 10);
select :show from booking.cancel(basket('a'));
select :show from booking.confirm(basket('a'));
select :show from booking.release(basket('a'));
select * from booking.check();
rollback to savepoint placed;
select :show from booking.cancel(basket('a'));
select ok, status from booking.release(item('a', 2));
select :show from booking.find(basket('a'));
select :show from booking.confirm(basket('a'), 'payment', expected_version => 1);
select :show from booking.confirm(basket('a'), 'payment');
select :show from booking.cancel(basket('a'));
select :show from booking.release(basket('a'));
rollback to savepoint placed;
select :show from booking.release(basket('a'), expected_version => 2);
select :show from booking.release(basket('a'));
select :show from booking.release(basket('a'));
select :show from booking.confirm(basket('a'));
select :show from booking.extend(basket('a'));
select :show from booking.cancel(basket('a'));
select :show from booking.hold_all('[{"resource": "hall", "seats": ["1A", "1B"]}, {"resource": "gig", "quantity": 2}, {"resource": "bus"}]', key => 'a');
select name, taken from booking.resources order by name;
rollback to savepoint placed;
-- An item that is confirmed under another reference stops the confirmation of the whole basket.
select ok, status from booking.confirm(item('a', 3), 'another');
select :show from booking.confirm(basket('a'), 'payment');
select :show from booking.release(basket('a'));
select :show from booking.cancel(basket('a'));
select :show from booking.extend(basket('a'), '1 hour');
rollback to savepoint placed;
-- No call may give back a part of a whole basket: a part must belong to one item.
select booking.release(basket('a'), 1);
rollback to savepoint placed;
select booking.release(basket('a'), seats => '{1A}');
rollback to savepoint placed;
select booking.cancel(basket('a'), 1);
rollback to savepoint placed;
-- The resource has to match, and a basket has several: no single resource matches it.
select ok, status from booking.find(basket('a'), 'gig');
select ok, status from booking.find(item('a', 2), 'gig');
select ok, status from booking.confirm(basket('a'), resource => 'gig');
-- One item that has run out is enough to refuse the whole basket.
call overdue('a', 2);
select :show from booking.find(basket('a'));
select :show from booking.confirm(basket('a'), 'payment');
select :show from booking.extend(basket('a'));
call overdue('a', 1);
select :show from booking.confirm(basket('a'), 'payment', late => 'reacquire');
rollback to savepoint placed;
call overdue('a');
select :show from booking.find(basket('a'));
select :show from booking.release(basket('a'));
select :show from booking.find(basket('a'));
savepoint over;
select :show from booking.confirm(basket('a'), 'payment', late => 'reacquire');
rollback to savepoint over;
-- A late confirmation takes the places of all items again, or of none.
select ok, status from booking.hold('bus', 2, key => 'x');
select :show from booking.confirm(basket('a'), 'payment', late => 'reacquire');
select state, count(*) from booking.holds where key = 'a' group by 1;
select name, taken from booking.resources order by name;
select * from booking.check();
rollback;

-- Limits, closing, and holds that have run out.
begin;
select count(booking.create_pool('small', 9, max_per_holder => 3));
select :show from booking.hold_all('[{"resource": "small", "quantity": 2}, {"resource": "small", "quantity": 2}, {"resource": "gig"}]', holder => 'ann');
select :show from booking.hold_all('[{"resource": "small", "quantity": 2}, {"resource": "small", "quantity": 1}, {"resource": "gig"}]', key => 'a', holder => 'ann');
select status from booking.set_open('gig', false);
select :show from booking.hold_all('[{"resource": "small"}, {"resource": "gig"}]', holder => 'bob');
select :show from booking.hold_all('[{"resource": "small"}, {"resource": "gig"}]', holder => 'ann');
select status from booking.hold('bus', 2, key => 'old');
call overdue('old');
select :show from booking.hold_all('[{"resource": "bus"}, {"resource": "bus"}]', key => 'b');
select state from booking.holds where key = 'old';
savepoint s;
select booking.hold_all('[{"resource": "gig"}, {"resource": "small"}]');
rollback to savepoint s;
select * from booking.check();
rollback;

-- One of two items of a pool is swept, the other only overdue: a late confirmation finds room for one.
begin;
select count(booking.create_pool('two', 2));
select status from booking.hold_all('[{"resource": "two"}, {"resource": "two"}]', key => 'late');
call overdue('late');
savepoint late;
call overdue('late', 1);
select booking.expire(1, 'two');
select item, state from booking.holds where key = 'late' order by item;
select status from booking.hold('two');
select :show from booking.confirm(basket('late'), late => 'reacquire');
select taken from booking.resources where name = 'two';
select item, state from booking.holds where key = 'late' order by item;
select * from booking.check();
rollback to savepoint late;
call overdue('late', 2);
select booking.expire(1, 'two');
select item, state from booking.holds where key = 'late' order by item;
select status from booking.hold('two');
select :show from booking.confirm(basket('late'), late => 'reacquire');
select taken from booking.resources where name = 'two';
select item, state from booking.holds where key = 'late' order by item;
select * from booking.check();
rollback to savepoint late;
-- If nobody has taken the place of the item that was swept, there is room for both.
call overdue('late', 1);
select booking.expire(1, 'two');
select :show from booking.confirm(basket('late'), late => 'reacquire');
select taken from booking.resources where name = 'two';
select * from booking.check();
rollback;

-- What the confirmation takes again for one item counts against its holder's limit for the next item.
begin;
select count(booking.create_pool('fair', 9, max_per_holder => 2));
select status from booking.hold_all('[{"resource": "fair"}, {"resource": "fair"}]', key => 'late', holder => 'ann');
call overdue('late');
savepoint late;
select status from booking.hold('fair', holder => 'ann');
select :show from booking.confirm(basket('late'), late => 'reacquire');
select state, count(*), sum(quantity) from booking.holds where holder = 'ann' group by 1 order by 1;
select booking.expire(2, 'fair');
select :show from booking.confirm(basket('late'), late => 'reacquire');
select state, count(*), sum(quantity) from booking.holds where holder = 'ann' group by 1 order by 1;
select * from booking.check();
rollback to savepoint late;
select :show from booking.confirm(basket('late'), late => 'reacquire');
select * from booking.check();
rollback;

-- No basket can be like these: each error names the item and the field.
select booking.hold_all(null);
select booking.hold_all('[]');
select booking.hold_all('{"resource": "gig"}');
select booking.hold_all('"gig"');
select booking.hold_all('["gig"]');
select booking.hold_all('[{"resource": "gig"}, {}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": null}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": 3}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": ""}]');
select booking.hold_all(jsonb_build_array(jsonb_build_object('resource', repeat('x', 256))));
select booking.hold_all('[{"resource": "gig"}, {"resource": "gig", "amount": 2}]');
select booking.hold_all('[{"resource": "gig", "key": "a"}]');
select booking.hold_all('[{"resource": "gig", "quantity": 0}]');
select booking.hold_all('[{"resource": "gig", "quantity": "2"}]');
select booking.hold_all('[{"resource": "gig", "quantity": 1.5}]');
select booking.hold_all('[{"resource": "gig", "quantity": 9223372036854775808}]');
select booking.hold_all('[{"resource": "hall", "seats": "1A"}]');
select booking.hold_all('[{"resource": "hall", "seats": []}]');
select booking.hold_all('[{"resource": "hall", "seats": ["1A", 2]}]');
select booking.hold_all('[{"resource": "hall", "seats": ["1A", "1A"]}]');
select booking.hold_all('[{"resource": "hall", "seats": ["1A"]}, {"resource": "hall", "seats": ["1B", "1A"]}]');
select booking.hold_all('[{"resource": "hall", "seats": ["1A"], "quantity": 2}]');
select booking.hold_all('[{"resource": "hall", "seats": ["1A"], "best": 2}]');
select booking.hold_all('[{"resource": "hall", "best": 0}]');
select booking.hold_all('[{"resource": "hall", "best": 1, "quantity": 1}]');
select booking.hold_all('[{"resource": "hall", "best": 1001}]');
select booking.hold_all('[{"resource": "hall", "best": 1, "together": "yes"}]');
select booking.hold_all('[{"resource": "hall", "best": 1, "section": 1}]');
select booking.hold_all('[{"resource": "hall", "section": "x"}]');
select booking.hold_all('[{"resource": "hall", "together": true}]');
select booking.hold_all('[{"resource": "gig"}]', '25 hours');
select booking.hold_all('[{"resource": "gig"}]', key => '');
select booking.hold_all('[{"resource": "gig"}]', wait => null);
-- Errors that depend on the resource.
select booking.hold_all('[{"resource": "gig"}, {"resource": "nowhere"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hall"}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hall", "seats": ["9Z"]}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "hall", "best": 1, "section": "x"}]');
select booking.hold_all('[{"resource": "gig", "seats": ["1A"]}]');
select booking.hold_all('[{"resource": "gig", "best": 1}]');
select booking.hold_all('[{"resource": "gig"}, {"resource": "gig", "seats": ["1A"]}]');
-- A hundred items are accepted, and one more is not.
begin;
select count(booking.create_pool('vast', 100));
select ok, status, jsonb_array_length(detail -> 'items') from booking.hold_all((select jsonb_agg(jsonb_build_object('resource', 'vast')) from generate_series(1, 100)));
select taken, version from booking.resources where name = 'vast';
rollback;
select booking.hold_all((select jsonb_agg(jsonb_build_object('resource', 'gig')) from generate_series(1, 101)));
select count(*) from booking.holds;
select * from booking.check();
select count(booking.drop_resource(name)) from booking.resources;
drop function basket(text), item(text, integer), said(jsonb);
drop procedure overdue(text, integer);
