-- require() returns a result that is ok, and raises each refusal with an SQLSTATE of its own.
create function refused(of_status text, of_resource text default null, of_detail jsonb default null,
                        of_hold uuid default null, of_seats text[] default null) returns booking.result language sql as $$
    select row(false, of_status, of_hold, of_resource, null, of_seats, null, null, null, 3, 1, false, of_detail)::booking.result $$;
select status from booking.require((true, 'held', null, 'gig', 2, null, null, 'ann', null, 1, 2, false, null)::booking.result);
\set VERBOSITY sqlstate
select booking.require(null);
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
select booking.require(refused('no such status'));
select booking.require(refused(null));
\set VERBOSITY default
\set SHOW_CONTEXT never
select booking.require(refused('unavailable'));
select booking.require(refused('key_reused'));
select booking.require(refused('no such status'));
select booking.require(row(false, null, null, null, null, null, null, null, null, null, null, false, null)::booking.result);

-- Each hint names the resource where a call needs it, quoted as SQL needs it.
select booking.require(refused('unavailable', 'hall', '{"requested": 2, "available": 1, "taken": ["A"]}', of_seats => '{A}'));
select booking.require(refused('unavailable', 'gig', '{"requested": 2, "taken": 3}'));
select booking.require(refused('version_mismatch', 'gig'));
select booking.require(refused('version_mismatch', 'gig', of_hold => '00000000-0000-7000-8000-000000000001'));
select booking.require(refused('limit_exceeded', 'gig', '{"requested": 2, "owned": 1, "max_per_holder": 2}'));
select booking.require(refused('closed', 'Ann''s gig'));
-- Closed and outside its hours are two errors; for a basket, the first refused item decides.
select booking.require(refused('closed', 'Ann''s gig', '{"hours": ["mon 09:00-12:00"], "time_zone": "UTC"}'));
select booking.require(refused('closed', null, '{"items": [{"item": 2, "status": "closed", "resource": "room", "hours": ["mon 09:00-12:00"]}]}'));
select booking.require(refused('closed', null, '{"items": [{"item": 1, "status": "closed", "resource": "gig"}, {"item": 2, "status": "closed", "resource": "room", "hours": []}]}'));
drop function refused(text, text, jsonb, uuid, text[]);

-- The same with results that the verbs return.
begin;
select count(booking.create_calendar('room')), count(booking.create_calendar('court')), count(booking.create_seats('hall', '["A"]'));
select status from booking.set_hours('room', '{"mon": ["09:00-12:00"]}');
select status from booking.set_open('court', false);
select status from booking.hold('hall', seats => '{A}');
savepoint s;
select booking.require(booking.hold('room', during => '[2030-01-01 03:00+00, 2030-01-01 04:00+00)'));
rollback to savepoint s;
select booking.require(booking.hold_all('[{"resource": "room", "during": ["2030-01-01 03:00+00", "2030-01-01 04:00+00"]}]'));
rollback to savepoint s;
select booking.require(booking.hold('court', during => '[2030-01-01 03:00+00, 2030-01-01 04:00+00)'));
rollback to savepoint s;
select booking.require(booking.hold('hall', seats => '{A}'));
rollback;
