-- The schema is made here, without "if not exists": if another role owns a schema of this name, the
-- installation must stop, since that role could replace what the extension puts into it.
create schema booking;

-- While PostgreSQL installs an extension, the schemas of the extensions that it requires are on the path. A
-- role that may create functions in btree_gist's schema could get one of its own into an index here:
-- lower(tstzrange) suits better than the server's own lower(anyrange), and would run with the owner's rights.
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
create type booking.contention as enum ('locked', 'escrow', 'auto');
create type booking.waitlist_state as enum ('waiting', 'offered', 'left');
-- In the order of a hold's life: from released on, the hold has ended.
create type booking.hold_state as enum ('held', 'confirmed', 'released', 'cancelled', 'expired');

-- PostgreSQL parses every check of a table again in each statement that writes the table, and keeps the
-- checks of a domain for the session. So a table has one check, the one that a double booking would have to
-- break; bounds of single columns are domains, and booking.check() verifies the rest. With checks for all of
-- it, a hold took one and a half times as long. For the same reason states are enums.
create domain booking.amount as bigint check (value >= 0);
create domain booking.quantity as bigint check (value > 0);

-- Every hold on a pool rewrites the pool's row. So the row is narrow and most of its page is left empty: new
-- versions stay on the page (HOT), and PostgreSQL does not touch the index on the name.
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

-- One column for the owner: a seat cannot have two. What ends a hold clears its seats in the same statement or
-- transaction. So a seat without an owner is free, and nothing else has to be asked.
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

-- The free seats in the order of the plan: hold_best() reads the first few of them, however many are sold.
create index seats_free on booking.seats (resource, rank, "position") where hold_id is null and not blocked;

-- The periods in which a calendar's capacity is not the usual one. Two that overlap would contradict each other.
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

-- Stored plain: the server would unpack a packed range of an index for every comparison, which is a tenth of
-- the time of a hold on a calendar.
alter table booking.holds alter column occupied set storage plain;

-- The last line: of one place, two bookings that overlap cannot be written. The index compares the hashes of names
-- first, which is faster, and the names only if all else agrees.
alter table booking.holds add constraint holds_never_double_booked
    exclude using gist (hashtextextended(resource, 0) with =, occupied with &&, resource with =)
    where (exclusive and state in ('held', 'confirmed'));

-- The bookings of one place follow each other. The last one that begins before a period ends tells whether any
-- overlaps the period, at a fifth of the cost of a search in the constraint's index.
create index holds_in_turn on booking.holds (resource, lower(occupied))
    where exclusive and state in ('held', 'confirmed');
-- The bookings that overlap a period, if there are more places. No hold is in both indexes.
create index holds_occupied on booking.holds using gist (hashtextextended(resource, 0), occupied)
    where not exclusive and state in ('held', 'confirmed');

-- One hold for a key, however often the request is repeated.
create unique index holds_key on booking.holds (key, resource, item) where key is not null;
-- The holds of a basket.
create index holds_basket on booking.holds (basket) where basket is not null;
-- For expire() and the worker: what is due, on any resource.
create index holds_due on booking.holds (expires_at) where state = 'held';
-- For availability(), for a full pool that ends its own expired holds, and for the count of an escrow pool:
-- what is live on one resource. A calendar looks for what overlaps instead.
create index holds_live on booking.holds (resource, state, expires_at) include (quantity)
    where state in ('held', 'confirmed') and during is null;
-- For max_per_holder: what a holder has on one resource.
create index holds_holder on booking.holds (resource, holder)
    where holder is not null and state in ('held', 'confirmed');
-- For changes(): what happened last to a hold. Whatever happened to it after a moment, its last change did too.
create index holds_changed on booking.holds (greatest(placed_at, confirmed_at, ended_at));
-- For purge(): what has ended unconfirmed, by the time of its end.
create index holds_over on booking.holds (ended_at) where state in ('released', 'expired');

-- The requests that wait for what is taken. The hold that is offered gets the id of the request.
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

-- The line, from its head to its end, where the next request joins.
create unique index waitlist_entries_line on booking.waitlist_entries (resource, "position")
    where state = 'waiting';
-- One place in the line for a key, however often the request is repeated.
create unique index waitlist_entries_key on booking.waitlist_entries (key, resource) where key is not null;
-- For purge(): requests that wait no more, by the time at which they left the line.
create index waitlist_entries_over on booking.waitlist_entries (ended_at) where state <> 'waiting';

-- A row for each slot of a name. It stays when the lease has ended, since the next token is counted from it. The
-- primary key is the only index, so that a grant and a renewal stay on the page (HOT).
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

-- One row. The first grant makes it, so that a restored dump can bring its own.
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
