//! What an open journey costs: resident bytes each, and time per event, with N of them open at once; and what it
//! takes to write and read the snapshot of all of them.
//!
//! ```text
//! cargo run --release -p authstitch-benches --example open_journeys -- 1000000 short
//! ```
//!
//! Each journey has five events and three keys, or with `long` eleven events and seven keys: spans of three sides
//! with trace and span ids, one in five with a parent, one in three with the client's network, half with a
//! length. They come in records of a hundred, round by round, one event of each journey, so that every one meets a
//! journey that no cache holds any more. One process measures one kind, so that no memory of another is left. Time
//! is processor time less that of making the events. Figures, never assertions.

use std::fs;
use std::hint::black_box;
use std::sync::Arc;

use authstitch_engine::{Engine, Settings, StitchSettings};
use authstitch_model::event::Named;
use authstitch_model::{
    AuthEvent, Environment, EventKeys, EventName, Facts, Flow, Identity, KeyHash, Millis, Origin, Os,
    Position, Realm, Record, RecordBody, Side, SpanId, TraceId, UnixNanos,
};

/// Bytes of a page of `/proc/self/statm` on the machines that we measure on.
const PAGE: u64 = 4096;

/// Events that a measurement has at least, so that few journeys are opened several times.
const LEAST_EVENTS: u64 = 2_000_000;

/// Events of a record.
const RECORD: u64 = 100;

/// How many environments the emitters have among them.
const ENVIRONMENTS: u64 = 300;

/// What the journeys are like.
#[derive(Clone, Copy)]
struct Shape {
    events: u64,
    keys: u64,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let journeys = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(100_000u64);
    let shape = match arguments.next().as_deref() {
        Some("long") => Shape { events: 11, keys: 7 },
        _ => Shape { events: 5, keys: 3 },
    };
    let Measured { bytes, nanos, snapshot: Snapshot { written, writing, reading } } =
        measured(journeys, shape);
    let Shape { events, keys } = shape;
    println!(
        "{journeys} journeys of {events} events and {keys} keys: {bytes} resident bytes each, {nanos} ns an event; \
         {written} bytes each in a snapshot, written in {writing} ms, read in {reading} ms"
    );
}

/// What one process measured.
struct Measured {
    /// Resident bytes per journey.
    bytes: u64,
    /// Nanoseconds per event.
    nanos: u64,
    snapshot: Snapshot,
}

#[derive(Default)]
struct Snapshot {
    /// Bytes per journey.
    written: u64,
    /// Milliseconds for all.
    writing: u64,
    reading: u64,
}

impl Snapshot {
    fn of(engine: &Engine, settings: Settings, journeys: u64) -> Self {
        let began = processor_time();
        let bytes = engine.snapshot();
        let wrote = processor_time();
        let restored = Engine::restore(settings, &bytes);
        let read = processor_time();
        assert!(restored.is_ok_and(|restored| restored.counters() == engine.counters()), "it is what it was");
        let millis = |nanos: u64| nanos / 1_000_000;
        Self {
            written: bytes.len() as u64 / journeys,
            writing: millis(wrote - began),
            reading: millis(read - wrote),
        }
    }
}

fn measured(journeys: u64, shape: Shape) -> Measured {
    let events = Events::new(shape);
    let rounds = LEAST_EVENTS.div_ceil(journeys * shape.events);
    let before = resident();
    let (mut bytes, mut nanos, mut making, mut snapshot) = (0, 0, 0, Snapshot::default());
    for round in 0..rounds {
        let began = processor_time();
        events.records(journeys).for_each(|record| drop(black_box(record)));
        let made = processor_time();
        let stitch = StitchSettings { journeys: journeys as usize + 1, ..StitchSettings::default() };
        let settings = Settings { stitch, ..Settings::default() };
        let (mut engine, mut effects) = (Engine::new(settings.clone()), Vec::new());
        events.records(journeys).for_each(|record| engine.step(record, &mut effects));
        nanos += processor_time() - made;
        making += made - began;
        if round == 0 {
            bytes = (resident() - before) / journeys;
        }
        assert_eq!((engine.counters().open, effects.len()), (journeys, 0), "all are open, none has closed");
        if round == 0 {
            snapshot = Snapshot::of(&engine, settings, journeys);
        }
    }
    let nanos = nanos.saturating_sub(making) / (rounds * journeys * shape.events);
    Measured { bytes, nanos, snapshot }
}

