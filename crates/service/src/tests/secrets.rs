//! What somebody sent in any field is nowhere that this service writes or shows: a secret of its own in every field that
//! holds text or bytes, of events and of records that are none or are refused, over every protocol; then every file, page,
//! report and line of the log is searched for it, plain, as hex and as base64.
//!
//! Kept as they are, on purpose: the names and versions in [`KEPT`], which people read and which tell machines apart, not
//! persons; and a realm's attributes, where realms are configured. All else is a code, a number or a keyed hash.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

use authstitch_model::EventName;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use prost::Message;
use serde_json::{Value, json};

use super::telemetry::START;
use super::*;
use crate::{LogFormat, LogLevel, start_with_log};

/// Attributes whose texts are kept as they are.
const KEPT: [&str; 8] = [
    "auth.entry_point",
    "log.record.uid",
    "os.name",
    "user_agent.name",
    "device.model.identifier",
    "app.version",
    "service.name",
    "service.version",
];

/// Attributes that are read, and become a code, a number or a keyed hash; and some that strangers send.
const READ: [&str; 40] = [
    "auth.journey.id",
    "auth.challenge.id",
    "auth.code.id",
    "auth.flow.id",
    "session.id",
    "auth.relying_party.id",
    "auth.webauthn.mediation",
    "auth.webauthn.authenticator_attachment",
    "auth.credential.aaguid",
    "auth.credential.transports",
    "auth.reason",
    "error.type",
    "exception.type",
    "exception.message",
    "exception.stacktrace",
    "user_agent.original",
    "user_agent.version",
    "user_agent.synthetic.type",
    "telemetry.sdk.language",
    "http.request.method",
    "client.address",
    "geo.country.iso_code",
    "deployment.environment.name",
    "url.full",
    "url.query",
    "url.path",
    "http.request.header.cookie",
    "http.request.header.authorization",
    "http.response.header.location",
    "http.target",
    "http.url",
    "user.email",
    "user.id",
    "enduser.id",
    "db.query.text",
    "auth.token",
    "auth.code",
    "auth.user.id",
    "network.peer.address",
    "host.name",
];

/// Makes secrets, and remembers each with its place.
struct Secrets {
    salt: u64,
    made: Vec<(String, String)>,
}

impl Secrets {
    fn new() -> Self {
        Self { salt: RandomState::new().hash_one(0), made: Vec::new() }
    }

    /// With what all of them begin.
    fn beginning(&self) -> String {
        format!("k{:016x}z", self.salt)
    }

    /// A secret that stands at a place only.
    fn at(&mut self, place: impl Into<String>) -> String {
        let secret = format!("{}{:05}", self.beginning(), self.made.len());
        self.made.push((place.into(), secret.clone()));
        secret
    }

    fn value(&mut self, place: &str, kind: usize) -> AnyValue {
        let text = |text| AnyValue { value: Some(any_value::Value::StringValue(text)) };
        let value = match kind % 4 {
            0 => return text(self.at(place)),
            1 => any_value::Value::BytesValue(self.at(format!("{place} (bytes)")).into_bytes()),
            2 => {
                let values = vec![text(self.at(format!("{place} (list)")))];
                any_value::Value::ArrayValue(ArrayValue { values })
            }
            _ => {
                let key = self.at(format!("{place} (a map's key)"));
                let value = Some(text(self.at(format!("{place} (a map's value)"))));
                let values = vec![KeyValue { key, value, ..KeyValue::default() }];
                any_value::Value::KvlistValue(KeyValueList { values })
            }
        };
        AnyValue { value: Some(value) }
    }

    /// Every attribute with a secret, also in its name and as every kind of value.
    fn attributes(&mut self, place: &str) -> Vec<KeyValue> {
        let mut attributes = Vec::new();
        for name in READ {
            let value = match name {
                "url.full" | "http.url" => format!("https://shop.example/?token={}", self.at(name)),
                "user_agent.original" => format!("Mozilla/5.0 ({}) Chrome/126.0", self.at(name)),
                "exception.message" => format!("no such user: {}", self.at(name)),
                _ => self.at(format!("{place}: {name}")),
            };
            attributes.push(pair(name, &value));
        }
        for kind in 0..4 {
            let key = self.at(format!("{place}: an attribute's name"));
            let value = Some(self.value(place, kind));
            attributes.push(KeyValue { key, value, ..KeyValue::default() });
        }
        attributes
    }

    fn scope(&mut self) -> InstrumentationScope {
        InstrumentationScope {
            name: self.at("scope.name"),
            version: self.at("scope.version"),
            attributes: self.attributes("scope"),
            ..InstrumentationScope::default()
        }
    }

