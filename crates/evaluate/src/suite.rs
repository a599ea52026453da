//! Many worlds side by side: those of the training mixture one by one and together, and those outside of it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::assessment::{Assessment, pooled};
use crate::scorecard::Scorecard;
use crate::tally;

mod text;

pub(crate) use text::{GROUPS, with_error};

#[cfg(test)]
mod tests;

/// One world of a suite.
#[derive(Clone, Debug)]
pub struct Member {
    /// What was made of its attempts.
    pub assessment: Assessment,
    /// Its share of the training mixture; `None` outside of it.
    pub share: Option<f64>,
}

/// Worlds scored one by one, and those of the mixture together.
#[derive(Clone, Debug)]
pub struct Suite {
    pub(crate) members: Vec<(Member, Scorecard)>,
    pub(crate) pooled: Scorecard,
}

impl Suite {
    /// Scores worlds, in this order but for those of the mixture, which come first.
    #[must_use]
    pub fn new(mut members: Vec<Member>) -> Self {
        members.sort_by_key(|member| member.share.is_none());
        let pooled = pooled(&mixture(members.iter()));
        let card = |member: Member| {
            let card = tally::fill(&member.assessment.alone());
            (member, card)
        };
        Self { members: members.into_iter().map(card).collect(), pooled }
    }

    /// The worlds of the mixture with their shares.
    pub(crate) fn mixture(&self) -> Vec<(f64, &Assessment)> {
        mixture(self.members.iter().map(|(member, _)| member))
    }
}

fn mixture<'a>(members: impl Iterator<Item = &'a Member>) -> Vec<(f64, &'a Assessment)> {
    members.filter_map(|member| Some((member.share?, &member.assessment))).collect()
}

/// A scorecard, and whether its world is part of the mixture.
#[derive(Serialize)]
struct Placed<'a> {
    in_mixture: bool,
    #[serde(flatten)]
    card: &'a Scorecard,
}

/// `{"pooled": scorecard, "worlds": {name: scorecard with "in_mixture"}}`.
impl Serialize for Suite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            pooled: &'a Scorecard,
            worlds: BTreeMap<&'a str, Placed<'a>>,
        }
        let worlds = self
            .members
            .iter()
            .map(|(member, card)| (card.world.as_str(), Placed { in_mixture: member.share.is_some(), card }));
        Shape { pooled: &self.pooled, worlds: worlds.collect() }.serialize(serializer)
    }
}
