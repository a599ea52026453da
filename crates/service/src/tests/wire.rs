//! gRPC and HTTP as they lie on the wire, beyond what tonic's client sends.

use authstitch_otlp::wire::ExportResponse;
use prost::Message;

use super::*;

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const PROTOBUF: &str = "application/x-protobuf";

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag], (message.len() as u32).to_be_bytes().as_slice(), message].concat()
}

async fn grpc(to: SocketAddr, path: &str, more: &[(&str, &str)], body: &[u8]) -> client::Answer {
    let headers = [&[("content-type", "application/grpc"), ("te", "trailers")], more].concat();
    call_http2(to, "POST", path, &headers, body).await
}

#[tokio::test]
async fn grpc_takes_zstd_and_says_what_it_takes() {
    let (service, _directory) = running(Clock::System).await;
    let packed = framed(1, &zstd(&login("journey-zstd")));
    let answer = grpc(service.grpc, TRACES, &[("grpc-encoding", "zstd")], &packed).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("0")));
    assert_eq!(ExportResponse::decode(&answer.body[5..]).unwrap(), ExportResponse::default());
    assert_eq!(service.counters().events, 5);
    let answer = grpc(service.grpc, TRACES, &[("grpc-encoding", "snappy")], &packed).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("12")));
    assert_eq!(answer.header("grpc-accept-encoding"), Some("identity, gzip, zstd"));
}

#[tokio::test]
async fn a_message_above_the_bound_is_exhausted_and_never_out_of_range() {
    let directory = tempfile::tempdir().unwrap();
    let limits = crate::Limits { request_bytes: 4096, queue_bytes: 1 << 20, ..crate::Limits::default() };
    let service = start(Settings { limits, ..settings(directory.path()) }, Clock::System).await.unwrap();
    for (encoding, body) in [
        ("identity", framed(0, &[0; 4097])),
        ("identity", framed(0, &[0; 100_000])),
        ("gzip", framed(1, &gzip(&[0; 4097]))),
        ("zstd", framed(1, &zstd(&[0; 4097]))),
    ] {
        let answer = grpc(service.grpc, TRACES, &[("grpc-encoding", encoding)], &body).await;
        assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("8")), "{encoding}");
        assert_eq!(answer.header("grpc-status-details-bin"), None, "without RetryInfo it is final");
    }
}

#[tokio::test]
async fn other_signals_are_told_where_to_go() {
    let (service, _directory) = running(Clock::System).await;
    for (path, signal) in [
        ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "metrics"),
        ("/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", "profiles"),
    ] {
        let answer = grpc(service.grpc, path, &[], &framed(0, b"")).await;
        assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("12")), "{signal}");
        let message = answer.header("grpc-message").unwrap();
        assert!(message.contains(&format!("send%20{signal}%20where")), "{message}");
    }
    for (path, signal) in [("/v1/metrics", "metrics"), ("/v1development/profiles", "profiles")] {
        let answer = post(service.http, path, "application/json", b"{}").await;
        assert_eq!(answer.status, 404);
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("send {signal} where")), "{message}");
    }
}

#[tokio::test]
async fn a_call_is_a_post_of_protobuf_messages() {
    let (service, _directory) = running(Clock::System).await;
    let headers = [("content-type", "application/grpc")];
    let answer = call_http2(service.grpc, "GET", TRACES, &headers, b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    for kind in ["application/grpc+json", "application/grpc-web+proto", "text/plain"] {
        let answer = call_http2(service.grpc, "POST", TRACES, &[("content-type", kind)], b"").await;
        assert_eq!(answer.status, 415, "{kind}");
    }
    let headers = [("content-type", "application/grpc+proto")];
    let answer = call_http2(service.grpc, "POST", TRACES, &headers, &framed(0, b"")).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("0")));
}

#[tokio::test]
async fn otlp_over_http_is_taken_over_http2_too() {
    let (service, _directory) = running(Clock::System).await;
    let headers = [("content-type", PROTOBUF)];
    let answer = call_http2(service.http, "POST", "/v1/traces", &headers, &login("journey-http2")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(PROTOBUF)));
    assert_eq!(service.counters().events, 5);
}

#[tokio::test]
async fn json_is_read_as_the_specification_says() {
    let (service, _directory) = running(Clock::System).await;
    // Upper-case ids, times as a number and as a text, enums as numbers, bytes as base64, fields of tomorrow.
    let span = r#"{"name": "auth.qr.shown", "traceId": "5B8EFFF798038103D269B633813FC60C", "kind": 2,
        "spanId": "eee19b7ec3c1b174", "startTimeUnixNano": 1767225600000000000, "tomorrow": {"a": [1]},
        "endTimeUnixNano": "1767225600000000001", "status": {"code": 2}, "flags": 257,
        "attributes": [{"key": "auth.journey.id", "value": {"stringValue": "journey-json"}},
            {"key": "n", "value": {"intValue": "7"}}, {"key": "b", "value": {"bytesValue": "AAE="}}]}"#;
    let body = format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}]}}]}}], "later": true}}"#);
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"] {
        let answer = post(service.http, "/v1/traces", kind, body.as_bytes()).await;
        assert_eq!((answer.status, answer.text()), (200, "{}"), "{kind}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    assert_eq!(service.counters().events, 3);
}
