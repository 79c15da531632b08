-- PostgreSQL calls a verb once, however many columns of its result the query reads; or not at all.
-- Without shared memory there are no escrow pools.
select case state when 'absent' then 'locked' else 'escrow' end as contention from booking.worker_status \gset
select count(booking.create_pool('gig', 100)), count(booking.create_pool('drop', 100, contention => :'contention'));
\set VERBOSITY sqlstate
select (booking.hold('gig')).*;
\set VERBOSITY default
-- Prepared, with a parameter, below an INSERT, in a function, in a WITH, under RETURNING, and over a set.
prepare one(text) as select (booking.hold($1)).*;
execute one('gig');
create table answers of booking.result;
insert into answers select (booking.hold('gig')).*;
create function hold_one() returns booking.result language sql as $$ select (booking.hold('gig')).* $$;
\set SHOW_CONTEXT never
select * from hold_one();
\set SHOW_CONTEXT errors
do $$ declare r booking.result; begin select (booking.hold('gig')).* into r; end $$;
with held as (select (booking.hold('gig')).*) select ok from held;
create table asked (resource text);
insert into asked values ('gig') returning (booking.hold(resource)).*;
select (booking.hold_each('[{"resource": "gig"}]')).*;
-- Below another function, in a row, and in VALUES.
select (booking.require(booking.hold('gig'))).*;
select row((booking.hold('gig')).*);
values ((booking.hold('gig')).*);
insert into answers values ((booking.hold('gig')).*), ((booking.hold('gig')).*);
-- In stored statements: a view, and a function whose body was parsed when it was created.
create view held_by_view as select 1 as before, (booking.hold('gig')).*;
select * from held_by_view;
create function hold_atomic() returns booking.result begin atomic select (booking.require(booking.hold('gig'))).*; end;
\set SHOW_CONTEXT never
select * from hold_atomic();
\set SHOW_CONTEXT errors
create view held_by_values as values ((booking.hold('gig')).*);
select * from held_by_values;
-- Every function that returns a row of booking.result.
select proname from pg_proc where pronamespace = 'booking'::regnamespace and prosupport::oid = 'booking.call_once_support'::regproc order by 1;
-- None of these calls placed a hold.
select count(*) from booking.holds;
-- One call stays one call, and two calls stay two.
select ok, status, quantity from booking.hold('gig');
select (h).ok, (h).status, (h).quantity from (select booking.hold('gig') as h offset 0) as once;
select (booking.hold('gig')).ok, (booking.hold('gig', 2)).quantity;
select ok, quantity from booking.require(booking.hold('gig'));
values ((booking.hold('gig')).ok), ((booking.hold('gig')).ok);
select h.ok, h.quantity from generate_series(1, 2) as n, booking.hold('gig', n) as h;
select status, quantity from booking.hold('gig') as h where h.ok;
do $$ declare r booking.result; begin r := booking.hold('gig'); raise notice '% %', r.ok, r.quantity; select * into r from booking.hold('gig'); raise notice '% %', r.ok, r.quantity; end $$;
select sum(quantity) as held, count(*) from booking.holds;
select (booking.find('00000000-0000-0000-0000-000000000000')).ok, (booking.find('00000000-0000-0000-0000-000000000000')).status;
create view two_calls as select (booking.hold('gig')).ok, (booking.hold('gig')).status, (booking.hold('gig')).hold_id is null as is_null;
select * from two_calls;
create view one_call as select ok, status from booking.hold('gig');
select * from one_call;
drop view held_by_view, held_by_values, two_calls, one_call;
drop table answers, asked;
drop function hold_one(), hold_atomic();
deallocate one;
select count(*) from booking.holds as h, booking.release(h.id) as r where r.ok;
select status from booking.drop_resource('gig');
select status from booking.drop_resource('drop');
