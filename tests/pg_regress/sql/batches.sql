-- Batches: many independent requests in one call, answered in their order.
\set SHOW_CONTEXT never
\pset format unaligned
create procedure overdue(of_key text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where key = of_key';
-- Makes a request of a batch as a single call.
create function single(request jsonb) returns booking.result language sql as
    'select case when request ? ''best''
         then booking.hold_best(request ->> ''resource'', (request ->> ''best'')::bigint, (request ->> ''ttl'')::interval, request ->> ''section'',
                  coalesce((request ->> ''together'')::boolean, true), request ->> ''key'', request ->> ''holder'', true, request -> ''metadata'')
         else booking.hold(request ->> ''resource'', (request ->> ''quantity'')::bigint, (request ->> ''ttl'')::interval,
                  (select array_agg(s) from jsonb_array_elements_text(request -> ''seats'') s), null, request ->> ''key'', request ->> ''holder'',
                  (request ->> ''expected_version'')::bigint, true, request -> ''metadata'') end';
-- Returns an answer without what differs from call to call.
create function said(h booking.result) returns text language sql as
    'select concat_ws('' '', h.ok, h.status, ''v'' || h.version, ''of '' || h.available, h.seats, case when h.replayed then ''replayed'' end, h.detail)';
select count(booking.create_pool('gig', 5));
select count(booking.create_pool('small', 9, max_per_holder => 2));
select count(booking.create_seats('hall', booking.seat_grid(2, 'ABC')));
create table requests (n bigint generated always as identity, request jsonb);
insert into requests (request) values
    ('{"resource": "gig", "quantity": 3, "key": "a"}'),
    ('{"resource": "gig", "quantity": 3}'),
    ('{"resource": "gig", "quantity": 2, "key": "b", "ttl": "1 hour"}'),
    ('{"resource": "gig"}'),
    ('{"resource": "hall", "seats": ["1B", "1A"], "key": "c"}'),
    ('{"resource": "hall", "seats": ["1B", "2B"]}'),
    ('{"resource": "hall", "best": 2, "key": "d", "section": ""}'),
    ('{"resource": "hall", "best": 3}'),
    ('{"resource": "hall", "best": 2, "together": false, "key": "e", "quantity": null}'),
    ('{"resource": "hall", "best": 1}'),
    ('{"resource": "hall", "best": 2, "key": "d", "section": ""}'),
    ('{"resource": "small", "quantity": 2, "holder": "ann"}'),
    ('{"resource": "small", "holder": "ann"}'),
    ('{"resource": "small", "holder": "bob", "expected_version": 2}'),
    ('{"resource": "small", "holder": "cy", "expected_version": 2}'),
    ('{"resource": "gig", "quantity": 3, "key": "a"}'),
    ('{"resource": "gig", "quantity": 2, "key": "a"}');

-- A worked example: each request sees what those before it were given, the same key included.
begin;
savepoint before;
select n, said((ok, status, hold_id, resource, quantity, seats, during, holder, expires_at, version, available, replayed, detail)::booking.result) as answer
from booking.hold_each((select jsonb_agg(request order by n) from requests))
     with ordinality as h(ok, status, hold_id, resource, quantity, seats, during, holder, expires_at, version, available, replayed, detail, n)
order by n;
select key, resource, quantity, seats, state, holder, basket, item, version, expires_at - placed_at as ttl from booking.holds order by resource, key, holder, seats;
select name, taken, version from booking.resources order by name;
-- All requests of a batch read the clock once.
select count(distinct placed_at) from booking.holds;
select * from booking.check();
rollback to savepoint before;
-- Single calls, one after the other, return the same answers and leave the same rows.
select jsonb_agg(said((ok, status, hold_id, resource, quantity, seats, during, holder, expires_at, version, available, replayed, detail)::booking.result) order by n) as in_one
from booking.hold_each((select jsonb_agg(request order by n) from requests))
     with ordinality as h(ok, status, hold_id, resource, quantity, seats, during, holder, expires_at, version, available, replayed, detail, n) \gset
select jsonb_agg(jsonb_build_array(resource, quantity, seats, key, fingerprint, holder, expires_at - placed_at) order by resource, key, holder, quantity) as left_in_one from booking.holds \gset
select jsonb_agg(r order by name) as resources_in_one from (select name, taken, version from booking.resources) r \gset
rollback to savepoint before;
select jsonb_agg(said(h) order by n) as one_by_one from (select n, single(request) as h from requests order by n offset 0) s \gset
select jsonb_agg(jsonb_build_array(resource, quantity, seats, key, fingerprint, holder, expires_at - placed_at) order by resource, key, holder, quantity) as left_one_by_one from booking.holds \gset
select jsonb_agg(r order by name) as resources_one_by_one from (select name, taken, version from booking.resources) r \gset
select :'in_one' = :'one_by_one' as same_answers, :'left_in_one' = :'left_one_by_one' as same_holds, :'resources_in_one' = :'resources_one_by_one' as same_resources;
rollback;

-- The first request that needs what has run out ends it, once; a repeated batch is a replay.
begin;
select status from booking.hold('gig', 4, key => 'old');
select status from booking.hold('hall', seats => '{1A,1B,1C}', key => 'old');
call overdue('old');
select ok, status, available, seats, replayed from booking.hold_each('[{"resource": "gig", "quantity": 1, "key": "a"}, {"resource": "gig", "quantity": 3, "key": "b"}, {"resource": "gig", "quantity": 2, "key": "c"}, {"resource": "hall", "seats": ["1B"], "key": "d"}, {"resource": "hall", "best": 3, "key": "e"}]');
select ok, status, available, seats, replayed from booking.hold_each('[{"resource": "gig", "quantity": 1, "key": "a"}, {"resource": "gig", "quantity": 3, "key": "b"}, {"resource": "gig", "quantity": 2, "key": "c"}, {"resource": "hall", "seats": ["1B"], "key": "d"}, {"resource": "hall", "best": 3, "key": "e"}]');
select key, resource, state, quantity, seats from booking.holds order by key, resource;
select name, taken from booking.resources order by name;
-- The key of a basket is used, too. A closed resource refuses its own requests alone.
select status from booking.hold_all('[{"resource": "small", "quantity": 1}, {"resource": "hall", "best": 1}]', key => 'basket', holder => 'ann');
select status from booking.set_open('gig', false);
select ok, status, available, seats, replayed from booking.hold_each('[{"resource": "small", "key": "basket", "holder": "ann"}, {"resource": "gig", "key": "a"}, {"resource": "gig", "quantity": 1, "key": "f"}, {"resource": "small", "holder": "bob"}]');
select * from booking.check();
rollback;

-- The batch keeps metadata as it was given, with numbers of any size.
begin;
select status from booking.hold_each('[{"resource": "gig", "key": "a", "metadata": {"n": 12345678901234567890.123456789, "e": 1e30, "z": 1.10, "s": "ä\u20ac", "deep": [1, {"x": null}]}}, {"resource": "gig", "key": "b", "metadata": null}, {"resource": "gig", "key": "c", "metadata": 0.1}]');
select key, metadata from booking.holds order by key;
-- A single call with the same metadata is the same request.
select ok, status, replayed from booking.hold('gig', key => 'a', metadata => '{"n": 12345678901234567890.123456789, "e": 1e30, "z": 1.10, "s": "ä€", "deep": [1, {"x": null}]}');
select ok, status, replayed from booking.hold('gig', key => 'c', metadata => '0.10');
select ok, status, replayed from booking.hold('gig', key => 'c', metadata => '0.1');
rollback;

-- No batch can be like these: the error names the request, and none is placed.
select booking.hold_each(null);
select booking.hold_each('[]');
select booking.hold_each('{"resource": "gig"}');
select booking.hold_each('[{"resource": "gig"}, "gig"]');
select booking.hold_each('[{"resource": "gig"}, {}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "wait": true}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "quantity": 0}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "ttl": 60}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "ttl": "soon"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "ttl": "25 hours"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "ttl": "-1 minute"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "key": ""}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "key": 7}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "holder": ["ann"]}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "expected_version": "1"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hall", "seats": ["1A"], "expected_version": 1}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hall", "best": 1, "expected_version": 1}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hall", "seats": ["1A", "1A"]}]');
select booking.hold_each(jsonb_build_array(jsonb_build_object('resource', 'gig', 'metadata', jsonb_build_object('a', repeat('x', 9000)))));
select booking.hold_each('[{"resource": "gig"}, {"resource": "nowhere"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hall"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hall", "seats": ["9Z"]}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "hall", "best": 1, "section": "x"}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "gig", "best": 1}]');
select booking.hold_each('[{"resource": "gig"}, {"resource": "small"}]');
select count(*) from booking.holds;

-- Front rows that lack four adjacent seats may have two, whatever the session has cached for a party of four.
-- Each call is a transaction of its own, because one that has taken seats writes nothing to the cache.
select count(booking.create_seats('house', booking.seat_grid(12, 'ABCD')));
select status from booking.hold('house', seats => '{1A,1B,2A,2B,3A,3B}');
select status, seats from booking.hold_best('house', 4);
select status, seats from booking.hold_best('house', 4);
select status, seats from booking.hold_each('[{"resource": "house", "best": 4}, {"resource": "house", "best": 2}, {"resource": "house", "best": 4}, {"resource": "house", "best": 2}]');
-- Nor does the session cache anything else of that batch.
select status, seats from booking.hold_best('house', 2);
select status, seats from booking.hold_best('house', 2);
select booking.seat_map('house');
select * from booking.check();
select count(booking.release(id)) from booking.holds where resource = 'house';

-- The bounds: ten thousand requests, and a thousand resources.
begin;
select count(booking.create_pool('vast', 9999));
select status, count(*), min(available), max(available) from booking.hold_each((select jsonb_agg(jsonb_build_object('resource', 'vast')) from generate_series(1, 10000))) group by 1 order by 1;
select taken, version from booking.resources where name = 'vast';
select count(booking.create_pool('p' || n, 1)) from generate_series(1, 1000) n;
select status, count(*) from booking.hold_each((select jsonb_agg(jsonb_build_object('resource', 'p' || n)) from generate_series(1, 1000) n)) group by 1;
select * from booking.check();
rollback;
select booking.hold_each((select jsonb_agg(jsonb_build_object('resource', 'gig')) from generate_series(1, 10001)));
select booking.hold_each((select jsonb_agg(jsonb_build_object('resource', 'p' || n)) from generate_series(1, 1001) n));
begin read only;
select booking.hold_each('[{"resource": "gig"}]');
rollback;
select * from booking.check();
select count(booking.drop_resource(name)) from booking.resources;
drop table requests;
drop function single(jsonb), said(booking.result);
drop procedure overdue(text);
