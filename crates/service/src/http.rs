//! OTLP over HTTP: `POST /v1/traces` and `POST /v1/logs`, as protobuf or JSON, plain or gzip.
//!
//! The answer is in the request's encoding, also where it is an error: then it is a `google.rpc.Status`.
//! Before the encoding is known, errors are JSON.

use std::sync::Arc;

use authstitch_otlp::{Encoding, Signal, encode_response};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use prost::Message;
use tonic::Code;

use crate::caps;
use crate::intake::{Head, Intake};
use crate::listener::{Reply, reply};
use crate::refusal::RpcStatus;

/// Answers one request.
pub(crate) async fn answer(intake: Arc<Intake>, request: Request<Incoming>) -> Reply {
    let signal = match request.uri().path() {
        "/v1/traces" => Signal::Traces,
        "/v1/logs" => Signal::Logs,
        "/v1/metrics" => {
            return unknown(StatusCode::NOT_FOUND, "authstitch takes traces and logs, and no metrics");
        }
        path => {
            let message = format!("there is nothing at {path}; accepted: POST /v1/traces, POST /v1/logs");
            return unknown(StatusCode::NOT_FOUND, &message);
        }
    };
    if request.method() != Method::POST {
        let message = format!("{} is not accepted here; accepted: POST", request.method());
        let mut reply = unknown(StatusCode::METHOD_NOT_ALLOWED, &message);
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return reply;
    }
    let (encoding, gzip) = match (encoding(request.headers()), is_gzip(request.headers())) {
        (Ok(encoding), Ok(gzip)) => (encoding, gzip),
        (Err(message), _) | (_, Err(message)) => {
            return unknown(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message);
        }
    };
    let head = Head { signal, encoding, gzip, framed: false };
    match intake.take(head, request).await {
        Ok(tally) => encoded(StatusCode::OK, encoding, encode_response(signal, encoding, &tally)),
        Err(refusal) => {
            let status = refusal.status();
            let body = match encoding {
                Encoding::Protobuf => status.encode_to_vec(),
                Encoding::Json => status.json(),
            };
            let mut reply = encoded(refusal.http(), encoding, body);
            if refusal.is_retryable() {
                reply.headers_mut().insert(RETRY_AFTER, caps::RETRY_SECONDS.into());
            }
            reply
        }
    }
}

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

fn encoding(headers: &HeaderMap) -> Result<Encoding, String> {
    let value = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("(not text)"));
    let kind = value.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(PROTOBUF) {
        Ok(Encoding::Protobuf)
    } else if kind.eq_ignore_ascii_case(JSON) {
        Ok(Encoding::Json)
    } else if kind.starts_with("application/grpc") {
        Err("this address takes OTLP over HTTP; OTLP over gRPC has an address of its own, port 4317 by default".into())
    } else {
        Err(format!("content-type `{value}` is not accepted; accepted: {PROTOBUF}, {JSON}"))
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, String> {
    match headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("(not text)").trim()) {
        None | Some("" | "identity") => Ok(false),
        Some("gzip") => Ok(true),
        Some(other) => Err(format!("content-encoding `{other}` is not accepted; accepted: identity, gzip")),
    }
}

fn encoded(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Reply {
    let kind = match encoding {
        Encoding::Protobuf => PROTOBUF,
        Encoding::Json => JSON,
    };
    reply(status, kind, Bytes::from(body))
}

/// An error before the encoding is known.
fn unknown(status: StatusCode, message: &str) -> Reply {
    let code = if status == StatusCode::NOT_FOUND { Code::Unimplemented } else { Code::InvalidArgument };
    reply(status, JSON, Bytes::from(RpcStatus::new(code, message).json()))
}
