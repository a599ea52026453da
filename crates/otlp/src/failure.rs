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
use crate::records::Surroundings;
use crate::scan::span::{self, SpanEvent};
use crate::scan::{Row, Scan};
use crate::value::as_str;

#[cfg(test)]
mod tests;

/// `Status.code` of an error.
const STATUS_ERROR: i32 = 2;

/// What a record's name means, given its error.
pub(crate) fn name(name: EventName, attributes: &Attributes<'_, '_>) -> EventName {
    match (name, attributes.bytes(Attr::ErrorType)) {
        (EventName::WebauthnCompleted, Some(_)) => EventName::WebauthnFailed,
        (EventName::VerificationSucceeded, Some(_)) => EventName::VerificationFailed,
        (name, _) => name,
    }
}

/// The error of a record.
pub(crate) fn error<'a>(
    name: EventName,
    attributes: &Attributes<'_, 'a>,
    around: Option<&Surroundings<'_, 'a>>,
    mapping: &Mapping,
) -> Scan<Raised<'a>> {
    let text = |attr| attributes.text(attr);
    let own = Raised { kind: text(Attr::ErrorType), message: text(Attr::ExceptionMessage) };
    Ok(match own.kind {
        _ if reports_failure(name) => {
            let of_span = around.map(|around| span_error(around, mapping)).transpose()?.unwrap_or_default();
            Raised {
                kind: own.kind.or(text(Attr::ExceptionType)).or(of_span.kind),
                message: own.message.or(of_span.message),
            }
        }
        Some(_) => own,
        None => Raised::default(),
    })
}

/// Adds the reason that the error names.
pub(crate) fn note_reason(facts: &mut Facts, name: EventName, error: Raised<'_>) {
    if name == EventName::VerificationFailed
        && facts.reason.is_none()
        && let Some(reason) = error.kind.and_then(reasons::reason_of_error)
    {
        facts.reason = Some(reason);
        facts.error = Some(ErrorClass::Other);
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

fn span_error<'a>(around: &Surroundings<'_, 'a>, mapping: &Mapping) -> Scan<Raised<'a>> {
    let exception = exception(around.span.events)?;
    let text = |attr| match around.attributes.text(attr) {
        None => Ok(find(exception, attr, mapping)?.map(as_str)),
        text => Ok(text),
    };
    let kind = match text(Attr::ErrorType)? {
        None => text(Attr::ExceptionType)?,
        kind => kind,
    };
    let status = around.span.status.map(span::status).transpose()?;
    let status = status.filter(|(message, code)| *code == STATUS_ERROR && !message.is_empty());
    let message = text(Attr::ExceptionMessage)?.or(status.map(|(message, _)| as_str(message)));
    Ok(Raised { kind, message })
}

/// The attributes of the first exception that was recorded within a span.
fn exception(events: Row<'_>) -> Scan<Row<'_>> {
    for event in events {
        let event = SpanEvent::read(event)?;
        if event.name == b"exception" {
            return Ok(event.attributes);
        }
    }
    Ok(Row::default())
}
