//! Upgrades of the extension: from every release, as `tests/upgrades/freeze` has kept it, to what is here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use booking_live::{Server, Shutdown, Worker, everything, wait_until};

const EVERY_OBJECT: &str = include_str!("describe.sql");

/// A dump has the times of its day. As if the database had stood still since then.
const MOVE_TO_TODAY: &str = "do $$
    declare
        moved interval := clock_timestamp() - max(placed_at) from booking.holds;
        of_table record;
    begin
        for of_table in
            select table_name, string_agg(format('%1$I = %1$I + $1', column_name), ', ') as shifts
            from information_schema.columns join information_schema.tables using (table_schema, table_name)
            where table_schema = 'booking' and table_type = 'BASE TABLE' and data_type like 'timestamp%'
            group by table_name
        loop
            execute format('update booking.%I set %s', of_table.table_name, of_table.shifts) using moved;
        end loop;
    end
    $$";

/// A release: its version, and the dump of a database that it made.
struct Release {
    version: String,
    dump: String,
}

fn releases() -> Vec<Release> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../upgrades/released");
    let read = |path: PathBuf| Release {
        version: path.file_name().expect("a name").to_string_lossy().into_owned(),
        dump: fs::read_to_string(path.join("database.sql")).expect("a dump"),
    };
    let releases =
        fs::read_dir(folder).expect("the releases").map(|entry| read(entry.expect("a folder").path()));
    releases.collect()
}

impl Release {
    /// Makes a database by this release, with the library that is here. Its rows say what they said that day.
    fn restore(&self, server: &Server, dbname: &str) {
        let create = "CREATE EXTENSION IF NOT EXISTS booking WITH SCHEMA pg_catalog";
        assert!(self.dump.contains(create), "the dump creates the extension in other words");
        let dump = self.dump.replace(create, &format!("{create} VERSION '{}'", self.version));
        load(server, dbname, &dump);
        server.psql_in(dbname, MOVE_TO_TODAY);
    }
}

fn load(server: &Server, dbname: &str, dump: &str) {
    server.psql(&format!("create database {dbname}"));
    server.try_load(dbname, dump).unwrap_or_else(|error| panic!("{error:#}"));
}

fn start() -> Server {
    let server = Server::builder().worker(Worker::On).start().expect("a server");
    server.psql("create role app");
    server
}

/// Returns the functions of the library that the database calls, each with its types.
fn symbols(server: &Server, dbname: &str) -> BTreeMap<String, String> {
    let lines = server.psql_in(
        dbname,
        "select p.prosrc, proargtypes::regtype[]::text || ' ' || prorettype::regtype
         from pg_proc p join pg_language l on l.oid = p.prolang
         where l.lanname = 'c' and p.probin = '$libdir/booking'",
    );
    let split =
        |line: &str| line.split_once('|').map(|(symbol, types)| (symbol.to_owned(), types.to_owned()));
    lines.lines().filter_map(split).collect()
}

/// Between the upgrade of the package and that of the database, calls say what to do, the worker waits, and nothing
/// crashes. After it, the database is the same as a new one, object by object, and its holds go on living.
#[test]
fn a_database_of_each_release_becomes_what_a_new_one_is() {
    let mut server = start();
    // The dumps have these grants.
    server.psql("select booking.grant_client('app')");
    let fresh = server.psql(EVERY_OBJECT);
    let current = symbols(&server, "postgres");
    assert!(current.contains_key("hold_wrapper"), "{current:?}");
    for release in releases() {
        let dbname = format!("of_{}", release.version.replace('.', "_"));
        release.restore(&server, &dbname);
        // As it is done for another library. A new launcher looks into every database at once.
        server.restart(Shutdown::Fast);
        // A library that finds fewer arguments than it reads would crash: other arguments need another symbol.
        for (symbol, types) in symbols(&server, &dbname) {
            assert_eq!(current.get(&symbol).unwrap_or(&types), &types, "the types of {symbol}");
        }
        let before = everything::rows(&server, &dbname);
        let error =
            server.try_psql(&dbname, "select booking.hold('gig', holder => 'x')").expect_err("too old");
        let error = error.to_string();
        assert!(error.contains(&format!("extension booking has version {}", release.version)), "{error}");
        assert!(error.contains("Run alter extension booking update."), "{error}");
        let failing = "select state || ' ' || last_error from booking.worker_status";
        let says = |state: &String| state.starts_with("failing extension booking has version");
        wait_until("the worker to say what it waits for", || server.psql_in(&dbname, failing), says);
        assert_eq!(everything::rows(&server, &dbname), before, "the worker left {dbname} alone");

        server.psql_in(&dbname, "alter extension booking update");
        let upgraded = server.psql_in(&dbname, EVERY_OBJECT);
        let differs = upgraded.lines().zip(fresh.lines()).find(|(upgraded, fresh)| upgraded != fresh);
        assert_eq!(differs, None, "upgraded from {}, and fresh", release.version);
        // One of them may go on after the last line of the other.
        assert_eq!(upgraded, fresh, "upgraded from {}, and fresh", release.version);
        let late = "select string_agg(distinct state::text, ' ') from booking.holds where key = 'late'";
        wait_until(
            "the worker to end what is overdue",
            || server.psql_in(&dbname, late),
            |states| states == "expired",
        );
        everything::check(&server, &dbname);
    }
}

/// Who moves to a new server by a dump skips `alter extension`: the dump creates the extension as it is there.
#[test]
fn a_dump_of_each_release_is_restored_here() {
    let server = start();
    for release in releases() {
        let dbname = format!("dump_of_{}", release.version.replace('.', "_"));
        load(&server, &dbname, &release.dump);
        server.psql_in(&dbname, MOVE_TO_TODAY);
        server.psql_in(&dbname, "select booking.after_restore()");
        assert_eq!(server.psql_in(&dbname, "select count(*) from booking.check()"), "0");
        assert_eq!(
            server.psql_in(&dbname, "select status from booking.hold('gig', holder => 'new')"),
            "held"
        );
    }
}

/// A script that is newer than the library refuses before it changes anything.
#[test]
fn an_upgrade_script_refuses_an_older_library() {
    let server = start();
    let here = server.psql("select booking.library_version()");
    let folder = server.psql("select setting || '/extension' from pg_config where name = 'SHAREDIR'");
    let mut found = 0;
    for release in releases() {
        let script = Path::new(&folder).join(format!("booking--{}--{here}.sql", release.version));
        let Ok(script) = fs::read_to_string(script) else { continue };
        found += 1;
        let guard = script.split_inclusive("$$;\n").next().expect("the guard is its first block");
        let newer = guard.replace("MODULE_PATHNAME", "$libdir/booking").replace(&here, "99.0.0");
        assert_ne!(newer, guard, "the guard names the version that it leads to");
        let newer = newer.lines().filter(|line| !line.starts_with("\\echo")).collect::<Vec<_>>().join("\n");
        let error = server.try_psql("postgres", &newer).expect_err("the library is older").to_string();
        assert!(error.contains("the library of booking has version"), "{error}");
        assert!(error.contains("HINT:  Install the library of version 99.0.0"), "{error}");
    }
    assert!(found > 0, "no upgrade script leads to {here}");
}
