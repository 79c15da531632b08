-- Made here, without "if not exists": a schema of this name that somebody else owns must stop the
-- installation, since its owner could replace whatever the extension puts into it.
create schema booking;

create type booking.result as (
    ok boolean,
    status text,
    hold_id uuid,
    expires_at timestamptz,
    version bigint,
    available bigint,
    seats text[],
    replayed boolean,
    detail jsonb
);

-- A hot pool's row is rewritten by every hold, so it is kept narrow and most of its page is left
-- empty: the new versions stay on the page (HOT) and the index on the name is left alone.
create table booking.resources (
    name text collate "C" primary key check (length(name) between 1 and 255),
    kind text collate "C" not null check (kind in ('pool')),
    contention text collate "C" not null check (contention in ('locked')),
    capacity bigint not null check (capacity >= 0),
    overbooking bigint not null check (overbooking >= 0),
    taken bigint not null default 0,
    version bigint not null default 1,
    open boolean not null default true,
    max_per_holder bigint check (max_per_holder >= 1),
    created_at timestamptz not null,
    metadata jsonb,
    constraint resources_never_oversold check (taken between 0 and capacity + overbooking)
) with (fillfactor = 20);

create table booking.holds (
    id uuid not null,
    resource text collate "C" not null,
    item integer not null default 1 check (item >= 1),
    quantity bigint not null check (quantity >= 1),
    state text collate "C" not null
        check (state in ('held', 'confirmed', 'released', 'cancelled', 'expired')),
    version bigint not null default 1,
    placed_at timestamptz not null,
    expires_at timestamptz not null,
    confirmed_at timestamptz,
    ended_at timestamptz,
    key text collate "C" check (length(key) between 1 and 255),
    fingerprint uuid,
    holder text collate "C" check (length(holder) between 1 and 255),
    reference text collate "C" check (length(reference) between 1 and 255),
    metadata jsonb,
    primary key (id, resource),
    constraint holds_live_past_placement check (expires_at > placed_at),
    constraint holds_ended_when_over check ((ended_at is not null) = (state in ('released', 'cancelled', 'expired'))),
    constraint holds_confirmed_once_confirmed check (
        case state when 'confirmed' then confirmed_at is not null
                   when 'cancelled' then confirmed_at is not null
                   else confirmed_at is null end),
    constraint holds_key_has_fingerprint check ((key is null) = (fingerprint is null))
);

-- One hold for a key, however often it is asked for.
create unique index holds_key on booking.holds (key, resource, item) where key is not null;
-- What is due anywhere: expire() and the worker.
create index holds_due on booking.holds (expires_at) where state = 'held';
-- What is held on one resource: availability(), and a full pool that ends its own expired holds.
create index holds_held on booking.holds (resource, expires_at) where state = 'held';
-- What a holder has on one resource: max_per_holder.
create index holds_holder on booking.holds (resource, holder)
    where holder is not null and state in ('held', 'confirmed');
-- What the retention has run out for: purge().
create index holds_over on booking.holds (ended_at) where state in ('released', 'expired');

select pg_catalog.pg_extension_config_dump('booking.resources', '');
select pg_catalog.pg_extension_config_dump('booking.holds', '');
