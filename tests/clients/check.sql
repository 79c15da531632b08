-- What a program has left in its database; the same for each of them.
\pset format unaligned
\pset null -
set time zone 'Europe/Berlin';
select last_value as attempts from attempts;
select email, state, reference from orders join booking.holds on holds.id = orders.hold_id;
select resource, quantity, seats, during, state, key, holder, metadata, basket is not null as in_basket,
       to_char(expires_at - placed_at, 'MI:SS') as ttl
from booking.holds
order by resource, quantity, seats;
select * from booking.check();
