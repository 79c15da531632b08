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

insert into rival.resources (name, capacity)
select name, 1000000000 from (select 'hot' union all select 'pool' || n from generate_series(1, 1000) n) as names (name);
select count(booking.create_pool(name, 1000000000)) from rival.resources;
vacuum analyze rival.resources;
vacuum analyze booking.resources;
