//! One world's attempts, matched and ready to be scored, alone or together with other worlds.
//!
//! Attempt numbers and journey ids come again from world to world, so each world is matched by itself. Where
//! worlds are pooled, an attempt weighs its world's share of the mixture, divided by how many attempts that
//! world made: the pool is a sample of the mixture, however many attempts were made of each world. Counts are
//! plain sums.

use std::sync::Arc;

use authstitch_model::line::JourneyLine;
use authstitch_model::truth::TruthLine;

use crate::case::{Case, Weighed};
use crate::honesty;
use crate::matching::Matching;
use crate::scorecard::{Meta, Scorecard};
use crate::stitching::Counted;
use crate::tally;

#[cfg(test)]
mod tests;

/// One world: what was made of its attempts.
#[derive(Clone, Debug)]
pub struct Assessment {
    pub(crate) meta: Meta,
    pub(crate) attempts: usize,
    pub(crate) journeys: usize,
    pub(crate) spans: usize,
    pub(crate) honesty_violations: usize,
    pub(crate) stitching: Counted,
    pub(crate) cases: Vec<Case>,
}

/// Worlds that are scored together, each with what one of its attempts weighs.
#[derive(Clone, Debug)]
pub(crate) struct Pool<'a> {
    pub meta: Meta,
    pub worlds: Vec<(f64, &'a Assessment)>,
}

impl Assessment {
    /// Matches journeys with the truth of one world. The order of neither list matters.
    #[must_use]
    pub fn new(meta: Meta, truth: &[TruthLine], journeys: &[JourneyLine]) -> Self {
        let matching = Matching::new(truth, journeys);
        let case = |attempt| {
            let journey = matching.journey_of(attempt);
            Case::new(attempt.truth, journey, matching.is_exact(attempt), attempt.connected)
        };
        Self {
            meta,
            attempts: matching.attempts.len(),
            journeys: matching.journeys.len(),
            spans: matching.events.len(),
            honesty_violations: matching.journeys.iter().map(|held| honesty::violations(held.line)).sum(),
            stitching: Counted::of(&matching),
            cases: matching.scored().map(case).collect(),
        }
    }

    /// Every score of this world.
    #[must_use]
    pub fn scorecard(&self) -> Scorecard {
        tally::fill(&self.alone())
    }

    pub(crate) fn alone(&self) -> Pool<'_> {
        Pool { meta: self.meta.clone(), worlds: vec![(1.0, self)] }
    }
}

/// Every score of several worlds together, each with its share of the mixture.
#[must_use]
pub fn pooled(worlds: &[(f64, &Assessment)]) -> Scorecard {
    tally::fill(&Pool::mixed(worlds))
}

impl<'a> Pool<'a> {
    /// Worlds with their shares of the mixture. The seed is told where all have the same.
    pub(crate) fn mixed(worlds: &[(f64, &'a Assessment)]) -> Self {
        let mut seeds = worlds.iter().map(|(_, world)| world.meta.seed);
        let seed = seeds.next().flatten().filter(|first| seeds.all(|seed| seed == Some(*first)));
        let weight = |share: f64, world: &Assessment| share / world.attempts.max(1) as f64;
        Self {
            meta: Meta { world: "pooled".into(), seed },
            worlds: worlds.iter().map(|(share, world)| (weight(*share, world), *world)).collect(),
        }
    }

    /// Every case of every world. A world without a share has no say.
    pub(crate) fn cases(&self) -> Vec<Weighed<'a>> {
        let with_share = self.worlds.iter().filter(|(weight, _)| *weight > 0.0);
        with_share
            .flat_map(|(weight, world)| world.cases.iter().map(|case| Weighed { weight: *weight, case }))
            .collect()
    }

    /// A sum over worlds.
    pub(crate) fn sum(&self, count: fn(&Assessment) -> usize) -> usize {
        self.worlds.iter().map(|(_, world)| count(world)).sum()
    }

    /// The cases by segment, under `world/segment` where there are several worlds.
    pub(crate) fn by_segment(&self) -> std::collections::BTreeMap<String, Vec<Weighed<'a>>> {
        let mut segments = std::collections::BTreeMap::<(&str, &Arc<str>), Vec<_>>::new();
        for (weight, world) in self.worlds.iter().filter(|(weight, _)| *weight > 0.0) {
            for case in &world.cases {
                let key = (world.meta.world.as_str(), &case.segment);
                segments.entry(key).or_default().push(Weighed { weight: *weight, case });
            }
        }
        let alone = self.worlds.len() == 1;
        let name = |world: &str, segment: &str| {
            if alone { segment.to_owned() } else { format!("{world}/{segment}") }
        };
        segments.into_iter().map(|((world, segment), cases)| (name(world, segment), cases)).collect()
    }
}
