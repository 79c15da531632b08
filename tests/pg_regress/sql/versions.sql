-- The library refuses to work on the tables of another version, and does not crash.
select booking.library_version() = extversion as "library and extension agree"
from pg_extension where extname = 'booking';
select name from booking.create_pool('versions', 5);
select status from booking.hold('versions', 1, '1 hour', key => 'kept');

-- Says what calls answer while the extension has the version.
create function pg_temp.say(statement text) returns text language plpgsql as $$
begin
    execute statement;
    return 'no error';
exception when others then
    declare
        hint text;
    begin
        get stacked diagnostics hint = pg_exception_hint;
        return concat_ws(E'\n', sqlstate, replace(sqlerrm, booking.library_version(), 'THIS'), hint);
    end;
end
$$;

begin;
select status, replayed from booking.hold('versions', 1, '1 hour', key => 'kept');
-- Every upgrade script creates or replaces a function. From then on, a session that was at work looks again.
update pg_extension set extversion = '0.0.9' where extname = 'booking';
create function pg_temp.of_the_script() returns int language sql as 'select 1';
select pg_temp.say($$select booking.hold('versions')$$);
select pg_temp.say($$select booking.confirm(id) from booking.holds where key = 'kept'$$);
select pg_temp.say($$select booking.release(id) from booking.holds where key = 'kept'$$);
select pg_temp.say($$select booking.hold_all('[{"resource": "versions"}]')$$) ~ '^55000' as hold_all,
       pg_temp.say($$select booking.hold_each('[{"resource": "versions"}]')$$) ~ '^55000' as hold_each,
       pg_temp.say($$select booking.hold_best('versions', 1)$$) ~ '^55000' as hold_best,
       pg_temp.say($$select booking.extend(id) from booking.holds$$) ~ '^55000' as extend,
       pg_temp.say($$select booking.cancel(id) from booking.holds$$) ~ '^55000' as cancel,
       pg_temp.say($$select booking.find(id) from booking.holds$$) ~ '^55000' as find,
       pg_temp.say($$select booking.availability('versions')$$) ~ '^55000' as availability,
       pg_temp.say($$select booking.expire()$$) ~ '^55000' as expire,
       pg_temp.say($$select booking.purge()$$) ~ '^55000' as purge,
       pg_temp.say($$select booking.set_capacity('versions', 9)$$) ~ '^55000' as set_capacity,
       pg_temp.say($$select booking.create_pool('other', 9)$$) ~ '^55000' as create_pool,
       pg_temp.say($$select booking.join_waitlist('versions')$$) ~ '^55000' as join_waitlist,
       pg_temp.say($$select booking.acquire_lease('versions', 'a')$$) ~ '^55000' as acquire_lease
\gx
-- What shows the state goes on.
select count(*) from booking.worker_status;
rollback;

select status, replayed from booking.hold('versions', 1, '1 hour', key => 'kept');
-- Another function is no other version.
begin;
create function pg_temp.of_a_user() returns int language sql as 'select 1';
select status, replayed from booking.hold('versions', 1, '1 hour', key => 'kept');
rollback;

drop function pg_temp.say;
select count(booking.release(id)) from booking.holds where resource = 'versions';
select status from booking.drop_resource('versions');
select * from booking.check();
