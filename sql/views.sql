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
