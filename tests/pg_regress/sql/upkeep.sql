-- expire, purge, check.
create procedure overdue(of_holder text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where holder = of_holder';
begin;
select count(booking.create_pool('p' || n, 10)) from generate_series(1, 3) n;
select count(booking.hold('p' || n % 3 + 1, holder => 'late')), count(booking.hold('p' || n % 3 + 1, holder => 'early')) from generate_series(1, 9) n;
call overdue('late');
select resource, sum(quantity) from booking.holds group by 1 order by 1;
select name, taken from booking.resources order by 1;
select booking.expire(2);
select booking.expire(1, 'p1') <= 1 as one_at_most;
select booking.expire(100);
select booking.expire(100);
select name, taken from booking.resources order by 1;
select state, holder, count(*) from booking.holds group by 1, 2 order by 1, 2;
select * from booking.check();

-- purge() deletes only unconfirmed holds that have ended, once they are old enough.
select count(booking.confirm(id)) from booking.holds where holder = 'early' and resource = 'p1';
select count(booking.cancel(id)) from booking.holds where holder = 'early' and resource = 'p1';
select count(booking.release(id)) from booking.holds where holder = 'early' and resource = 'p2';
select booking.purge();
select booking.purge('1 hour');
update booking.holds set ended_at = ended_at - interval '29 days' where ended_at is not null;
select booking.purge();
update booking.holds set ended_at = ended_at - interval '2 days' where ended_at is not null;
select booking.purge(max_rows => 5);
select booking.purge();
select state, count(*) from booking.holds group by 1 order by 1;
select * from booking.check();

-- A call that needs room in a full pool ends the pool's expired holds itself.
call overdue('early');
select ok, status, available from booking.hold('p3', 10, key => 'all');
select state, count(*) from booking.holds where resource = 'p3' group by 1 order by 1;

-- drop_resource() deletes the history of the resource, and its keys.
select status from booking.release((select id from booking.holds where key = 'all'));
select status from booking.drop_resource('p3');
select count(*) from booking.holds where resource = 'p3';
select name from booking.create_pool('p3', 1);
select ok, status, replayed from booking.hold('p3', 1, key => 'all');

-- What the tables themselves refuse.
\set VERBOSITY terse
savepoint sound;
update booking.resources set taken = 11 where name = 'p1';
rollback to savepoint sound;
update booking.resources set taken = -1 where name = 'p1';
rollback to savepoint sound;
update booking.holds set quantity = 0;
rollback to savepoint sound;
insert into booking.holds (id, resource, quantity, state, placed_at, expires_at, key, fingerprint)
select gen_random_uuid(), resource, 1, 'held', now(), now() + interval '1 hour', key, fingerprint from booking.holds where key = 'all' limit 1;
rollback to savepoint sound;

\set VERBOSITY default
-- What check() finds where the tables do not refuse it.
update booking.resources set taken = taken + 1 where name = 'p1';
select rule, resource, hold_id is not null as hold, detail from booking.check();
rollback to savepoint sound;
alter table booking.resources drop constraint resources_never_oversold;
update booking.holds set quantity = 5 where key = 'all';
update booking.resources set taken = 5 where name = 'p3';
select rule, resource, hold_id is not null as hold, detail from booking.check();
rollback to savepoint sound;
delete from booking.resources where name = 'p3';
select rule, resource, hold_id is not null as hold, detail from booking.check();
rollback to savepoint sound;
update booking.resources set max_per_holder = 1 where name = 'p3';
update booking.resources set capacity = 3, taken = 2 where name = 'p3';
update booking.holds set holder = 'ann', quantity = 2 where key = 'all';
select rule, resource, hold_id is not null as hold, detail from booking.check();
rollback to savepoint sound;
drop index booking.holds_key;
insert into booking.holds (id, resource, quantity, state, placed_at, expires_at, ended_at, key, fingerprint)
select gen_random_uuid(), 'p3', 1, 'released', now(), now() + interval '1 hour', now(), 'all', fingerprint from booking.holds where key = 'all' limit 1;
select rule, resource, hold_id is not null as hold, detail from booking.check();
rollback to savepoint sound;
update booking.holds set fingerprint = null where key = 'all';
select rule, resource, hold_id is not null as hold, detail from booking.check();
rollback to savepoint sound;
update booking.holds set ended_at = now() where key = 'all';
select rule, resource, hold_id is not null as hold from booking.check();
rollback to savepoint sound;

-- The same for seats.
select count(booking.create_seats('hall', '["A", "B", "C", "D"]'));
select status, seats from booking.hold('hall', seats => '{A,B}', key => 'seats');
select status, seats from booking.set_blocked('hall', '{D}', true);
create view found as
    select rule, resource, hold_id is not null as hold,
           replace(detail, (select id::text from booking.holds where key = 'seats' and resource = 'hall'), '(id)') as detail
    from booking.check() order by rule, detail;
select * from found;
savepoint seated;
update booking.seats set hold_id = (select hold_id from booking.seats where resource = 'hall' and label = 'A') where resource = 'hall' and label = 'C';
select * from found;
rollback to savepoint seated;
update booking.seats set hold_id = gen_random_uuid() where resource = 'hall' and label = 'C';
select * from found;
rollback to savepoint seated;
update booking.holds set state = 'released', ended_at = now() where key = 'seats';
select * from found;
rollback to savepoint seated;
update booking.seats set hold_id = null where resource = 'hall' and label = 'B';
select * from found;
rollback to savepoint seated;
delete from booking.seats where resource = 'hall' and label = 'B';
select * from found;
rollback to savepoint seated;
update booking.holds set quantity = 3 where key = 'seats';
select * from found;
rollback to savepoint seated;
update booking.holds set seats = null where key = 'seats';
select * from found;
rollback to savepoint seated;
update booking.holds set seats = '{A}' where key = 'all';
select rule, resource, hold, detail ~ 'seat A' as seat from found;
rollback to savepoint seated;
update booking.seats set blocked = true where resource = 'hall' and label = 'A';
select * from found;
rollback to savepoint seated;
update booking.seats set blocked = false where resource = 'hall' and label = 'D';
select * from found;
rollback to savepoint seated;
update booking.resources set taken = 1 where name = 'hall';
select * from found;
rollback to savepoint seated;
insert into booking.seats (resource, label, section, "row", "position", rank, middle) values ('nowhere', 'A', '', '', 1, 0, 2), ('p1', 'A', '', '', 1, 0, 2);
select * from found;
rollback to savepoint seated;
delete from booking.resources where name = 'hall';
select * from found;
rollback to savepoint seated;
update booking.resources set max_per_holder = 1 where name = 'hall';
update booking.holds set holder = 'ann' where key = 'seats';
select * from found;
rollback to savepoint seated;
-- One key may belong to one hold for each item of a basket.
select status from booking.hold_all('[{"resource": "p1"}, {"resource": "p1"}, {"resource": "hall", "best": 1}]', key => 'basket');
select * from found;
drop index booking.holds_key;
update booking.holds set item = 1 where key = 'basket' and item = 2;
select * from found;
rollback to savepoint seated;
-- A seat has one owner or none, and labels are unique within a resource.
\set VERBOSITY terse
insert into booking.seats select * from booking.seats where resource = 'hall' and label = 'A';
\set VERBOSITY default
rollback;
drop procedure overdue(text);
