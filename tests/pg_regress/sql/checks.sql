-- booking.check(): each rule that no other test breaks by hand, and calendars from now on.
set timezone = 'UTC';
begin;
select count(booking.create_pool('gig', 3, contention => 'locked'));
select status from booking.hold('gig', 3, key => 'a', ttl => '1 h');
select status from booking.join_waitlist('gig', 1, key => 'w');
select * from booking.check();
savepoint sound;

-- waiting equals the line
update booking.resources set waiting = 2 where name = 'gig';
select rule, resource, hold_id, detail from booking.check();
rollback to savepoint sound;
update booking.resources set waiting = 0 where name = 'gig';
select rule, resource, hold_id, detail from booking.check();
rollback to savepoint sound;
update booking.resources set waiting = 1 where name = 'gig';
delete from booking.waitlist_entries;
select rule, resource, hold_id, detail from booking.check();
rollback to savepoint sound;

-- what is free is offered: to the head of the line, unless the resource is closed or limits its holders
update booking.holds set quantity = 1 where key = 'a';
update booking.resources set taken = 1 where name = 'gig';
select rule, resource, hold_id, detail from booking.check();
savepoint free;
update booking.resources set open = false where name = 'gig';
select * from booking.check();
rollback to savepoint free;
update booking.resources set max_per_holder = 9 where name = 'gig';
select * from booking.check();
rollback to savepoint free;
update booking.waitlist_entries set quantity = 3;
select * from booking.check();
rollback to savepoint sound;

-- who was offered something has a hold: check() reads the last hour only, since a hold may be purged
update booking.waitlist_entries set state = 'offered', ended_at = clock_timestamp();
update booking.resources set waiting = 0 where name = 'gig';
select rule, resource, hold_id = (select id from booking.waitlist_entries) as its_id, detail from booking.check();
update booking.waitlist_entries set ended_at = ended_at - interval '61 minutes';
select * from booking.check();
rollback to savepoint sound;

-- an escrow pool is not counted in its row
update booking.resources set contention = 'escrow' where name = 'gig';
select rule, resource, hold_id, detail from booking.check();
rollback to savepoint sound;
update booking.resources set escrow = gen_random_uuid(), contention = 'escrow' where name = 'gig';
select rule, resource, hold_id, detail from booking.check();
rollback;

-- the count equals the holds: compared in a transaction after the one that changed it. Without
-- shared_preload_libraries there is no count, and check() finds nothing.
do $$
declare
    found record;
begin
    if current_setting('shared_preload_libraries') = '' then
        return;
    end if;
    perform booking.create_pool('drop', 3, contention => 'escrow');
    perform booking.hold('drop', 2, key => 'a', ttl => '1 h');
    commit;
    assert not exists (select from booking.check()), 'sound';
    update booking.holds set quantity = 1 where key = 'a';
    commit;
    select into strict found * from booking.check();
    assert found.rule = 'the count equals the holds' and found.resource = 'drop', found.rule;
    assert found.detail = '2 are counted, held and confirmed are 1', found.detail;
    update booking.holds set quantity = 2 where key = 'a';
    commit;
    assert not exists (select from booking.check()), 'sound again';
    perform booking.release((select id from booking.holds where key = 'a'));
    perform booking.drop_resource('drop');
end
$$;

-- never over capacity at any moment: the places of a calendar as they are taken and given back
begin;
create function at_hour(from_hour numeric, to_hour numeric) returns tstzrange language sql as
    $$ select tstzrange('2030-06-03'::timestamptz + from_hour * interval '1 hour', '2030-06-03'::timestamptz + to_hour * interval '1 hour') $$;
create function book(label text, places bigint, at tstzrange) returns void language sql as $$
    insert into booking.holds (id, resource, quantity, during, occupied, exclusive, state, placed_at, expires_at, key, fingerprint)
    values (gen_random_uuid(), 'hotel', places, at, at, false, 'held', clock_timestamp(), clock_timestamp() + interval '1 h', label, gen_random_uuid()) $$;
create view found as select resource, detail from booking.check() where rule = 'never over capacity at any moment';
select count(booking.create_calendar('hotel', 3));
select status from booking.set_capacity('hotel', 5, at_hour(12, 14));
select status from booking.set_capacity('hotel', 1, at_hour(14, 16));
savepoint empty;
-- A hold that ends at a time is not taken any more when another begins then.
select book('a', 3, at_hour(8, 9)), book('b', 3, at_hour(9, 10)), book('c', 2, at_hour(10, 11)), book('d', 1, at_hour(10, 12));
select book('e', 5, at_hour(12, 14)), book('f', 1, at_hour(14, 16)), book('g', 3, at_hour(16, 18));
select * from found;
-- A row for each time at which a booking begins while too much is taken; two that begin together make one row.
select book('h', 1, at_hour(8.5, 10.5));
select * from found;
rollback to savepoint empty;
-- A row where a higher capacity ends, and one where a lower capacity begins.
select book('a', 4, at_hour(12, 15));
select * from found;
rollback to savepoint empty;
select book('a', 2, at_hour(13, 17));
select * from found;
rollback to savepoint empty;
-- A row where a low capacity ends and a still lower usual one takes over.
update booking.resources set capacity = 0 where name = 'hotel';
select book('a', 1, at_hour(15, 17));
select * from found;
rollback to savepoint empty;
-- An ended hold takes nothing; an overdue one does until it is marked as expired; other calendars do not count.
select count(booking.create_calendar('other', 3));
select book('a', 3, at_hour(8, 9)), book('b', 3, at_hour(8, 9));
update booking.holds set state = 'released', ended_at = clock_timestamp() where key = 'a';
select * from found;
update booking.holds set state = 'held', ended_at = null, resource = 'other' where key = 'a';
select * from found;
update booking.holds set resource = 'hotel', placed_at = placed_at - interval '2 h', expires_at = expires_at - interval '2 h' where key = 'a';
select * from found;
rollback to savepoint empty;
-- From now on: past times do not matter, and a booking that has begun is taken now.
select book('a', 4, '[2001-01-01, 2001-01-02)');
select * from found;
select book('b', 4, '[2001-01-01, 2099-01-02)');
select resource, regexp_replace(detail, ' at .*', '') as detail, substring(detail from ' at (.*)')::timestamptz - clock_timestamp() between '-1 min' and '0' as now
from found where detail !~ '2030';
rollback to savepoint empty;
-- A period without an end: only a superuser can write it.
select book('a', 4, '[2030-06-03,)');
select * from found;
rollback to savepoint empty;
-- More at once than a bigint can hold.
select book('a', 9223372036854775807, at_hour(1, 2)), book('b', 9223372036854775807, at_hour(1, 2));
select * from found;
rollback;
reset timezone;
