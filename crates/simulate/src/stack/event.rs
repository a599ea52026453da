//! An event of the login stack, before it takes the form of a record.

use authstitch_model::{EventName, Reason, Side, UnixNanos};
use authstitch_otlp::wire::KeyValue;

use super::attributes::text;

/// An event: what, who, when, and what it says beside its keys.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) name: EventName,
    /// The process that emits it.
    pub(super) emitter: Side,
    /// The side it speaks of; a server speaks of the phone when it sees a link fetched.
    pub(super) side: Side,
    /// Whose request a server's event belongs to.
    pub(super) asked_by: Asker,
    pub(super) at: UnixNanos,
    /// How long its span is, where it comes as a span.
    pub(super) span: Span,
    /// The code it is about, by its number on the screen.
    pub(super) code: Option<usize>,
    /// Whether it comes before the login has an id.
    pub(super) before_keys: bool,
    pub(super) failed: bool,
    pub(super) details: Vec<KeyValue>,
}

/// Who asked the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    Page,
    Phone,
    /// A mail scanner.
    Scanner,
}

/// How long an event's span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Some milliseconds.
    Short,
    /// It began at this time.
    Since(UnixNanos),
    /// It ends at this time.
    Until(UnixNanos),
    /// It never ends, so its SDK never sends it.
    Open,
}

impl Event {
    const fn new(name: EventName, emitter: Side, asked_by: Asker, at: UnixNanos) -> Self {
        Self {
            name,
            emitter,
            side: emitter,
            asked_by,
            at,
            span: Span::Short,
            code: None,
            before_keys: false,
            failed: false,
            details: Vec::new(),
        }
    }

    /// An event of the initiator's page.
    pub(super) const fn page(name: EventName, at: UnixNanos) -> Self {
        Self::new(name, Side::Initiator, Asker::Page, at)
    }

    /// An event of the phone.
    pub(super) const fn phone(name: EventName, at: UnixNanos) -> Self {
        Self::new(name, Side::Authenticator, Asker::Phone, at)
    }

    /// An event of the server, on somebody's request.
    pub(super) const fn server(name: EventName, asked_by: Asker, at: UnixNanos) -> Self {
        Self::new(name, Side::Server, asked_by, at)
    }

    pub(super) const fn of_side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    pub(super) const fn code(mut self, code: usize) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) const fn early(mut self) -> Self {
        self.before_keys = true;
        self
    }

    pub(super) const fn span(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    pub(super) fn detail(mut self, attribute: KeyValue) -> Self {
        self.details.push(attribute);
        self
    }

    pub(super) fn error(mut self, kind: &str) -> Self {
        self.failed = true;
        self.detail(text("error.type", kind))
    }

    pub(super) fn message(self, message: &str) -> Self {
        if message.is_empty() { self } else { self.detail(text("exception.message", message)) }
    }

    pub(super) fn reason(mut self, reason: Reason) -> Self {
        self.failed = true;
        self.detail(text("auth.reason", reason.code()))
    }
}
