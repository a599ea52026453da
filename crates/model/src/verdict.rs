//! A verdict: what the classifier says of a journey.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::caps;
use crate::time::UnixNanos;
use crate::vocabulary::{Basis, Cause, EndAct, Evidence, Outcome, Phase, Transport};

/// The smallest mass of causes that a credible set holds.
pub const CREDIBLE_MASS: f32 = 0.9;

/// The probability from which on a cause or an outcome is displayed.
pub const DISPLAYED: f32 = 0.5;

/// What became of a journey, in which phase and why. It is plain data without allocations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The probability of each cause; they sum to one.
    pub causes: CauseDistribution,
    /// The flow's phases, by [`Phase::index`]; `None` where the flow has no such phase.
    pub phases: [Option<PhaseVerdict>; Phase::COUNT],
    /// How a passkey ceremony reached its authenticator; `None` in other flows.
    pub transport: Option<TransportVerdict>,
    /// The act that ended it.
    pub end_act: EndAct,
    /// Mishaps that were overcome.
    pub hiccups: CauseSet,
    /// Signs of consent phishing by a relayed code.
    pub relay_suspected: bool,
    /// The journey was cut off before anything ended it: its probabilities say how such logins go on, and
    /// nothing is displayed of what has not happened.
    pub unfinished: bool,
    /// What moved the verdict most, heaviest first.
    pub evidence: [Option<Weighed>; caps::EVIDENCE_SHOWN],
}

/// A probability for every cause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CauseDistribution([f32; Cause::COUNT]);

/// A set of causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseSet(u32);

const _: () = assert!(Cause::COUNT <= 32, "CauseSet holds 32 causes");

/// What is known of one phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseVerdict {
    /// The probability that it was reached.
    pub reached: f32,
    /// How we know.
    pub basis: Basis,
    /// When, by the common clock, where an event says so.
    pub at: Option<UnixNanos>,
    /// Whether the flow can succeed without it (a QR code in `magic_link`, hidden steps of a linked phone).
    pub required: bool,
}

/// How a passkey ceremony reached its authenticator, and how we know.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransportVerdict {
    /// The likeliest.
    pub value: Transport,
    /// Its probability.
    pub probability: f32,
    /// How we know.
    pub basis: Basis,
}

/// A piece of evidence with its weight, in nats: how much it moved the displayed cause against the rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighed {
    /// What it was.
    pub evidence: Evidence,
    /// Positive speaks for the likeliest cause.
    pub weight: f32,
}

impl CauseDistribution {
    /// Normalises non-negative weights; all weight on `unknown` where nothing is left.
    #[must_use]
    #[inline]
    pub fn from_weights(mut weights: [f32; Cause::COUNT]) -> Self {
        // Sums side by side are what a processor adds at once.
        let mut sums = [0.0; 8];
        for weights in weights.chunks(sums.len()) {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        }
        let sum: f32 = sums.iter().sum();
        if sum.is_finite() && sum > 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        } else {
            weights = [0.0; Cause::COUNT];
            weights[Cause::Unknown.index()] = 1.0;
        }
        Self(weights)
    }

    /// All on one cause.
    #[must_use]
    pub const fn certain(cause: Cause) -> Self {
        let mut shares = [0.0; Cause::COUNT];
        shares[cause.index()] = 1.0;
        Self(shares)
    }

    /// The probabilities, by [`Cause::index`].
    #[must_use]
    pub const fn shares(&self) -> &[f32; Cause::COUNT] {
        &self.0
    }

    /// The probability of a cause.
    #[must_use]
    pub const fn of(&self, cause: Cause) -> f32 {
        self.0[cause.index()]
    }

    /// The probability of an outcome: the sum over its causes.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> f32 {
        Cause::ALL.iter().filter(|cause| cause.outcome() == outcome).map(|cause| self.of(*cause)).sum()
    }

    /// The likeliest cause.
    #[must_use]
    pub fn likeliest(&self) -> Cause {
        self.ranked()[0].0
    }

    /// Every cause with its probability, likeliest first; equal ones in the order of the vocabulary.
    #[must_use]
    pub fn ranked(&self) -> [(Cause, f32); Cause::COUNT] {
        let mut ranked = [(Cause::None, 0.0); Cause::COUNT];
        for (place, cause) in ranked.iter_mut().zip(Cause::ALL) {
            *place = (*cause, self.of(*cause));
        }
        ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked
    }

    /// The smallest set of causes that holds at least [`CREDIBLE_MASS`].
    #[must_use]
    pub fn credible_set(&self) -> CauseSet {
        let mut set = CauseSet::default();
        let mut mass = 0.0;
        for (cause, probability) in self.ranked() {
            set = set.with(cause);
            mass += probability;
            if mass >= CREDIBLE_MASS {
                break;
            }
        }
        set
    }
}

