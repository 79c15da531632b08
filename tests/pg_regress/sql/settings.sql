load 'booking';
-- A setting of the server's start does not exist if the library is loaded later.
select name, setting, unit,
       case when name = 'booking.escrow_entries' and current_setting('shared_preload_libraries') = '' and context = 'sighup'
            then 'postmaster' else context end as context,
       min_val, max_val from pg_settings
where name like 'booking.%' and name not in ('booking.worker', 'booking.direct') order by name;
-- The tests run with this one off as well.
select name, boot_val, context from pg_settings where name = 'booking.direct';
show booking.default_ttl;
show booking.max_ttl;
show booking.max_period;
show booking.sweep_interval;
show booking.retention;
set booking.defualt_ttl = '1min';
\set VERBOSITY sqlstate
set booking.default_ttl = 0;
\set VERBOSITY default
set booking.sweep_interval = '1s';
select name from booking.create_pool('gig', 3);
set booking.default_ttl = '1min';
select expires_at <= clock_timestamp() + interval '1 minute' as short from booking.hold('gig');
-- The default duration never exceeds the greatest one that is allowed.
set booking.max_ttl = '30s';
select expires_at <= clock_timestamp() + interval '30 seconds' as shorter from booking.hold('gig');
select booking.hold('gig', 1, '31 seconds');
create role settings_client;
select booking.grant_client('settings_client');
set role settings_client;
set booking.max_ttl = '10d';
set booking.max_period = '10d';
reset role;
reset booking.max_ttl;
select booking.revoke_all('settings_client');
drop role settings_client;
delete from booking.holds;
delete from booking.resources;
