-- One statement, hence one snapshot: what is being changed meanwhile is seen wholly or not at all.
create function booking.check(
    out rule text,
    out resource text,
    out hold_id uuid,
    out detail text
) returns setof record
language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
    with moment as materialized (select clock_timestamp() as now),
    live as (
        select h.resource, sum(h.quantity) as quantity
        from booking.holds h
        where h.state in ('held', 'confirmed')
        group by h.resource)
    select 'taken equals the holds', r.name, null::uuid,
           format('taken is %s, held and confirmed are %s', r.taken, coalesce(l.quantity, 0))
    from booking.resources r
    left join live l on l.resource = r.name
    where r.kind = 'pool' and r.escrow is null and r.taken <> coalesce(l.quantity, 0)
    union all
    -- What has changed since this transaction began may be in the count and not to be seen, or the other way round.
    select 'the count equals the holds', r.name, null,
           format('%s are counted, held and confirmed are %s', c.taken, coalesce(l.quantity, 0))
    from booking.resources r
    cross join lateral booking.escrow_count(r.escrow) c
    left join live l on l.resource = r.name
    where c.under_way = 0 and c.changed_at < now() and c.taken <> coalesce(l.quantity, 0)
    union all
    select 'an escrow pool is not counted in its row', r.name, null, format('taken is %s', r.taken)
    from booking.resources r
    where (r.escrow is not null and (r.taken <> 0 or r.kind <> 'pool')) or (r.escrow is null) <> (r.contention = 'locked')
    union all
    select 'never oversold', r.name, null,
           format('held and confirmed are %s of %s', l.quantity, r.capacity + r.overbooking)
    from booking.resources r
    join live l on l.resource = r.name
    where r.kind = 'pool' and l.quantity > r.capacity + r.overbooking
    union all
    select 'a taken seat is its hold''s', s.resource, s.hold_id,
           format('seat %s, hold %s', s.label, coalesce(h.state::text, 'is not there'))
    from booking.seats s
    left join booking.holds h on h.id = s.hold_id and h.resource = s.resource
    where s.hold_id is not null
      and (h.state is null or h.state not in ('held', 'confirmed') or not s.label = any(h.seats))
    union all
    select 'a hold has its seats', h.resource, h.id,
           format('seat %s is %s', l.label,
                  case when s.label is null then 'not there' else coalesce('hold ' || s.hold_id, 'free') end)
    from booking.holds h
    cross join lateral unnest(h.seats) as l(label)
    left join booking.seats s on s.resource = h.resource and s.label = l.label
    where h.state in ('held', 'confirmed') and s.hold_id is distinct from h.id
    union all
    select 'a hold on seats names them', h.resource, h.id,
           format('quantity is %s, seats are %s', h.quantity, coalesce(h.seats::text, 'none'))
    from booking.holds h
    join booking.resources r on r.name = h.resource
    where case r.kind when 'seats' then h.quantity is distinct from cardinality(h.seats)
               else h.seats is not null end
    union all
    select 'a blocked seat is nobody''s', s.resource, s.hold_id, format('seat %s', s.label)
    from booking.seats s
    where s.blocked and s.hold_id is not null
    union all
    select 'waiting equals the line', r.name, null,
           format('waiting is %s, the line is of %s', r.waiting, line.entries)
    from booking.resources r
    cross join lateral (
        select count(*) as entries from booking.waitlist_entries e
        where e.resource = r.name and e.state = 'waiting') as line
    where r.waiting <> line.entries
    union all
    select 'what is free is offered', r.name, null,
           format('%s are free, and the head of the line waits for %s',
                  r.capacity + r.overbooking - coalesce(l.quantity, 0), head.quantity)
    from booking.resources r
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
           format('capacity is %s, seats not blocked are %s, taken is %s', r.capacity, s.open_seats, r.taken)
    from booking.resources r
    cross join lateral (
        select count(*) as open_seats from booking.seats s where s.resource = r.name and not s.blocked) as s
    where r.kind = 'seats' and (r.capacity <> s.open_seats or r.taken <> 0)
    union all
    -- What is over may have had more: the capacity of a calendar is set from a moment on. The most is taken
    -- where a booking begins or a change of the capacity does.
    select 'never over capacity at any moment', over.resource, null,
           format('held and confirmed are %s of %s at %s', over.taken, over.capacity, over.at)
    from (
        select r.name as resource, starts.at,
               coalesce((select c.capacity from booking.capacity_changes c
                         where c.resource = r.name and c.during @> starts.at), r.capacity) as capacity,
               (select sum(h.quantity)
                from (select quantity from booking.holds
                      where hashtextextended(resource, 0) = hashtextextended(r.name, 0)
                        and occupied @> starts.at and resource = r.name
                        and exclusive and state in ('held', 'confirmed')
                      union all
                      select quantity from booking.holds
                      where hashtextextended(resource, 0) = hashtextextended(r.name, 0)
                        and occupied @> starts.at and resource = r.name
                        and not exclusive and state in ('held', 'confirmed')) as h) as taken
        from booking.resources r
        cross join moment m
        cross join lateral (
            select greatest(lower(occupied), m.now) as at from booking.holds
            where resource = r.name and upper(occupied) > m.now and state in ('held', 'confirmed')
            union
            select greatest(bound, m.now) from booking.capacity_changes
            cross join lateral (values (lower(during)), (upper(during))) as bounds(bound)
            where resource = r.name and upper(during) > m.now) as starts
        where r.kind = 'calendar') as over
    where over.taken > over.capacity
    union all
    select 'a hold on a calendar has a period', h.resource, h.id,
           format('it is from %s to %s, occupied to %s, exclusive %s',
                  lower(h.during), upper(h.during), upper(h.occupied), h.exclusive)
    from booking.holds h
    join booking.resources r on r.name = h.resource
    where case r.kind when 'calendar'
              then (h.occupied = tstzrange(lower(h.during), upper(h.during) + r.buffer)
                    and (h.exclusive = (r.capacity <= 1) or r.resized and h.exclusive is not null)
                    and lower_inc(h.during) and not upper_inc(h.during)
                    and upper(h.during) < 'infinity') is not true
              else h.during is not null or h.occupied is not null or h.exclusive is not null end
    union all
    select 'a calendar keeps its own clock', r.name, null,
           format('%s, time zone %s, buffer %s, from %s to %s', r.kind, r.time_zone, r.buffer, r.check_in, r.check_out)
    from booking.resources r
    where (r.kind = 'calendar') <> (num_nulls(r.time_zone, r.buffer, r.check_in, r.check_out, r.resized) = 0)
       or (r.kind <> 'calendar'
           and num_nonnulls(r.time_zone, r.buffer, r.check_in, r.check_out, r.hours, r.resized) > 0)
       or (r.kind = 'calendar' and r.taken <> 0)
    union all
    select 'a change of capacity has a calendar', c.resource, null, format('%s during %s', c.capacity, c.during)
    from booking.capacity_changes c
    where not exists (
        select from booking.resources r where r.name = c.resource and r.kind = 'calendar' and r.resized)
    union all
    select 'a seat has a resource', s.resource, s.hold_id, format('seat %s', s.label)
    from booking.seats s
    where not exists (select from booking.resources r where r.name = s.resource and r.kind = 'seats')
    union all
    select 'a hold has a resource', h.resource, h.id, format('it is %s', h.state)
    from booking.holds h
    where not exists (select from booking.resources r where r.name = h.resource)
    union all
    select 'a hold''s times follow its state', h.resource, h.id,
           format('%s, placed %s, expires %s, confirmed %s, ended %s',
                  h.state, h.placed_at, h.expires_at, h.confirmed_at, h.ended_at)
    from booking.holds h
    where h.expires_at <= h.placed_at
       or (h.ended_at is not null) <> (h.state in ('released', 'cancelled', 'expired'))
       or (h.confirmed_at is not null) <> (h.state in ('confirmed', 'cancelled'))
    union all
    select 'a key has a fingerprint', h.resource, h.id, format('its key is %L', h.key)
    from booking.holds h
    where (h.key is null) <> (h.fingerprint is null)
    union all
    select 'a key has one hold', h.resource, null, format('key %L has %s holds', h.key, count(*))
    from booking.holds h
    where h.key is not null
    group by h.key, h.resource, h.item
    having count(*) > 1
    union all
    select 'a token is given out once', l.name, null, format('token %s is that of %s leases', l.token, count(*))
    from booking.leases l
    group by l.name, l.token
    having count(*) > 1
    union all
    select 'a holder has one lease of a name', l.name, null, format('%L has %s', l.holder, count(*))
    from booking.leases l
    where l.released_at is null and l.expires_at > (select now from moment)
    group by l.name, l.holder
    having count(*) > 1
    union all
    select 'a holder stays within max_per_holder', h.resource, null,
           format('%L has %s of %s', h.holder, sum(h.quantity), r.max_per_holder)
    from booking.holds h
    join booking.resources r on r.name = h.resource
    cross join moment m
    where r.max_per_holder is not null
      and (h.state = 'confirmed' or (h.state = 'held' and h.expires_at > m.now))
      and (h.during is null or upper(h.during) > m.now)
    group by h.resource, h.holder, r.max_per_holder
    having sum(h.quantity) > r.max_per_holder
