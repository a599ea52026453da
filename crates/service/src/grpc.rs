//! OTLP over gRPC: the export calls of traces and logs.
//!
//! An export is one message in and one message out, so the five bytes of framing are read here and the
//! message stays the bytes it is; statuses, their details and their headers are tonic's.

use std::convert::Infallible;
use std::sync::Arc;

use authstitch_otlp::{Encoding, Signal, encode_response};
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tonic::Status;

use crate::intake::{Head, Receiver, no_such_signal};
use crate::listener::{Body, Reply, text};
use crate::refusal::Refusal;
use crate::unpack::{self, Packing};

/// Bytes before a message: one that says whether it is packed, four of its length.
pub(crate) const FRAME_HEAD: usize = 5;

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.";
const PROFILES: &str = "/opentelemetry.proto.collector.profiles.";

/// Answers one request.
pub(crate) async fn answer(receiver: Arc<Receiver>, request: Request<Incoming>) -> Reply {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !header("content-type").is_some_and(is_grpc) {
        let message = "this address takes OTLP over gRPC; OTLP over HTTP has an address of its own, port 4318 by default\n";
        return text(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    if request.method() != Method::POST {
        let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "a call is a POST\n");
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return reply;
    }
    let door = &receiver.door;
    let admitted = door.admit_origin(request.headers()).and_then(|()| door.admit(request.headers(), false));
    if let Err(refusal) = admitted {
        return failed(refusal.grpc());
    }
    let signal = match request.uri().path() {
        TRACES => Signal::Traces,
        LOGS => Signal::Logs,
        path if path.starts_with(METRICS) => return failed(Status::unimplemented(no_such_signal("metrics"))),
        path if path.starts_with(PROFILES) => {
            return failed(Status::unimplemented(no_such_signal("profiles")));
        }
        path => {
            let message = format!("there is no {path} here; accepted: {TRACES}, {LOGS}");
            return failed(Status::unimplemented(message));
        }
    };
    let name = header("grpc-encoding").unwrap_or_default();
    let Ok(packing) = Packing::named(name) else {
        let message = format!("grpc-encoding `{name}` is not known; accepted: {}", unpack::ACCEPTED);
        let mut reply = failed(Status::unimplemented(message));
        reply.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(unpack::ACCEPTED));
        return reply;
    };
    let head = Head { signal, encoding: Encoding::Protobuf, packing, framed: true };
    match receiver.intake.take(head, receiver.door.guest(&request), request).await {
        Ok(tally) => succeeded(&encode_response(signal, Encoding::Protobuf, &tally)),
        Err(refusal) => failed(refusal.grpc()),
    }
}

/// Whether a content type is gRPC's, with messages of protobuf.
pub(crate) fn is_grpc(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    ["application/grpc", "application/grpc+proto"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// Takes the one message out of its frame, and says how it is packed.
pub(crate) fn unframe(body: &Bytes, packing: Option<Packing>) -> Result<(Bytes, Option<Packing>), Refusal> {
    let malformed = |why: String| Err(Refusal::Malformed(why));
    let Some((head, message)) = body.split_first_chunk::<FRAME_HEAD>() else {
        return malformed(format!("the call has {} bytes and no message", body.len()));
    };
    let [flag, length @ ..] = *head;
    let length = u32::from_be_bytes(length) as usize;
    if message.len() != length {
        return malformed(format!("a message of {length} bytes was announced, {} came", message.len()));
    }
    match (flag, packing) {
        (0, _) => Ok((body.slice(FRAME_HEAD..), None)),
        (1, Some(packing)) => Ok((body.slice(FRAME_HEAD..), Some(packing))),
        (1, None) => malformed("the message is packed, and no grpc-encoding says how".into()),
        (other, _) => malformed(format!("the message's flag is {other}; accepted: 0, 1")),
    }
}

pub(crate) fn succeeded(message: &[u8]) -> Reply {
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

    fn unframed(
        bytes: &'static [u8],
        packing: Option<Packing>,
    ) -> Result<(Vec<u8>, Option<Packing>), String> {
        match unframe(&Bytes::from_static(bytes), packing) {
            Ok((message, packing)) => Ok((message.to_vec(), packing)),
            Err(Refusal::Malformed(why)) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_message_comes_out_of_its_frame() {
        let (none, zstd) = (None, Some(Packing::Zstd));
        assert_eq!(unframed(b"\0\0\0\0\x02hi", none), Ok((b"hi".to_vec(), none)));
        assert_eq!(unframed(b"\0\0\0\0\x02hi", zstd), Ok((b"hi".to_vec(), none)));
        assert_eq!(unframed(b"\x01\0\0\0\x02hi", zstd), Ok((b"hi".to_vec(), zstd)));
        assert_eq!(unframed(b"\0\0\0\0\0", none), Ok((Vec::new(), none)));
    }

    #[test]
    fn grpc_is_known_by_its_content_type() {
        for kind in ["application/grpc", "application/grpc+proto", "Application/gRPC; charset=utf-8"] {
            assert!(is_grpc(kind), "{kind}");
        }
        for kind in ["", "application/grpc+json", "application/grpc-web", "application/x-protobuf"] {
            assert!(!is_grpc(kind), "{kind}");
        }
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
            assert!(unframed(bytes, None).is_err(), "{bytes:?}");
        }
    }
}
