-- Last, when every function exists: PostgreSQL lets everybody call a new function, and these run with their
-- owner's rights.
revoke all on schema booking from public;
revoke all on all tables in schema booking from public;
revoke all on all functions in schema booking from public;

-- What the planner expects of these; it would expect a thousand rows.
alter function booking.availability rows 1;
alter function booking.worker_state rows 1;
alter function booking.escrow_count rows 1;

comment on schema booking is 'Holds, confirmations and expiry: nothing is booked twice.';

comment on type booking.result is
'The answer of a function that acts on a hold or a resource: whether it did what you asked for (ok), the state that was reached or the reason for the refusal (status), and how the hold or the resource stands now.';
comment on column booking.result.ok is 'Whether what you asked for is so now. Of find(): whether the hold is live.';
comment on column booking.result.status is
'The state that was reached: held, confirmed, released, cancelled, expired, waiting, left, changed, dropped. Or the reason for the refusal: unavailable, busy, expired, already_confirmed, not_confirmed, not_found, version_mismatch, key_reused, limit_exceeded, closed, or a state in which the hold cannot do this.';
comment on column booking.result.hold_id is
'The id of the hold or the basket: confirm, extend, release and cancel it by this id.';
comment on column booking.result.resource is
'The resource that the answer is about. Null for a basket, whose items are in detail, and for not_found.';
comment on column booking.result.quantity is
'How much the hold takes, or the request in the line waits for. Null for a basket, and in a refusal that is not about a hold.';
comment on column booking.result.seats is
'The seats of the hold. In a refusal, the seats that could not be given. Null for a basket.';
comment on column booking.result.during is
'The period of a hold on a calendar, without its end and without the buffer. Null for a basket.';
comment on column booking.result.holder is
'The holder of the hold, the basket or the request in the line. Null in a refusal that is not about a hold.';
comment on column booking.result.expires_at is 'When the hold expires. Null once it is confirmed.';
comment on column booking.result.version is
'The version of the hold, or of the resource if the call was about the resource. Pass it as expected_version.';
comment on column booking.result.available is
'How much of the resource is left. In a refusal of seats, how many of the seats that you asked for could have been given.';
comment on column booking.result.replayed is 'Whether it was so before this call: the call changed nothing.';
comment on column booking.result.detail is
'More about a refusal; the items of a basket; the position of a request in its line.';

comment on type booking.lease_result is
'The answer of a function that acts on a lease: whether it did what you asked for (ok), and how the lease stands now.';
comment on column booking.lease_result.ok is 'Whether what you asked for is so now.';
comment on column booking.lease_result.status is
'The state that was reached: acquired, renewed, released. Or the reason for the refusal: unavailable (other holders have the name), busy (another transaction decides on it at this moment), expired (its time ran out, or the name passed to another holder), released, not_found.';
comment on column booking.lease_result.name is 'The name of the lease.';
comment on column booking.lease_result.holder is 'The holder that has the lease, or had it.';
comment on column booking.lease_result.token is
'The fencing token: higher than every token that was given out for this name before. Null if other holders have the name.';
comment on column booking.lease_result.expires_at is 'When the lease expires, unless it is renewed.';

comment on domain booking.amount is 'A number of places, from 0.';
comment on domain booking.quantity is 'A number of places, from 1.';
comment on type booking.resource_kind is 'The kinds of resources: pool, seats, calendar.';
comment on type booking.contention is
'How a pool is counted: locked, in its row; escrow, in shared memory, so that many transactions can take from it at once; auto, in shared memory while many wait for it, and in its row otherwise.';
comment on type booking.waitlist_state is 'The states of a request in a line.';
comment on type booking.hold_state is 'The states of a hold, in the order of its life. From released on, the hold has ended.';

