//! The settings `booking.*`.

use super::backend::is_preloaded;
use crate::rules::Micros;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::CString;
use std::time::Duration;

static DEFAULT_TTL: GucSetting<i32> = GucSetting::<i32>::new(10 * 60 * 1000);
static MAX_TTL: GucSetting<i32> = GucSetting::<i32>::new(24 * 60 * 60 * 1000);
static MAX_PERIOD: GucSetting<i32> = GucSetting::<i32>::new(TWO_YEARS);
static SWEEP_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(1000);
static SWEEP_BATCH: GucSetting<i32> = GucSetting::<i32>::new(1000);
static RETENTION: GucSetting<i32> = GucSetting::<i32>::new(30 * 24 * 60);
static DATABASES: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static NOTIFY_CHANNEL: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));
static ESCROW_ENTRIES: GucSetting<i32> = GucSetting::<i32>::new(1024);
static WORKER: GucSetting<bool> = GucSetting::<bool>::new(true);

/// In minutes: any two years, one of them a leap year.
const TWO_YEARS: i32 = 731 * 24 * 60;
const HUNDRED_YEARS: i32 = 36_525 * 24 * 60;

const MICROS_PER_MS: Micros = 1000;
const MICROS_PER_MIN: Micros = 60_000_000;

/// How long a hold lives where the caller does not say.
pub fn default_ttl() -> Micros {
    Micros::from(DEFAULT_TTL.get()) * MICROS_PER_MS
}

/// The longest a hold may live, from its placement.
pub fn max_ttl() -> Micros {
    Micros::from(MAX_TTL.get()) * MICROS_PER_MS
}

/// The same as `SHOW` prints it, with the largest unit that fits.
pub fn max_ttl_shown() -> String {
    shown(MAX_TTL.get().into())
}

/// The longest period of a calendar that a call may be about.
pub fn max_period() -> Micros {
    Micros::from(MAX_PERIOD.get()) * MICROS_PER_MIN
}

/// The same as `SHOW` prints it.
pub fn max_period_shown() -> String {
    shown(max_period() / MICROS_PER_MS)
}

fn shown(ms: i64) -> String {
    [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")]
        .into_iter()
        .find(|(unit, _)| ms % unit == 0)
        .map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

/// How often the worker looks for overdue holds.
pub fn sweep_interval() -> Duration {
    Duration::from_millis(SWEEP_INTERVAL.get().unsigned_abs().into())
}

/// How many holds one transaction of a sweep ends at the most.
pub fn sweep_batch() -> i64 {
    SWEEP_BATCH.get().into()
}

/// How long holds that ended unconfirmed are kept.
pub fn retention() -> Micros {
    Micros::from(RETENTION.get()) * MICROS_PER_MIN
}

/// Whether the worker is to look after a database.
pub fn sweeps(database: &str) -> bool {
    let names = DATABASES.get().and_then(|names| names.into_string().ok()).unwrap_or_default();
    let mut names = names.split(',').map(str::trim).filter(|name| !name.is_empty()).peekable();
    names.peek().is_none() || names.any(|name| name == database)
}

/// Where offers to those who wait are announced; none where they are not.
pub fn notify_channel() -> Option<String> {
    let channel = NOTIFY_CHANNEL.get().and_then(|name| name.into_string().ok())?;
    // What is longer is no channel, and giving something back must not fail for it.
    (1..NAMEDATALEN).contains(&channel.len()).then_some(channel)
}

/// The length of a name of the server's, and its end.
const NAMEDATALEN: usize = pgrx::pg_sys::NAMEDATALEN as usize;

/// Of how many escrow pools the count is kept in memory at once.
pub fn escrow_entries() -> usize {
    ESCROW_ENTRIES.get().unsigned_abs() as usize
}

/// Whether the worker is to work at all.
pub fn worker() -> bool {
    WORKER.get()
}

/// Makes the settings known to the server.
pub fn register() {
    register_times();
    register_worker();
    register_others();
    reserve_prefix();
}

fn register_times() {
    GucRegistry::define_int_guc(
        c"booking.default_ttl",
        c"How long a hold lives where the caller does not say.",
        c"Capped by booking.max_ttl.",
        &DEFAULT_TTL,
        1,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"booking.max_ttl",
        c"The longest a hold may live, counted from its placement, however often it is extended.",
        c"",
        &MAX_TTL,
        1,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"booking.max_period",
        c"The longest period of a calendar that can be held, or looked at in one call.",
        c"",
        &MAX_PERIOD,
        1,
        HUNDRED_YEARS,
        GucContext::Suset,
        GucFlags::UNIT_MIN,
    );
}

fn register_worker() {
    GucRegistry::define_bool_guc(
        c"booking.worker",
        c"Whether the worker sweeps.",
        c"Needs booking in shared_preload_libraries.",
        &WORKER,
        GucContext::Sighup,
        GucFlags::empty(),
    );
    GucRegistry::define_string_guc(
        c"booking.databases",
        c"The databases that the worker looks after, separated by commas.",
        c"Empty: every database that has the extension.",
        &DATABASES,
        GucContext::Sighup,
        GucFlags::empty(),
    );
    GucRegistry::define_int_guc(
        c"booking.sweep_interval",
        c"How often the worker looks for overdue holds.",
        c"A hold ends at its time whether it was swept or not; this bounds how long its row says otherwise.",
        &SWEEP_INTERVAL,
        10,
        60 * 60 * 1000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"booking.sweep_batch",
        c"How many holds are ended in one transaction of a sweep.",
        c"",
        &SWEEP_BATCH,
        1,
        100_000,
        GucContext::Sighup,
        GucFlags::empty(),
    );
    GucRegistry::define_int_guc(
        c"booking.retention",
        c"How long holds that ended unconfirmed are kept before they are purged.",
        c"",
        &RETENTION,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_MIN,
    );
}

fn register_others() {
    GucRegistry::define_string_guc(
        c"booking.notify_channel",
        c"The channel on which offers to those on a waitlist are announced with NOTIFY.",
        c"Empty: none, since a NOTIFY takes a lock of the whole server's when its transaction commits.",
        &NOTIFY_CHANNEL,
        GucContext::Suset,
        GucFlags::empty(),
    );
    GucRegistry::define_int_guc(
        c"booking.escrow_entries",
        c"Of how many escrow pools the count is kept in memory at once.",
        c"Each takes some 400 bytes of shared memory. Where it is not enough, holds are added up at each call.",
        &ESCROW_ENTRIES,
        1,
        1_000_000,
        // A setting of the server's start cannot be made known later.
        if is_preloaded() { GucContext::Postmaster } else { GucContext::Sighup },
        GucFlags::empty(),
    );
}

/// Makes a misspelt setting an error instead of a placeholder.
#[allow(unsafe_code)]
fn reserve_prefix() {
    // SAFETY: called from `_PG_init`, after every setting is defined; the name is static.
    unsafe {
        #[cfg(not(any(feature = "pg13", feature = "pg14")))]
        pgrx::pg_sys::MarkGUCPrefixReserved(c"booking".as_ptr());
        #[cfg(any(feature = "pg13", feature = "pg14"))]
        pgrx::pg_sys::EmitWarningsOnPlaceholders(c"booking".as_ptr());
    }
}
