//! One journey for a person: what was seen on both sides, what it means, and what is open.

use std::fmt::Write as _;

use authstitch_model::line::{CauseShare, JourneyLine, Known, PhaseLine, SpanLine};
use authstitch_model::{Basis, JoinedBy, Outcome, Side, UnixNanos};

use super::{Paint, Style, bar, seconds, wrapped};

const TIME_WIDTH: usize = 12;
const BAR_WIDTH: usize = 20;
const CAUSES_SHOWN: usize = 6;
/// Below this nobody has to know that times were corrected.
const CLOCK_WORTH_TELLING_MS: u64 = 1000;

/// The two-sided timeline of a journey with phases, causes and evidence, by the vocabulary's codes.
pub fn timeline(line: &JourneyLine, style: Style) -> String {
    let mut page = String::new();
    head(&mut page, line, style);
    events(&mut page, line, style);
    phases(&mut page, line, style);
    causes(&mut page, line, style);
    evidence(&mut page, line, style);
    section(&mut page, style, "explanation");
    page.push_str(&wrapped(&line.explanation, style.width(), 2));
    page
}

fn section(page: &mut String, style: Style, name: &str) {
    let _ = writeln!(page, "\n{}", style.paint(Paint::Strong, name));
}

fn head(page: &mut String, line: &JourneyLine, style: Style) {
    let title = format!("journey {}", line.journey_id);
    let _ = writeln!(page, "{}", style.paint(Paint::Strong, &title));
    let mut verdict = line.outcome.to_string();
    if let Some(cause) = line.cause {
        let _ = write!(verdict, ": {cause}");
    }
    if let Some(phase) = line.failing_phase {
        let _ = write!(verdict, ", stopped before {phase}");
    }
    let _ = writeln!(page, "  {}", style.paint(paint(line.outcome), &verdict));
    let _ = writeln!(
        page,
        "  {} · {} · revision {} · closed as {} · ended {}",
        line.flow, line.realm, line.revision, line.close_reason, line.end_act
    );
    let _ = writeln!(page, "  from {} · {:.3} s", line.started_at, line.duration_ms as f64 / 1000.0);
    for (side, device) in [
        (Side::Initiator, &line.environment.initiator),
        (Side::Authenticator, &line.environment.authenticator),
    ] {
        let known =
            [&device.os, &device.browser, &device.browser_version, &device.device, &device.app_version];
        let known: Vec<_> = known.into_iter().flatten().map(|Known { value, .. }| value.as_str()).collect();
        let known = if known.is_empty() { "not known".to_owned() } else { known.join(" · ") };
        let _ = writeln!(page, "  {side}: {known}");
    }
    let offsets = &line.clock_offset_ms;
    for (side, offset) in [(Side::Initiator, offsets.initiator), (Side::Authenticator, offsets.authenticator)]
    {
        if let Some(offset) = offset.filter(|offset| offset.unsigned_abs() >= CLOCK_WORTH_TELLING_MS) {
            let way = if offset > 0 { "ahead" } else { "behind" };
            let _ = writeln!(
                page,
                "  the {side}'s clock stands {:.1} s {way}",
                offset.unsigned_abs() as f64 / 1000.0
            );
        }
    }
    if let (Some(previous), Some(after)) = (line.previous_journey, line.retried_after_ms) {
        let _ = writeln!(page, "  a retry, {:.3} s after journey {previous}", after as f64 / 1000.0);
    }
    if !line.hiccups.is_empty() {
        let hiccups: Vec<_> = line.hiccups.iter().map(|cause| cause.code()).collect();
        let _ = writeln!(page, "  overcome: {}", hiccups.join(", "));
    }
    if line.relay_suspected {
        let _ = writeln!(
            page,
            "  {}",
            style.paint(Paint::Bad, "relay_suspected: the code may have been passed on")
        );
    }
}

/// The colour of an outcome.
fn paint(outcome: Outcome) -> Paint {
    match outcome {
        Outcome::Succeeded => Paint::Good,
        Outcome::TechnicalFailure => Paint::Bad,
        Outcome::UserAbandoned | Outcome::UserDeclined => Paint::Person,
        Outcome::Undetermined => Paint::Faint,
    }
}

fn events(page: &mut String, line: &JourneyLine, style: Style) {
    section(page, style, "timeline");
    let header = format!("{:>TIME_WIDTH$}  {:<13}{:<13}authenticator", "", "initiator", "server");
    let _ = writeln!(page, "{}", style.paint(Paint::Faint, &header));
    for span in &line.spans {
        let time = span.at.map_or_else(String::new, |at| since_start(line, at));
        let lane = match span.side {
            Side::Initiator => 0,
            Side::Server => 13,
            Side::Authenticator => 26,
        };
        let mark = if span.joined_by == Some(JoinedBy::Weak) { "○" } else { "●" };
        let _ = write!(page, "{time:>TIME_WIDTH$}  {:lane$}{mark} {}", "", span.event);
        if let Some(detail) = &span.detail {
            let _ = write!(page, " · {detail}");
        }
        page.push('\n');
    }
    if line.spans.iter().any(|span: &SpanLine| span.joined_by == Some(JoinedBy::Weak)) {
        let _ = writeln!(
            page,
            "{:>TIME_WIDTH$}  {}",
            "",
            style.paint(Paint::Faint, "○ joined by session or trace and time")
        );
    }
}

fn since_start(line: &JourneyLine, at: UnixNanos) -> String {
    seconds(at.signed_since(line.started_at) / 1_000_000)
}

fn phases(page: &mut String, line: &JourneyLine, style: Style) {
    section(page, style, "phases");
    for PhaseLine { phase, reached, basis, at, spans } in &line.phases {
        let when = at.map_or_else(String::new, |at| since_start(line, at));
        let bar = format!("{:<BAR_WIDTH$}", bar(*reached, BAR_WIDTH));
        let bar = style.paint(if *basis == Basis::Inferred { Paint::Faint } else { Paint::Good }, &bar);
        let row = format!("  {phase:<12} {bar} {:>3.0} %  {basis:<9} {when:>TIME_WIDTH$}", reached * 100.0);
        let _ = writeln!(page, "{}", row.trim_end());
        for span in spans.iter().take(1) {
            let _ = writeln!(page, "{:15}{}", "", style.paint(Paint::Faint, span));
        }
    }
}

fn causes(page: &mut String, line: &JourneyLine, style: Style) {
    section(page, style, "causes");
    for CauseShare { cause, probability } in
        line.causes.iter().take(CAUSES_SHOWN).filter(|share| share.probability >= 0.005)
    {
        let inside = if line.credible_set.contains(cause) { "in the credible set" } else { "" };
        let bar = format!("{:<BAR_WIDTH$}", bar(*probability, BAR_WIDTH));
        let row = format!("  {cause:<26} {bar} {:>3.0} %  {inside}", probability * 100.0);
        let _ = writeln!(page, "{}", row.trim_end());
    }
}

fn evidence(page: &mut String, line: &JourneyLine, style: Style) {
    if line.evidence.is_empty() {
        return;
    }
    section(page, style, "evidence, in nats for the likeliest cause");
    for piece in &line.evidence {
        let _ = writeln!(page, "  {:<32} {:+.2}", piece.evidence, piece.weight);
    }
}
