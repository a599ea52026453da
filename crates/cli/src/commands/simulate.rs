//! `simulate`: attempts of a world, sent at their times to an OTLP endpoint or written into a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use authstitch_model::truth::TruthLine;
use authstitch_simulate::{Load, Schedule, Simulation};

use super::serve::runtime;
use crate::args::{self, Format, Protocol};
use crate::failure::{Failure, Outcome, While};
use crate::output::{grouped, say};
use crate::sender::{self, Pace, Target};
use crate::telemetry::{Encoded, Generation};
use crate::{quantity, worlds};

pub fn run(args: &args::Simulate) -> Outcome {
    let mut simulation = Simulation::new(worlds::load(&args.world)?, args.seed);
    if args.ceilings {
        simulation = simulation.with_ceilings();
    }
    if let Some(load) = &args.load {
        simulation = simulation.under(load_of(load)?);
    }
    let truth = match &args.out {
        Some(directory) => write(simulation.clone(), range(args, &simulation)?, directory, args.format)?,
        None => send(args, simulation)?,
    };
    if let Some(path) = &args.truth {
        let what = format!("write {}", path.display());
        write_truth(BufWriter::new(File::create(path).cannot(&what)?), &truth).cannot(&what)?;
    }
    Ok(())
}

fn load_of(text: &str) -> Result<Load, Failure> {
    Load::parse(text).ok_or_else(|| {
        Failure::usage(format!("`{text}` is no load")).hint(
            "accepted: constant:R, ramp:R1..R2/D, step:R1+dR/D; R in attempts a second, D as 30s, 10m or 2h",
        )
    })
}

/// The attempts asked for: a number, a range, or those that start within a time.
fn range(args: &args::Simulate, simulation: &Simulation) -> Result<Range<u64>, Failure> {
    if let Some(duration) = &args.duration {
        let duration = quantity::duration(duration)?;
        return Ok(0..simulation.attempts_within(duration));
    }
    let text = args.attempts.as_deref().unwrap_or_default();
    quantity::attempts(text)
}

fn send(args: &args::Simulate, simulation: Simulation) -> Result<Vec<TruthLine>, Failure> {
    let attempts = range(args, &simulation)?;
    let endpoint = args.endpoint.clone().unwrap_or_default();
    let encoded = if args.protocol == Protocol::HttpJson { Encoded::Json } else { Encoded::Protobuf };
    let target = Target { endpoint, protocol: args.protocol };
    let count = attempts.end - attempts.start;
    // What is sent now begins now: a store shows it among what else happened.
    let simulation = simulation.starting_at(sender::wall_clock());
    let mut generation = Generation::start(simulation, attempts, encoded);
    let bar = ProgressBar::new(count);
    if let Ok(style) = ProgressStyle::with_template("  sending {bar:40} {pos:>7} of {len} attempts begun") {
        bar.set_style(style.progress_chars("━━ "));
    }
    let begun = std::sync::Arc::clone(&generation.attempts_begun);
    let report = runtime()?.block_on(sender::send(
        &mut generation.requests,
        &target,
        Pace::RealTime { speed: args.speed },
        || bar.set_position(begun.load(std::sync::atomic::Ordering::Relaxed)),
    ))?;
    bar.finish_and_clear();
    say(&report.to_string())?;
    let truth = generation.into_truth();
    match &report.first_failure {
        None => Ok(truth),
        Some(message) => {
            Err(Failure::new(format!("{} requests were not taken: {message}", grouped(report.failed))))
        }
    }
}

/// Writes all requests into one file, both signals in the order of their arrival, as `replay` reads it.
fn write(
    simulation: Simulation,
    attempts: Range<u64>,
    directory: &Path,
    format: Format,
) -> Result<Vec<TruthLine>, Failure> {
    std::fs::create_dir_all(directory).cannot(format!("make {}", directory.display()))?;
    let path = directory.join(match format {
        Format::OtlpJson => "telemetry.jsonl",
        Format::OtlpProto => "telemetry.binpb",
    });
    let what = format!("write {}", path.display());
    let mut out = BufWriter::new(File::create(&path).cannot(&what)?);
    let mut schedule = Schedule::new(simulation, attempts);
    let (mut truth, mut requests, mut records) = (Vec::new(), 0, 0);
    while let Some(request) = schedule.next() {
        truth.extend(schedule.drain_truth());
        requests += 1;
        records += request.records as u64;
        match format {
            Format::OtlpJson => {
                let line = Encoded::Json.bytes(&request);
                out.write_all(&line).and_then(|()| out.write_all(b"\n")).cannot(&what)?;
            }
            Format::OtlpProto => {
                let bytes = Encoded::Protobuf.bytes(&request);
                let length = u32::try_from(bytes.len()).cannot(&what)?;
                out.write_all(&length.to_be_bytes()).and_then(|()| out.write_all(&bytes)).cannot(&what)?;
            }
        }
    }
    truth.extend(schedule.drain_truth());
    out.flush().cannot(&what)?;
    eprintln!(
        "wrote {} requests with {} spans and log records to {}",
        grouped(requests),
        grouped(records),
        path.display()
    );
    Ok(truth)
}

fn write_truth(mut out: impl Write, truth: &[TruthLine]) -> std::io::Result<()> {
    for line in truth {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
