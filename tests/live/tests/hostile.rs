//! A client that tries to run its own code with the rights of the extension. Everything that a statement could
//! look up by name exists a second time, and raises an error when it is called.

use booking_live::{Server, Worker, ask, wait_until};
use postgres::Client;

/// The schemas that a role may fill, searched before the server's catalog.
const PATH: &str = "set search_path = evil, public, pg_temp, pg_catalog";

/// Operators and functions whose arguments fit as well as, or better than, those of the server.
const TRAPS: &str = r"
create function evil.trap(bigint, bigint) returns boolean language plpgsql as
    $$begin raise exception 'a trap was called'; end$$;
create function evil.trap(text, text) returns boolean language plpgsql as
    $$begin raise exception 'a trap was called'; end$$;
create function evil.trap(uuid, uuid) returns boolean language plpgsql as
    $$begin raise exception 'a trap was called'; end$$;
create function evil.trap(timestamptz, timestamptz) returns boolean language plpgsql as
    $$begin raise exception 'a trap was called'; end$$;
create function evil.number(bigint, bigint) returns bigint language plpgsql as
    $$begin raise exception 'a trap was called'; end$$;
-- Or the traps that are set first would catch the rest of this.
set search_path = pg_catalog, pg_temp;
do $$
declare type text; name text; schema text;
begin
    foreach schema in array array['evil', 'public', 'pg_temp'] loop
        foreach type in array array['bigint', 'text', 'uuid', 'timestamptz'] loop
            foreach name in array array['=', '<>', '<', '<=', '>', '>='] loop
                execute format('create operator %s.%s (function = evil.trap, leftarg = %s, rightarg = %s)',
                               schema, name, type, type);
            end loop;
        end loop;
        foreach name in array array['+', '-'] loop
            execute format('create operator %s.%s (function = evil.number, leftarg = bigint, rightarg = bigint)',
                           schema, name);
        end loop;
        foreach name in array array[
            'now() returns timestamptz', 'clock_timestamp() returns timestamptz',
            'length(text) returns integer', 'count(bigint) returns bigint', 'sum(bigint) returns numeric',
            'min(timestamptz) returns timestamptz', 'format(text, text) returns text',
            'replace(text, text, text) returns text', 'concat_ws(text, text, text) returns text'
        ] loop
            execute format('create function %s.%s language plpgsql as %L', schema, name,
                           'begin raise exception ''a trap was called''; end');
        end loop;
        execute format('create table %s.resources (name text, kind text, taken bigint)', schema);
        execute format('create table %s.holds (id uuid, resource text, state text, quantity bigint)', schema);
        if schema <> 'pg_temp' then
            execute format('create type %s.hold_state as enum (''held'')', schema);
            execute format('create domain %s.quantity as bigint check (false)', schema);
            execute format('create type %s.result as (ok text)', schema);
        end if;
    end loop;
end $$;";

fn start() -> Server {
    let server = Server::builder().start().expect("a server");
    server.psql(
        "create role mallory login; create role admin login; create role gateway login noinherit in role mallory;
         create schema evil; grant all on schema evil, public to public;
         select booking.grant_client('mallory'), booking.grant_admin('admin');
         select booking.create_pool('pool', 10)",
    );
    server
}

/// Opens a session of the role in which every trap is set, and found before the server's own objects.
fn trapped(server: &Server, role: &str) -> Client {
    let mut session = server.connect_as(role, "postgres");
    session.batch_execute(TRAPS).expect("the traps");
    session.batch_execute(PATH).expect("the path");
    for probe in
        ["select 1::bigint = 1::bigint", "select 1::bigint + 1::bigint", "select now()", "select length('')"]
    {
        let error = session.batch_execute(probe).expect_err(probe);
        assert!(error.as_db_error().is_some_and(|error| error.message() == "a trap was called"), "{error:?}");
    }
    session
}