$$;

create function booking.require(result booking.result) returns booking.result
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
    -- SQLSTATEs of class RS: those whose class begins with a letter from I on are no standard's.
    -- "busy" is what PostgreSQL itself says of a lock that was not to be had.
    sqlstates constant jsonb := '{
        "unavailable": "RS001", "expired": "RS002", "already_confirmed": "RS003",
        "not_confirmed": "RS004", "not_found": "RS005", "version_mismatch": "RS006",
        "key_reused": "RS007", "limit_exceeded": "RS008", "closed": "RS009",
        "released": "RS010", "cancelled": "RS011", "waiting": "RS012", "left": "RS013",
        "busy": "55P03"}';
    hints constant jsonb := '{
        "unavailable": "Ask for less, or try again when a hold has run out or was released.",
        "expired": "Place a new hold; a payment may be confirmed with late => ''reacquire''.",
        "already_confirmed": "Cancel it to give it back; refund a second payment.",
        "not_confirmed": "Release it to give it back.",
        "not_found": "It was purged, or its resource was dropped, or it never was.",
        "version_mismatch": "Read it again and decide anew.",
        "key_reused": "Use a new key for a new request.",
        "limit_exceeded": "Ask for less, or give back what the holder has.",
        "closed": "It can be opened with booking.set_open(resource, true).",
        "released": "Place a new hold.",
        "cancelled": "Place a new hold.",
        "waiting": "It is not held yet: booking.find(hold_id) tells when it is.",
        "left": "Join the waitlist again.",
        "busy": "Try again."}';
begin
    if result is null then
        raise exception using
            errcode = 'null_value_not_allowed',
            message = 'argument "result" must not be null';
    end if;
    if result.ok then
        return result;
    end if;
    raise exception using
        errcode = coalesce(sqlstates ->> result.status, 'RS000'),
        message = format('booking refused: %s', replace(result.status, '_', ' ')),
        detail = coalesce(nullif(concat_ws(', ',
            'hold ' || result.hold_id::text,
            'available ' || result.available::text,
            'version ' || result.version::text,
            result.detail::text), ''), 'Nothing more is known.'),
        hint = coalesce(hints ->> result.status, 'It is no answer of this extension.');
end
$$;
