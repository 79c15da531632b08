//! The extension behind PgBouncer in transaction mode, where each statement may reach another backend.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use booking_live::{Server, ask, in_background, join, wait_until};
use postgres::{Client, NoTls};

struct Pooler {
    child: Child,
    port: u16,
}

impl Pooler {
    /// Four server connections for any number of clients.
    fn start(server: &Server) -> Pooler {
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a port").port();
        let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(server.data_dir()).expect("its data"));
        let config = server.home().join("pgbouncer.ini");
        let sockets = server.socket_dir().display();
        fs::write(
            &config,
            format!(
                "[databases]\npostgres = host={sockets} port={} user=postgres\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = any\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 200\n\
                 ignore_startup_parameters = extra_float_digits\nlogfile =\n",
                server.port()
            ),
        )
        .expect("its configuration");
        chown(&config, Some(owner), None).expect("chown");
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]
            .into_iter()
            .find(|p| fs::exists(p).is_ok_and(|e| e));
        let mut command = Command::new(program.unwrap_or("pgbouncer"));
        command.arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // PgBouncer, like the server, refuses to run as root.
        let child = command.uid(owner).spawn().expect("pgbouncer is installed by scripts/setup");
        wait_until("pgbouncer", || TcpStream::connect(("127.0.0.1", port)).is_ok(), |up| *up);
        Pooler { child, port }
    }

    fn connect(&self) -> Client {
        let target = format!("host=127.0.0.1 port={} user=postgres dbname=postgres", self.port);
        Client::connect(&target, NoTls).expect("a session through pgbouncer")
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn thirty_two_clients_over_four_connections() {
    let server = Server::builder().start().expect("a server");
    server.psql("select booking.create_pool('gig', 100)");
    let pooler = Pooler::start(&server);
    let threads = (0..32)
        .map(|n| {
            // Runs through the simple protocol and in transactions, with the parameters in the text.
            let mut client = pooler.connect();
            std::thread::spawn(move || {
                let mut sold = 0;
                for round in 0..20 {
                    let mut transaction = client.transaction().expect("begin");
                    let held =
                        ask(&mut transaction, &format!("hold('gig', key => '{n}-{round}')")).expect("a hold");
                    transaction.commit().expect("commit");
                    if !held.ok {
                        assert_eq!(held.status, "unavailable");
                        continue;
                    }
                    let mut transaction = client.transaction().expect("begin");
                    let call = if round % 3 == 2 { "release" } else { "confirm" };
                    let answer =
                        ask(&mut transaction, &format!("{call}('{}')", held.id())).expect("an answer");
                    transaction.commit().expect("commit");
                    assert!(answer.ok, "{answer:?}");
                    sold += i64::from(call == "confirm");
                }
                sold
            })
        })
        .collect::<Vec<_>>();
    let sold: i64 = threads.into_iter().map(join).sum();
    let backends = "select count(*) <= 5 from pg_stat_activity where application_name <> 'psql' and backend_type = 'client backend'";
    assert_eq!(server.psql(backends), "t");
    assert_eq!(
        server.psql("select coalesce(sum(quantity), 0) from booking.holds where state = 'confirmed'"),
        sold.to_string()
    );
    assert!(sold <= 100);
    assert_eq!(server.psql("select count(*) from booking.check()"), "0");
}

#[test]
fn a_waiting_hold_outlives_the_one_it_waits_for() {
    let server = Server::builder().start().expect("a server");
    server.psql("select booking.create_pool('gig', 1)");
    let pooler = Pooler::start(&server);
    let mut first = pooler.connect();
    let mut transaction = first.transaction().expect("begin");
    assert!(ask(&mut transaction, "hold('gig')").expect("a hold").ok);
    let mut second = pooler.connect();
    let waiting = std::thread::spawn(move || {
        let mut transaction = second.transaction().expect("begin");
        let answer = ask(&mut transaction, "hold('gig')").expect("an answer");
        transaction.commit().expect("commit");
        answer
    });
    wait_until(
        "the second to wait",
        || {
            server.psql("select count(*) from pg_locks where locktype = 'object' and not granted and classid = 'booking.resources'::regclass")
        },
        |count| count == "1",
    );
    transaction.rollback().expect("rollback");
    assert_eq!(join(waiting).status, "held");
    let (_, ended) =
        in_background(server.connect("postgres"), |client| ask(client, "hold('gig', wait => false)"));
    assert_eq!(join(ended).expect("an answer").status, "unavailable");
}
