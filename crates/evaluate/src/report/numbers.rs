//! Tables of scores.

use crate::case::{Observer, Weighed};
use crate::mean::Mean;
use crate::scorecard::Scorecard;
use crate::scores::{self, Scores};
use crate::suite::{GROUPS, Suite, with_error};
use crate::tally;
use crate::text::{ROWS, Unit, shown, thousands};

use super::draw::table;

/// Every score, beside both ceilings, where no session was seen, and the rules without a model.
pub(super) fn scores(card: &Scorecard) -> String {
    let mut columns = vec![("no session seen", &card.no_session_seen)];
    columns.extend(card.ideal_blind.as_ref().map(|scores| ("ideal, blind", scores)));
    columns.extend(card.ideal.as_ref().map(|scores| ("ideal", scores)));
    let mut head = vec!["score", "all"];
    head.extend(columns.iter().map(|(name, _)| *name));
    let mut rows: Vec<Vec<String>> = ROWS
        .iter()
        .map(|(name, unit, score)| {
            let all = with_error(score(&card.scores), score(&card.standard_errors.scores), *unit);
            let rest = columns.iter().map(|(_, scores)| shown(score(scores), *unit));
            [(*name).to_owned(), all].into_iter().chain(rest).collect()
        })
        .collect();
    let errors = &card.standard_errors;
    let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    let share = |score, error| with_error(score, error, Unit::Share);
    row("no outcome displayed", share(card.undetermined_share, errors.undetermined_share));
    row(
        "cause right by the last step",
        share(card.baselines.last_step_top1, errors.baselines.last_step_top1),
    );
    row(
        "cause right by the commonest",
        share(card.baselines.most_frequent_top1, errors.baselines.most_frequent_top1),
    );
    row("journeys exact", share(card.stitching.exact, errors.exact));
    row("exact, where keys connect them", share(card.stitching.exact_connected, errors.exact_connected));
    row("journeys of two attempts", thousands(card.stitching.over_merged));
    row("phases that claim too much", thousands(card.honesty_violations));
    table("Scores, with standard errors", &head, &rows)
}

/// A row for each part of the attempts.
pub(super) fn parts<'a>(
    caption: &str,
    parts: impl Iterator<Item = (&'a str, &'a Vec<Weighed<'a>>)>,
) -> String {
    let rows: Vec<_> = parts
        .map(|(name, cases)| {
            let here = scores::measure(cases, Observer::Classifier);
            let blind = tally::ceiling(cases, Observer::IdealBlind);
            let ideal = tally::ceiling(cases, Observer::Ideal);
            let beside = |mean: &Mean, unit| with_error(mean.value, mean.error, unit);
            let at = |scores: &Option<Scores<Mean>>, score: fn(&Scores<Mean>) -> &Mean| {
                shown(scores.as_ref().and_then(|scores| score(scores).value), Unit::Share)
            };
            vec![
                name.to_owned(),
                thousands(cases.len()),
                beside(&here.outcome_accuracy, Unit::Share),
                at(&blind, |scores| &scores.outcome_accuracy),
                at(&ideal, |scores| &scores.outcome_accuracy),
                beside(&here.cause_top1, Unit::Share),
                at(&blind, |scores| &scores.cause_top1),
                at(&ideal, |scores| &scores.cause_top1),
                beside(&here.credible_size, Unit::Plain),
                beside(&here.ece, Unit::Plain),
            ]
        })
        .collect();
    let head = ["", "attempts", "outcome", "blind", "ideal", "cause", "blind", "ideal", "set size", "ECE"];
    table(caption, &head, &rows)
}

/// A row for each world.
pub(super) fn suite(suite: &Suite) -> String {
    let columns = || GROUPS.iter().flat_map(|(_, columns)| *columns);
    let row = |name: &str, card: &Scorecard| {
        [name.to_owned()].into_iter().chain(columns().map(|column| (column.cell)(card))).collect::<Vec<_>>()
    };
    let mut rows = vec![row("the mixture together", &suite.pooled)];
    rows.extend(suite.members.iter().map(|(member, card)| match member.share {
        Some(share) => row(&format!("{} ({:.0} %)", card.world, share * 100.0), card),
        None => row(&format!("{} (outside)", card.world), card),
    }));
    let head: Vec<_> = std::iter::once("world").chain(columns().map(|column| column.long)).collect();
    table("Worlds side by side, with standard errors", &head, &rows)
}
