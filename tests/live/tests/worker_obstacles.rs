//! What users attach to the extension's tables, a foreign key or a trigger, may forbid the worker to change a
//! row. It passes over that row, says so, and goes on with the others.

use booking_live::{Server, Worker, wait_until};

fn server() -> Server {
    Server::builder()
        .worker(Worker::On)
        .set("booking.sweep_interval", "20ms")
        .set("booking.retention", "0")
        .start()
        .expect("a server")
}

const STATE: &str = "select state from booking.worker_status";

#[test]
fn a_foreign_key_keeps_its_hold_and_no_other() {
    let server = server();
    server.psql(
        "select booking.create_pool('gig', 100);
         create table orders (hold_id uuid, resource text,
             foreign key (hold_id, resource) references booking.holds (id, resource));
         create table later (hold_id uuid, resource text,
             foreign key (hold_id, resource) references booking.holds (id, resource) deferrable initially deferred)",
    );
    // One transaction, so that no sweep comes in between.
    server.psql(
        "begin;
         select booking.hold('gig', ttl => '1 ms', key => n::text) from generate_series(1, 20) as n;
         insert into orders select id, resource from booking.holds where key = '7';
         insert into later select id, resource from booking.holds where key = '11';
         commit",
    );
    let left = "select string_agg(key, ' ' order by key) from booking.holds";
    wait_until("the purge of all others", || server.psql(left), |keys| keys == "11 7");
    wait_until("its report", || server.psql(STATE), |state| state == "failing");
    let error = server.psql("select last_error from booking.worker_status");
    assert!(error.contains("violates foreign key constraint"), "{error}");
    // Later holds are swept as before, and what the purge found does not count as an error of that sweep.
    let report = "select last_error_at, state from booking.worker_status";
    let before = server.psql(report);
    server.psql("select booking.hold('gig', ttl => '1 ms', key => 'later')");
    wait_until(
        "the sweep",
        || server.psql("select count(*) from booking.holds where state = 'held'"),
        |n| n == "0",
    );
    wait_until(
        "its note",
        || server.psql("select total_expired from booking.worker_status"),
        |expired| expired == "21",
    );
    assert_eq!(server.psql(report), before);
    server.assert_sound("postgres");
}

#[test]
fn the_purge_that_a_caller_asks_for_passes_over_what_it_may_not_delete() {
    let server = Server::builder().worker(Worker::Off).start().expect("a server");
    server.psql(
        "select booking.create_pool('gig', 5000);
         select booking.hold('gig', key => n::text) from generate_series(1, 2000) as n;
         select booking.release(id) from booking.holds;
         create table orders (hold_id uuid, resource text,
             foreign key (hold_id, resource) references booking.holds (id, resource));
         insert into orders select id, resource from booking.holds where key in ('1', '1000', '1001', '2000')",
    );
    // A lock says nothing about the holds: the purge neither passes over them nor tries each alone.
    let mut locker = server.connect("postgres");
    locker.batch_execute("begin; lock table orders in access exclusive mode").expect("a lock");
    let mut purger = server.connect("postgres");
    purger.batch_execute("set lock_timeout = '50 ms'").expect("a setting");
    let error = purger.query("select booking.purge('0 s', 100000)", &[]).expect_err("orders is locked");
    assert_eq!(error.code().map(|code| code.code()), Some("55P03"));
    locker.batch_execute("rollback").expect("rollback");
    assert_eq!(server.psql("select booking.purge('0 s', 100000)"), "1996");
    assert_eq!(
        server.psql("select string_agg(key, ' ' order by key::int) from booking.holds"),
        "1 1000 1001 2000"
    );
    assert_eq!(server.psql("select booking.purge('0 s')"), "0");
    server.psql("delete from orders");
    assert_eq!(server.psql("select booking.purge('0 s')"), "4");
}

#[test]
fn a_foreign_key_on_one_item_keeps_its_basket() {
    let server = Server::builder().worker(Worker::Off).start().expect("a server");
    server.psql(
        "select booking.create_pool('gig', 5000);
         select booking.hold_all(
             '[{\"resource\": \"gig\"}, {\"resource\": \"gig\", \"quantity\": 2}, {\"resource\": \"gig\", \"quantity\": 3}]',
             key => n::text)
         from generate_series(1, 20) as n;
         select booking.release(basket) from (select distinct basket from booking.holds) as baskets;
         create table orders (hold_id uuid, resource text,
             foreign key (hold_id, resource) references booking.holds (id, resource));
         insert into orders select id, resource from booking.holds where key = '7' and quantity = 2",
    );
    let left = "select count(*), count(distinct basket) from booking.holds";
    // A basket goes whole, also if that is more than was asked for.
    assert_eq!(server.psql("select booking.purge('0 s', 4)"), "6");
    assert_eq!(server.psql(left), "54|18");
    assert_eq!(server.psql("select booking.purge('0 s')"), "51");
    assert_eq!(server.psql(left), "3|1");
    server.psql("delete from orders");
    assert_eq!(server.psql("select booking.purge('0 s')"), "3");
}

#[test]
fn a_trigger_that_fails_keeps_its_resource_and_no_other() {
    let server = server();
    // The worker's search path is pg_catalog, so a trigger that names a table without its schema does not find it.
    server.psql(
        "select booking.create_pool('bad', 100), booking.create_pool('good', 100),
                booking.create_seats('hall', '[\"A\"]'), booking.create_calendar('room');
         create table log (resource text);
         create function note() returns trigger language plpgsql as
             'begin insert into log values (new.resource); return new; end';
         create trigger note after update on booking.holds for each row
             when (new.resource = 'bad' and new.state = 'expired') execute function note()",
    );
    server.psql(
        "begin;
         select booking.hold('bad', ttl => '1 ms') from generate_series(1, 3);
         select booking.hold('good', ttl => '1 ms') from generate_series(1, 3);
         select booking.hold('hall', seats => '{A}', ttl => '1 ms');
         select booking.hold('room', during => '[2040-01-01, 2040-01-02)', ttl => '1 ms');
         commit",
    );
    let held =
        "select string_agg(distinct resource, ' ' order by resource) from booking.holds where state = 'held'";
    wait_until("the sweep of all others", || server.psql(held), |resources| resources == "bad");
    wait_until("its report", || server.psql(STATE), |state| state == "failing");
    let error = server.psql("select last_error from booking.worker_status");
    assert!(error.contains("\"log\" does not exist"), "{error}");
    // Once the trigger is mended, nothing is failing any more.
    server.psql("drop trigger note on booking.holds");
    server.psql("select booking.hold('good', ttl => '1 ms')");
    wait_until(
        "the sweep",
        || server.psql("select count(*) from booking.holds where state = 'held'"),
        |n| n == "0",
    );
    wait_until("its report", || server.psql(STATE), |state| state == "running");
    server.assert_sound("postgres");
}
