//! OTLP over gRPC: the export calls of traces and logs.
//!
//! An export is one message in and one message out, so the five bytes of framing are read here and the
//! message stays the bytes it is; statuses, their details and their headers are tonic's.

use std::convert::Infallible;
use std::sync::Arc;

use authstitch_otlp::{Encoding, Signal, encode_response};
use bytes::{BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tonic::Status;

use crate::intake::{Head, Intake};
use crate::listener::{Body, Reply, text};
use crate::refusal::Refusal;

/// Bytes before a message: one that says whether it is packed, four of its length.
pub(crate) const FRAME_HEAD: usize = 5;

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// Answers one request.
pub(crate) async fn answer(intake: Arc<Intake>, request: Request<Incoming>) -> Reply {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !header("content-type").is_some_and(|kind| kind.starts_with("application/grpc")) {
        let message = "this address takes OTLP over gRPC; OTLP over HTTP has an address of its own, port 4318 by default\n";
        return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let signal = match request.uri().path() {
        TRACES => Signal::Traces,
        LOGS => Signal::Logs,
        METRICS => return failed(Status::unimplemented("authstitch takes traces and logs, and no metrics")),
        path => {
            let message = format!("there is no {path} here; accepted: {TRACES}, {LOGS}");
            return failed(Status::unimplemented(message));
        }
    };
    let gzip = match header("grpc-encoding") {
        None | Some("identity") => false,
        Some("gzip") => true,
        Some(other) => {
            let message = format!("grpc-encoding `{other}` is not known; accepted: identity, gzip");
            let mut reply = failed(Status::unimplemented(message));
            reply.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static("identity,gzip"));
            return reply;
        }
    };
    let head = Head { signal, encoding: Encoding::Protobuf, gzip, framed: true };
    match intake.take(head, request).await {
        Ok(tally) => succeeded(&encode_response(signal, Encoding::Protobuf, &tally)),
        Err(refusal) => failed(refusal.grpc()),
    }
}

/// Takes the one message out of its frame, and says whether it is packed.
pub(crate) fn unframe(body: &Bytes, gzip: bool) -> Result<(Bytes, bool), Refusal> {
    let malformed = |why: String| Err(Refusal::Malformed(why));
    let Some((head, message)) = body.split_first_chunk::<FRAME_HEAD>() else {
        return malformed(format!("the call has {} bytes and no message", body.len()));
    };
    let [flag, length @ ..] = *head;
    let length = u32::from_be_bytes(length) as usize;
    if message.len() != length {
        return malformed(format!("a message of {length} bytes was announced, {} came", message.len()));
    }
    match (flag, gzip) {
        (0, _) => Ok((body.slice(FRAME_HEAD..), false)),
        (1, true) => Ok((body.slice(FRAME_HEAD..), true)),
        (1, false) => malformed("the message is packed, and no grpc-encoding says how".into()),
        (other, _) => malformed(format!("the message's flag is {other}; accepted: 0, 1")),
    }
}

fn succeeded(message: &[u8]) -> Reply {
    let mut framed = BytesMut::with_capacity(FRAME_HEAD + message.len());
    framed.put_u8(0);
    framed.put_u32(message.len() as u32);
    framed.extend_from_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body =
        Full::new(framed.freeze()).with_trailers(std::future::ready(Some(Ok::<_, Infallible>(trailers))));
    let mut reply = Response::new(Body::new(body));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    reply
}

/// A status alone, in the headers of an answer without a body.
fn failed(status: Status) -> Reply {
    status.into_http()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unframed(bytes: &'static [u8], gzip: bool) -> Result<(Vec<u8>, bool), String> {
        match unframe(&Bytes::from_static(bytes), gzip) {
            Ok((message, packed)) => Ok((message.to_vec(), packed)),
            Err(Refusal::Malformed(why)) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_message_comes_out_of_its_frame() {
        assert_eq!(unframed(b"\0\0\0\0\x02hi", false), Ok((b"hi".to_vec(), false)));
        assert_eq!(unframed(b"\x01\0\0\0\x02hi", true), Ok((b"hi".to_vec(), true)));
        assert_eq!(unframed(b"\0\0\0\0\0", false), Ok((Vec::new(), false)));
    }

    #[test]
    fn a_broken_frame_is_malformed() {
        for bytes in [
            b"".as_slice(),
            b"\0\0\0",
            b"\0\0\0\0\x03hi",
            b"\0\0\0\0\x01hi",
            b"\x01\0\0\0\x02hi",
            b"\x02\0\0\0\0",
        ] {
            assert!(unframed(bytes, false).is_err(), "{bytes:?}");
        }
    }
}
