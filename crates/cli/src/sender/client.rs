//! One client for the three ways of sending OTLP.

use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use authstitch_otlp::Signal;
use authstitch_otlp::wire::ExportResponse;
use authstitch_service::SCHEDULE_HEADER;

use super::Target;
use super::http::HttpClient;
use crate::args::Protocol;
use crate::failure::{Failure, While};

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

#[derive(Clone)]
pub enum Client {
    Grpc(Channel),
    Http { client: Box<HttpClient>, endpoint: String, content_type: &'static str },
}

impl Client {
    /// Connects, so that a wrong address is told before anything is made.
    pub async fn connect(target: &Target) -> Result<Self, Failure> {
        let endpoint = target.endpoint.trim_end_matches('/').to_owned();
        let content_type = match target.protocol {
            Protocol::Grpc => {
                let what = format!("connect to {endpoint}");
                let channel = Endpoint::from_shared(endpoint)
                    .cannot(&what)?
                    .initial_stream_window_size(4 << 20)
                    .initial_connection_window_size(16 << 20)
                    .connect()
                    .await
                    .cannot(&what)
                    .map_err(|failure| failure.hint("is `authstitch serve` running there?"))?;
                return Ok(Self::Grpc(channel));
            }
            Protocol::HttpProtobuf => "application/x-protobuf",
            Protocol::HttpJson => "application/json",
        };
        Ok(Self::Http { client: Box::new(HttpClient::new()), endpoint, content_type })
    }

    /// Sends one request and reads its answer.
    pub async fn post(&self, signal: Signal, body: Bytes, schedule: Option<&str>) -> Answer {
        match self {
            Self::Grpc(channel) => grpc(channel.clone(), signal, body, schedule).await,
            Self::Http { client, endpoint, content_type } => {
                let path = match signal {
                    Signal::Traces => "/v1/traces",
                    Signal::Logs => "/v1/logs",
                };
                let headers = schedule.map(|schedule| (SCHEDULE_HEADER, schedule));
                match client.post(&format!("{endpoint}{path}"), content_type, body, headers).await {
                    Ok((200, answer)) => {
                        Answer::Accepted { rejected: rejected_over_http(content_type, &answer) }
                    }
                    Ok((status @ (429 | 502 | 503 | 504), _)) => {
                        Answer::Retryable(format!("HTTP status {status}"))
                    }
                    Ok((status, answer)) => {
                        Answer::Refused(format!("HTTP status {status}: {}", String::from_utf8_lossy(&answer)))
                    }
                    Err(error) => Answer::Retryable(error),
                }
            }
        }
    }
}

fn rejected_over_http(content_type: &str, answer: &[u8]) -> u64 {
    if content_type == "application/json" {
        let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
        let partial = &answer["partialSuccess"];
        let count = [&partial["rejectedSpans"], &partial["rejectedLogRecords"]]
            .into_iter()
            .find(|count| !count.is_null());
        count.and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok())).unwrap_or(0)
    } else {
        rejected(answer)
    }
}

fn rejected(answer: &[u8]) -> u64 {
    let partial = ExportResponse::decode(answer).ok().and_then(|response| response.partial_success);
    partial.map_or(0, |partial| u64::try_from(partial.rejected).unwrap_or(0))
}

async fn grpc(channel: Channel, signal: Signal, body: Bytes, schedule: Option<&str>) -> Answer {
    let path = http::uri::PathAndQuery::from_static(match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    });
    let mut client = tonic::client::Grpc::new(channel);
    if let Err(error) = client.ready().await {
        return Answer::Retryable(error.to_string());
    }
    let mut request = Request::new(body);
    if let Some(schedule) = schedule.and_then(|text| MetadataValue::try_from(text).ok()) {
        request.metadata_mut().insert(SCHEDULE_HEADER, schedule);
    }
    match client.unary(request, path, Raw).await {
        Ok(response) => Answer::Accepted { rejected: rejected(&response.into_inner()) },
        Err(status) if is_retryable(&status) => Answer::Retryable(status.to_string()),
        Err(status) => Answer::Refused(status.to_string()),
    }
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

/// A codec that leaves messages as they are: they are encoded already.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, input: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(input.copy_to_bytes(input.remaining())))
    }
}
