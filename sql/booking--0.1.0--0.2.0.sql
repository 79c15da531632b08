\echo Use "alter extension booking update" to load this file. \quit

-- Sessions compare the versions again once a function was replaced, so every upgrade script begins like this. It refuses
-- to go on with the library of another version, whose statements are not for the tables as they will be.
create or replace function booking.library_version() returns text
language c strict stable parallel safe
as 'MODULE_PATHNAME', 'library_version_wrapper';
do $$
begin
    if booking.library_version() <> '0.2.0' then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('the library of booking has version %s', booking.library_version()),
            hint = 'Install the library of version 0.2.0, and restart the server.';
    end if;
end
$$;

-- A hold's row is written with all its index entries at once, and only B-trees can be written like that.
drop index booking.holds_times;
create index holds_changed on booking.holds (greatest(placed_at, confirmed_at, ended_at));

-- The functions in C pin the search path themselves, and only if they run a statement.
do $$
declare
    function regprocedure;
begin
    for function in
        select pg_proc.oid from pg_proc join pg_language on pg_language.oid = prolang
        where pronamespace = 'booking'::regnamespace and lanname = 'c' and proconfig is not null
    loop
        execute format('alter function %s reset search_path', function);
    end loop;
end
$$;

create or replace function booking.changes(
    since timestamptz,
    resource text default null,
    max_rows integer default 1000
) returns setof booking.hold_changes
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    settled timestamptz;
begin
    if changes.since is null or changes.max_rows is null then
        raise exception using
            errcode = 'null_value_not_allowed',
            message = format('argument "%s" must not be null',
                             case when changes.since is null then 'since' else 'max_rows' end);
    end if;
    if changes.max_rows < 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'argument "max_rows" must be at least 1';
    end if;
    if pg_is_in_recovery() then
        raise exception using
            errcode = 'feature_not_supported',
            message = 'the changes of holds cannot be followed on a standby',
            detail = 'Which transactions are under way is known to the primary alone.',
            hint = 'Ask the primary, or follow it by logical decoding.';
    end if;
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using
            errcode = 'feature_not_supported',
            message = 'the changes of holds cannot be followed in a transaction that keeps its snapshot',
            hint = 'Use read committed.';
    end if;
    -- First the clock, then the open transactions, and last, with a snapshot of its own, what was written. A
    -- transaction that begins to write after the second step writes later times than the first step read.
    settled := clock_timestamp();
    select least(settled, min(activity.xact_start)) into settled
    from pg_stat_activity as activity
    where activity.datid = (select oid from pg_database where datname = current_database())
      and activity.backend_xid is not null
      and activity.pid <> pg_backend_pid();
    select least(settled, min(prepared.prepared) - interval '1 hour') into settled
    from pg_prepared_xacts as prepared
    where prepared.database = current_database();
    return query
        -- All changes of one time come together, since the next call asks for what is later than the last.
        select *
        from (
            select change.at, change.what, hold.id, hold.resource, hold.basket, hold.item, hold.quantity, hold.seats,
                   hold.during, hold.holder, hold.reference
            from booking.holds as hold
            -- The same three changes as in the view. A hold has none after its last, which has an index.
            cross join lateral (values
                (hold.placed_at, 'held'), (hold.confirmed_at, 'confirmed'), (hold.ended_at, hold.state::text)
            ) as change(at, what)
            where greatest(hold.placed_at, hold.confirmed_at, hold.ended_at) > changes.since
              and change.at > changes.since
              and change.at < settled
              and (changes.resource is null or hold.resource = changes.resource)
            order by change.at
            fetch first changes.max_rows rows with ties) as first
        order by first.at, first.id;
end
$$;

-- How much is left, at the price of one row.
create function booking.available(resource text, during tstzrange default null) returns bigint
language c volatile security definer
as 'MODULE_PATHNAME', 'available_wrapper';
revoke all on function booking.available from public;
comment on function booking.available is
'Says how much of a resource is left for a new hold, at about the price of reading one row: with overbooking, without what the line is owed, and 0 if the resource is closed. Of a calendar: during a period (or now). Changes nothing and works on a standby. Errors: SQLSTATE 42704, 22023, 22004.';
create or replace function booking.grant_browser(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('grant usage on schema booking to %I', role);
    execute format(
        'grant execute on function '
        'booking.find, booking.availability, booking.available, booking.seat_map, '
        'booking.calendar, booking.free_slots, booking.calendar_map, '
        'booking.hold, booking.hold_best, booking.hold_nights, booking.hold_all, booking.hold_each, '
        'booking.extend, booking.release, '
        'booking.join_waitlist, booking.leave_waitlist, '
        'booking.require to %I', role);
end
$$;
create or replace function booking.grant_monitor(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('grant usage on schema booking to %I', role);
    -- A view calls its functions with the rights of who reads it.
    execute format(
        'grant execute on function '
        'booking.availability, booking.available, booking.check, booking.worker_state, booking.escrow_count, '
        'booking.library_version to %I', role);
    execute format('grant select on booking.worker_status, booking.escrow_status to %I', role);
    -- The columns of other tables that count something and name nobody.
    execute format(
        'grant select (name, kind, contention, capacity, overbooking, taken, open, waiting) on booking.resources to %I', role);
    execute format('grant select (resource, quantity, state, placed_at, expires_at, confirmed_at, ended_at) '
                   'on booking.holds to %I', role);
    execute format('grant select (resource, state, joined_at, ended_at) on booking.waitlist_entries to %I', role);
    execute format('grant select (name, acquired_at, expires_at, released_at) on booking.leases to %I', role);
end
$$;
-- A role that could look before can look like this, too.
do $$
declare
    holder record;
begin
    for holder in
        select acl.grantee::regrole as role, acl.is_grantable
        from pg_proc, aclexplode(proacl) as acl
        where pg_proc.oid = 'booking.availability(text, tstzrange)'::regprocedure and acl.grantee <> proowner
    loop
        execute format('grant execute on function booking.available to %s%s', holder.role,
                       case when holder.is_grantable then ' with grant option' else '' end);
    end loop;
end
$$;
