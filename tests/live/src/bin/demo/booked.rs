//! Act two: the same shop, which leaves the decisions to `booking`.

use anyhow::Result;
use tokio_postgres::{Client, Statement};

use crate::crowd::{Shop, TICKETS, TTL};

pub struct Booked {
    client: Client,
    hold: Statement,
    confirm: Statement,
    charge: Statement,
    mark: Statement,
    refund: Statement,
    release: Statement,
}

impl Shop for Booked {
    const TITLE: &str = "Act two: the same shop, with booking";
    const WAYS: &[&str] = &[
        "insert into orders select ... from booking.hold('gig', ttl, key) h where h.ok",
        "payment reported:  booking.confirm(hold, reference, late => 'reacquire');",
        "                   charge once if ok, refund if the place is gone",
        "payment failed:  booking.release(hold);  no word at all: it expires",
    ];
    const COUNT: &str = "
        with money as (select order_id, sum(amount) as net from booked.charges group by order_id)
        select (select count(*) from booked.orders where status = 'paid'),
               (select count(*) from money where net > 1),
               (select count(*) from booking.holds where state = 'held')
                   + (select count(*) from money join booked.orders on id = order_id
                      where net > 0 and status <> 'paid'),
               (select count(*) from booking.check())
                   + abs((select count(*) from booked.orders where status = 'paid')
                         - (select confirmed from booking.availability('gig')))";

    fn schema() -> String {
        format!(
            "create schema booked;
             create table booked.orders (id int primary key, hold_id uuid, status text);
             create table booked.charges (order_id int, amount int);
             select booking.create_pool('gig', {TICKETS});"
        )
    }

    async fn open(client: Client) -> Result<Self> {
        let hold = format!(
            "insert into booked.orders select $1::int, h.hold_id, 'pending'
             from booking.hold('gig', ttl => '{} s', key => 'order ' || $1::int) h where h.ok",
            TTL.as_secs()
        );
        let confirm = "select c.ok, c.replayed from booked.orders, booking.confirm(hold_id, \
                       reference => 'payment ' || id, late => 'reacquire') c where id = $1";
        let refund = "with late as (update booked.orders set status = 'refunded' \
                                    where id = $1 and status = 'pending' returning id) \
                      insert into booked.charges select id, amount from late, (values (1), (-1)) m (amount)";
        Ok(Booked {
            hold: client.prepare(&hold).await?,
            confirm: client.prepare(confirm).await?,
            charge: client.prepare("insert into booked.charges values ($1, 1)").await?,
            mark: client.prepare("update booked.orders set status = $2 where id = $1").await?,
            refund: client.prepare(refund).await?,
            release: client
                .prepare("select booking.release(hold_id) from booked.orders where id = $1")
                .await?,
            client,
        })
    }

    async fn reserve(&self, order: i32) -> Result<bool> {
        Ok(self.client.execute(&self.hold, &[&order]).await? == 1)
    }

    async fn payment_arrived(&self, order: i32) -> Result<()> {
        self.client.batch_execute("begin").await?;
        let answer = self.client.query_one(&self.confirm, &[&order]).await?;
        match (answer.get("ok"), answer.get("replayed")) {
            (true, false) => {
                self.client.execute(&self.charge, &[&order]).await?;
                self.client.execute(&self.mark, &[&order, &"paid"]).await?;
            }
            (true, true) => {}
            (false, _) => {
                self.client.execute(&self.refund, &[&order]).await?;
            }
        }
        Ok(self.client.batch_execute("commit").await?)
    }

    async fn payment_failed(&self, order: i32) -> Result<()> {
        self.client.batch_execute("begin").await?;
        self.client.query(&self.release, &[&order]).await?;
        self.client.execute(&self.mark, &[&order, &"failed"]).await?;
        Ok(self.client.batch_execute("commit").await?)
    }
}
