//! Why a record of ours is rejected.
//!
//! - A trace, span or parent id of wrong length; on a span also a trace or span id that is missing or all
//!   zero. A log record outside a span has no ids.
//! - A time of 0, or one from 2200 on. A log record without a time of its own has the time when it was
//!   observed.
//! - An event beyond the bound of its span.
//!
//! Records that are not ours are never checked.

use std::fmt;

use authstitch_model::{Origin, SpanId, TraceId, UnixNanos};

use crate::caps;
use crate::json::{NO_TIME, NOT_HEX, hex};
use crate::scan::log::Log;
use crate::scan::span::Span;

/// Why a record is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reject<'a> {
    /// A field that is no such id.
    Id { field: &'static str, value: &'a [u8], accepted: &'static str },
    /// A field that is no time.
    Time { field: &'static str, value: u64 },
    /// A span with too many events.
    TooManyEvents,
}

/// Why records are rejected, in few words, to be counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A trace, span or parent id that is none.
    InvalidId,
    /// A time that is none.
    InvalidTime,
    /// An event beyond the bound of its span.
    TooManyEvents,
    /// A server's event where servers are not believed: said by who decoded, not by decoding.
    ServerClaim,
}

impl Reason {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, each at its index.
    pub const ALL: [Self; 4] = [Self::InvalidId, Self::InvalidTime, Self::TooManyEvents, Self::ServerClaim];

    /// Its place among all.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidId => "invalid_id",
            Self::InvalidTime => "invalid_time",
            Self::TooManyEvents => "too_many_events",
            Self::ServerClaim => "server_claim",
        }
    }
}

impl Reject<'_> {
    /// What it is counted as.
    pub(crate) const fn reason(&self) -> Reason {
        match self {
            Self::Id { .. } => Reason::InvalidId,
            Self::Time { .. } => Reason::InvalidTime,
            Self::TooManyEvents => Reason::TooManyEvents,
        }
    }
}

impl fmt::Display for Reject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Id { field, value, accepted } => {
                match value {
                    [] => write!(f, "{field} is missing")?,
                    NOT_HEX => write!(f, "{field} is not an even number of hex digits")?,
                    _ => {
                        let shown = &value[..value.len().min(caps::ID_BYTES_SHOWN)];
                        let more = if shown.len() < value.len() { "…" } else { "" };
                        write!(f, "{field} has {} bytes ({}{more})", value.len(), hex(shown))?;
                    }
                }
                write!(f, "; accepted: {accepted}")
            }
            Self::Time { field, value } => {
                match value {
                    NO_TIME => write!(f, "{field} is no time")?,
                    _ => write!(f, "{field} is {value}")?,
                }
                f.write_str("; accepted: nanoseconds since 1970, above 0 and before 2200-01-01")
            }
            Self::TooManyEvents => {
                write!(f, "more than {} authentication events; accepted: no more", caps::EVENTS_PER_SPAN)
            }
        }
    }
}

/// The ids of a span of ours.
pub(crate) fn span_origin<'a>(span: &Span<'a>) -> Result<Origin, Reject<'a>> {
    let trace_id = TraceId::from_bytes(span.trace_id);
    let span_id = SpanId::from_bytes(span.span_id);
    if trace_id.is_none() {
        let accepted = "16 bytes that are not all zero";
        return Err(Reject::Id { field: "trace_id", value: span.trace_id, accepted });
    }
    if span_id.is_none() {
        let accepted = "8 bytes that are not all zero";
        return Err(Reject::Id { field: "span_id", value: span.span_id, accepted });
    }
    let parent_span_id = optional_span_id("parent_span_id", span.parent_span_id)?;
    Ok(Origin { trace_id, span_id, parent_span_id })
}

/// The ids of a log record of ours, which may have none.
pub(crate) fn log_origin<'a>(record: &Log<'a>) -> Result<Origin, Reject<'a>> {
    if !matches!(record.trace_id.len(), 0 | 16) {
        let accepted = "16 bytes, or none outside a trace";
        return Err(Reject::Id { field: "trace_id", value: record.trace_id, accepted });
    }
    let span_id = optional_span_id("span_id", record.span_id)?;
    Ok(Origin { trace_id: TraceId::from_bytes(record.trace_id), span_id, parent_span_id: None })
}

fn optional_span_id<'a>(field: &'static str, value: &'a [u8]) -> Result<Option<SpanId>, Reject<'a>> {
    match value.len() {
        0 | 8 => Ok(SpanId::from_bytes(value)),
        _ => Err(Reject::Id { field, value, accepted: "8 bytes, or none" }),
    }
}

/// A time that an event may carry.
pub(crate) fn time(field: &'static str, value: u64) -> Result<UnixNanos, Reject<'static>> {
    let time = UnixNanos(value);
    let accepted = value > 0 && time < authstitch_model::caps::EVENT_TIME_END;
    if accepted { Ok(time) } else { Err(Reject::Time { field, value }) }
}
