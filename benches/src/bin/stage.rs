//! Runs one stage of the hot path so many times and nothing else, for a profiler to watch:
//! `stage NAME REPEATS`. It prints over how many elements one repeat goes.

use std::hint::black_box;

use authstitch_benches::fixed;
use authstitch_model::Secret;
use authstitch_otlp::{Encoding, Mapping, Signal, decode};

const REQUESTS: u64 = 50;
const LOGINS: u64 = 20;
const SPANS: u64 = REQUESTS * LOGINS * fixed::SPANS_PER_LOGIN as u64;

/// A stage by its name, ready to run: over how many elements one run goes, and the run.
type Stage = (u64, Box<dyn FnMut()>);

fn main() -> Result<(), String> {
    let usage = || format!("usage: stage NAME REPEATS; accepted names: {}", NAMES.join(", "));
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(repeats)) = (arguments.next(), arguments.next()) else { return Err(usage()) };
    let repeats: u64 = repeats.parse().map_err(|_not_one| usage())?;
    let (elements, mut run) = stage(&name).ok_or_else(usage)?;
    (0..repeats).for_each(|_| run());
    println!("{elements}");
    Ok(())
}

const NAMES: &[&str] = &["scan_relevant", "scan_unrelated"];

fn stage(name: &str) -> Option<Stage> {
    Some(match name {
        "scan_relevant" => scan(0),
        "scan_unrelated" => scan(95),
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
