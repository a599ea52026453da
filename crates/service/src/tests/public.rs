//! The listener to which browsers and phones send straight.

use std::time::Duration;

use authstitch_otlp::wire::ExportResponse;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::*;
use crate::{Origin, Public, Share, Tokens};

const PROTOBUF: &str = "application/x-protobuf";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const SHOP: &str = "https://shop.example";
const PATIENCE: Duration = Duration::from_secs(20);

async fn open(public: Public) -> (Running, SocketAddr, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings { public: Some(public), ..settings(directory.path()) };
    let service = start(settings, Clock::System).await.unwrap();
    let public = service.public.unwrap();
    (service, public, directory)
}

fn usual() -> Public {
    Public { origins: vec![Origin::parse(SHOP).unwrap()], ..Public::new() }
}

fn frame(message: &[u8]) -> Vec<u8> {
    [&[0], (message.len() as u32).to_be_bytes().as_slice(), message].concat()
}

#[tokio::test]
async fn what_a_server_claims_is_rejected_and_counted_and_the_rest_is_taken() {
    let (service, public, _directory) = open(usual()).await;
    let answer = post(public, "/v1/traces", PROTOBUF, &login("journey-public")).await;
    assert_eq!(answer.status, 200);
    let partial = ExportResponse::decode(answer.body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected, 1);
    assert!(partial.error_message.contains("public listener"), "{}", partial.error_message);
    // The same over gRPC, on the same address.
    let headers = [("content-type", "application/grpc")];
    let answer = call_http2(public, "POST", TRACES, &headers, &frame(&login("journey-phone"))).await;
    assert_eq!(answer.header("grpc-status"), Some("0"));
    let partial = ExportResponse::decode(&answer.body[5..]).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected, 1);
    // From an internal listener a server is believed.
    let answer = post(service.http, "/v1/traces", PROTOBUF, &login("journey-internal")).await;
    assert!(ExportResponse::decode(answer.body.as_slice()).unwrap().partial_success.is_none());
    let counts = service.counters();
    assert_eq!((counts.spans, counts.events, counts.rejected, counts.server_claims), (15, 13, 2, 2));
    let metrics = call(service.web, "GET", "/metrics", &[], b"").await;
    assert!(metrics.text().lines().any(|line| line == "authstitch_server_claims_total 2"));
}

#[tokio::test]
async fn a_preflight_of_a_listed_origin_is_answered_on_both_paths() {
    let mut tokens = Tokens::default();
    tokens.add("a-token-of-the-page-0").unwrap();
    let public = usual();
    let listening = Listening { tokens, ..public.listening.clone() };
    let (service, public, _directory) = open(Public { listening, ..public }).await;
    for path in ["/v1/traces", "/v1/logs"] {
        let headers = [("origin", SHOP), ("access-control-request-method", "POST")];
        let answer = call(public, "OPTIONS", path, &headers, b"").await;
        assert_eq!(answer.status, 204, "{path}");
        for (name, value) in [
            ("access-control-allow-origin", SHOP),
            ("access-control-allow-methods", "post"),
            ("access-control-allow-headers", "authorization, content-encoding, content-type"),
            ("access-control-allow-credentials", "true"),
            ("access-control-max-age", "7200"),
            ("vary", "origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
    // What follows it must show the token, and the page may read what it is answered.
    let headers = [("origin", SHOP), ("content-type", "application/json")];
    let answer = call(public, "POST", "/v1/logs", &headers, b"{}").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (401, Some(SHOP)));
    let headers = [headers[0], headers[1], ("authorization", "Bearer a-token-of-the-page-0")];
    let answer = call(public, "POST", "/v1/logs", &headers, b"{}").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(SHOP)));
    assert_eq!(answer.header("access-control-expose-headers"), Some("retry-after"));
    assert_eq!(service.counters().requests, 1);
}

