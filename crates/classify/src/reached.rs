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

use authstitch_model::phases::FlowPhase;
use authstitch_model::verdict::{CauseDistribution, PhaseVerdict, TransportVerdict};
use authstitch_model::{Basis, Cause, Flow, Phase, Transport, phases};

use crate::caps;
use crate::evidence::{Features, reporter};
use crate::feature::Elapsed;
use crate::likelihood::Losses;
use crate::stops::{self, BEHIND, ByStop, NOWHERE};
use crate::tables::FlowTable;
use crate::transport::{self, ByTransport, Needs};

/// The verdict on each phase, and in a passkey login on its transport.
pub fn phases(
    features: &Features,
    causes: &CauseDistribution,
    silence: &ByStop,
    losses: &Losses,
    table: &FlowTable,
) -> ([Option<PhaseVerdict>; Phase::COUNT], Option<TransportVerdict>) {
    let flow = features.flow;
    let passkey = flow == Flow::PasskeyCda;
    let stopped = Stopped::of(features, causes, silence, table);
    let transport = passkey.then(|| transport::verdict(features, &stopped.transports));
    let mut verdicts = [None; Phase::COUNT];
    let mut later = stopped.at.map(|at| at[NOWHERE]);
    for place in phases::of(flow).iter().rev() {
        let phase = place.phase;
        let basis = match (features.progress.observed().has(phase), features.known.has(phase)) {
            (true, _) => Basis::Observed,
            (false, true) => Basis::Implied,
            (false, false) => Basis::Inferred,
        };
        let passed = features.passed.has(phase);
        let reached = if basis == Basis::Inferred {
            let needs = if passkey { Needs::of(phase) as usize } else { Needs::Nothing as usize };
            let behind = if passed { stopped.at[needs][BEHIND] } else { 0.0 };
            let share = (later[needs] + behind).clamp(0.0, 1.0);
            if place.optional { share * unreported(features, losses, table, phase) } else { share }
        } else {
            1.0
        };
        for (later, at) in later.iter_mut().zip(&stopped.at) {
            *later += at[phase.index()];
        }
        let needed = transport.is_none_or(|transport| transport::requires(transport.value, phase));
        let required = needed && !place.optional && !(place.hidden && passed);
        verdicts[phase.index()] =
            Some(PhaseVerdict { reached, basis, at: features.progress.at(phase), required });
    }
    (verdicts, transport)
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

/// Where a login stopped, over all causes; zeros where no phase is left to be inferred.
struct Stopped {
    /// By what a phase needs: the probability of each stop, and of having had on the way there what is needed.
    at: [ByStop; Needs::COUNT],
    /// The probability of each transport.
    transports: ByTransport,
}

impl Stopped {
    fn of(features: &Features, causes: &CauseDistribution, silence: &ByStop, table: &FlowTable) -> Self {
        let passkey = features.flow == Flow::PasskeyCda;
        let mut stopped =
            Self { at: [[0.0; Phase::COUNT + 2]; Needs::COUNT], transports: [0.0; Transport::COUNT] };
        let known = |place: &FlowPhase| features.known.has(place.phase);
        if !passkey && phases::of(features.flow).iter().all(known) {
            return stopped;
        }
        let open = open(features, silence);
        let fit = passkey.then(|| transport::fit(features));
        for cause in Cause::ALL {
            let probability = causes.of(*cause);
            if probability < caps::NEGLIGIBLE {
                continue;
            }
            let stops = stops_of(*cause, probability, &table.halts[cause.index()], &open);
            let [nothing, having @ ..] = &mut stopped.at;
            stops::add(nothing, &stops);
            let Some(fit) = &fit else { continue };
            let mix = transport::mix(&table.transport[cause.index()], fit);
            for (at, had) in having.iter_mut().zip(transport::had(&mix)) {
                stops::add(at, &stops::product(&stops, &had));
            }
            stopped.transports.iter_mut().zip(mix).for_each(|(all, share)| *all += probability * share);
        }
        stopped
    }
}

/// The silence before each phase at which a login can still have stopped.
fn open(features: &Features, silence: &ByStop) -> ByStop {
    let at_once = features.values.elapsed == Some(Elapsed::Instant);
    let mut open = *silence;
    for phase in Phase::ALL {
        if features.passed.has(*phase) || at_once && *phase > Phase::Presented {
            open[phase.index()] = 0.0;
        }
    }
    open
}

/// A cause's probability, by where it stopped.
fn stops_of(cause: Cause, probability: f32, halts: &ByStop, open: &ByStop) -> ByStop {
    let mut stops = stops::product(halts, open);
    let sum = stops::sum(&stops);
    if cause != Cause::None && sum > 0.0 {
        let scale = probability / sum;
        stops.iter_mut().for_each(|stop| *stop *= scale);
        return stops;
    }
    stops = ByStop::default();
    stops[if cause == Cause::None { NOWHERE } else { BEHIND }] = probability;
    stops
}

#[cfg(test)]
mod tests;
