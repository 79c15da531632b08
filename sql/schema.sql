-- Made here, without "if not exists": a schema of this name that somebody else owns must stop the
-- installation, since its owner could replace whatever the extension puts into it.
create schema booking;

-- While an extension is installed, the schemas of those that it requires are on the path, and whoever may
-- create functions in btree_gist's could have one of his in an index here: lower(tstzrange) suits better
-- than the server's own lower(anyrange), and would run with the owner's rights.
set local search_path = pg_catalog, pg_temp;

create type booking.result as (
    ok boolean,
    status text,
    hold_id uuid,
    resource text,
    quantity bigint,
    seats text[],
    during tstzrange,
    holder text,
    expires_at timestamptz,
    version bigint,
    available bigint,
    replayed boolean,
    detail jsonb
);

create type booking.lease_result as (
    ok boolean,
    status text,
    name text,
    holder text,
    token bigint,
    expires_at timestamptz
);

create type booking.resource_kind as enum ('pool', 'seats', 'calendar');
create type booking.contention as enum ('locked', 'escrow');
create type booking.waitlist_state as enum ('waiting', 'offered', 'left');
-- In the order of a hold's life: from released on, it is over.
create type booking.hold_state as enum ('held', 'confirmed', 'released', 'cancelled', 'expired');

-- PostgreSQL parses every check of a table anew in each statement that writes it; those of a domain
-- are kept for the session. So one check stands on a table, the one that a double booking would
-- have to break; bounds of single columns are domains, and the rest is for booking.check(). With
-- checks for all of it a hold took half as long again. For the same reason states are enums.
create domain booking.amount as bigint check (value >= 0);
create domain booking.quantity as bigint check (value > 0);

-- A hot pool's row is rewritten by every hold, so it is kept narrow and most of its page is left
-- empty: the new versions stay on the page (HOT) and the index on the name is left alone.
create table booking.resources (
    name text collate "C" primary key,
    kind booking.resource_kind not null,
    contention booking.contention not null,
    escrow uuid,
    capacity booking.amount not null,
    overbooking booking.amount not null,
    taken bigint not null default 0,
    version bigint not null default 1,
    open boolean not null default true,
    max_per_holder booking.quantity,
    sections text[] collate "C",
    time_zone text,
    buffer interval,
    check_in time,
    check_out time,
    hours text[] collate "C",
    resized boolean,
    waiting bigint not null default 0,
    skip boolean not null default false,
    created_at timestamptz not null,
    metadata jsonb,
    constraint resources_never_oversold check (taken between 0 and capacity + overbooking)
) with (fillfactor = 20);

-- One column for the owner: two of them cannot be written down. Whoever ends a hold clears its seats
-- in the same statement or transaction, so a seat without an owner is free and there is no other
-- truth to ask.
create table booking.seats (
    resource text collate "C" not null,
    label text collate "C" not null,
    section text collate "C" not null,
    "row" text collate "C" not null,
    "position" integer not null,
    rank integer not null,
    middle integer not null,
    hold_id uuid,
    blocked boolean not null default false,
    primary key (resource, label)
);

-- The free seats as they lie in the plan: hold_best() looks at the first few of them, however many
-- are sold.
create index seats_free on booking.seats (resource, rank, "position") where hold_id is null and not blocked;

-- Where a calendar's capacity is not the usual one. Two that overlap would contradict each other.
create table booking.capacity_changes (
    resource text collate "C" not null,
    during tstzrange not null,
    capacity booking.amount not null,
    primary key (resource, during),
    constraint capacity_changes_apart exclude using gist (resource with =, during with &&)
);

create table booking.holds (
    id uuid not null,
    resource text collate "C" not null,
    basket uuid,
    item integer not null default 1,
    quantity booking.quantity not null,
    seats text[] collate "C",
    during tstzrange,
    occupied tstzrange,
    exclusive boolean,
    state booking.hold_state not null,
    version bigint not null default 1,
    placed_at timestamptz not null,
    expires_at timestamptz not null,
    confirmed_at timestamptz,
    ended_at timestamptz,
    key text collate "C",
    fingerprint uuid,
    holder text collate "C",
    reference text collate "C",
    metadata jsonb,
    primary key (id, resource)
);

-- Packed, each of an index's ranges would be unpacked to be compared: a tenth of a hold on a calendar.
alter table booking.holds alter column occupied set storage plain;

