//! From features to a probability for each cause: a log-linear model.
//!
//! 1. Each cause begins with its prior.
//! 2. The rulings of [`crate::hard`] exclude causes; a decisive one that leaves a single cause ends the matter.
//! 3. Silence: for each phase at which a cause can stop, the probability that no event of the phases before it
//!    arrived though they were passed. It is the emission of each phase less the loss of the side that reports
//!    it. Losses of one side come together: after one event was probably lost, the next is likelier lost, too.
//! 4. Each observation's value multiplies the odds by its fitted weight. Weights are fitted together, so that
//!    what two observations both say counts once; they hold for the completeness at which they were fitted.
//! 5. An absence that more loss than that may explain says less: a share of it, the loss in excess, is worth
//!    as much to each cause as to the one that explains the absence best.
//! 6. A journey that was cut off says nothing by its silence.
//! 7. A side that a sampler may have dropped is silent with the sampler's share, unless it was heard of: a
//!    sampler keeps or drops a trace as a whole.
//! 8. With passkeys the phone never reports to the relying party, and its silence says nothing.
//!
//! First all causes are weighed, then the likeliest against the rest: what its odds were before and after a piece
//! of evidence is the weight of that piece.

mod duel;
mod product;

use authstitch_model::verdict::{CauseDistribution, Weighed};
use authstitch_model::{Cause, Completeness, Evidence, Flow, Phase, Side, caps as model_caps, phases};

use crate::by_cause::{self, ByCause};
use crate::citation::cited_as;
use crate::evidence::{Features, reporter};
use crate::feature::{Known, Observation, Reporter};
use crate::hard;
use crate::phase_set::PhaseSet;
use crate::stops::{self, ByStop, NOWHERE};
use crate::tables::{FlowTable, Tables};
use duel::Duel;
use product::Product;

/// The probability of each cause, and what led to it.
pub struct Posterior {
    /// The probabilities.
    pub causes: CauseDistribution,
    /// The likeliest cause.
    pub likeliest: Cause,
    /// The probability that nothing was heard of the phases from the furthest known one up to, but without,
    /// each phase; that of stopping nowhere is for the whole flow.
    pub silence: ByStop,
    /// What moved it most.
    pub evidence: [Option<Weighed>; model_caps::EVIDENCE_SHOWN],
}

/// Weighs everything.
pub fn weigh(features: &Features, losses: &Losses, tables: &Tables) -> Posterior {
    let table = tables.of(features.flow);
    let silence = silence(features.flow, features.known, losses, table, tables.shared_fate);
    let rulings = hard::rulings(features);
    let came = (!hard::is_decisive(&rulings)).then(|| came_so_far(features.passed, &silence, table));

    let mut start = table.prior;
    for ruling in rulings.iter().flatten() {
        by_cause::leave(&mut start, ruling.left);
    }
    if let Some(came) = &came {
        by_cause::multiply(&mut start, came);
    }
    let factors = (!hard::is_final(&rulings)).then(|| Factors::of(features, losses, tables, &start));
    let mut product = Product::of_all(start);
    if let Some(factors) = &factors {
        factors.each(|_, odds, reach| product.multiply(odds, reach));
    }
    let likeliest = by_cause::greatest(product.values());
    let causes = CauseDistribution::from_weights(*product.values());

    let mut duel = Duel::begin(&table.prior, likeliest);
    for ruling in rulings.iter().flatten() {
        duel.leave(ruling.evidence, ruling.left);
    }
    if let Some(came) = &came {
        duel.multiply(hard::stage(features), came, 0.0);
    }
    if let Some(factors) = &factors {
        factors.each(|evidence, odds, reach| duel.multiply(evidence, odds, reach));
    }
    Posterior { causes, likeliest, silence, evidence: duel.heaviest() }
}

/// The probability that an event of each kind does not arrive.
#[derive(Clone, Copy, Debug)]
pub struct Losses {
    sides: [f32; Side::COUNT],
    leaving_page: f32,
}

impl Losses {
    /// The losses of a journey's events.
    pub fn of(features: &Features, completeness: &Completeness) -> Self {
        if features.cut_off {
            return Self { sides: [1.0; Side::COUNT], leaving_page: 1.0 };
        }
        let mut sides = [0.0; Side::COUNT];
        for side in Side::ALL {
            let index = side.index();
            let kept = if features.heard[index] { 1.0 } else { features.kept };
            sides[index] = 1.0 - (1.0 - completeness.loss(*side)) * kept;
        }
        if !completeness.phone_instrumented || features.flow == Flow::PasskeyCda {
            sides[Side::Authenticator.index()] = 1.0;
        }
        Self { sides, leaving_page: completeness.unload_loss.max(sides[Side::Initiator.index()]) }
    }
}

impl Losses {
    /// The loss of one side's ordinary events.
    pub const fn of_side(&self, side: Side) -> f32 {
        self.sides[side.index()]
    }
}

/// By how much the loss of each kind of event exceeds the one at which the weights were fitted.
struct Excess(Losses);

