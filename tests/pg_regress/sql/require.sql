-- require(): what is ok passes, every refusal has an SQLSTATE of its own.
create function refused(of_status text) returns booking.result language sql as
    $$ select (false, of_status, null, null, 3, 1, null, false, null)::booking.result $$;
select (booking.require((true, 'held', null, null, 1, 2, null, false, null)::booking.result)).status;
\set VERBOSITY sqlstate
select booking.require(refused('unavailable'));
select booking.require(refused('expired'));
select booking.require(refused('already_confirmed'));
select booking.require(refused('not_confirmed'));
select booking.require(refused('not_found'));
select booking.require(refused('version_mismatch'));
select booking.require(refused('key_reused'));
select booking.require(refused('limit_exceeded'));
select booking.require(refused('closed'));
select booking.require(refused('released'));
select booking.require(refused('cancelled'));
select booking.require(refused('waiting'));
select booking.require(refused('left'));
select booking.require(refused('busy'));
\set VERBOSITY default
\set SHOW_CONTEXT never
select booking.require(refused('unavailable'));
select booking.require(refused('key_reused'));
drop function refused(text);
