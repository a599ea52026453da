//! Fills a scorecard.

use std::collections::BTreeMap;

use authstitch_model::Flow;

use crate::assessment::Pool;
use crate::baseline;
use crate::case::{Observer, Weighed};
use crate::mean::Mean;
use crate::relay;
use crate::scorecard::{Baselines, Populations, Scorecard, StandardErrors};
use crate::scores::{self, Scores};
use crate::stitching;

/// Every score of a pool of worlds.
pub(crate) fn fill(pool: &Pool<'_>) -> Scorecard {
    let cases = pool.cases();
    let unseen: Vec<_> = cases.iter().filter(|weighed| !weighed.case.session_seen()).copied().collect();
    let (flows, segments) = (by_flow(&cases), pool.by_segment());
    let all = scores::measure(&cases, Observer::Classifier);
    let no_session_seen = scores::measure(&unseen, Observer::Classifier);
    let [ideal, ideal_blind] = [Observer::Ideal, Observer::IdealBlind].map(|who| ceiling(&cases, who));
    let undetermined = Mean::share(cases.iter().map(|Weighed { weight, case }| {
        (*weight, case.shown.as_ref().is_some_and(|shown| shown.undetermined))
    }));
    let last_step = baseline::last_step_top1(&cases);
    let most_frequent = baseline::most_frequent_top1(&cases);
    let worlds: Vec<_> = pool.worlds.iter().map(|(weight, world)| (*weight, world.stitching)).collect();
    let stitching = stitching::measure(&worlds, &cases);
    Scorecard {
        world: pool.meta.world.clone(),
        seed: pool.meta.seed,
        attempts: pool.sum(|world| world.attempts),
        journeys: pool.sum(|world| world.journeys),
        spans: pool.sum(|world| world.spans),
        stitching: stitching.scores,
        scores: all.map(value),
        undetermined_share: undetermined.value,
        honesty_violations: pool.sum(|world| world.honesty_violations),
        relay: relay::measure(&cases),
        scored: cases.len(),
        no_session_seen: no_session_seen.map(value),
        ideal: ideal.map(|scores| scores.map(value)),
        ideal_blind: ideal_blind.map(|scores| scores.map(value)),
        baselines: Baselines { last_step_top1: last_step.value, most_frequent_top1: most_frequent.value },
        by_flow: each(&flows, |cases| scores::measure(cases, Observer::Classifier).map(value)),
        by_segment: each(&segments, |cases| scores::measure(cases, Observer::Classifier).map(value)),
        populations: Populations {
            connected: stitching.connected,
            weak_events: stitching.weak,
            no_session_seen: unseen.len(),
            by_flow: each(&flows, |cases| cases.len()),
            by_segment: each(&segments, |cases| cases.len()),
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

/// Something of each part.
fn each<K: Clone + Ord, T>(
    parts: &BTreeMap<K, Vec<Weighed<'_>>>,
    of: impl Fn(&[Weighed<'_>]) -> T,
) -> BTreeMap<K, T> {
    parts.iter().map(|(key, cases)| (key.clone(), of(cases))).collect()
}

/// The cases by the flow that the attempt really was.
pub(crate) fn by_flow<'a>(cases: &[Weighed<'a>]) -> BTreeMap<Flow, Vec<Weighed<'a>>> {
    let mut flows = BTreeMap::<_, Vec<_>>::new();
    cases.iter().for_each(|weighed| flows.entry(weighed.case.flow).or_default().push(*weighed));
    flows
}

/// The scores of an observer whose posterior stands in the truth; `None` unless it stands in every case.
pub(crate) fn ceiling(cases: &[Weighed<'_>], observer: Observer) -> Option<Scores<Mean>> {
    let complete = !cases.is_empty() && cases.iter().all(|weighed| weighed.case.said(observer).is_some());
    complete.then(|| scores::measure(cases, observer))
}
