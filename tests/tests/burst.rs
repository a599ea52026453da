//! Ten times as much as a server has room for, at once and over gRPC, into the real process: it says who is to come again,
//! its memory stays far below what was sent, and what was acknowledged is stored.

use std::fs;
use std::sync::Arc;

use authstitch_otlp::wire::{AnyValue, KeyValue, ResourceSpans, ScopeSpans, Span, TracesRequest, Value};
use authstitch_tests::{Serve, journeys, path};
use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::Barrier;

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Requests that the server has room for, and ten times as many, so often.
const ROOM: usize = 8;
const BURST: usize = 10 * ROOM;
const ROUNDS: usize = 8;

/// Spans beside those of a login, with some five hundred bytes each: a request has half a megabyte.
const OTHER_SPANS: usize = 1000;

/// Memory of the server: what it has when nothing is sent, its queue's bound, and what its sockets hold of a burst before
/// it reads it. More than three times as much is sent.
const MEMORY_BYTES: u64 = 96 << 20;

const CONFIGURATION: &str = "
stitch: {grace_s: 1, reopen_window_s: 1}
limits: {requests_in_flight: 8, request_bytes: 1048576, queue_bytes: 8388608}
";

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::String(value.into())) }) }
}

/// The trace of a login.
fn trace(nth: u64) -> [u8; 16] {
    (u128::from(nth) << 64 | 0xabcd).to_be_bytes()
}

/// A login among spans that are of none, in a frame of gRPC.
fn message(nth: u64) -> Bytes {
    let span = |name: &str, step: u64, attributes| Span {
        trace_id: trace(nth).to_vec(),
        span_id: (step + 1).to_be_bytes().to_vec(),
        name: name.into(),
        start_time_unix_nano: 1_767_225_600_000_000_000 + step * 1_000_000,
        end_time_unix_nano: 1_767_225_600_000_000_000 + step * 1_000_000,
        attributes,
        ..Span::default()
    };
    let journey = format!("journey-{nth:08}");
    let steps = [("auth.qr.shown", "initiator"), ("auth.session.established", "initiator")];
    let of_login = steps.iter().zip(0..).map(|((name, side), step)| {
        let attributes = [("auth.flow", "app_qr"), ("auth.side", side), ("auth.journey.id", &journey)];
        span(name, step, attributes.map(|(key, value)| text(key, value)).to_vec())
    });
    let filler = "x".repeat(450);
    let others =
        (10..10 + OTHER_SPANS as u64).map(|step| span("GET /", step, vec![text("url.full", &filler)]));
    let scope_spans = vec![ScopeSpans { spans: of_login.chain(others).collect(), ..ScopeSpans::default() }];
    let request =
        TracesRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(request.encoded_len() as u32);
    request.encode(&mut framed).expect("it grows as it needs");
    framed.freeze()
}

/// Sends a message over a connection of its own, at the same time as all others; gives the status of gRPC, and its details.
async fn send(address: String, message: Bytes, all: Arc<Barrier>) -> (String, String) {
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("it speaks HTTP/2");
    let connection = tokio::spawn(connection);
    let request = http::Request::post(format!("http://localhost{TRACES}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(message))
        .expect("a request");
    all.wait().await;
    let (head, body) = sender.send_request(request).await.expect("it answers").into_parts();
    let body = body.collect().await.expect("to the end");
    let header = |name: &str| {
        let of_trailers = body.trailers().and_then(|trailers| trailers.get(name));
        let value = head.headers.get(name).or(of_trailers);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    connection.abort();
    (header("grpc-status"), header("grpc-status-details-bin"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_leaves_the_memory_within_its_bound_and_what_is_acknowledged_is_stored() {
    let directory = tempfile::tempdir().expect("a directory");
    let (data, config) = (directory.path().join("data"), path(directory.path(), "config.yaml"));
    fs::write(&config, CONFIGURATION).expect("it can be written");
    let serve = Serve::start(&data, &["--config", &config]);
    let address = serve.grpc.trim_start_matches("http://").to_owned();
    let before = serve.peak_bytes();
    let (mut acknowledged, mut refused, mut sent_bytes) = (Vec::new(), 0, 0);
    for round in 0..ROUNDS {
        let all = Arc::new(Barrier::new(BURST));
        let sent: Vec<_> = (0..BURST)
            .map(|number| {
                let nth = (round * BURST + number) as u64;
                let message = message(nth);
                sent_bytes += message.len() as u64;
                (nth, tokio::spawn(send(address.clone(), message, Arc::clone(&all))))
            })
            .collect();
        for (nth, answer) in sent {
            let (status, details) = answer.await.expect("the client does not panic");
            match &*status {
                "0" => acknowledged.push(nth),
                // UNAVAILABLE, with RetryInfo: to exporters that means to come again.
                "14" => {
                    assert!(!details.is_empty());
                    refused += 1;
                }
                other => panic!("status {other}"),
            }
        }
    }
    let peak = serve.peak_bytes();
    println!(
        "{sent_bytes} bytes sent in {} requests, {} taken, {refused} refused; memory {before} bytes before, {peak} at most",
        ROUNDS * BURST,
        acknowledged.len(),
    );
    assert!(!acknowledged.is_empty() && refused > 0);
    assert!(sent_bytes > 3 * MEMORY_BYTES && peak < MEMORY_BYTES, "{peak} of {MEMORY_BYTES}");
    for _ in 0..300 {
        if data.join("authstitch.db").exists() && journeys(&data).len() >= acknowledged.len() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    serve.stop();
    let stored: Vec<_> = journeys(&data).iter().map(ToString::to_string).collect();
    assert_eq!(stored.len(), acknowledged.len(), "what was refused is not stored");
    let is_stored = |nth: &u64| {
        let trace = format!("{:032x}", u128::from_be_bytes(trace(*nth)));
        stored.iter().any(|line| line.contains(&trace))
    };
    assert!(acknowledged.iter().all(is_stored), "nothing acknowledged is lost");
}
