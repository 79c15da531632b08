//! The errors that the extension raises for misuse: each with its SQLSTATE, message, detail and hint. Refusals do
//! not belong here: a verb returns them as answers, see [`crate::outcome`].

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::panic::ErrorReport;

/// An error as PostgreSQL reports it: SQLSTATE, message, detail and hint.
#[derive(Debug)]
pub struct Error {
    code: PgSqlErrorCode,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
}

impl Error {
    fn new(code: PgSqlErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None, hint: None }
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// 22004: an argument is null and must not be.
    pub fn null(argument: &str) -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            format!("argument \"{argument}\" must not be null"),
        )
    }

    /// 22004: the resource limits what each holder may have, and the request names no holder.
    pub fn needs_holder(resource: &str, limit: i64) -> Self {
        Self::null("holder")
            .detail(format!("Resource \"{resource}\" has a limit of {limit} for each holder."))
    }

    /// 55P03: `lock_timeout` ran out in `check_lease`, whose boolean cannot say "busy".
    pub fn lock_timeout() -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE,
            "could not check the lease before lock_timeout ran out",
        )
        .hint("Another transaction is renewing or releasing the lease. Check it again.")
    }

    /// 22023: no resource, or no resource of this kind, accepts the value.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
    }

    /// 54000: the value is above a bound of [`crate::limits`].
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
    }

    /// 0A000: the request makes sense, but the extension does not support it.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, message)
    }

    /// 0A000: PostgreSQL would run the call once for each column of its result.
    pub fn expanded_call(name: &str) -> Self {
        Self::unsupported(format!("booking.{name}() would be called once for each column"))
            .detail("PostgreSQL expands (f(…)).* into one call for each column of the result.")
            .hint(format!("Use select * from booking.{name}(…) instead."))
    }

    /// 53400: shared memory has no free entry for the transaction's pending deltas.
    pub fn escrow_full() -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
            "too many changes of escrow pools are in progress",
        )
        .hint("Increase booking.escrow_entries, or end transactions sooner.")
    }

    /// 55000: the server has not preloaded the library, so it has no memory for escrow pools.
    pub fn escrow_without_memory() -> Self {
        Self::in_use("escrow pools require booking in shared_preload_libraries")
            .detail("The counts of escrow pools are in shared memory, which the server reserves when it starts.")
            .hint("Add booking to shared_preload_libraries and restart the server, or use a locked pool. booking.set_contention(resource, 'locked') changes an existing pool.")
    }

    /// 0A000: holds do not raise the version of an escrow pool, so it cannot be expected.
    pub fn escrow_has_no_version(resource: &str) -> Self {
        Self::unsupported(format!("cannot use expected_version on escrow pool \"{resource}\""))
            .detail("Holds on an escrow pool do not change its version.")
            .hint("Leave out expected_version, or make the pool a locked one with booking.set_contention(resource, 'locked').")
    }

    /// 42704: no resource has this name.
    pub fn no_resource(name: &str) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT, format!("resource \"{name}\" does not exist"))
            .hint("Check its spelling, or create it with booking.create_pool(name, capacity), booking.create_seats(name, seats) or booking.create_calendar(name, capacity).")
    }

    /// 42710: a resource has this name already.
    pub fn resource_exists(name: &str) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_DUPLICATE_OBJECT, format!("resource \"{name}\" already exists"))
            .hint("if_not_exists => true accepts it if it is alike; booking.set_capacity(resource, capacity) changes its capacity.")
    }

    /// 42710: a resource of this name exists, and it is another than the one to be created.
    pub fn resource_differs(name: &str, differences: &[String]) -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_DUPLICATE_OBJECT,
            format!("resource \"{name}\" already exists and differs"),
        )
        .detail(format!("Its {}.", differences.join(", its ")))
        .hint("Leave out what may be other, change it with the set_ functions, or use another name.")
    }

    /// 22023: the resource does not have the seat.
    pub fn no_seat(resource: &str, label: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" has no seat \"{label}\""))
            .hint("Use select booking.seat_map(resource) to see its seats.")
    }

    /// 22023: the resource does not have the section.
    pub fn no_section(resource: &str, section: &str, sections: &[String]) -> Self {
        let quoted: Vec<_> = sections.iter().map(|section| format!("\"{section}\"")).collect();
        Self::invalid(format!("resource \"{resource}\" has no section \"{section}\""))
            .detail(format!("Its sections are {}.", quoted.join(", ")))
    }

    /// 22023: the request names seats, and the resource is a pool or a calendar.
    pub fn has_no_seats(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" has no seats")).hint(
            "Only resources that booking.create_seats(name, seats) creates have seats. Ask for a quantity, and on a calendar also for a period.",
        )
    }

    /// 22023: the call works only on pools.
    pub fn no_pool(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" is not a pool"))
            .hint("Only a pool can be 'locked' or 'escrow'.")
    }

    /// 22023: the call works only on calendars, or gives a period for another kind of resource.
    pub fn no_calendar(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" is not a calendar")).hint(
            "Only a calendar has a capacity over time. booking.create_calendar(name, capacity) creates one.",
        )
    }

    /// 22023: the request for a calendar gives no period.
    pub fn needs_period(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" is a calendar and needs a period"))
            .hint("Give a period: during => tstzrange('2026-12-24 15:00+01', '2026-12-24 16:00+01'), or call booking.hold_nights(resource, check_in, check_out). In JSON: \"during\": [\"2026-12-24T15:00+01:00\", \"2026-12-24T16:00+01:00\"], or \"nights\": [\"2026-12-24\", \"2026-12-25\"].")
    }

    /// 22023: the time zone skips the night: its clock jumps over a day.
    pub fn no_such_nights(zone: &str) -> Self {
        Self::invalid("check_out must be after check_in")
            .detail(format!("In time zone {zone}, the first night ends before it begins."))
    }

    /// 22023: the period is longer than `booking.max_period`.
    pub fn period_too_long(longest: &str) -> Self {
        Self::invalid("the period is longer than allowed")
            .detail(format!("booking.max_period is {longest}."))
            .hint("Ask for a shorter period, or increase booking.max_period.")
    }

    /// 54000: the call would look at too many slots.
    pub fn too_many_slots(most: usize) -> Self {
        Self::limit(format!("more than {most} slots in one call"))
            .hint("Ask for a shorter period, or a longer step.")
    }

    /// 22023: `swap_seats` was called with a basket's id.
    pub fn swapped_basket() -> Self {
        Self::invalid("cannot swap the seats of a whole basket")
            .hint("Use the id of one of its items. booking.find(hold_id) lists the items.")
    }

    /// 22023: the hold has more or fewer seats than the call names.
    pub fn other_number_of_seats(has: usize, wanted: usize) -> Self {
        Self::invalid("the number of seats must stay the same")
            .detail(format!("The hold has {has}, and the call names {wanted}."))
            .hint("Give seats back with booking.release() or booking.cancel(), or hold more with booking.hold().")
    }

    /// 22023: `reschedule` was called with a basket's id.
    pub fn moved_basket() -> Self {
        Self::invalid("cannot reschedule a whole basket")
            .hint("Use the id of one of its items. booking.find(hold_id) lists the items.")
    }

    /// 22023: the request gives only a quantity, and the resource has named seats.
    pub fn needs_seats(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" has named seats, and no seats were given"))
            .hint("Name the seats with seats => '{12A,12B}', or let booking.hold_best(resource, quantity) choose them.")
    }

    /// 0A000: other holds do not raise the version of seats or of a calendar, so it cannot be expected.
    pub fn no_version_of_places() -> Self {
        Self::unsupported("expected_version is only for pools")
            .hint("Leave it out. A seat or a period is free or not, whatever else on the resource was booked meanwhile.")
    }

    /// 22023: the capacity of a resource with seats is the number of its seats.
    pub fn capacity_of_seats(resource: &str) -> Self {
        Self::invalid(format!("the capacity of \"{resource}\" is the number of its seats"))
            .hint("Block seats with booking.set_blocked(resource, seats, true).")
    }

    /// 22023: the call gives back more than the hold has.
    pub fn too_much(has: i64) -> Self {
        Self::invalid("quantity is more than the hold has")
            .detail(format!("The hold has {has}."))
            .hint("Leave quantity out to give the whole hold back.")
    }

    /// 22023: the call gives back a part of a basket.
    pub fn part_of_basket() -> Self {
        Self::invalid("cannot give back a part of a basket")
            .hint("Use the id of one of its items. booking.find(hold_id) lists the items.")
    }

    /// 22023: the call gives back a number of seats and does not name them.
    pub fn part_without_seats() -> Self {
        Self::invalid("quantity does not say which seats of the hold to give back")
            .hint("Name them with seats => '{12A,12B}', or leave quantity out to give the whole hold back.")
    }

    /// Returns the error with the number of the item or request that it is about.
    pub fn of_item(mut self, what: &str, n: usize) -> Self {
        self.message = format!("{what} {n}: {}", self.message);
        self
    }

    /// 40001: the application must run the transaction again. The message is PostgreSQL's own for a row that
    /// changed.
    pub fn serialization() -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            "could not serialize access due to concurrent update",
        )
    }

    /// 55000: the object is in use, or not in the state that the call needs.
    pub fn in_use(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    }

    /// 55000: the session has found the library in another file than the one that is loaded.
    pub fn second_library() -> Self {
        Self::in_use("the library of booking is loaded from another file already")
            .detail("A second copy would know nothing of the counts that the first has in shared memory.")
            .hint("Write booking without a folder in shared_preload_libraries, leave dynamic_library_path as it is, and restart the server.")
    }

    /// 55000: the extension in this database has another version than the library.
    pub fn other_version(database: &str, library: &str) -> Self {
        Self::in_use(format!(
            "extension booking has version {database} in this database, and its library has version {library}"
        ))
        .hint("Run alter extension booking update. If the library is the older one, install the newer one and restart the server.")
    }

    /// XX001: the extension's own tables do not hold what the extension writes there.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_DATA_CORRUPTED, message).hint(
            "Do not change the extension's tables by hand. booking.check() lists what is wrong in them.",
        )
    }

    /// Raises the error at once. Used where the caller cannot return a `Result`.
    pub fn raise(self) -> ! {
        ErrorReport::from(self).report(pgrx::PgLogLevel::ERROR);
        unreachable!("PostgreSQL continued after an error was reported")
    }
}

impl From<Error> for ErrorReport {
    fn from(error: Error) -> Self {
        let mut report = Self::new(error.code, error.message, "booking");
        if let Some(detail) = error.detail {
            report = report.set_detail(detail);
        }
        if let Some(hint) = error.hint {
            report = report.set_hint(hint);
        }
        report
    }
}
