//! What the service tells of itself: its log, and reports of its numbers over OTLP.

use std::fmt;
use std::time::Duration;

use authstitch_model::document::{Fields, quoted};
use http::{HeaderName, HeaderValue, Uri};

use crate::caps;
use crate::log::{LogFormat, LogLevel};

/// What is logged, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logging {
    /// How lines look.
    pub format: LogFormat,
    /// The least grave events that are told.
    pub level: LogLevel,
}

/// Where the service's own numbers are sent, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// `http://HOST:PORT`; over HTTP `/v1/metrics` is added where there is no path.
    pub endpoint: Uri,
    /// By which protocol.
    pub protocol: ReportProtocol,
    /// Time from report to report.
    pub interval: Duration,
    /// Headers of each report.
    pub headers: Headers,
}

/// How reports are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportProtocol {
    /// OTLP over gRPC.
    #[default]
    Grpc,
    /// OTLP over HTTP, as protobuf.
    HttpProtobuf,
}

/// Headers, whose values nobody is shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(HeaderName, HeaderValue)>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

pub(super) fn logging(fields: &Fields<'_>) -> Logging {
    let default = Logging::default();
    let format = fields.parsed("format", "text or json", default.format, |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    });
    let level = fields.parsed("level", "error, warn, info or debug", default.level, LogLevel::parse);
    Logging { format, level }
}

/// None without an endpoint.
pub(super) fn telemetry(fields: &Fields<'_>) -> Option<Telemetry> {
    const ACCEPTED: &str = "http://HOST:PORT, such as http://127.0.0.1:14317; where TLS is wanted, that of a Collector beside authstitch";
    let endpoint = fields.parsed("endpoint", ACCEPTED, None, |text| {
        let uri: Uri = text.parse().ok()?;
        let usable = uri.scheme_str() == Some("http") && uri.port().is_some() && uri.query().is_none();
        usable.then_some(Some(uri))
    });
    let protocol =
        fields.parsed("protocol", "grpc or http/protobuf", ReportProtocol::default(), |text| match text {
            "grpc" => Some(ReportProtocol::Grpc),
            "http/protobuf" => Some(ReportProtocol::HttpProtobuf),
            _ => None,
        });
    let usual = caps::REPORT_INTERVAL.as_secs();
    let interval = Duration::from_secs(fields.integer("interval_seconds", 1..=86_400, usual));
    let headers = headers(fields);
    endpoint.map(|endpoint| Telemetry { endpoint, protocol, interval, headers })
}

fn headers(fields: &Fields<'_>) -> Headers {
    let Some(value) = fields.get("headers") else { return Headers::default() };
    let Some(map) = value.as_object().filter(|map| map.len() <= caps::REPORT_HEADERS) else {
        let message = format!("is not a map of at most {} names of headers to texts", caps::REPORT_HEADERS);
        fields.problem("headers", message);
        return Headers::default();
    };
    let read = |(name, value): (&String, &serde_json::Value)| {
        let header = name.parse().ok().zip(value.as_str().and_then(|value| value.parse().ok()));
        if header.is_none() {
            // The value may be a token, and is not shown.
            fields.problem(
                "headers",
                format!("{} and its value are no header; accepted: visible ASCII texts", quoted(name)),
            );
        }
        header
    };
    Headers(map.iter().filter_map(read).collect())
}
