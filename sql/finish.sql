-- Last, when every function is there: PostgreSQL lets everybody call a new one, and these run with
-- their owner's rights.
revoke all on schema booking from public;
revoke all on all tables in schema booking from public;
revoke all on all functions in schema booking from public;

comment on schema booking is 'Holds, confirmations and expiry: nothing is booked twice.';

comment on type booking.result is
'The answer of every verb: whether it was done (ok), the state reached or the reason it was not (status), and where things stand.';
comment on column booking.result.ok is 'Whether what was asked for is the case now.';
comment on column booking.result.status is
'The state reached: held, confirmed, released, cancelled, expired, waiting, left, changed, dropped. Or why not: unavailable, busy, expired, already_confirmed, not_confirmed, not_found, version_mismatch, key_reused, limit_exceeded, closed.';
comment on column booking.result.hold_id is 'The hold, to be confirmed, extended, released and cancelled by.';
comment on column booking.result.expires_at is 'When the hold runs out, unless it is confirmed.';
comment on column booking.result.version is
'The version of the hold, or of the resource where the call was about the resource: to be passed as expected_version.';
comment on column booking.result.available is
'How much of the resource is left; of seats that were not to be had, how many were.';
comment on column booking.result.seats is
'The seats of the hold, or those that were not to be had; null where there are none, and for a basket.';
comment on column booking.result.replayed is 'Whether it had been so before this call.';
comment on column booking.result.detail is 'More about a refusal; the items of a basket; when a hold on a calendar is; which one in the line waits.';

comment on type booking.lease_result is
'The answer of every verb about a lease: whether it was done (ok), and how the lease stands.';
comment on column booking.lease_result.ok is 'Whether what was asked for is the case now.';
comment on column booking.lease_result.status is
'acquired, renewed, released. Or why not: unavailable (others have it), busy (it is being decided), expired (its time ran out, or it passed on), released, not_found.';
comment on column booking.lease_result.name is 'The name of the lease.';
comment on column booking.lease_result.holder is 'Who has it, or had.';
comment on column booking.lease_result.token is
'The fencing token, higher than any that was given out for this name before; null where others have it.';
comment on column booking.lease_result.expires_at is 'Until when it is had, unless it is renewed.';

comment on domain booking.amount is 'How much, nothing included.';
comment on domain booking.quantity is 'How much, one at least.';
comment on type booking.resource_kind is 'The kinds of resources.';
comment on type booking.contention is 'How a pool stands up to many at once.';
comment on type booking.waitlist_state is 'Where somebody who waited stands.';
comment on type booking.hold_state is 'Where a hold stands, in the order of its life.';

comment on table booking.resources is
'What can be booked, one row each. Change it with the functions of the schema, never by hand.';
comment on column booking.resources.name is 'The application''s name for it.';
comment on column booking.resources.kind is
'pool: places that are counted and not told apart. seats: places with names. calendar: places that are counted at every moment.';
comment on column booking.resources.contention is
'locked: one transaction at a time changes it. escrow: many at once; what is taken is counted in shared memory.';
comment on column booking.resources.escrow is 'Of an escrow pool: the id of its count.';
comment on column booking.resources.capacity is 'How much there is; of seats, those that are not blocked; of a calendar, where capacity_changes says nothing else.';
comment on column booking.resources.overbooking is 'How much may be taken beyond the capacity.';
comment on column booking.resources.taken is
'What its holds take, held and confirmed; one that has run out is counted until that is written down. Zero for seats, each of which says whose it is, for calendars, whose holds are counted at every moment, and for escrow pools: see escrow_status.';
comment on column booking.resources.version is 'Rises with every change of what is taken, or can be.';
comment on column booking.resources.open is 'Whether new holds are let in.';
comment on column booking.resources.max_per_holder is 'The most that one holder may have live at once.';
comment on column booking.resources.sections is 'Of seats: the sections, in the order in which they lie.';
comment on column booking.resources.time_zone is 'Of a calendar: where its days begin and its hours count.';
comment on column booking.resources.buffer is 'Of a calendar: how long a place stays taken after a booking.';
comment on column booking.resources.check_in is 'Of a calendar: when a night begins, by its clock.';
comment on column booking.resources.check_out is 'Of a calendar: when the last night ends, by its clock.';
comment on column booking.resources.hours is
'Of a calendar: its weekly hours, beyond which nothing new is held; null where it is always open.';
comment on column booking.resources.resized is
'Of a calendar: whether its capacity was ever changed, so that it may be another at other times.';
comment on column booking.resources.waiting is 'How many wait for it: what comes free is offered to them, and to nobody else.';
comment on column booking.resources.skip is
'Whether those who wait may pass by one who needs more than is free.';
comment on column booking.resources.created_at is 'When it was created.';
comment on column booking.resources.metadata is 'Whatever the application keeps with it.';

