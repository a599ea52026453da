//! The part of OTLP that authstitch reads and writes, as prost messages: fields that nobody here looks at are
//! left out, and prost skips them. Field numbers follow opentelemetry-proto 1.x; a test decodes the same bytes
//! with the official generated types. The serde attributes beside them say how OTLP JSON spells each field
//! (see [`crate::json`]).

use serde::{Deserialize, Serialize};

use crate::json::{self, is_default};

/// `ExportTraceServiceRequest`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TracesRequest {
    /// One entry a resource.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub resource_spans: Vec<ResourceSpans>,
}

/// `ExportLogsServiceRequest`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogsRequest {
    /// One entry a resource.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub resource_logs: Vec<ResourceLogs>,
}

/// `ResourceSpans`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceSpans {
    /// Who emitted them.
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "json::message", skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// One entry an instrumentation scope.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub scope_spans: Vec<ScopeSpans>,
    /// Schema of the resource.
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub schema_url: String,
}

/// `ResourceLogs`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceLogs {
    /// Who emitted them.
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "json::message", skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// One entry an instrumentation scope.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub scope_logs: Vec<ScopeLogs>,
    /// Schema of the resource.
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub schema_url: String,
}

/// `Resource`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resource {
    /// What describes it.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub attributes: Vec<KeyValue>,
}

/// `ScopeSpans`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScopeSpans {
    /// The instrumentation.
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "json::message", skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The spans.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub spans: Vec<Span>,
    /// Schema of the spans.
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub schema_url: String,
}

/// `ScopeLogs`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScopeLogs {
    /// The instrumentation.
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "json::message", skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The records.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub log_records: Vec<LogRecord>,
    /// Schema of the records.
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub schema_url: String,
}

/// `InstrumentationScope`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Scope {
    /// Its name.
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub name: String,
    /// Its version.
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub version: String,
}

/// `Span`, without links and the counts of what was dropped.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Span {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    #[serde(with = "json::id", skip_serializing_if = "Vec::is_empty")]
    pub trace_id: Vec<u8>,
    /// 8 bytes.
    #[prost(bytes = "vec", tag = "2")]
    #[serde(with = "json::id", skip_serializing_if = "Vec::is_empty")]
    pub span_id: Vec<u8>,
    /// W3C tracestate; `ot=th:…` is the sampling threshold.
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub trace_state: String,
    /// 8 bytes or none.
    #[prost(bytes = "vec", tag = "4")]
    #[serde(with = "json::id", skip_serializing_if = "Vec::is_empty")]
    pub parent_span_id: Vec<u8>,
    /// Its name.
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub name: String,
    /// `SpanKind`; 2 is server, 3 is client.
    #[prost(int32, tag = "6")]
    #[serde(deserialize_with = "json::span_kind", skip_serializing_if = "is_default")]
    pub kind: i32,
    /// Start, in nanoseconds since 1970.
    #[prost(fixed64, tag = "7")]
    #[serde(with = "json::nanos", skip_serializing_if = "is_default")]
    pub start_time_unix_nano: u64,
    /// End, in nanoseconds since 1970.
    #[prost(fixed64, tag = "8")]
    #[serde(with = "json::nanos", skip_serializing_if = "is_default")]
    pub end_time_unix_nano: u64,
    /// What describes it.
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub attributes: Vec<KeyValue>,
    /// What happened within it.
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub events: Vec<SpanEvent>,
    /// Whether it failed.
    #[prost(message, optional, tag = "15")]
    #[serde(deserialize_with = "json::message", skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

/// `Span.Event`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SpanEvent {
    /// When.
    #[prost(fixed64, tag = "1")]
    #[serde(with = "json::nanos", skip_serializing_if = "is_default")]
    pub time_unix_nano: u64,
    /// Its name.
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub name: String,
    /// What describes it.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub attributes: Vec<KeyValue>,
}

/// `Status`; code 2 is an error.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// What it says.
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub message: String,
    /// 0 unset, 1 ok, 2 error.
    #[prost(int32, tag = "3")]
    #[serde(deserialize_with = "json::status_code", skip_serializing_if = "is_default")]
    pub code: i32,
}

