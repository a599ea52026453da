//! Runs one stage of the hot path so many times and nothing else, for a profiler to watch:
//! `stage NAME REPEATS`. It prints over how many elements one repeat goes. `stage --list` names the stages.

use std::hint::black_box;

use authstitch_benches::{Encoded, encoded, fixed, journeys, records, requests};
use authstitch_classify::{Tables, classify};
use authstitch_engine::{Engine, Settings};
use authstitch_model::{AuthEvent, Completeness, Millis, Position, Record, RecordBody, Secret, UnixNanos};
use authstitch_otlp::{Encoding, Mapping, Signal, decode};
use authstitch_stitch::Stitcher;

const REQUESTS: u64 = 50;
const LOGINS: u64 = 20;
const SPANS: u64 = REQUESTS * LOGINS * fixed::SPANS_PER_LOGIN as u64;

/// Requests of the stitched stream, one a second: long enough that most journeys are forgotten along the way.
const STITCHED_REQUESTS: u64 = 500;

/// Attempts of the simulated world that are stitched.
const ATTEMPTS: u64 = 2000;

/// After the last record: everything has closed and is forgotten by then.
const AFTERWARDS: Millis = Millis::from_mins(60);

/// A stage by its name, ready to run: over how many elements one run goes, and the run.
type Stage = (u64, Box<dyn FnMut()>);

fn main() -> Result<(), String> {
    let usage = || format!("usage: stage NAME REPEATS; accepted names: {}", NAMES.join(", "));
    let mut arguments = std::env::args().skip(1);
    let (Some(name), repeats) = (arguments.next(), arguments.next()) else { return Err(usage()) };
    if name == "--list" {
        println!("{}", NAMES.join("\n"));
        return Ok(());
    }
    let repeats = repeats.ok_or_else(usage)?;
    let repeats: u64 = repeats.parse().map_err(|_not_one| usage())?;
    let (elements, mut run) = stage(&name).ok_or_else(usage)?;
    (0..repeats).for_each(|_| run());
    println!("{elements}");
    Ok(())
}

const NAMES: &[&str] =
    &["scan_relevant", "scan_unrelated", "stitch_fixed", "stitch_world", "classify", "whole_way"];

fn stage(name: &str) -> Option<Stage> {
    Some(match name {
        "scan_relevant" => scan(0),
        "scan_unrelated" => scan(95),
        "stitch_fixed" => stitch(&fixed_requests()),
        "stitch_world" => stitch(&encoded(&requests(ATTEMPTS), Encoding::Protobuf)),
        "classify" => classifying(),
        "whole_way" => whole_way(),
        _ => return None,
    })
}

/// OTLP bytes → events, by span.
fn scan(foreign_percent: u64) -> Stage {
    let mapping = Mapping::new(Secret::PUBLIC);
    let requests: Vec<_> =
        (0..REQUESTS).map(|number| fixed::request(number * LOGINS, LOGINS, foreign_percent)).collect();
    let mut events = Vec::new();
    let run = move || {
        for request in &requests {
            events.clear();
            let tally = decode(Signal::Traces, Encoding::Protobuf, black_box(request), &mapping, &mut events);
            black_box(&tally);
        }
    };
    (SPANS, Box::new(run))
}

/// Events → journeys that closed and are forgotten, by event. The events are decoded before.
fn stitch(requests: &[Encoded]) -> Stage {
    let records = records(requests);
    let count = records.iter().map(|record| events(record).len() as u64).sum();
    let run = move || {
        let (mut stitcher, mut changes) = (Stitcher::default(), Vec::new());
        let mut now = UnixNanos(0);
        for record in &records {
            now = record.received;
            changes.clear();
            stitcher.advance(now, &mut changes);
            stitcher.look_ahead(events(record));
            events(record).iter().for_each(|event| stitcher.accept(now, event, &mut changes));
        }
        stitcher.advance(now.plus(AFTERWARDS), &mut changes);
        black_box(stitcher.counters());
    };
    (count, Box::new(run))
}

/// Journey → verdict, by journey of the simulated world.
fn classifying() -> Stage {
    let journeys = journeys(ATTEMPTS);
    let (completeness, tables) = (Completeness::default(), Tables::shipped());
    let count = journeys.len() as u64;
    let run = move || {
        for journey in &journeys {
            black_box(classify(black_box(journey), &completeness, &tables));
        }
    };
    (count, Box::new(run))
}

/// OTLP bytes → verdicts, by span of the fixed stream.
fn whole_way() -> Stage {
    let requests = fixed_requests();
    let mapping = Mapping::new(Secret::PUBLIC);
    let run = move || {
        let (mut engine, mut effects) = (Engine::new(Settings::default()), Vec::new());
        let mut now = UnixNanos(0);
        for (position, request) in (1..).zip(&requests) {
            now = request.at;
            let mut events = Vec::new();
            let tally =
                decode(Signal::Traces, Encoding::Protobuf, black_box(&request.bytes), &mapping, &mut events);
            black_box(&tally);
            let body = RecordBody::Events(events);
            engine.step(Record { position: Position(position), received: now, body }, &mut effects);
            effects.clear();
        }
        let tick = Position(requests.len() as u64 + 1);
        let end = Record { position: tick, received: now.plus(AFTERWARDS), body: RecordBody::Tick };
        engine.step(end, &mut effects);
        black_box(engine.counters());
    };
    (STITCHED_REQUESTS * LOGINS * fixed::SPANS_PER_LOGIN as u64, Box::new(run))
}

fn events(record: &Record) -> &[AuthEvent] {
    match &record.body {
        RecordBody::Events(events) => events,
        RecordBody::Tick => &[],
    }
}

/// The requests of fixed shape, one a second.
fn fixed_requests() -> Vec<Encoded> {
    let request = |number| Encoded {
        at: UnixNanos(fixed::EPOCH_NS).plus(Millis::from_secs(10 + number)),
        signal: Signal::Traces,
        bytes: fixed::request(number * LOGINS, LOGINS, 0),
    };
    (0..STITCHED_REQUESTS).map(request).collect()
}