comment on table booking.resources is
'What can be booked, a row for each resource. Change it with the functions of the schema, never by hand.';
comment on column booking.resources.name is 'Your name for the resource.';
comment on column booking.resources.kind is
'pool: places that are counted and not told apart. seats: places with names. calendar: places that are counted at every moment.';
comment on column booking.resources.contention is
'locked: one transaction at a time changes the resource. escrow: many transactions at once take from the pool, which is counted in shared memory. auto: locked, and escrow while many wait for it.';
comment on column booking.resources.escrow is 'Of a pool that is counted in shared memory: the id of its count.';
comment on column booking.resources.capacity is
'How many places there are. Of seats: those that are not blocked. Of a calendar: the capacity at every moment for which capacity_changes has no row.';
comment on column booking.resources.overbooking is 'How much more than the capacity may be taken.';
comment on column booking.resources.taken is
'Of a locked pool: how much its held and confirmed holds take. An expired hold counts until its end is written down. Always 0 for seats (each seat names its hold), for calendars (their holds are counted at every moment), and for escrow pools (see booking.escrow_status).';
comment on column booking.resources.version is
'Rises with every change of the row: of what is taken, or of what can be.';
comment on column booking.resources.open is 'Whether the resource takes new holds.';
comment on column booking.resources.max_per_holder is
'The most that one holder may have live on this resource. Null: no limit.';
comment on column booking.resources.sections is 'Of seats: the names of the sections, in the order in which they lie.';
comment on column booking.resources.time_zone is
'Of a calendar: the time zone of its days, its nights and its hours.';
comment on column booking.resources.buffer is 'Of a calendar: how long a place stays taken after a booking.';
comment on column booking.resources.check_in is 'Of a calendar: when a night begins, by its own clock.';
comment on column booking.resources.check_out is 'Of a calendar: when the last night ends, by its own clock.';
comment on column booking.resources.hours is
'Of a calendar: its weekly hours. Outside them nothing new is held. Null: always open.';
comment on column booking.resources.resized is
'Of a calendar: whether its capacity was ever changed, so that it may be different at different times.';
comment on column booking.resources.waiting is
'How many requests wait for the resource. What comes free is offered to them, and to nobody else.';
comment on column booking.resources.skip is
'Whether a request in the line may pass another one that needs more than is free.';
comment on column booking.resources.created_at is 'When the resource was created.';
comment on column booking.resources.metadata is 'What your application keeps with the resource.';

comment on table booking.seats is
'The seats of resources that have seats, a row for each seat. Change it with the functions of the schema, never by hand.';
comment on column booking.seats.resource is 'The resource that the seat belongs to.';
comment on column booking.seats.label is 'The name of the seat. No other seat of the resource has the same name.';
comment on column booking.seats.section is 'The section that the seat lies in.';
comment on column booking.seats."row" is 'The row that the seat lies in.';
comment on column booking.seats."position" is
'The place of the seat in its row. The positions of neighbours differ by one; an aisle leaves a number out.';
comment on column booking.seats.rank is
'The place of the row in the plan, the front row first. Each section begins at the next million.';
comment on column booking.seats.middle is 'Twice the position of the middle of the row.';
comment on column booking.seats.hold_id is 'The held or confirmed hold that has the seat. Null: the seat is free.';
comment on column booking.seats.blocked is 'Whether the seat is off the market.';

comment on table booking.capacity_changes is
'The periods in which a calendar''s capacity is not the usual one, a row for each. Change it with booking.set_capacity(), never by hand.';
comment on column booking.capacity_changes.resource is 'The calendar.';
comment on column booking.capacity_changes.during is 'The period, without its end.';
comment on column booking.capacity_changes.capacity is 'The capacity in that period. 0: nothing can be booked then.';