/// `LogRecord`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogRecord {
    /// When it happened.
    #[prost(fixed64, tag = "1")]
    #[serde(with = "json::nanos", skip_serializing_if = "is_default")]
    pub time_unix_nano: u64,
    /// `SeverityNumber`.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::severity", skip_serializing_if = "is_default")]
    pub severity_number: i32,
    /// The body.
    #[prost(message, optional, tag = "5")]
    #[serde(deserialize_with = "json::message", skip_serializing_if = "Option::is_none")]
    pub body: Option<AnyValue>,
    /// What describes it.
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub attributes: Vec<KeyValue>,
    /// 16 bytes or none.
    #[prost(bytes = "vec", tag = "9")]
    #[serde(with = "json::id", skip_serializing_if = "Vec::is_empty")]
    pub trace_id: Vec<u8>,
    /// 8 bytes or none.
    #[prost(bytes = "vec", tag = "10")]
    #[serde(with = "json::id", skip_serializing_if = "Vec::is_empty")]
    pub span_id: Vec<u8>,
    /// When it was observed.
    #[prost(fixed64, tag = "11")]
    #[serde(with = "json::nanos", skip_serializing_if = "is_default")]
    pub observed_time_unix_nano: u64,
    /// What kind of event it is.
    #[prost(string, tag = "12")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub event_name: String,
}

/// `KeyValue`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KeyValue {
    /// The key.
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "json::or_default", skip_serializing_if = "is_default")]
    pub key: String,
    /// The value.
    #[prost(message, optional, tag = "2")]
    #[serde(deserialize_with = "json::message", skip_serializing_if = "Option::is_none")]
    pub value: Option<AnyValue>,
}

/// `AnyValue`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AnyValue {
    /// One of the kinds, or none at all.
    #[prost(oneof = "Value", tags = "1, 2, 3, 4, 5, 6, 7")]
    pub value: Option<Value>,
}

/// The kinds of a value.
#[derive(Clone, PartialEq, prost::Oneof, Serialize)]
pub enum Value {
    /// Text.
    #[prost(string, tag = "1")]
    #[serde(rename = "stringValue")]
    String(String),
    /// True or false.
    #[prost(bool, tag = "2")]
    #[serde(rename = "boolValue")]
    Bool(bool),
    /// Whole number.
    #[prost(int64, tag = "3")]
    #[serde(rename = "intValue", serialize_with = "json::write_int")]
    Int(i64),
    /// Number.
    #[prost(double, tag = "4")]
    #[serde(rename = "doubleValue", serialize_with = "json::write_double")]
    Double(f64),
    /// List.
    #[prost(message, tag = "5")]
    #[serde(rename = "arrayValue")]
    Array(ArrayValue),
    /// Map.
    #[prost(message, tag = "6")]
    #[serde(rename = "kvlistValue")]
    KeyValueList(KeyValueList),
    /// Bytes.
    #[prost(bytes = "vec", tag = "7")]
    #[serde(rename = "bytesValue", serialize_with = "json::write_bytes")]
    Bytes(Vec<u8>),
}

/// `ArrayValue`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArrayValue {
    /// Its items.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub values: Vec<AnyValue>,
}

/// `KeyValueList`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KeyValueList {
    /// Its items.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list", skip_serializing_if = "is_default")]
    pub values: Vec<KeyValue>,
}

/// `ExportTracePartialSuccess` and `ExportLogsPartialSuccess`: their fields have the same numbers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PartialSuccess {
    /// How many spans or records were rejected.
    #[prost(int64, tag = "1")]
    pub rejected: i64,
    /// Why, for a person.
    #[prost(string, tag = "2")]
    pub error_message: String,
}

/// `ExportTraceServiceResponse` and `ExportLogsServiceResponse`: their fields have the same numbers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExportResponse {
    /// Set only when something was rejected.
    #[prost(message, optional, tag = "1")]
    pub partial_success: Option<PartialSuccess>,
}