comment on table booking.seats is
'The seats of resources that have them, one row each. Change it with the functions of the schema, never by hand.';
comment on column booking.seats.resource is 'The resource it belongs to.';
comment on column booking.seats.label is 'Its name, one of its kind on the resource.';
comment on column booking.seats.section is 'The part of the plan it lies in.';
comment on column booking.seats."row" is 'The row it stands in.';
comment on column booking.seats."position" is
'Its place in the row: neighbours differ by one, an aisle leaves a number out.';
comment on column booking.seats.rank is 'Its row''s place in the plan, the front first; a million for each section.';
comment on column booking.seats.middle is 'Twice the middle of its row.';
comment on column booking.seats.hold_id is 'The hold that has it, held or confirmed; null where it is free.';
comment on column booking.seats.blocked is 'Whether it is off the market.';

comment on table booking.capacity_changes is
'Where a calendar''s capacity is not the usual one, a row for each period. Change it with booking.set_capacity(), never by hand.';
comment on column booking.capacity_changes.resource is 'The calendar.';
comment on column booking.capacity_changes.during is 'From when to when, the end not in it.';
comment on column booking.capacity_changes.capacity is 'How much there is then; 0: closed.';

comment on table booking.holds is
'Claims on part of a resource, one row each. Change it with the functions of the schema, never by hand.';
comment on column booking.holds.id is 'A UUID of version 7: sorted by time of placement.';
comment on column booking.holds.resource is 'The resource it is on.';
comment on column booking.holds.basket is 'The basket it was placed with, whose id stands for all of its holds.';
comment on column booking.holds.item is 'Its place in its basket, from 1.';
comment on column booking.holds.quantity is 'How much it takes; of one that has ended, how much it took in the end.';
comment on column booking.holds.seats is 'The labels of its seats; of one that has ended, those it had in the end.';
comment on column booking.holds.during is 'Of a hold on a calendar: from when to when, the end not in it.';
comment on column booking.holds.occupied is
'The same and the calendar''s buffer after it: for so long its place cannot be another''s.';
comment on column booking.holds.exclusive is
'Of a hold on a calendar: whether the capacity was one at the most all the time, so that a constraint keeps others from overlapping.';
comment on column booking.holds.state is
'held, confirmed, released, cancelled or expired. A held one has expired once its time is up, written down or not.';
comment on column booking.holds.version is 'Rises with every change that a caller made; expiry is the clock''s.';
comment on column booking.holds.placed_at is 'When it was placed.';
comment on column booking.holds.expires_at is 'When its time to live runs out, unless it is confirmed.';
comment on column booking.holds.confirmed_at is 'When it was confirmed.';
comment on column booking.holds.ended_at is 'When its end was written down: released, cancelled or expired.';
comment on column booking.holds.key is 'The idempotency key it was placed with.';
comment on column booking.holds.fingerprint is 'What was asked for under the key, hashed: tells a repeated request from another one.';
comment on column booking.holds.holder is 'The application''s name for who holds.';
comment on column booking.holds.reference is 'The application''s id of the confirmation, a payment for instance.';
comment on column booking.holds.metadata is 'Whatever the application keeps with it.';

