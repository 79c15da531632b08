\echo Use "alter extension booking update" to load this file. \quit

-- Sessions compare the versions again once a function was replaced, so every upgrade script begins like this. It refuses
-- to go on with the library of another version, whose statements are not for the tables as they will be.
create or replace function booking.library_version() returns text
language c strict stable parallel safe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'library_version_wrapper';
do $$
begin
    if booking.library_version() <> '0.2.0' then
        raise exception using
            errcode = 'object_not_in_prerequisite_state',
            message = format('the library of booking has version %s', booking.library_version()),
            hint = 'Install the library of version 0.2.0, and restart the server.';
    end if;
end
$$;
