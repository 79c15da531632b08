//! The result of an act, counted from the rows that it left behind.

use anyhow::Result;
use tokio_postgres::Client;

use crate::crowd::{Shop, TICKETS};

pub struct Verdict {
    pub sold: i64,
    pub oversold: i64,
    pub double_charged: i64,
    pub stuck: i64,
    /// The rules of the extension that its tables break, and the orders without a hold.
    pub broken: i64,
    pub seconds: f64,
}

impl Verdict {
    pub async fn count<S: Shop>(client: &Client, seconds: f64) -> Result<Verdict> {
        let row = client.query_one(S::COUNT, &[]).await?;
        let sold: i64 = row.get(0);
        Ok(Verdict {
            sold,
            oversold: (sold - TICKETS).max(0),
            double_charged: row.get(1),
            stuck: row.get(2),
            broken: row.get(3),
            seconds,
        })
    }

    pub fn is_clean(&self) -> bool {
        self.oversold == 0 && self.double_charged == 0 && self.stuck == 0 && self.broken == 0
    }
}
