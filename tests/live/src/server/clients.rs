//! Ways to connect to a server: the two Rust clients, psql, any other program; and waiting until a session blocks.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use postgres::{Client, NoTls};

use super::Server;
use crate::wait_until;

impl Server {
    pub fn config(&self, dbname: &str) -> postgres::Config {
        let mut config = postgres::Config::new();
        config.host_path(self.socket_dir()).port(self.port()).user("postgres").dbname(dbname);
        config
    }

    /// Opens a session as the superuser `postgres`.
    #[track_caller]
    pub fn connect(&self, dbname: &str) -> Client {
        self.connect_as("postgres", dbname)
    }

    #[track_caller]
    pub fn connect_as(&self, user: &str, dbname: &str) -> Client {
        let session = self.config(dbname).user(user).connect(NoTls);
        session.unwrap_or_else(|error| {
            panic!("no session in {dbname} as {user}: {error:?}\n{}", self.log_tail())
        })
    }

    /// Opens a tokio session. A task of the current runtime drives its connection.
    pub async fn connect_async(&self, dbname: &str) -> Result<tokio_postgres::Client> {
        let mut config = tokio_postgres::Config::new();
        config.host_path(self.socket_dir()).port(self.port()).user("postgres").dbname(dbname);
        let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Returns what psql prints for `sql` in the database `postgres`, unaligned and without the last newline.
    #[track_caller]
    pub fn psql(&self, sql: &str) -> String {
        self.psql_in("postgres", sql)
    }

    #[track_caller]
    pub fn psql_in(&self, dbname: &str, sql: &str) -> String {
        self.try_psql(dbname, sql).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Returns what psql prints, or `Err` with what it wrote to stderr.
    pub fn try_psql(&self, dbname: &str, sql: &str) -> Result<String> {
        let mut psql = self.command("psql");
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", dbname, "-c", sql]);
        let output = psql.output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        Ok(String::from_utf8(output.stdout)?.trim_end_matches('\n').to_owned())
    }

    /// Runs a script with psql, which stops at the first error.
    pub fn try_load(&self, dbname: &str, script: &str) -> Result<()> {
        let file = self.home().join("script.psql");
        std::fs::write(&file, script)?;
        let mut psql = self.command("psql");
        psql.args(["-Xq", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", dbname, "-f"]).arg(&file);
        let output = psql.output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        Ok(())
    }

    /// Returns a command for any program (pg_dump, pgbench, a client in another language), connected to this
    /// server. PostgreSQL's programs come from the private copy.
    pub fn command(&self, program: &str) -> Command {
        let own = self.tree.bin.join(program);
        let mut command = if own.exists() { Command::new(own) } else { Command::new(program) };
        for name in ["PGOPTIONS", "PGSERVICE", "PGPASSWORD", "PGHOSTADDR", "PGSSLMODE"] {
            command.env_remove(name);
        }
        command
            .env("PATH", with_front(&self.tree.bin))
            .env("PGHOST", self.socket_dir())
            .env("PGPORT", self.port().to_string())
            .env("PGUSER", "postgres")
            .env("PGDATABASE", "postgres");
        command
    }

    /// Waits until the backend waits for a lock, and returns the backends that block it.
    #[track_caller]
    pub fn wait_until_blocked(&self, pid: i32) -> Vec<i32> {
        self.wait_for_blockers(pid, "it to wait for a lock", |blockers| !blockers.is_empty())
    }

    #[track_caller]
    pub fn wait_until_unblocked(&self, pid: i32) {
        self.wait_for_blockers(pid, "it to wait for a lock no longer", |blockers| blockers.is_empty());
    }

    #[track_caller]
    fn wait_for_blockers(&self, pid: i32, what: &str, good: impl Fn(&[i32]) -> bool) -> Vec<i32> {
        let mut watcher = self.connect("postgres");
        let sql = "select pg_blocking_pids($1), (select row(state, wait_event_type, wait_event, query)::text \
                   from pg_stat_activity where pid = $1)";
        let mut observe = || {
            let row = watcher.query_one(sql, &[&pid]).expect("pg_blocking_pids");
            (row.get::<_, Vec<i32>>(0), row.get::<_, Option<String>>(1))
        };
        wait_until(&format!("{what}: backend {pid}"), &mut observe, |(blockers, _)| good(blockers)).0
    }
}

/// Runs a program that dumps, and beside it one that restores what the first writes.
#[track_caller]
pub fn pipe(dump: &mut Command, restore: &mut Command) {
    let mut dumping = dump.stdout(Stdio::piped()).spawn().expect("the dump starts");
    let stdout = dumping.stdout.take().expect("piped");
    let restored = restore.stdin(stdout).stdout(Stdio::null()).status().expect("the restore starts");
    assert!(restored.success(), "{restore:?}");
    assert!(dumping.wait().expect("the dump ends").success(), "{dump:?}");
}

/// Returns the process id of the backend that serves the session.
#[track_caller]
pub fn backend_pid(client: &mut Client) -> i32 {
    client.query_one("select pg_backend_pid()", &[]).expect("pg_backend_pid").get(0)
}

/// Runs `work` on the session in a thread of its own. Returns the backend's process id and the thread.
pub fn in_background<T: Send + 'static>(
    mut client: Client,
    work: impl FnOnce(&mut Client) -> T + Send + 'static,
) -> (i32, std::thread::JoinHandle<T>) {
    let pid = backend_pid(&mut client);
    (pid, std::thread::spawn(move || work(&mut client)))
}

/// Joins a thread, and panics after a minute, so that no thread can hang the whole run.
#[track_caller]
pub fn join<T>(thread: std::thread::JoinHandle<T>) -> T {
    wait_until("a background thread to finish", || thread.is_finished(), |done| *done);
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn with_front(bin: &Path) -> std::ffi::OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(bin.to_owned()).chain(std::env::split_paths(&old))).unwrap_or(old)
}
