//! Layer three: what happens to the telemetry on its way.
//!
//! Clocks are off; samplers drop traces; an SDK gathers records and sends them every few seconds as a batch.
//! The batch is what has a fate: it is lost, delayed, sent twice, or out of order as a whole. Its fate depends
//! on (seed, exporter, window of time) alone, so the blocks that share a server's batch agree on it.
//!
//! A page that goes away sends what it has at that moment, and that batch is lost more often than others. A
//! span that is still open then is never sent.

use std::collections::{BTreeMap, BTreeSet};

use authstitch_model::line::SpanLine;
use authstitch_model::{TraceId, UnixNanos};
use authstitch_otlp::Signal;

use crate::emission::{Content, Emission, Exporter};
use crate::random::{Dice, Stream, after, mixed};
use crate::stack::Outgoing;
use crate::world::{Band, Sampling, Timing, World};

/// What became of the events of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    pub(crate) survived: Vec<SpanLine>,
    pub(crate) lost: Vec<SpanLine>,
}

/// The faults of one block, and what gets through them.
pub(crate) struct Faults<'a> {
    world: &'a World,
    seed: u64,
    batches: BTreeMap<(Exporter, bool, u64), Fate>,
    emissions: Vec<Emission>,
}

/// What happens to one batch.
#[derive(Clone, Copy, Debug)]
struct Fate {
    lost: bool,
    /// Whether it is lost if it is sent while the page goes away.
    lost_at_unload: bool,
    latency_s: f64,
    /// So much later it arrives again.
    duplicate_after_s: Option<f64>,
    /// Its records stand in no order.
    shuffle: Option<u64>,
}

/// The batch a record travels in.
struct Batch {
    window: u64,
    sent: UnixNanos,
    at_unload: bool,
}

impl<'a> Faults<'a> {
    pub(crate) const fn new(world: &'a World, seed: u64) -> Self {
        Self { world, seed, batches: BTreeMap::new(), emissions: Vec::new() }
    }

    pub(crate) fn into_emissions(self) -> Vec<Emission> {
        self.emissions
    }

    /// Sends what one attempt has to send. `first` is the first attempt of its chain: the devices, and so
    /// their clocks, are the same in all of them. `sampling` is that of its stack, where it has one of its own.
    pub(crate) fn strike(
        &mut self,
        attempt: u64,
        first: u64,
        sampling: Option<Sampling>,
        outgoing: Vec<Outgoing>,
    ) -> Fates {
        let sampling = sampling.unwrap_or(self.world.telemetry.sampling);
        let with_errors: BTreeSet<TraceId> =
            outgoing.iter().filter(|record| record.failed).filter_map(|record| record.trace).collect();
        let mut fates = Fates::default();
        for (place, mut record) in outgoing.into_iter().enumerate() {
            let truth = record.truth.take();
            let sampled = sample(sampling, &mut record, &with_errors);
            let closed = |ready: &UnixNanos| record.gone_at.is_none_or(|gone| *ready <= gone);
            let ready_at = record.ready_at.filter(closed);
            let sent = |ready_at| sampled && self.send(attempt, first, place as u64, ready_at, record);
            let survives = ready_at.is_some_and(sent);
            if let Some(truth) = truth {
                if survives { fates.survived.push(truth) } else { fates.lost.push(truth) }
            }
        }
        fates
    }

    fn send(&mut self, attempt: u64, first: u64, place: u64, ready_at: UnixNanos, record: Outgoing) -> bool {
        let Outgoing { exporter, gone_at, mut content, resource, .. } = record;
        let logs = content.signal() == Signal::Logs;
        let batch = self.batch(exporter, logs, ready_at, gone_at);
        let fate = self.fate(exporter, logs, batch.window);
        if fate.lost || (batch.at_unload && fate.lost_at_unload) {
            return false;
        }
        content.shift(self.clock_off(exporter, first));
        let order = attempt << 16 | place;
        let order = fate.shuffle.map_or(order, |salt| mixed(order ^ salt));
        let arrives = after(batch.sent, fate.latency_s);
        let emission =
            Emission { exporter, sent: batch.sent, copy: 0, arrives, order, attempt, content, resource };
        let duplicate = fate.duplicate_after_s.map(|later| Emission {
            copy: 1,
            arrives: after(arrives, later),
            ..emission.clone()
        });
        self.emissions.push(emission);
        self.emissions.extend(duplicate);
        true
    }

