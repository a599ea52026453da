//! `simulate --find-limit`: which rate a receiver takes without loss.
//!
//! 1. A rate is tried for a while by a load that has long been under way, so that it is full from the first
//!    second. Every try has attempts of its own; those that are under way at its ends are heard of in part.
//! 2. A try fails if a request is refused, records are rejected, or requests are acknowledged too late, counted
//!    from when they were due. Nothing is sent again.
//! 3. The rate is doubled until a try fails, then the span between the last success and the failure is halved
//!    until it is a twentieth of the rate. If the first try fails, the rate is halved until one succeeds.
//! 4. Where only the sender itself does not keep the schedule, what it found is a lower bound, and it says so.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use authstitch_model::Millis;
use authstitch_simulate::caps::BLOCK_ATTEMPTS;
use authstitch_simulate::{Load, Pool, Simulation};

use super::{encoding, simulation, target};
use crate::args;
use crate::failure::{Failure, Outcome, While};
use crate::output::{grouped, say};
use crate::quantity;
use crate::sender::{self, Manner, Pace, Report, Target};
use crate::telemetry::{Generation, Source, Truth};

/// Attempts behind the load if no number is named: enough for everything that happens to one in two hundred.
const TEMPLATES: u64 = 1000;

/// Attempts a second to begin with, if no load is named.
const FIRST_RATE: f64 = 1000.0;

/// Rates below this are no load: a receiver that refuses it refuses everything.
const LEAST_RATE: f64 = 1.0;

/// Where the attempts of a try begin: after this time of a load everything is under way that ever will be.
const UNDER_WAY: Millis = Millis::from_mins(60);

/// What came of a rate.
enum Tried {
    Taken,
    /// Why it does not count as taken by the receiver.
    NotTaken(String),
    /// The sender did not keep its schedule.
    SenderLate,
}

/// A search under way.
struct Search<'a> {
    args: &'a args::Simulate,
    target: Target,
    base: Simulation,
    pool: Arc<Pool>,
    probe: Millis,
    bound: Duration,
    /// So many attempts were made for the tries before.
    attempts: u64,
    tries: Vec<serde_json::Value>,
}

/// The highest rate that was taken, and how.
struct Limit {
    rate: f64,
    records_per_s: f64,
    report: Report,
}

pub fn run(args: &args::Simulate) -> Outcome {
    let base = simulation(args)?;
    let mut search = Search {
        args,
        target: target(args)?,
        pool: Arc::new(Pool::new(&base, args.templates.unwrap_or(TEMPLATES))),
        base,
        probe: quantity::duration(&args.probe)?,
        bound: Duration::from_millis(quantity::duration(&args.latency_bound)?.0),
        attempts: 0,
        tries: Vec::new(),
    };
    let (limit, sender_late) = search.run(first_rate(args)?)?;
    let Some(limit) = limit else {
        return Err(Failure::new("the receiver takes no load at all without loss")
            .hint("is it meant to? `simulate --attempts 1` says what it answers"));
    };
    let (rate, records) = (grouped(limit.rate as u64), grouped(limit.records_per_s as u64));
    let at_least = if sender_late { "at least " } else { "" };
    say(&format!(
        "highest rate without loss: {at_least}{rate} attempts/s, {records} spans and log records/s\n"
    ))?;
    if sender_late {
        say(
            "the sender was the limit: more senders with --shard, or another machine, find the receiver's\n",
        )?;
    }
    if let Some(path) = &args.report {
        let object = json!({
            "attempts_per_s": limit.rate, "records_per_s": limit.records_per_s,
            "limited_by": if sender_late { "sender" } else { "receiver" }, "tries": search.tries,
        });
        std::fs::write(path, format!("{object}\n")).cannot(format!("write {}", path.display()))?;
    }
    say(&format!("{}{}", limit.report, limit.report.rates()))
}

fn first_rate(args: &args::Simulate) -> Result<f64, Failure> {
    match args.load.as_deref().map(super::load_of).transpose()? {
        None => Ok(FIRST_RATE),
        Some(Load::Constant { rate }) => Ok(rate),
        Some(_) => Err(Failure::usage("--find-limit raises the rate itself")
            .hint("accepted: --load constant:R, the rate to begin with")),
    }
}

