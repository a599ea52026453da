//! What leaves the simulated devices and servers.

use std::sync::Arc;

use authstitch_model::{Side, UnixNanos};
use authstitch_otlp::{Signal, wire};

/// Who exports: one SDK in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exporter {
    /// The page that this attempt loaded.
    Page(u64),
    /// The phone of the chain that began with this attempt.
    Phone(u64),
    /// A server process of a relying party; it serves many attempts at once.
    Server {
        /// Which relying party.
        relying_party: u64,
        /// Which of its processes.
        process: u64,
    },
}

impl Exporter {
    /// On which side it stands.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::Page(_) => Side::Initiator,
            Self::Phone(_) => Side::Authenticator,
            Self::Server { .. } => Side::Server,
        }
    }

    /// Two numbers that no other exporter has.
    pub(crate) const fn numbers(self) -> (u64, u64) {
        match self {
            Self::Page(attempt) => (0, attempt),
            Self::Phone(attempt) => (1, attempt),
            Self::Server { relying_party, process } => (2 + process, relying_party),
        }
    }
}

/// A span or a log record, as the wire carries it.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A span of the login's instrumentation, which states the schema or does not.
    Span {
        /// The span.
        span: wire::Span,
        /// Which instrumentation made it.
        scope: Scope,
    },
    /// A log record of the login's instrumentation.
    Log {
        /// The record.
        record: wire::LogRecord,
        /// Which instrumentation made it.
        scope: Scope,
    },
}

/// Which instrumentation made a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The login's, with the schema URL of the convention.
    LoginWithSchema,
    /// The login's, without it.
    Login,
    /// Something else: documents, requests, databases.
    Other,
}

impl Content {
    /// In which signal it travels.
    #[must_use]
    pub const fn signal(&self) -> Signal {
        match self {
            Self::Span { .. } => Signal::Traces,
            Self::Log { .. } => Signal::Logs,
        }
    }

    /// Moves its times, as a clock that is off does.
    pub(crate) fn shift(&mut self, nanos: i64) {
        let moved = |time: &mut u64| *time = time.saturating_add_signed(nanos);
        match self {
            Self::Span { span, .. } => {
                moved(&mut span.start_time_unix_nano);
                moved(&mut span.end_time_unix_nano);
                span.events.iter_mut().for_each(|event| moved(&mut event.time_unix_nano));
            }
            Self::Log { record, .. } => {
                moved(&mut record.time_unix_nano);
                moved(&mut record.observed_time_unix_nano);
            }
        }
    }
}

/// A record that reaches the receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// Who exports it.
    pub exporter: Exporter,
    /// In which batch of its exporter it travels: the time at which the batch is sent.
    pub sent: UnixNanos,
    /// 0 for the batch itself, 1 for its duplicate.
    pub copy: u8,
    /// When the batch arrives.
    pub arrives: UnixNanos,
    /// Where it stands in its batch.
    pub order: u64,
    /// The attempt it belongs to.
    pub attempt: u64,
    /// The record.
    pub content: Content,
    /// Who made it, as attributes.
    pub resource: Arc<wire::Resource>,
}
