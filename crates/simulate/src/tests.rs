//! What holds for every world: determinism, honest truth, realised rates, published figures.

pub(crate) mod causes;
mod determinism;
mod faults;
mod figures;
mod honesty;
mod readme;
mod throng;
mod worlds;

use authstitch_model::AuthEvent;
use authstitch_model::Secret;
use authstitch_model::truth::TruthLine;
use authstitch_otlp::{Encoding, Mapping, decode};

use crate::{Block, Request, SHIPPED, Schedule, Simulation, VARIANTS, World};

fn world(yaml: &str) -> World {
    World::from_yaml(yaml).unwrap_or_else(|problems| panic!("{problems}"))
}

fn shipped() -> impl Iterator<Item = World> {
    SHIPPED.iter().chain(VARIANTS).map(|(_, yaml)| world(yaml))
}

fn blocks(world: World, seed: u64, count: u64) -> Vec<Block> {
    let simulation = Simulation::new(world, seed);
    (0..count).map(|number| simulation.block(number)).collect()
}

fn truth(world: World, seed: u64, blocks_made: u64) -> Vec<TruthLine> {
    blocks(world, seed, blocks_made).into_iter().flat_map(|block| block.attempts).collect()
}

fn requests(world: World, seed: u64, attempts: u64) -> Vec<Request> {
    Schedule::new(Simulation::new(world, seed), 0..attempts).collect()
}

/// What a receiver makes of a world's requests.
fn received(world: World, seed: u64, attempts: u64) -> Vec<AuthEvent> {
    let mapping = Mapping::new(Secret::PUBLIC);
    let mut events = Vec::new();
    for request in requests(world, seed, attempts) {
        let bytes = request.encode_protobuf();
        let tally = decode(request.signal(), Encoding::Protobuf, &bytes, &mapping, &mut events).unwrap();
        assert_eq!(tally.rejected, 0, "{:?}", tally.message);
    }
    events
}