comment on table booking.holds is
'The claims on parts of resources, a row for each hold. Change it with the functions of the schema, never by hand.';
comment on column booking.holds.id is 'A UUID of version 7: ids sort by the time of placement.';
comment on column booking.holds.resource is 'The resource that the hold is on.';
comment on column booking.holds.basket is 'The id of the basket that the hold was placed with. It stands for all holds of the basket.';
comment on column booking.holds.item is 'The place of the hold in its basket, from 1.';
comment on column booking.holds.quantity is
'How much the hold takes. Of a hold that has ended: how much it took when it ended.';
comment on column booking.holds.seats is
'The labels of its seats. Of a hold that has ended: the seats that it had when it ended.';
comment on column booking.holds.during is 'Of a hold on a calendar: its period, without its end.';
comment on column booking.holds.occupied is
'Of a hold on a calendar: its period and the calendar''s buffer after it. For so long no other hold can have the place.';
comment on column booking.holds.exclusive is
'Of a hold on a calendar: whether the capacity was at most one in all of occupied when the hold was placed or moved. A constraint keeps such holds from overlapping.';
comment on column booking.holds.state is
'held, confirmed, released, cancelled or expired. A held hold has expired once its time is up, even while the row still says held.';
comment on column booking.holds.version is
'Rises with every change that a caller made. Expiry is no such change: the clock ends the hold.';
comment on column booking.holds.placed_at is 'When the hold was placed.';
comment on column booking.holds.expires_at is 'When the hold expires, unless it is confirmed before.';
comment on column booking.holds.confirmed_at is 'When the hold was confirmed.';
comment on column booking.holds.ended_at is 'When the end of the hold was written down: released, cancelled or expired.';
comment on column booking.holds.key is 'The idempotency key of the placement.';
comment on column booking.holds.fingerprint is
'A hash of what was asked for with the key. It tells a repeated request from another one.';
comment on column booking.holds.holder is 'Your name for the person or system that holds.';
comment on column booking.holds.reference is 'Your id for the confirmation: the id of a payment, for instance.';
comment on column booking.holds.metadata is 'What your application keeps with the hold.';

comment on table booking.waitlist_entries is
'The requests that wait for what is taken, or waited, a row for each. Change it with the functions of the schema, never by hand.';
comment on column booking.waitlist_entries.id is 'The id of the request. The hold that is offered gets the same id.';
comment on column booking.waitlist_entries.resource is 'The resource that the request waits for.';
comment on column booking.waitlist_entries."position" is 'The order in which requests joined the line.';
comment on column booking.waitlist_entries.quantity is 'How much the request waits for.';
comment on column booking.waitlist_entries.seats is 'The seats that the request waits for. Null: any seats.';
comment on column booking.waitlist_entries.during is 'Of a calendar: the period that the request waits for.';
comment on column booking.waitlist_entries.holder is 'Your name for the person or system that waits.';
comment on column booking.waitlist_entries.offer_ttl is 'How long the offered hold lives.';
comment on column booking.waitlist_entries.key is 'The idempotency key of the request.';
comment on column booking.waitlist_entries.fingerprint is
'A hash of what was asked for with the key. It tells a repeated request from another one.';
comment on column booking.waitlist_entries.state is
'waiting; offered: a hold with the same id was placed; left.';
comment on column booking.waitlist_entries.joined_at is 'When the request joined the line.';
comment on column booking.waitlist_entries.ended_at is 'When the request was offered a hold, or left the line.';
comment on column booking.waitlist_entries.metadata is
'What your application keeps with the request, and then with the offered hold.';

comment on view booking.hold_changes is
'When holds were placed, confirmed and ended, a row for each: booking.changes() reads it. A hold keeps no time of other changes: that it was extended, moved, transferred, or given back in part.';
comment on column booking.hold_changes.changed_at is
'When the change was made, by the clock. The transaction committed later.';
comment on column booking.hold_changes.change is
'The state that the hold reached: held, confirmed, released, cancelled, expired.';
comment on column booking.hold_changes.hold_id is 'The id of the hold.';
comment on column booking.hold_changes.resource is 'The resource that the hold is on.';
comment on column booking.hold_changes.basket is 'The id of the basket that the hold was placed with.';
comment on column booking.hold_changes.item is 'The place of the hold in its basket, from 1.';
comment on column booking.hold_changes.quantity is
'How much the hold takes now. Of a hold that has ended: how much it took when it ended.';
comment on column booking.hold_changes.seats is
'The labels of the seats that the hold has now. Of a hold that has ended: the seats that it had when it ended.';
comment on column booking.hold_changes.during is 'Of a hold on a calendar: its period as it is now, without its end.';
comment on column booking.hold_changes.holder is 'The holder as it is now.';
comment on column booking.hold_changes.reference is 'Your id for the confirmation, in every row of the hold.';

