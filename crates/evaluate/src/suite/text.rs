//! A suite for people: one table, a row for each world, folded where the page is too narrow for its columns.

use std::fmt::Write;

use super::Suite;
use crate::scorecard::Scorecard;
use crate::scores::Scores;
use crate::text::{Unit, shown, thousands};

/// Columns of a world's name, and of each score.
const NAME: usize = 28;
const CELL: usize = 13;

/// A score of every world.
pub(crate) struct Column {
    /// Its title under its group's.
    title: &'static str,
    /// Its title by itself.
    pub long: &'static str,
    /// What stands in it.
    pub cell: fn(&Scorecard) -> String,
}

const fn column(title: &'static str, long: &'static str, cell: fn(&Scorecard) -> String) -> Column {
    Column { title, long, cell }
}

/// Columns that stay together, under their theme.
pub(crate) const GROUPS: &[(&str, &[Column])] = &[
    (
        "Outcomes",
        &[
            column("scored", "scored", |card| thousands(card.scored)),
            column("right", "outcome right", |card| {
                beside(card, |scores| scores.outcome_accuracy, Unit::Share)
            }),
            column("of blind", "share of ideal, blind", |card| {
                of_blind(card, |scores| scores.outcome_accuracy)
            }),
            column("ideal", "ideal outcome", |card| ideal(card, |scores| scores.outcome_accuracy)),
        ],
    ),
    (
        "Causes",
        &[
            column("right", "cause right", |card| beside(card, |scores| scores.cause_top1, Unit::Share)),
            column("of blind", "share of ideal, blind", |card| of_blind(card, |scores| scores.cause_top1)),
            column("ideal", "ideal cause", |card| ideal(card, |scores| scores.cause_top1)),
        ],
    ),
    (
        "Credible sets",
        &[
            column("randomised", "randomised coverage", |card| {
                beside(card, |scores| scores.credible_coverage_randomised, Unit::Share)
            }),
            column("plain", "plain coverage", |card| shown(card.scores.credible_coverage, Unit::Share)),
            column("mass", "mass of the set", |card| shown(card.scores.credible_mass, Unit::Share)),
            column("causes", "causes in the set", |card| {
                beside(card, |scores| scores.credible_size, Unit::Plain)
            }),
        ],
    ),
    (
        "Calibration, confusion",
        &[
            column("error", "calibration error", |card| shown(card.scores.ece, Unit::Plain)),
            column("left→tech.", "abandoned, called technical", |card| {
                beside(card, |scores| scores.abandoned_called_technical, Unit::Share)
            }),
            column("tech.→left", "technical, called abandoned", |card| {
                beside(card, |scores| scores.technical_called_abandoned, Unit::Share)
            }),
        ],
    ),
    (
        "Beside ideal, blind",
        &[
            column("set size", "size of the set, share of ideal, blind", |card| {
                of_blind(card, |scores| scores.credible_size)
            }),
            column("confused", "confused, abandoned and technical", |card| {
                shown(confused(&card.scores), Unit::Share)
            }),
            column("by blind", "confused by ideal, blind", |card| {
                shown(card.ideal_blind.as_ref().and_then(confused), Unit::Share)
            }),
        ],
    ),
    (
        "Stitching, honesty",
        &[
            column("exact", "exact, where keys connect", |card| {
                with_error(card.stitching.exact_connected, card.standard_errors.exact_connected, Unit::Share)
            }),
            column("two in one", "journeys of two attempts", |card| thousands(card.stitching.over_merged)),
            column("overclaims", "phases that claim too much", |card| thousands(card.honesty_violations)),
        ],
    ),
    (
        "Causes by rule",
        &[
            column("last step", "cause by the last step", |card| {
                let error = card.standard_errors.baselines.last_step_top1;
                with_error(card.baselines.last_step_top1, error, Unit::Share)
            }),
            column("commonest", "cause by the commonest", |card| {
                let error = card.standard_errors.baselines.most_frequent_top1;
                with_error(card.baselines.most_frequent_top1, error, Unit::Share)
            }),
        ],
    ),
];

fn beside(card: &Scorecard, score: fn(&Scores) -> Option<f64>, unit: Unit) -> String {
    with_error(score(&card.scores), score(&card.standard_errors.scores), unit)
}

/// A score with its standard error, as `83.3 ±0.4 %`.
pub(crate) fn with_error(score: Option<f64>, error: Option<f64>, unit: Unit) -> String {
    match (score, error, unit) {
        (Some(score), Some(error), Unit::Share) => format!("{:.1} ±{:.1} %", score * 100.0, error * 100.0),
        (Some(score), Some(error), Unit::Plain) => format!("{score:.3} ±{error:.3}"),
        _ => shown(score, unit),
    }
}

fn of_blind(card: &Scorecard, score: fn(&Scores) -> Option<f64>) -> String {
    let reachable = card.ideal_blind.as_ref().and_then(score).filter(|reachable| *reachable > 0.0);
    let share = score(&card.scores).zip(reachable).map(|(score, reachable)| score / reachable);
    shown(share, Unit::Share)
}

/// Both confusions of abandonment and technical failure.
fn confused(scores: &Scores) -> Option<f64> {
    Some(scores.abandoned_called_technical? + scores.technical_called_abandoned?)
}

fn ideal(card: &Scorecard, score: fn(&Scores) -> Option<f64>) -> String {
    shown(card.ideal.as_ref().and_then(score), Unit::Share)
}

impl Suite {
    /// The suite as text, at most `width` columns wide where its narrowest part fits, with or without terminal
    /// colours.
    #[must_use]
    pub fn to_text(&self, width: usize, colour: bool) -> String {
        let mut text = String::new();
        let mut rest = GROUPS;
        while !rest.is_empty() {
            let (mut together, mut used) = (0, NAME);
            while let Some((_, columns)) = rest.get(together)
                && (together == 0 || used + columns.len() * CELL <= width)
            {
                used += columns.len() * CELL;
                together += 1;
            }
            if !text.is_empty() {
                text.push('\n');
            }
            self.block(&mut text, &rest[..together], colour);
            rest = &rest[together..];
        }
        text
    }

    fn block(&self, text: &mut String, groups: &[(&str, &[Column])], colour: bool) {
        let paint = |code: &str, line: &str| {
            if colour { format!("\x1b[{code}m{line}\x1b[0m") } else { line.to_owned() }
        };
        let mut line = format!("{:<NAME$}", "Worlds");
        for (theme, columns) in groups {
            let _ = write!(line, "  {theme:<width$}", width = columns.len() * CELL - 2);
        }
        let _ = writeln!(text, "{}", paint("1", line.trim_end()));
        let columns: Vec<_> = groups.iter().flat_map(|(_, columns)| *columns).collect();
        let titles: String = columns.iter().map(|column| format!("{:>CELL$}", column.title)).collect();
        let _ = writeln!(text, "{}", paint("2", &format!("{:<NAME$}{titles}", "")));
        let row = |name: &str, card: &Scorecard| {
            let cells: String =
                columns.iter().map(|column| format!("{:>CELL$}", (column.cell)(card))).collect();
            format!("  {name:<width$}{cells}\n", width = NAME - 2)
        };
        let (inside, outside): (Vec<_>, Vec<_>) =
            self.members.iter().partition(|(member, _)| member.share.is_some());
        text.extend(inside.iter().map(|(_, card)| row(&card.world, card)));
        text.push_str(&row("the mixture together", &self.pooled));
        if !outside.is_empty() {
            let _ = writeln!(text, "{}", paint("2", "  outside the mixture"));
        }
        text.extend(outside.iter().map(|(_, card)| row(&card.world, card)));
    }
}
