//! A ZooKeeper server, whose lock recipe one of the rivals uses.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::{Handle, Runtime};
use zookeeper_client::{Acls, Client, CreateMode, LockPrefix};

use crate::Bench;

/// The path of Debian's package libzookeeper-java.
const JARS: [&str; 2] = ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-nop.jar"];
/// The time after which ZooKeeper takes a silent client's locks away.
const SESSION: Duration = Duration::from_secs(1);

/// A ZooKeeper server in the folder of the PostgreSQL server. It answers when its data is on disk.
pub struct ZooKeeper {
    child: Child,
    address: String,
    runtime: Runtime,
}

impl ZooKeeper {
    /// Starts the server. Returns `None` if ZooKeeper is not installed.
    pub fn start(bench: &Bench) -> Result<Option<Self>> {
        if !JARS.iter().all(|jar| Path::new(jar).exists()) {
            eprintln!("libzookeeper-java is not installed: ZooKeeper is left out");
            return Ok(None);
        }
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let home = bench.server.home();
        let file = home.join("zookeeper.cfg");
        let settings = [
            "tickTime=500".to_owned(),
            format!("dataDir={}", home.join("zookeeper").display()),
            format!("clientPort={port}"),
            "clientPortAddress=127.0.0.1".to_owned(),
            "maxClientCnxns=0".to_owned(),
            "admin.enableServer=false".to_owned(),
        ];
        std::fs::write(&file, settings.join("\n"))?;
        let child = Command::new("java")
            .args(["-Xmx256m", "-cp", &JARS.join(":"), "org.apache.zookeeper.server.ZooKeeperServerMain"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run java, which ZooKeeper needs")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let zookeeper = Self { child, address: format!("127.0.0.1:{port}"), runtime };
        let deadline = Instant::now() + booking_live::BOUND;
        while let Err(error) = TcpStream::connect(&zookeeper.address) {
            anyhow::ensure!(Instant::now() < deadline, "ZooKeeper takes no connections: {error:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
        let first = zookeeper.connect()?;
        let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
        zookeeper.runtime.block_on(first.client.create("/hot", b"", &options))?;
        Ok(Some(zookeeper))
    }

    /// Opens a client whose session outlives it, as the session of a process that dies does.
    pub fn connect(&self) -> Result<Locker> {
        let connector = Client::connector().with_session_timeout(SESSION).with_detached();
        let client = self.runtime.block_on(connector.connect(&self.address))?;
        Ok(Locker { client, runtime: self.runtime.handle().clone() })
    }
}

impl Drop for ZooKeeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Locker {
    client: Client,
    runtime: Handle,
}

impl Locker {
    /// Runs `work` while it has the lock. Each client creates a node in one sequence, and the first node has the
    /// lock. `work` returns whether to release the lock.
    pub fn with_lock<T>(&self, work: impl FnOnce() -> Result<(bool, T)>) -> Result<T> {
        let prefix = LockPrefix::new_curator("/hot", "lock-")?;
        let lock = self.runtime.block_on(self.client.lock(prefix, b"", Acls::anyone_all()))?;
        let (gives_back, done) = work()?;
        match gives_back {
            true => {
                let _runtime = self.runtime.enter();
                drop(lock);
            }
            false => std::mem::forget(lock),
        }
        Ok(done)
    }
}