comment on view booking.waitlist is
'The requests that wait, in the order of each line, and the offers that are not confirmed yet.';
comment on column booking.waitlist.resource is 'The resource that the request waits for.';
comment on column booking.waitlist."position" is 'The place of the request in the line, from 1. Null for an offer.';
comment on column booking.waitlist.id is 'The id of the request, and of the hold that it is offered.';
comment on column booking.waitlist.quantity is 'How much the request waits for.';
comment on column booking.waitlist.seats is 'The seats that the request waits for. Null: any seats.';
comment on column booking.waitlist.during is 'Of a calendar: the period that the request waits for.';
comment on column booking.waitlist.holder is 'Your name for the person or system that waits.';
comment on column booking.waitlist.state is 'waiting, or offered: there is a hold with the same id, which is not confirmed yet.';
comment on column booking.waitlist.joined_at is 'When the request joined the line.';
comment on column booking.waitlist.offered_at is 'When the hold was offered. Null while the request waits.';
comment on column booking.waitlist.expires_at is 'When the offer expires. Null while the request waits.';

comment on table booking.leases is
'The names that holders have for a while, a row for each slot of a name. Change it with the functions of the schema, never by hand.';
comment on column booking.leases.name is 'Your name for what is leased.';
comment on column booking.leases.slot is 'The number of the slot, from 1: several holders may have a name at once.';
comment on column booking.leases.holder is 'Your name for the holder that has the lease, or had it last.';
comment on column booking.leases.token is
'The token that the lease was granted with: higher than every token that was given out for this name before.';
comment on column booking.leases.acquired_at is 'When the lease was granted.';
comment on column booking.leases.expires_at is 'When the lease expires.';
comment on column booking.leases.released_at is 'When the lease was given back before it expired.';

comment on table booking.lease_epochs is
'One row: the number above which tokens are counted, and the server and timeline on which they are counted. A promotion or a restore is noticed by it, so that no token is given out twice.';
comment on column booking.lease_epochs.sole is 'Always true: the table has one row at most.';
comment on column booking.lease_epochs.floor is 'The number above which the next tokens lie.';
comment on column booking.lease_epochs.system_identifier is
'The system identifier of the server on which tokens are counted.';
comment on column booking.lease_epochs.timeline is 'The timeline of that server. A promotion begins a new one.';

comment on view booking.active_leases is 'The leases that are valid now.';
comment on column booking.active_leases.name is 'Your name for what is leased.';
comment on column booking.active_leases.slot is 'The number of the slot, from 1: several holders may have a name at once.';
comment on column booking.active_leases.holder is 'Your name for the holder that has the lease.';
comment on column booking.active_leases.token is
'The token of the lease: higher than every token that was given out for this name before.';
comment on column booking.active_leases.acquired_at is 'When the lease was granted.';
comment on column booking.active_leases.expires_at is 'When the lease expires, unless it is renewed.';

comment on view booking.escrow_status is
'The escrow pools and their counts in shared memory. The columns of the count are null while it is not in memory: the next call that asks for the pool counts its holds.';
comment on column booking.escrow_status.resource is 'The escrow pool.';
comment on column booking.escrow_status.capacity is 'How many places there are.';
comment on column booking.escrow_status.overbooking is 'How much more than the capacity may be taken.';
comment on column booking.escrow_status.taken is
'What is held and confirmed, with what open transactions have taken and without subtracting what they free.';
comment on column booking.escrow_status.available is
'What can be taken at once. An expired hold whose end is not written down yet is still counted as taken.';
comment on column booking.escrow_status.under_way is
'How many open transactions have taken or freed something. Each of their savepoints that did counts as one more.';
comment on column booking.escrow_status.counted_at is 'When the holds of the pool were counted.';
comment on column booking.escrow_status.changed_at is 'When the count last changed.';

