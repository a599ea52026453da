//! Journal, engines and store together on a machine that crashes: the real writer, recovery, engines and store's
//! writer, each a turn at a time in an order that a seed draws, on a disk that forgets.
//!
//! - The machine stops in the middle of any step of the journal's disk or of a transaction of the store, or between any
//!   two turns. Syncs fail, the disk fills, transactions fail, an engine dies, its tables change, the wall clock jumps
//!   back an hour.
//! - After every restart the store holds what engines bring about that were never interrupted, see `oracle.rs`: nothing
//!   is lost, nothing double, and of what was not acknowledged only what was under way.
//!
//! - Days after the last event no file of the journal has any of its keys, whatever went before: a server that stays, one
//!   that starts every hour, one that stood still for a month.
//!
//! `AUTHSTITCH_SIMULATION_SEEDS` says how many seeds are tried, `AUTHSTITCH_SIMULATION_SEED` tries one.

mod machine;
mod oracle;
mod world;

use std::panic::{catch_unwind, resume_unwind};

use authstitch_journal::disk::simulated::Crash;
use rand::RngExt;

use world::{DAY, Found, HOUR, World};

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Seeds that found something: 569 a journal so full that a start could not write down what decides.
const FOUND: [u64; 1] = [569];

/// Seeds from 0 on and those that found something, or the one that is asked for; the one that fails is told.
fn with_seeds(usual: u64, test: impl Fn(u64) -> Found + std::panic::RefUnwindSafe) -> Found {
    let seeds: Vec<_> = match from_environment("AUTHSTITCH_SIMULATION_SEED") {
        Some(seed) => vec![seed],
        None => {
            let count = from_environment("AUTHSTITCH_SIMULATION_SEEDS").unwrap_or(usual);
            (0..count).chain(FOUND).collect()
        }
    };
    let mut found = Found::default();
    for seed in &seeds {
        match catch_unwind(|| test(*seed)) {
            Ok(this) => found += this,
            Err(panic) => {
                eprintln!("again with AUTHSTITCH_SIMULATION_SEED={seed}");
                resume_unwind(panic);
            }
        }
    }
    println!("{} seeds: {found}", seeds.len());
    found
}

#[test]
fn after_any_crash_the_store_has_what_was_acknowledged_once_and_nothing_else() {
    let found = with_seeds(200, |seed| {
        let mut world = World::new(seed);
        for _ in 0..world.chance.random_range(2..6) {
            world.live();
            let crash = Crash::ALL[world.chance.random_range(0..Crash::ALL.len())];
            world.restart(crash);
        }
        world.end()
    });
    if from_environment("AUTHSTITCH_SIMULATION_SEED").is_none() {
        found.is_much();
    }
}

/// The same life, stopped at each of its steps; with fewer seeds than steps at some of them.
#[test]
fn every_step_of_journal_and_store_can_be_the_last() {
    let live = |stop: Option<u64>, crash: Crash| {
        let mut world = World::new(7);
        world.faults = false;
        let steps = world.live_until(stop, 400);
        world.restart(crash);
        (steps, world.end())
    };
    let (steps, _) = live(None, Crash::Killed);
    assert!(steps > 100, "{steps}");
    let every = (steps / from_environment("AUTHSTITCH_SIMULATION_SEEDS").unwrap_or(60)).max(1);
    for stop in (1..steps).step_by(every as usize) {
        let crash = Crash::ALL[(stop / every) as usize % Crash::ALL.len()];
        live(Some(stop), crash);
    }
}

#[test]
fn neither_starts_every_hour_nor_a_month_without_any_keep_events_in_the_journal() {
    // What is open closes within an hour, and is remembered for a day; two snapshots later it is gone.
    for (lives, pause) in [(50, HOUR), (1, 30 * DAY)] {
        for seed in 0..20 {
            let mut world = World::new(seed);
            world.faults = false;
            world.live_until(None, 200);
            assert!(world.keys_in_journal() > 0, "seed {seed}");
            world.stand_still(lives, pause);
            assert_eq!(world.keys_in_journal(), 0, "{lives} starts, seed {seed}");
        }
    }
}

/// A restart under a clock that shows an hour less: time goes on from where it was.
#[test]
fn receipt_time_never_goes_back_though_the_clock_jumps_back_an_hour_between_two_starts() {
    let mut world = World::new(11);
    world.faults = false;
    let mut latest = world.received();
    for _ in 0..3 {
        world.live_until(None, 200);
        world.restart(Crash::Killed);
        world.jump_back();
        // Every record is looked at, and none was received before the one before it.
        world.live_until(None, 200);
        assert!(world.received() > latest);
        latest = world.received();
        world.restart(Crash::Killed);
    }
    world.end();
}
