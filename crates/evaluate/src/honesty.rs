//! Whether a journey says no more than it saw.
//!
//! A phase may be called *observed* only if one of the journey's own events evidences it and the phase names
//! that event. A phase that is hidden from the relying party may never be called *implied*.

use authstitch_model::line::{ERROR_DETAIL, JourneyLine, PhaseLine, SpanLine};
use authstitch_model::{Basis, EventName, Flow, HttpMethod, Phase, Side, phases};

#[cfg(test)]
mod tests;

/// How many of a journey's phases say more than was seen.
pub(crate) fn violations(line: &JourneyLine) -> usize {
    line.phases.iter().filter(|phase| is_violation(line, phase)).count()
}

fn is_violation(line: &JourneyLine, phase: &PhaseLine) -> bool {
    match phase.basis {
        Basis::Observed => !line
            .spans
            .iter()
            .any(|span| evidences(line.flow, span) == Some(phase.phase) && phase.spans.contains(&name(span))),
        Basis::Implied => phases::is_hidden(line.flow, phase.phase),
        Basis::Inferred => false,
    }
}

/// The furthest phase that a journey's own events evidence.
pub(crate) fn last_step(line: &JourneyLine) -> Option<Phase> {
    line.spans.iter().filter_map(|span| evidences(line.flow, span)).max()
}

/// The phase that an event of a line evidences, as far as the line tells: it shows one detail of an event, an
/// error before any other, and does not show that a fetch came from a bot.
fn evidences(flow: Flow, span: &SpanLine) -> Option<Phase> {
    let (_, phase) = phases::EVIDENCE.iter().find(|(event, _)| *event == span.event)?;
    let place = phases::of(flow).iter().find(|place| place.phase == *phase)?;
    let detail = span.detail.as_ref().map_or("", |detail| detail.as_str());
    let failed = detail.starts_with(ERROR_DETAIL);
    let counts = match span.event {
        EventName::LinkOpened => detail != HttpMethod::Head.code() && !failed,
        EventName::SessionEstablished => span.side != Side::Authenticator && !failed,
        EventName::UserVerificationFailed | EventName::ConfirmationDeclined => true,
        _ => !failed,
    };
    let visible = !place.hidden || span.side == Side::Authenticator;
    (counts && visible).then_some(*phase)
}

/// How a phase names an event.
fn name(span: &SpanLine) -> String {
    match (span.trace_id, span.span_id, &span.event_id) {
        (Some(trace), Some(span), _) => format!("{trace}:{span}"),
        (_, _, Some(id)) => id.as_str().to_owned(),
        (Some(trace), None, None) => format!("{trace}:"),
        _ => String::new(),
    }
}