struct Events {
    shape: Shape,
    realm: Realm,
    environments: Vec<Arc<Environment>>,
}

impl Events {
    fn new(shape: Shape) -> Self {
        let environment = |number| {
            let os = Some(Named { kind: Os::Android, name: "Android".into() });
            let device = Some(format!("Model {number}").as_str().into());
            Arc::new(Environment { os, device, ..Environment::default() })
        };
        let environments = (0..ENVIRONMENTS).map(environment).collect();
        Self { shape, realm: Realm::bounded("default"), environments }
    }

    /// The events of all journeys, round by round, a microsecond for each.
    fn records(&self, journeys: u64) -> impl Iterator<Item = Record> {
        let all = self.shape.events * journeys;
        (0..all).step_by(RECORD as usize).map(move |first| {
            let received = UnixNanos(1_800_000_000_000_000_000 + first * 1000);
            let event = |place| self.event(place % journeys, place / journeys, received);
            let body = RecordBody::Events((first..all.min(first + RECORD)).map(event).collect());
            Record { position: Position(first + 1), received, body }
        })
    }

    fn event(&self, journey: u64, nth: u64, time: UnixNanos) -> AuthEvent {
        const STEPS: [(EventName, Side); 6] = [
            (EventName::ChallengeCreated, Side::Server),
            (EventName::QrShown, Side::Initiator),
            (EventName::QrScanned, Side::Authenticator),
            (EventName::MobileOpened, Side::Authenticator),
            (EventName::ConfirmationShown, Side::Authenticator),
            (EventName::QrRefreshed, Side::Initiator),
        ];
        let (name, side) = STEPS[(nth % 6) as usize];
        let long =
            |kind: u64| u128::from(mixed(journey, kind)) << 64 | u128::from(mixed(journey, kind + 1000));
        let key = |kind: u64| Some(KeyHash::new(long(kind)));
        // With seven keys the phone has a session and a trace of its own.
        let device = if self.shape.keys > 3 && side == Side::Authenticator { 10 } else { 0 };
        let more = |kind| if self.shape.keys > 3 { key(kind) } else { None };
        let keys = EventKeys {
            journey: key(1),
            challenge: more(2),
            code: more(3),
            flow: None,
            session: key(4 + device),
            trace: key(5 + device),
        };
        let span = |nth| SpanId::from_bytes(&mixed(journey, 100 + nth).to_be_bytes());
        let facts = Facts {
            duration: nth.is_multiple_of(2).then_some(Millis(nth * 37 % 3000)),
            network: nth.is_multiple_of(3).then(|| mixed(journey, 7)),
            ..Facts::default()
        };
        let environment = (journey * 3 + side.index() as u64) % ENVIRONMENTS;
        AuthEvent {
            realm: self.realm.clone(),
            name,
            side,
            flow: Some(Flow::AppQr),
            time,
            observed: None,
            origin: Origin {
                trace_id: TraceId::from_bytes(&long(6 + device).to_be_bytes()),
                span_id: span(nth),
                parent_span_id: if nth % 5 == 4 { span(nth - 1) } else { None },
            },
            event_id: None,
            identity: Identity(long(20 + nth)),
            keys,
            facts,
            environment: Arc::clone(&self.environments[environment as usize]),
        }
    }
}

/// Two numbers, mixed as a keyed hash would.
fn mixed(a: u64, b: u64) -> u64 {
    let mut mixed = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xd1b5_4a32_d192_ed03);
    for _ in 0..2 {
        mixed = (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    mixed ^ mixed >> 30
}

fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * PAGE
}

fn processor_time() -> u64 {
    let schedstat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}