comment on view booking.worker_status is
'The background worker in this database: its state, its last sweep, how far it is behind, its last error.';
comment on column booking.worker_status.state is
'running; failing: the last sweep passed over something, see last_error; off: booking.worker is off; standby: the server is a standby, and the worker waits for the promotion; starting; absent: booking is not in shared_preload_libraries.';
comment on column booking.worker_status.last_sweep is
'When the worker last swept this database. Null: not since the server started.';
comment on column booking.worker_status.last_expired is 'How many holds that sweep ended.';
comment on column booking.worker_status.total_expired is
'How many holds the worker has ended in this database since the server started.';
comment on column booking.worker_status.behind is
'For how long the oldest overdue hold has been overdue. Zero: no hold is.';
comment on column booking.worker_status.last_error is
'The last error that the worker met in this database since the server started.';
comment on column booking.worker_status.last_error_at is 'When the worker met that error.';

comment on function booking.create_pool is
'Creates a pool: capacity places that are counted and not told apart. overbooking more may be taken. max_per_holder limits what one holder has live. skip lets a request in the line pass another one that needs more than is free. contention => ''auto'' counts the pool in its row, and in shared memory while many wait for it; ''locked'' and ''escrow'' do always one of the two. if_not_exists returns an alike pool if there is one. Errors: SQLSTATE 42710 it exists, 22023 a bad argument, 22004 a null one, 54000 metadata too large, 55000 escrow without shared_preload_libraries.';
comment on function booking.create_seats is
'Creates a resource with seats from an array of labels, or of objects {label, section, row, position} that need only the label. The front comes first. booking.seat_grid() makes such an array. if_not_exists returns an alike resource if there is one. Errors: SQLSTATE 42710 it exists, 22023 a bad argument (the message names the seat), 22004 a null one, 54000 too many seats or sections, or metadata too large.';
comment on function booking.seat_grid is
'Returns seats for booking.create_seats(): rows numbered from 1, with a seat for each letter and an aisle for each space, as in seat_grid(30, ''ABC DEF''). Join several with ||.';
comment on function booking.seat_map is
'Draws the plan of a resource with seats in text: the rows and aisles as they lie, and which seats are free, held, confirmed and blocked. Changes nothing and works on a standby. Errors: SQLSTATE 42704, 22023 it has no seats, 22004.';
comment on function booking.set_blocked is
'Takes all of these seats off the market, or puts them back. If one of them is held or confirmed, blocks none and names those that are. Refusals: unavailable, busy. Errors: SQLSTATE 42704, 22023 an unknown seat, 22004.';
comment on function booking.create_calendar is
'Creates a calendar: capacity places at every moment. A meeting room has 1, the double rooms of a hotel are 40. time_zone, check_in and check_out say when a night begins and ends. buffer is how long a place stays taken after each booking. if_not_exists returns an alike calendar if there is one. Errors: SQLSTATE 42710 it exists, 22023 a bad argument, 22004 a null one, 54000 metadata too large.';
comment on function booking.set_hours is
'Sets the weekly hours of a calendar by its own clock: {"mon": ["09:00-12:00", "13:00-17:00"]}. Outside them nothing new is held. A day that is not named is closed; null opens the calendar always. Existing holds stay. Refusals: busy. Errors: SQLSTATE 42704, 22023, 22004, 54000.';
comment on function booking.set_capacity is
'Sets the capacity of a pool or a calendar: for good, or of a calendar during a period. 0 closes the period, null takes back what was set for it. Refuses if more is taken than would fit, of a calendar at any moment from now on. Refusals: unavailable, version_mismatch, busy. Errors: SQLSTATE 42704, 22023, 22004.';
comment on function booking.set_open is
'Opens a resource for new holds, or closes it. Existing holds stay. Refusals: busy. Errors: SQLSTATE 42704, 22004.';
comment on function booking.set_contention is
'Has a pool counted in its row (locked), in shared memory (escrow), so that many transactions can take from it at once, or there while many wait for it (auto). Waits for every open transaction that has changed the pool. If the pool is an escrow pool already, escrow counts its holds again. Refusals: busy. Errors: SQLSTATE 42704, 22023, 22004, 55000 escrow without shared_preload_libraries.';
comment on function booking.drop_resource is
'Drops a resource, its seats, its line, and the holds on it that have ended. Refusals: busy. Errors: SQLSTATE 55000 a hold on it is held or confirmed, 42704, 22004.';
comment on function booking.hold is
'Holds quantity (1) places of a pool, or of a calendar at every moment of a period (during), or the named seats, for ttl (booking.default_ttl). The same key and arguments again return that hold as it stands now, replayed. wait => false returns busy instead of waiting. Refusals: unavailable, closed, limit_exceeded, version_mismatch, key_reused, busy. Errors: SQLSTATE 42704, 22023, 22004, 54000, 0A000 expected_version of seats, a calendar or an escrow pool.';
comment on function booking.hold_best is
'Holds the best free seats for ttl (booking.default_ttl): side by side in one row, near the front and the middle, leaving no single seat alone if that can be avoided. together => false accepts seats that lie close together if no row has enough side by side. section restricts the choice to that section. Passes over seats that other transactions are taking, and waits for them only before it answers unavailable. Refusals: unavailable, closed, limit_exceeded, key_reused, busy. Errors: SQLSTATE 42704, 22023, 22004, 54000.';
comment on function booking.hold_nights is
'Holds quantity (1) places of a calendar from the check-in of one day to the check-out of another day, by the calendar''s own clock, for ttl (booking.default_ttl). during of the answer says from when to when that is. Refusals: those of hold. Errors: SQLSTATE 42704, 22023, 22004, 54000.';
comment on function booking.reschedule is
'Moves a held or confirmed hold on a calendar to another period, or leaves it where it is. Its own place is not in its way, and it keeps its id, state and expiry. Refusals: unavailable, closed, limit_exceeded, expired, released, cancelled, waiting, left, not_found, version_mismatch, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.swap_seats is
'Moves a held or confirmed hold to as many other seats, or leaves it where it is: its own seats are never free in between. It keeps its id, state and expiry. Refusals: unavailable, closed, expired, released, cancelled, waiting, left, not_found, version_mismatch, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.transfer is
'Gives a held or confirmed hold, or a basket, to another holder. Refusals: limit_exceeded, expired, released, cancelled, waiting, left, not_found, version_mismatch, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.hold_all is
'Holds a basket for ttl (booking.default_ttl), all of it or nothing. items is an array of up to 100 of {"resource": …, "quantity": …}, {"resource": …, "seats": […]}, {"resource": …, "best": 2, "section": …}, {"resource": …, "during": ["2026-12-24T15:00Z", "2026-12-24T16:00Z"]}, {"resource": …, "nights": ["2026-12-24", "2026-12-27"]}. The hold_id stands for the whole basket; each item has an id of its own in detail. The detail of a refusal lists every item that was short. Refusals: those of hold. Errors: those of hold; the message names the item.';
comment on function booking.hold_each is
'Places many independent holds in one call, and answers each in its order as booking.hold() and booking.hold_best() would have. requests is an array of up to 10,000 of {"resource": …, "quantity": … | "seats": […] | "best": … | "during": … | "nights": …, "ttl": …, "key": …, "holder": …, "expected_version": …, "metadata": …}. Refusals: those of hold, each in its place. Errors: those of hold; the message names the request, and none is placed.';
comment on function booking.confirm is
'Confirms a hold for good. Again with the same reference, or without one: confirmed, replayed. If the hold was confirmed without a reference, adopts the first reference that comes later: confirmed, replayed. late => ''reacquire'' confirms an expired hold if its place is still free. Refusals: expired, already_confirmed (under another reference), released, cancelled, waiting, left, not_found, version_mismatch, limit_exceeded, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.extend is
'Lets a hold live for ttl (booking.default_ttl) from now. Never shortens its life, and stops at booking.max_ttl after its placement. Refusals: expired, already_confirmed, released, cancelled, waiting, left, not_found, version_mismatch, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.release is
'Gives a hold back before it is confirmed: all of it, or quantity places, or some seats. If the hold has ended already, answers ok with its state. Refusals: already_confirmed, waiting, left, not_found, version_mismatch, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.cancel is
'Gives a confirmed hold back: all of it, or quantity places, or some seats. Refusals: not_confirmed, waiting, left, not_found, version_mismatch, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.find is
'Shows how a hold, a basket or a request in a line stands now. ok is true only while the hold is live: held and not expired, or confirmed. Changes nothing and works on a standby. Refusals: waiting, left, expired, released, cancelled, not_found. Errors: SQLSTATE 22023, 22004.';
comment on function booking.availability is
'Shows how a resource is used now: capacity, confirmed, held, available (with overbooking), version, and when the next hold expires. Of a calendar: during a period (or now), at the moment at which the least is left, with its buffer and its hours. Changes nothing and works on a standby. Errors: SQLSTATE 42704, 22023, 22004.';
comment on function booking.available is
'Says how much of a resource is left for a new hold, at about the price of reading one row: with overbooking, without what the line is owed, and 0 if the resource is closed. Of a calendar: during a period (or now). Changes nothing and works on a standby. Errors: SQLSTATE 42704, 22023, 22004.';
comment on function booking.calendar is
'Shows a calendar over time, a row for each step, in days and months by its own clock: capacity, confirmed, held and available at the moment at which the least is left while it is open. A step in which it is closed has zeros. Changes nothing and works on a standby. Errors: SQLSTATE 42704, 22023, 22004, 54000 more than 100,000 rows.';
comment on function booking.free_slots is
'Lists the slots in which something of that duration still fits, and how much is left in each. A slot begins every step (duration), counted from when the calendar opens, or from the beginning of during if the calendar has no hours. Changes nothing and works on a standby. Errors: SQLSTATE 42704, 22023, 22004, 54000 more than 100,000 slots.';
comment on function booking.calendar_map is
'Draws a month of a calendar in text: below each day, the least that is left on it. Changes nothing and works on a standby. Errors: SQLSTATE 42704, 22023, 22004.';
comment on function booking.expire is
'Ends up to max_holds overdue holds, and returns how many. Passes over what other transactions have locked; what is due on more than 1,000 resources is left for the next call. With a resource: waits for its turn there, and ends only the overdue holds of that resource. For a scheduler, if the worker does not run. Errors: SQLSTATE 42704, 22023, 22004.';
comment on function booking.purge is
'Deletes up to max_rows released and expired holds, ended requests of lines and ended leases that ended longer ago than older_than (booking.retention), and returns how many. Errors: SQLSTATE 22023, 22004.';
comment on function booking.check is
'Checks every invariant of the tables, and returns a row for each violation: no row if they are sound. Reads all holds. No row names a holder or shows a key: hold_id leads to them. Errors: none.';
comment on function booking.require is
'Returns the result if it is ok, and raises an exception if it is not. Errors: SQLSTATE RS001 unavailable, RS002 expired, RS003 already_confirmed, RS004 not_confirmed, RS005 not_found, RS006 version_mismatch, RS007 key_reused, RS008 limit_exceeded, RS009 closed (or outside the hours), RS010 released, RS011 cancelled, RS012 waiting, RS013 left, 55P03 busy, 22004 no result.';
comment on function booking.join_waitlist is
'Waits for quantity (1) places of what is taken: of a pool, of any seats or the named ones, of a calendar during a period. First come, first served: what comes free is held for the head of the line at once, for offer_ttl (booking.default_ttl), under the id that this returns. booking.find(id) says waiting, later held. If it is free and nobody waits, it is held at once. The same key and arguments again return how the request stands now, replayed. Refusals: unavailable (more than there is at all), closed (outside the hours), limit_exceeded, key_reused, busy. Errors: SQLSTATE 42704, 22023, 22004, 54000.';
comment on function booking.leave_waitlist is
'Takes a request out of its line, or gives back the hold that it was offered, which goes to the next request. Refusals: already_confirmed, not_found, busy. Errors: SQLSTATE 22004.';
comment on function booking.waitlist(text) is
'Lists the requests that wait for a resource, and the offers that are not confirmed yet, offers first. Changes nothing and works on a standby. Errors: none.';
comment on function booking.changes is
'Returns what happened to holds after a time, the earliest first. Call it again with the last changed_at. It ends before the earliest time that an open transaction can have written, so that nothing is missed. All changes of one time come together, so there may be more rows than max_rows. Errors: SQLSTATE 0A000 on a standby, or in a transaction that is not READ COMMITTED; 22023, 22004.';
comment on function booking.acquire_lease is
'Gives a holder a name for ttl (booking.default_ttl), with a token that is higher than every token that was given out for this name before. Up to slots (1) holders may have the name at once. A holder that has the name already gets it renewed, with the same token. wait => true waits in line, first come, first served, until lock_timeout. Refusals: unavailable (the answer says which holder has the name, and until when), busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.renew_lease is
'Lets a lease last for ttl (booking.default_ttl) from now. Never shortens it. Refusals: expired, released, not_found, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.release_lease is
'Gives a lease back before it expires. If it has ended already, answers ok and how it ended. In a transaction that does nothing else, the commit does not wait for the disk: a crash may undo it, and the lease then ends when it expires. Refusals: not_found, busy. Errors: SQLSTATE 22023, 22004.';
comment on function booking.check_lease is
'Returns whether the lease with that token is valid. If it is, it does not pass to another holder before this transaction ends, however long that takes. Call it in the transaction that writes. Errors: SQLSTATE 22023, 22004, 55P03 lock_timeout ran out.';
comment on function booking.after_restore is
'Call it after a dump or a backup was restored, after a failover that lost transactions, and after the tables were changed by hand; best while nobody books. It ends all leases, lifts their tokens above every token that may have been given out since, and has escrow pools counted again. Errors: none.';
comment on function booking.escrow_count is
'Returns the count of an escrow pool in shared memory, for the view booking.escrow_status. No row: it is not in memory.';
comment on function booking.library_version is
'The version of the library that this session uses. Another one than that of the extension (\dx booking) needs alter extension booking update, or a restart of the server.';
comment on function booking.worker_state is
'Returns what the worker does in this database, for the view booking.worker_status.';
comment on function booking.grant_browser is
'Lets a role look and place holds: find, availability, the maps, hold, extend, release, wait in a line. The role cannot confirm, cancel, move or transfer a hold, and cannot read the tables.';
comment on function booking.grant_client is
'Lets a role do what a browser may, and confirm, cancel, move and transfer holds, and have leases. The role cannot read or write the tables.';
comment on function booking.grant_monitor is
'Lets a role see how things are going: availability(), check(), worker_status, escrow_status, and what there is to count in the tables. The role sees no holder''s name and changes nothing.';
comment on function booking.grant_admin is
'Lets a role do what a client and a monitor may, create and change resources, expire, purge, follow changes, and read the tables and views. The role cannot write the tables.';
comment on function booking.revoke_all is 'Takes everything in this schema from a role again.';
comment on function booking.call_once_support is
'The planner calls it for each function that writes. It refuses select (booking.hold(…)).*, which PostgreSQL would run as one call for each column.';

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
