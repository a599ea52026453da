//! What clients may do with connections.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::telemetry::{request, spans_of_login};
use super::*;
use crate::{Limits, caps};

const PROTOBUF: &str = "application/x-protobuf";
const PATIENCE: Duration = Duration::from_secs(20);

async fn limited(limits: Limits) -> (Running, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let service = start(Settings { limits, ..settings(directory.path()) }, Clock::System).await.unwrap();
    (service, directory)
}

/// A service that gives a request so many milliseconds.
async fn hasty(milliseconds: u64) -> (Running, tempfile::TempDir) {
    limited(Limits { request_time: Duration::from_millis(milliseconds), ..Limits::default() }).await
}

/// Sends one byte after the other until the server closes; gives what it said.
async fn trickle(to: SocketAddr, bytes: &[u8]) -> String {
    let (mut reader, mut writer) = TcpStream::connect(to).await.unwrap().into_split();
    let bytes = bytes.to_vec();
    let sending = tokio::spawn(async move {
        for byte in bytes {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    let mut said = Vec::new();
    // A reset is as good as an end.
    let _ = timeout(PATIENCE, reader.read_to_end(&mut said)).await.expect("the server closes");
    assert!(!sending.is_finished(), "it was closed before everything was sent");
    sending.abort();
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn a_connection_is_kept_from_request_to_request() {
    let (service, _directory) = running(Clock::System).await;
    let mut stream = TcpStream::connect(service.http).await.unwrap();
    for nth in 1..=3 {
        let body = request(vec![spans_of_login("journey-kept").remove(nth)]);
        let body = prost::Message::encode_to_vec(&body);
        let length = body.len();
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: {PROTOBUF}\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        let mut answer = vec![0; 1024];
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK"), "{nth}");
    }
    assert_eq!(service.counters().events, 3);
}

#[tokio::test]
async fn a_head_that_comes_slowly_is_cut_off() {
    let (service, _directory) = hasty(300).await;
    for to in [service.grpc, service.http, service.web] {
        let head = format!("POST /v1/traces HTTP/1.1\r\nhost: {}\r\n\r\n", "x".repeat(500));
        assert_eq!(trickle(to, head.as_bytes()).await, "");
    }
    // The beginning of HTTP/2, and never its end.
    assert_eq!(trickle(service.grpc, &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".repeat(20)).await, "");
}

#[tokio::test]
async fn a_body_that_comes_slowly_is_told_to_come_again_and_cut_off() {
    let (service, _directory) = hasty(300).await;
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: {PROTOBUF}\r\ncontent-length: 500\r\n\r\n"
    );
    let mut stream = TcpStream::connect(service.http).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let sending = tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, reader.read_to_end(&mut said)).await.expect("the server closes");
    sending.abort();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("\r\nretry-after: 1\r\n"), "{said}");
    assert!(said.contains("not complete after 0.3 s"), "{said}");
    assert_eq!(service.counters().turned_away, 1);
}

/// One byte after the other over HTTP/2, where a connection has other streams, which go on.
#[tokio::test]
async fn a_stream_that_comes_slowly_is_told_to_come_again_and_its_neighbours_go_on() {
    let (service, _directory) = hasty(300).await;
    let stream = TcpStream::connect(service.http).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let post = |body| {
        let request = ::http::Request::builder().method("POST").uri("http://localhost/v1/traces");
        request.header("content-type", PROTOBUF).body(body).unwrap()
    };
    let slow = sender.send_request(post(Trickle::Slow(Box::pin(sleep(Duration::ZERO)))));
    let slow = tokio::spawn(slow);
    let whole = Trickle::Whole(Some(login("journey-beside").into()));
    assert_eq!(sender.send_request(post(whole)).await.unwrap().status(), 200);
    let answer = timeout(PATIENCE, slow).await.expect("it is answered").unwrap().unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()),
        (503, b"1".as_slice())
    );
    assert_eq!(sender.send_request(post(Trickle::Whole(None))).await.unwrap().status(), 200);
}

/// A body at once, or one byte after the other for ever.
enum Trickle {
    Whole(Option<bytes::Bytes>),
    Slow(std::pin::Pin<Box<tokio::time::Sleep>>),
}

impl hyper::body::Body for Trickle {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<bytes::Bytes>, Self::Error>>> {
        let bytes = match &mut *self {
            Self::Whole(bytes) => bytes.take(),
            Self::Slow(wait) => {
                std::task::ready!(wait.as_mut().poll(context));
                wait.set(sleep(Duration::from_millis(20)));
                Some(bytes::Bytes::from_static(b"x"))
            }
        };
        std::task::Poll::Ready(bytes.map(|bytes| Ok(hyper::body::Frame::data(bytes))))
    }
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let (service, _directory) = hasty(200).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for said in [b"".as_slice(), preface] {
        let mut stream = TcpStream::connect(service.grpc).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut answer = Vec::new();
        let closed = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "{said:?}");
    }
}

