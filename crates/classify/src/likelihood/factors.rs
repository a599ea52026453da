//! What multiplies the odds of each cause, value by value.

use authstitch_model::Evidence;

use super::{Excess, product};
use crate::by_cause::{self, ByCause};
use crate::evidence::Features;
use crate::feature::{Known, Observation};
use crate::hard;
use crate::tables::{Row, Weights};

/// Where more than one limit may have been in force: the factors of a ceremony's length, by the shares of its values.
pub fn mixed(features: &Features, weights: &Weights) -> Option<Row> {
    let shares = features.elapsed.as_ref()?;
    let possible = || Observation::Elapsed.values().zip(shares).filter(|(_, share)| **share > 0.0);
    possible().nth(1)?;
    let mut odds = ByCause::all(0.0);
    for (known, share) in possible() {
        by_cause::add(&mut odds, &weights.row(known).odds, *share);
    }
    Some(Row { odds, reach: product::ROOM, cited: Some(Evidence::Elapsed), absent: None })
}

/// The values that say something.
pub struct Factors<'a> {
    excess: Excess,
    /// What each cause has before: nothing where it is excluded.
    left: &'a ByCause,
    /// As what the distance covered is cited.
    stage: Evidence,
    rows: [&'a Row; Observation::COUNT],
    odds: [&'a ByCause; Observation::COUNT],
    count: usize,
}

impl<'a> Factors<'a> {
    /// Those of a journey.
    pub fn of(
        features: &Features,
        weights: &'a Weights,
        elapsed: Option<&'a Row>,
        excess: Excess,
        left: &'a ByCause,
    ) -> Self {
        let nothing = weights.row(Known { about: Observation::Stage, value: 0 });
        let mut factors = Self {
            excess,
            left,
            stage: hard::stage(features),
            rows: [nothing; Observation::COUNT],
            odds: [left; Observation::COUNT],
            count: 0,
        };
        for known in features.values.known() {
            let row = match elapsed {
                Some(mixed) if known.about == Observation::Elapsed => mixed,
                _ => weights.row(known),
            };
            if row.reach > 0.0 {
                factors.rows[factors.count] = row;
                factors.odds[factors.count] = &row.odds;
                factors.count += 1;
            }
        }
        factors
    }

    /// Hands over all factors, and by how many nats those that go together move a cause at most.
    pub fn each(&self, mut then: impl FnMut(&[&ByCause], f32)) {
        self.runs(|_, _| true, |_, odds, reach| then(odds, reach));
    }

    /// The same by what they are cited as: neighbours that are cited alike go together.
    pub fn each_cited(&self, mut then: impl FnMut(Evidence, &[&ByCause], f32)) {
        let cited = |row: &Row| row.cited.unwrap_or(self.stage);
        self.runs(|one, other| cited(one) == cited(other), |row, odds, reach| then(cited(row), odds, reach));
    }

    #[inline]
    fn runs(&self, together: impl Fn(&Row, &Row) -> bool, mut then: impl FnMut(&Row, &[&ByCause], f32)) {
        let none_in_excess = self.excess.is_none();
        let (mut rows, mut odds) = (&self.rows[..self.count], &self.odds[..self.count]);
        while let [first, others @ ..] = rows {
            let mut reach = first.reach;
            let mut end = 1;
            for row in others {
                if !together(first, row) || reach + row.reach > product::ROOM {
                    break;
                }
                reach += row.reach;
                end += 1;
            }
            if none_in_excess {
                then(first, &odds[..end], reach);
            } else {
                rows[..end].iter().for_each(|row| self.weaker(row, &mut then));
            }
            (rows, odds) = (&rows[end..], &odds[end..]);
        }
    }

    /// Hands over the factors of one value: of an absence, less what a loss in excess may explain.
    fn weaker(&self, row: &Row, then: &mut impl FnMut(&Row, &[&ByCause], f32)) {
        let excess = row.absent.map_or(0.0, |reporter| self.excess.reporter(reporter));
        if excess == 0.0 {
            return then(row, &[&row.odds], row.reach);
        }
        let mut possible = row.odds;
        for (odds, left) in possible.iter_mut().zip(&**self.left) {
            *odds = if *left > 0.0 { *odds } else { 0.0 };
        }
        let scale = 1.0 / by_cause::maximum(&possible).max(f32::MIN_POSITIVE);
        let mut weaker = row.odds;
        for odds in &mut *weaker {
            let share = *odds * scale;
            *odds = excess + (1.0 - excess) * if share < 1.0 { share } else { 1.0 };
        }
        then(row, &[&weaker], product::ROOM);
    }
}
