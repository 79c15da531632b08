//! The verbs, each in a file of its own: which locks it takes and in which order, what it reads under them, which
//! rule decides, and what it writes. No rule and no SQL statement stands here: `rules` decides, `store` reads and
//! writes. What several verbs need to give places out is in [`allocation`].

pub mod allocation;
mod confirm;
mod confirm_late;
mod create;
mod drop_resource;
mod expire;
mod extend;
mod give_back;
mod hold;
mod hold_all;
mod hold_each;
mod join_waitlist;
mod judge;
mod lease;
mod leave_waitlist;
mod missing;
mod purge;
mod redefine;
mod reschedule;
mod set_blocked;
mod set_capacity;
mod set_contention;
mod set_hours;
mod set_open;
mod swap_seats;
mod transfer;
mod view;

pub use confirm::confirm;
pub use create::{create_calendar, create_pool, create_seats};
pub use drop_resource::drop_resource;
pub use expire::{Sweep, expire, expire_on, next_expiry, overdue_resources};
pub use extend::extend;
pub use give_back::{cancel, release};
pub use hold::hold;
pub use hold_all::hold_all;
pub use hold_each::hold_each;
pub use join_waitlist::join_waitlist;
pub use lease::{acquire_lease, after_restore, check_lease, release_lease, renew_lease};
pub use leave_waitlist::leave_waitlist;
pub use purge::{PURGE_START, PurgePosition, purge, purge_part};
pub use reschedule::reschedule;
pub use set_blocked::set_blocked;
pub use set_capacity::set_capacity;
pub use set_contention::set_contention;
pub use set_hours::set_hours;
pub use set_open::set_open;
pub use swap_seats::swap_seats;
pub use transfer::transfer;
pub use view::{CalendarSlot, Month, availability, available, find, free_slots, month, slots};
