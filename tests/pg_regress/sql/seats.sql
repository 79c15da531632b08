-- Resources with named seats: plans, holds by name and the best of them, parts, blocked seats.
\set SHOW_CONTEXT never
create function id(of_key text) returns uuid language sql as 'select id from booking.holds where key = of_key';
create procedure overdue(of_key text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where key = of_key';
\set show 'ok, status, version, available, seats, replayed, detail'

-- Plans: a grid with an aisle, plain labels, and objects that leave fields out.
select booking.seat_grid(2, 'AB C');
select booking.seat_grid(1, 'A', 'Stalls');
select booking.seat_grid(0, 'ABC'), booking.seat_grid(3, ''), booking.seat_grid(3, '  ');
begin;
select name, kind, capacity, overbooking, taken, version, open, max_per_holder, sections, metadata
from booking.create_seats('hall', booking.seat_grid(3, 'ABC DEF'), metadata => '{"floor": 1}');
select label, section, "row", "position", blocked from booking.seats where resource = 'hall' order by rank, "position" limit 7;
select capacity, sections from booking.create_seats('row', '["A", "B", "C"]');
select label, section, "row", "position" from booking.seats where resource = 'row' order by "position";
select capacity, sections from booking.create_seats('mixed',
    '[{"label": "G1", "section": "Gallery", "row": "1"}, {"label": "S2", "row": "2", "section": "Stalls", "position": 5},
      {"label": "S3", "row": "2", "section": "Stalls"}, {"label": "G2", "section": "Gallery", "row": "1", "position": null}, "X"]');
select label, section, "row", "position" from booking.seats where resource = 'mixed' order by rank, "position";
rollback;

-- No plan can be like these.
select booking.create_seats(null, '["A"]');
select booking.create_seats('x', null);
select booking.create_seats('', '["A"]');
select booking.create_seats('x', '[]');
select booking.create_seats('x', 'null');
select booking.create_seats('x', '{"label": "A"}');
select booking.create_seats('x', '["A", 2]');
select booking.create_seats('x', '["A", ""]');
select booking.create_seats('x', '["A", {"row": "1"}]');
select booking.create_seats('x', '["A", "B", "A"]');
select booking.create_seats('x', '[{"label": "A", "seat": 1}]');
select booking.create_seats('x', '[{"label": 1}]');
select booking.create_seats('x', '[{"label": "A", "section": true}]');
select booking.create_seats('x', '[{"label": "A", "row": "1", "position": 3}, {"label": "B", "row": "1", "position": 3}]');
select booking.create_seats('x', '[{"label": "A", "position": -1}]');
select booking.create_seats('x', '[{"label": "A", "position": 1000001}]');
select booking.create_seats('x', '[{"label": "A", "position": 1.5}]');
select booking.create_seats('x', jsonb_build_array(repeat('x', 65)));
select booking.create_seats('x', '["A"]', max_per_holder => 0);
select booking.create_seats('x', (select jsonb_agg(n::text) from generate_series(1, 200001) n));
select booking.create_seats('x', (select jsonb_agg(jsonb_build_object('label', n::text, 'section', n::text)) from generate_series(1, 1001) n));
select booking.seat_map(null);
select booking.seat_map('nowhere');

select count(booking.create_seats('hall', booking.seat_grid(3, 'ABC DEF')));
select count(booking.create_pool('pool', 3));
select booking.create_seats('hall', '["A"]');
select booking.create_seats('pool', '["A"]');
select booking.create_pool('hall', 1);
select booking.seat_map('pool');
begin;

-- By name: all of them or none.
select :show from booking.hold('hall', seats => '{1B,1A}', key => 'a', holder => 'ann');
select :show from booking.hold('hall', 2, seats => '{1C,2C}', key => 'b');
select :show from booking.hold('hall', seats => '{3A,1B,3B,1C}');
select capacity, confirmed, held, available, version, next_expiry is not null as some from booking.availability('hall');
select state, quantity, seats, holder, version from booking.holds order by key;
select label from booking.seats where hold_id is not null order by 1;
select capacity, taken, version from booking.resources where name = 'hall';

-- Keys: the order of the seats is no part of the request, but everything else is.
select :show from booking.hold('hall', seats => '{1A,1B}', key => 'a', holder => 'ann');
select :show from booking.hold('hall', seats => '{1A,1C}', key => 'a', holder => 'ann');
select :show from booking.hold('hall', seats => '{1A,1B}', key => 'a', holder => 'bob');
select :show from booking.hold_best('hall', 2, key => 'a', holder => 'ann');

-- Calls that make no sense.
savepoint s;
select booking.hold('hall');
rollback to savepoint s;
select booking.hold('hall', 2);
rollback to savepoint s;
select booking.hold('hall', seats => '{}');
rollback to savepoint s;
select booking.hold('hall', seats => '{1A,null}');
rollback to savepoint s;
select booking.hold('hall', seats => '{3A,3A}');
rollback to savepoint s;
select booking.hold('hall', seats => '{3A,9Z}');
rollback to savepoint s;
select booking.hold('hall', 3, seats => '{3A,3B}');
rollback to savepoint s;
select booking.hold('hall', seats => '{3A}', expected_version => 1);
rollback to savepoint s;
select booking.hold('hall', seats => '{3A}', during => '[2026-01-01, 2026-01-02)');
rollback to savepoint s;
select booking.hold('hall', seats => (select array_agg(n::text) from generate_series(1, 1001) n));
rollback to savepoint s;
select booking.hold('pool', seats => '{1A}');
rollback to savepoint s;
select booking.set_capacity('hall', 3);
rollback to savepoint s;
select booking.hold_best('hall', 0);
rollback to savepoint s;
select booking.hold_best('hall', null);
rollback to savepoint s;
select booking.hold_best('hall', 1, together => null);
rollback to savepoint s;
select booking.hold_best('hall', 1, section => 'Balcony');
rollback to savepoint s;
select booking.hold_best('hall', 1001);
rollback to savepoint s;
select booking.hold_best('pool', 1);
rollback to savepoint s;
select booking.hold_best('nowhere', 1);
rollback to savepoint s;

-- In part: release() ignores seats that the hold does not have any more, so a repetition is safe.
select :show from booking.release(id('a'), seats => '{1A}');
select :show from booking.release(id('a'), seats => '{1A}');
select :show from booking.release(id('a'), 1, seats => '{1A}', expected_version => 1);
select :show from booking.release(id('b'), seats => '{1C}', expected_version => 9);
select booking.release(id('b'), 1);
rollback to savepoint s;
select :show from booking.release(id('a'), seats => '{1A}');
select booking.release(id('b'), seats => '{9Z}');
rollback to savepoint s;
select booking.release(id('b'), 2, seats => '{1C}');
rollback to savepoint s;
select booking.release(id('b'), seats => '{1C,1C}');
rollback to savepoint s;
select :show from booking.release(id('a'), 2);
rollback to savepoint s;
select :show from booking.release(id('a'), seats => '{1A}');
select :show from booking.confirm(id('b'), 'payment');
select :show from booking.cancel(id('b'), seats => '{2C,3F}');
select :show from booking.cancel(id('b'), seats => '{2C}');
select :show from booking.release(id('b'), seats => '{1C}');
select :show from booking.cancel(id('b'), seats => '{1C}');
select :show from booking.cancel(id('b'), seats => '{1C}');
select key, state, quantity, seats, version from booking.holds order by key;
select label from booking.seats where hold_id is not null order by 1;

-- Seats of an overdue hold are free for everybody, and come back all together.
select status, seats from booking.hold('hall', seats => '{2A,2B}', key => 'c');
call overdue('c');
select confirmed, held, available from booking.availability('hall');
select :show from booking.hold('hall', seats => '{2B,2C}', key => 'd');
select :show from booking.find(id('c'));
select :show from booking.confirm(id('c'));
select :show from booking.confirm(id('c'), late => 'reacquire');
select status from booking.release(id('d'));
select :show from booking.confirm(id('c'), late => 'reacquire');
select * from booking.check();
rollback;

-- No call gives out a blocked seat.
begin;
savepoint s;
select booking.set_blocked('pool', '{A}', true);
rollback to savepoint s;
select booking.set_blocked('hall', '{}', true);
rollback to savepoint s;
select booking.set_blocked('hall', '{1A,9Z}', true);
rollback to savepoint s;
select booking.set_blocked('hall', '{1A}', null);
rollback to savepoint s;
select booking.set_blocked('hall', null, true);
rollback to savepoint s;
select :show from booking.set_blocked('hall', '{1B,1A}', true);
select :show from booking.set_blocked('hall', '{1A,1B}', true);
select :show from booking.set_blocked('hall', '{1A,1C}', true);
select capacity, version from booking.resources where name = 'hall';
select :show from booking.hold('hall', seats => '{1A,1D}');
select :show from booking.hold_best('hall', 2);
select :show from booking.hold('hall', seats => '{2C}', key => 'a');
select :show from booking.hold('hall', seats => '{1A,2C,2D,1C}');
select :show from booking.set_blocked('hall', '{2A,2C}', true);
select :show from booking.set_blocked('hall', '{1A,2C}', false);
call overdue('a');
select :show from booking.set_blocked('hall', '{2C}', true);
select :show from booking.confirm(id('a'), late => 'reacquire');
select capacity, confirmed, held, available from booking.availability('hall');

-- The map of the plan: free, held, confirmed and blocked seats; seats of overdue holds show as free.
select status, seats from booking.hold('hall', seats => '{3A,3B}', key => 'b');
select status, seats from booking.hold('hall', seats => '{3E,3F}', key => 'c');
select status from booking.confirm(id('b'));
select booking.seat_map('hall');
call overdue('c');
select booking.seat_map('hall');
select * from booking.check();
rollback;

-- Sections, each with its rows; plain labels; rows too long for spaces.
begin;
select count(booking.create_seats('theatre', booking.seat_grid(2, 'AB CD', 'Stalls') || booking.seat_grid(1, 'ABC', 'Gallery')));
select status, seats from booking.hold('theatre', seats => '{"Stalls 1B","Gallery 1A"}', key => 't');
select booking.seat_map('theatre');
select :show from booking.hold_best('theatre', 2, section => 'Gallery');
select :show from booking.hold_best('theatre', 3, section => 'Gallery', together => false);
select count(booking.create_seats('row', '["A", "B", "C"]'));
select status, seats from booking.hold_best('row', 1, section => '', key => 'r');
select booking.seat_map('row');
select count(booking.create_seats('arena', (select jsonb_agg(n::text) from generate_series(1, 40) n)));
select booking.seat_map('arena');
-- The map shortens a long gap.
select count(booking.create_seats('gap', '[{"label": "A", "row": "1", "position": 0}, {"label": "B", "row": "1", "position": 1000000}, {"label": "C", "row": "2", "position": 1}]'));
select status, seats from booking.hold('gap', seats => '{B}');
select booking.seat_map('gap');
select count(booking.create_seats('far', '[{"label": "Z", "position": 1000000}]'));
select booking.seat_map('far');
rollback;

-- The best seats: side by side, in front, in the middle; not side by side only if the call accepts that.
begin;
select :show from booking.hold_best('hall', 2, key => 'a');
select :show from booking.hold_best('hall', 2, key => 'a');
select :show from booking.hold_best('hall', 2, key => 'a', together => false);
select :show from booking.hold_best('hall', 4, key => 'b');
select :show from booking.hold_best('hall', 3, key => 'b');
select :show from booking.hold_best('hall', 4, together => false, key => 'c');
select :show from booking.hold_best('hall', 10, together => false);
select :show from booking.hold_best('hall', 3, key => 'd');
select booking.seat_map('hall');
call overdue('b');
select :show from booking.hold_best('hall', 3, key => 'e');
select state from booking.holds where key = 'b';
select * from booking.check();
rollback;

-- The call ends all overdue holds, even if they are more than one sweep ends.
begin;
select setting::integer from pg_settings where name = 'booking.sweep_batch' \gset batch_
select count(booking.create_seats('stadium', (select jsonb_agg(n::text) from generate_series(1, :batch_setting) n) || '[{"label": "Box", "section": "Boxes"}]'));
select status, count(*) from (select (booking.hold('stadium', seats => array[n::text])).status from generate_series(1, :batch_setting) n) s group by 1;
select status from booking.hold('stadium', seats => '{Box}');
update booking.holds set placed_at = placed_at - interval '2 hours', expires_at = expires_at - interval '2 hours' where resource = 'stadium';
set local statement_timeout = '10s';
select status, seats from booking.hold_best('stadium', 1, section => 'Boxes');
set local statement_timeout = 0;
select state, count(*) from booking.holds where resource = 'stadium' group by 1 order by 1;
select confirmed, held, available from booking.availability('stadium');
select * from booking.check();
rollback;

-- Limits and closing.
begin;
select max_per_holder from booking.create_seats('small', '["A", "B", "C", "D"]', max_per_holder => 2);
savepoint s;
select booking.hold('small', seats => '{A}');
rollback to savepoint s;
select booking.hold_best('small', 1);
rollback to savepoint s;
select :show from booking.hold('small', seats => '{A,B,C}', holder => 'ann');
select :show from booking.hold('small', seats => '{A}', key => 'a', holder => 'ann');
select :show from booking.hold_best('small', 2, holder => 'ann');
select :show from booking.hold_best('small', 1, key => 'b', holder => 'ann');
select :show from booking.hold('small', seats => '{C}', holder => 'ann');
select :show from booking.hold('small', seats => '{C}', key => 'c', holder => 'bob');
call overdue('a');
select :show from booking.hold('small', seats => '{D}', key => 'd', holder => 'ann');
select :show from booking.confirm(id('a'), late => 'reacquire');
select :show from booking.set_open('small', false);
select :show from booking.hold('small', seats => '{A}', holder => 'cy');
select :show from booking.hold('small', seats => '{A,B,C}', holder => 'cy');
select :show from booking.hold_best('small', 1, holder => 'cy');
select :show from booking.hold('small', seats => '{D}', key => 'd', holder => 'ann');
select * from booking.check();

-- drop_resource() drops the seats with the resource, and only if no hold is live.
savepoint s;
select booking.drop_resource('small');
rollback to savepoint s;
select count(booking.release(h.id)) from booking.holds h where state = 'held' and resource = 'small';
select :show from booking.drop_resource('small');
select count(*) from booking.seats where resource = 'small';
select count(*) from booking.holds where resource = 'small';
rollback;

select ok, status, seats from booking.hold('hall', seats => '{1A}', key => 'a');
select status from booking.release(id('a'));
select * from booking.check();
select status from booking.drop_resource('hall');
select status from booking.drop_resource('pool');
drop function id(text);
drop procedure overdue(text);
