use authstitch_model::{AuthEvent, ErrorClass, EventName, Reason};

use crate::testing::{event, events, span, span_event, texts};
use crate::wire::{SpanEvent, Status};

/// The one event of a span with a journey id that holds `inner`, of these attributes.
fn within(attributes: &[(&str, &str)], inner: SpanEvent) -> AuthEvent {
    let mut span = span("POST /login", attributes);
    span.attributes.extend(texts(&[("auth.journey.id", "journey-0001")]));
    span.events.push(inner);
    events(&[], vec![span]).remove(0)
}

#[test]
fn a_completed_or_succeeded_with_an_error_means_failed() {
    let error = [("error.type", "NotAllowedError")];
    assert_eq!(event("auth.webauthn.completed", &error).name, EventName::WebauthnFailed);
    assert_eq!(event("auth.verification.succeeded", &error).name, EventName::VerificationFailed);
    assert_eq!(event("auth.webauthn.completed", &[]).name, EventName::WebauthnCompleted);
    let shown = event("auth.qr.shown", &error);
    assert_eq!((shown.name, shown.facts.error), (EventName::QrShown, Some(ErrorClass::NotAllowed)));
}

#[test]
fn an_error_of_the_span_explains_a_failure_and_makes_none() {
    let failing = [("error.type", "500")];
    let failed = within(&failing, span_event("auth.verification.failed", &[]));
    assert_eq!(failed.facts.error, Some(ErrorClass::Http5xx));
    let created = within(&failing, span_event("auth.challenge.created", &[]));
    assert_eq!(created.facts.error, None);
    let succeeded = within(&failing, span_event("auth.verification.succeeded", &[]));
    assert_eq!((succeeded.name, succeeded.facts.error), (EventName::VerificationSucceeded, None));
}

#[test]
fn a_recorded_exception_and_the_status_explain_a_failed_span() {
    let failed = |exception: &[(&str, &str)], status: &str| {
        let mut span = span("auth.webauthn.failed", &[("auth.journey.id", "journey-0001")]);
        span.events.push(span_event("exception", exception));
        span.status = Some(Status { message: status.into(), code: 2 });
        events(&[("user_agent.name", "Safari")], vec![span]).remove(0).facts.error
    };
    let cancel = "This request has been cancelled by the user.";
    assert_eq!(
        failed(&[("exception.type", "NotAllowedError"), ("exception.message", cancel)], ""),
        Some(ErrorClass::UserCancelled)
    );
    assert_eq!(failed(&[("exception.type", "NotAllowedError")], cancel), Some(ErrorClass::UserCancelled));
    assert_eq!(failed(&[("exception.type", "NotAllowedError")], ""), Some(ErrorClass::NotAllowed));
    assert_eq!(failed(&[], ""), None);
}

#[test]
fn a_servers_error_names_the_reason_where_no_reason_was_sent() {
    let named = event("auth.verification.failed", &[("error.type", "MismatchedChallenge")]);
    assert_eq!(
        (named.facts.reason, named.facts.error),
        (Some(Reason::ChallengeMismatch), Some(ErrorClass::Other))
    );
    let sent = event(
        "auth.verification.failed",
        &[("error.type", "MismatchedChallenge"), ("auth.reason", "risk_denied")],
    );
    assert_eq!(sent.facts.reason, Some(Reason::RiskDenied));
}