    fn resource(&mut self) -> Resource {
        let entity_refs = vec![EntityRef {
            schema_url: self.at("entity.schema_url"),
            r#type: self.at("entity.type"),
            id_keys: vec![self.at("entity.id_keys")],
            description_keys: vec![self.at("entity.description_keys")],
        }];
        Resource { attributes: self.attributes("resource"), entity_refs, ..Resource::default() }
    }

    /// One span of a name; `broken` makes it one that is rejected.
    fn span(&mut self, name: &str, nth: u8, broken: bool) -> Span {
        let start = START + u64::from(nth) * 1_000_000_000;
        let mut attributes = self.attributes("span");
        attributes.extend([pair("auth.flow", "app_qr"), pair("auth.side", "initiator")]);
        let event = |time, name: String, attributes| span::Event {
            time_unix_nano: time,
            name,
            attributes,
            ..span::Event::default()
        };
        let events = vec![
            event(start, self.at("event.name"), self.attributes("an unknown event")),
            event(start, "exception".into(), self.attributes("exception")),
            event(if broken { 0 } else { start }, "auth.page.hidden".into(), self.attributes("event")),
        ];
        let links = vec![span::Link {
            trace_id: vec![9; 16],
            span_id: vec![9; 8],
            trace_state: self.at("link.trace_state"),
            attributes: self.attributes("link"),
            ..span::Link::default()
        }];
        Span {
            trace_id: vec![nth + 1; 16],
            span_id: if broken { self.at("span_id").into_bytes() } else { vec![nth + 1; 8] },
            trace_state: format!("ot=th:8;x={}", self.at("trace_state")),
            name: name.to_owned(),
            start_time_unix_nano: start,
            end_time_unix_nano: start + 1_000_000,
            attributes,
            events,
            links,
            status: Some(Status { message: self.at("status.message"), code: 2 }),
            ..Span::default()
        }
    }

    fn traces(&mut self, spans: Vec<Span>) -> ExportTraceServiceRequest {
        let scope_spans =
            vec![ScopeSpans { scope: Some(self.scope()), spans, schema_url: self.at("scope.schema_url") }];
        let resource = Some(self.resource());
        let schema_url = self.at("resource.schema_url");
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans { resource, scope_spans, schema_url }],
        }
    }

    fn record(&mut self, name: String, broken: bool) -> LogRecord {
        let mut attributes = self.attributes("log");
        attributes.extend([pair("auth.flow", "app_qr"), pair("auth.side", "server")]);
        LogRecord {
            time_unix_nano: START,
            severity_text: self.at("severity_text"),
            body: Some(self.value("log body", self.made.len())),
            attributes,
            trace_id: if broken { self.at("trace_id").into_bytes() } else { vec![3; 16] },
            event_name: name,
            ..LogRecord::default()
        }
    }

    fn logs(&mut self, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
        let schema_url = self.at("scope.schema_url");
        let scope_logs = vec![ScopeLogs { scope: Some(self.scope()), log_records, schema_url }];
        let resource = Some(self.resource());
        let schema_url = self.at("resource.schema_url");
        ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { resource, scope_logs, schema_url }] }
    }

    /// Traces as JSON, with what the rest of OTLP may hold beside.
    fn json(&mut self, name: &str) -> Value {
        let mut attributes: Vec<Value> = READ
            .map(|name| json!({"key": name, "value": {"stringValue": self.at(format!("JSON: {name}"))}}))
            .into();
        attributes.push(json!({"key": "auth.flow", "value": {"stringValue": "app_qr"}}));
        let (unknown, named) = (self.at("JSON: an unknown field"), self.at("JSON: a field's name"));
        json!({"resourceSpans": [{
            "resource": {"attributes": attributes},
            "schemaUrl": self.at("JSON: schemaUrl"),
            "scopeSpans": [{"scope": {"name": self.at("JSON: scope")}, "spans": [{
                "traceId": "07".repeat(16), "spanId": "07".repeat(8), "name": name,
                "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + 1).to_string(),
                "traceState": self.at("JSON: traceState"), "attributes": attributes, "unknown": unknown, named: 1,
                "status": {"code": 2, "message": self.at("JSON: status")},
                "links": [{"traceState": self.at("JSON: link")}],
            }]}],
        }]})
    }
}

