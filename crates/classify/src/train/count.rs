//! What can be counted. A cause that was not seen has the share of half an example, and one that was seen to
//! stop one phase may stop each of its others with the share of half an example, too. A cause's transports are
//! those of a few examples of any cause beside its own.

use authstitch_model::{Cause, Flow, Phase, Transport, phases};

use super::example::Example;
use crate::evidence::reporter;
use crate::hard;
use crate::tables::{FlowTable, Weights, is_possible};

/// What is added to each count.
const UNSEEN: f64 = 0.5;

/// So many examples of any cause count for the transports of each.
const BORROWED: f64 = 5.0;

/// Counts the examples of a flow.
pub fn count(flow: Flow, examples: &[&Example]) -> FlowTable {
    let mut prior = [0.0; Cause::COUNT];
    let mut halts = [[0.0; Cause::COUNT]; Phase::COUNT];
    let mut transport = [[0.0; Cause::COUNT]; Transport::COUNT];
    for cause in Cause::ALL.iter().filter(|cause| is_possible(flow, **cause)) {
        prior[cause.index()] = UNSEEN;
        for phase in Phase::ALL.iter().filter(|phase| hard::may_halt(flow, *cause).has(**phase)) {
            halts[phase.index()][cause.index()] = UNSEEN;
        }
    }
    let usual = usual_transports(examples);
    for example in examples {
        let label = example.label;
        let cause = label.cause.index();
        if !is_possible(flow, label.cause) {
            continue;
        }
        prior[cause] += label.weight;
        if let Some(phase) = label.halted.filter(|phase| hard::may_halt(flow, label.cause).has(*phase)) {
            halts[phase.index()][cause] += label.weight;
        }
        if let Some(used) = label.transport {
            transport[used.index()][cause] += label.weight;
        }
    }
    for (line, share) in transport.iter_mut().zip(usual) {
        line.iter_mut().for_each(|count| *count += BORROWED * share);
    }
    let sum: f64 = prior.iter().sum();
    FlowTable {
        prior: prior.map(|count| rounded(count / sum)),
        emission: emission(flow, examples),
        halts: shares(halts),
        transport: shares(transport),
        weights: Weights::nothing(),
    }
}

/// The share of each transport among all examples.
fn usual_transports(examples: &[&Example]) -> [f64; Transport::COUNT] {
    let mut counts = [UNSEEN; Transport::COUNT];
    for example in examples {
        if let Some(used) = example.label.transport {
            counts[used.index()] += example.label.weight;
        }
    }
    let sum: f64 = counts.iter().sum();
    counts.map(|count| count / sum)
}

/// Of the phases that successes reached, the share that was reported, beside those that were lost.
fn emission(flow: Flow, examples: &[&Example]) -> [f32; Phase::COUNT] {
    let mut emission = [0.0; Phase::COUNT];
    for place in phases::of(flow).iter().filter(|place| !place.hidden) {
        let side = reporter(flow, place.phase);
        let (mut seen, mut arriving) = (UNSEEN, 2.0 * UNSEEN);
        for example in examples.iter().filter(|example| example.label.cause == Cause::None) {
            seen += if example.observed.has(place.phase) { example.label.weight } else { 0.0 };
            arriving += example.label.weight * f64::from(1.0 - example.losses.of_side(side));
        }
        emission[place.phase.index()] = rounded((seen / arriving).min(0.995));
    }
    emission
}

/// Each cause's counts as shares.
fn shares<const N: usize>(counts: [[f64; Cause::COUNT]; N]) -> [[f32; Cause::COUNT]; N] {
    let mut sums = [0.0; Cause::COUNT];
    for line in &counts {
        sums.iter_mut().zip(line).for_each(|(sum, count)| *sum += count);
    }
    counts.map(|line| {
        let mut of = [0.0; Cause::COUNT];
        for (share, (count, sum)) in of.iter_mut().zip(line.iter().zip(sums)) {
            *share = if sum > 0.0 { rounded(count / sum) } else { 0.0 };
        }
        of
    })
}

/// Rounded to five decimals.
fn rounded(share: f64) -> f32 {
    ((share * 1e5).round() / 1e5) as f32
}
