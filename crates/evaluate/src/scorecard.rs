//! The scorecard: what is on it, and how it is filled.

use std::collections::BTreeMap;

use authstitch_model::line::{CauseShare, JourneyLine};
use authstitch_model::truth::TruthLine;
use authstitch_model::{Flow, Outcome};
use serde::Serialize;

use crate::case::Case;
use crate::matching::Matching;
use crate::mean::Mean;
use crate::relay::{self, Relay};
use crate::scores::{self, Scores};
use crate::stitching::{self, Stitching};
use crate::{baseline, honesty};

#[cfg(test)]
mod tests;

/// What is scored, for the heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The world.
    pub world: String,
    /// Its seed, where one is known.
    pub seed: Option<u64>,
}

/// Every score of one run. Its JSON is a contract: keys are added, never renamed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scorecard {
    /// The world.
    pub world: String,
    /// Its seed.
    pub seed: Option<u64>,
    /// Attempts that were made.
    pub attempts: usize,
    /// Journeys that stand.
    pub journeys: usize,
    /// Events that survived.
    pub spans: usize,
    /// How well events became journeys.
    pub stitching: Stitching,
    /// How good the verdicts are, over all scored attempts.
    #[serde(flatten)]
    pub scores: Scores,
    /// Share of scored attempts whose journey displays no outcome.
    pub undetermined_share: Option<f64>,
    /// Phases, over all journeys, that say more than was seen.
    pub honesty_violations: usize,
    /// How well relayed logins are told.
    pub relay: Relay,
    /// Attempts that are scored.
    pub scored: usize,
    /// How good the verdicts are where no session was seen.
    pub no_session_seen: Scores,
    /// How good an observer is who knows the world, where every scored attempt says so.
    pub ideal: Option<Scores>,
    /// How good an observer is who knows the training mixture, where every scored attempt says so.
    pub ideal_blind: Option<Scores>,
    /// What rules without a model reach.
    pub baselines: Baselines,
    /// How good the verdicts are for each flow, by the flow that the attempt really was.
    pub by_flow: BTreeMap<Flow, Scores>,
    /// How many attempts or events the parts are taken over.
    pub populations: Populations,
    /// The standard errors of the main scores.
    pub standard_errors: StandardErrors,
}

/// Shares of attempts whose cause a rule without a model finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Baselines {
    /// The cause that comes to mind at the last step seen.
    pub last_step_top1: Option<f64>,
    /// The cause that is most frequent.
    pub most_frequent_top1: Option<f64>,
}

/// How many attempts or events the parts are taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Populations {
    /// Scored attempts whose surviving events hang together by strong keys.
    pub connected: usize,
    /// Surviving events with weak keys only.
    pub weak_events: usize,
    /// Scored attempts in whose journey no session was seen.
    pub no_session_seen: usize,
    /// Scored attempts of each flow.
    pub by_flow: BTreeMap<Flow, usize>,
}

/// Standard errors, under the names of their scores; attempts are taken as independent. `null` where none is
/// computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StandardErrors {
    /// Of `stitching.exact`.
    pub exact: Option<f64>,
    /// Of `stitching.exact_connected`.
    pub exact_connected: Option<f64>,
    /// Of `stitching.weak_misjoined`.
    pub weak_misjoined: Option<f64>,
    /// Of the scores over all scored attempts.
    #[serde(flatten)]
    pub scores: Scores,
    /// Of `undetermined_share`.
    pub undetermined_share: Option<f64>,
    /// Of the scores where no session was seen.
    pub no_session_seen: Scores,
    /// Of the ideal observer's scores.
    pub ideal: Option<Scores>,
    /// Of the blind ideal observer's scores.
    pub ideal_blind: Option<Scores>,
    /// Of the baselines.
    pub baselines: Baselines,
}

/// Scores journeys against the truth. The order of neither list matters.
#[must_use]
pub fn score(meta: Meta, truth: &[TruthLine], journeys: &[JourneyLine]) -> Scorecard {
    let matching = Matching::new(truth, journeys);
    let stitching = stitching::measure(&matching);
    let cases: Vec<_> =
        matching.scored().map(|attempt| Case::judged(attempt.truth, matching.journey_of(attempt))).collect();
    let everything: Vec<_> = cases.iter().collect();
    let unseen: Vec<_> = cases.iter().filter(|case| !case.session_seen()).collect();
    let flows: BTreeMap<Flow, Vec<_>> = Flow::ALL
        .iter()
        .map(|flow| (*flow, cases.iter().filter(|case| case.truth.flow == *flow).collect::<Vec<_>>()))
        .filter(|(_, cases)| !cases.is_empty())
        .collect();
    let all = scores::measure(&everything);
    let no_session_seen = scores::measure(&unseen);
    let ideal = ceiling(&cases, |truth| truth.ideal.as_deref());
    let ideal_blind = ceiling(&cases, |truth| truth.ideal_blind.as_deref());
    let undetermined = Mean::share(
        cases.iter().map(|case| case.journey.is_some_and(|line| line.outcome == Outcome::Undetermined)),
    );
    let last_step = baseline::last_step_top1(&everything);
    let most_frequent = baseline::most_frequent_top1(&everything);
    Scorecard {
        world: meta.world,
        seed: meta.seed,
        attempts: matching.attempts.len(),
        journeys: matching.journeys.len(),
        spans: matching.events.len(),
        stitching: stitching.scores,
        scores: all.map(value),
        undetermined_share: undetermined.value,
        honesty_violations: matching.journeys.iter().map(|held| honesty::violations(held.line)).sum(),
        relay: relay::measure(&everything),
        scored: cases.len(),
        no_session_seen: no_session_seen.map(value),
        ideal: ideal.map(|scores| scores.map(value)),
        ideal_blind: ideal_blind.map(|scores| scores.map(value)),
        baselines: Baselines { last_step_top1: last_step.value, most_frequent_top1: most_frequent.value },
        by_flow: flows.iter().map(|(flow, cases)| (*flow, scores::measure(cases).map(value))).collect(),
        populations: Populations {
            connected: stitching.connected,
            weak_events: stitching.weak,
            no_session_seen: unseen.len(),
            by_flow: flows.iter().map(|(flow, cases)| (*flow, cases.len())).collect(),
        },
        standard_errors: StandardErrors {
            exact: stitching.exact_error,
            exact_connected: stitching.exact_connected_error,
            weak_misjoined: stitching.weak_misjoined_error,
            scores: all.map(error),
            undetermined_share: undetermined.error,
            no_session_seen: no_session_seen.map(error),
            ideal: ideal.map(|scores| scores.map(error)),
            ideal_blind: ideal_blind.map(|scores| scores.map(error)),
            baselines: Baselines { last_step_top1: last_step.error, most_frequent_top1: most_frequent.error },
        },
    }
}

const fn value(mean: &Mean) -> Option<f64> {
    mean.value
}

const fn error(mean: &Mean) -> Option<f64> {
    mean.error
}

/// The scores of an observer whose posterior stands in the truth; `None` unless it stands in every line.
fn ceiling(cases: &[Case<'_>], posterior: fn(&TruthLine) -> Option<&[CauseShare]>) -> Option<Scores<Mean>> {
    let observed: Option<Vec<_>> =
        cases.iter().map(|case| Some(case.observed(posterior(case.truth)?))).collect();
    observed.filter(|cases| !cases.is_empty()).map(|cases| scores::measure(&cases.iter().collect::<Vec<_>>()))
}
