-- What the answer says of a hold: resource, quantity, seats, period, holder and expiry, whichever verb is asked.
\pset format unaligned
\set show 'ok, status, resource, quantity, seats, during, holder, expires_at is not null as expires, version, available, replayed, detail'
set timezone = 'UTC';
begin;
-- Without shared memory there are no escrow pools.
select case state when 'absent' then 'locked' else 'escrow' end as contention from booking.worker_status \gset
select count(booking.create_pool('gig', 10)), count(booking.create_pool('drop', 10, contention => :'contention')),
       count(booking.create_seats('hall', '["A", "B", "C", "D"]')), count(booking.create_calendar('room')), count(booking.create_calendar('rooms', 5, 'Europe/Berlin'));
select :show from booking.hold('gig', 2, holder => 'ann', key => 'gig');
select :show from booking.hold('gig', 2, holder => 'ann', key => 'gig');
select :show from booking.hold('drop', 3, holder => 'ann', key => 'drop');
select :show from booking.hold('hall', seats => '{B,A}', holder => 'ann', key => 'hall');
select :show from booking.hold_best('hall', 1, holder => 'bob', key => 'best');
select :show from booking.hold('room', during => '[2040-01-01 10:00, 2040-01-01 11:00)', holder => 'ann', key => 'room');
select :show from booking.hold_nights('rooms', '2040-01-01', '2040-01-03', 2, holder => 'ann', key => 'rooms');
create function its(of_key text) returns uuid language sql stable as 'select id from booking.holds where key = of_key limit 1';
-- Held: until when. Found: where it stands. Extended: until later.
select :show from booking.find(its('gig'));
select :show from booking.extend(its('room'), '1 hour');
-- Changed: to what.
select :show from booking.transfer(its('gig'), 'bob');
select :show from booking.reschedule(its('room'), '[2040-01-01 12:00, 2040-01-01 14:00)');
select :show from booking.swap_seats(its('hall'), '{A,D}');
select :show from booking.release(its('gig'), 1);
select :show from booking.release(its('hall'), seats => '{D}');
-- Confirmed: nothing runs out any more. A webhook that knows the id learns what was bought.
select :show from booking.confirm(its('gig'));
select :show from booking.confirm(its('drop'), 'pay 1');
select :show from booking.confirm(its('hall'), 'pay 2');
select :show from booking.confirm(its('room'), 'pay 3');
select :show from booking.find(its('gig'));
-- The first reference is adopted, with the version from before as well; then it is the reference.
select :show from booking.confirm(its('gig'), 'pay 4', 1);
select :show from booking.confirm(its('gig'), 'pay 4');
select :show from booking.confirm(its('gig'), 'pay 5');
select :show from booking.confirm(its('gig'));
select reference from booking.holds where key = 'gig';
-- Cancelled, released: over, so that find() is not ok.
select :show from booking.cancel(its('gig'));
select :show from booking.find(its('gig'));
select :show from booking.release(its('rooms'));
select :show from booking.find(its('rooms'));
select :show from booking.find('00000000-0000-0000-0000-000000000000');
-- Refused: the resource, and which seats could not be given, never the caller's own.
select :show from booking.hold('gig', 11, holder => 'ann');
select :show from booking.hold('hall', seats => '{A,B}', holder => 'ann');
select :show from booking.hold('room', during => '[2040-01-01 13:00, 2040-01-01 15:00)');
select :show from booking.swap_seats(its('best'), '{A}');
select :show from booking.release(its('hall'));
select :show from booking.extend(its('hall'));
select :show from booking.hold('gig', 1, key => 'drop');
select :show from booking.hold('gig', 3, holder => 'ann', key => 'gig');
-- A basket: what its items have in common, and each of them.
select :show, detail #> '{items,0,during}' as during_of_first from (
    select ok, status, resource, quantity, seats, during, holder, expires_at, version, available, replayed, null::jsonb as nothing,
           jsonb_set(jsonb_set(detail, '{items,0,hold_id}', '"a"'), '{items,1,hold_id}', '"b"') as detail
    from booking.hold_all('[{"resource": "room", "during": ["2040-01-02 10:00", "2040-01-02 11:00"]}, {"resource": "gig", "quantity": 2}]', holder => 'cy', key => 'both')) as h;
select basket from booking.holds where key = 'both' limit 1 \gset
select ok, status, resource, quantity, holder, expires_at is not null as expires from booking.find(:'basket');
select ok, holder from booking.transfer((select id from booking.holds where basket = :'basket' and resource = 'gig'), 'dan');
select ok, status, holder from booking.find(:'basket');
select ok, status, resource, quantity, holder, expires_at is not null as expires, detail is not null as items from booking.confirm(:'basket');
-- A resource, and a line.
select :show from booking.set_capacity('gig', 20);
select :show from booking.set_capacity('gig', 0);
select :show from booking.set_open('gig', true);
select :show from booking.join_waitlist('room', holder => 'eve', during => '[2040-01-01 12:00, 2040-01-01 13:00)', key => 'line');
select :show from booking.find((select id from booking.waitlist_entries));
select :show from booking.leave_waitlist((select id from booking.waitlist_entries));
select :show from booking.find((select id from booking.waitlist_entries));
-- Every call of a batch.
select :show from booking.hold_each('[{"resource": "gig", "quantity": 1, "holder": "ann"}, {"resource": "gig", "quantity": 100}, {"resource": "hall", "seats": ["A"]}]');
select * from booking.check();
rollback;
