//! `simulate`: attempts of a world, or a capture, sent at their times to an OTLP endpoint or written into a file.

mod find_limit;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressStyle};

use authstitch_model::UnixNanos;
use authstitch_simulate::{Capture, EPOCH, Load, Pool, Share, Simulation};

use crate::args::{self, Format, Protocol};
use crate::failure::{Failure, Outcome, While};
use crate::otlp_files::OtlpFile;
use crate::output::{grouped, say};
use crate::sender::{self, Manner, Pace, Report, Target};
use crate::telemetry::{Encoded, Generation, Source, Truth};
use crate::{quantity, worlds};

/// What is to be made.
struct Job {
    source: Source,
    /// When it starts, by the simulated clock.
    from: UnixNanos,
    /// How many attempts it has; none in a capture.
    attempts: u64,
}

pub fn run(args: &args::Simulate) -> Outcome {
    if args.find_limit {
        return find_limit::run(args);
    }
    let job = job(args)?;
    let truth = Truth::into_file(args.truth.as_deref())?;
    match &args.out {
        Some(directory) => write(job.source, truth, directory, args.format),
        None => send(args, job, truth),
    }
}

/// What is asked for. What is sent begins now, if no time is named: a store shows it among what else happened.
fn job(args: &args::Simulate) -> Result<Job, Failure> {
    let start = match (&args.start_at, &args.endpoint) {
        (Some(text), _) => Some(quantity::time(text)?),
        (None, Some(_)) => Some(sender::wall_clock()),
        (None, None) => None,
    };
    if let Some(file) = &args.from {
        let start = start.unwrap_or(EPOCH);
        let end =
            args.duration.as_deref().map(quantity::duration).transpose()?.map(|length| start.plus(length));
        let seed = args.seed.unwrap_or_else(|| sender::wall_clock().0);
        return Ok(Job {
            source: Source::captured(capture(file)?, seed, start, end),
            from: start,
            attempts: 0,
        });
    }
    let mut simulation = simulation(args)?;
    let attempts = range(args, &simulation)?;
    if let Some(start) = start {
        simulation = simulation.with_slot_at(attempts.start, start);
    }
    let from = simulation.slot(attempts.start);
    let share = args.shard.as_deref().map_or(Ok(Share::WHOLE), quantity::share)?;
    let (count, records) = (attempts.end - attempts.start, args.batch as usize);
    let source = match args.templates {
        Some(templates) => {
            let pool = Arc::new(Pool::new(&simulation, templates));
            Source::templates(pool, simulation, attempts, share, records)
        }
        None => Source::exact(simulation, attempts, share, records),
    };
    Ok(Job { source, from, attempts: count })
}

/// The world that is named, under the load that is named.
fn simulation(args: &args::Simulate) -> Result<Simulation, Failure> {
    let world = worlds::load(args.world.as_deref().unwrap_or_default())?;
    let mut simulation = Simulation::new(world, args.seed.unwrap_or_default());
    if args.ceilings {
        simulation = simulation.with_ceilings();
    }
    if let Some(load) = &args.load {
        simulation = simulation.under(load_of(load)?);
    }
    Ok(simulation)
}

