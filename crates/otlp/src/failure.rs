//! Whether an event failed, and of what.
//!
//! - `auth.webauthn.completed` and `auth.verification.succeeded` with an `error.type` of their own mean failed.
//! - An event that reports a failure is explained by its own error; where that is missing by its span's: its
//!   attributes, else an exception recorded within it, else its status. `exception.type` stands in for
//!   `error.type`.
//! - Any other event has an error only if it says so itself: the error of the span around it makes it no failure.
//! - A failed verification without `auth.reason` has the reason that its error names; the error itself is then
//!   `other`, for it is no second finding.

use authstitch_model::{ErrorClass, EventName, Facts};

use crate::attributes::{Attr, Attributes, find};
use crate::errors::Raised;
use crate::mapping::Mapping;
use crate::reasons;
use crate::wire::Span;

#[cfg(test)]
mod tests;

/// `Status.code` of an error.
const STATUS_ERROR: i32 = 2;

/// What a record's name means, given its error.
pub(crate) fn name(name: EventName, attributes: &Attributes<'_>) -> EventName {
    match (name, attributes.text(Attr::ErrorType)) {
        (EventName::WebauthnCompleted, Some(_)) => EventName::WebauthnFailed,
        (EventName::VerificationSucceeded, Some(_)) => EventName::VerificationFailed,
        (name, _) => name,
    }
}

/// The error of a record.
pub(crate) fn error<'a>(
    name: EventName,
    attributes: &Attributes<'a>,
    span: Option<&'a Span>,
    mapping: &Mapping,
) -> Raised<'a> {
    let text = |attr| attributes.text(attr);
    let own = Raised { kind: text(Attr::ErrorType), message: text(Attr::ExceptionMessage) };
    match own.kind {
        _ if reports_failure(name) => {
            let of_span = span.map(|span| span_error(span, mapping)).unwrap_or_default();
            Raised {
                kind: own.kind.or(text(Attr::ExceptionType)).or(of_span.kind),
                message: own.message.or(of_span.message),
            }
        }
        Some(_) => own,
        None => Raised::default(),
    }
}

/// The facts with the reason that the error names.
pub(crate) fn with_reason(facts: Facts, name: EventName, error: Raised<'_>) -> Facts {
    let named = match (name, facts.reason) {
        (EventName::VerificationFailed, None) => error.kind.and_then(reasons::reason_of_error),
        _ => None,
    };
    match named {
        Some(reason) => Facts { reason: Some(reason), error: Some(ErrorClass::Other), ..facts },
        None => facts,
    }
}

const fn reports_failure(name: EventName) -> bool {
    matches!(
        name,
        EventName::WebauthnFailed
            | EventName::VerificationFailed
            | EventName::UserVerificationFailed
            | EventName::Error
    )
}

fn span_error<'a>(span: &'a Span, mapping: &Mapping) -> Raised<'a> {
    let exception = span.events.iter().find(|event| event.name == "exception");
    let status = span.status.as_ref().filter(|status| status.code == STATUS_ERROR);
    let text = |attr: Attr| {
        let recorded = || find(&exception?.attributes, attr, mapping);
        find(&span.attributes, attr, mapping).or_else(recorded)
    };
    let status_message =
        || status.map(|status| status.message.as_str()).filter(|message| !message.is_empty());
    Raised {
        kind: text(Attr::ErrorType).or_else(|| text(Attr::ExceptionType)),
        message: text(Attr::ExceptionMessage).or_else(status_message),
    }
}
