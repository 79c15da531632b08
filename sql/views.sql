create view booking.worker_status as
    select w.state,
           w.last_sweep,
           w.last_expired,
           w.total_expired,
           greatest(pg_catalog.clock_timestamp() - due.earliest, interval '0') as behind,
           w.last_error,
           w.last_error_at
    from booking.worker_state() as w
    cross join (select min(expires_at) as earliest from booking.holds where state = 'held') as due;

-- An escrow pool is counted in shared memory from the first call that asks for it; until then the left join
-- finds no count.
create view booking.escrow_status as
    select r.name as resource,
           r.capacity,
           r.overbooking,
           c.taken,
           r.capacity + r.overbooking - c.taken as available,
           c.under_way,
           c.counted_at,
           c.changed_at
    from booking.resources as r
    left join lateral booking.escrow_count(r.escrow) as c on true
    where r.escrow is not null;
