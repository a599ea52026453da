//! What a person sees after a demo: outcomes, causes with remedies, one journey explained, the scorecard.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use authstitch_model::line::JourneyLine;
use authstitch_model::remedy::remedy;
use authstitch_model::{Basis, Cause, Outcome};

use super::Found;
use crate::output::{Paint, Style, bar, grouped, heading, percent, timeline, wrapped};
use crate::{args, caps};

const BAR_WIDTH: usize = 34;

/// The whole page.
pub fn page(args: &args::Demo, found: &Found, style: Style) -> String {
    let mut page = String::new();
    let title = format!(
        "authstitch demo · {} · {} attempts · seed {}",
        args.world,
        grouped(args.attempts),
        args.seed
    );
    let _ = writeln!(page, "{}", style.paint(Paint::Strong, &title));
    page.push_str(&indented(&found.sent.to_string(), style));
    let judged =
        format!("{} journeys judged, {:.1} s in all", grouped(found.journeys.len() as u64), found.elapsed_s);
    let _ = writeln!(page, "  {}", style.paint(Paint::Faint, &judged));
    outcomes(&mut page, &found.journeys, style);
    causes(&mut page, &found.journeys, style);
    if let Some(line) = one_to_explain(&found.journeys) {
        page.push_str(&heading(style, "One journey explained"));
        page.push_str(&timeline(line, style));
    }
    page.push('\n');
    page.push_str(&found.scorecard.to_text(style.width(), style.has_colour()));
    page
}

fn indented(text: &str, style: Style) -> String {
    text.lines().map(|line| format!("  {}\n", style.paint(Paint::Faint, line))).collect()
}

fn outcomes(page: &mut String, journeys: &[JourneyLine], style: Style) {
    page.push_str(&heading(style, "Outcomes"));
    for outcome in Outcome::ALL {
        let count = journeys.iter().filter(|line| line.outcome == *outcome).count();
        let share = count as f64 / journeys.len().max(1) as f64;
        let name = outcome.code().replace('_', " ");
        let paint = match outcome {
            Outcome::Succeeded => Paint::Good,
            Outcome::TechnicalFailure => Paint::Bad,
            Outcome::UserAbandoned | Outcome::UserDeclined => Paint::Person,
            Outcome::Undetermined => Paint::Faint,
        };
        let row = format!(
            "  {name:<18} {:>8}  {} {}",
            grouped(count as u64),
            percent(share),
            style.paint(paint, &bar(share, BAR_WIDTH))
        );
        let _ = writeln!(page, "{}", row.trim_end());
    }
}

fn causes(page: &mut String, journeys: &[JourneyLine], style: Style) {
    let ranked = ranked_causes(journeys);
    page.push_str(&heading(style, "Top causes, and what to try first"));
    for (cause, count) in ranked.iter().take(caps::CAUSES_SHOWN) {
        let share = *count as f64 / journeys.len().max(1) as f64;
        let name = style.paint(Paint::Strong, &format!("{:<26}", cause.code()));
        let _ = writeln!(page, "  {name} {:>8}  {}", grouped(*count as u64), percent(share));
        if let Some(remedy) = remedy(*cause) {
            page.push_str(&wrapped(remedy, style.width(), 4));
        }
    }
}

/// The displayed causes, most frequent first.
fn ranked_causes(journeys: &[JourneyLine]) -> Vec<(Cause, usize)> {
    let mut counts = BTreeMap::new();
    for cause in journeys.iter().filter_map(|line| line.cause) {
        *counts.entry(cause).or_insert(0) += 1;
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_by_key(|(cause, count)| (std::cmp::Reverse(*count), *cause));
    ranked
}

/// A journey worth showing: a technical failure whose cause has a name, with something seen on every side,
/// something only inferred and more than one cause in question; of those the one with most events, then the earliest.
fn one_to_explain(journeys: &[JourneyLine]) -> Option<&JourneyLine> {
    let failed =
        journeys.iter().filter(|line| line.outcome == Outcome::TechnicalFailure && line.cause.is_some());
    failed.max_by_key(|line| {
        let named = line.cause != Some(Cause::Unknown);
        let sides = line.spans.iter().map(|span| span.side).collect::<BTreeSet<_>>().len();
        let inferred = line.phases.iter().any(|phase| phase.basis == Basis::Inferred && phase.reached > 0.1);
        let in_question = line.causes.iter().filter(|share| share.probability >= 0.02).count() > 1;
        (named, sides, inferred, in_question, line.spans.len().min(9), std::cmp::Reverse(line.journey_id))
    })
}
