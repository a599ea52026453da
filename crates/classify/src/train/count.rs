//! What can be counted. A cause that was not seen has the share of half an example, and one that was seen to
//! stop one phase may stop each of its others with the share of half an example, too. A cause's transports are
//! those of a few examples of any cause beside its own.

use authstitch_model::{Cause, Flow, Phase, Transport, phases};

use super::example::Example;
use crate::by_cause::{ByCause, turned};
use crate::evidence::reporter;
use crate::hard;
use crate::stops::{NOWHERE, STOPS};
use crate::tables::{FlowTable, Prior, Weights, is_possible};
use crate::transport::Transports;

/// What is added to each count.
const UNSEEN: f64 = 0.5;

/// So many examples of any cause count for the transports of each.
const BORROWED: f64 = 5.0;

/// Counts the examples of a flow.
pub fn count(flow: Flow, examples: &[&Example]) -> FlowTable {
    let mut prior = [0.0; Cause::COUNT];
    let mut halts = [[0.0; STOPS]; Cause::COUNT];
    let mut transport = [[0.0; Transport::COUNT]; Cause::COUNT];
    halts[Cause::None.index()][NOWHERE] = 1.0;
    for cause in Cause::ALL.iter().filter(|cause| is_possible(flow, **cause)) {
        prior[cause.index()] = UNSEEN;
        for phase in Phase::ALL.iter().filter(|phase| hard::may_halt(flow, *cause).has(**phase)) {
            halts[cause.index()][phase.index()] = UNSEEN;
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
            halts[cause][phase.index()] += label.weight;
        }
        if let Some(used) = label.transport {
            transport[cause][used.index()] += label.weight;
        }
    }
    for counts in &mut transport {
        counts.iter_mut().zip(usual).for_each(|(count, share)| *count += BORROWED * share);
    }
    let sum: f64 = prior.iter().sum();
    let transport = turned(&transport.map(shares));
    FlowTable {
        prior: Prior::new(ByCause(prior.map(|count| rounded(count / sum)))),
        emission: emission(flow, examples),
        halts: turned(&halts.map(shares)),
        transport,
        transports: Transports::new(&transport),
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

/// Counts as shares.
fn shares<const N: usize>(counts: [f64; N]) -> [f32; N] {
    let sum: f64 = counts.iter().sum();
    counts.map(|count| if sum > 0.0 { rounded(count / sum) } else { 0.0 })
}

/// Rounded to five decimals.
fn rounded(share: f64) -> f32 {
    ((share * 1e5).round() / 1e5) as f32
}
