//! Backends and servers that are killed while they have pending deltas.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::storm::{client, create_pools, decide};
use super::{OVERSOLD, assert_exact, reconnect, server};
use booking_live::{join, wait_until};

const CLIENTS: u64 = 16;

/// The number of kills: `ESCROW_KILLS`; fifty in CI.
fn kills() -> usize {
    let default = if std::env::var_os("CI").is_some() { 50 } else { 8 };
    std::env::var("ESCROW_KILLS").map_or(default, |kills| kills.parse().expect("ESCROW_KILLS is a number"))
}

#[test]
fn counts_are_right_after_every_crash() {
    let Some(mut server) = server(60) else { return };
    create_pools(&server);
    let (over, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|seed| {
            let (config, over, done) = (server.config("postgres"), over.clone(), done.clone());
            std::thread::spawn(move || client(config, seed, &done, || !over.load(Ordering::Relaxed)))
        })
        .collect();
    for cycle in 0..kills() {
        let before = done.load(Ordering::Relaxed);
        let look = || {
            // What a killed session had prepared keeps its pools until it is decided.
            decide(&mut reconnect(&server.config("postgres")));
            done.load(Ordering::Relaxed)
        };
        wait_until("the load to go on", look, |done| *done > before + 60);
        if cycle % 2 == 0 {
            server.kill_a_process("client backend");
        } else {
            server.kill_9();
            server.start();
        }
        assert_eq!(server.psql(OVERSOLD), "");
        server.assert_sound("postgres");
    }
    over.store(true, Ordering::Relaxed);
    let are_over = || {
        decide(&mut server.connect("postgres"));
        clients.iter().all(std::thread::JoinHandle::is_finished)
    };
    wait_until("the clients to end", are_over, |over| *over);
    clients.into_iter().for_each(join);
    assert_exact(&server);
}
