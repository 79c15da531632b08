-- What else teams write where everybody wants the same.

select from booking.create_pool('drop', 1000000000, contention => 'escrow');

create table rival.like_holds (like booking.holds including all);

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

create table rival.units (resource text not null, n bigint not null, hold_id uuid, primary key (resource, n))
    with (fillfactor = 70);
create index on rival.units (resource) where hold_id is null;
insert into rival.units (resource, n) select 'hot', n from generate_series(1, 1000000) n;
vacuum analyze rival.units;

-- Whichever is free and nobody has locked.
create function rival.hold_unit(of_resource text, ttl interval, out hold_id uuid, out expires_at timestamptz)
language plpgsql as $$
begin
    insert into rival.holds as h (resource, quantity, expires_at)
    values (of_resource, 1, clock_timestamp() + ttl)
    returning h.id, h.expires_at into hold_id, expires_at;
    update rival.units u set hold_id = hold_unit.hold_id
    from (select ctid as place from rival.units where resource = of_resource and units.hold_id is null
          limit 1 for update skip locked) as free
    where u.ctid = free.place;
end $$;
