//! The scorecard for people: a few tables of numbers, each beside what it means.

use std::fmt::Write;

use crate::caps;
use crate::scorecard::Scorecard;
use crate::scores::Scores;

#[cfg(test)]
mod tests;

impl Scorecard {
    /// The scorecard as text, at most `width` columns wide (at least [`caps::NARROWEST`]), with or without
    /// terminal colours.
    #[must_use]
    pub fn to_text(&self, width: usize, colour: bool) -> String {
        let mut page = Page { text: String::new(), width: width.max(caps::NARROWEST), colour };
        page.heading(self);
        page.verdicts(self);
        page.flows(self);
        page.stitching(self);
        page.comparisons(self);
        page.text
    }
}

/// Columns of a row's name, and of each number beside it.
const NAME: usize = 32;
const NUMBER: usize = 12;

/// How a score is written.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// A share, in percent.
    Share,
    /// A number with three decimals.
    Plain,
}

/// A row of a block of scores: name, unit, score.
pub(crate) type Row = (&'static str, Unit, fn(&Scores) -> Option<f64>);

/// Every score of a block, as people read them.
pub(crate) const ROWS: &[Row] = &[
    ("outcome right", Unit::Share, |scores| scores.outcome_accuracy),
    ("cause right", Unit::Share, |scores| scores.cause_top1),
    ("F1 by cause, averaged", Unit::Share, |scores| scores.cause_macro_f1),
    ("abandoned, called technical", Unit::Share, |scores| scores.abandoned_called_technical),
    ("technical, called abandoned", Unit::Share, |scores| scores.technical_called_abandoned),
    ("credible set holds the cause", Unit::Share, |scores| scores.credible_coverage),
    ("randomised: 90 % if calibrated", Unit::Share, |scores| scores.credible_coverage_randomised),
    ("mass of the credible set", Unit::Share, |scores| scores.credible_mass),
    ("causes in the credible set", Unit::Plain, |scores| scores.credible_size),
    ("calibration error", Unit::Plain, |scores| scores.ece),
    ("Brier score, 0 to 2", Unit::Plain, |scores| scores.brier),
    ("log loss, nats", Unit::Plain, |scores| scores.log_loss),
];

struct Page {
    text: String,
    width: usize,
    colour: bool,
}

impl Page {
    fn heading(&mut self, card: &Scorecard) {
        let seed = card.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        self.title(&format!("Scorecard of {}{seed}", card.world), &[]);
        self.line(&format!(
            "  {} attempts, {} of them scored; {} journeys; {} events",
            thousands(card.attempts),
            thousands(card.scored),
            thousands(card.journeys),
            thousands(card.spans)
        ));
    }

    fn verdicts(&mut self, card: &Scorecard) {
        let errors = &card.standard_errors;
        let mut columns = vec![("all", &card.scores), ("no session", &card.no_session_seen)];
        columns.extend(card.ideal_blind.as_ref().map(|scores| ("ideal blind", scores)));
        columns.extend(card.ideal.as_ref().map(|scores| ("ideal", scores)));
        columns.truncate((self.width - NAME) / NUMBER - 1);
        let mut names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        names.insert(1, "±");
        self.title("Verdicts", &names);
        for (name, unit, score) in ROWS {
            let mut cells: Vec<_> = columns.iter().map(|(_, scores)| shown(score(scores), *unit)).collect();
            cells.insert(1, self.dim(score(&errors.scores).map(|error| shown(Some(error), *unit))));
            self.row(name, &cells);
        }
        let undetermined = shown(card.undetermined_share, Unit::Share);
        let error = self.dim(errors.undetermined_share.map(|error| shown(Some(error), Unit::Share)));
        self.row("no outcome displayed", &[undetermined, error]);
        let violations = self.should_be_none(card.honesty_violations);
        self.row("phases that claim too much", &[violations]);
    }

    fn flows(&mut self, card: &Scorecard) {
        self.title("Flows", &["attempts", "outcome", "cause"]);
        for (flow, scores) in &card.by_flow {
            let attempts = card.populations.by_flow.get(flow).copied().unwrap_or_default();
            let cells = [
                thousands(attempts),
                shown(scores.outcome_accuracy, Unit::Share),
                shown(scores.cause_top1, Unit::Share),
            ];
            self.row(flow.code(), &cells);
        }
    }

    fn stitching(&mut self, card: &Scorecard) {
        let (scores, errors) = (&card.stitching, &card.standard_errors);
        self.title("Stitching", &["all", "±"]);
        for (name, score, error) in [
            ("journeys exact", scores.exact, errors.exact),
            ("exact, where keys connect them", scores.exact_connected, errors.exact_connected),
            ("pairs of events: precision", scores.pairwise_precision, None),
            ("pairs of events: recall", scores.pairwise_recall, None),
            ("pairs of events: F1", scores.pairwise_f1, None),
            ("events: B-cubed F1", scores.bcubed_f1, None),
            ("weak events in a wrong journey", scores.weak_misjoined, errors.weak_misjoined),
        ] {
            let error = self.dim(error.map(|error| shown(Some(error), Unit::Share)));
            self.row(name, &[shown(score, Unit::Share), error]);
        }
        let merged = self.should_be_none(scores.over_merged);
        self.row("journeys of two attempts", &[merged]);
        self.row("attempts in two journeys", &[thousands(scores.over_split)]);
    }

    fn comparisons(&mut self, card: &Scorecard) {
        self.title("Rules without a model", &[]);
        self.row("cause right by the last step", &[shown(card.baselines.last_step_top1, Unit::Share)]);
        self.row("cause right by the commonest", &[shown(card.baselines.most_frequent_top1, Unit::Share)]);
        self.title("Relayed logins", &[]);
        self.row("suspicions that were right", &[shown(card.relay.precision, Unit::Share)]);
        self.row("relayed and suspected", &[shown(card.relay.recall, Unit::Share)]);
        let alarms = card.relay.false_alarms_per_100k.map_or("–".into(), |alarms| format!("{alarms:.0}"));
        self.row("false alarms per 100,000", &[alarms]);
    }

    fn title(&mut self, title: &str, columns: &[&str]) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let space = " ".repeat(NAME.saturating_sub(title.chars().count()));
        let columns: String = columns.iter().map(|column| format!("{column:>NUMBER$}")).collect();
        self.line(&format!("{}{space}{}", self.paint("1", title), self.paint("2", &columns)));
    }

    fn row(&mut self, name: &str, cells: &[String]) {
        let mut line = format!("  {name:<indented$}", indented = NAME - 2);
        for cell in cells {
            let width = visible(cell);
            let _ = write!(line, "{:>pad$}{cell}", "", pad = NUMBER.saturating_sub(width));
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn dim(&self, text: Option<String>) -> String {
        text.map(|text| self.paint("2", &text)).unwrap_or_default()
    }

    /// A count that should be zero: green if it is, red if not.
    fn should_be_none(&self, count: usize) -> String {
        self.paint(if count == 0 { "32" } else { "31" }, &thousands(count))
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !text.trim().is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.into()
        }
    }
}

/// How many columns a cell takes, its colours apart.
pub(crate) fn visible(cell: &str) -> usize {
    let mut in_colour = false;
    cell.chars()
        .filter(|char| {
            let counts = !in_colour && *char != '\x1b';
            in_colour = if in_colour { *char != 'm' } else { *char == '\x1b' };
            counts
        })
        .count()
}

/// A score in its unit; a dash where it is not defined.
pub(crate) fn shown(score: Option<f64>, unit: Unit) -> String {
    match (score, unit) {
        (None, _) => "–".into(),
        (Some(score), Unit::Share) => format!("{:.1} %", score * 100.0),
        (Some(score), Unit::Plain) => format!("{score:.3}"),
    }
}

/// A count with a comma before every three digits.
pub(crate) fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