/// Waits until every hold that is still held has expired by the clock.
fn wait_until_overdue(server: &Server) {
    let sql = "select count(*) from booking.holds where state = 'held' and expires_at > clock_timestamp()";
    wait_until("what is held to run out", || server.psql(sql), |count| count == "0");
}

/// Each call and the status that it must return. `ID` is the hold that was placed first.
fn assert_answers(session: &mut Client, calls: &[(&str, &str)]) {
    let mut id: Option<String> = None;
    for (call, status) in calls {
        let call = id.as_ref().map_or_else(|| (*call).to_owned(), |id| call.replace("ID", id));
        let answer = ask(session, &call).unwrap_or_else(|error| panic!("{call}: {error:?}"));
        assert_eq!(answer.status, *status, "{call}: {answer:?}");
        id = id.or(answer.hold_id);
    }
}

#[test]
fn a_clients_own_operators_and_functions_are_never_called() {
    let server = start();
    let mut session = trapped(&server, "mallory");
    assert_answers(
        &mut session,
        &[
            ("hold('pool', 3, '1 h', key => 'key', holder => 'm', metadata => '{}')", "held"),
            ("hold('pool', 3, '1 h', key => 'key', holder => 'm', metadata => '{}')", "held"),
            ("hold('pool', 4, key => 'key')", "key_reused"),
            ("hold('pool', 8)", "unavailable"),
            ("require(booking.hold('pool', 7, '1 ms'))", "held"),
            ("extend('ID', '2 h')", "held"),
            ("release('ID', 1)", "held"),
            ("confirm('ID', 'payment', late => 'reacquire')", "confirmed"),
            ("confirm('ID', 'another')", "already_confirmed"),
            ("find('ID')", "confirmed"),
            ("release('ID')", "already_confirmed"),
            ("cancel('ID', 1)", "confirmed"),
            ("cancel('ID')", "cancelled"),
        ],
    );
    // This call needs the place of the hold that has expired.
    wait_until_overdue(&server);
    assert_answers(&mut session, &[("hold('pool', 10, '1 ms')", "held")]);
    let refused = session.batch_execute("select booking.require(booking.hold('pool', 99))");
    assert_eq!(refused.expect_err("refused").code().map(|code| code.code()), Some("RS001"));
    session.batch_execute("select * from booking.availability('pool')").expect("availability");
    assert_eq!(server.psql("select count(*) from booking.holds"), "3");
    server.assert_sound("postgres");
}

