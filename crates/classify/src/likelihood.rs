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

use authstitch_model::verdict::{CauseDistribution, CauseSet, Weighed};
use authstitch_model::{Cause, Completeness, Evidence, Flow, Phase, Side, caps as model_caps, phases};

use crate::by_cause::{self, ByCause, add, greatest, sum};
use crate::caps;
use crate::citation::cite;
use crate::evidence::{Features, reporter};
use crate::feature::{Known, Observation, Reporter};
use crate::hard;
use crate::phase_set::PhaseSet;
use crate::tables::{FlowTable, Tables};

/// Prior, rulings, silence, and one for each observation.
const FACTORS: usize = 1 + hard::RULINGS + 1 + Observation::COUNT;

/// The probability of each cause, and what led to it.
pub struct Posterior {
    /// The probabilities.
    pub causes: CauseDistribution,
    /// The likeliest cause.
    pub likeliest: Cause,
    /// The probability that nothing was heard of the phases from the furthest known one up to, but without,
    /// each phase; the last entry is for the whole flow.
    pub silence: [f32; Phase::COUNT + 1],
    /// What moved it most.
    pub evidence: [Option<Weighed>; model_caps::EVIDENCE_SHOWN],
}

/// The factors of one journey multiplied, in the order in which their evidence is weighed.
struct Factors {
    count: usize,
    /// What factors are cited as, and the product up to and with them; neighbours of one kind stand together.
    products: [(Evidence, ByCause); FACTORS],
}

/// Weighs everything.
pub fn weigh(features: &Features, losses: &Losses, tables: &Tables) -> Posterior {
    let table = tables.of(features.flow);
    let silence = silence(features.flow, features.known, losses, table, tables.shared_fate);
    let rulings = hard::rulings(features);

    let mut factors = Factors::from_prior(&table.prior);
    for ruling in rulings.iter().flatten() {
        factors.multiply(ruling.evidence, &as_factor(ruling.left));
    }
    if !hard::is_final(&rulings) {
        if !hard::is_decisive(&rulings) {
            factors.multiply(hard::stage(features), &came_so_far(features.passed, &silence, table));
        }
        let excess = Excess::of(features, losses, &Losses::of(features, &tables.fitted_at));
        for known in features.values.known() {
            factors.weigh(features, table, &excess, known);
        }
    }
    let likeliest = greatest(factors.product());
    let causes = CauseDistribution::from_weights(*factors.product());
    Posterior { causes, likeliest, silence, evidence: factors.heaviest(likeliest) }
}

/// The factor that leaves these causes.
fn as_factor(left: CauseSet) -> ByCause {
    let mut factor = [0.0; Cause::COUNT];
    for cause in left.iter() {
        factor[cause.index()] = 1.0;
    }
    factor
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
}

/// The probability that nothing was heard of the phases between the furthest known one and each other.
pub fn silence(
    flow: Flow,
    known: PhaseSet,
    losses: &Losses,
    table: &FlowTable,
    shared_fate: f32,
) -> [f32; Phase::COUNT + 1] {
    let mut silence = [1.0; Phase::COUNT + 1];
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
    silence[Phase::COUNT] = nothing_heard;
    silence
}

/// For each cause the probability of what was heard, and not heard, of the phases.
pub fn came_so_far(passed: PhaseSet, silence: &[f32; Phase::COUNT + 1], table: &FlowTable) -> ByCause {
    let mut heard = [0.0; Cause::COUNT];
    for phase in Phase::ALL.iter().filter(|phase| !passed.has(**phase)) {
        add(&mut heard, &table.halts[phase.index()], silence[phase.index()]);
    }
    heard[Cause::None.index()] = silence[Phase::COUNT];
    heard
}

impl Factors {
    fn from_prior(prior: &ByCause) -> Self {
        Self { count: 1, products: [(Evidence::Prior, *prior); FACTORS] }
    }

    fn product(&self) -> &ByCause {
        &self.products[self.count - 1].1
    }

    /// A product that grows small is scaled up: many small factors would vanish otherwise. Odds do not change.
    fn multiply(&mut self, evidence: Evidence, factor: &ByCause) {
        const SMALL: f32 = 1e-9;
        let mut product = *self.product();
        by_cause::multiply(&mut product, factor);
        let sum = sum(&product);
        if sum > 0.0 && sum < SMALL {
            let scale = 1.0 / sum;
            product.iter_mut().for_each(|product| *product *= scale);
        }
        if self.products[self.count - 1].0 != evidence {
            self.count += 1;
        }
        self.products[self.count - 1] = (evidence, product);
    }

    /// Multiplies the odds by the weights of a value.
    fn weigh(&mut self, features: &Features, table: &FlowTable, excess: &Excess, known: Known) {
        if let (Observation::Elapsed, Some(shares)) = (known.about, &features.elapsed)
            && shares.iter().all(|share| *share < 1.0)
        {
            let mut mixed = [0.0; Cause::COUNT];
            for (known, share) in known.about.values().zip(shares).filter(|(_, share)| **share > 0.0) {
                add(&mut mixed, table.odds(known).unwrap_or(&[1.0; Cause::COUNT]), *share);
            }
            return self.multiply(Evidence::Elapsed, &mixed);
        }
        let Some(odds) = table.odds(known) else { return };
        let excess = known.absent().map_or(0.0, |reporter| excess.reporter(reporter));
        if excess == 0.0 {
            return self.multiply(cite(features, known), odds);
        }
        let possible = odds.iter().zip(self.product()).filter(|(_, left)| **left > 0.0);
        let best = possible.map(|(odds, _)| *odds).fold(f32::MIN_POSITIVE, f32::max);
        let mut weaker = *odds;
        for odds in &mut weaker {
            *odds = excess + (1.0 - excess) * (*odds / best).min(1.0);
        }
        self.multiply(cite(features, known), &weaker);
    }

    /// The evidence that moved the log odds of a cause most. The weights of all evidence, shown or not, add up
    /// to its log odds, within their bound.
    fn heaviest(&self, cause: Cause) -> [Option<Weighed>; model_caps::EVIDENCE_SHOWN] {
        let mut weights = [0.0_f32; Evidence::COUNT];
        let mut before = 0.0;
        for (evidence, product) in &self.products[..self.count] {
            let after = log_odds(product, cause);
            weights[evidence.index()] += after - before;
            before = after;
        }
        let mut heaviest = [None; model_caps::EVIDENCE_SHOWN];
        for place in &mut heaviest {
            let mut best: Option<(Evidence, f32)> = None;
            for (evidence, weight) in Evidence::ALL.iter().zip(weights) {
                if weight.abs() > best.map_or(caps::SHOWN_WEIGHT_NATS, |(_, weight)| weight.abs()) {
                    best = Some((*evidence, weight));
                }
            }
            let Some((evidence, weight)) = best else { break };
            *place = Some(Weighed { evidence, weight });
            weights[evidence.index()] = 0.0;
        }
        heaviest
    }
}

fn log_odds(weights: &ByCause, cause: Cause) -> f32 {
    let mut rest = *weights;
    let own = std::mem::replace(&mut rest[cause.index()], 0.0);
    let rest = sum(&rest);
    if own == 0.0 && rest == 0.0 {
        return 0.0;
    }
    (own / rest).ln().clamp(-caps::WEIGHT_NATS, caps::WEIGHT_NATS)
}

#[cfg(test)]
mod tests;
