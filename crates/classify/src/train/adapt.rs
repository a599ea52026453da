//! Priors from journeys without labels, by expectation maximisation: each journey's posterior under the priors
//! as they stand is its share of each cause, and the mean of all shares is the next prior.
//!
//! The old priors count as much as [`BELIEF`] journeys, so that a few journeys change little, and a cause that
//! was never seen does not vanish; and as much as a [`SHARE`] of the journeys at hand, however many they are, for
//! causes whose journeys look alike drift apart otherwise.

use authstitch_model::{Cause, Completeness, Flow, Journey};

use super::Provenance;
use crate::by_cause::ByCause;
use crate::tables::{Prior, Tables};

/// So many journeys the old priors are worth.
const BELIEF: f64 = 50.0;
/// And such a share of the journeys at hand.
const SHARE: f64 = 0.15;
/// Rounds after which it ends in any case.
const ROUNDS: usize = 500;
/// The greatest change of a share below which a round is the last one.
const ENOUGH: f64 = 1e-6;

/// What a journey says of each cause, under the priors of the tables that judged it.
#[derive(Clone, Debug)]
pub struct Unlabelled {
    flow: Flow,
    shares: [f32; Cause::COUNT],
}

impl Unlabelled {
    /// Judges a journey; `None` for one that was cut off.
    #[must_use]
    pub fn new(journey: &Journey, completeness: &Completeness, tables: &Tables) -> Option<Self> {
        let verdict = crate::classify(journey, completeness, tables);
        let shares = Cause::ALL.iter().map(|cause| (*cause, verdict.causes.of(*cause)));
        (!verdict.unfinished).then(|| Self::of(journey.flow, shares))
    }

    /// What a verdict that was kept said; a cause that is missing had no share.
    pub fn of(flow: Flow, causes: impl IntoIterator<Item = (Cause, f32)>) -> Self {
        let mut shares = [0.0; Cause::COUNT];
        for (cause, share) in causes {
            shares[cause.index()] = share;
        }
        Self { flow, shares }
    }
}

/// The same tables with the priors that explain these journeys best. `tables` are those that judged them.
#[must_use]
pub fn adapt(tables: &Tables, journeys: &[Unlabelled], provenance: Provenance) -> Tables {
    let mut adapted = tables.clone();
    for flow in Flow::ALL {
        let of_flow: Vec<_> = journeys.iter().filter(|journey| journey.flow == *flow).collect();
        let old = tables.of(*flow).prior.shares.map(f64::from);
        adapted.flows[flow.index()].prior =
            Prior::new(ByCause(prior(&old, &of_flow).map(|share| ((share * 1e6).round() / 1e6) as f32)));
    }
    let Provenance { version, made_by, fingerprint } = provenance;
    (adapted.version, adapted.made_by, adapted.fingerprint) = (version, made_by, fingerprint);
    adapted
}

fn prior(old: &[f64; Cause::COUNT], journeys: &[&Unlabelled]) -> [f64; Cause::COUNT] {
    let belief = BELIEF + SHARE * journeys.len() as f64;
    let mut prior = *old;
    for _ in 0..ROUNDS {
        let mut counts = old.map(|share| belief * share);
        for journey in journeys {
            let mut shares = [0.0; Cause::COUNT];
            for (nth, share) in shares.iter_mut().enumerate().filter(|(nth, _)| old[*nth] > 0.0) {
                *share = f64::from(journey.shares[nth]) * prior[nth] / old[nth];
            }
            let sum: f64 = shares.iter().sum();
            if sum > 0.0 {
                counts.iter_mut().zip(shares).for_each(|(count, share)| *count += share / sum);
            }
        }
        let sum: f64 = counts.iter().sum();
        let next = counts.map(|count| count / sum);
        let change = next.iter().zip(prior).map(|(next, prior)| (next - prior).abs()).fold(0.0, f64::max);
        prior = next;
        if change < ENOUGH {
            break;
        }
    }
    prior
}
