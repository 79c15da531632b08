//! A PostgreSQL server in a temporary folder. Dropping the value stops the server and removes the folder.
//!
//! ```no_run
//! let server = booking_live::Server::builder().max_connections(300).start().unwrap();
//! let mut client = server.connect("postgres");
//! client.batch_execute("select booking.create_pool('gig', 100)").unwrap();
//! ```
//!
//! Starting returns a `Result`, for programs. All other functions panic with the server's own error message, since
//! a test cannot do more with an error.

mod builder;
mod clients;
mod guard;
mod processes;

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

pub use builder::{Builder, Worker};
pub use clients::{backend_pid, in_background, join, pipe};
use guard::Guard;

use crate::tree::Tree;
use crate::wait::BOUND;

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Waits until its sessions end.
    Smart,
    /// Ends its sessions and leaves a clean cluster.
    Fast,
    /// Drops everything; the next start recovers as after a crash.
    Immediate,
}

#[derive(Debug)]
pub struct Server {
    tree: Tree,
    builder: Builder,
    port: u16,
    postmaster: Option<Child>,
    guard: Guard,
    home: TempDir,
}

impl Server {
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn new(tree: Tree, home: TempDir, guard: Guard, builder: Builder) -> Server {
        Server { tree, builder, port: 0, postmaster: None, guard, home }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Returns the value for `PGHOST`.
    pub fn socket_dir(&self) -> &Path {
        self.home.path()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns a folder that belongs to the server's user and is removed with the server, for dumps and the like.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn is_running(&self) -> bool {
        self.postmaster.as_ref().is_some_and(|child| !processes::is_gone(child.id()))
    }

    /// Returns the postmaster's process id.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.postmaster.as_ref().expect("the server is stopped").id()
    }

    /// Returns the process ids of the postmaster and of every process it started.
    pub fn pids(&self) -> Vec<u32> {
        let Some(child) = &self.postmaster else { return Vec::new() };
        std::iter::once(child.id()).chain(processes::children(child.id())).collect()
    }

    /// Returns everything that the server logged so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn log_file(&self) -> PathBuf {
        self.home.path().join("log")
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines = log.lines().collect::<Vec<_>>();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Starts the server again after a stop or a crash, and returns when it accepts connections.
    #[track_caller]
    pub fn start(&mut self) {
        self.try_start().unwrap_or_else(|error| panic!("{error:#}"));
    }

    fn try_start(&mut self) -> Result<()> {
        assert!(self.postmaster.is_none(), "the server is running");
        let log = OpenOptions::new().create(true).append(true).open(self.log_file())?;
        let mut postgres = builder::as_server_user(&self.tree, "postgres");
        if let Some(library) = self.builder.preload(self.home.path())? {
            postgres.env("LD_PRELOAD", library);
        }
        let child = postgres
            .arg("-D")
            .arg(self.data_dir())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0) // we handle Ctrl-C, not the server
            .spawn()
            .context("cannot run postgres")?;
        self.postmaster = Some(child);
        self.wait_for_connections()
    }

    fn wait_for_connections(&mut self) -> Result<()> {
        let deadline = Instant::now() + BOUND;
        let mut config = self.config("postgres");
        config.connect_timeout(BOUND);
        loop {
            let Err(error) = config.connect(postgres::NoTls) else { return Ok(()) };
            let child = self.postmaster.as_mut().expect("was just started");
            if let Some(status) = child.try_wait()? {
                self.postmaster = None;
                bail!("postgres ended with {status}; its log:\n{}", self.log_tail());
            }
            if Instant::now() > deadline {
                bail!("the server takes no connections ({error}); its log:\n{}", self.log_tail());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    #[track_caller]
    pub fn stop(&mut self, how: Shutdown) {
        let mut child = self.postmaster.take().expect("the server is stopped already");
        let all = [vec![child.id()], processes::children(child.id())].concat();
        processes::signal(
            child.id(),
            match how {
                Shutdown::Smart => libc::SIGTERM,
                Shutdown::Fast => libc::SIGINT,
                Shutdown::Immediate => libc::SIGQUIT,
            },
        );
        if !processes::wait_gone(&all, BOUND) {
            self.postmaster = Some(child); // Drop must still clean it up
            panic!("the server did not stop; its log:\n{}", self.log_tail());
        }
        let _ = child.wait();
    }

    #[track_caller]
    pub fn restart(&mut self, how: Shutdown) {
        self.stop(how);
        self.start();
    }

    /// Kills the postmaster and all its processes with SIGKILL at once, as when the machine goes down.
    #[track_caller]
    pub fn kill_9(&mut self) {
        assert!(self.postmaster.is_some(), "the server is stopped already");
        assert!(self.kill_everything(), "the server survived kill -9");
    }

    fn kill_everything(&mut self) -> bool {
        let Some(mut child) = self.postmaster.take() else { return true };
        // The postmaster is stopped first, so that it starts no new processes in place of those we kill.
        processes::signal(child.id(), libc::SIGSTOP);
        let mut all = processes::children(child.id());
        all.push(child.id());
        all.iter().for_each(|pid| processes::signal(*pid, libc::SIGKILL));
        let gone = processes::wait_gone(&all, BOUND);
        let _ = child.wait();
        gone
    }

    /// Sends SIGHUP. Each process reads the settings again a moment later, by itself.
    #[track_caller]
    pub fn reload(&self) {
        processes::signal(self.pid(), libc::SIGHUP);
    }

    /// Runs `alter system set` and a reload, and returns when new sessions see the value.
    #[track_caller]
    pub fn set(&self, name: &str, value: &str) {
        let loaded = || self.psql("select pg_conf_load_time()");
        let before = loaded();
        self.psql(&format!("alter system set {name} = '{}'", value.replace('\'', "''")));
        self.reload();
        crate::wait_until("the settings to be read again", loaded, |time| *time != before);
        let pending = format!("select count(*) from pg_settings where name = '{name}' and pending_restart");
        assert_eq!(self.psql(&pending), "0", "{name} changes at a restart only");
    }

    /// Sends a signal to one of the server's processes, a backend or the worker.
    pub fn signal(&self, pid: i32, signal: i32) {
        assert!(self.signal_if_there(pid, signal), "{pid} is no process of this server");
    }

    /// Sends a signal to a process that may have ended. Returns whether it was still there.
    pub fn signal_if_there(&self, pid: i32, signal: i32) -> bool {
        let is_there = self.pids().contains(&(pid as u32));
        if is_there {
            processes::signal(pid as u32, signal);
        }
        is_there
    }

    /// Starts a hot standby, made with pg_basebackup.
    #[track_caller]
    pub fn standby(&self) -> Server {
        self.builder.clone().start_standby_of(self).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Moves the databases of this server, which is stopped, into a new server with pg_upgrade, and starts that one.
    #[track_caller]
    pub fn upgraded(&self, to: Builder) -> Server {
        assert!(!self.is_running(), "stop it first");
        to.start_upgraded_from(self).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Promotes a standby, and returns when it is a primary.
    #[track_caller]
    pub fn promote(&self) {
        assert_eq!(self.psql("select pg_promote(true, 60)"), "t", "not promoted:\n{}", self.log_tail());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of the server's log ---\n{}\n---", self.log_tail());
        }
        self.kill_everything();
        self.guard.finish();
    }
}
