-- What scripts/instructions calls every verb on.
select from booking.create_pool('full', 0);
select from booking.create_seats('hall', booking.seat_grid(200, 'ABCDEFGHIJ KLMNOPQRST'));
select from booking.create_calendar('room');
select from booking.create_calendar('rooms', 40, 'Europe/Berlin');
