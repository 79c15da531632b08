-- PUBLIC has no privilege: the test reads the catalogs, so that it covers new objects.
create function granted(to_role text) returns table (object text, privileges text) language sql as $$
    with acl as (
        select 'schema ' || nspname as object, acl.* from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) acl
        where nspname = 'booking'
        union all
        select 'function ' || proname, acl.* from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) acl
        where pronamespace = 'booking'::regnamespace
        union all
        select 'relation ' || relname, acl.* from pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner))) acl
        where relnamespace = 'booking'::regnamespace and relkind in ('r', 'v'))
    select object, string_agg(privilege_type, ', ' order by privilege_type)
    from acl
    where grantee = case to_role when 'public' then 0 else to_role::regrole end
    group by object order by object collate "C" $$;
select * from granted('public');
create role client_of_booking;
create role admin_of_booking;
select booking.grant_client('client_of_booking'), booking.grant_admin('admin_of_booking');
select * from granted('client_of_booking');
select * from granted('admin_of_booking');
-- A second grant changes nothing, and a role that was granted something cannot grant it on.
select booking.grant_client('client_of_booking');
select count(*) from granted('client_of_booking');
\set VERBOSITY sqlstate
set role client_of_booking;
grant usage on schema booking to public;
set client_min_messages = error;
grant execute on function booking.hold to public;
reset client_min_messages;
reset role;
select * from granted('public');
select booking.revoke_all('client_of_booking'), booking.revoke_all('admin_of_booking');
select * from granted('client_of_booking');
select * from granted('admin_of_booking');
-- revoke_all() does nothing to a role without grants, and leaves nothing that keeps the role from being dropped.
select booking.revoke_all('client_of_booking');
drop role client_of_booking;
drop role admin_of_booking;
drop function granted(text);