-- The last line: where there is one place, two bookings of it that overlap cannot be written down. The index
-- compares numbers, which is quicker than names, and names only where all else agrees.
alter table booking.holds add constraint holds_never_double_booked
    exclude using gist (hashtextextended(resource, 0) with =, occupied with &&, resource with =)
    where (exclusive and state in ('held', 'confirmed'));

-- Where there is one place, its bookings lie one after the other, and the last that begins before a period
-- ends tells whether anything overlaps: a fifth of the cost of looking through the constraint's index.
create index holds_in_turn on booking.holds (resource, lower(occupied))
    where exclusive and state in ('held', 'confirmed');
-- What overlaps a period, where there are more places; no hold is in both.
create index holds_occupied on booking.holds using gist (hashtextextended(resource, 0), occupied)
    where not exclusive and state in ('held', 'confirmed');

-- One hold for a key, however often it is asked for.
create unique index holds_key on booking.holds (key, resource, item) where key is not null;
-- The holds of a basket.
create index holds_basket on booking.holds (basket) where basket is not null;
-- What is due anywhere: expire() and the worker.
create index holds_due on booking.holds (expires_at) where state = 'held';
-- What is live on one resource: availability(), a full pool that ends its own expired holds, and what an escrow
-- pool counts. A calendar looks for what overlaps.
create index holds_live on booking.holds (resource, state, expires_at) include (quantity)
    where state in ('held', 'confirmed') and during is null;
-- What a holder has on one resource: max_per_holder.
create index holds_holder on booking.holds (resource, holder)
    where holder is not null and state in ('held', 'confirmed');
-- When holds were placed, confirmed and ended: changes(). A summary of each range of pages, since holds are
-- placed in the order of time: three such trees would cost each hold more than its others.
create index holds_times on booking.holds using brin (placed_at, confirmed_at, ended_at) with (pages_per_range = 32);
-- What the retention has run out for: purge().
create index holds_over on booking.holds (ended_at) where state in ('released', 'expired');

-- Who waits for what is taken. Its id becomes the id of the hold that is offered.
create table booking.waitlist_entries (
    id uuid not null,
    resource text collate "C" not null,
    "position" bigint not null,
    quantity booking.quantity not null,
    seats text[] collate "C",
    during tstzrange,
    holder text collate "C",
    offer_ttl interval not null,
    key text collate "C",
    fingerprint uuid,
    state booking.waitlist_state not null default 'waiting',
    joined_at timestamptz not null,
    ended_at timestamptz,
    metadata jsonb,
    primary key (id, resource)
);

-- The line, from its head; and its end, behind which the next one joins.
create unique index waitlist_entries_line on booking.waitlist_entries (resource, "position")
    where state = 'waiting';
-- One place in the line for a key, however often it is asked for.
create unique index waitlist_entries_key on booking.waitlist_entries (key, resource) where key is not null;
-- What the retention has run out for: purge().
create index waitlist_entries_over on booking.waitlist_entries (ended_at) where state <> 'waiting';

-- A row for each of those that may have a name at once. It stays when the lease is over: the next token is
-- counted from it. No index but the key's, so that a grant and a renewal stay on the page (HOT).
create table booking.leases (
    name text collate "C" not null,
    slot integer not null,
    holder text collate "C" not null,
    token bigint not null,
    acquired_at timestamptz not null,
    expires_at timestamptz not null,
    released_at timestamptz,
    primary key (name, slot)
) with (fillfactor = 40);

-- One row, made by the first grant, so that a dump that brings one finds none in its place.
create table booking.lease_epochs (
    sole boolean primary key check (sole),
    floor booking.amount not null,
    system_identifier bigint not null,
    timeline integer not null
);

create view booking.active_leases as
    select name, slot, holder, token, acquired_at, expires_at
    from booking.leases
    where released_at is null and expires_at > pg_catalog.clock_timestamp();

select pg_catalog.pg_extension_config_dump('booking.waitlist_entries', '');
select pg_catalog.pg_extension_config_dump('booking.leases', '');
select pg_catalog.pg_extension_config_dump('booking.lease_epochs', '');
select pg_catalog.pg_extension_config_dump('booking.resources', '');
select pg_catalog.pg_extension_config_dump('booking.seats', '');
select pg_catalog.pg_extension_config_dump('booking.capacity_changes', '');
select pg_catalog.pg_extension_config_dump('booking.holds', '');
