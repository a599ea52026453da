//! One connection over which traces are exported: HTTP/2 in the clear, as exporters inside a cluster use it.

use std::time::Duration;

use authstitch_otlp::wire::ExportResponse;
use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;

/// Bytes that may be on their way at once, to either side: far more than all requests in flight.
const WINDOW_BYTES: u32 = 16 << 20;

/// The largest frame that HTTP/2 knows.
const FRAME_BYTES: u32 = (1 << 24) - 1;

/// Bytes before the message of an answer.
const FRAME_HEAD: usize = 5;

/// Pause before a request is sent again, short so that a receiver is never idle for the sender's sake.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Times that a request is sent again: a minute's worth.
const AGAIN_AT_MOST: u64 = 3000;

/// `UNAVAILABLE` and `RESOURCE_EXHAUSTED`: the receiver has too much to do just now.
const OVERLOADED: [&str; 2] = ["14", "8"];

/// Why a request was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// The receiver says that it may come again.
    Overloaded(String),
    /// Anything else.
    Failed(String),
}

/// A connection; clones share it.
#[derive(Clone)]
pub struct Client {
    connection: http2::SendRequest<Full<Bytes>>,
    export: Uri,
}

impl Client {
    /// Connects to an address as `127.0.0.1:4317`.
    pub async fn connect(address: &str) -> Result<Self, String> {
        let refused = |error: &dyn std::fmt::Display| format!("cannot connect to {address}: {error}");
        let socket = TcpStream::connect(address).await.map_err(|error| refused(&error))?;
        socket.set_nodelay(true).map_err(|error| refused(&error))?;
        let mut settings = http2::Builder::new(TokioExecutor::new());
        settings
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES)
            .max_send_buf_size(WINDOW_BYTES as usize);
        let (connection, driver) =
            settings.handshake(TokioIo::new(socket)).await.map_err(|error| refused(&error))?;
        tokio::spawn(driver);
        let path = "opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let export = format!("http://{address}/{path}").parse().map_err(|error| refused(&error))?;
        Ok(Self { connection, export })
    }

    /// Exports one framed request; says how many of its spans were rejected.
    pub async fn export(&mut self, framed: Bytes) -> Result<u64, Refusal> {
        let request = Request::post(self.export.clone())
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(framed))
            .map_err(failed)?;
        self.connection.ready().await.map_err(failed)?;
        let (head, body) = self.connection.send_request(request).await.map_err(failed)?.into_parts();
        let body = body.collect().await.map_err(failed)?;
        // An answer without a body has its status among its headers.
        succeeded(body.trailers().unwrap_or(&head.headers))?;
        let answer = body.to_bytes();
        let answer = ExportResponse::decode(answer.get(FRAME_HEAD..).unwrap_or_default()).map_err(failed)?;
        Ok(answer.partial_success.map_or(0, |partial| u64::try_from(partial.rejected).unwrap_or(0)))
    }

    /// Exports a request until it is taken, as exporters do; beside the answer, how often it was refused.
    pub async fn export_persistently(&mut self, framed: Bytes) -> (Result<u64, Refusal>, u64) {
        let mut refused = 0;
        loop {
            match self.export(framed.clone()).await {
                Err(Refusal::Overloaded(_)) if refused < AGAIN_AT_MOST => refused += 1,
                answer => return (answer, refused),
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::Failed(error.to_string())
}

fn succeeded(trailers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| trailers.get(name).and_then(|value| value.to_str().ok());
    let status = text("grpc-status").unwrap_or("none");
    let why = || format!("grpc-status {status}: {}", text("grpc-message").unwrap_or_default());
    match status {
        "0" => Ok(()),
        status if OVERLOADED.contains(&status) => Err(Refusal::Overloaded(why())),
        _ => Err(Refusal::Failed(why())),
    }
}