#[test]
fn an_admins_neither() {
    let server = start();
    let mut session = trapped(&server, "admin");
    for sql in [
        "select booking.create_pool('other', 5, 1, max_per_holder => 2, metadata => '{}')",
        "select booking.hold('other', 1, '1 ms', holder => 'a')",
    ] {
        session.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    wait_until_overdue(&server);
    for sql in [
        "select booking.set_capacity('other', 4)",
        "select booking.set_open('other', false)",
        "select booking.expire()",
        "select booking.expire(5, 'other')",
        "select booking.purge('0 s')",
        "select booking.drop_resource('other')",
        "select * from booking.check()",
        "select * from booking.worker_status",
    ] {
        session.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    server.assert_sound("postgres");
}

#[test]
fn a_client_can_change_neither_functions_nor_tables() {
    let server = start();
    let mut session = server.connect_as("mallory", "postgres");
    for sql in [
        "alter function booking.find(uuid, text) set search_path = evil",
        "alter function booking.find(uuid, text) security invoker",
        "alter function booking.find(uuid, text) rename to found",
        "create function booking.find() returns int language sql as 'select 1'",
        "create table booking.traps (n int)",
        "update booking.resources set taken = 0",
        "insert into booking.holds select",
        "select * from booking.holds",
        "begin; lock table booking.holds",
        "rollback; select * from booking.resources",
        "create trigger t before insert on booking.holds for each row execute function evil.f()",
        "select booking.expire()",
        "select booking.set_capacity('pool', 99)",
        "select booking.grant_admin('mallory')",
    ] {
        let error = session.batch_execute(sql).expect_err(sql);
        assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{sql}: {error:?}");
    }
}

/// Before the library is loaded, the server lets everybody set settings that it does not know yet. They must have
/// no effect.
#[test]
fn a_client_cannot_raise_the_longest_time_to_live() {
    let server = start();
    let mut session = server.connect_as("mallory", "postgres");
    let early = session.batch_execute("set booking.max_ttl = '2 d'");
    if let Err(error) = early {
        assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{error:?}");
    }
    let error = ask(&mut session, "hold('pool', ttl => '1 d 1 s')").expect_err("too long");
    assert_eq!(error.code().map(|code| code.code()), Some("22023"), "{error:?}");
    let error = session.batch_execute("set booking.max_ttl = '2 d'").expect_err("not a client's to set");
    assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{error:?}");
}

/// The rights that count are those of `set role`, not those of the login.
#[test]
fn rights_follow_set_role() {
    let server = start();
    let mut session = server.connect_as("gateway", "postgres");
    let error = ask(&mut session, "hold('pool')").expect_err("it may not");
    assert_eq!(error.code().map(|code| code.code()), Some("42501"));
    session.batch_execute("set role mallory").expect("set role");
    assert!(ask(&mut session, "hold('pool')").expect("an answer").ok);
    let role = session.query_one("select current_user::text", &[]).expect("a role").get::<_, String>(0);
    assert_eq!(role, "mallory", "and is the same after the call");
}

/// In a database without the extension, a role made a schema and tables with the extension's names. The worker
/// leaves them alone, and `create extension` refuses to use them.
#[test]
fn a_schema_that_only_looks_like_it_is_left_alone() {
    let server =
        Server::builder().worker(Worker::On).set("booking.sweep_interval", "20ms").start().expect("one");
    server.psql("create role mallory login");
    for dbname in ["before", "fake", "after"] {
        server.psql(&format!("create database {dbname}"));
    }
    server.psql_in("fake", "grant create on database fake to mallory");
    let bait = "create schema booking;
        create table booking.resources (name text, taken bigint, version bigint);
        create table booking.holds (id uuid, resource text, state text, quantity bigint, expires_at timestamptz,
                                    ended_at timestamptz);
        insert into booking.resources values ('pool', 1, 1);
        insert into booking.holds values (gen_random_uuid(), 'pool', 'held', 1, now() - interval '1 h');
        create function booking.caught() returns trigger language plpgsql as
            $$begin execute 'alter role mallory superuser'; return new; end$$;
        create trigger caught before update on booking.holds for each row execute function booking.caught()";
    server.connect_as("mallory", "fake").batch_execute(bait).expect("the bait");
    for dbname in ["before", "after"] {
        server.psql_in(
            dbname,
            "create extension booking cascade; select booking.create_pool('pool', 5);
             update booking.resources set taken = 1;
             insert into booking.holds (id, resource, quantity, state, placed_at, expires_at)
             values (gen_random_uuid(), 'pool', 1, 'held', now() - interval '2 h', now() - interval '1 h')",
        );
    }
    let launcher = server.wait_for_launcher(None);
    server.psql(&format!("select pg_terminate_backend({launcher})"));
    server.wait_until_swept("before");
    server.wait_until_swept("after");
    let sweepers = "select count(*) from pg_stat_activity where backend_type = 'booking sweeper'";
    wait_until("the last sweeper to go", || server.psql(sweepers), |count| count == "0");
    assert_eq!(server.psql_in("fake", "select state from booking.holds"), "held");
    assert_eq!(server.psql("select rolsuper from pg_roles where rolname = 'mallory'"), "f");
    let error =
        server.try_psql("fake", "create extension booking cascade").expect_err("its schema is somebody's");
    assert!(error.to_string().contains("schema \"booking\" already exists"), "{error:#}");
}
