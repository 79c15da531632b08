//! Act one: read, decide in the program, write. Each statement is right; the mistakes happen between them.

use anyhow::Result;
use tokio_postgres::{Client, Statement};

use crate::crowd::{Shop, TICKETS};

pub struct Usual {
    client: Client,
    look: Statement,
    take: Statement,
    order: Statement,
    status: Statement,
    charge: Statement,
    mark: Statement,
}

impl Shop for Usual {
    const TITLE: &str = "Act one: the way most shops are written";
    const WAYS: &[&str] = &[
        "select sold from event;  if sold < capacity:  insert order, update event",
        "payment reported:  select status;  if not paid yet:  charge, mark as paid",
        "payment failed:  mark the order;  freeing the place is somebody else's job",
    ];
    // A place is stuck if it counts as sold and nobody has paid for it.
    const COUNT: &str = "
        with paid as (select count(*) as n from usual.orders where status = 'paid'),
             money as (select order_id, sum(amount) as net from usual.charges group by order_id)
        select (select n from paid),
               (select count(*) from money where net > 1),
               (select sold from usual.event) - (select n from paid)
                   + (select count(*) from money join usual.orders on id = order_id
                      where net > 0 and status <> 'paid'),
               0::bigint";

    fn schema() -> String {
        format!(
            "create schema usual;
             create table usual.event (id int primary key, capacity bigint, sold bigint);
             create table usual.orders (id int primary key, status text);
             create table usual.charges (order_id int, amount int);
             insert into usual.event values (1, {TICKETS}, 0);"
        )
    }

    async fn open(client: Client) -> Result<Self> {
        Ok(Usual {
            look: client.prepare("select sold, capacity from usual.event where id = 1").await?,
            take: client.prepare("update usual.event set sold = sold + 1 where id = 1").await?,
            order: client.prepare("insert into usual.orders values ($1, 'pending')").await?,
            status: client.prepare("select status from usual.orders where id = $1").await?,
            charge: client.prepare("insert into usual.charges values ($1, 1)").await?,
            mark: client.prepare("update usual.orders set status = $2 where id = $1").await?,
            client,
        })
    }

    async fn reserve(&self, order: i32) -> Result<bool> {
        let event = self.client.query_one(&self.look, &[]).await?;
        if event.get::<_, i64>("sold") >= event.get::<_, i64>("capacity") {
            return Ok(false);
        }
        self.client.execute(&self.order, &[&order]).await?;
        self.client.execute(&self.take, &[]).await?;
        Ok(true)
    }

    async fn payment_arrived(&self, order: i32) -> Result<()> {
        let row = self.client.query_one(&self.status, &[&order]).await?;
        if row.get::<_, &str>("status") != "paid" {
            self.client.execute(&self.charge, &[&order]).await?;
            self.client.execute(&self.mark, &[&order, &"paid"]).await?;
        }
        Ok(())
    }

    async fn payment_failed(&self, order: i32) -> Result<()> {
        self.client.execute(&self.mark, &[&order, &"failed"]).await?;
        Ok(())
    }
}