/// As the causes that have a probability, and these: most have none.
impl Serialize for CauseDistribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let possible = Cause::ALL.iter().filter(|cause| self.of(**cause) != 0.0);
        let set = possible.clone().fold(CauseSet::default(), |set, cause| set.with(*cause));
        (set, possible.map(|cause| self.of(*cause)).collect::<Vec<_>>()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CauseDistribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (set, shares) = <(CauseSet, Vec<f32>)>::deserialize(deserializer)?;
        let mut causes = [0.0; Cause::COUNT];
        set.iter().zip(shares).for_each(|(cause, share)| causes[cause.index()] = share);
        Ok(Self(causes))
    }
}

impl CauseSet {
    /// The set of these causes.
    #[must_use]
    pub const fn of(causes: &[Cause]) -> Self {
        let mut set = Self(0);
        let mut next = 0;
        while next < causes.len() {
            set = set.with(causes[next]);
            next += 1;
        }
        set
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets have a cause in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Its cause, where it holds a single one.
    #[must_use]
    pub const fn only(self) -> Option<Cause> {
        if self.0.count_ones() == 1 { Some(Cause::ALL[self.0.trailing_zeros() as usize]) } else { None }
    }

    /// This set and a cause.
    #[must_use]
    pub const fn with(self, cause: Cause) -> Self {
        Self(self.0 | 1 << cause.index())
    }

    /// Whether the set holds a cause.
    #[must_use]
    pub const fn has(self, cause: Cause) -> bool {
        self.0 & 1 << cause.index() != 0
    }

    /// The causes of the set, in the order of the vocabulary.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL.iter().copied().filter(move |cause| self.has(*cause))
    }
}

impl Verdict {
    /// The displayed outcome: `undetermined` where none reaches [`DISPLAYED`], and for an unfinished journey.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.unfinished {
            return Outcome::Undetermined;
        }
        let displayed =
            Outcome::ALL.iter().copied().find(|outcome| self.causes.outcome(*outcome) >= DISPLAYED);
        displayed.unwrap_or(Outcome::Undetermined)
    }

    /// The displayed cause: `None` where no cause reaches [`DISPLAYED`], for success and for an unfinished journey.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        let cause = self.causes.likeliest();
        (!self.unfinished && cause != Cause::None && self.causes.of(cause) >= DISPLAYED).then_some(cause)
    }

    /// The first required phase whose probability of being reached is below [`DISPLAYED`].
    #[must_use]
    pub fn failing_phase(&self) -> Option<Phase> {
        Phase::ALL.iter().copied().find(|phase| {
            self.phases[phase.index()].is_some_and(|verdict| verdict.required && verdict.reached < DISPLAYED)
        })
    }

    /// The likeliest cause of the displayed outcome, or where none is displayed the likeliest other than
    /// success, whose remedy is worth testing; `None` for a displayed success and an unfinished journey.
    #[must_use]
    pub fn cause_to_act_on(&self) -> Option<Cause> {
        let displayed = self.outcome();
        if self.unfinished || displayed == Outcome::Succeeded {
            return None;
        }
        let fits = |cause: &Cause| displayed == Outcome::Undetermined || cause.outcome() == displayed;
        let ranked = self.causes.ranked();
        ranked.iter().map(|(cause, _)| *cause).filter(|cause| *cause != Cause::None).find(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(shares: &[(Cause, f32)]) -> CauseDistribution {
        let mut weights = [0.0; Cause::COUNT];
        for (cause, share) in shares {
            weights[cause.index()] = *share;
        }
        CauseDistribution::from_weights(weights)
    }

    #[test]
    fn the_credible_set_is_the_smallest_with_nine_tenths() {
        let causes = distribution(&[
            (Cause::ProximityFailed, 0.61),
            (Cause::WalkedAway, 0.30),
            (Cause::NoCredential, 0.09),
        ]);
        let set: Vec<_> = causes.credible_set().iter().collect();
        assert_eq!(set, [Cause::ProximityFailed, Cause::WalkedAway]);
    }

    #[test]
    fn a_set_knows_its_only_cause_and_what_it_shares() {
        let two = CauseSet::of(&[Cause::Declined, Cause::ScanFailed]);
        let one = CauseSet::of(&[Cause::Declined]);
        assert_eq!((two.only(), one.only()), (None, Some(Cause::Declined)));
        assert!(two.meets(one) && !one.meets(CauseSet::of(&[Cause::ScanFailed])));
        assert_eq!(one.and(CauseSet::of(&[Cause::ScanFailed])), two);
    }

    #[test]
    fn no_weight_at_all_is_unknown() {
        assert_eq!(distribution(&[]).likeliest(), Cause::Unknown);
    }
}
