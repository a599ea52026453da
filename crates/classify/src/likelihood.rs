//! From observations to a probability for each cause: a log-linear model.
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
mod factors;
mod product;

use authstitch_model::verdict::{CauseDistribution, Weighed};
use authstitch_model::{Cause, Completeness, Flow, Phase, Side, caps as model_caps, phases};

use crate::by_cause::{self, ByCause};
use crate::evidence::{Features, reporter};
use crate::feature::Reporter;
use crate::hard::{self, Ruling};
use crate::phase_set::PhaseSet;
use crate::stops::{ByStop, NOWHERE};
use crate::tables::{FlowTable, Prior, Tables};
use duel::Duel;
use factors::{Factors, mixed};
pub use product::Product;

/// The probability of each cause, and what led to it.
pub struct Posterior {
    /// The probabilities.
    pub causes: CauseDistribution,
    /// The likeliest cause.
    pub likeliest: Cause,
    /// By phase at which it can still have stopped: the probability that nothing was heard of the phases from the
    /// furthest known one up to, but without, this one; that of stopping nowhere is for the whole flow.
    pub open: ByStop,
    /// The same by cause, over the phases at which it stops; nothing where a session leaves nothing to ask.
    pub came: ByCause,
    /// What moved it most.
    pub evidence: [Option<Weighed>; model_caps::EVIDENCE_SHOWN],
}

/// Weighs everything.
pub fn weigh(features: &Features, losses: &Losses, tables: &Tables) -> Posterior {
    let table = tables.of(features.flow);
    let rulings = hard::rulings(features);
    if let Some(cause) = hard::decided(&rulings) {
        return decided(features, losses, tables, cause, &rulings);
    }
    let silence = silence_between(features.flow, features.known, losses, table, tables.shared_fate);
    let open = open(features.passed, &silence);
    let came = came_so_far(&open, table);
    let mut left = table.prior.shares;
    for ruling in rulings.iter().flatten() {
        by_cause::leave(&mut left, ruling.left);
    }
    let counts = !hard::is_decisive(&rulings);
    if counts {
        by_cause::multiply(&mut left, &[&came]);
    }
    let elapsed = mixed(features, &table.weights);
    let excess = Excess::of(features, losses, &Losses::of(features, &tables.fitted_at));
    let factors = Factors::of(features, &table.weights, elapsed.as_ref(), excess, &left);

    let mut product = Product::of_all(left);
    factors.each(|odds, reach| product.multiply(odds, reach));
    let likeliest = by_cause::greatest(product.values());
    let causes = CauseDistribution::from_weights(**product.values());

    let mut duel = Duel::begin(&table.prior.shares, likeliest);
    for ruling in rulings.iter().flatten() {
        duel.leave(ruling.evidence, ruling.left);
    }
    if counts {
        duel.multiply(hard::stage(features), &[&came], 0.0);
    }
    factors.each_cited(|evidence, odds, reach| duel.multiply(evidence, odds, reach));
    Posterior { causes, likeliest, open, came, evidence: duel.heaviest() }
}

/// What follows where a rule leaves a single cause: nothing has to be weighed.
fn decided(
    features: &Features,
    losses: &Losses,
    tables: &Tables,
    cause: Cause,
    rulings: &[Option<Ruling>; hard::RULINGS],
) -> Posterior {
    let table = tables.of(features.flow);
    let Prior { shares, log_odds } = &table.prior;
    let possible =
        shares[cause.index()] > 0.0 && rulings.iter().flatten().all(|ruling| ruling.left.has(cause));
    let evidence = match rulings {
        [Some(ruling), .., None] if possible => Duel::ended(log_odds[cause.index()], ruling.evidence),
        _ => {
            let mut duel = Duel::begin(shares, cause);
            for ruling in rulings.iter().flatten() {
                duel.leave(ruling.evidence, ruling.left);
            }
            duel.heaviest()
        }
    };
    let (open, came) = if features.progress.observed().has(Phase::Established) {
        (ByStop::default(), ByCause::all(0.0))
    } else {
        let silence = silence_between(features.flow, features.known, losses, table, tables.shared_fate);
        let open = open(features.passed, &silence);
        (open, came_so_far(&open, table))
    };
    let causes = CauseDistribution::certain(if possible { cause } else { Cause::Unknown });
    Posterior { causes, likeliest: cause, open, came, evidence }
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
pub fn silence_between(
    flow: Flow,
    known: PhaseSet,
    losses: &Losses,
    table: &FlowTable,
    shared_fate: f32,
) -> ByStop {
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

/// The silence before each phase that does not lie behind: those at which a login can still have stopped.
pub fn open(passed: PhaseSet, silence: &ByStop) -> ByStop {
    let mut open = *silence;
    for phase in Phase::ALL.iter().filter(|phase| passed.has(**phase)) {
        open[phase.index()] = 0.0;
    }
    open
}

/// For each cause, the probability of what was heard, and not heard, of the phases.
pub fn came_so_far(open: &ByStop, table: &FlowTable) -> ByCause {
    // The order of these sums is part of the tables: they are fitted to them, to the last bit.
    let mut sums = [ByCause::all(0.0); 4];
    for (stop, (open, halts)) in open.iter().zip(&table.halts).enumerate() {
        if *open > 0.0 {
            by_cause::add(&mut sums[stop % 4], halts, *open);
        }
    }
    let [mut came, others @ ..] = sums;
    others.iter().for_each(|other| by_cause::add(&mut came, other, 1.0));
    came
}

#[cfg(test)]
mod tests;
