-- Run with the caller's rights, unlike the verbs: to grant is the owner's right, or whoever was
-- given it.
create function booking.grant_client(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('grant usage on schema booking to %I', role);
    execute format(
        'grant execute on function booking.hold, booking.hold_best, booking.hold_nights, booking.hold_all, booking.hold_each, '
        'booking.confirm, booking.extend, booking.reschedule, booking.swap_seats, booking.transfer, booking.release, booking.cancel, booking.find, '
        'booking.availability, booking.seat_map, booking.calendar, booking.free_slots, booking.calendar_map, '
        'booking.join_waitlist, booking.leave_waitlist, '
        'booking.acquire_lease, booking.renew_lease, booking.release_lease, booking.check_lease, '
        'booking.require to %I', role);
end
$$;

create function booking.grant_admin(role name) returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    perform booking.grant_client(role);
    execute format(
        'grant execute on function booking.create_pool, booking.create_seats, booking.seat_grid, '
        'booking.create_calendar, booking.set_capacity, booking.set_hours, booking.set_blocked, booking.set_open, '
        'booking.set_contention, '
        'booking.drop_resource, booking.waitlist, booking.changes, booking.expire, booking.purge, booking.check, booking.after_restore, '
        'booking.worker_state, booking.escrow_count to %I', role);
    execute format(
        'grant select on booking.resources, booking.seats, booking.capacity_changes, booking.holds, '
        'booking.hold_changes, booking.waitlist_entries, booking.waitlist, booking.leases, booking.active_leases, booking.worker_status, booking.escrow_status to %I', role);
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
