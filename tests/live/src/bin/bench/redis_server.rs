//! A Redis server, which several rivals need.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use redis::Connection;

use crate::Bench;

/// A Redis server in the folder of the PostgreSQL server, and as durable: it answers when its data is on disk.
pub struct Redis(Child, redis::Client);

impl Redis {
    pub fn start(bench: &Bench) -> Result<Self> {
        let home = bench.server.home();
        let socket = home.join("redis.sock");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--appendonly", "yes", "--appendfsync", "always", "--save", ""])
            .args(["--maxclients", "200", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(home)
            .stdout(Stdio::null())
            .spawn()
            .context(
                "cannot run redis-server, the rival of leases: install it, or leave them out with --only",
            )?;
        let client = redis::Client::open(format!("redis+unix://{}", socket.display()))?;
        let redis = Self(child, client);
        let deadline = Instant::now() + booking_live::BOUND;
        while let Err(error) = redis.connect() {
            anyhow::ensure!(Instant::now() < deadline, "redis-server takes no connections: {error:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(redis)
    }

    /// Sets `appendfsync`: whether an answer waits for the disk.
    pub fn set_durability(&self, fsync: &str) -> Result<()> {
        let mut set = redis::cmd("CONFIG");
        Ok(set.arg("SET").arg("appendfsync").arg(fsync).exec(&mut self.connect()?)?)
    }

    pub fn connect(&self) -> Result<Connection> {
        Ok(self.1.get_connection()?)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