comment on table booking.waitlist_entries is
'Who waits for what is taken, or has, one row each. Change it with the functions of the schema, never by hand.';
comment on column booking.waitlist_entries.id is 'Its id, which becomes that of the hold that is offered.';
comment on column booking.waitlist_entries.resource is 'The resource that is waited for.';
comment on column booking.waitlist_entries."position" is 'The order in which they joined.';
comment on column booking.waitlist_entries.quantity is 'How much is waited for.';
comment on column booking.waitlist_entries.seats is 'The seats that are waited for; null: any.';
comment on column booking.waitlist_entries.during is 'Of a calendar: when.';
comment on column booking.waitlist_entries.holder is 'The application''s name for who waits.';
comment on column booking.waitlist_entries.offer_ttl is 'How long the hold that is offered lives.';
comment on column booking.waitlist_entries.key is 'The idempotency key it was made with.';
comment on column booking.waitlist_entries.fingerprint is 'What was asked for under the key, hashed.';
comment on column booking.waitlist_entries.state is
'waiting; offered: there is, or was, a hold with its id; left.';
comment on column booking.waitlist_entries.joined_at is 'When it was made.';
comment on column booking.waitlist_entries.ended_at is 'When it was offered a hold, or left.';
comment on column booking.waitlist_entries.metadata is 'Whatever the application keeps with it, and with the hold.';

comment on view booking.hold_changes is
'When holds were placed, confirmed and ended, a row for each: what booking.changes() reads. What was changed otherwise, extended, moved, given back in part, keeps no time.';
comment on column booking.hold_changes.changed_at is 'When it was done, by the clock; not when that was committed.';
comment on column booking.hold_changes.change is 'held, confirmed, released, cancelled, expired.';
comment on column booking.hold_changes.quantity is 'How much the hold takes now, or took in the end.';

comment on view booking.waitlist is
'Who waits, in which order; and who was offered a hold and has not confirmed it yet.';
comment on column booking.waitlist."position" is 'Which one in the line it is, from 1; null of one who was offered a hold.';
comment on column booking.waitlist.expires_at is 'When the offer runs out.';

comment on table booking.leases is
'Names that somebody has for a while, a row for each of those who may have one at once. Change it with the functions of the schema, never by hand.';
comment on column booking.leases.name is 'The application''s name for what is leased.';
comment on column booking.leases.slot is 'Which of those who may have it at once, from 1.';
comment on column booking.leases.holder is 'The application''s name for who has it, or had it last.';
comment on column booking.leases.token is 'The token it was granted with, higher than any before.';
comment on column booking.leases.acquired_at is 'When it was granted.';
comment on column booking.leases.expires_at is 'When its time runs out.';
comment on column booking.leases.released_at is 'When it was given back before that.';

comment on table booking.lease_epochs is
'One row: above which token leases count, and in which server''s history, so that no token is given out twice after a promotion or a restore.';
comment on column booking.lease_epochs.sole is 'True: there is one row.';
comment on column booking.lease_epochs.floor is 'The token up to which none is given out.';
comment on column booking.lease_epochs.system_identifier is 'The server that tokens are counted on.';
comment on column booking.lease_epochs.timeline is 'Its timeline: a promotion begins another.';

comment on view booking.active_leases is 'The leases that are had now.';

comment on view booking.escrow_status is
'How escrow pools stand. Without a count where it is not in memory: it is counted when the pool is next asked for.';
comment on column booking.escrow_status.taken is 'What is held and confirmed, and what transactions under way have taken; what they are freeing included.';
comment on column booking.escrow_status.available is 'What can be taken at once, but for what has run out and was not ended yet.';
comment on column booking.escrow_status.under_way is 'How many transactions have taken or freed something and are not over, each of their savepoints counted.';
comment on column booking.escrow_status.counted_at is 'When its holds were counted.';
comment on column booking.escrow_status.changed_at is 'When the count last changed.';

comment on view booking.worker_status is
'The background worker in this database: what it does, its last sweep, how far behind it is, its last error.';
comment on column booking.worker_status.state is
'running; off (booking.worker); standby (it waits for the promotion); starting; absent (booking is not in shared_preload_libraries).';
comment on column booking.worker_status.last_sweep is 'When it last swept this database, since the server started.';
comment on column booking.worker_status.last_expired is 'How many holds that sweep ended.';
comment on column booking.worker_status.total_expired is 'How many holds it has ended since the server started.';
comment on column booking.worker_status.behind is
'For how long the oldest overdue hold has been so; zero where none is overdue.';
comment on column booking.worker_status.last_error is 'The last error it met here, since the server started.';
comment on column booking.worker_status.last_error_at is 'When it met that.';

