-- What happened to holds, read from the three times that each of them keeps.
create view booking.hold_changes as
    select placed_at as changed_at, 'held'::text as change, id as hold_id, resource, basket, item, quantity, seats,
           during, holder, reference
    from booking.holds
    union all
    select confirmed_at, 'confirmed', id, resource, basket, item, quantity, seats, during, holder, reference
    from booking.holds where confirmed_at is not null
    union all
    select ended_at, state::text, id, resource, basket, item, quantity, seats, during, holder, reference
    from booking.holds where ended_at is not null;

-- A transaction writes the times at which it acts, and others see them once it commits. A transaction that
-- began later and was quicker shows later times first. So the feed ends before the earliest time that an open
-- transaction can have written: a caller who asks again from where it ended misses nothing.
create function booking.changes(
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
