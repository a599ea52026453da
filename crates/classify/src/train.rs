//! Fitting tables to journeys whose causes are known. Pure: the same examples in the same order give the same
//! tables, on every machine; no clock, no chance.
//!
//! 1. What can be counted is counted: priors, where each cause stops a flow, how often a phase that was reached
//!    is reported, how each cause's ceremonies reach their authenticator.
//! 2. Weights are fitted per flow to the examples that no rule decides, all observations together, so that
//!    the probability of the true causes is greatest, less a penalty on large weights ([`fit`]). What a rare value
//!    cannot tell for itself it leaves to the observations that stand beside it.
//! 3. Weights are rounded, and those near zero are left out.
//!
//! [`adapt()`] needs no labels: it leaves the weights and re-estimates how often each cause occurs.

mod adapt;
mod count;
mod example;
mod fit;
mod math;

use authstitch_model::{Completeness, Flow};

pub use adapt::{Unlabelled, adapt};
pub use example::{Example, Label};

use crate::feature::Observation;
use crate::tables::{Tables, Weights};

/// The penalty on the square of a weight: one weight of one nat costs as much as half a nat of log loss.
const PENALTY: f64 = 1.0;

/// The probability that a side's next event is lost where the one before it was: an assumption, for no example says
/// which events left in one batch.
pub(crate) const SHARED_FATE: f32 = 0.5;

/// What the tables are called and how they were made.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Which tables these are.
    pub version: String,
    /// The command that makes them.
    pub made_by: String,
    /// What tells whether that command would make them again.
    pub fingerprint: String,
}

/// Fits tables. `completeness` is the one with which the examples were made.
#[must_use]
pub fn train(examples: &[Example], completeness: &Completeness, provenance: Provenance) -> Tables {
    let shared_fate = SHARED_FATE;
    let flows = [Flow::AppQr, Flow::PasskeyCda, Flow::MagicLink, Flow::Unknown].map(|flow| {
        let of_flow: Vec<_> = examples.iter().filter(|example| example.flow == flow).collect();
        let mut table = count::count(flow, &of_flow);
        table.weights = Weights::nothing();
        fit::fit(&of_flow, &mut table, shared_fate, PENALTY);
        table
    });
    let Provenance { version, made_by, fingerprint } = provenance;
    Tables { version, text: None, made_by, fingerprint, fitted_at: *completeness, shared_fate, flows }
}

/// What is observed, as text: tables of other observations are others.
#[must_use]
pub fn features() -> String {
    Observation::ALL.iter().map(|about| format!("{}: {}\n", about.code(), about.codes().join(";"))).collect()
}

#[cfg(test)]
mod tests;
