-- The requests that wait, and the offers that are not confirmed yet.
create view booking.waitlist as
    select entries.resource,
           case when entries.state = 'waiting' then
               row_number() over (partition by entries.resource, entries.state order by entries."position")
           end as "position",
           entries.id,
           entries.quantity,
           entries.seats,
           entries.during,
           entries.holder,
           entries.state,
           entries.joined_at,
           holds.placed_at as offered_at,
           holds.expires_at
    from booking.waitlist_entries as entries
    left join booking.holds as holds
        on entries.state = 'offered' and holds.id = entries.id and holds.resource = entries.resource
    where entries.state = 'waiting'
       or (holds.state = 'held' and holds.expires_at > pg_catalog.clock_timestamp());

-- In SQL and not in Rust: it only reads, and is as fast.
create function booking.waitlist(resource text) returns setof booking.waitlist
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select * from booking.waitlist as line
    where line.resource = waitlist.resource
    order by line."position" nulls first, line.offered_at
$$;