#[tokio::test]
async fn a_page_of_another_origin_may_not_send_and_is_told_nothing_by_cors() {
    let (service, public, _directory) = open(usual()).await;
    for origin in ["https://evil.example", "http://shop.example", "https://shop.example:444", "null"] {
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        let sent = [("origin", origin), ("content-type", "application/json")];
        for (method, headers) in [("OPTIONS", preflight), ("POST", sent)] {
            let answer = call(public, method, "/v1/traces", &headers, b"{}").await;
            assert_eq!(answer.status, 403, "{method} {origin}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
            assert!(answer.json()["message"].as_str().unwrap().contains("listeners.public.origins"));
        }
    }
    // A program names none, and OPTIONS without an origin asks for nothing.
    assert_eq!(post(public, "/v1/traces", PROTOBUF, b"").await.status, 200);
    assert_eq!(call(public, "OPTIONS", "/v1/traces", &[], b"").await.status, 405);
    assert_eq!(service.counters().foreign_origins, 8);
    // An internal listener is for no page at all, nor is gRPC a way around.
    let headers = [("origin", SHOP), ("access-control-request-method", "POST"), ("content-type", PROTOBUF)];
    for method in ["OPTIONS", "POST"] {
        assert_eq!(call(service.http, method, "/v1/traces", &headers, b"").await.status, 403, "{method}");
    }
    let headers = [("origin", "https://evil.example"), ("content-type", "application/grpc")];
    for to in [public, service.grpc] {
        let answer = call_http2(to, "POST", TRACES, &headers, &frame(b"")).await;
        assert_eq!(answer.header("grpc-status"), Some("7"));
    }
    assert_eq!(service.counters().foreign_origins, 12);
    assert_eq!(service.counters().requests, 1);
}

#[tokio::test]
async fn an_address_and_an_origin_have_their_shares_of_bytes_and_the_rest_goes_on() {
    let body = login("journey-shares");
    let narrow = |bytes| Share { connections: 9, requests_in_flight: 9, bytes };
    let (few, many) = (narrow(body.len() - 1), narrow(1 << 20));
    for (per_address, per_origin, who) in [(few, many, "client address"), (many, few, "origin")] {
        let (service, public, _directory) = open(Public { per_address, per_origin, ..usual() }).await;
        let headers = [("origin", SHOP), ("content-type", "application/json")];
        let headers_of_bytes = [headers[0], ("content-type", PROTOBUF)];
        let answer = call(public, "POST", "/v1/traces", &headers_of_bytes, &body).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")), "{who}");
        let message = crate::refusal::RpcStatus::decode(answer.body.as_slice()).unwrap().message;
        assert!(message.starts_with(&format!("this {who} has its share")), "{message}");
        assert_eq!(call(public, "POST", "/v1/traces", &headers, b"{}").await.status, 200, "room comes back");
        assert_eq!(post(service.http, "/v1/traces", PROTOBUF, &body).await.status, 200, "others go on");
    }
}

#[tokio::test]
async fn an_address_has_its_share_of_connections() {
    let per_address = Share { connections: 2, ..crate::caps::ADDRESS_SHARE };
    let (service, public, _directory) = open(Public { per_address, ..usual() }).await;
    let first = TcpStream::connect(public).await.unwrap();
    let _second = TcpStream::connect(public).await.unwrap();
    let mut third = TcpStream::connect(public).await.unwrap();
    let mut answer = Vec::new();
    let closed = timeout(PATIENCE, third.read_to_end(&mut answer)).await;
    assert!(closed.is_ok() && answer.is_empty(), "it is closed at once");
    assert_eq!(service.counters().crowded_out, 1);
    drop(first);
    // The server hears of the end a little later.
    let again = async {
        loop {
            sleep(Duration::from_millis(20)).await;
            let mut stream = TcpStream::connect(public).await.unwrap();
            let head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            let mut answer = Vec::new();
            if stream.write_all(head).await.is_ok()
                && stream.read_to_end(&mut answer).await.is_ok()
                && answer.starts_with(b"HTTP/1.1 415 ")
            {
                return;
            }
        }
    };
    assert!(timeout(PATIENCE, again).await.is_ok(), "a place came free");
}

#[tokio::test]
async fn a_public_request_has_a_bound_of_its_own() {
    let (service, public, _directory) = open(Public { request_bytes: 1024, ..usual() }).await;
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    for answer in [
        post(public, "/v1/traces", PROTOBUF, &[0; 1025]).await,
        call(public, "POST", "/v1/traces", &headers, &gzip(&[0; 1025])).await,
    ] {
        assert_eq!(answer.status, 413);
    }
    assert_eq!(post(service.http, "/v1/traces", PROTOBUF, &[0; 1025]).await.status, 400);
}
