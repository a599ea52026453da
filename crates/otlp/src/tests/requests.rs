//! Random requests: names and attributes that matter beside ones that do not, ids and times good and bad.

use authstitch_model::{EventName, SCHEMA_URL};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use crate::attributes::Attr;
use crate::testing::NOW;
use crate::wire::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, LogRecord, LogsRequest, Resource, ResourceLogs,
    ResourceSpans, Scope, ScopeLogs, ScopeSpans, Span, SpanEvent, Status, TracesRequest, Value,
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{8,16}", "\\PC{0,12}", Just(String::new())]
}

/// A value of any kind, nested a little. Doubles are numbers, so that two requests can be compared.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::String),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::Int),
        1 => (-1.0e12..1.0e12).prop_map(Value::Double),
        1 => vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let item = proptest::option::of(inner).prop_map(|value| AnyValue { value });
        let pair = (text(), item.clone()).prop_map(|(key, value)| KeyValue { key, value: Some(value) });
        prop_oneof![
            vec(item, 0..3).prop_map(|values| Value::Array(ArrayValue { values })),
            vec(pair, 0..3).prop_map(|values| Value::KeyValueList(KeyValueList { values })),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let known = proptest::sample::select(Attr::ALL).prop_map(|attr| attr.name().to_owned());
    let key = prop_oneof![4 => known, 1 => text()];
    let value = proptest::option::of(value()).prop_map(|value| AnyValue { value });
    vec((key, proptest::option::of(value)).prop_map(|(key, value)| KeyValue { key, value }), 0..6)
}

fn name() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(EventName::ALL).prop_map(|name| name.code().to_owned());
    prop_oneof![4 => known, 1 => text(), 1 => Just("exception".to_owned())]
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => vec(any::<u8>(), length), 1 => Just(vec![0; length]), 1 => vec(any::<u8>(), 0..20)]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![8 => NOW..NOW + 1_000_000_000_000, 1 => Just(0), 1 => any::<u64>()]
}

fn schema_url() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just(SCHEMA_URL.to_owned())]
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    proptest::option::of(attributes().prop_map(|attributes| Resource { attributes }))
}

fn scope() -> impl Strategy<Value = Option<Scope>> {
    proptest::option::of((text(), text()).prop_map(|(name, version)| Scope { name, version }))
}

fn span() -> impl Strategy<Value = Span> {
    let event = (time(), name(), attributes()).prop_map(|(time_unix_nano, name, attributes)| SpanEvent {
        time_unix_nano,
        name,
        attributes,
    });
    let status = (text(), 0..3).prop_map(|(message, code)| Status { message, code });
    let ids = (id(16), id(8), prop_oneof![Just(Vec::new()), id(8)]);
    let trace_state = prop_oneof![Just(String::new()), Just("ot=th:8".to_owned()), text()];
    let times = (time(), time());
    let rest = (attributes(), vec(event, 0..3), proptest::option::of(status));
    (ids, trace_state, name(), 0..6, times, rest).prop_map(
        |(
            (trace_id, span_id, parent_span_id),
            trace_state,
            name,
            kind,
            (start, end),
            (attributes, events, status),
        )| Span {
            trace_id,
            span_id,
            trace_state,
            parent_span_id,
            name,
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes,
            events,
            status,
        },
    )
}

/// A request with a few spans.
pub(super) fn traces_request() -> impl Strategy<Value = TracesRequest> {
    let scope_spans = (scope(), vec(span(), 0..4), schema_url())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resource_spans = (resource(), vec(scope_spans, 0..3), schema_url())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resource_spans, 0..3).prop_map(|resource_spans| TracesRequest { resource_spans })
}

fn log() -> impl Strategy<Value = LogRecord> {
    let ids = (prop_oneof![Just(Vec::new()), id(16)], prop_oneof![Just(Vec::new()), id(8)]);
    let body = proptest::option::of(proptest::option::of(value()).prop_map(|value| AnyValue { value }));
    (time(), 0..25, body, attributes(), ids, time(), name()).prop_map(
        |(time, severity_number, body, attributes, (trace_id, span_id), observed, event_name)| LogRecord {
            time_unix_nano: time,
            severity_number,
            body,
            attributes,
            trace_id,
            span_id,
            observed_time_unix_nano: observed,
            event_name,
        },
    )
}

/// A request with a few log records.
pub(super) fn logs_request() -> impl Strategy<Value = LogsRequest> {
    let scope_logs = (scope(), vec(log(), 0..4), schema_url())
        .prop_map(|(scope, log_records, schema_url)| ScopeLogs { scope, log_records, schema_url });
    let resource_logs = (resource(), vec(scope_logs, 0..3), schema_url())
        .prop_map(|(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url });
    vec(resource_logs, 0..3).prop_map(|resource_logs| LogsRequest { resource_logs })
}
