//! Telemetry as a login sends it.

use std::io::Write;

use authstitch_otlp::wire::{AnyValue, KeyValue, ResourceSpans, ScopeSpans, Span, TracesRequest, Value};
use prost::Message;

/// 2026-01-01.
pub(crate) const START: u64 = 1_767_225_600_000_000_000;

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::String(value.into())) }) }
}

/// A span of one authentication event; `nth` makes its ids and its second.
pub(crate) fn span(name: &str, side: &str, journey: &str, nth: u8) -> Span {
    let start = START + u64::from(nth) * 1_000_000_000;
    Span {
        trace_id: vec![nth + 1; 16],
        span_id: vec![nth + 1; 8],
        name: name.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_000_000,
        attributes: vec![
            text("auth.flow", "app_qr"),
            text("auth.side", side),
            text("auth.journey.id", journey),
        ],
        ..Span::default()
    }
}

/// A request of spans.
pub(crate) fn request(spans: Vec<Span>) -> TracesRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    TracesRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

/// The five events of a login by QR that worked.
pub(crate) fn spans_of_login(journey: &str) -> Vec<Span> {
    vec![
        span("auth.qr.shown", "initiator", journey, 0),
        span("auth.qr.scanned", "authenticator", journey, 1),
        span("auth.confirmation.completed", "authenticator", journey, 2),
        span("auth.verification.succeeded", "server", journey, 3),
        span("auth.session.established", "initiator", journey, 4),
    ]
}

/// A login as protobuf.
pub(crate) fn login(journey: &str) -> Vec<u8> {
    request(spans_of_login(journey)).encode_to_vec()
}

/// One log record as OTLP JSON.
pub(crate) fn log_json(name: &str, journey: &str) -> Vec<u8> {
    let text = |key: &str, value: &str| serde_json::json!({"key": key, "value": {"stringValue": value}});
    let attributes =
        [text("auth.flow", "app_qr"), text("auth.side", "initiator"), text("auth.journey.id", journey)];
    let record =
        serde_json::json!({"timeUnixNano": START.to_string(), "eventName": name, "attributes": attributes});
    serde_json::json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).to_string().into_bytes()
}

/// Packed with gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// Packed with zstd.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}
