//! Thousands of short histories of one lease each, recorded from sixteen connections.

use std::sync::{Arc, Barrier};

use booking_live::{Builder, Server, clock};
use postgres::{Client, NoTls};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::linear::{Call, Event, is_linear};
use super::{Said, ask};

/// Four clients at each of four leases.
const GROUPS: usize = 4;
const CLIENTS: usize = 4;
const CALLS: usize = 3;

fn histories() -> usize {
    let default = if std::env::var_os("CI").is_some() { 3000 } else { 2000 };
    std::env::var("LEASE_HISTORIES")
        .map_or(default, |number| number.parse().expect("LEASE_HISTORIES is a number"))
}

/// Sends a call and loses the connection before the answer comes. The call is done or rolled back.
fn cut_off(session: &mut Client, call: &Call, name: &str, is_done: bool) -> (Option<Said>, Option<bool>) {
    let call = match call {
        Call::Acquire { holder } => format!("acquire_lease('{name}', '{holder}', '1 h')"),
        Call::Renew { token } => format!("renew_lease('{name}', {token}, '1 h')"),
        Call::Release { token } => format!("release_lease('{name}', {token})"),
        Call::Check { token } => format!("check_lease('{name}', {token})"),
    };
    let commit = if is_done { "commit;" } else { "" };
    let cut = format!("begin; select booking.{call}; {commit} select pg_terminate_backend(pg_backend_pid())");
    session.batch_execute(&cut).expect_err("the connection is lost");
    (None, None)
}

/// The calls of one client in one history. If the connection is lost, the call may have been done or not.
fn play(
    session: &mut Option<Client>,
    config: &postgres::Config,
    name: &str,
    client: usize,
    rng: &mut StdRng,
) -> Vec<Event> {
    let mut events = Vec::new();
    let mut token = 1;
    // In some histories leases expire, in others connections are lost.
    let (ttl, is_cut) = match name.len() % 3 {
        0 => (rng.random_range(1..4), false),
        // At most one connection is lost: each loss doubles the number of possible orders.
        1 => (3_600_000, client == 0),
        _ => (3_600_000, false),
    };
    for n in 0..CALLS {
        let open = session.get_or_insert_with(|| config.connect(NoTls).expect("a session"));
        let holder = format!("client {client}");
        let call = match rng.random_range(0..10) {
            0..4 => Call::Acquire { holder: holder.clone() },
            4..6 => Call::Renew { token },
            6..8 => Call::Release { token },
            _ => Call::Check { token },
        };
        let began = clock();
        let (said, is_valid) = match &call {
            _ if is_cut && n == CALLS / 2 => cut_off(open, &call, name, rng.random_bool(0.5)),
            Call::Acquire { holder } => {
                (ask(open, &format!("acquire_lease('{name}', '{holder}', '{ttl} ms')")).ok(), None)
            }
            Call::Renew { token } => {
                (ask(open, &format!("renew_lease('{name}', {token}, '{ttl} ms')")).ok(), None)
            }
            Call::Release { token } => (ask(open, &format!("release_lease('{name}', {token})")).ok(), None),
            Call::Check { token } => {
                let row = open.query_one(&format!("select booking.check_lease('{name}', {token})"), &[]);
                (None, row.ok().map(|row| row.get(0)))
            }
        };
        let is_lost = said.is_none() && is_valid.is_none();
        if is_lost {
            *session = None;
        }
        // A call with a name that nobody had, or a token that nobody has, says nothing about the lease.
        if said.as_ref().is_some_and(|said| said.status == "not_found") {
            continue;
        }
        token = said.as_ref().and_then(|said| said.token).unwrap_or(token + i64::from(rng.random_bool(0.3)));
        let ended = if is_lost { i64::MAX } else { clock() };
        events.push(Event { call, said, is_valid, began, ended });
    }
    events
}

#[test]
fn what_is_answered_is_linear() {
    linear(Server::builder());
}

/// What was true when the clock was read may be false when the call acts on it.
#[test]
fn what_is_answered_late_is_linear() {
    linear(Server::builder().late_clock());
}

fn linear(builder: Builder) {
    let server = Arc::new(builder.max_connections(60).start().expect("a server"));
    let mut session = server.connect("postgres");
    ask(&mut session, "acquire_lease('first of all', 'nobody', '1 ms')").expect("a lease");
    let rounds = histories().div_ceil(GROUPS);
    let groups: Vec<_> = (0..GROUPS)
        .map(|group| {
            let server = server.clone();
            std::thread::spawn(move || run_group(&server, group, rounds))
        })
        .collect();
    let kinds: Vec<[usize; 3]> = groups
        .into_iter()
        .map(|group| group.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        .collect();
    // The clients met: some were told that others have the lease, some that it had expired, some lost their
    // connection.
    for (n, what) in ["unavailable", "expired", "lost"].iter().enumerate() {
        assert!(
            kinds.iter().map(|kinds| kinds[n]).sum::<usize>() > 50,
            "hardly anybody was told {what}: {kinds:?}"
        );
    }
    server.assert_sound("postgres");
}

fn run_group(server: &Server, group: usize, rounds: usize) -> [usize; 3] {
    let barrier = Arc::new(Barrier::new(CLIENTS));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (config, barrier) = (server.config("postgres"), barrier.clone());
            std::thread::spawn(move || {
                let mut rng = StdRng::seed_from_u64((group * CLIENTS + client) as u64);
                let mut session = None;
                let play_one = |round: usize| {
                    let name = format!("{group} {}{}", "x".repeat(round % 3), round);
                    barrier.wait();
                    play(&mut session, &config, &name, client, &mut rng)
                };
                (0..rounds).map(play_one).collect::<Vec<_>>()
            })
        })
        .collect();
    let played: Vec<Vec<Vec<Event>>> = clients
        .into_iter()
        .map(|client| client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        .collect();
    let mut kinds = [0; 3];
    for round in 0..rounds {
        let history: Vec<Event> = played.iter().flat_map(|rounds| rounds[round].clone()).collect();
        for event in &history {
            let status = event.said.as_ref().map(|said| said.status.as_str());
            kinds[0] += usize::from(status == Some("unavailable"));
            kinds[1] += usize::from(status == Some("expired"));
            kinds[2] += usize::from(event.said.is_none() && event.is_valid.is_none());
        }
        assert!(is_linear(&history), "no order explains this:\n{history:#?}");
    }
    kinds
}
