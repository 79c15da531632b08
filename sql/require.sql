create function booking.require(result booking.result) returns booking.result
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
declare
    -- What the refusal is about. Of a basket, the first item that was refused: it gave the basket its status.
    about jsonb;
    resource text;
    hours_refuse boolean;
begin
    if require.result is null then
        raise exception using
            errcode = 'null_value_not_allowed',
            message = 'argument "result" must not be null';
    end if;
    if result.ok then
        return result;
    end if;
    about := coalesce(result.detail #> '{items,0}', result.detail);
    resource := coalesce(result.resource, about ->> 'resource');
    hours_refuse := coalesce(result.status = 'closed' and about ? 'hours', false);
    raise exception using
        -- Class RS: the SQL standard leaves classes that begin with I to Z to implementations. "busy" has the
        -- code with which PostgreSQL itself says that it did not get a lock.
        errcode = case result.status
            when 'unavailable' then 'RS001'
            when 'expired' then 'RS002'
            when 'already_confirmed' then 'RS003'
            when 'not_confirmed' then 'RS004'
            when 'not_found' then 'RS005'
            when 'version_mismatch' then 'RS006'
            when 'key_reused' then 'RS007'
            when 'limit_exceeded' then 'RS008'
            when 'closed' then 'RS009'
            when 'released' then 'RS010'
            when 'cancelled' then 'RS011'
            when 'waiting' then 'RS012'
            when 'left' then 'RS013'
            when 'busy' then '55P03'
            else 'RS000' end,
        message = format('booking refused: %s',
            case when hours_refuse then 'outside the hours' else replace(result.status, '_', ' ') end),
        detail = coalesce(nullif(concat_ws(', ',
            'resource "' || resource || '"',
            'hold ' || result.hold_id::text,
            'available ' || result.available::text,
            'version ' || result.version::text,
            result.detail::text), ''), 'The result says nothing more.'),
        hint = case result.status
            when 'unavailable' then case
                when jsonb_typeof(about -> 'taken') = 'number' then
                    'More is taken than that. Set a higher capacity, or end some holds first.'
                when result.seats is not null and resource is not null then
                    format('Name other seats: booking.seat_map(%L) draws which are free.', resource)
                else 'Ask for less, or try again when a hold has expired or was released.' end
            when 'expired' then
                'Place a new hold. If it was paid for, booking.confirm(hold_id, late => ''reacquire'') takes the place again while it is free.'
            when 'already_confirmed' then
                'To give it back, call booking.cancel(hold_id). Refund a second payment.'
            when 'not_confirmed' then 'To give it back, call booking.release(hold_id).'
            when 'not_found' then
                'No hold has this id on this resource; it may have been purged, or dropped with its resource.'
            when 'version_mismatch' then case
                when result.hold_id is not null then
                    'Read the hold again with booking.find(hold_id), and decide with the version that it has now.'
                when resource is not null then
                    format('Read the resource again with booking.availability(%L), and decide with the version that it has now.', resource)
                else 'Read it again, and decide with the version that it has now.' end
            when 'key_reused' then 'Use a new key for a new request.'
            when 'limit_exceeded' then case
                when resource is not null then
                    format('Ask for less, or give back some of what the holder has on %L.', resource)
                else 'Ask for less, or give back some of what the holder has.' end
            when 'closed' then case
                when hours_refuse and resource is not null then
                    format('Ask for a period within its hours, or change them with booking.set_hours(%L, hours).', resource)
                when hours_refuse then
                    'Ask for a period within its hours, or change them with booking.set_hours(resource, hours).'
                when resource is not null then
                    format('booking.set_open(%L, true) opens it for new holds.', resource)
                else 'booking.set_open(resource, true) opens it for new holds.' end
            when 'released' then 'Place a new hold.'
            when 'cancelled' then 'Place a new hold.'
            when 'waiting' then 'It is not held yet. booking.find(hold_id) says held once it is.'
            when 'left' then 'To wait again, call booking.join_waitlist().'
            when 'busy' then
                'Another transaction has the lock. Try again, or wait longer for it: wait => true, and a higher lock_timeout.'
            else 'No function of this extension returns such a status.' end;
end
$$;
