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
        select case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end as role, acl.is_grantable
        from pg_proc, aclexplode(proacl) as acl
        where pg_proc.oid = 'booking.availability(text, tstzrange)'::regprocedure and acl.grantee <> proowner
    loop
        execute format('grant execute on function booking.available to %s%s', holder.role,
                       case when holder.is_grantable then ' with grant option' else '' end);
    end loop;
end
$$;

-- Pools whose count moves to shared memory while many wait for them. This is what create_pool makes from now on.
alter type booking.contention add value 'auto';
comment on type booking.contention is
'How a pool is counted: locked, in its row; escrow, in shared memory, so that many transactions can take from it at once; auto, in shared memory while many wait for it, and in its row otherwise.';
comment on column booking.resources.contention is
'locked: one transaction at a time changes the resource. escrow: many transactions at once take from the pool, which is counted in shared memory. auto: locked, and escrow while many wait for it.';
comment on column booking.resources.escrow is 'Of a pool that is counted in shared memory: the id of its count.';
create or replace function booking.create_pool(
    name text,
    capacity bigint,
    overbooking bigint default 0,
    contention text default 'auto',
    max_per_holder bigint default null,
    metadata jsonb default null,
    skip boolean default false,
    if_not_exists boolean default false
) returns booking.resources
language c volatile security definer support booking.call_once_support
as 'MODULE_PATHNAME', 'create_pool_wrapper';
comment on function booking.create_pool is
'Creates a pool: capacity places that are counted and not told apart. overbooking more may be taken. max_per_holder limits what one holder has live. skip lets a request in the line pass another one that needs more than is free. contention => ''auto'' counts the pool in its row, and in shared memory while many wait for it; ''locked'' and ''escrow'' do always one of the two. if_not_exists returns an alike pool if there is one. Errors: SQLSTATE 42710 it exists, 22023 a bad argument, 22004 a null one, 54000 metadata too large, 55000 escrow without shared_preload_libraries.';
comment on function booking.set_contention is
'Has a pool counted in its row (locked), in shared memory (escrow), so that many transactions can take from it at once, or there while many wait for it (auto). Waits for every open transaction that has changed the pool. If the pool is an escrow pool already, escrow counts its holds again. Refusals: busy. Errors: SQLSTATE 42704, 22023, 22004, 55000 escrow without shared_preload_libraries.';
create or replace function booking.check(
    out rule text,
    out resource text,
    out hold_id uuid,
    out detail text
) returns setof record
language sql volatile security definer set search_path = pg_catalog, pg_temp set jit = off
as $$
    with moment as materialized (select clock_timestamp() as now),
    live as (
        select h.resource, sum(h.quantity) as quantity
        from booking.holds h
        where h.state < 'released'
        group by h.resource),
    line as (
        select e.resource, count(*) as entries
        from booking.waitlist_entries e
        where e.state = 'waiting'
        group by e.resource),
    -- Numbered, since numbers are sorted faster than names.
    calendars as materialized (
        select row_number() over () as number, r.name, r.capacity
        from booking.resources r
        where r.kind = 'calendar'),
    -- The calendars from now on, step by step: at each time, how much more is taken and how much more there is.
    -- What ends at a time (turn 0) comes before what begins then (turn 1). What has begun already begins now.
    steps as (
        select calendars.number, edge.turn,
               case edge.turn when 1 then greatest(lower(h.occupied), (select now from moment))
                              else upper(h.occupied) end as at,
               -- The verbs do not see a hold whose exclusive is null: it breaks a rule of its own.
               case when h.exclusive is null then 0 when edge.turn = 1 then h.quantity else -h.quantity end as taken,
               0 as added
        from booking.holds h
        join calendars on calendars.name = h.resource
        cross join (values (0), (1)) as edge(turn)
        where h.state < 'released' and not isempty(h.occupied)
          and coalesce(upper(h.occupied), 'infinity') > (select now from moment)
        union all
        select calendars.number, 1,
               greatest(case edge.turn when 1 then lower(c.during) else upper(c.during) end,
                        (select now from moment)),
               0,
               case edge.turn when 1 then c.capacity - calendars.capacity else calendars.capacity - c.capacity end
        from booking.capacity_changes c
        join calendars on calendars.name = c.resource
        cross join (values (0), (1)) as edge(turn)
        where upper(c.during) > (select now from moment)),
    -- The seats that live holds name, beside the seats that name a hold: where the two agree, a row has both.
    claims as (
        select coalesce(named.resource, owned.resource) as resource, coalesce(named.label, owned.label) as label,
               named.id as named_by, owned.hold_id as owned_by
        from (
            select h.resource, h.id, l.label
            from booking.holds h
            cross join lateral unnest(h.seats) as l(label)
            where h.state < 'released') as named
        full join (
            select s.resource, s.label, s.hold_id
            from booking.seats s
            where s.hold_id is not null) as owned
            on owned.resource = named.resource and owned.label = named.label and owned.hold_id = named.id
        where named.id is null or owned.hold_id is null)
    select found.rule, found.resource, found.hold_id, found.detail
    from (
        select 'taken equals the holds', r.name, null::uuid,
               format('taken is %s, held and confirmed are %s', r.taken, coalesce(l.quantity, 0))
        from booking.resources r
        left join live l on l.resource = r.name
        where r.kind = 'pool' and r.escrow is null and r.taken <> coalesce(l.quantity, 0)
        union all
        -- What changed since this transaction began may be in the count and not in the snapshot, or the other
        -- way round.
        select 'the count equals the holds', r.name, null,
               format('%s are counted, held and confirmed are %s', c.taken, coalesce(l.quantity, 0))
        from booking.resources r
        cross join lateral booking.escrow_count(r.escrow) c
        left join live l on l.resource = r.name
        where r.escrow is not null
          and c.under_way = 0 and c.changed_at < now() and c.taken <> coalesce(l.quantity, 0)
        union all
        select 'an escrow pool is not counted in its row', r.name, null, format('taken is %s', r.taken)
        from booking.resources r
        where (r.escrow is not null and (r.taken <> 0 or r.kind <> 'pool'))
           or case r.contention::text when 'locked' then r.escrow is not null when 'escrow' then r.escrow is null end
        union all
        select 'never oversold', r.name, null,
               format('held and confirmed are %s of %s', l.quantity, r.capacity + r.overbooking)
        from booking.resources r
        join live l on l.resource = r.name
        where r.kind = 'pool' and l.quantity > r.capacity + r.overbooking
        union all
        select 'a taken seat is its hold''s', c.resource, c.owned_by,
               format('seat %s, hold %s', c.label, coalesce(h.state::text, 'is not there'))
        from claims c
        left join booking.holds h on h.id = c.owned_by and h.resource = c.resource
        where c.named_by is null
          and (h.state is null or h.state not in ('held', 'confirmed') or not c.label = any(h.seats))
        union all
        select 'a hold has its seats', c.resource, c.named_by,
               format('seat %s is %s', c.label,
                      case when s.label is null then 'not there' else coalesce('hold ' || s.hold_id, 'free') end)
        from claims c
        left join booking.seats s on s.resource = c.resource and s.label = c.label
        where c.owned_by is null
        union all
        -- What a seat's own row and its resource's tell.
        select broken.rule, s.resource, s.hold_id, format('seat %s', s.label)
        from (
            select s.resource, s.label, s.hold_id,
                   s.blocked and s.hold_id is not null as blocked_and_taken,
                   r.name is null as without_resource
            from booking.seats s
            left join booking.resources r on r.name = s.resource and r.kind = 'seats') as s
        cross join lateral (values
            (s.blocked_and_taken, 'a blocked seat is nobody''s'),
            (s.without_resource, 'a seat has a resource')) as broken(is_so, rule)
        where (s.blocked_and_taken or s.without_resource) and broken.is_so
        union all
        select 'waiting equals the line', r.name, null,
               format('waiting is %s, the line is of %s', r.waiting, coalesce(line.entries, 0))
        from booking.resources r
        left join line on line.resource = r.name
        where r.waiting <> coalesce(line.entries, 0)
        union all
        select 'what is free is offered', r.name, null,
               format('%s are free, and the head of the line waits for %s',
                      r.capacity + r.overbooking - coalesce(l.quantity, 0), head.quantity)
        from line
        join booking.resources r on r.name = line.resource
        left join live l on l.resource = r.name
        cross join lateral (
            select e.quantity from booking.waitlist_entries e
            where e.resource = r.name and e.state = 'waiting'
            order by e."position" limit 1) as head
        where r.kind = 'pool' and r.open and r.max_per_holder is null
          and head.quantity <= r.capacity + r.overbooking - coalesce(l.quantity, 0)
        union all
        select 'who was offered something has a hold', e.resource, e.id, 'no hold has its id'
        from booking.waitlist_entries e
        where e.state = 'offered' and e.ended_at > (select now from moment) - interval '1 hour'
          and not exists (select from booking.holds h where h.id = e.id and h.resource = e.resource)
        union all
        select 'capacity equals the seats', r.name, null,
               format('capacity is %s, seats not blocked are %s, taken is %s',
                      r.capacity, coalesce(s.open_seats, 0), r.taken)
        from booking.resources r
        left join (
            select s.resource, count(*) as open_seats
            from booking.seats s
            where not s.blocked
            group by s.resource) as s on s.resource = r.name
        where r.kind = 'seats' and (r.capacity <> coalesce(s.open_seats, 0) or r.taken <> 0)
        union all
        -- From now on only: what is over may have had a higher capacity, which is set from a time on. The most
        -- is taken where a booking begins, the least is there where a change of the capacity begins or ends.
        select distinct 'never over capacity at any moment', calendars.name, null::uuid,
               format('held and confirmed are %s of %s at %s',
                      sweep.taken, calendars.capacity + sweep.added, sweep.at)
        from (
            select number, at, turn, sum(taken) over so_far as taken, sum(added) over so_far as added
            from steps
            window so_far as (partition by number order by at, turn)) as sweep
        join calendars on calendars.number = sweep.number
        where sweep.turn = 1 and sweep.taken > calendars.capacity + sweep.added
        union all
        -- What a hold's own row and its resource's tell. Nearly every hold is sound, so all rules are asked at
        -- once, and only of one that breaks any of them which it is.
        select broken.rule, h.resource, h.id, broken.detail
        from (
            select h.*,
                   case r.kind when 'seats' then h.quantity is distinct from cardinality(h.seats)
                               else r.kind is not null and h.seats is not null end as seats_differ,
                   case r.kind
                       when 'calendar' then
                           (h.occupied = tstzrange(lower(h.during), upper(h.during) + r.buffer)
                            and (h.exclusive = (r.capacity <= 1) or r.resized and h.exclusive is not null)
                            and lower_inc(h.during) and not upper_inc(h.during)
                            and upper(h.during) < 'infinity') is not true
                       else r.kind is not null
                           and num_nonnulls(h.during, h.occupied, h.exclusive) > 0 end as period_differs,
                   r.name is null as without_resource,
                   h.expires_at <= h.placed_at
                       or (h.ended_at is not null) <> (h.state in ('released', 'cancelled', 'expired'))
                       or (h.confirmed_at is not null) <> (h.state in ('confirmed', 'cancelled')) as times_differ,
                   (h.key is null) <> (h.fingerprint is null) as key_differs
            from booking.holds h
            left join booking.resources r on r.name = h.resource) as h
        cross join lateral (values
            (h.seats_differ, 'a hold on seats names them',
             format('quantity is %s, seats are %s', h.quantity, coalesce(h.seats::text, 'none'))),
            (h.period_differs, 'a hold on a calendar has a period',
             format('it is from %s to %s, occupied to %s, exclusive %s',
                    lower(h.during), upper(h.during), upper(h.occupied), h.exclusive)),
            (h.without_resource, 'a hold has a resource', format('it is %s', h.state)),
            (h.times_differ, 'a hold''s times follow its state',
             format('%s, placed %s, expires %s, confirmed %s, ended %s',
                    h.state, h.placed_at, h.expires_at, h.confirmed_at, h.ended_at)),
            (h.key_differs, 'a key has a fingerprint',
             case when h.key is null then 'it has a fingerprint and no key' else 'it has a key and no fingerprint' end)
        ) as broken(is_so, rule, detail)
        where (h.seats_differ or h.period_differs or h.without_resource or h.times_differ or h.key_differs)
          and broken.is_so
        union all
        select 'a calendar keeps its own clock', r.name, null,
               format('%s, time zone %s, buffer %s, from %s to %s',
                      r.kind, r.time_zone, r.buffer, r.check_in, r.check_out)
        from booking.resources r
        where (r.kind = 'calendar')
                  <> (num_nulls(r.time_zone, r.buffer, r.check_in, r.check_out, r.resized) = 0)
           or (r.kind <> 'calendar'
               and num_nonnulls(r.time_zone, r.buffer, r.check_in, r.check_out, r.hours, r.resized) > 0)
           or (r.kind = 'calendar' and r.taken <> 0)
        union all
        select 'a change of capacity has a calendar', c.resource, null,
               format('%s during %s', c.capacity, c.during)
        from booking.capacity_changes c
        where not exists (
            select from booking.resources r where r.name = c.resource and r.kind = 'calendar' and r.resized)
        union all
        -- The smallest id is that of the hold that was placed first. As text, since PostgreSQL had no
        -- min(uuid) before version 18.
        select 'a key has one hold', h.resource, min(h.id::text)::uuid, format('its key has %s holds', count(*))
        from (
            select key, resource, item
            from booking.holds
            where key is not null
            group by key, resource, item
            having count(*) > 1) as twice
        join booking.holds h on h.key = twice.key and h.resource = twice.resource and h.item = twice.item
        group by h.key, h.resource, h.item
        union all
        select 'a token is given out once', l.name, null,
               format('token %s is that of %s leases', l.token, count(*))
        from booking.leases l
        group by l.name, l.token
        having count(*) > 1
        union all
        select 'a holder has one lease of a name', l.name, null,
               format('one holder has %s, slots %s', count(*), string_agg(l.slot::text, ' and ' order by l.slot))
        from booking.leases l
        where l.released_at is null and l.expires_at > (select now from moment)
        group by l.name, l.holder
        having count(*) > 1
        union all
        select 'a holder stays within max_per_holder', h.resource, min(h.id::text)::uuid,
               format('its holder has %s of %s', sum(h.quantity), r.max_per_holder)
        from booking.holds h
        join booking.resources r on r.name = h.resource
        cross join moment m
        where r.max_per_holder is not null
          and h.state < 'released' and (h.state = 'confirmed' or h.expires_at > m.now)
          and (h.during is null or upper(h.during) > m.now)
        group by h.resource, h.holder, r.max_per_holder
        having sum(h.quantity) > r.max_per_holder
    ) as found(rule, resource, hold_id, detail)
    order by found.rule collate "C", found.resource, found.hold_id, found.detail collate "C"
$$;
