//! What somebody says of an attempt: a probability for each cause and each outcome, and a credible set.

use authstitch_model::line::{CauseShare, JourneyLine};
use authstitch_model::{Cause, Outcome};

use crate::caps;

/// A forecast that can be scored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forecast {
    causes: [f64; Cause::COUNT],
    outcomes: [f64; Outcome::COUNT],
    /// Without repetition, the last-admitted cause last.
    set: Vec<Cause>,
}

impl Forecast {
    /// What a journey line says; `None` if it gives no cause a probability. A line without outcomes means the
    /// sums of its causes.
    pub(crate) fn of_line(line: &JourneyLine) -> Option<Self> {
        let causes = normalised(&line.causes)?;
        let mut outcomes = [0.0; Outcome::COUNT];
        for share in &line.outcomes {
            outcomes[share.outcome.index()] += share.probability.clamp(0.0, 1.0);
        }
        if line.outcomes.is_empty() {
            outcomes = sums(&causes);
        }
        let mut set: Vec<Cause> = Vec::with_capacity(line.credible_set.len());
        for cause in &line.credible_set {
            if !set.contains(cause) {
                set.push(*cause);
            }
        }
        Some(Self { causes, outcomes, set })
    }

    /// What a posterior over causes says: outcomes are its sums, and the set is the smallest that holds
    /// [`caps::CREDIBLE_MASS`].
    pub(crate) fn of_posterior(shares: &[CauseShare]) -> Option<Self> {
        let causes = normalised(shares)?;
        let outcomes = sums(&causes);
        let mut ranked = Cause::ALL.to_vec();
        ranked.sort_by(|a, b| causes[b.index()].total_cmp(&causes[a.index()]));
        let mut mass = 0.0;
        let mut set = Vec::new();
        for cause in ranked {
            set.push(cause);
            mass += causes[cause.index()];
            // The sum of ten tenths is not quite one.
            if mass >= caps::CREDIBLE_MASS - 1e-12 {
                break;
            }
        }
        Some(Self { causes, outcomes, set })
    }

    /// The probability of a cause.
    pub(crate) const fn of(&self, cause: Cause) -> f64 {
        self.causes[cause.index()]
    }

    /// The likeliest cause, forced; of equal ones the first of the vocabulary.
    pub(crate) fn cause(&self) -> Cause {
        Cause::ALL[likeliest(&self.causes)]
    }

    /// The likeliest outcome, forced; of equal ones the first of the vocabulary.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::ALL[likeliest(&self.outcomes)]
    }

    /// How many causes the set holds.
    pub(crate) const fn set_size(&self) -> usize {
        self.set.len()
    }

    /// The probability of the set.
    pub(crate) fn set_mass(&self) -> f64 {
        self.set.iter().map(|member| self.of(*member)).sum::<f64>().min(1.0)
    }

    /// Whether the set holds a cause.
    pub(crate) fn covers(&self, cause: Cause) -> bool {
        self.set.contains(&cause)
    }

    /// Coverage that does not reward a set for being larger than it has to be.
    ///
    /// A cause outside the set counts 0, inside 1; the last-admitted one counts the share of its probability
    /// that was needed to reach [`caps::CREDIBLE_MASS`]. For a calibrated forecast the mean is that mass.
    pub(crate) fn covers_randomised(&self, cause: Cause) -> f64 {
        let mass = self.set_mass();
        let probability = self.of(cause);
        match self.set.last() {
            _ if !self.covers(cause) => 0.0,
            Some(last) if *last == cause && probability > 0.0 => {
                (1.0 - (mass - caps::CREDIBLE_MASS) / probability).clamp(0.0, 1.0)
            }
            _ => 1.0,
        }
    }

    /// The Brier score over all causes: 0 for certain and right, 2 for certain and wrong.
    pub(crate) fn brier(&self, truth: Cause) -> f64 {
        Cause::ALL.iter().map(|cause| (self.of(*cause) - f64::from(*cause == truth)).powi(2)).sum()
    }

    /// The log loss in nats.
    pub(crate) fn log_loss(&self, truth: Cause) -> f64 {
        log_loss(self.of(truth))
    }
}

/// The log loss of having given the truth this probability.
pub(crate) fn log_loss(probability: f64) -> f64 {
    -probability.clamp(caps::SMALLEST_PROBABILITY, 1.0).ln()
}

/// The probabilities by cause, brought to a sum of one: lines are rounded and leave the smallest out.
fn normalised(shares: &[CauseShare]) -> Option<[f64; Cause::COUNT]> {
    let mut causes = [0.0; Cause::COUNT];
    for share in shares {
        causes[share.cause.index()] += share.probability.clamp(0.0, 1.0);
    }
    let sum: f64 = causes.iter().sum();
    (sum.is_finite() && sum > 0.0).then(|| causes.map(|probability| probability / sum))
}

/// The probability of each outcome: the sum over its causes.
fn sums(causes: &[f64; Cause::COUNT]) -> [f64; Outcome::COUNT] {
    let mut outcomes = [0.0; Outcome::COUNT];
    for cause in Cause::ALL {
        outcomes[cause.outcome().index()] += causes[cause.index()];
    }
    outcomes
}

fn likeliest(probabilities: &[f64]) -> usize {
    let mut best = 0;
    for (index, probability) in probabilities.iter().enumerate() {
        if *probability > probabilities[best] {
            best = index;
        }
    }
    best
}
