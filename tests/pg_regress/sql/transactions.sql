-- Each verb is one call inside the caller's transaction.
select name from booking.create_pool('gig', 3);
create table orders (id int primary key, hold uuid not null, status text);

-- The order and the hold exist together or not at all.
insert into orders select 1, h.hold_id, h.status from booking.hold('gig', 2) h where h.ok;
insert into orders select 1, h.hold_id, h.status from booking.hold('gig', 1) h where h.ok;
insert into orders select 2, h.hold_id, h.status from booking.hold('gig', 2) h where h.ok;
select id, status from orders;
select taken from booking.resources;

-- Savepoints, and errors inside a block.
begin;
select status, available from booking.hold('gig', 1);
savepoint one;
select status from booking.hold('gig', 1);
rollback to savepoint one;
select status from booking.release((select hold from orders));
rollback to savepoint one;
select booking.hold('gig', 0);
rollback to savepoint one;
select status from booking.hold('gig', 1);
commit;
select taken from booking.resources;
do $$
declare
    r booking.result;
begin
    r := booking.set_capacity('gig', 5);
    begin
        r := booking.hold('gig', 2);
        raise exception 'changed my mind';
    exception when others then
        raise notice '%', sqlerrm;
    end;
    r := booking.hold('gig', 1);
    raise notice '% %', r.status, r.available;
    begin
        perform booking.require(booking.hold('gig', 9));
    exception when sqlstate 'RS001' then
        raise notice 'sold out: %', sqlerrm;
    end;
end $$;
select taken from booking.resources;

-- Prepared statements, cursors, and many rows in one statement, in the order of the rows.
prepare place(text, bigint) as select status, available from booking.hold($1, $2);
execute place('gig', 1);
execute place('gig', 1);
deallocate place;
begin;
declare c cursor for select status from generate_series(1, 3), lateral booking.set_capacity('gig', 10 + generate_series);
fetch 1 from c;
fetch all from c;
commit;
select n, (booking.hold('gig', n)).available from generate_series(1, 3) n;
select * from booking.check();

-- The session drops the extension and creates it again: it keeps no plan from before.
drop extension booking;
create extension booking cascade;
select name from booking.create_pool('gig', 1);
select ok, available from booking.hold('gig', key => 'k');
select ok, status from booking.confirm((select id from booking.holds), 'p');
select booking.expire(), booking.purge();
select count(*) from booking.check();
delete from booking.holds;
delete from booking.resources;
drop table orders;

-- CREATE EXTENSION fails if a schema of that name exists already.
drop extension booking;
create schema booking;
\set SHOW_CONTEXT never
create extension booking cascade;
\set SHOW_CONTEXT errors
drop schema booking;
create extension booking cascade;
