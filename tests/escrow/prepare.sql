-- The tests that have pools run once more in this database. create_pool() creates an escrow pool here, unless
-- the caller sets contention.
do $$
begin
    execute replace(pg_get_functiondef('booking.create_pool'::regproc), '''auto''::text', '''escrow''::text');
end
$$;

-- Returns the count that the tests read in a locked pool's row.
create function public.taken(of text) returns bigint language sql
as $$
    select coalesce(sum(quantity), 0)::bigint
    from booking.holds join booking.resources on name = resource and kind = 'pool'
    where resource = of and state in ('held', 'confirmed')
$$;
