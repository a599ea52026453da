//! How well events became journeys.

use std::collections::BTreeMap;
use std::iter::repeat_n;

use serde::Serialize;

use crate::case::Weighed;
use crate::matching::{Event, Matching, Strength};
use crate::mean::{Mean, f1, ratio};

#[cfg(test)]
mod tests;

/// The scores of stitching. Those over pairs and events are taken over the events of scored attempts; an event
/// in no journey counts as a journey of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stitching {
    /// Share of scored attempts whose journey holds exactly their surviving events.
    pub exact: Option<f64>,
    /// The same among attempts whose surviving events hang together by strong keys.
    pub exact_connected: Option<f64>,
    /// Of the pairs of events in one journey, the share that is of one attempt.
    pub pairwise_precision: Option<f64>,
    /// Of the pairs of events of one attempt, the share that is in one journey.
    pub pairwise_recall: Option<f64>,
    /// Their harmonic mean.
    pub pairwise_f1: Option<f64>,
    /// The harmonic mean of precision and recall, each taken for every event and averaged over events.
    pub bcubed_f1: Option<f64>,
    /// How many journeys hold events with strong keys of two attempts or more.
    pub over_merged: usize,
    /// How many scored attempts have events with strong keys in two journeys or more.
    pub over_split: usize,
    /// Of the events with weak keys only, the share that is in another attempt's journey. One that is in no
    /// journey is not misjoined.
    pub weak_misjoined: Option<f64>,
}

/// What is counted of one world's stitching, beside what its cases say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pairs: Pairs,
    over_merged: usize,
    over_split: usize,
    /// Events with weak keys only.
    pub weak: usize,
    /// Those of them in another attempt's journey.
    misjoined: usize,
}

impl Counted {
    pub(crate) fn of(matching: &Matching<'_>) -> Self {
        let weak = || matching.events.iter().filter(|event| event.strength == Strength::Weak);
        Self {
            pairs: Pairs::count(matching),
            over_merged: over_merged(matching),
            over_split: over_split(matching),
            weak: weak().count(),
            misjoined: weak().filter(|event| is_misjoined(matching, event)).count(),
        }
    }
}

/// The scores, and the standard errors of those that are shares of attempts or events.
pub(crate) struct Measured {
    pub scores: Stitching,
    pub exact_error: Option<f64>,
    pub exact_connected_error: Option<f64>,
    pub weak_misjoined_error: Option<f64>,
    /// How many cases hang together.
    pub connected: usize,
    /// How many events carry weak keys only.
    pub weak: usize,
}

/// Scores worlds together. Journeys and attempts are counted; pairs and events weigh as their attempts do.
pub(crate) fn measure(worlds: &[(f64, Counted)], cases: &[Weighed<'_>]) -> Measured {
    let exact = |cases: &mut dyn Iterator<Item = &Weighed<'_>>| {
        Mean::share(cases.map(|weighed| (weighed.weight, weighed.case.exact)))
    };
    let connected = || cases.iter().filter(|weighed| weighed.case.connected);
    let (all_exact, exact_connected) = (exact(&mut cases.iter()), exact(&mut connected()));
    let weak_misjoined = Mean::share(worlds.iter().flat_map(|(weight, counted)| {
        let rest = counted.weak - counted.misjoined;
        repeat_n((*weight, true), counted.misjoined).chain(repeat_n((*weight, false), rest))
    }));
    let mut pairs = Pairs::default();
    worlds.iter().for_each(|(weight, counted)| pairs.add(*weight, &counted.pairs));
    let precision = ratio(pairs.right, pairs.in_journeys);
    let recall = ratio(pairs.right, pairs.in_attempts);
    let sum = |count: fn(&Counted) -> usize| worlds.iter().map(|(_, counted)| count(counted)).sum();
    Measured {
        scores: Stitching {
            exact: all_exact.value,
            exact_connected: exact_connected.value,
            pairwise_precision: precision,
            pairwise_recall: recall,
            pairwise_f1: f1(precision, recall),
            bcubed_f1: f1(
                ratio(pairs.event_precision, pairs.events),
                ratio(pairs.event_recall, pairs.events),
            ),
            over_merged: sum(|counted| counted.over_merged),
            over_split: sum(|counted| counted.over_split),
            weak_misjoined: weak_misjoined.value,
        },
        exact_error: all_exact.error,
        exact_connected_error: exact_connected.error,
        weak_misjoined_error: weak_misjoined.error,
        connected: connected().count(),
        weak: sum(|counted| counted.weak),
    }
}

