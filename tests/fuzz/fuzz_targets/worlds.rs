//! Any text as a world: it is read or refused, and in a world that is accepted a block of attempts is made, twice the
//! same, in bounded work.

#![no_main]

use authstitch_fuzz::assert_short;
use authstitch_simulate::{Simulation, World, caps};
use libfuzzer_sys::fuzz_target;

/// Records that eight attempts of a world bring about at most, with every fault of their telemetry.
const RECORDS: usize = 20_000;

fuzz_target!(|text: &str| {
    match World::from_yaml(text) {
        Err(problems) => assert_short(problems),
        Ok(world) => {
            let simulation = Simulation::new(world, 7);
            let block = simulation.block(3);
            assert_eq!(block.attempts.len() as u64, caps::BLOCK_ATTEMPTS);
            assert!(block.emissions.len() <= RECORDS, "{} records", block.emissions.len());
            assert_eq!(simulation.block(3), block);
        }
    }
});