    /// SDKs send at the end of windows; each SDK's windows begin at a time of their own.
    fn batch(
        &self,
        exporter: Exporter,
        logs: bool,
        ready_at: UnixNanos,
        gone_at: Option<UnixNanos>,
    ) -> Batch {
        let batching = self.world.telemetry.batching;
        let length = if logs { batching.logs } else { batching.spans }.nanos();
        let (kind, number) = exporter.numbers();
        let offset = mixed(mixed(kind) ^ number) % length;
        let window = ready_at.0.saturating_sub(offset) / length;
        let sent = UnixNanos(offset + (window + 1) * length);
        match gone_at.filter(|gone| *gone < sent) {
            Some(gone) => Batch { window, sent: gone, at_unload: true },
            None => Batch { window, sent, at_unload: false },
        }
    }

    fn fate(&mut self, exporter: Exporter, logs: bool, window: u64) -> Fate {
        let (world, seed) = (self.world, self.seed);
        *self.batches.entry((exporter, logs, window)).or_insert_with(|| {
            let (kind, number) = exporter.numbers();
            let mut dice = Dice::new(seed, Stream::Batch, [number, window, kind * 2 + u64::from(logs)]);
            Fate::draw(world, exporter, &mut dice)
        })
    }

    /// How far the clock of an exporter's machine is ahead, in nanoseconds.
    fn clock_off(&self, exporter: Exporter, first: u64) -> i64 {
        let bands = self.world.telemetry.clock.of(exporter.side());
        if bands.is_empty() {
            return 0;
        }
        let machine = match exporter {
            Exporter::Page(_) | Exporter::Phone(_) => [exporter.numbers().0, first, 0],
            Exporter::Server { relying_party, process } => [2, relying_party, process],
        };
        draw_offset(bands, &mut Dice::new(self.seed, Stream::Clock, machine))
    }
}

impl Fate {
    fn draw(world: &World, exporter: Exporter, dice: &mut Dice) -> Self {
        let telemetry = &world.telemetry;
        let lost = dice.chance(*telemetry.loss.of(exporter.side()));
        let lost_at_unload = dice.chance(telemetry.unload_loss);
        let mut latency_s = telemetry.latency.draw(dice, Timing::PLAIN);
        if dice.chance(telemetry.delayed) {
            latency_s += telemetry.delay.draw(dice, Timing::PLAIN);
        }
        let twice = dice.chance(telemetry.duplicated);
        let duplicate_after_s = twice.then(|| telemetry.duplicate_after.draw(dice, Timing::PLAIN));
        let shuffled = dice.chance(telemetry.shuffled);
        let shuffle = shuffled.then(|| dice.below(u64::MAX));
        Self { lost, lost_at_unload, latency_s, duplicate_after_s, shuffle }
    }
}

/// Whether the record's trace is kept. Log records are not sampled. The decision is the trace id's own, so
/// every process decides alike.
fn sample(sampling: Sampling, record: &mut Outgoing, with_errors: &BTreeSet<TraceId>) -> bool {
    let (Content::Span { span, .. }, Some(trace)) = (&mut record.content, record.trace) else {
        return true;
    };
    let threshold = ((1.0 - sampling.head) * (1u64 << 56) as f64) as u64;
    let random = trace.bytes()[9..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    if sampling.announced && threshold > 0 {
        span.trace_state = trace_state(threshold);
    }
    random >= threshold && (!sampling.errors_only || with_errors.contains(&trace))
}

/// Within a band the distance is uniform if it begins at zero, else uniform in its logarithm.
fn draw_offset(bands: &[Band], dice: &mut Dice) -> i64 {
    let mut left = dice.unit();
    for band in bands {
        if left < band.share {
            let distance = if band.from_s > 0.0 {
                band.from_s * (dice.unit() * (band.to_s / band.from_s).ln()).exp()
            } else {
                dice.between(0.0, band.to_s)
            };
            let sign = if dice.chance(band.behind) { -1.0 } else { 1.0 };
            return (sign * distance * 1e9) as i64;
        }
        left -= band.share;
    }
    0
}

/// The rejection threshold as tracestate carries it: 56 bits in hex, without trailing zeros.
fn trace_state(threshold: u64) -> String {
    let digits = format!("{threshold:014x}");
    format!("ot=th:{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_written_as_the_specification_says() {
        assert_eq!(trace_state(1 << 55), "ot=th:8");
        assert_eq!(trace_state((0.9 * (1u64 << 56) as f64) as u64), "ot=th:e6666666666668");
    }
}
