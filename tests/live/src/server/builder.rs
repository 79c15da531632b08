//! The configuration of a server, and its start.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::Server;
use super::guard::Guard;
use crate::tree::Tree;

/// How expired holds are swept. Every test must pass with each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// The library is preloaded and the worker runs.
    On,
    /// The library is preloaded, with `booking.worker = off`.
    Off,
    /// The library is not preloaded: only `create extension`, as on a hosted PostgreSQL.
    Absent,
}

impl Worker {
    /// Returns what `BOOKING_WORKER` says, or on if it is not set.
    pub fn from_env() -> Worker {
        match std::env::var("BOOKING_WORKER").as_deref() {
            Err(_) | Ok("" | "on") => Worker::On,
            Ok("off") => Worker::Off,
            Ok("absent") => Worker::Absent,
            Ok(other) => panic!("BOOKING_WORKER is on, off or absent, not {other:?}"),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Builder {
    worker: Worker,
    extension: bool,
    tcp: bool,
    late_clock: bool,
    tree: Option<Tree>,
    settings: Vec<(String, String)>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            worker: Worker::from_env(),
            extension: true,
            tcp: false,
            late_clock: false,
            tree: None,
            settings: statements_only().into_iter().collect(),
        }
    }
}

/// Returns the setting that makes statements write every row, if `BOOKING_DIRECT` is off. Every answer must be the same
/// with it.
fn statements_only() -> Option<(String, String)> {
    let is_off = std::env::var("BOOKING_DIRECT").is_ok_and(|value| value == "off");
    is_off.then(|| ("booking.direct".to_owned(), "off".to_owned()))
}

impl Builder {
    pub fn worker(mut self, worker: Worker) -> Self {
        self.worker = worker;
        self
    }

    /// Starts a server without the extension. The extension can be created there later.
    pub fn plain(mut self) -> Self {
        self.extension = false;
        self
    }

    /// Listens on 127.0.0.1 as well. By default the server has only its socket, which no other server can take.
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Runs another version of PostgreSQL than the one that the set-up has chosen.
    pub fn tree(mut self, tree: Tree) -> Self {
        self.tree = Some(tree);
        self
    }

    /// Makes processes pause now and then between reading the clock and using the time.
    pub fn late_clock(mut self) -> Self {
        self.late_clock = true;
        self
    }

    /// Sets a setting of postgresql.conf. A later one overrides an earlier one and the defaults.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn max_connections(self, connections: usize) -> Self {
        self.set("max_connections", connections)
    }

    /// Starts the server, and creates the extension in the database `postgres` unless the server is a plain one.
    pub fn start(self) -> Result<Server> {
        let tree = self.find_tree()?;
        let (home, guard) = make_home(&tree)?;
        initdb(&tree, home.path())?;
        let server = self.clone().launch(tree, home, guard)?;
        if self.extension {
            server.try_psql("postgres", "create extension booking cascade")?;
        }
        Ok(server)
    }

    fn find_tree(&self) -> Result<Tree> {
        self.tree.clone().map_or_else(|| Tree::find().cloned(), Ok)
    }

    /// Starts a server that pg_upgrade has filled with the databases of `old`.
    pub(super) fn start_upgraded_from(self, old: &Server) -> Result<Server> {
        let tree = self.find_tree()?;
        let (home, guard) = make_home(&tree)?;
        initdb(&tree, home.path())?;
        self.configure(home.path(), 5432)?;
        let mut upgrade = as_server_user(&tree, "pg_upgrade");
        upgrade.arg("-b").arg(&old.tree.bin).arg("-B").arg(&tree.bin).args(["-U", "postgres"]);
        upgrade.arg("-d").arg(old.data_dir()).arg("-D").arg(home.path().join("data"));
        run(upgrade.arg("--socketdir").arg(home.path()).current_dir(home.path()))?;
        self.launch(tree, home, guard)
    }

    /// Starts a standby of `primary`. It has the primary's settings and a socket of its own.
    pub(super) fn start_standby_of(self, primary: &Server) -> Result<Server> {
        let tree = self.find_tree()?;
        let (home, guard) = make_home(&tree)?;
        let mut backup = as_server_user(&tree, "pg_basebackup");
        backup.arg("-D").arg(home.path().join("data")).args(["-U", "postgres", "-R", "-X", "stream"]);
        backup.args(["-c", "fast", "--no-sync", "-p", &primary.port().to_string()]);
        run(backup.arg("-h").arg(primary.socket_dir()))?;
        self.launch(tree, home, guard)
    }

