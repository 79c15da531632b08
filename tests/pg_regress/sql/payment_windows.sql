-- The story of a payment: a hold, a payment page that lives for half an hour, and a webhook that may
-- come at any time. Holds run out inside a transaction.
\set SHOW_CONTEXT never
\pset format unaligned
\set show 'ok, status, version, available, replayed'
create function id(of_key text) returns uuid language sql as 'select id from booking.holds where key = of_key';
create procedure overdue(of_key text) language sql as
    'update booking.holds set placed_at = placed_at - interval ''2 hours'', expires_at = expires_at - interval ''2 hours'' where key = of_key';
begin;
select name from booking.create_pool('gig', 2);

-- In time: the cart lives for five minutes, the page for thirty, and the hold a little longer.
select :show, expires_at - clock_timestamp() between interval '4 min' and interval '5 min' as cart from booking.hold('gig', ttl => '5 min', key => 'ann', holder => 'ann');
select :show, expires_at - clock_timestamp() > interval '30 min' as window from booking.extend(id('ann'), '31 min');
select :show from booking.confirm(id('ann'), 'pay_1', late => 'reacquire');
-- The second webhook changes nothing. Another payment for the same hold must be refunded.
select :show from booking.confirm(id('ann'), 'pay_1', late => 'reacquire');
select :show, detail from booking.confirm(id('ann'), 'pay_2', late => 'reacquire');

-- Late, and the place is still free, whether a sweep has ended the hold or not.
select :show from booking.hold('gig', ttl => '5 min', key => 'bob', holder => 'bob');
call overdue('bob');
select :show from booking.confirm(id('bob'), 'pay_3');
select :show from booking.confirm(id('bob'), 'pay_3', late => 'reacquire');
select :show from booking.confirm(id('bob'), 'pay_3', late => 'reacquire');
select :show from booking.cancel(id('bob'));
select :show from booking.hold('gig', ttl => '5 min', key => 'cid', holder => 'cid');
call overdue('cid');
select booking.expire(10, 'gig');
select :show from booking.confirm(id('cid'), 'pay_4', late => 'reacquire');
select :show from booking.cancel(id('cid'));

-- Too late: another customer has the place and keeps it. The payment must be refunded.
select :show from booking.hold('gig', ttl => '5 min', key => 'dan', holder => 'dan');
call overdue('dan');
select :show from booking.hold('gig', ttl => '5 min', key => 'eve', holder => 'eve');
select :show from booking.confirm(id('dan'), 'pay_5', late => 'reacquire');
select :show from booking.confirm(id('dan'), 'pay_5', late => 'reacquire');
select :show from booking.confirm(id('eve'), 'pay_6', late => 'reacquire');
select key, state, reference from booking.holds where key in ('dan', 'eve') order by key;

-- Somebody waits in the line: the place goes to them, and not to the late confirmation.
select :show from booking.cancel(id('eve'));
select :show from booking.hold('gig', ttl => '5 min', key => 'fay', holder => 'fay');
select ok, status, detail from booking.join_waitlist('gig', holder => 'gus', key => 'gus');
call overdue('fay');
select :show from booking.confirm(id('fay'), 'pay_7', late => 'reacquire');
select holder, state from booking.waitlist('gig');
select :show from booking.confirm((select id from booking.waitlist_entries where key = 'gus'), 'pay_8');
select holder, state from booking.holds where state in ('held', 'confirmed') order by holder;
select rule, detail from booking.check() where rule <> 'a hold''s times follow its state';
rollback;
drop function id(text);
drop procedure overdue(text);
