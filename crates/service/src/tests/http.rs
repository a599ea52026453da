use authstitch_otlp::wire::ExportResponse;
use expect_test::expect;
use prost::Message;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::telemetry::{log_json, request, spans_of_login};
use super::*;
use crate::Limits;
use crate::refusal::{BadRequest, RpcStatus};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[tokio::test]
async fn protobuf_and_json_plain_and_packed_are_taken_and_answered_in_their_encoding() {
    let (service, _directory) = running(Clock::System).await;
    let answer = post(service.http, "/v1/traces", PROTOBUF, &login("journey-protobuf")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(PROTOBUF)));
    assert_eq!(ExportResponse::decode(answer.body.as_slice()).unwrap(), ExportResponse::default());

    let json = log_json("auth.qr.shown", "journey-json");
    let answer = post(service.http, "/v1/logs", "application/json; charset=utf-8", &json).await;
    assert_eq!((answer.status, answer.header("content-type"), answer.text()), (200, Some(JSON), "{}"));

    let bytes = login("journey-packed");
    for (packing, packed) in [("gzip", gzip(&bytes)), ("zstd", zstd(&bytes))] {
        let headers = [("content-type", PROTOBUF), ("content-encoding", packing)];
        let answer = call(service.http, "POST", "/v1/traces", &headers, &packed).await;
        assert_eq!(answer.status, 200, "{}", answer.head);
    }

    let counts = service.counters();
    assert_eq!((counts.requests, counts.spans, counts.log_records, counts.events), (4, 15, 1, 16));
    assert_eq!(counts.request_bytes as usize, login("journey-protobuf").len() + json.len() + 2 * bytes.len());
}

#[tokio::test]
async fn an_empty_request_is_fine() {
    let (service, _directory) = running(Clock::System).await;
    let answer = post(service.http, "/v1/traces", PROTOBUF, b"").await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(post(service.http, "/v1/logs", JSON, b"{}").await.status, 200);
}

#[tokio::test]
async fn one_bad_span_is_rejected_and_the_rest_is_kept() {
    let (service, _directory) = running(Clock::System).await;
    let mut spans = spans_of_login("journey-partial");
    spans[1].trace_id = vec![1; 3];
    let answer = post(service.http, "/v1/traces", PROTOBUF, &request(spans).encode_to_vec()).await;
    assert_eq!(answer.status, 200);
    let partial = ExportResponse::decode(answer.body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected, 1);
    assert!(!partial.error_message.is_empty());
    let counts = service.counters();
    assert_eq!((counts.events, counts.rejected), (4, 1));
}

#[tokio::test]
async fn a_partial_success_in_json_counts_as_a_text() {
    let (service, _directory) = running(Clock::System).await;
    let name = serde_json::json!({"name": "auth.qr.shown", "traceId": "0102", "spanId": "0102030405060708",
        "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225600000000000",
        "attributes": [{"key": "auth.journey.id", "value": {"stringValue": "journey-json-partial"}}]});
    let body = serde_json::json!({"resourceSpans": [{"scopeSpans": [{"spans": [name]}]}]}).to_string();
    let answer = post(service.http, "/v1/traces", JSON, body.as_bytes()).await;
    assert_eq!((answer.status, &answer.json()["partialSuccess"]["rejectedSpans"]), (200, &"1".into()));
}

#[tokio::test]
async fn malformed_bodies_get_a_status_in_their_encoding() {
    let (service, _directory) = running(Clock::System).await;
    let answer = post(service.http, "/v1/traces", PROTOBUF, b"\x0a\xff\xff\xff").await;
    assert_eq!((answer.status, answer.header("content-type")), (400, Some(PROTOBUF)));
    let status = RpcStatus::decode(answer.body.as_slice()).unwrap();
    assert_eq!((status.code, status.message.is_empty()), (3, false));
    let described = BadRequest::decode(status.details[0].value.as_slice()).unwrap();
    assert_eq!(described.field_violations[0].description, status.message);
    for body in ["", "[", "{\"resourceLogs\": 3}"] {
        let answer = post(service.http, "/v1/logs", JSON, body.as_bytes()).await;
        assert_eq!((answer.status, answer.header("content-type")), (400, Some(JSON)), "{body}");
        assert_eq!(answer.json()["code"], 3);
    }
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    let answer = call(service.http, "POST", "/v1/traces", &headers, b"not gzip").await;
    assert_eq!(answer.status, 400);
    assert_eq!(service.counters().malformed, 5);
}

