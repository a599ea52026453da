//! The whole way without a network: a world's requests, mapped, stitched and judged at the times of their
//! arrival.

use std::collections::BTreeMap;
use std::ops::Range;

use authstitch_engine::{Effect, Engine, Judged, Settings};
use authstitch_model::truth::TruthLine;
use authstitch_model::{JourneyId, Position, Record, RecordBody};
use authstitch_otlp::{Encoding, decode};
use authstitch_simulate::{Schedule, Simulation};

use crate::failure::{Failure, While};
use crate::telemetry::Encoded;
use crate::worlds;

/// What really happened, and what was made of its telemetry.
pub struct Experiment {
    /// The truth of each attempt.
    pub truth: Vec<TruthLine>,
    /// The last revision of every journey.
    pub journeys: Vec<Judged>,
}

/// Simulates attempts and judges what arrives of them.
pub fn run(simulation: Simulation, attempts: Range<u64>, settings: Settings) -> Result<Experiment, Failure> {
    let mapping = worlds::mapping(simulation.world());
    let mut engine = Engine::new(settings);
    let mut schedule = Schedule::new(simulation, attempts);
    let mut latest = Latest::default();
    let mut truth = Vec::new();
    while let Some(request) = schedule.next() {
        truth.extend(schedule.drain_truth());
        let mut events = Vec::new();
        decode(
            request.signal(),
            Encoding::Protobuf,
            &Encoded::Protobuf.request(&request),
            &mapping,
            &mut events,
        )
        .cannot("read the simulated telemetry")?;
        latest.step(&mut engine, request.at, RecordBody::Events(events));
    }
    truth.extend(schedule.drain_truth());
    // The clock runs on until all timers have fired, so nothing closes as shutdown.
    while let Some(deadline) = engine.next_deadline() {
        latest.step(&mut engine, deadline, RecordBody::Tick);
    }
    Ok(Experiment { truth, journeys: latest.journeys.into_values().collect() })
}

/// The last revision of every journey, while records come.
#[derive(Default)]
struct Latest {
    position: u64,
    effects: Vec<Effect>,
    journeys: BTreeMap<JourneyId, Judged>,
}

impl Latest {
    fn step(&mut self, engine: &mut Engine, received: authstitch_model::UnixNanos, body: RecordBody) {
        self.position += 1;
        engine.step(Record { position: Position(self.position), received, body }, &mut self.effects);
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Judged(judged) => {
                    self.journeys.insert(judged.journey.id, *judged);
                }
                Effect::Merged { journey, .. } => {
                    self.journeys.remove(&journey);
                }
            }
        }
    }
}
