//! From features to a probability for each cause.
//!
//! 1. Each cause begins with its prior.
//! 2. The rulings of [`crate::hard`] exclude causes; a decisive one that leaves a single cause ends the matter.
//! 3. Silence: for each phase at which a cause can stop, the probability that no event of the phases before it
//!    arrived though they were passed. It is the emission of each phase less the loss of the side that reports
//!    it. Losses of one side come together: after one event was probably lost, the next is likelier lost, too.
//! 4. Each feature's value multiplies by its likelihood. A value that is an absence has, beside its own
//!    likelihood, the loss times the rest.
//! 5. A journey that was cut off says nothing by its silence.
//! 6. A side that a sampler may have dropped is silent with the sampler's share, unless it was heard of: a
//!    sampler keeps or drops a trace as a whole.
//! 7. With passkeys the phone never reports to the relying party, and its silence says nothing.

use authstitch_model::verdict::{CauseDistribution, Weighed};
use authstitch_model::{Cause, Completeness, Evidence, Flow, Phase, Side, caps as model_caps, phases};

use crate::by_cause::{self, ByCause, greatest, sum};
use crate::caps;
use crate::evidence::Features;
use crate::feature::{Feature, Reporter};
use crate::hard;
use crate::phase_set::PhaseSet;
use crate::tables::{FlowTable, Tables};

/// Prior, rulings, silence, and one for each feature.
const FACTORS: usize = 1 + hard::RULINGS + 1 + Feature::COUNT;

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
    /// What each factor is cited as, and the product up to and with it.
    products: [(Evidence, ByCause); FACTORS],
}

/// Weighs everything.
pub fn weigh(features: &Features, completeness: &Completeness, tables: &Tables) -> Posterior {
    let table = tables.of(features.flow);
    let losses = Losses::of(features, completeness);
    let silence = silence(features.flow, features.known, &losses, table, tables.shared_fate);

    let mut factors = Factors::from_prior(&table.prior);
    let mut decided = false;
    let rulings = hard::rulings(features);
    for ruling in rulings.iter().flatten() {
        let mut left = [0.0; Cause::COUNT];
        for cause in ruling.left.iter() {
            left[cause.index()] = 1.0;
        }
        decided = ruling.left.iter().nth(1).is_none();
        factors.multiply(ruling.evidence, &left);
    }
    if !decided {
        let decisive = rulings[1..].iter().all(Option::is_none);
        if !decisive {
            factors.multiply(hard::stage(features), &came_so_far(features.passed, &silence, table));
        }
        for (feature, value) in features.values.known() {
            let line = likelihood(features, table, &losses, feature, value);
            factors.multiply(feature.evidence(value), &line);
        }
    }
    let likeliest = greatest(factors.product());
    let causes = CauseDistribution::from_weights(*factors.product());
    Posterior { causes, likeliest, silence, evidence: factors.heaviest(likeliest) }
}

/// The probability that an event of each kind does not arrive.
struct Losses {
    sides: [f32; Side::COUNT],
    leaving_page: f32,
}

impl Losses {
    fn of(features: &Features, completeness: &Completeness) -> Self {
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

    const fn reporter(&self, reporter: Reporter) -> f32 {
        match reporter {
            Reporter::Side(side) => self.sides[side.index()],
            Reporter::LeavingPage => self.leaving_page,
        }
    }
}

/// Who reports that a phase of a flow was reached.
const fn reporter(flow: Flow, phase: Phase) -> Side {
    match (flow, phase) {
        (_, Phase::Started | Phase::Verified) => Side::Server,
        (Flow::PasskeyCda, Phase::Confirmed) => Side::Initiator,
        (_, Phase::Presented | Phase::Returned | Phase::Established) => Side::Initiator,
        (_, Phase::Scanned | Phase::Opened | Phase::Proximity | Phase::Prompted | Phase::Confirmed) => {
            Side::Authenticator
        }
    }
}

/// The probability that nothing was heard of the phases between the furthest known one and each other.
fn silence(
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
fn came_so_far(passed: PhaseSet, silence: &[f32; Phase::COUNT + 1], table: &FlowTable) -> ByCause {
    let mut heard = [0.0; Cause::COUNT];
    for phase in Phase::ALL.iter().filter(|phase| !passed.has(**phase)) {
        by_cause::add(&mut heard, &table.halts[phase.index()], silence[phase.index()]);
    }
    heard[Cause::None.index()] = silence[Phase::COUNT];
    heard
}

fn likelihood(
    features: &Features,
    table: &FlowTable,
    losses: &Losses,
    feature: Feature,
    value: usize,
) -> ByCause {
    if let (Feature::Elapsed, Some(shares)) = (feature, &features.elapsed) {
        let mut mixed = [0.0; Cause::COUNT];
        for (value, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            by_cause::add(&mut mixed, table.likelihood(feature, value), *share);
        }
        return mixed;
    }
    let mut line = *table.likelihood(feature, value);
    if let Some(reporter) = feature.absence().filter(|_| feature.is_absence(value)) {
        let loss = losses.reporter(reporter);
        for share in &mut line {
            *share += loss * (1.0 - *share);
        }
    }
    line
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
        self.products[self.count] = (evidence, product);
        self.count += 1;
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
