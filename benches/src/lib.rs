//! What the benches measure on: the telemetry of a simulated world, as requests, as events and as journeys.

pub mod fixed;

use authstitch_engine::{Effect, Engine, Settings};
use authstitch_model::{AuthEvent, Journey, Position, Record, RecordBody, Secret, UnixNanos};
use authstitch_otlp::{Encoding, Mapping, Signal, decode, encode_logs, encode_traces};
use authstitch_simulate::{Body, Request, Schedule, Simulation, World};

/// A request's bytes.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// When it arrives.
    pub at: UnixNanos,
    /// Which signal.
    pub signal: Signal,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The requests of the first attempts of the world `baseline` under seed 1.
///
/// # Panics
/// If the shipped world cannot be read, which its own tests rule out.
#[must_use]
pub fn requests(attempts: u64) -> Vec<Request> {
    let world = World::shipped("baseline").and_then(|text| World::from_yaml(text).ok());
    let world = world.expect("the shipped world is read by its own tests");
    Schedule::new(Simulation::new(world, 1), 0..attempts).collect()
}

/// The same as protobuf or JSON.
#[must_use]
pub fn encoded(requests: &[Request], encoding: Encoding) -> Vec<Encoded> {
    let bytes = |request: &Request| match (encoding, &request.body) {
        (Encoding::Protobuf, _) => request.encode_protobuf(),
        (Encoding::Json, Body::Traces(traces)) => encode_traces(traces).into_bytes(),
        (Encoding::Json, Body::Logs(logs)) => encode_logs(logs).into_bytes(),
    };
    let encode =
        |request: &Request| Encoded { at: request.at, signal: request.signal(), bytes: bytes(request) };
    requests.iter().map(encode).collect()
}

/// The events of one request.
///
/// # Panics
/// If our own requests cannot be read.
#[must_use]
pub fn events(request: &Encoded, encoding: Encoding, mapping: &Mapping) -> Vec<AuthEvent> {
    let mut events = Vec::new();
    decode(request.signal, encoding, &request.bytes, mapping, &mut events)
        .expect("our own requests are well-formed");
    events
}

/// The records that an engine is fed with for these requests.
#[must_use]
pub fn records(requests: &[Encoded]) -> Vec<Record> {
    let mapping = Mapping::new(Secret::PUBLIC);
    let record = |(position, request): (usize, &Encoded)| Record {
        position: Position(position as u64 + 1),
        received: request.at,
        body: RecordBody::Events(events(request, Encoding::Protobuf, &mapping)),
    };
    requests.iter().enumerate().map(record).collect()
}

/// The journeys into which these attempts are stitched, each in all its revisions.
#[must_use]
pub fn journeys(attempts: u64) -> Vec<Journey> {
    let (mut engine, mut effects) = (Engine::new(Settings::default()), Vec::new());
    let requests = encoded(&requests(attempts), Encoding::Protobuf);
    records(&requests).into_iter().for_each(|record| engine.step(record, &mut effects));
    while engine.shut_down(&mut effects) {}
    let journey = |effect| match effect {
        Effect::Judged(judged) => Some(judged.journey),
        Effect::Merged { .. } => None,
    };
    effects.into_iter().filter_map(journey).collect()
}
