//! The scorecard: what is on it, and how it is filled.

use std::collections::BTreeMap;

use authstitch_model::Flow;
use authstitch_model::line::JourneyLine;
use authstitch_model::truth::TruthLine;
use serde::Serialize;

use crate::assessment::Assessment;
use crate::relay::Relay;
use crate::scores::Scores;
use crate::stitching::Stitching;

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
    /// How good the verdicts are for each segment of the population; where worlds are pooled, under
    /// `world/segment`.
    pub by_segment: BTreeMap<String, Scores>,
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
    /// Scored attempts of each segment.
    pub by_segment: BTreeMap<String, usize>,
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
    Assessment::new(meta, truth, journeys).scorecard()
}