comment on function booking.create_pool is
'Creates a pool: capacity places that are counted and not told apart. overbooking more may be taken; max_per_holder bounds what one holder has live; skip lets those who wait pass by one who needs more than is free. contention => ''escrow'': for what everybody wants at once, counted in shared memory and not in its row. Errors: 42710 it exists, 22023 a bad argument, 22004 a null one, 55000 escrow without shared_preload_libraries.';
comment on function booking.create_seats is
'Creates a resource with seats: an array of {label, section, row, position}, of which only the label is needed, or of labels; the front first. booking.seat_grid() makes one. Errors: 42710 it exists, 22023 a bad argument, naming the seat, 22004 a null one, 54000 too many.';
comment on function booking.seat_grid is
'Seats for booking.create_seats(): rows numbered from 1, a seat for each letter, an aisle for each space. seat_grid(30, ''ABC DEF''). Several are joined with ||.';
comment on function booking.seat_map is
'The plan of a resource with seats, drawn in text: rows and aisles as they lie, what is free, held, confirmed and blocked. Changes nothing, works on a standby. Errors: 42704, 22023 it has no seats, 22004.';
comment on function booking.set_blocked is
'Takes seats off the market, or puts them back: all of these or none. unavailable, naming them, where some are held or confirmed. Errors: 42704, 22023 unknown seats, 22004.';
comment on function booking.create_calendar is
'Creates a calendar: capacity places at every moment, a room (1) or the double rooms of a hotel (40). time_zone, check_in and check_out say when its nights are; buffer is how long a place stays taken after each booking. Errors: 42710 it exists, 22023 a bad argument, 22004 a null one.';
comment on function booking.set_hours is
'Sets the weekly hours of a calendar, by its own clock: {"mon": ["09:00-12:00", "13:00-17:00"]}. Beyond them nothing new is held; a day that is not named is closed; null: always open. Holds that exist are not touched. Errors: 42704, 22023, 54000.';
comment on function booking.set_capacity is
'Sets the capacity of a pool, or of a calendar: for good, or during a period (0 closes it, null takes back what was said of it). unavailable where more is taken, at any moment from now on, than would fit; version_mismatch where it changed since expected_version. Errors: 42704, 22023, 22004.';
comment on function booking.set_open is
'Opens a resource for new holds, or closes it. Holds that exist are not touched. Errors: 42704, 22004.';
comment on function booking.set_contention is
'Has what is taken of a pool counted in its row (locked), or in shared memory (escrow), where many take from it at once. Waits until all who have something under way on it are through. escrow for what is so already: counts the holds anew. Errors: 42704, 22023, 22004, 55000 escrow without shared_preload_libraries.';
comment on function booking.drop_resource is
'Drops a resource, its seats, its waitlist, and the holds on it that have ended. Errors: 55000 while anything is held or confirmed, 42704, 22004.';
comment on function booking.hold is
'Holds quantity (1) of a pool, or of a calendar at every moment during a period, or the seats named, for ttl (booking.default_ttl). The same key and arguments again: that hold as it stands now, replayed. wait => false: busy instead of waiting. Refusals: unavailable, closed, limit_exceeded, version_mismatch, key_reused, busy. Errors: 42704, 22023, 22004, 54000.';
comment on function booking.hold_best is
'Holds so many seats for ttl (booking.default_ttl), the best there are: side by side in one row, near the front and the middle, leaving no single seat alone if that can be avoided. together => false: the closest ones where no row has so many side by side. section: only there. Passes over what others are taking, and waits for them only before it says unavailable. Refusals: unavailable, closed, limit_exceeded, key_reused, busy. Errors: 42704, 22023, 22004, 54000.';
comment on function booking.hold_nights is
'Holds quantity (1) of a calendar from the check-in of one day to the check-out of another, by its own clock, for ttl (booking.default_ttl). detail says from when to when that is. Refusals: those of hold. Errors: 42704, 22023, 22004.';
comment on function booking.reschedule is
'Moves a hold on a calendar, held or confirmed, to another period, or leaves it where it is: its own place does not count against it, and it keeps its id, state and expiry. Refusals: unavailable, closed, limit_exceeded, expired, released, cancelled, not_found, version_mismatch, busy. Errors: 22023, 22004.';
comment on function booking.swap_seats is
'Moves a hold to other seats, as many as it has, or leaves it where it is: what it has is never let go first. It keeps its id, state and expiry. Refusals: unavailable, closed, expired, released, cancelled, not_found, version_mismatch, busy. Errors: 22023, 22004.';
comment on function booking.transfer is
'Makes a hold, or a basket, another holder''s, held or confirmed. Refusals: limit_exceeded, expired, released, cancelled, not_found, version_mismatch, busy. Errors: 22023, 22004.';
comment on function booking.hold_all is
'Holds a basket for ttl (booking.default_ttl), all of it or nothing: items [{"resource": …, "quantity": …}, {"resource": …, "seats": […]}, {"resource": …, "best": 2, "section": …}, {"resource": …, "during": ["2026-12-24T15:00Z", "2026-12-24T16:00Z"]}, {"resource": …, "nights": ["2026-12-24", "2026-12-27"]}], 100 at most. Its hold_id stands for all of it, and each item has its own, in detail. A refusal''s detail lists every item that was short. Refusals: those of hold. Errors: those of hold, naming the item.';
comment on function booking.hold_each is
'Places many independent holds in one call and answers each in its order, as booking.hold() and booking.hold_best() would have: requests [{"resource": …, "quantity": … | "seats": […] | "best": … | "during": … | "nights": …, "ttl": …, "key": …, "holder": …, "expected_version": …, "metadata": …}], 10,000 at most. Errors: those of hold, naming the request; then none is placed.';
comment on function booking.confirm is
'Confirms a hold for good. Again with the same reference, or none: confirmed, replayed. late => ''reacquire'' confirms an expired hold if its place is still free. Refusals: expired, already_confirmed, released, cancelled, not_found, version_mismatch, limit_exceeded, busy. Errors: 22023, 22004.';
comment on function booking.extend is
'Lets a hold live for ttl (booking.default_ttl) from now: never shorter than it would have, never longer than booking.max_ttl after its placement. Refusals: expired, already_confirmed, released, cancelled, not_found, version_mismatch, busy. Errors: 22023, 22004.';
comment on function booking.release is
'Gives a hold back before it is confirmed, or quantity or some seats of it. Of what has ended already: ok, with the state it has. Refusals: already_confirmed, not_found, version_mismatch, busy. Errors: 22023, 22004.';
comment on function booking.cancel is
'Gives a confirmed hold back, or quantity or some seats of it. Refusals: not_confirmed, not_found, version_mismatch, busy. Errors: 22023, 22004.';
comment on function booking.find is
'Where a hold or basket stands now; not_found where there is none. Changes nothing, works on a standby. Errors: 22023, 22004.';
comment on function booking.availability is
'How a resource is used now: capacity, confirmed, held, available (with overbooking), version, and when the next hold runs out. Of a calendar: during a period (or now), at the moment at which the least is left, its buffer and its hours considered. Changes nothing, works on a standby. Errors: 42704, 22023, 22004.';
comment on function booking.calendar is
'A calendar over time, a row for each step, days and months by its own clock: capacity, confirmed, held and available at the moment at which the least is left while it is open; zeros where it is closed. Changes nothing, works on a standby. Errors: 42704, 22023, 22004, 54000 more than 100,000 rows.';
comment on function booking.free_slots is
'Where something of that duration still fits, and how much is left there: slots every step (the duration), counted from when the calendar opens, or from the beginning of during where it has no hours. Changes nothing, works on a standby. Errors: 42704, 22023, 22004, 54000 more than 100,000 slots.';
comment on function booking.calendar_map is
'A month of a calendar, drawn in text: below each day, the least that is left on it. Changes nothing, works on a standby. Errors: 42704, 22023, 22004.';
comment on function booking.expire is
'Ends up to max_holds holds whose time has run out and returns how many; what other transactions have locked is passed over, and what is due on more than 1,000 resources is left for the next call. With a resource: that one''s, waiting for its turn. For a scheduler, where the worker does not do it. Errors: 42704, 22023, 22004.';
comment on function booking.purge is
'Deletes up to max_rows holds that were released or expired, entries of waitlists and leases that were over, longer ago than older_than (booking.retention) and returns how many. Errors: 22023, 22004.';
comment on function booking.check is
'Every invariant of the tables, one row for each violation: none when they are sound. Reads all holds.';
comment on function booking.require is
'The result where it is ok, else an exception. SQLSTATEs: RS001 unavailable, RS002 expired, RS003 already_confirmed, RS004 not_confirmed, RS005 not_found, RS006 version_mismatch, RS007 key_reused, RS008 limit_exceeded, RS009 closed, RS010 released, RS011 cancelled, RS012 waiting, RS013 left, 55P03 busy.';
comment on function booking.join_waitlist is
'Waits for quantity (1) of what is taken: of a pool, of any seats or those named, of a calendar during a period. First come, first served: what comes free is held for the head of the line at once, for offer_ttl (booking.default_ttl), under the id returned here; booking.find(id) tells waiting, then held. Held at once where it is free and nobody waits. The same key and arguments again: where it stands now, replayed. Refusals: unavailable (more than there is at all), closed (outside its hours), limit_exceeded, key_reused, busy. Errors: 42704, 22023, 22004, 54000.';
comment on function booking.leave_waitlist is
'Waits no more, or gives back what was offered: it goes to the next. Refusals: already_confirmed, not_found, busy. Errors: 22004.';
comment on function booking.waitlist(text) is
'Who waits for a resource, and who was offered a hold and has not answered yet, offers first.';
comment on function booking.changes is
'What happened to holds after a time, the earliest first: to be asked again with the last changed_at. Ends before the earliest time that a transaction still under way can have written, so that nothing is missed; all changes of one time come together, so that there may be more rows than max_rows. Not on a standby, and only in read committed. Errors: 0A000, 22023, 22004.';
comment on function booking.acquire_lease is
'Has a name for ttl (booking.default_ttl), with a token that is higher than any given out for it before; slots may have it at once. Who has it already: renewed, with the same token. wait => true: lines up, first come, first served, until lock_timeout. Refusals: unavailable, with who has it and until when, busy. Errors: 22023, 22004.';
comment on function booking.renew_lease is
'Lets a lease last for ttl (booking.default_ttl) from now, never shorter than it would have. Refusals: expired, released, not_found, busy. Errors: 22023, 22004.';
comment on function booking.release_lease is
'Gives a lease back before its time. Of what is over already: ok, with how it ended. In a transaction that does nothing else the disk is not waited for: a crash may undo it, and the lease then ends with its time. Refusals: not_found, busy. Errors: 22023, 22004.';
comment on function booking.check_lease is
'Whether the lease with that token is valid; and if so, it does not pass to another before this transaction has ended, however long that takes. To be asked in the transaction that writes. Errors: 22023, 22004.';
comment on function booking.after_restore is
'To be called after a dump or a backup was restored, and after a failover that lost transactions: ends all leases, and lifts their tokens above any that may have been given out since; and after the tables were changed by hand: has escrow pools counted anew. Best while nobody is booking. Errors: none.';
comment on function booking.escrow_count is 'What the view booking.escrow_status is made of.';
comment on function booking.worker_state is 'What the view booking.worker_status is made of.';
comment on function booking.grant_client is
'Lets a role hold, confirm, extend, release, cancel and look. It cannot write the tables.';
comment on function booking.grant_admin is
'Lets a role do all that a client may, create and change resources, expire, purge, check, and read the tables.';
comment on function booking.revoke_all is 'Takes everything in this schema from a role again.';

comment on function booking.call_once_support is
'The planner calls it for each verb that writes. It refuses select (booking.hold(…)).*, which PostgreSQL would run as one call for each column.';

-- Every function that writes and returns a row.
do $$
declare
    verb regprocedure;
begin
    for verb in
        select p.oid from pg_catalog.pg_proc as p
        where p.pronamespace = 'booking'::regnamespace and p.provolatile = 'v'
          and p.prorettype in ('booking.result'::regtype, 'booking.lease_result'::regtype, 'booking.resources'::regtype)
    loop
        execute format('alter function %s support booking.call_once_support', verb);
    end loop;
end
$$;
