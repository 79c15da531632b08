//! Errors at every point between taking and the commit, at every level of a transaction. Afterwards the count must
//! be the sum of the holds.

use booking_live::wait_until;
use postgres::Client;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{assert_exact, server};

/// Triggers that raise an error for chosen holders: before and after the insert, at an update, and at the commit.
const TRAPS: &str = "
    create function trap() returns trigger language plpgsql as
        $$ begin if new.holder = tg_argv[0] then raise exception 'trapped'; end if; return new; end $$;
    create trigger before_row before insert on booking.holds for each row execute function trap('before row');
    create trigger after_row after insert on booking.holds for each row execute function trap('after row');
    create trigger on_update before update on booking.holds for each row execute function trap('on update');
    create constraint trigger at_commit after insert on booking.holds deferrable initially deferred
        for each row execute function trap('at commit');";
const HOLDERS: [&str; 6] = ["before row", "after row", "on update", "at commit", "fine", "fine"];

const TAKEN: &str = "select taken from booking.escrow_status where resource = 'gig'";
const HELD: &str = "select coalesce(sum(quantity), 0)::bigint from booking.holds
                    where resource = 'gig' and state in ('held', 'confirmed')";

#[test]
fn an_error_anywhere_gives_back_what_was_taken() {
    let Some(server) = server(30) else { return };
    server.psql("select booking.create_pool('gig', 12, contention => 'escrow')");
    server.psql("select booking.create_pool('other', 3, contention => 'escrow')");
    server.psql(TRAPS);
    let mut session = server.connect("postgres");
    let mut random = StdRng::seed_from_u64(7);
    let (mut kept, mut failed) = (0, 0);
    for _ in 0..400 {
        if session.batch_execute("begin").is_err() {
            session = server.connect("postgres");
            continue;
        }
        let ended = statements(&mut session, &mut random, 0);
        let end = ["commit", "rollback", "commit"].choose(&mut random).expect("an end");
        match ended.and_then(|()| session.batch_execute(end)) {
            Ok(()) => kept += 1,
            Err(_) => {
                failed += 1;
                session.batch_execute("rollback").expect("a rollback");
            }
        }
        // A sweep may run between the two queries.
        let looks = || [TAKEN, HELD].map(|look| number(&mut session, look));
        wait_until("the count to be what the holds add up to", looks, |[taken, held]| {
            taken.is_none() || taken == held
        });
    }
    assert!(kept > 50 && failed > 50, "{kept} kept, {failed} failed");
    drop(session);
    assert_exact(&server);
}

fn number(session: &mut Client, look: &str) -> Option<i64> {
    session.query_one(look, &[]).expect("a number").get(0)
}

/// Runs some statements, with savepoints around some of them. A statement that fails without a savepoint ends the
/// transaction.
fn statements(session: &mut Client, random: &mut StdRng, depth: usize) -> Result<(), postgres::Error> {
    for _ in 0..random.random_range(1..5) {
        if depth < 3 && random.random_bool(0.4) {
            session.batch_execute(&format!("savepoint s{depth}"))?;
            let inner = statements(session, random, depth + 1);
            if inner.is_err() || random.random_bool(0.3) {
                session.batch_execute(&format!("rollback to s{depth}"))?;
            } else {
                session.batch_execute(&format!("release s{depth}"))?;
            }
            continue;
        }
        statement(session, random)?;
    }
    Ok(())
}

fn statement(session: &mut Client, random: &mut StdRng) -> Result<(), postgres::Error> {
    let holder = HOLDERS.choose(random).expect("a holder");
    let live = "select id from booking.holds where state in ('held', 'confirmed') order by random() limit 1";
    let sql = match random.random_range(0..8) {
        0 | 1 => format!("select booking.hold('gig', {}, holder => '{holder}')", random.random_range(1..4)),
        2 => format!("select booking.hold('gig', 1, '1 ms', holder => '{holder}')"),
        3 => format!("select booking.release(id) from ({live}) h"),
        4 => format!("select booking.release(id, 1) from ({live}) h"),
        5 => format!("select booking.confirm(id), booking.cancel(id) from ({live}) h"),
        6 => format!(
            "select booking.hold_all('[{{\"resource\": \"gig\"}}, {{\"resource\": \"other\"}}]', holder => '{holder}')"
        ),
        _ => "select booking.expire(5), 1 / (random() * 3)::int".to_owned(),
    };
    session.batch_execute(&sql)
}
