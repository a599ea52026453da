//! OTLP over HTTP: `POST /v1/traces` and `POST /v1/logs`, as protobuf or JSON, plain or packed.
//!
//! Every answer is in the request's encoding; an error is a `google.rpc.Status`. Where the request has no encoding
//! that is known here, the answer is JSON.

use std::sync::Arc;

use authstitch_otlp::{Encoding, Signal, encode_response};
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use prost::Message;
use tonic::Code;

use crate::body;
use crate::caps;
use crate::door::Door;
use crate::intake::{Head, Receiver, no_such_signal};
use crate::listener::{Reply, reply};
use crate::refusal::{Refusal, RpcStatus};
use crate::unpack::{self, Packing};

/// Where the signals are taken.
pub(crate) const SIGNALS: [&str; 2] = ["/v1/traces", "/v1/logs"];

/// Answers one request.
pub(crate) async fn answer(receiver: Arc<Receiver>, request: Request<Incoming>) -> Reply {
    let head = match head(&receiver.door, &request) {
        Ok(head) => head,
        Err(reply) => {
            body::hear_out(request).await;
            return *reply;
        }
    };
    let Head { signal, encoding, .. } = head;
    match receiver.intake.take(head, receiver.door.guest(&request), request).await {
        Ok(tally) => encoded(StatusCode::OK, encoding, encode_response(signal, encoding, &tally)),
        Err(refusal) => refused_in(encoding, &refusal),
    }
}

/// What the head says of a request, or why nobody reads on.
pub(crate) fn head<B>(door: &Door, request: &Request<B>) -> Result<Head, Box<Reply>> {
    let content_type = encoding(request.headers());
    let in_its = *content_type.as_ref().unwrap_or(&Encoding::Json);
    let admitted = door.admit_origin(request.headers()).and_then(|()| door.admit(request.headers(), false));
    admitted.map_err(|refusal| refused_in(in_its, &refusal))?;
    let unknown = |status, message: &str| error(status, in_its, &RpcStatus::new(code(status), message));
    let signal = match request.uri().path() {
        "/v1/traces" => Signal::Traces,
        "/v1/logs" => Signal::Logs,
        "/v1/metrics" => return Err(unknown(StatusCode::NOT_FOUND, &no_such_signal("metrics")).into()),
        "/v1development/profiles" => {
            return Err(unknown(StatusCode::NOT_FOUND, &no_such_signal("profiles")).into());
        }
        path => {
            let message = format!("there is nothing at {path}; accepted: POST /v1/traces, POST /v1/logs");
            return Err(unknown(StatusCode::NOT_FOUND, &message).into());
        }
    };
    if request.method() != Method::POST {
        let message = format!("{} is not accepted here; accepted: POST", request.method());
        return Err(saying(unknown(StatusCode::METHOD_NOT_ALLOWED, &message), ALLOW, "POST").into());
    }
    let encoding = content_type.map_err(|message| unknown(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message))?;
    let packing = packing(request.headers()).map_err(|message| {
        let reply = unknown(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message);
        saying(reply, ACCEPT_ENCODING, unpack::ACCEPTED)
    })?;
    Ok(Head { signal, encoding, packing, framed: false })
}

/// The answer to a request that is not taken.
pub(crate) fn refused_in(encoding: Encoding, refusal: &Refusal) -> Reply {
    let mut reply = error(refusal.http(), encoding, &refusal.status());
    if refusal.is_retryable() {
        reply.headers_mut().insert(RETRY_AFTER, caps::RETRY_SECONDS.into());
    }
    if *refusal == Refusal::Unauthenticated {
        reply = saying(reply, WWW_AUTHENTICATE, "Bearer");
    }
    reply
}

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

fn encoding(headers: &HeaderMap) -> Result<Encoding, String> {
    let accepted = format!("accepted: {PROTOBUF}, {JSON}");
    let Some(value) = headers.get(CONTENT_TYPE).map(text) else {
        return Err(format!("content-type is missing; {accepted}"));
    };
    let kind = value.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(PROTOBUF) {
        Ok(Encoding::Protobuf)
    } else if kind.eq_ignore_ascii_case(JSON) {
        Ok(Encoding::Json)
    } else if kind.starts_with("application/grpc") {
        Err("this address takes OTLP over HTTP; OTLP over gRPC has an address of its own, port 4317 by default".into())
    } else {
        Err(format!("content-type `{value}` is not accepted; {accepted}"))
    }
}

fn packing(headers: &HeaderMap) -> Result<Option<Packing>, String> {
    let name = headers.get(CONTENT_ENCODING).map_or("", text);
    Packing::named(name)
        .map_err(|()| format!("content-encoding `{name}` is not accepted; accepted: {}", unpack::ACCEPTED))
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("(not text)")
}

fn encoded(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Reply {
    let kind = match encoding {
        Encoding::Protobuf => PROTOBUF,
        Encoding::Json => JSON,
    };
    reply(status, kind, Bytes::from(body))
}

fn error(http: StatusCode, encoding: Encoding, status: &RpcStatus) -> Reply {
    let body = match encoding {
        Encoding::Protobuf => status.encode_to_vec(),
        Encoding::Json => status.json(),
    };
    encoded(http, encoding, body)
}

fn saying(mut reply: Reply, name: HeaderName, value: &'static str) -> Reply {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
    reply
}

const fn code(status: StatusCode) -> Code {
    match status {
        StatusCode::NOT_FOUND => Code::Unimplemented,
        _ => Code::InvalidArgument,
    }
}
