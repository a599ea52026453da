//! The scanner against prost: field by field on what exporters write, and whole requests on everything else.

use authstitch_model::AuthEvent;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use proptest::sample::Index;
use prost::Message;

use super::requests::{logs_request, traces_request};
use super::unusual::{Kind, unusual};
use crate::scan::log::Log;
use crate::scan::span::{Span, SpanEvent, status};
use crate::scan::{Row, attribute};
use crate::testing::plain;
use crate::value::{Value, as_str};
use crate::wire::{self, KeyValue, LogsRequest, TracesRequest};
use crate::{Encoding, Malformed, Signal, Tally, decode};

type Read = Result<(Tally, Vec<AuthEvent>), Malformed>;

fn read(signal: Signal, bytes: &[u8]) -> Read {
    let mut events = Vec::new();
    let tally = decode(signal, Encoding::Protobuf, bytes, &plain(), &mut events);
    assert!(tally.is_ok() || events.is_empty(), "of a malformed request nothing is appended");
    tally.map(|tally| (tally, events))
}

/// What prost makes of the bytes, written by prost; `None` where it refuses them.
fn rewritten(signal: Signal, bytes: &[u8]) -> Option<Vec<u8>> {
    match signal {
        Signal::Traces => TracesRequest::decode(bytes).ok().map(|request| request.encode_to_vec()),
        Signal::Logs => LogsRequest::decode(bytes).ok().map(|request| request.encode_to_vec()),
    }
}

/// Whether a value is what prost reads in its place.
fn same_value(ours: Option<Value<'_>>, prosts: Option<&wire::Value>) -> bool {
    match (ours, prosts) {
        (None, None) | (Some(Value::Map), Some(wire::Value::KeyValueList(_))) => true,
        (Some(Value::Text(ours)), Some(wire::Value::String(prosts))) => ours == prosts.as_bytes(),
        (Some(Value::True), Some(wire::Value::Bool(prosts))) => *prosts,
        (Some(Value::False), Some(wire::Value::Bool(prosts))) => !prosts,
        (Some(Value::Int(ours)), Some(wire::Value::Int(prosts))) => ours == *prosts,
        (Some(Value::Double(ours)), Some(wire::Value::Double(prosts))) => ours == *prosts,
        (Some(Value::Bytes(ours)), Some(wire::Value::Bytes(prosts))) => ours == prosts,
        (Some(Value::Array(ours)), Some(wire::Value::Array(prosts))) => {
            let ours: Vec<_> = attribute::items(ours).map(Result::unwrap).collect();
            ours.len() == prosts.values.len()
                && ours
                    .iter()
                    .zip(&prosts.values)
                    .all(|(ours, prosts)| same_value(*ours, prosts.value.as_ref()))
        }
        _ => false,
    }
}

fn assert_same_attributes(ours: Row<'_>, prosts: &[KeyValue]) {
    assert_eq!(ours.into_iter().count(), prosts.len());
    for (ours, prosts) in ours.into_iter().zip(prosts) {
        let (key, value) = attribute::split(ours).unwrap();
        let value = value.map(|value| attribute::value(value).unwrap());
        assert_eq!((as_str(key), value.is_some()), (prosts.key.as_str(), prosts.value.is_some()));
        let prosts_value = prosts.value.as_ref().and_then(|value| value.value.as_ref());
        assert!(same_value(value.flatten(), prosts_value), "{value:?} {prosts:?}");
        if let Some((short_key, text)) = attribute::short(ours) {
            assert_eq!((short_key, Some(Value::Text(text))), (key, value.flatten()));
        }
    }
}

fn assert_same_span(prosts: &wire::Span) {
    let bytes = prosts.encode_to_vec();
    let (mut ours, fields) = Span::head(&bytes).unwrap();
    ours.rest(fields).unwrap();
    assert_eq!(ours.trace_id, prosts.trace_id);
    assert_eq!(ours.span_id, prosts.span_id);
    assert_eq!(ours.parent_span_id, prosts.parent_span_id);
    assert_eq!(as_str(ours.trace_state), prosts.trace_state);
    assert_eq!(as_str(ours.name), prosts.name);
    assert_eq!(ours.kind, prosts.kind);
    assert_eq!((ours.start, ours.end), (prosts.start_time_unix_nano, prosts.end_time_unix_nano));
    let ours_status = ours.status.map(|bytes| status(bytes).unwrap());
    let prosts_status = prosts.status.as_ref().map(|status| (status.message.as_bytes(), status.code));
    assert_eq!(ours_status, prosts_status);
    assert_same_attributes(ours.attributes, &prosts.attributes);
    assert_eq!(ours.events.into_iter().count(), prosts.events.len());
    for (ours, prosts) in ours.events.into_iter().zip(&prosts.events) {
        let ours = SpanEvent::read(ours).unwrap();
        assert_eq!((ours.time, as_str(ours.name)), (prosts.time_unix_nano, prosts.name.as_str()));
        assert_same_attributes(ours.attributes, &prosts.attributes);
    }
}

fn assert_same_log(prosts: &wire::LogRecord) {
    let bytes = prosts.encode_to_vec();
    let ours = Log::read(&bytes).unwrap();
    assert_eq!((ours.time, ours.observed), (prosts.time_unix_nano, prosts.observed_time_unix_nano));
    assert_eq!((ours.trace_id, ours.span_id), (prosts.trace_id.as_slice(), prosts.span_id.as_slice()));
    assert_eq!(as_str(ours.event_name), prosts.event_name);
    assert_same_attributes(ours.attributes, &prosts.attributes);
}

proptest! {
    #[test]
    fn a_span_is_read_field_by_field_as_prost_reads_it(request in traces_request()) {
        let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| &scope.spans).for_each(assert_same_span);
    }

    #[test]
    fn a_log_record_is_read_field_by_field_as_prost_reads_it(request in logs_request()) {
        let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
        scopes.flat_map(|scope| &scope.log_records).for_each(assert_same_log);
    }

    /// Fields in any order, unknown ones between them, messages in pieces, lengths with needless bytes, groups.
    #[test]
    fn unusual_but_right_requests_give_the_same(
        traces in traces_request(), logs in logs_request(), chance in any::<u64>(),
    ) {
        let bytes = unusual(&traces.encode_to_vec(), Kind::Request, chance);
        prop_assert_eq!(TracesRequest::decode(&*bytes), Ok(traces.clone()));
        prop_assert_eq!(read(Signal::Traces, &bytes), read(Signal::Traces, &traces.encode_to_vec()));
        let bytes = unusual(&logs.encode_to_vec(), Kind::LogsRequest, chance);
        prop_assert_eq!(LogsRequest::decode(&*bytes), Ok(logs.clone()));
        prop_assert_eq!(read(Signal::Logs, &bytes), read(Signal::Logs, &logs.encode_to_vec()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever prost accepts gives the same events and rejects as prost's own writing of it. What prost refuses
    /// is refused, or what is broken lies in something that nobody reads.
    #[test]
    fn damaged_requests_give_what_prost_reads_in_them(
        traces in traces_request(), logs in logs_request(), changes in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        for (signal, mut bytes) in [(Signal::Traces, traces.encode_to_vec()), (Signal::Logs, logs.encode_to_vec())] {
            if bytes.is_empty() {
                continue;
            }
            for (place, byte) in &changes {
                let place = place.index(bytes.len());
                bytes[place] = *byte;
            }
            let ours = read(signal, &bytes);
            if let Some(rewritten) = rewritten(signal, &bytes) {
                prop_assert_eq!(ours, read(signal, &rewritten));
            }
        }
    }
}