    /// Returns the library to preload into the processes of the server with this folder, if there is one.
    pub(super) fn preload(&self, home: &Path) -> Result<Option<PathBuf>> {
        let library = home.join("late_clock.so");
        if self.late_clock && !library.exists() {
            let source = home.join("late_clock.c");
            fs::write(&source, include_str!("late_clock.c"))?;
            run(Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source))?;
        }
        Ok(self.late_clock.then_some(library))
    }

    fn launch(self, tree: Tree, home: TempDir, guard: Guard) -> Result<Server> {
        let mut server = Server::new(tree, home, guard, self.clone());
        // Another program may take the port between the moment we find it free and the moment the server takes it.
        for attempt in 1.. {
            server.port = if self.tcp { free_port()? } else { 5432 };
            self.configure(server.home(), server.port)?;
            match server.try_start() {
                Err(_) if self.tcp && attempt < 5 && server.log().contains("Address already in use") => {}
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        Ok(server)
    }

    /// Writes the configuration of the server with this folder.
    fn configure(&self, home: &Path, port: u16) -> Result<()> {
        let file = home.join("data/throwaway.conf");
        fs::write(&file, self.configuration(home, port))?;
        Ok(fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?)
    }

    fn configuration(&self, sockets: &Path, port: u16) -> String {
        let quoted = |value: &str| format!("'{}'", value.replace('\'', "''"));
        let mut lines = vec![
            format!("port = {port}"),
            format!("listen_addresses = '{}'", if self.tcp { "127.0.0.1" } else { "" }),
            format!("unix_socket_directories = {}", quoted(&sockets.to_string_lossy())),
            // These servers need not survive a power cut, and kill -9 loses nothing without fsync.
            "fsync = off".to_owned(),
            "max_prepared_transactions = 20".to_owned(),
            "log_line_prefix = '%m [%p] %b '".to_owned(),
            "log_timezone = 'UTC'".to_owned(),
            "timezone = 'UTC'".to_owned(),
        ];
        if self.extension && self.worker != Worker::Absent {
            let worker = if self.worker == Worker::On { "on" } else { "off" };
            lines.push("shared_preload_libraries = 'booking'".to_owned());
            lines.push(format!("booking.worker = {worker}"));
        }
        lines.extend(self.settings.iter().map(|(name, value)| format!("{name} = {}", quoted(value))));
        lines.join("\n") + "\n"
    }
}

/// Creates the folder for the data, the socket and the log, and the guard that removes it when this process ends.
fn make_home(tree: &Tree) -> Result<(TempDir, Guard)> {
    // A socket's path may have at most 107 bytes, so a long TMPDIR is not used.
    let parent = Some(std::env::temp_dir()).filter(|dir| dir.as_os_str().len() < 60).unwrap_or("/tmp".into());
    let home = tempfile::Builder::new().prefix("booking-").tempdir_in(&parent)?;
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755))?;
    if let Some((uid, gid)) = tree.unprivileged {
        std::os::unix::fs::chown(home.path(), Some(uid), Some(gid))?;
    }
    let guard = Guard::over(home.path())?;
    Ok((home, guard))
}

/// Makes an empty cluster, with checksums: versions differ in whether they are the default, and pg_upgrade refuses to go
/// from one to the other.
fn initdb(tree: &Tree, home: &Path) -> Result<()> {
    let data = home.join("data");
    let mut initdb = as_server_user(tree, "initdb");
    initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]);
    run(initdb.args(["--data-checksums", "--no-sync"]))?;
    append(&data.join("postgresql.conf"), "\ninclude 'throwaway.conf'\n")
}

/// Returns a command that runs a program of the private copy as the servers' user.
pub(super) fn as_server_user(tree: &Tree, program: &str) -> Command {
    let mut command = Command::new(tree.bin.join(program));
    // That user may have no access to our working directory, and must not inherit our environment's settings.
    command.current_dir("/");
    for name in
        ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "PGDATA", "PGSERVICE", "RUST_BACKTRACE"]
    {
        command.env_remove(name);
    }
    if let Some((uid, gid)) = tree.unprivileged {
        command.uid(uid).gid(gid);
    }
    command
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        bail!("{command:?} failed:\n{}{}", text(&output.stdout), text(&output.stderr));
    }
    Ok(())
}

fn append(file: &Path, text: &str) -> Result<()> {
    let old = fs::read_to_string(file)?;
    Ok(fs::write(file, old + text)?)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
