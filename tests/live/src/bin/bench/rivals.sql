-- What the extension is measured against: the same work as a competent team writes it.

create schema rival;

create table rival.resources (
    name text primary key,
    capacity bigint not null check (capacity >= 0),
    overbooking bigint not null default 0 check (overbooking >= 0),
    taken bigint not null default 0,
    version bigint not null default 1,
    open boolean not null default true,
    check (taken between 0 and capacity + overbooking)
) with (fillfactor = 20);

create table rival.holds (
    id uuid primary key default gen_random_uuid(),
    resource text not null,
    quantity bigint not null check (quantity > 0),
    state text not null default 'held'
        check (state in ('held', 'confirmed', 'released', 'cancelled', 'expired')),
    version bigint not null default 1,
    placed_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    confirmed_at timestamptz,
    ended_at timestamptz,
    key text,
    holder text,
    reference text
);
create unique index on rival.holds (key, resource) where key is not null;
create index on rival.holds (expires_at) where state = 'held';
create index on rival.holds (resource, expires_at) where state = 'held';
create index on rival.holds (ended_at) where state in ('released', 'expired');

create table rival.bare_holds (
    id uuid primary key default gen_random_uuid(),
    resource text not null,
    quantity bigint not null,
    expires_at timestamptz not null
);
create index on rival.bare_holds (expires_at);

-- The same logic: what is open, what is left, and all that the caller wants to know.
create function rival.hold(
    of_resource text, of_quantity bigint, ttl interval,
    out ok boolean, out hold_id uuid, out expires_at timestamptz, out available bigint)
language plpgsql as $$
begin
    update rival.resources r
    set taken = taken + of_quantity, version = version + 1
    where name = of_resource and open and taken + of_quantity <= capacity + overbooking
    returning capacity + overbooking - taken into available;
    ok := found;
    if ok then
        insert into rival.holds as h (resource, quantity, expires_at)
        values (of_resource, of_quantity, clock_timestamp() + ttl)
        returning h.id, h.expires_at into hold_id, expires_at;
    end if;
end $$;

create function rival.confirm(of_hold uuid, of_reference text) returns boolean
language plpgsql as $$
declare
    hold rival.holds;
begin
    select * into hold from rival.holds where id = of_hold for update;
    if hold.state = 'held' and hold.expires_at > clock_timestamp() then
        update rival.holds
        set state = 'confirmed', confirmed_at = clock_timestamp(), reference = of_reference,
            version = version + 1
        where id = of_hold;
        return true;
    end if;
    return hold.state = 'confirmed' and hold.reference = of_reference;
end $$;

-- The least that cannot oversell: no state, no version, no answer but an id.
create function rival.bare_hold(of_resource text, of_quantity bigint, ttl interval) returns uuid
language plpgsql as $$
declare
    hold_id uuid;
begin
    update rival.resources set taken = taken + of_quantity
    where name = of_resource and taken + of_quantity <= capacity;
    if found then
        insert into rival.bare_holds (resource, quantity, expires_at)
        values (of_resource, of_quantity, clock_timestamp() + ttl)
        returning id into hold_id;
    end if;
    return hold_id;
end $$;

-- Read, then write if nobody else has meanwhile; otherwise once more.
create function rival.hold_optimistically(
    of_resource text, of_quantity bigint, ttl interval,
    out ok boolean, out hold_id uuid, out expires_at timestamptz)
language plpgsql as $$
declare
    seen rival.resources;
begin
    loop
        select * into seen from rival.resources where name = of_resource and open;
        if seen.taken + of_quantity > seen.capacity + seen.overbooking then
            ok := false;
            return;
        end if;
        update rival.resources set taken = taken + of_quantity, version = version + 1
        where name = of_resource and version = seen.version;
        exit when found;
    end loop;
    ok := true;
    insert into rival.holds as h (resource, quantity, expires_at)
    values (of_resource, of_quantity, clock_timestamp() + ttl)
    returning h.id, h.expires_at into hold_id, expires_at;
end $$;

-- All of them or none; each locks the rows in the order of their names, so that no two wait for each other.
create function rival.hold_all(of_resources text[], ttl interval, out ok boolean, out hold_ids uuid[])
language plpgsql as $$
declare
    wanted record;
begin
    for wanted in select name, count(*) as quantity from unnest(of_resources) as name group by name order by name loop
        update rival.resources r
        set taken = taken + wanted.quantity, version = version + 1
        where name = wanted.name and open and taken + wanted.quantity <= capacity + overbooking;
        if not found then
            raise 'sold out: %', wanted.name;
        end if;
    end loop;
    with placed as (
        insert into rival.holds (resource, quantity, expires_at)
        select name, 1, clock_timestamp() + ttl from unnest(of_resources) as name
        returning id)
    select true, array_agg(id) into ok, hold_ids from placed;
end $$;

-- Ends what has run out, and gives it back.
create function rival.expire(max_rows int) returns bigint
language sql as $$
    with due as (
        select id from rival.holds where state = 'held' and expires_at <= clock_timestamp()
        order by expires_at limit max_rows for update skip locked),
    ended as (
        update rival.holds h set state = 'expired', ended_at = clock_timestamp()
        from due where h.id = due.id returning h.resource, h.quantity),
    sums as (select resource, sum(quantity) as quantity from ended group by resource order by resource),
    given_back as (
        update rival.resources r set taken = taken - sums.quantity, version = version + 1
        from sums where r.name = sums.resource)
    select count(*) from ended
$$;

insert into rival.resources (name, capacity)
select name, 1000000000 from (select 'hot' union all select 'pool' || n from generate_series(1, 1000) n) as names (name);
select count(booking.create_pool(name, 1000000000)) from rival.resources;
vacuum analyze rival.resources;
vacuum analyze booking.resources;
