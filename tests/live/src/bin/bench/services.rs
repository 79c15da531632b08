//! The services that some rivals need besides PostgreSQL.

use anyhow::Result;

use crate::Bench;
use crate::redis_server::Redis;
use crate::shop::Needs;
use crate::zookeeper::ZooKeeper;

pub struct Services {
    pub redis: Redis,
    /// `None` if ZooKeeper is not installed.
    pub zookeeper: Option<ZooKeeper>,
}

impl Services {
    pub fn start(bench: &Bench) -> Result<Self> {
        Ok(Self { redis: Redis::start(bench)?, zookeeper: ZooKeeper::start(bench)? })
    }

    pub fn have(&self, needs: Needs) -> bool {
        needs != Needs::ZooKeeper || self.zookeeper.is_some()
    }
}
