//! The settings `booking.*`: their defaults, their bounds and their texts.

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
static DIRECT: GucSetting<bool> = GucSetting::<bool>::new(true);

/// Two years in minutes, one of them a leap year.
const TWO_YEARS: i32 = 731 * 24 * 60;
/// A hundred years in minutes.
const HUNDRED_YEARS: i32 = 36_525 * 24 * 60;

const MICROS_PER_MS: Micros = 1000;
const MICROS_PER_MIN: Micros = 60_000_000;

/// Returns how long a hold lives if the caller gives no ttl.
pub fn default_ttl() -> Micros {
    Micros::from(DEFAULT_TTL.get()) * MICROS_PER_MS
}

/// Returns the longest time that a hold may live after its placement.
pub fn max_ttl() -> Micros {
    Micros::from(MAX_TTL.get()) * MICROS_PER_MS
}

/// Returns `booking.max_ttl` as `SHOW` prints it, in the largest unit that divides it.
pub fn max_ttl_shown() -> String {
    shown(MAX_TTL.get().into())
}

/// Returns the longest period of a calendar that a call may hold or look at.
pub fn max_period() -> Micros {
    Micros::from(MAX_PERIOD.get()) * MICROS_PER_MIN
}

/// Returns `booking.max_period` as `SHOW` prints it.
pub fn max_period_shown() -> String {
    shown(max_period() / MICROS_PER_MS)
}

fn shown(ms: i64) -> String {
    [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")]
        .into_iter()
        .find(|(unit, _)| ms % unit == 0)
        .map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

/// Returns how often the worker looks for overdue holds.
pub fn sweep_interval() -> Duration {
    Duration::from_millis(SWEEP_INTERVAL.get().unsigned_abs().into())
}

/// Returns how many holds one transaction of a sweep ends at most.
pub fn sweep_batch() -> i64 {
    SWEEP_BATCH.get().into()
}

/// Returns how long holds that ended unconfirmed are kept before they are purged.
pub fn retention() -> Micros {
    Micros::from(RETENTION.get()) * MICROS_PER_MIN
}

/// Returns whether `booking.databases` lets the worker sweep a database.
pub fn sweeps(database: &str) -> bool {
    let names = DATABASES.get().and_then(|names| names.into_string().ok()).unwrap_or_default();
    let mut names = names.split(',').map(str::trim).filter(|name| !name.is_empty()).peekable();
    names.peek().is_none() || names.any(|name| name == database)
}

/// Returns the channel on which offers are announced with NOTIFY. Returns `None` if the setting names no valid
/// channel.
pub fn notify_channel() -> Option<String> {
    let channel = NOTIFY_CHANNEL.get().and_then(|name| name.into_string().ok())?;
    // A longer name is not a valid channel, and a release must not fail because of it.
    (1..NAMEDATALEN).contains(&channel.len()).then_some(channel)
}

/// The longest identifier of the server, in bytes, with the NUL at its end.
const NAMEDATALEN: usize = pgrx::pg_sys::NAMEDATALEN as usize;

/// Returns of how many escrow pools the count is kept in memory at once.
pub fn escrow_entries() -> usize {
    ESCROW_ENTRIES.get().unsigned_abs() as usize
}

/// Returns whether the worker sweeps at all.
pub fn worker() -> bool {
    WORKER.get()
}

/// Returns whether plain rows are written without a statement.
pub fn writes_directly() -> bool {
    DIRECT.get()
}

/// Registers the settings with the server.
pub fn register() {
    register_times();
    register_worker();
    register_others();
    reserve_prefix();
}

fn register_times() {
    GucRegistry::define_int_guc(
        c"booking.default_ttl",
        c"How long a hold lives if the caller gives no ttl.",
        c"Capped by booking.max_ttl.",
        &DEFAULT_TTL,
        1,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"booking.max_ttl",
        c"The longest a hold may live after its placement, however often it is extended.",
        c"",
        &MAX_TTL,
        1,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"booking.max_period",
        c"The longest period of a calendar that one call may hold or look at.",
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
        c"Whether the worker ends overdue holds and purges old ones.",
        c"The worker runs only if shared_preload_libraries lists booking.",
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
        c"A hold ends at its expiry whether it was swept or not. This is how long its row may still say \"held\".",
        &SWEEP_INTERVAL,
        10,
        60 * 60 * 1000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"booking.sweep_batch",
        c"How many holds one transaction of a sweep ends at most.",
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
    GucRegistry::define_bool_guc(
        c"booking.direct",
        c"Whether plain rows are written without an SQL statement.",
        c"For developers: every answer is the same without it, at twice the cost.",
        &DIRECT,
        GucContext::Suset,
        GucFlags::empty(),
    );
    GucRegistry::define_string_guc(
        c"booking.notify_channel",
        c"The channel on which NOTIFY announces offers to holders on a waitlist.",
        c"Empty: no NOTIFY. A transaction with a NOTIFY takes a server-wide lock when it commits.",
        &NOTIFY_CHANNEL,
        GucContext::Suset,
        GucFlags::empty(),
    );
    GucRegistry::define_int_guc(
        c"booking.escrow_entries",
        c"Of how many escrow pools the count is kept in memory at once.",
        c"Each takes about 330 bytes of shared memory. Beyond this number, holds are added up at each call.",
        &ESCROW_ENTRIES,
        1,
        1_000_000,
        // The server accepts a setting of its start only while it starts.
        if is_preloaded() { GucContext::Postmaster } else { GucContext::Sighup },
        GucFlags::empty(),
    );
}

/// Reserves the prefix `booking`, so that a misspelt setting is an error instead of a placeholder.
#[allow(unsafe_code)]
fn reserve_prefix() {
    // SAFETY: runs in `_PG_init`, after every setting is defined. The name is static.
    unsafe { pgrx::pg_sys::MarkGUCPrefixReserved(c"booking".as_ptr()) };
}
