//! For each phase of the flow: was it reached, and how do we know?
//!
//! - Observed and implied phases were reached for certain.
//! - Any other phase was reached with the sum, over the causes, of the probability that the cause stopped
//!   later than that, given what was and was not heard. Success passed them all.
//! - A hidden phase also needs a transport that passes it.
//! - An optional phase that nobody reported counts with the share of logins that have it.

use authstitch_model::verdict::PhaseVerdict;
use authstitch_model::{Basis, Cause, Flow, Phase, Transport, phases};

use crate::by_cause::{self, ByCause};
use crate::evidence::Features;
use crate::tables::FlowTable;
use crate::transport::{self, Transports};

/// The verdict on each phase. `transport` is the likeliest, in a passkey ceremony.
pub fn phases(
    features: &Features,
    causes: &ByCause,
    silence: &[f32; Phase::COUNT + 1],
    table: &FlowTable,
    transports: Option<(&Transports, Transport)>,
) -> [Option<PhaseVerdict>; Phase::COUNT] {
    let flow = features.flow;
    let beyond = Beyond::new(causes, silence, table, |phase| !features.passed.has(phase));
    let mut verdicts = [None; Phase::COUNT];
    let mut later = [0.0; Cause::COUNT];
    for place in phases::of(flow).iter().rev() {
        let phase = place.phase;
        let basis = match (features.progress.observed().has(phase), features.known.has(phase)) {
            (true, _) => Basis::Observed,
            (false, true) => Basis::Implied,
            (false, false) => Basis::Inferred,
        };
        let reached = if basis == Basis::Inferred {
            let passing = transports.filter(|_| place.hidden).map(|(mix, _)| mix.passing(phase));
            let share = beyond.share(&later, passing.as_ref());
            if !features.passed.has(phase) {
                beyond.add(phase, &mut later);
            }
            if place.optional { share * table.emission[phase.index()] } else { share }
        } else {
            1.0
        };
        let needed = transports.is_none_or(|(_, transport)| transport::requires(transport, phase));
        let required = !place.optional && (needed || flow != Flow::PasskeyCda);
        verdicts[phase.index()] =
            Some(PhaseVerdict { reached, basis, at: features.progress.at(phase), required });
    }
    verdicts
}

/// Where each cause stopped, given what was heard.
struct Beyond<'a> {
    silence: &'a [f32; Phase::COUNT + 1],
    table: &'a FlowTable,
    /// Each cause's probability over the weight of all phases at which it can have stopped.
    share_of_weight: ByCause,
    succeeded: f32,
}

impl<'a> Beyond<'a> {
    fn new(
        causes: &ByCause,
        silence: &'a [f32; Phase::COUNT + 1],
        table: &'a FlowTable,
        open: impl Fn(Phase) -> bool,
    ) -> Self {
        let mut total = [0.0; Cause::COUNT];
        for phase in Phase::ALL.iter().filter(|phase| open(**phase)) {
            by_cause::add(&mut total, &table.halts[phase.index()], silence[phase.index()]);
        }
        let mut share_of_weight = *causes;
        for (share, total) in share_of_weight.iter_mut().zip(total) {
            *share = if total > 0.0 { *share / total } else { 0.0 };
        }
        share_of_weight[Cause::None.index()] = 0.0;
        Self { silence, table, share_of_weight, succeeded: causes[Cause::None.index()] }
    }

    /// Adds the weight of stopping at a phase.
    fn add(&self, phase: Phase, weights: &mut ByCause) {
        by_cause::add(weights, &self.table.halts[phase.index()], self.silence[phase.index()]);
    }

    /// The probability of having stopped at one of the phases whose weights are `later`, or nowhere.
    fn share(&self, later: &ByCause, passing: Option<&ByCause>) -> f32 {
        let mut stopped_later = *later;
        by_cause::multiply(&mut stopped_later, &self.share_of_weight);
        stopped_later[Cause::None.index()] = self.succeeded;
        if let Some(passing) = passing {
            by_cause::multiply(&mut stopped_later, passing);
        }
        by_cause::sum(&stopped_later).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests;
