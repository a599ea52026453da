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

use authstitch_model::verdict::{PhaseVerdict, TransportVerdict};
use authstitch_model::{Basis, Cause, Flow, Phase, Transport, phases};

use crate::by_cause::{self, ByCause};
use crate::caps;
use crate::evidence::{Features, reporter};
use crate::feature::Elapsed;
use crate::likelihood::{Losses, Posterior, came_so_far};
use crate::phase_set::PhaseSet;
use crate::stops::{BEHIND, ByStop, NOWHERE};
use crate::tables::FlowTable;
use crate::transport::{self, ByTransport, Needs};

/// The verdict on each phase.
pub fn phases(
    features: &Features,
    stopped: Option<&Stopped>,
    transport: Option<&TransportVerdict>,
    losses: &Losses,
    table: &FlowTable,
) -> [Option<PhaseVerdict>; Phase::COUNT] {
    let flow = features.flow;
    let (observed, known) = (features.progress.observed(), features.known);
    let mut later = stopped.map_or([0.0; Needs::COUNT], |stopped| stopped.at.map(|at| at[NOWHERE]));
    let mut verdicts = [None; Phase::COUNT];
    for place in phases::of(flow).iter().rev() {
        let phase = place.phase;
        let passed = features.passed.has(phase);
        let (mut basis, mut reached) =
            (if observed.has(phase) { Basis::Observed } else { Basis::Implied }, 1.0);
        if let Some(stopped) = stopped {
            if !known.has(phase) {
                let needs = if flow == Flow::PasskeyCda { Needs::of(phase) } else { Needs::Nothing } as usize;
                let behind = if passed { stopped.at[needs][BEHIND] } else { 0.0 };
                let share = (later[needs] + behind).clamp(0.0, 1.0);
                let unreported =
                    if place.optional { unreported(features, losses, table, phase) } else { 1.0 };
                (basis, reached) = (Basis::Inferred, share * unreported);
            }
            for (later, at) in later.iter_mut().zip(&stopped.at) {
                *later += at[phase.index()];
            }
        }
        let needed = transport.is_none_or(|transport| transport::requires(transport.value, phase));
        let required = needed && !place.optional && !(place.hidden && passed);
        let at = features.progress.at(phase);
        verdicts[phase.index()] = Some(PhaseVerdict { reached, basis, at, required });
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

/// Where a login stopped, over all causes.
pub struct Stopped {
    /// By what a phase needs: the probability of each stop, and of having had on the way there what is needed.
    at: [ByStop; Needs::COUNT],
    /// The probability of each transport.
    pub transports: ByTransport,
}

impl Stopped {
    /// Of a journey; `None` where no phase is left to be inferred.
    pub fn of(features: &Features, posterior: &Posterior, table: &FlowTable) -> Option<Self> {
        let passkey = features.flow == Flow::PasskeyCda;
        if !passkey && PhaseSet::of_flow(features.flow).without(features.known).is_empty() {
            return None;
        }
        let mut stopped = Self { at: [ByStop::default(); Needs::COUNT], transports: [0.0; Transport::COUNT] };
        let success = posterior.causes.of(Cause::None);
        let failed = (success < 1.0).then(|| Failed::of(features, posterior, table));
        match &failed {
            Some(failed) => stopped.at[0] = failed.stops(success, table),
            None => stopped.at[0][NOWHERE] = success,
        }
        if passkey {
            stopped.over_transports(success, failed.as_ref(), features, table);
        }
        Some(stopped)
    }

    /// What logins had on their way, by the transports of their causes. Of the stops after the last phase that needs
    /// something nobody asks which it was.
    fn over_transports(
        &mut self,
        success: f32,
        failed: Option<&Failed>,
        features: &Features,
        table: &FlowTable,
    ) {
        let mix = table.transports.given(&features.authenticator);
        let none = Cause::None.index();
        let [all, having @ ..] = &mut self.at;
        for (at, later) in having.iter_mut().zip(&mix.later) {
            at[NOWHERE] = success * later[none];
        }
        self.transports = mix.shares.each_ref().map(|shares| success * shares[none]);
        let Some(failed) = failed else { return };
        for (all, shares) in self.transports.iter_mut().zip(&mix.shares) {
            *all += by_cause::dot(shares, &failed.shares);
        }
        let mut later = failed.stopped_at(&AFTER_PROMPTED, table);
        let [of_code, of_phone, of_any] = having;
        of_any[NOWHERE] += by_cause::dot(&later, &mix.later[2]);
        by_cause::add(&mut later, &failed.stopped_at(&[Phase::Prompted], table), 1.0);
        of_phone[NOWHERE] += by_cause::dot(&later, &mix.later[1]);
        of_code[NOWHERE] += by_cause::dot(&later, &mix.later[0]);
        let at_proximity = failed.stopped_at(&[Phase::Proximity], table);
        of_code[Phase::Proximity.index()] = by_cause::dot(&at_proximity, &mix.code_before_proximity);
        of_code[Phase::Scanned.index()] = all[Phase::Scanned.index()];
        if all[BEHIND] > 0.0 {
            for (at, later) in having.iter_mut().zip(&mix.later) {
                at[BEHIND] = by_cause::dot(&failed.behind, later);
            }
        }
    }
}

/// The phases after the last that needs something to be passed.
const AFTER_PROMPTED: [Phase; 4] = [Phase::Confirmed, Phase::Verified, Phase::Returned, Phase::Established];

/// The logins that failed, by cause.
struct Failed {
    /// The probability of each cause.
    shares: ByCause,
    /// The same, over the probability of having come so far and no further: times that of a stop it gives how
    /// probably it stopped there.
    over_came: ByCause,
    /// The same of those that can stop only what lies behind.
    behind: ByCause,
    /// The silence before each phase at which a login can still have stopped.
    open: ByStop,
}

impl Failed {
    fn of(features: &Features, posterior: &Posterior, table: &FlowTable) -> Self {
        let mut open = posterior.open;
        let mut came = posterior.came;
        if features.values.elapsed == Some(Elapsed::Instant) {
            let hidden = Phase::ALL.iter().filter(|phase| **phase > Phase::Presented);
            hidden.for_each(|phase| open[phase.index()] = 0.0);
            came = came_so_far(&open, table);
        }
        let mut shares = ByCause(*posterior.causes.shares());
        shares[Cause::None.index()] = 0.0;
        let (mut over_came, mut behind) = (ByCause::all(0.0), ByCause::all(0.0));
        for nth in 0..Cause::COUNT {
            let share = if shares[nth] >= caps::NEGLIGIBLE { shares[nth] } else { 0.0 };
            shares[nth] = share;
            over_came[nth] = if came[nth] > 0.0 { share / came[nth] } else { 0.0 };
            behind[nth] = if came[nth] > 0.0 { 0.0 } else { share };
        }
        Self { shares, over_came, behind, open }
    }

    /// By cause, how probably it stopped at one of these.
    fn stopped_at(&self, phases: &[Phase], table: &FlowTable) -> ByCause {
        let mut at = ByCause::all(0.0);
        for stop in phases.iter().map(|phase| phase.index()).filter(|stop| self.open[*stop] > 0.0) {
            by_cause::add(&mut at, &table.halts[stop], self.open[stop]);
        }
        by_cause::multiply(&mut at, &[&self.over_came]);
        at
    }

    /// How probably it stopped at each place.
    fn stops(&self, success: f32, table: &FlowTable) -> ByStop {
        let mut at = ByStop::default();
        for phase in Phase::ALL {
            let stop = phase.index();
            if self.open[stop] > 0.0 {
                at[stop] = self.open[stop] * by_cause::dot(&self.over_came, &table.halts[stop]);
            }
        }
        at[NOWHERE] = success;
        at[BEHIND] = by_cause::sum(&self.behind);
        at
    }
}

#[cfg(test)]
mod tests;
