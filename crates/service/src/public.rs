//! The public listener: browsers and phones send straight to it, over HTTP or gRPC.
//!
//! - A page of an origin that is listed may send, and is told so by CORS: its preflight on `/v1/traces` and
//!   `/v1/logs` is answered, and it may read what it is answered. A page of another origin may not. Programs that
//!   name no origin may send; what they say is believed no more than a page.
//! - A preflight carries no token and needs none.

use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ORIGIN, VARY,
};
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;

use crate::caps;
use crate::intake::Receiver;
use crate::listener::{Reply, text};
use crate::{grpc, http as over_http};

/// Answers one request.
pub(crate) async fn answer(receiver: Arc<Receiver>, request: Request<Incoming>) -> Reply {
    let headers = request.headers();
    let listed = receiver.door.origin(headers).and_then(|_| headers.get(ORIGIN)).cloned();
    let is_call = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(grpc::is_grpc);
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && over_http::SIGNALS.contains(&request.uri().path());
    let mut reply = if listed.is_some() && is_preflight {
        preflight()
    } else if is_call {
        grpc::answer(receiver, request).await
    } else {
        over_http::answer(receiver, request).await
    };
    let headers = reply.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = listed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        // There are no cookies to be had; but a beacon, which outlives its page, is sent with credentials or not at all.
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    reply
}

fn preflight() -> Reply {
    let mut reply = text(StatusCode::NO_CONTENT, "");
    let headers = reply.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    let sent = HeaderValue::from_static("authorization, content-encoding, content-type");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, sent);
    headers.insert(ACCESS_CONTROL_MAX_AGE, caps::PREFLIGHT_SECONDS.into());
    reply
}