fn load_of(text: &str) -> Result<Load, Failure> {
    const ACCEPTED: &str = "accepted: constant:R, ramp:R1..R2/D, step:R1+dR/D (R in attempts a second, D as 30s, 10m or 2h), \
                            or a file with a line `seconds rate` for each corner of the curve, the first at 0 seconds";
    if let Some(load) = Load::parse(text) {
        return Ok(load);
    }
    if !Path::new(text).is_file() {
        return Err(Failure::usage(format!("`{text}` is neither a load nor a file")).hint(ACCEPTED));
    }
    let lines = std::fs::read_to_string(text).cannot(format!("read {text}"))?;
    Load::read(&lines).map_err(|why| Failure::usage(format!("{text}: {why}")).hint(ACCEPTED))
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

/// A captured file, all of it: its requests are sent more than once.
fn capture(path: &Path) -> Result<Capture, Failure> {
    let mut file = OtlpFile::open(path)?;
    let mut requests = Vec::new();
    while let Some(request) = file.next_request()? {
        requests.push(request);
    }
    let capture = Capture::new(requests).map_err(|why| Failure::new(format!("{}: {why}", path.display())))?;
    if capture.requests() == 0 {
        return Err(Failure::new(format!("{} holds no traces and no logs", path.display()))
            .hint("accepted: OTLP JSON, one request a line; protobuf requests, each behind its length"));
    }
    Ok(capture)
}

fn target(args: &args::Simulate) -> Result<Target, Failure> {
    Ok(Target {
        headers: args.header.iter().map(|text| quantity::header(text)).collect::<Result<_, _>>()?,
        tls_ca: args.tls_ca.clone(),
        ..Target::new(args.endpoint.clone().unwrap_or_default(), args.protocol)
    })
}

const fn encoding(protocol: Protocol) -> Encoded {
    match protocol {
        Protocol::HttpJson => Encoded::Json,
        Protocol::Grpc | Protocol::HttpProtobuf => Encoded::Protobuf,
    }
}

fn send(args: &args::Simulate, job: Job, truth: Truth) -> Outcome {
    let target = target(args)?;
    let manner = Manner {
        in_flight: args.in_flight as usize,
        intervals: args.hdr.is_some(),
        ..Manner::at(Pace::RealTime { from: job.from, begins: job.from, speed: args.speed })
    };
    let mut generation = Generation::start(job.source, encoding(args.protocol), truth, args.batch as usize);
    let bar = ProgressBar::new(job.attempts);
    if let Ok(style) = ProgressStyle::with_template("  sending {bar:40} {pos:>7} of {len} attempts begun") {
        bar.set_style(style.progress_chars("━━ "));
    }
    let begun = Arc::clone(&generation.attempts_begun);
    let sending = sender::send(&mut generation.requests, &target, manner, || {
        bar.set_position(begun.load(Ordering::Relaxed));
    });
    let report = sender::runtime()?.block_on(sending)?;
    bar.finish_and_clear();
    generation.into_truth()?;
    say(&format!("{report}{}", report.rates()))?;
    write_reports(args, &report)?;
    match &report.first_failure {
        None => Ok(()),
        Some(message) => Err(Failure::new(format!(
            "{} requests were not taken: {message}",
            grouped(report.requests.failed)
        ))),
    }
}

fn write_reports(args: &args::Simulate, report: &Report) -> Outcome {
    if let Some(path) = &args.report {
        report.write(path)?;
    }
    if let Some(path) = &args.hdr {
        report.intervals.write(path)?;
    }
    Ok(())
}

/// Writes all requests into one file, both signals in the order of their arrival, as `replay` reads it.
fn write(mut source: Source, mut truth: Truth, directory: &Path, format: Format) -> Outcome {
    std::fs::create_dir_all(directory).cannot(format!("make {}", directory.display()))?;
    let (name, encoded) = match format {
        Format::OtlpJson => ("telemetry.jsonl", Encoded::Json),
        Format::OtlpProto => ("telemetry.binpb", Encoded::Protobuf),
    };
    let path = directory.join(name);
    let what = format!("write {}", path.display());
    let mut out = BufWriter::new(File::create(&path).cannot(&what)?);
    let (mut requests, mut records) = (0, 0);
    while let Some((request, _)) = source.next(encoded, &mut truth)? {
        requests += 1;
        records += request.records;
        match format {
            Format::OtlpJson => {
                out.write_all(&request.body).and_then(|()| out.write_all(b"\n")).cannot(&what)?;
            }
            Format::OtlpProto => {
                let length = u32::try_from(request.body.len()).cannot(&what)?;
                out.write_all(&length.to_be_bytes())
                    .and_then(|()| out.write_all(&request.body))
                    .cannot(&what)?;
            }
        }
    }
    truth.finish()?;
    out.flush().cannot(&what)?;
    eprintln!(
        "wrote {} requests with {} spans and log records to {}",
        grouped(requests),
        grouped(records),
        path.display()
    );
    Ok(())
}
