-- These run with the caller's rights, unlike the verbs: only the owner of the extension's objects, or a role that
-- has the grant option on them, can grant them.
--
-- Each function stands in one list. What a wider role may do is what the narrower one may, and more.

-- Looks and holds. Nothing here ends what a buyer has paid for, and nothing here makes a hold final.
create function booking.grant_browser(role name) returns void
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

create function booking.grant_client(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    perform booking.grant_browser(role);
    execute format(
        'grant execute on function '
        'booking.confirm, booking.cancel, booking.reschedule, booking.swap_seats, booking.transfer, '
        'booking.acquire_lease, booking.renew_lease, booking.release_lease, booking.check_lease to %I', role);
end
$$;

-- Sees how things are going, and nobody's name: counts, states, and the ids of holds that break a rule.
create function booking.grant_monitor(role name) returns void
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

create function booking.grant_admin(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    perform booking.grant_client(role);
    perform booking.grant_monitor(role);
    execute format(
        'grant execute on function '
        'booking.create_pool, booking.create_seats, booking.seat_grid, booking.create_calendar, '
        'booking.set_capacity, booking.set_hours, booking.set_blocked, booking.set_open, '
        'booking.set_contention, booking.drop_resource, '
        'booking.waitlist, booking.changes, '
        'booking.expire, booking.purge, booking.after_restore to %I', role);
    execute format(
        'grant select on booking.resources, booking.seats, booking.capacity_changes, booking.holds, '
        'booking.hold_changes, booking.waitlist_entries, booking.waitlist, '
        'booking.leases, booking.active_leases to %I', role);
end
$$;

create function booking.revoke_all(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('revoke all on all functions in schema booking from %I', role);
    execute format('revoke all on all tables in schema booking from %I', role);
    execute format('revoke all on schema booking from %I', role);
end
$$;
