use ::http::uri::PathAndQuery;
use authstitch_otlp::wire::ExportResponse;
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::telemetry::{request, spans_of_login};
use super::*;
use crate::Limits;
use crate::refusal::{RetryInfo, RpcStatus};

pub(super) const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// Messages as the bytes they are.
#[derive(Clone, Copy, Default)]
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

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining())))
    }
}

/// A call by tonic's own client.
pub(super) async fn export(
    to: SocketAddr,
    path: &'static str,
    message: Vec<u8>,
    packing: Option<CompressionEncoding>,
) -> Result<ExportResponse, Status> {
    let channel = Channel::from_shared(format!("http://{to}")).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    if let Some(packing) = packing {
        client = client.send_compressed(packing);
    }
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static(path);
    let answer = client.unary(Request::new(Bytes::from(message)), path, Raw).await?;
    Ok(ExportResponse::decode(answer.into_inner()).unwrap())
}

#[tokio::test]
async fn traces_and_logs_are_taken_plain_and_packed() {
    let (service, _directory) = running(Clock::System).await;
    let answer = export(service.grpc, TRACES, login("journey-grpc"), None).await.unwrap();
    assert_eq!(answer, ExportResponse::default());
    let packed = export(service.grpc, TRACES, login("journey-packed"), Some(CompressionEncoding::Gzip)).await;
    assert_eq!(packed.unwrap(), ExportResponse::default());
    assert_eq!(export(service.grpc, LOGS, Vec::new(), None).await.unwrap(), ExportResponse::default());
    let counts = service.counters();
    assert_eq!((counts.requests, counts.spans, counts.events), (3, 10, 10));
}

#[tokio::test]
async fn partial_success_says_how_many_and_why() {
    let (service, _directory) = running(Clock::System).await;
    let mut spans = spans_of_login("journey-partial");
    spans[0].span_id = Vec::new();
    let answer = export(service.grpc, TRACES, request(spans).encode_to_vec(), None).await.unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!((partial.rejected, partial.error_message.is_empty()), (1, false));
}

#[tokio::test]
async fn what_is_not_taken_has_its_code() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { request_bytes: 4096, queue_bytes: 1 << 20, ..Limits::default() };
    let service = start(Settings { limits, ..settings(directory.path()) }, Clock::System).await.unwrap();
    let code = async |path, message: Vec<u8>, packing| {
        export(service.grpc, path, message, packing).await.unwrap_err().code()
    };
    let metrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    assert_eq!(code(metrics, Vec::new(), None).await, Code::Unimplemented);
    assert_eq!(code("/made.up/Call", Vec::new(), None).await, Code::Unimplemented);
    assert_eq!(code(TRACES, b"\x0a\xff\xff\xff".to_vec(), None).await, Code::InvalidArgument);
    assert_eq!(code(TRACES, vec![0; 4097], None).await, Code::ResourceExhausted);
    assert_eq!(
        code(TRACES, vec![0; 1 << 20], Some(CompressionEncoding::Gzip)).await,
        Code::ResourceExhausted
    );
    let large = export(service.grpc, TRACES, vec![0; 4097], None).await.unwrap_err();
    assert!(large.details().is_empty(), "nothing tells the client to try the same again");
}

#[tokio::test]
async fn a_full_queue_is_unavailable_and_says_when_to_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { queue_bytes: 64, ..Limits::default() };
    let service = start(Settings { limits, ..settings(directory.path()) }, Clock::System).await.unwrap();
    let refused = export(service.grpc, TRACES, login("journey-full"), None).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let status = RpcStatus::decode(refused.details()).unwrap();
    assert_eq!(status.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    let retry = RetryInfo::decode(status.details[0].value.as_slice()).unwrap();
    assert_eq!(retry.retry_delay.unwrap().seconds, 1);
    assert_eq!(service.counters().turned_away, 1);
}

#[tokio::test]
async fn http_on_the_grpc_address_is_told_where_to_go() {
    let (service, _directory) = running(Clock::System).await;
    let answer = post(service.grpc, "/v1/traces", "application/x-protobuf", b"").await;
    assert_eq!(answer.status, 415);
    assert!(answer.text().contains("4318"), "{}", answer.text());
}
