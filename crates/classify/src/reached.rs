//! For each phase of the flow: was it reached, and how do we know?
//!
//! - Observed and implied phases were reached for certain.
//! - Any other phase was reached with the sum, over the causes, of the probability that the cause stopped
//!   later than that, given what was and was not heard. Success passed them all.
//! - A cause that can stop only what lies behind passed every hidden phase before.
//! - A hidden phase that lies behind what was seen is none that a login failed at.
//! - A hidden phase also needs a transport that passes it, of those that come as far as the cause did.
//! - A passkey ceremony that failed within a second had not come to its hidden phases: nobody scans that fast.
//! - An optional phase that nobody reported counts with the share of logins that have it and whose report was
//!   lost; where nothing was heard of the side that would report it, of all that have it.

use authstitch_model::verdict::PhaseVerdict;
use authstitch_model::{Basis, Cause, Flow, Phase, Transport, phases};

use crate::by_cause::{self, ByCause};
use crate::evidence::{Features, reporter};
use crate::feature::Elapsed;
use crate::likelihood::Losses;
use crate::tables::FlowTable;
use crate::transport::{self, Transports, Way};

/// The verdict on each phase. `transport` is the likeliest, in a passkey ceremony.
pub fn phases(
    features: &Features,
    causes: &ByCause,
    silence: &[f32; Phase::COUNT + 1],
    losses: &Losses,
    table: &FlowTable,
    transports: Option<(&Transports, Transport)>,
) -> [Option<PhaseVerdict>; Phase::COUNT] {
    let flow = features.flow;
    let at_once = features.values.elapsed == Some(Elapsed::Instant);
    let open = |phase| !(features.passed.has(phase) || at_once && phase > Phase::Presented);
    let beyond = Beyond::new(causes, silence, table, open);
    let mut verdicts = [None; Phase::COUNT];
    let mut later = [[0.0; Cause::COUNT]; Way::COUNT];
    for place in phases::of(flow).iter().rev() {
        let phase = place.phase;
        let basis = match (features.progress.observed().has(phase), features.known.has(phase)) {
            (true, _) => Basis::Observed,
            (false, true) => Basis::Implied,
            (false, false) => Basis::Inferred,
        };
        let reached = if basis == Basis::Inferred {
            let mix = transports.filter(|_| place.hidden).map(|(mix, _)| mix);
            let behind = features.passed.has(phase);
            let share = beyond.share(&later, behind, |way| mix.map(|mix| mix.passing(phase, way)));
            if open(phase) {
                beyond.add(phase, &mut later[Way::to(phase) as usize]);
            }
            if place.optional { share * unreported(features, losses, table, phase) } else { share }
        } else {
            1.0
        };
        let needed = transports.is_none_or(|(_, transport)| transport::requires(transport, phase));
        let behind = place.hidden && features.passed.has(phase);
        let required = !place.optional && !behind && (needed || flow != Flow::PasskeyCda);
        verdicts[phase.index()] =
            Some(PhaseVerdict { reached, basis, at: features.progress.at(phase), required });
    }
    verdicts
}

/// The share of logins with an optional phase, of those that did not report it.
fn unreported(features: &Features, losses: &Losses, table: &FlowTable, phase: Phase) -> f32 {
    let having = table.emission[phase.index()];
    let side = reporter(features.flow, phase);
    if !features.heard[side.index()] {
        return having;
    }
    let loss = losses.of_side(side);
    having * loss / (1.0 - having * (1.0 - loss)).max(f32::MIN_POSITIVE)
}

/// Where each cause stopped, given what was heard.
struct Beyond<'a> {
    silence: &'a [f32; Phase::COUNT + 1],
    table: &'a FlowTable,
    /// Each cause's probability over the weight of all phases at which it can have stopped.
    share_of_weight: ByCause,
    /// The causes that can stop only what lies behind.
    settled: ByCause,
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
        let (mut share_of_weight, mut settled) = (*causes, *causes);
        for ((share, settled), total) in share_of_weight.iter_mut().zip(&mut settled).zip(total) {
            *share = if total > 0.0 { *share / total } else { 0.0 };
            *settled = if total > 0.0 { 0.0 } else { *settled };
        }
        share_of_weight[Cause::None.index()] = 0.0;
        settled[Cause::None.index()] = 0.0;
        Self { silence, table, share_of_weight, settled, succeeded: causes[Cause::None.index()] }
    }

    /// Adds the weight of stopping at a phase.
    fn add(&self, phase: Phase, weights: &mut ByCause) {
        by_cause::add(weights, &self.table.halts[phase.index()], self.silence[phase.index()]);
    }

    /// The probability of having stopped at one of the phases whose weights are `later`, or nowhere, and of
    /// having passed on the way there.
    fn share(
        &self,
        later: &[ByCause; Way::COUNT],
        behind: bool,
        passing: impl Fn(Way) -> Option<ByCause>,
    ) -> f32 {
        let mut share = 0.0;
        for way in Way::ALL {
            let mut stopped_later = later[way as usize];
            by_cause::multiply(&mut stopped_later, &self.share_of_weight);
            if way == Way::Authenticator {
                if behind {
                    by_cause::add(&mut stopped_later, &self.settled, 1.0);
                }
                stopped_later[Cause::None.index()] = self.succeeded;
            }
            if let Some(passing) = passing(way) {
                by_cause::multiply(&mut stopped_later, &passing);
            }
            share += by_cause::sum(&stopped_later);
        }
        share.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests;
