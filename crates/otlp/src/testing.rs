//! Requests for the tests of this crate.

use authstitch_model::{AuthEvent, Secret};
use prost::Message;

use crate::wire::{
    AnyValue, KeyValue, LogRecord, LogsRequest, Resource, ResourceLogs, ResourceSpans, ScopeLogs, ScopeSpans,
    Span, SpanEvent, TracesRequest, Value,
};
use crate::{Encoding, Mapping, Signal, Tally, decode};

/// 2026-01-31T08:00:00Z.
pub(crate) const NOW: u64 = 1_769_846_400_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// An attribute of any kind.
pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }) }
}

/// Attributes of text.
pub(crate) fn texts(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    pairs.iter().map(|(key, value)| attribute(key, Value::String((*value).into()))).collect()
}

/// A span of two seconds with good ids.
pub(crate) fn span(name: &str, attributes: &[(&str, &str)]) -> Span {
    Span {
        trace_id: vec![0x11; 16],
        span_id: vec![0x22; 8],
        name: name.into(),
        start_time_unix_nano: NOW,
        end_time_unix_nano: NOW + 2 * SECOND,
        attributes: texts(attributes),
        ..Span::default()
    }
}

/// A span event in the middle of that span.
pub(crate) fn span_event(name: &str, attributes: &[(&str, &str)]) -> SpanEvent {
    SpanEvent { time_unix_nano: NOW + SECOND, name: name.into(), attributes: texts(attributes) }
}

/// A log record outside any span.
pub(crate) fn log(name: &str, attributes: &[(&str, &str)]) -> LogRecord {
    LogRecord {
        time_unix_nano: NOW,
        observed_time_unix_nano: NOW + 5 * SECOND,
        event_name: name.into(),
        attributes: texts(attributes),
        ..LogRecord::default()
    }
}

/// A request with spans of one resource.
pub(crate) fn traces(resource: &[(&str, &str)], spans: Vec<Span>) -> TracesRequest {
    TracesRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: texts(resource) }),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

/// A request with log records of one resource.
pub(crate) fn logs(resource: &[(&str, &str)], log_records: Vec<LogRecord>) -> LogsRequest {
    LogsRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource { attributes: texts(resource) }),
            scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }],
    }
}

/// What becomes of a traces request under a mapping.
pub(crate) fn mapped(mapping: &Mapping, request: &TracesRequest) -> (Vec<AuthEvent>, Tally) {
    let mut events = Vec::new();
    let bytes = request.encode_to_vec();
    let tally = decode(Signal::Traces, Encoding::Protobuf, &bytes, mapping, &mut events).unwrap();
    (events, tally)
}

/// What becomes of a logs request under a mapping.
pub(crate) fn mapped_logs(mapping: &Mapping, request: &LogsRequest) -> (Vec<AuthEvent>, Tally) {
    let mut events = Vec::new();
    let bytes = request.encode_to_vec();
    let tally = decode(Signal::Logs, Encoding::Protobuf, &bytes, mapping, &mut events).unwrap();
    (events, tally)
}

/// The built-in mapping.
pub(crate) fn plain() -> Mapping {
    Mapping::new(Secret::PUBLIC)
}

/// The events of some spans of one resource.
pub(crate) fn events(resource: &[(&str, &str)], spans: Vec<Span>) -> Vec<AuthEvent> {
    mapped(&plain(), &traces(resource, spans)).0
}

/// The one event of a span with a journey id.
pub(crate) fn event(name: &str, attributes: &[(&str, &str)]) -> AuthEvent {
    event_of(&[], name, attributes)
}

/// The one event of a span with a journey id, of a resource.
pub(crate) fn event_of(resource: &[(&str, &str)], name: &str, attributes: &[(&str, &str)]) -> AuthEvent {
    let mut span = span(name, attributes);
    span.attributes.extend(texts(&[("auth.journey.id", "journey-0001")]));
    let mut events = events(resource, vec![span]);
    assert_eq!(events.len(), 1, "{name}");
    events.remove(0)
}

/// The one event of a log record with a journey id.
pub(crate) fn event_of_log(record: LogRecord) -> AuthEvent {
    let mut record = record;
    record.attributes.extend(texts(&[("auth.journey.id", "journey-0001")]));
    let (mut events, tally) = mapped_logs(&plain(), &logs(&[], vec![record]));
    assert_eq!(events.len(), 1, "{tally:?}");
    events.remove(0)
}
