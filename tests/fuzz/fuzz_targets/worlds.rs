//! Any text as a world: it is read or refused, and in a world that is accepted a block of attempts is made, twice the
//! same, in bounded work.

#![no_main]

use authstitch_model::document::Problem;
use authstitch_simulate::{Simulation, World, caps};
use libfuzzer_sys::fuzz_target;

/// Bytes of one problem, whatever the text: what it quotes is cut, and lists of what is accepted are known.
const PROBLEM_BYTES: usize = 4096;

/// Records that eight attempts of a world bring about at most, with every fault of their telemetry.
const RECORDS: usize = 20_000;

fuzz_target!(|text: &str| {
    match World::from_yaml(text) {
        Err(problems) => {
            assert!(!problems.0.is_empty());
            for Problem { path, message } in problems.0 {
                assert!(
                    path.len() + message.len() < PROBLEM_BYTES,
                    "{} and {} bytes",
                    path.len(),
                    message.len()
                );
            }
        }
        Ok(world) => {
            let simulation = Simulation::new(world, 7);
            let block = simulation.block(3);
            assert_eq!(block.attempts.len() as u64, caps::BLOCK_ATTEMPTS);
            assert!(block.emissions.len() <= RECORDS, "{} records", block.emissions.len());
            assert_eq!(simulation.block(3), block);
        }
    }
});