fn pair(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// Everything that was written or shown, by where it is.
#[derive(Default)]
struct Shown(Vec<(String, Vec<u8>)>);

impl Shown {
    fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    fn files(&mut self, when: &str, directory: &Path) {
        let mut waiting = vec![directory.to_owned()];
        while let Some(directory) = waiting.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path: PathBuf = entry.unwrap().path();
                match path.is_dir() {
                    true => waiting.push(path),
                    // A segment that is let go meanwhile is gone.
                    false => self
                        .add(format!("{when}: {}", path.display()), std::fs::read(&path).unwrap_or_default()),
                }
            }
        }
    }

    /// The first place where these bytes are, in any form.
    fn finds(&self, secret: &str) -> Option<&str> {
        let forms = forms(secret.as_bytes());
        let holds = |bytes: &[u8]| {
            let first = |form: &[u8]| {
                let ends = bytes.len().checked_sub(form.len())?;
                (0..=ends).find(|at| bytes[*at] == form[0] && bytes[*at..].starts_with(form))
            };
            forms.iter().any(|form| first(form).is_some())
        };
        self.0.iter().find(|(_, bytes)| holds(bytes)).map(|(place, _)| place.as_str())
    }
}

/// Bytes as they may be written: plain, as hex, and what of base64 is the same wherever they begin.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![bytes.to_vec(), bytes.to_ascii_uppercase(), hex.to_uppercase().into(), hex.into()];
    for skipped in 0..3 {
        let whole = &bytes[skipped..];
        forms.push(base64(&whole[..whole.len() / 3 * 3]));
    }
    forms
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let threes = bytes.as_chunks::<3>().0.iter();
    threes
        .flat_map(|[a, b, c]| {
            let number = u32::from_be_bytes([0, *a, *b, *c]);
            [18, 12, 6, 0].map(|shift| DIGITS[(number >> shift & 63) as usize])
        })
        .collect()
}