impl Search<'_> {
    /// The highest rate that was taken, and whether it was the sender that failed at the next.
    fn run(&mut self, first: f64) -> Result<(Option<Limit>, bool), Failure> {
        let (mut taken, mut failed, mut rate) = (None::<Limit>, None::<f64>, first);
        let mut sender_late = false;
        loop {
            let (tried, report) = self.try_rate(rate)?;
            if matches!(tried, Tried::Taken) {
                let records_per_s = report.records.delivered as f64 / self.probe.0 as f64 * 1000.0;
                taken = Some(Limit { rate, records_per_s, report });
            } else {
                sender_late = matches!(tried, Tried::SenderLate);
                failed = Some(rate);
            }
            rate = match (&taken, failed) {
                (Some(taken), None) => taken.rate * 2.0,
                (Some(taken), Some(failed)) if failed - taken.rate > taken.rate / 20.0 => {
                    taken.rate.midpoint(failed)
                }
                (None, Some(failed)) if failed > LEAST_RATE => failed / 2.0,
                _ => return Ok((taken, sender_late)),
            };
        }
    }

    fn try_rate(&mut self, rate: f64) -> Result<(Tried, Report), Failure> {
        let load = self.base.clone().under(Load::Constant { rate });
        let seconds = |length: Millis| length.0 as f64 / 1000.0;
        let attempts = ((seconds(UNDER_WAY) + seconds(self.probe)) * rate).ceil() as u64;
        let begins = sender::wall_clock().plus(Millis(200));
        // A whole number of blocks, so that no attempt of a try is one of another.
        let first = self.attempts;
        self.attempts += attempts.next_multiple_of(BLOCK_ATTEMPTS);
        let load = load.with_slot_at(first, begins.minus(UNDER_WAY));
        let source = Source::under_way(
            Arc::clone(&self.pool),
            load,
            first..first + attempts,
            self.args.batch as usize,
            begins..begins.plus(self.probe),
        );
        let manner = Manner {
            in_flight: self.args.in_flight as usize,
            gives_up: Some(self.bound),
            ..Manner::at(Pace::RealTime { from: begins, begins, speed: 1.0 })
        };
        let truth = Truth::into_file(None)?;
        let mut generation =
            Generation::start(source, encoding(self.args.protocol), truth, self.args.batch as usize);
        let sending = sender::send(&mut generation.requests, &self.target, manner, || {});
        let report = sender::runtime()?.block_on(sending)?;
        generation.into_truth()?;
        let tried = self.judge(&report);
        self.tell(rate, &tried, &report)?;
        Ok((tried, report))
    }

    fn judge(&self, report: &Report) -> Tried {
        let late = Duration::from_micros(report.latency().value_at_quantile(0.99));
        if let Some(message) = &report.first_failure {
            Tried::NotTaken(format!("refused: {message}"))
        } else if report.records.rejected > 0 {
            Tried::NotTaken(format!("{} records rejected", grouped(report.records.rejected)))
        } else if !report.valid {
            Tried::SenderLate
        } else if report.requests.answered == 0 {
            Tried::NotTaken("nothing was due; try longer, with --probe".to_owned())
        } else if report.fell_behind || late > self.bound {
            Tried::NotTaken(format!("fell behind: p99 {:.0} ms", late.as_secs_f64() * 1000.0))
        } else {
            Tried::Taken
        }
    }

    fn tell(&mut self, rate: f64, tried: &Tried, report: &Report) -> Outcome {
        let (taken, told) = match tried {
            Tried::Taken => (true, "taken".to_owned()),
            Tried::NotTaken(why) => (false, why.clone()),
            Tried::SenderLate => (false, "the sender fell behind its own schedule".to_owned()),
        };
        let p99_ms = report.latency().value_at_quantile(0.99) as f64 / 1000.0;
        self.tries.push(json!({
            "attempts_per_s": rate, "taken": taken, "told": told,
            "delivered": report.records.delivered, "p99_ms": p99_ms, "cpu_s": report.cpu_s,
        }));
        say(&format!("  {:>9} attempts/s  p99 {p99_ms:>8.2} ms  {told}\n", grouped(rate as u64)))
    }
}
