//! One client for the three ways of sending OTLP.

use std::path::{Path, PathBuf};

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName, TE};
use http::{HeaderMap, HeaderValue, Uri};
use prost::Message;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::{Code, Status};

use authstitch_otlp::Signal;
use authstitch_otlp::wire::ExportResponse;
use authstitch_service::SCHEDULE_HEADER;

use super::http::{Answered, HttpClient, Version};
use crate::args::Protocol;
use crate::failure::{Failure, While};

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// As `http://127.0.0.1:4317`.
    pub endpoint: String,
    /// How they are sent.
    pub protocol: Protocol,
    /// What is sent beside each.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whose certificates are trusted (PEM).
    pub tls_ca: Option<PathBuf>,
}

impl Target {
    /// An endpoint without anything special.
    pub const fn new(endpoint: String, protocol: Protocol) -> Self {
        Self { endpoint, protocol, headers: Vec::new(), tls_ca: None }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken, but for so many records.
    Accepted { rejected: u64 },
    /// Not taken; it may be sent again.
    Retryable(String),
    /// Not taken, and sending it again does not help.
    Refused(String),
}

/// A connected client.
#[derive(Clone, Debug)]
pub struct Client {
    http: HttpClient,
    protocol: Protocol,
    traces: Uri,
    logs: Uri,
    headers: HeaderMap,
}

impl Client {
    /// Connects once, so that a wrong address is told before anything is made.
    pub async fn connect(target: &Target) -> Result<Self, Failure> {
        let endpoint = target.endpoint.trim_end_matches('/');
        let what = format!("connect to {endpoint}");
        let (traces, logs, content_type, version) = match target.protocol {
            Protocol::Grpc => (
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
                "application/grpc",
                Version::Http2,
            ),
            Protocol::HttpProtobuf => ("/v1/traces", "/v1/logs", "application/x-protobuf", Version::Http1),
            Protocol::HttpJson => ("/v1/traces", "/v1/logs", "application/json", Version::Http1),
        };
        let uri = |path: &str| format!("{endpoint}{path}").parse::<Uri>().cannot(&what);
        let (traces, logs) = (uri(traces)?, uri(logs)?);
        reach(&traces)
            .await
            .cannot(&what)
            .map_err(|failure| failure.hint("is `authstitch serve` running there?"))?;
        let mut headers: HeaderMap = target.headers.iter().cloned().collect();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if target.protocol == Protocol::Grpc {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        let http = HttpClient::new(version, roots(endpoint, target.tls_ca.as_deref())?)?;
        Ok(Self { http, protocol: target.protocol, traces, logs, headers })
    }

    /// Sends one request and reads its answer.
    pub async fn post(&self, signal: Signal, body: Bytes, schedule: Option<&str>) -> Answer {
        let uri = match signal {
            Signal::Traces => self.traces.clone(),
            Signal::Logs => self.logs.clone(),
        };
        let mut headers = self.headers.clone();
        if let Some(schedule) = schedule.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(SCHEDULE_HEADER, schedule);
        }
        let before = if self.protocol == Protocol::Grpc { frame_head(body.len()) } else { Bytes::new() };
        match (self.http.post(uri, headers, before, body).await, self.protocol) {
            (Err(error), _) => Answer::Retryable(error),
            (Ok(answered), Protocol::Grpc) => grpc(&answered),
            (Ok(answered), protocol) => http(&answered, protocol),
        }
    }
}

/// Whether anything listens there.
async fn reach(uri: &Uri) -> std::io::Result<()> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    tokio::net::TcpStream::connect((host, port)).await.map(drop)
}

/// The certificates that are trusted: those of the file, and no others.
pub fn roots(endpoint: &str, tls_ca: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    let Some(path) = tls_ca else {
        return if endpoint.starts_with("https:") {
            Err(Failure::usage(format!("{endpoint} wants TLS"))
                .hint("name the certificate to trust: --tls-ca FILE (PEM)"))
        } else {
            Ok(roots)
        };
    };
    let what = format!("read the certificates of {}", path.display());
    for certificate in CertificateDer::pem_file_iter(path).cannot(&what)? {
        roots.add(certificate.cannot(&what)?).cannot(&what)?;
    }
    if roots.is_empty() {
        return Err(Failure::new(format!("{} holds no certificate", path.display())).hint("accepted: PEM"));
    }
    Ok(roots)
}

/// The bytes before a gRPC message: it is not packed, and so long.
fn frame_head(length: usize) -> Bytes {
    let mut head = BytesMut::with_capacity(5);
    head.put_u8(0);
    head.put_u32(length as u32);
    head.freeze()
}

/// The message behind its five bytes.
fn grpc(answered: &Answered) -> Answer {
    let status = answered.trailers.as_ref().and_then(Status::from_header_map);
    let status = status.or_else(|| Status::from_header_map(&answered.headers));
    match status {
        Some(status) if status.code() == Code::Ok => {
            Answer::Accepted { rejected: rejected(answered.body.get(5..).unwrap_or_default()) }
        }
        Some(status) if is_retryable(&status) => Answer::Retryable(status.to_string()),
        Some(status) => Answer::Refused(status.to_string()),
        None => http_error(answered),
    }
}

fn http(answered: &Answered, protocol: Protocol) -> Answer {
    if answered.status != http::StatusCode::OK {
        return http_error(answered);
    }
    let json = protocol == Protocol::HttpJson;
    Answer::Accepted {
        rejected: if json { rejected_in_json(&answered.body) } else { rejected(&answered.body) },
    }
}

fn http_error(answered: &Answered) -> Answer {
    let told = format!("HTTP status {}", answered.status.as_u16());
    match answered.status.as_u16() {
        429 | 502 | 503 | 504 => Answer::Retryable(told),
        _ => Answer::Refused(format!("{told}: {}", String::from_utf8_lossy(&answered.body))),
    }
}

fn rejected_in_json(answer: &[u8]) -> u64 {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let partial = &answer["partialSuccess"];
    let count = [&partial["rejectedSpans"], &partial["rejectedLogRecords"]]
        .into_iter()
        .find(|count| !count.is_null());
    count.and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok())).unwrap_or(0)
}

fn rejected(answer: &[u8]) -> u64 {
    let partial = ExportResponse::decode(answer).ok().and_then(|response| response.partial_success);
    partial.map_or(0, |partial| u64::try_from(partial.rejected).unwrap_or(0))
}

/// The codes that OTLP calls retryable; `RESOURCE_EXHAUSTED` only with details that say when to come back.
fn is_retryable(status: &Status) -> bool {
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted => !status.details().is_empty(),
        _ => false,
    }
}