#[tokio::test]
async fn what_is_not_accepted_says_what_is() {
    let (service, _directory) = running(Clock::System).await;
    let mut said = String::new();
    for (method, path, kind, packing) in [
        ("POST", "/v1/metrics", PROTOBUF, "identity"),
        ("POST", "/v1development/profiles", JSON, "identity"),
        ("POST", "/traces", PROTOBUF, "identity"),
        ("GET", "/v1/traces", PROTOBUF, "identity"),
        ("POST", "/v1/traces", "text/plain", "identity"),
        ("POST", "/v1/traces", "application/grpc", "identity"),
        ("POST", "/v1/traces", PROTOBUF, "snappy"),
    ] {
        let headers = [("content-type", kind), ("content-encoding", packing)];
        let answer = call(service.http, method, path, &headers, b"").await;
        // An error is in the request's encoding where it has one, else in JSON.
        let status = match answer.header("content-type") {
            Some(PROTOBUF) if kind == PROTOBUF => RpcStatus::decode(answer.body.as_slice()).unwrap().message,
            Some(JSON) if kind != PROTOBUF => answer.json()["message"].as_str().unwrap().to_owned(),
            other => panic!("{other:?} for {kind}"),
        };
        said += &format!("{} {status}\n", answer.status);
        assert_eq!(answer.header("allow"), (answer.status == 405).then_some("post"));
        assert_eq!(answer.header("accept-encoding"), (packing == "snappy").then_some("identity, gzip, zstd"));
    }
    let answer = call(service.http, "POST", "/v1/traces", &[], b"").await;
    said += &format!("{} {}\n", answer.status, answer.json()["message"]);
    expect![[r#"
        404 authstitch takes traces and logs, and no metrics; send metrics where yours are kept, by an exporter or a Collector pipeline of their own
        404 authstitch takes traces and logs, and no profiles; send profiles where yours are kept, by an exporter or a Collector pipeline of their own
        404 there is nothing at /traces; accepted: POST /v1/traces, POST /v1/logs
        405 GET is not accepted here; accepted: POST
        415 content-type `text/plain` is not accepted; accepted: application/x-protobuf, application/json
        415 this address takes OTLP over HTTP; OTLP over gRPC has an address of its own, port 4317 by default
        415 content-encoding `snappy` is not accepted; accepted: identity, gzip, zstd
        415 "content-type is missing; accepted: application/x-protobuf, application/json"
    "#]]
    .assert_eq(&said);
    assert_eq!(service.counters().requests, 0);
}

#[tokio::test]
async fn too_large_is_refused_packed_or_not_announced_or_not() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { request_bytes: 4096, queue_bytes: 1 << 20, ..Limits::default() };
    let service = start(Settings { limits, ..settings(directory.path()) }, Clock::System).await.unwrap();
    let large = vec![0; 4097];
    let answer = post(service.http, "/v1/traces", PROTOBUF, &large).await;
    assert_eq!(answer.status, 413);
    assert_eq!(RpcStatus::decode(answer.body.as_slice()).unwrap().code, 8);
    let headers = [("content-type", JSON), ("content-encoding", "gzip")];
    let answer = call(service.http, "POST", "/v1/traces", &headers, &gzip(&large)).await;
    assert_eq!((answer.status, answer.json()["code"].as_i64()), (413, Some(8)));
    // Without a length beforehand, in one chunk.
    let headers = [("content-type", PROTOBUF), ("transfer-encoding", "chunked")];
    let chunk = [b"1001\r\n".as_slice(), &large, b"\r\n0\r\n\r\n"].concat();
    let answer = call(service.http, "POST", "/v1/traces", &headers, &chunk).await;
    assert_eq!(answer.status, 413);
    // Far more than fits into the sockets: the answer arrives all the same.
    let answer = post(service.http, "/v1/traces", PROTOBUF, &vec![0; 32 << 20]).await;
    assert_eq!(answer.status, 413);
    assert_eq!(service.counters().malformed, 4);
}

#[tokio::test]
async fn a_body_that_breaks_off_harms_nothing() {
    let (service, _directory) = running(Clock::System).await;
    let mut stream = TcpStream::connect(service.http).await.unwrap();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: {PROTOBUF}\r\ncontent-length: 100\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"short").await.unwrap();
    drop(stream);
    assert_eq!(post(service.http, "/v1/traces", PROTOBUF, &login("journey-after")).await.status, 200);
    assert_eq!(service.counters().events, 5);
}