fn is_misjoined(matching: &Matching<'_>, event: &Event) -> bool {
    event.journey.is_some_and(|journey| matching.journeys[journey].attempt != Some(event.attempt))
}

/// What the scores over pairs and events are made of.
#[derive(Clone, Copy, Debug, Default)]
struct Pairs {
    /// Pairs of one attempt in one journey.
    right: f64,
    /// Pairs in one journey.
    in_journeys: f64,
    /// Pairs of one attempt.
    in_attempts: f64,
    /// Events.
    events: f64,
    /// For every event the share of its journey that is of its attempt, summed.
    event_precision: f64,
    /// For every event the share of its attempt that is in its journey, summed.
    event_recall: f64,
}

impl Pairs {
    fn count(matching: &Matching<'_>) -> Self {
        let counted = || matching.events.iter().filter(|event| matching.attempts[event.attempt].scored);
        let mut journey_sizes = vec![0.0; matching.journeys.len()];
        for event in counted() {
            if let Some(journey) = event.journey {
                journey_sizes[journey] += 1.0;
            }
        }
        let mut pairs =
            Self { in_journeys: journey_sizes.iter().map(|size| two_of(*size)).sum(), ..Self::default() };
        for attempt in matching.scored() {
            let size = attempt.events.len() as f64;
            pairs.events += size;
            pairs.in_attempts += two_of(size);
            let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
            for event in matching.events_of(attempt) {
                match event.journey {
                    Some(journey) => *shared.entry(journey).or_default() += 1.0,
                    None => {
                        pairs.event_precision += 1.0;
                        pairs.event_recall += 1.0 / size;
                    }
                }
            }
            for (journey, shared) in shared {
                pairs.right += two_of(shared);
                pairs.event_precision += shared * shared / journey_sizes[journey];
                pairs.event_recall += shared * shared / size;
            }
        }
        pairs
    }

    /// Adds those of another world, which count so much.
    fn add(&mut self, weight: f64, other: &Self) {
        self.right += weight * other.right;
        self.in_journeys += weight * other.in_journeys;
        self.in_attempts += weight * other.in_attempts;
        self.events += weight * other.events;
        self.event_precision += weight * other.event_precision;
        self.event_recall += weight * other.event_recall;
    }
}

/// How many pairs there are among so many.
fn two_of(count: f64) -> f64 {
    count * (count - 1.0) / 2.0
}

fn over_merged(matching: &Matching<'_>) -> usize {
    let mut attempts: Vec<Vec<usize>> = vec![Vec::new(); matching.journeys.len()];
    for event in matching.events.iter().filter(|event| event.strength == Strength::Strong) {
        if let Some(journey) = event.journey
            && !attempts[journey].contains(&event.attempt)
        {
            attempts[journey].push(event.attempt);
        }
    }
    attempts.iter().filter(|attempts| attempts.len() > 1).count()
}

fn over_split(matching: &Matching<'_>) -> usize {
    let is_split = |events: &[Event]| {
        let mut journeys = events
            .iter()
            .filter(|event| event.strength == Strength::Strong)
            .filter_map(|event| event.journey);
        journeys.next().is_some_and(|first| journeys.any(|journey| journey != first))
    };
    matching.scored().filter(|attempt| is_split(matching.events_of(attempt))).count()
}
