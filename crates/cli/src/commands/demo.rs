//! `demo`: the main job in one command. The real server on free loopback ports, simulated attempts over real
//! OTLP/gRPC, the verdicts from its store, scored against the truth.
//!
//! Silent walk-aways close only after minutes, so the demo's server takes the sender's schedule as its receipt
//! clock: 20,000 attempts take seconds, and the same seed prints the same journeys.

mod page;

use std::path::Path;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use authstitch_evaluate::{Meta, Scorecard, score};
use authstitch_model::Secret;
use authstitch_model::line::JourneyLine;
use authstitch_service::{Clock, Listening, Running, SecretSource, Settings};
use authstitch_simulate::caps::REQUEST_RECORDS;
use authstitch_simulate::{Share, Simulation, World};

use super::serve::{begin, print_addresses, runtime, stop_signal};
use crate::failure::{Failure, Outcome, While};
use crate::output::{Style, grouped, say};
use crate::sender::{self, Manner, Pace, Target};
use crate::telemetry::{Encoded, Generation, Source, Truth};
use crate::{args, journeys, worlds};

/// What a demo found.
struct Found {
    journeys: Vec<JourneyLine>,
    scorecard: Scorecard,
    sent: sender::Report,
    elapsed_s: f64,
}

pub fn run(args: &args::Demo) -> Outcome {
    let world = worlds::load(&args.world)?;
    let directory =
        tempfile::Builder::new().prefix("authstitch-demo-").tempdir().cannot("make a directory")?;
    let settings = Settings {
        grpc: Listening::free_port(),
        http: Listening::free_port(),
        web: Listening::free_port(),
        data_dir: Some(directory.path().to_owned()),
        secret: SecretSource::Fixed(Secret::PUBLIC),
        mapping: worlds::mapping(&world),
        tables: args.tables.clone(),
        ..Settings::default()
    };
    runtime()?.block_on(async {
        let running = begin(settings, Clock::Schedule).await?;
        // An interrupted demo ends here, so that its directory goes with it.
        let found = tokio::select! {
            found = perform(args, world, &running, directory.path()) => found?,
            stopped = stop_signal() => return stopped.and(Err(Failure::new("the demo was stopped"))),
        };
        if args.json {
            say(&format!("{}\n", as_json(&found)?))?;
        } else {
            say(&page::page(args, &found, Style::of_stdout()))?;
        }
        if args.keep_serving {
            keep_serving(args, &running, directory.path()).await?;
        }
        running.stop().await;
        Ok(())
    })
}

async fn perform(
    args: &args::Demo,
    world: World,
    running: &Running,
    directory: &Path,
) -> Result<Found, Failure> {
    let began = sender::now();
    let meta = Meta { world: world.name().to_owned(), seed: Some(args.seed) };
    let simulation = Simulation::new(world, args.seed);
    let source = Source::exact(simulation, 0..args.attempts, Share::WHOLE, REQUEST_RECORDS);
    let mut generation = Generation::start(source, Encoded::Protobuf, Truth::into_memory(), REQUEST_RECORDS);
    let target = Target::new(format!("http://{}", running.grpc), args::Protocol::Grpc);
    let bars = Bars::new(args.attempts);
    let begun = std::sync::Arc::clone(&generation.attempts_begun);
    let sent = sender::send(&mut generation.requests, &target, Manner::at(Pace::Compressed), || {
        bars.show(begun.load(Ordering::Relaxed), verdicts(running));
    })
    .await?;
    if let Some(message) = &sent.first_failure {
        return Err(Failure::new(format!("{} requests were not taken: {message}", sent.requests.failed)));
    }
    let truth = generation.into_truth()?;
    running.run_out().await;
    running.health().map_err(Failure::new)?;
    bars.finish();
    let journeys = journeys::from_store(directory)?;
    let scorecard = score(meta, &truth, &journeys);
    Ok(Found {
        journeys,
        scorecard,
        sent,
        elapsed_s: sender::now().saturating_duration_since(began).as_secs_f64(),
    })
}

fn verdicts(running: &Running) -> u64 {
    let counts = running.counters();
    counts.journeys + counts.revisions
}

/// The scorecard's object with the time that it took.
fn as_json(found: &Found) -> Result<Value, Failure> {
    let mut object = serde_json::to_value(&found.scorecard).cannot("write the scorecard")?;
    object["elapsed_s"] = ((found.elapsed_s * 1000.0).round() / 1000.0).into();
    Ok(object)
}

/// Leaves the server up. With `--json` the addresses go to standard error, for standard output is the object.
async fn keep_serving(args: &args::Demo, running: &Running, directory: &Path) -> Outcome {
    if args.json {
        eprintln!("listening: web http://{}", running.web);
    } else {
        say("\n")?;
        print_addresses(running);
    }
    eprintln!("data: {} (removed at the end); Ctrl-C stops", directory.display());
    stop_signal().await
}

/// Progress on a terminal; nothing in a pipe.
struct Bars {
    sending: ProgressBar,
}

impl Bars {
    fn new(attempts: u64) -> Self {
        let sending = ProgressBar::new(attempts);
        let template = "  {msg:<28} {bar:30} {pos:>7} of {len} attempts";
        if let Ok(style) = ProgressStyle::with_template(template) {
            sending.set_style(style.progress_chars("━━ "));
        }
        Self { sending }
    }

    fn show(&self, attempts: u64, judged: u64) {
        self.sending.set_position(attempts);
        self.sending.set_message(format!("{} verdicts", grouped(judged)));
    }

    fn finish(&self) {
        self.sending.finish_and_clear();
    }
}
