//! Misuse, which is raised. Refusals are answers instead: see [`crate::outcome`].

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

    /// 22004: a value is needed where null was given.
    pub fn null(argument: &str) -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            format!("argument \"{argument}\" must not be null"),
        )
    }

    /// 22004: a holder is needed where what each has is limited.
    pub fn needs_holder(resource: &str, limit: i64) -> Self {
        Self::null("holder").detail(format!("Resource \"{resource}\" allows each holder {limit} at most."))
    }

    /// 55P03: `lock_timeout` ran out where there is no answer that says so.
    pub fn lock_timeout() -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE,
            "whether the lease is valid was not known before lock_timeout ran out",
        )
        .hint("Somebody is just renewing or releasing it: ask again.")
    }

    /// 22023: a value that no resource could accept, or not this kind of resource.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
    }

    /// 54000: more than a bound allows.
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
    }

    /// 0A000: meaningful, yet not available here.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, message)
    }

    /// 0A000: a call that PostgreSQL would make once for each column of its result.
    pub fn expanded_call(name: &str) -> Self {
        Self::unsupported(format!("booking.{name}() would be called once for each column"))
            .detail("PostgreSQL makes (f(…)).* one call for each column of the result.")
            .hint(format!("Write: select * from booking.{name}(…)"))
    }

    /// 53400: no memory for what a transaction has under way.
    pub fn escrow_full() -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
            "too much is under way on escrow pools at once",
        )
        .hint("Set booking.escrow_entries higher, or end transactions sooner.")
    }

    /// 0A000: what a prepared transaction holds could not be given back after a restart.
    pub fn prepared_escrow() -> Self {
        Self::unsupported("cannot PREPARE a transaction that has held or given back part of an escrow pool")
            .hint("Commit it, or make the pool a locked one: booking.set_contention(resource, 'locked').")
    }

    /// 55000: an escrow pool on a server that has not preloaded the library.
    pub fn escrow_without_memory() -> Self {
        Self::in_use("escrow pools need the library in shared_preload_libraries")
            .detail("Their counts are in memory that is shared by the server's processes.")
            .hint("Add booking to shared_preload_libraries and restart the server, or use contention 'locked': booking.set_contention(resource, 'locked') changes a pool that exists.")
    }

    /// 0A000: a version expected of what has none.
    pub fn escrow_has_no_version(resource: &str) -> Self {
        Self::unsupported(format!("pool \"{resource}\" has no version to be expected"))
            .detail("It is an escrow pool: holds do not change its row.")
            .hint("Call without expected_version, or make it a locked pool: booking.set_contention(resource, 'locked').")
    }

    /// 42704: no resource of this name.
    pub fn no_resource(name: &str) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT, format!("resource \"{name}\" does not exist"))
            .hint("Check its spelling, or create it with booking.create_pool(name, capacity), booking.create_seats(name, seats) or booking.create_calendar(name, capacity).")
    }

    /// 42710: a resource of this name is there already.
    pub fn resource_exists(name: &str) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_DUPLICATE_OBJECT, format!("resource \"{name}\" already exists"))
            .hint("Change its capacity with booking.set_capacity(resource, capacity).")
    }

    /// 22023: a seat that the resource does not have.
    pub fn no_seat(resource: &str, label: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" has no seat \"{label}\""))
            .hint("select booking.seat_map(resource) shows those it has.")
    }

    /// 22023: a section that the resource does not have.
    pub fn no_section(resource: &str, section: &str, sections: &[String]) -> Self {
        let quoted: Vec<_> = sections.iter().map(|section| format!("\"{section}\"")).collect();
        Self::invalid(format!("resource \"{resource}\" has no section \"{section}\""))
            .detail(format!("It has {}.", quoted.join(", ")))
    }

    /// 22023: seats asked of what has none.
    pub fn has_no_seats(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" has no seats")).hint(
            "It counts places and does not tell them apart. Ask for a quantity, of a calendar with a period.",
        )
    }

    /// 22023: what only a pool can be told.
    pub fn no_pool(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" is no pool"))
            .hint("Only what is counted and not told apart can be counted in escrow.")
    }

    /// 22023: a period asked of what is no calendar.
    pub fn no_calendar(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" is no calendar"))
            .hint("Its places are had or not, at whatever time. booking.create_calendar(name, capacity) makes one that has a capacity over time.")
    }

    /// 22023: a calendar without a period.
    pub fn needs_period(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" is a calendar, and no period was given"))
            .hint("Say when: during => tstzrange('2026-12-24 15:00+01', '2026-12-24 16:00+01'), or call booking.hold_nights(resource, check_in, check_out). In JSON: \"during\": [\"2026-12-24T15:00+01:00\", \"2026-12-24T16:00+01:00\"], or \"nights\": [\"2026-12-24\", \"2026-12-25\"].")
    }

    /// 22023: nights that a time zone does not have.
    pub fn no_such_nights(zone: &str) -> Self {
        Self::invalid("check_out must be after check_in")
            .detail(format!("By the clock of {zone}, the first night ends before it begins."))
    }

    /// 22023: longer than anything may be held.
    pub fn period_too_long(longest: &str) -> Self {
        Self::invalid("the period is longer than allowed")
            .detail(format!("booking.max_period allows {longest}."))
            .hint("Ask for less, or have booking.max_period raised.")
    }

    /// 54000: more slots than one call looks at.
    pub fn too_many_slots(most: usize) -> Self {
        Self::limit(format!("more than {most} slots in one call"))
            .hint("Ask for a shorter period, or a longer step.")
    }

    /// 22023: several holds, to be moved to a few seats.
    pub fn swapped_basket() -> Self {
        Self::invalid("a basket has no seats of its own")
            .hint("Move one of its items by its own id: booking.find(hold_id) lists them.")
    }

    /// 22023: more seats than a hold has, or less.
    pub fn other_number_of_seats(has: usize, wanted: usize) -> Self {
        Self::invalid("the hold has another number of seats")
            .detail(format!("It has {has}, and {wanted} were named."))
            .hint("Give seats back with booking.release() or booking.cancel(), or hold more with booking.hold().")
    }

    /// 22023: several holds, to be moved to one period.
    pub fn moved_basket() -> Self {
        Self::invalid("a basket has no period of its own")
            .hint("Move one of its items by its own id: booking.find(hold_id) lists them.")
    }

    /// 22023: a mere quantity asked of seats.
    pub fn needs_seats(resource: &str) -> Self {
        Self::invalid(format!("resource \"{resource}\" has seats, and none were named"))
            .hint("Name them with seats => '{12A,12B}', or have them chosen by booking.hold_best(resource, quantity).")
    }

    /// 0A000: seats and calendars have no version that every hold of others would raise.
    pub fn no_version_of_places() -> Self {
        Self::unsupported("expected_version is for pools")
            .hint("Leave it out: a named seat or a period is had or not, whatever else was booked meanwhile.")
    }

    /// 22023: a capacity set for what is made of seats.
    pub fn capacity_of_seats(resource: &str) -> Self {
        Self::invalid(format!("the capacity of \"{resource}\" is its seats"))
            .hint("Take some off the market with booking.set_blocked(resource, seats, true).")
    }

    /// 22023: more given back than there is.
    pub fn too_much(has: i64) -> Self {
        Self::invalid("quantity is more than the hold has")
            .detail(format!("The hold has {has}."))
            .hint("Leave quantity out to give the whole hold back.")
    }

    /// 22023: a part of several holds.
    pub fn part_of_basket() -> Self {
        Self::invalid("a basket is given back as a whole")
            .hint("To give back a part, use the id of one of its items: booking.find(hold_id) lists them.")
    }

    /// 22023: so many seats of a hold, without saying which.
    pub fn part_without_seats() -> Self {
        Self::invalid("quantity does not say which seats of the hold are given back")
            .hint("Name them with seats => '{12A,12B}', or leave quantity out to give the whole hold back.")
    }

    /// The same, about one of several requests.
    pub fn of_item(mut self, what: &str, n: usize) -> Self {
        self.message = format!("{what} {n}: {}", self.message);
        self
    }

    /// 40001: the transaction has to be run again, as PostgreSQL says of a row that has changed.
    pub fn serialization() -> Self {
        Self::new(
            PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            "could not serialize access due to concurrent update",
        )
    }

    /// 55000: in use.
    pub fn in_use(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    }

    /// XX001: the extension's own tables are not as it made them.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_DATA_CORRUPTED, message)
            .hint("The tables of the extension must not be altered by hand; see booking.check().")
    }

    /// Raises it at once, from where no result can be returned.
    pub fn raise(self) -> ! {
        ErrorReport::from(self).report(pgrx::PgLogLevel::ERROR);
        unreachable!("an error was reported and did not end the call")
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