#[tokio::test]
async fn further_connections_wait_for_their_turn() {
    let (service, _directory) = limited(Limits { connections: 1, ..Limits::default() }).await;
    let first = TcpStream::connect(service.http).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    let mut second =
        tokio::spawn(async move { post(service.http, "/v1/traces", PROTOBUF, b"").await.status });
    assert!(timeout(Duration::from_millis(200), &mut second).await.is_err(), "the first has the only place");
    drop(first);
    assert_eq!(timeout(PATIENCE, second).await.unwrap().unwrap(), 200);
}

#[tokio::test]
async fn http2_is_told_its_bounds() {
    let (service, _directory) = running(Clock::System).await;
    for to in [service.grpc, service.http] {
        let mut stream = TcpStream::connect(to).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(head[3], 4, "the first frame says the settings");
        let mut settings = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
        stream.read_exact(&mut settings).await.unwrap();
        let said = |id: u16| {
            let mut six = settings.chunks(6);
            let found = six.find(|setting| setting[..2] == id.to_be_bytes())?;
            Some(u32::from_be_bytes(found[2..].try_into().unwrap()))
        };
        let (streams, frame, headers) = (said(3), said(5), said(6));
        assert_eq!(streams, Some(caps::STREAMS));
        assert_eq!(frame, Some(caps::FRAME_BYTES));
        assert_eq!(headers, Some(caps::HEADER_LIST_BYTES));
    }
}

#[tokio::test]
async fn headers_beyond_their_bound_are_refused() {
    let (service, _directory) = running(Clock::System).await;
    let long = "x".repeat(20_000);
    let headers = [("content-type", PROTOBUF), ("x-long", long.as_str())];
    let answer = call_http2(service.http, "POST", "/v1/traces", &headers, b"").await;
    assert_eq!(answer.status, 431);
    let names: Vec<_> = (0..=caps::HEADERS).map(|nth| format!("x-{nth}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(call(service.http, "POST", "/v1/traces", &headers, b"").await.status, 431);
    let long = "x".repeat(caps::READ_AHEAD_BYTES);
    let answer = call(service.http, "POST", "/v1/traces", &[("x-long", &long)], b"").await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn who_asks_before_sending_is_told_no_at_once() {
    let (service, _directory) =
        limited(Limits { request_bytes: 4096, queue_bytes: 1 << 20, ..Limits::default() }).await;
    for (path, status) in [("/v1/traces", "413"), ("/v1/nothing", "404")] {
        let mut stream = TcpStream::connect(service.http).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {PROTOBUF}\r\ncontent-length: 5000000\r\n\
             expect: 100-continue\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        // Not a byte of the body is sent, and none is asked for.
        timeout(caps::DRAIN_TIME / 2, stream.read_to_end(&mut said))
            .await
            .expect("it waits for nothing")
            .unwrap();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
    }
}
