-- Leases: every answer, tokens that rise, leases with several slots, and what keeps a lease from passing on.
\set SHOW_CONTEXT never
\pset format unaligned
\set show 'ok, status, name, holder, token, expires_at > clock_timestamp() as lives'
-- Leases run out inside a transaction.
create procedure over(of_name text) language sql as
    'update booking.leases set acquired_at = acquired_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where name = of_name';
begin;
select :show, expires_at - clock_timestamp() between interval '59 s' and interval '1 min' as a_minute from booking.acquire_lease('import', 'a', '1 min');
-- The holder acquires it again: it lasts longer, under the same token; it never gets shorter.
select :show, expires_at - clock_timestamp() > interval '9 min' as ten_minutes from booking.acquire_lease('import', 'a');
select :show, expires_at - clock_timestamp() > interval '9 min' as ten_minutes from booking.acquire_lease('import', 'a', '1 s');
-- Others are told the holder and the time of expiry, but not the token.
select :show from booking.acquire_lease('import', 'b');
select booking.check_lease('import', 1) as his, booking.check_lease('import', 2) as to_come, booking.check_lease('import', 0) as never, booking.check_lease('nothing', 1) as of_nothing;
select :show, expires_at - clock_timestamp() > interval '59 min' as an_hour from booking.renew_lease('import', 1, '1 h');
select :show, expires_at - clock_timestamp() > interval '59 min' as an_hour from booking.renew_lease('import', 1);
select :show from booking.release_lease('import', 1);
select :show from booking.release_lease('import', 1);
select :show from booking.renew_lease('import', 1);
select booking.check_lease('import', 1);
select name, slot, holder, token, released_at is not null as released from booking.leases;
select count(*) from booking.active_leases;
-- The next token is higher; the old one has run out, and a higher one was never given out.
select :show from booking.acquire_lease('import', 'b', '1 min');
select :show from booking.release_lease('import', 1);
select :show from booking.renew_lease('import', 1);
select :show from booking.release_lease('import', 3);
select :show from booking.renew_lease('import', 3);
select :show from booking.release_lease('nothing', 1);
call over('import');
select booking.check_lease('import', 2);
select :show from booking.renew_lease('import', 2);
select :show from booking.release_lease('import', 2);
select :show from booking.acquire_lease('import', 'b', '1 min', wait => true);
select * from booking.check();
commit;

-- A lease with several slots: each holder has its own token, and tokens rise across all slots.
begin;
select :show from booking.acquire_lease('workers', 'a', '1 min', slots => 2);
select :show from booking.acquire_lease('workers', 'b', '2 min', slots => 2);
select :show from booking.acquire_lease('workers', 'c', '3 min', slots => 2);
select :show from booking.acquire_lease('workers', 'a', '1 min', slots => 2);
select :show from booking.acquire_lease('workers', 'c', '3 min', slots => 1);
select :show from booking.release_lease('workers', 1);
select :show from booking.acquire_lease('workers', 'c', '3 min', slots => 1);
select :show from booking.acquire_lease('workers', 'c', '3 min', slots => 2);
select :show from booking.acquire_lease('workers', 'd', '3 min', slots => 3);
select slot, holder, token from booking.active_leases order by slot;
select booking.check_lease('workers', 1), booking.check_lease('workers', 2), booking.check_lease('workers', 3), booking.check_lease('workers', 4);
rollback;

-- Transactions and savepoints: a lease that is rolled back was never granted.
begin;
select :show from booking.acquire_lease('tx', 'a', '1 min');
savepoint s;
select :show from booking.release_lease('tx', 1);
select :show from booking.acquire_lease('tx', 'b', '1 min');
rollback to s;
select booking.check_lease('tx', 1);
select :show from booking.acquire_lease('tx', 'b', '1 min');
rollback;
select count(*) from booking.leases where name = 'tx';
begin isolation level repeatable read;
select count(*) from booking.leases;
select :show from booking.acquire_lease('tx', 'a', '1 min');
select booking.check_lease('tx', 1);
select :show from booking.release_lease('tx', 1);
commit;
begin isolation level serializable;
select :show from booking.acquire_lease('tx', 'a', '1 min');
select booking.check_lease('tx', 2);
commit;

-- After purge() deletes a name, its tokens still rise above those it gave out.
begin;
select booking.purge('0');
select :show from booking.release_lease('tx', 2);
select :show from booking.acquire_lease('fresh', 'a', '1 min');
select pg_sleep(0.002) is not null as later;
select booking.purge('0');
select name, token from booking.leases order by name;
select floor from booking.lease_epochs;
select :show from booking.acquire_lease('tx', 'z', '1 min');
select :show from booking.acquire_lease('new', 'z', '1 min');
rollback;

-- After a restore all leases end, and tokens rise above any that may have been given out.
begin;
select booking.after_restore();
select count(*) from booking.active_leases;
select :show from booking.renew_lease('import', 3);
select ok, status, token > 50000000000000 as lifted, token < 9007199254740992 as exact from booking.acquire_lease('import', 'b', '1 min');
select ok, status, token > 50000000000000 as lifted from booking.acquire_lease('never had', 'b', '1 min');
select token - min(token) over () as apart from booking.leases where name in ('import', 'never had') order by 1;
rollback;

-- Calls that raise an error.
\set VERBOSITY sqlstate
select booking.acquire_lease(null, 'a');
select booking.acquire_lease('import', null);
select booking.acquire_lease('import', 'a', wait => null);
select booking.acquire_lease('import', 'a', slots => null);
select booking.acquire_lease('', 'a');
select booking.acquire_lease(repeat('x', 256), 'a');
select booking.acquire_lease('import', 'a', '0');
select booking.acquire_lease('import', 'a', '1 year');
select booking.acquire_lease('import', 'a', slots => 0);
select booking.acquire_lease('import', 'a', slots => 1001);
select booking.renew_lease('import', null);
select booking.renew_lease('import', 1, '-1 s');
select booking.release_lease(null, 1);
select booking.check_lease('import', null);
begin read only;
select booking.acquire_lease('import', 'a');
rollback;
begin read only;
select booking.check_lease('import', 3);
rollback;
\set VERBOSITY default
select booking.acquire_lease('import', 'a', slots => 0);
begin read only;
select booking.check_lease('import', 3);
rollback;

-- Clients may call the functions; they cannot write the rows.
create role leaseholder;
select booking.grant_client('leaseholder');
set role leaseholder;
select status from booking.acquire_lease('of a client', 'a', '1 min');
select booking.check_lease('of a client', 1);
select status from booking.release_lease('of a client', 1);
select booking.after_restore();
select * from booking.leases;
update booking.leases set token = 0;
reset role;
select booking.revoke_all('leaseholder');
drop role leaseholder;
select * from booking.check();
-- What check() finds in rows that somebody wrote by hand.
select * from booking.check();
insert into booking.leases (name, slot, holder, token, acquired_at, expires_at)
    select 'twice', slot, 'a', 7, clock_timestamp(), clock_timestamp() + interval '1 h' from generate_series(1, 2) slot;
select * from booking.check();
truncate booking.leases, booking.lease_epochs;
drop procedure over(text);