#[test]
fn a_secret_is_found_in_any_form() {
    for form in forms(b"a-secret") {
        let mut shown = Shown::default();
        shown.add("here", [b"before ", form.as_slice(), b" after"].concat());
        assert_eq!(shown.finds("a-secret"), Some("here"));
    }
    assert_eq!(base64(b"light w"), b"bGlnaHQg");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_file_page_report_or_line_of_the_log() {
    const PROTOBUF: &str = "application/x-protobuf";
    let directory = tempfile::tempdir().unwrap();
    let lines = Lines::default();
    let (collector, reported) = reports::receiver().await;
    let configured = || {
        let quick = Settings::from_yaml(
            "stitch: {idle_s: {app_qr: 1}, idle_margin_s: 1, grace_s: 1, hold_s: 1, reopen_window_s: 1}",
        );
        let settings = reports::reporting(directory.path(), collector, crate::ReportProtocol::Grpc);
        // Small, so that snapshots are made while requests come.
        let journal = Journal { snapshot_bytes: 64 << 10, ..settings.journal };
        Settings { stitch: quick.unwrap().stitch, journal, ..settings }
    };
    let log = lines.log(LogFormat::Json, LogLevel::Debug);
    let service = start_with_log(configured(), Clock::System, log.clone()).await.unwrap();
    let mut secrets = Secrets::new();
    let mut shown = Shown::default();

    // Every event there is, a record of nobody's, and ones that are rejected.
    let mut kept = secrets.span("auth.qr.shown", 200, false);
    kept.attributes.extend(KEPT.map(|name| pair(name, &format!("kept-{name}"))));
    let mut spans: Vec<Span> =
        EventName::ALL.iter().zip(0..).map(|(name, nth)| secrets.span(name.code(), nth, false)).collect();
    spans.push(kept);
    spans.push(secrets.span("auth.session.established", 201, true));
    let name = secrets.at("span.name");
    spans.push(secrets.span(&name, 202, false));
    let mut requests: Vec<Vec<u8>> = Vec::new();
    for spans in spans.chunks(8) {
        requests.push(secrets.traces(spans.to_vec()).encode_to_vec());
    }
    for body in &requests {
        let headers = [
            ("content-type", PROTOBUF),
            ("authorization", &format!("Bearer {}", secrets.at("authorization"))),
            ("cookie", &secrets.at("cookie")),
            (&secrets.at("a header's name"), &secrets.at("a header")),
            ("user-agent", &secrets.at("user-agent")),
        ];
        assert_eq!(call(service.http, "POST", "/v1/traces", &headers, body).await.status, 200);
        let framed = [&[0][..], &(body.len() as u32).to_be_bytes(), body].concat();
        let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let value = secrets.at("a header of gRPC");
        let headers = [("content-type", "application/grpc"), ("x-token", value.as_str())];
        assert_eq!(call_http2(service.grpc, "POST", export, &headers, &framed).await.status, 200);
    }
    let mut records: Vec<LogRecord> =
        EventName::ALL.iter().map(|name| secrets.record(name.code().into(), false)).collect();
    records.push(secrets.record("auth.qr.shown".into(), true));
    let name = secrets.at("event_name");
    records.push(secrets.record(name, false));
    let logs = secrets.logs(records).encode_to_vec();
    assert_eq!(post(service.http, "/v1/logs", PROTOBUF, &logs).await.status, 200);
    for name in ["auth.qr.shown", "auth.session.established"] {
        let traces = secrets.json(name).to_string();
        assert_eq!(post(service.http, "/v1/traces", "application/json", traces.as_bytes()).await.status, 200);
    }

    // What is refused as a whole.
    let garbled = format!("{{\"resourceSpans\": {}", secrets.at("malformed JSON"));
    assert_eq!(post(service.http, "/v1/traces", "application/json", garbled.as_bytes()).await.status, 400);
    let kind = secrets.at("content-type");
    assert_eq!(post(service.http, "/v1/traces", &kind, b"").await.status, 415);
    let origin = format!("https://{}.example", secrets.at("origin"));
    let headers = [("content-type", PROTOBUF), ("origin", origin.as_str())];
    assert_eq!(call(service.http, "POST", "/v1/traces", &headers, b"").await.status, 403);
    let path = format!("/v1/{}?token={}", secrets.at("path"), secrets.at("query"));
    assert_eq!(call(service.http, "POST", &path, &[], b"").await.status, 404);

    // What is shown to others than who sent it.
    service.flush().await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    service.flush().await;
    let asked = secrets.made.iter().find(|(place, _)| place == "span: auth.journey.id").unwrap().1.clone();
    let explain = json!({"key": asked}).to_string();
    let explained = post(service.web, "/api/v1/explain", "application/json", explain.as_bytes()).await;
    assert_eq!(explained.json()["journeys"].as_array().unwrap().len(), 1, "{}", explained.text());
    shown.add("explain", explained.body);
    let unknown = json!({"key": secrets.at("a key that is asked for")}).to_string();
    let answer = post(service.web, "/api/v1/explain", "application/json", unknown.as_bytes()).await;
    shown.add("explain of an unknown key", answer.body);
    let sql = json!({"sql": "SELECT * FROM journeys"}).to_string();
    let rows = post(service.web, "/api/v1/query", "application/json", sql.as_bytes()).await;
    assert!(rows.json()["rows"].as_array().unwrap().len() > 1, "{}", rows.text());
    shown.add("query", rows.body);
    for path in ["/", "/metrics", "/health/ready", "/health/live"] {
        shown.add(path, call(service.web, "GET", path, &[], b"").await.body);
    }
    shown.files("running", directory.path());
    let summary = service.stop().await;
    assert_eq!(summary.trouble, None);
    let counts = &summary.counts;
    let all = EventName::COUNT as u64 * 3;
    assert!(counts.events >= all && counts.rejected >= 3, "{} of {all}, {}", counts.events, counts.rejected);
    assert!(counts.malformed > 0 && counts.foreign_origins > 0, "{counts:?}");
    shown.files("stopped", directory.path());
    // A start reads the journal and the snapshot again.
    let service = start_with_log(configured(), Clock::System, log).await.unwrap();
    shown.files("started again", directory.path());
    service.stop().await;
    shown.add("log", lines.text());
    assert!(lines.text().contains("\"event\":\"refused\"") && lines.text().contains("snapshot_written"));
    for (_, report) in reported.lock().unwrap().iter() {
        shown.add("report", report.encode_to_vec());
        shown.add("report", format!("{report:?}"));
    }
    assert!(shown.0.iter().any(|(place, bytes)| place.contains("journal") && !bytes.is_empty()));
    assert!(shown.0.iter().any(|(place, _)| place == "report"));

    // All secrets begin alike: where that is not, none is.
    let any = shown.finds(&secrets.beginning());
    let leaks: Vec<_> = secrets
        .made
        .iter()
        .filter(|_| any.is_some())
        .filter_map(|(place, secret)| Some(format!("{place} is in {}", shown.finds(secret)?)))
        .collect();
    assert!(any.is_none() && leaks.is_empty(), "{} of {} leak: {leaks:#?}", leaks.len(), secrets.made.len());
    for name in ["auth.entry_point", "device.model.identifier", "service.name"] {
        assert!(shown.finds(&format!("kept-{name}")).is_some(), "{name} is kept, so what is kept is found");
    }
}
