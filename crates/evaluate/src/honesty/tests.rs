use authstitch_model::ids::Text;
use authstitch_model::line::{JourneyLine, PhaseLine, SpanLine};
use authstitch_model::{Basis, Cause, EventName, Flow, Phase, Side};

use super::{last_step, violations};
use crate::testing::{journey, named, phase};

fn line(flow: Flow, spans: Vec<SpanLine>, phases: Vec<PhaseLine>) -> JourneyLine {
    JourneyLine { flow, phases, ..journey(0, spans, &[(Cause::None, 1.0)]) }
}

/// Whether calling a phase observed by this event is a violation.
fn is_violation(flow: Flow, claimed: Phase, span: SpanLine) -> bool {
    let phases = vec![phase(claimed, Basis::Observed, &[&span])];
    violations(&line(flow, vec![span], phases)) == 1
}

#[test]
fn an_observed_phase_needs_an_event_that_evidences_it() {
    assert!(!is_violation(Flow::AppQr, Phase::Scanned, named(1, EventName::QrScanned)));
    assert!(is_violation(Flow::AppQr, Phase::Scanned, named(1, EventName::QrShown)));
    let none = line(Flow::AppQr, Vec::new(), vec![phase(Phase::Scanned, Basis::Observed, &[])]);
    assert_eq!(violations(&none), 1);
}

#[test]
fn an_observed_phase_names_the_event_that_evidences_it() {
    let (scanned, shown) = (named(1, EventName::QrScanned), named(2, EventName::QrShown));
    let phases = vec![phase(Phase::Scanned, Basis::Observed, &[&shown])];
    assert_eq!(violations(&line(Flow::AppQr, vec![scanned, shown], phases)), 1);
}

#[test]
fn a_hidden_phase_is_observed_by_the_phone_alone() {
    let shown = named(1, EventName::ConfirmationShown);
    let on = |side| SpanLine { side, ..shown.clone() };
    assert!(!is_violation(Flow::PasskeyCda, Phase::Prompted, on(Side::Authenticator)));
    assert!(is_violation(Flow::PasskeyCda, Phase::Prompted, on(Side::Server)));
    assert!(!is_violation(Flow::AppQr, Phase::Prompted, on(Side::Server)));
}

#[test]
fn a_hidden_phase_is_never_implied() {
    let implied =
        |flow, claimed| violations(&line(flow, Vec::new(), vec![phase(claimed, Basis::Implied, &[])]));
    for hidden in [Phase::Presented, Phase::Scanned, Phase::Proximity, Phase::Prompted] {
        assert_eq!(implied(Flow::PasskeyCda, hidden), 1, "{hidden}");
    }
    assert_eq!(implied(Flow::PasskeyCda, Phase::Confirmed), 0);
    assert_eq!(implied(Flow::AppQr, Phase::Scanned), 0);
}

#[test]
fn inferring_is_no_violation() {
    let inferred = vec![phase(Phase::Proximity, Basis::Inferred, &[])];
    assert_eq!(violations(&line(Flow::PasskeyCda, Vec::new(), inferred)), 0);
}

#[test]
fn a_phase_that_the_flow_does_not_have_cannot_be_observed() {
    assert!(is_violation(Flow::PasskeyCda, Phase::Opened, named(1, EventName::MobileOpened)));
}

#[test]
fn an_event_that_failed_evidences_nothing_unless_failing_is_its_meaning() {
    let failed = |name| SpanLine { detail: Some(Text::from("error timeout")), ..named(1, name) };
    assert!(is_violation(Flow::AppQr, Phase::Presented, failed(EventName::QrShown)));
    assert!(!is_violation(Flow::AppQr, Phase::Prompted, failed(EventName::ConfirmationDeclined)));
}

#[test]
fn a_scanners_look_at_a_link_is_no_opening() {
    let fetched = |method| SpanLine { detail: Some(Text::from(method)), ..named(1, EventName::LinkOpened) };
    assert!(is_violation(Flow::MagicLink, Phase::Opened, fetched("HEAD")));
    assert!(!is_violation(Flow::MagicLink, Phase::Opened, fetched("GET")));
}

#[test]
fn a_session_on_the_phone_is_none_on_the_initiator() {
    let on = |side| SpanLine { side, ..named(1, EventName::SessionEstablished) };
    assert!(is_violation(Flow::AppQr, Phase::Established, on(Side::Authenticator)));
    assert!(!is_violation(Flow::AppQr, Phase::Established, on(Side::Initiator)));
}

#[test]
fn the_last_step_is_the_furthest_phase_that_an_event_evidences() {
    let spans =
        [EventName::ConfirmationShown, EventName::QrShown, EventName::PageHidden].map(|n| named(1, n));
    assert_eq!(last_step(&line(Flow::AppQr, spans.to_vec(), Vec::new())), Some(Phase::Prompted));
    assert_eq!(last_step(&line(Flow::AppQr, Vec::new(), Vec::new())), None);
}
