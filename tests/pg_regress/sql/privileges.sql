-- Which role may do what.
create role client; create role admin; create role browser; create role monitor; create role nobody_at_all;
select booking.grant_client('client');
select booking.grant_admin('admin');
select booking.grant_browser('browser');
select booking.grant_monitor('monitor');

-- The test reads the catalogs, so that a new function or table shows here.
select p.proname as function,
       case when has_function_privilege('browser', p.oid, 'execute') then 'yes' else '' end as browser,
       case when has_function_privilege('client', p.oid, 'execute') then 'yes' else '' end as client,
       case when has_function_privilege('monitor', p.oid, 'execute') then 'yes' else '' end as monitor,
       case when has_function_privilege('admin', p.oid, 'execute') then 'yes' else '' end as admin,
       has_function_privilege('nobody_at_all', p.oid, 'execute') as nobody
from pg_proc p where p.pronamespace = 'booking'::regnamespace order by p.proname collate "C";
select c.relname as relation,
       case when has_table_privilege('browser', c.oid, 'select') then 'yes' else '' end as browser,
       case when has_table_privilege('client', c.oid, 'select') then 'yes' else '' end as client,
       case when has_table_privilege('monitor', c.oid, 'select') then 'yes' else '' end as monitor,
       case when has_table_privilege('admin', c.oid, 'select') then 'yes' else '' end as admin
from pg_class c where c.relnamespace = 'booking'::regnamespace and c.relkind in ('r', 'v')
order by c.relname collate "C";
-- Only the owner writes a table, and a wider role may do all that a narrower one may.
select c.relname, r.rolname from pg_class c cross join pg_roles r
where c.relnamespace = 'booking'::regnamespace and c.relkind in ('r', 'v')
  and r.rolname in ('browser', 'client', 'monitor', 'admin', 'nobody_at_all')
  and has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate, references, trigger');
select p.proname, narrow, wide
from pg_proc p cross join (values ('browser', 'client'), ('client', 'admin'), ('monitor', 'admin')) as pair(narrow, wide)
where p.pronamespace = 'booking'::regnamespace
  and has_function_privilege(narrow, p.oid, 'execute') and not has_function_privilege(wide, p.oid, 'execute');
select name from booking.create_pool('gig', 3);
\set VERBOSITY sqlstate
set role nobody_at_all;
select booking.hold('gig');
select booking.check();
select * from booking.holds;
select booking.grant_client('nobody_at_all');
reset role;
set role client;
select ok, status from booking.hold('gig', key => 'a');
select status from booking.release((select hold_id from booking.hold('gig', key => 'a')));
select status from booking.find(gen_random_uuid());
select status from booking.confirm(gen_random_uuid());
select status from booking.extend(gen_random_uuid());
select status from booking.cancel(gen_random_uuid());
select available from booking.availability('gig');
select (booking.require(booking.hold('gig', key => 'b'))).status;
select * from booking.holds;
select * from booking.resources;
update booking.resources set taken = 0;
insert into booking.holds default values;
delete from booking.holds;
truncate booking.holds;
select booking.create_pool('mine', 1);
select booking.set_capacity('gig', 1);
select booking.set_open('gig', false);
select booking.drop_resource('gig');
select booking.expire();
select booking.purge();
select booking.check();
select * from booking.worker_status;
select booking.grant_admin('client');
create table booking.mine ();
create function booking.hold() returns int language sql as 'select 1';
reset role;

-- A browser looks, holds, waits and releases; it can neither confirm nor cancel.
set role browser;
select status from booking.hold('gig', key => 'c', holder => 'ann');
select status, holder from booking.find((select hold_id from booking.hold('gig', key => 'c', holder => 'ann')));
select available from booking.availability('gig');
select (booking.require(h)).status from booking.extend((select hold_id from booking.hold('gig', key => 'c', holder => 'ann')), '1 hour') h;
select status from booking.hold_all('[{"resource": "gig"}]');
select status from booking.confirm(gen_random_uuid());
select status from booking.cancel(gen_random_uuid());
select status from booking.transfer(gen_random_uuid(), 'bob');
select status from booking.reschedule(gen_random_uuid(), '[2030-01-01, 2030-01-02)');
select status from booking.swap_seats(gen_random_uuid(), '{A}');
select status from booking.acquire_lease('job', 'ann');
select status from booking.release((select hold_id from booking.hold('gig', key => 'c', holder => 'ann')));
select * from booking.check();
select * from booking.worker_status;
select * from booking.holds;
select booking.grant_browser('nobody_at_all');
reset role;

-- A monitor sees counts and no names: neither in the relations it may read, nor in a violation of a rule about
-- a holder, a key or a lease.
begin;
select status from booking.hold('gig', key => 'secret key', holder => 'ann');
select status from booking.confirm((select id from booking.holds where key = 'secret key'), 'secret payment');
insert into booking.leases (name, slot, holder, token, acquired_at, expires_at)
    select 'job', slot, 'ann', slot, clock_timestamp(), clock_timestamp() + interval '1 h' from generate_series(1, 2) slot;
update booking.resources set max_per_holder = 1 where name = 'gig';
update booking.holds set quantity = 2, fingerprint = null where key = 'secret key';
set local role monitor;
select rule, resource, hold_id is not null as hold, detail from booking.check() where rule ~ '(holder|key|lease)';
select count(*) from booking.check() as found where found::text ~ '(ann|secret)';
select capacity, confirmed, held, available from booking.availability('gig');
select count(*) from booking.worker_status;
select count(*) >= 0 as read from booking.escrow_status;
select name, kind, waiting from booking.resources where name = 'gig';
select state, sum(quantity) from booking.holds where resource = 'gig' group by state;
select count(*) from booking.waitlist_entries where state = 'waiting';
select count(*) from booking.leases where released_at is null and expires_at > clock_timestamp();
rollback;
set role monitor;
select status from booking.find(gen_random_uuid());
select status from booking.hold('gig');
select booking.expire();
select * from booking.changes('2020-01-01');
select * from booking.holds;
select holder from booking.holds;
select key from booking.waitlist_entries;
select metadata from booking.resources;
select holder from booking.leases;
select * from booking.hold_changes;
select * from booking.waitlist;
select * from booking.active_leases;
select * from booking.resources;
reset role;
set role admin;
select name from booking.create_pool('more', 1);
select status from booking.set_capacity('more', 2);
select status from booking.set_open('more', false);
select status from booking.drop_resource('more');
select booking.expire() >= 0 as done, booking.purge() as purged;
select count(*) from booking.check();
select count(*) from booking.holds;
select count(*) from booking.resources;
select count(*) from booking.worker_status;
delete from booking.holds;
update booking.resources set taken = 0;
select booking.grant_client('nobody_at_all');
reset role;
select booking.revoke_all('client');
select booking.revoke_all('admin');
select booking.revoke_all('browser');
select booking.revoke_all('monitor');
set role client;
select booking.hold('gig');
reset role;
set role monitor;
select booking.check();
reset role;
-- revoke_all() leaves no grant behind, or the roles could not be dropped.
drop role client; drop role admin; drop role browser; drop role monitor; drop role nobody_at_all;
\set VERBOSITY default
select booking.grant_client('nobody_at_all');
select booking.grant_client('x"; drop schema booking; --');
select booking.grant_monitor('x"; drop schema booking; --');
select booking.grant_admin(null);
delete from booking.holds;
delete from booking.resources;