impl Excess {
    fn of(features: &Features, losses: &Losses, fitted: &Losses) -> Self {
        let excess = |loss: f32, fitted: f32| {
            if features.cut_off {
                1.0
            } else if fitted < 1.0 {
                ((loss - fitted) / (1.0 - fitted)).clamp(0.0, 1.0)
            } else {
                0.0
            }
        };
        let mut sides = losses.sides;
        for (loss, fitted) in sides.iter_mut().zip(fitted.sides) {
            *loss = excess(*loss, fitted);
        }
        Self(Losses { sides, leaving_page: excess(losses.leaving_page, fitted.leaving_page) })
    }

    fn reporter(&self, reporter: Reporter) -> f32 {
        match reporter {
            Reporter::Side(side) => self.0.sides[side.index()],
            Reporter::LeavingPage => self.0.leaving_page,
            Reporter::Anyone => self.0.sides.iter().copied().fold(0.0, f32::max),
        }
    }

    fn is_none(&self) -> bool {
        self.0.sides == [0.0; Side::COUNT] && self.0.leaving_page == 0.0
    }
}

/// The probability that nothing was heard of the phases between the furthest known one and each other.
pub fn silence(flow: Flow, known: PhaseSet, losses: &Losses, table: &FlowTable, shared_fate: f32) -> ByStop {
    let mut silence = [1.0; Phase::COUNT + 2];
    let mut nothing_heard = 1.0;
    let mut loss = losses.sides;
    let furthest = known.last();
    for place in phases::of(flow) {
        let phase = place.phase;
        silence[phase.index()] = nothing_heard;
        if Some(phase) <= furthest {
            continue;
        }
        let side = reporter(flow, phase).index();
        let missing = 1.0 - table.emission[phase.index()] * (1.0 - loss[side]);
        nothing_heard *= missing;
        let probably_lost = if missing > 0.0 { (loss[side] / missing).min(1.0) } else { 0.0 };
        let base = losses.sides[side];
        loss[side] = base.max(shared_fate * probably_lost + (1.0 - probably_lost) * base);
    }
    silence[NOWHERE] = nothing_heard;
    silence
}

/// For each cause the probability of what was heard, and not heard, of the phases.
pub fn came_so_far(passed: PhaseSet, silence: &ByStop, table: &FlowTable) -> ByCause {
    let mut open = *silence;
    for phase in Phase::ALL.iter().filter(|phase| passed.has(**phase)) {
        open[phase.index()] = 0.0;
    }
    table.halts.map(|halts| stops::sum(&stops::product(&halts, &open)))
}

/// What multiplies the odds, value by value.
struct Factors<'a> {
    features: &'a Features,
    table: &'a FlowTable,
    excess: Excess,
    /// What each cause has before: nothing where it is excluded.
    start: &'a ByCause,
    /// The values that say something.
    known: [Known; Observation::COUNT],
    count: usize,
}

impl<'a> Factors<'a> {
    fn of(features: &'a Features, losses: &Losses, tables: &'a Tables, start: &'a ByCause) -> Self {
        let table = tables.of(features.flow);
        let excess = Excess::of(features, losses, &Losses::of(features, &tables.fitted_at));
        let mut known = [Known { about: Observation::Stage, value: 0 }; Observation::COUNT];
        let mut count = 0;
        for value in features.values.known() {
            known[count] = value;
            let says = table.weights.reach(value) > 0.0 || value.about == Observation::Elapsed;
            count += usize::from(says);
        }
        Self { features, table, excess, start, known, count }
    }

    /// Hands over each value's evidence, its factors, and by how many nats they move a cause at most.
    fn each(&self, mut then: impl FnMut(Evidence, &ByCause, f32)) {
        let stage = hard::stage(self.features);
        let weights = &self.table.weights;
        let all_told = self.excess.is_none();
        for known in &self.known[..self.count] {
            let evidence = cited_as(*known).unwrap_or(stage);
            let (odds, reach) = (weights.odds(*known), weights.reach(*known));
            if known.about == Observation::Elapsed
                && let Some(mixed) = self.elapsed()
            {
                then(evidence, &mixed, product::ROOM);
            } else if all_told {
                then(evidence, odds, reach);
            } else {
                let excess = known.absent().map_or(0.0, |reporter| self.excess.reporter(reporter));
                then(evidence, &self.weaker(odds, excess), 2.0 * reach);
            }
        }
    }

    /// Where more than one limit may have been in force, the values of a ceremony's length by their shares.
    fn elapsed(&self) -> Option<ByCause> {
        let shares = self.features.elapsed.filter(|shares| shares.iter().all(|share| *share < 1.0))?;
        let mut mixed = [0.0; Cause::COUNT];
        for (known, share) in Observation::Elapsed.values().zip(shares).filter(|(_, share)| *share > 0.0) {
            by_cause::add(&mut mixed, self.table.weights.odds(known), share);
        }
        Some(mixed)
    }

    /// The factors of an absence that a loss in excess may explain.
    fn weaker(&self, odds: &ByCause, excess: f32) -> ByCause {
        if excess == 0.0 {
            return *odds;
        }
        let possible = odds.iter().zip(self.start).filter(|(_, start)| **start > 0.0);
        let best = possible.map(|(odds, _)| *odds).fold(f32::MIN_POSITIVE, f32::max);
        odds.map(|odds| excess + (1.0 - excess) * (odds / best).min(1.0))
    }
}

#[cfg(test)]
mod tests;
