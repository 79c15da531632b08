-- What else teams write where everybody wants the same.

select from booking.create_pool('drop', 1000000000, contention => 'escrow');
select from booking.create_pool('auto', 1000000000);

create table rival.like_holds (like booking.holds including all);

-- The smallest table that could hold a hold: what it is, until when, and one hold for a key.
create table rival.smallest_holds (
    id uuid primary key,
    resource text not null,
    quantity bigint not null,
    expires_at timestamptz not null,
    key text
);
create unique index on rival.smallest_holds (key, resource) where key is not null;

create table rival.units (resource text not null, n bigint not null, hold_id uuid, primary key (resource, n))
    with (fillfactor = 70);
create index on rival.units (resource) where hold_id is null;
insert into rival.units (resource, n) select 'hot', n from generate_series(1, 1000000) n;
vacuum analyze rival.units;

-- Whichever is free and nobody has locked.
create function rival.hold_unit(of_resource text, ttl interval, out hold_id uuid, out expires_at timestamptz)
language plpgsql as $$
declare
    place tid;
begin
    select ctid into place from rival.units where resource = of_resource and units.hold_id is null
    limit 1 for update skip locked;
    if found then
        insert into rival.holds as h (resource, quantity, expires_at)
        values (of_resource, 1, clock_timestamp() + ttl)
        returning h.id, h.expires_at into hold_id, expires_at;
        update rival.units u set hold_id = hold_unit.hold_id where ctid = place;
    end if;
end $$;
