//! Why a request is not taken, and how that is said: once as `google.rpc.Status`, which OTLP uses over gRPC
//! and over HTTP alike.
//!
//! | refusal | HTTP | gRPC | the client should |
//! |---|---|---|---|
//! | no token | 401 | `UNAUTHENTICATED` | be given one |
//! | forbidden | 403 | `PERMISSION_DENIED` | not be a page of that origin |
//! | malformed | 400 | `INVALID_ARGUMENT`, with `BadRequest` | drop the batch |
//! | too large | 413 | `RESOURCE_EXHAUSTED` | send smaller batches |
//! | overloaded | 429 and `Retry-After` | `UNAVAILABLE` and `RetryInfo` | come again |
//! | unavailable | 503 and `Retry-After` | `UNAVAILABLE` and `RetryInfo` | come again |
//! | failed | 500 | `INTERNAL` | drop the batch |
//!
//! `RESOURCE_EXHAUSTED` without `RetryInfo` means to OTLP clients that another try is no use.

use bytes::Bytes;
use http::StatusCode;
use prost::Message;
use serde_json::json;
use tonic::Code;

use crate::caps;

/// Why a request is not taken. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It shows no token that is accepted; which part of it was wrong is not said.
    Unauthenticated,
    /// Its origin is not listed.
    Forbidden(String),
    /// It is no such request at all.
    Malformed(String),
    /// It is larger than accepted.
    TooLarge(String),
    /// More is waiting than the bounds allow.
    Overloaded(String),
    /// The service stops, or the request took too long.
    Unavailable(String),
    /// A mistake of ours.
    Failed,
}

impl Refusal {
    /// Whether the same request can be taken later.
    pub(crate) const fn is_retryable(&self) -> bool {
        matches!(self, Self::Overloaded(_) | Self::Unavailable(_))
    }

    /// The service takes nothing any more.
    pub(crate) fn stopping() -> Self {
        Self::Unavailable("authstitch is stopping; send again".into())
    }

    /// The HTTP status.
    pub(crate) const fn http(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overloaded(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The status of both encodings.
    pub(crate) fn status(&self) -> RpcStatus {
        let (code, message) = match self {
            Self::Unauthenticated => (
                Code::Unauthenticated,
                "accepted here: `authorization: Bearer` and a token that this listener knows",
            ),
            Self::Forbidden(message) => (Code::PermissionDenied, message.as_str()),
            Self::Malformed(message) => (Code::InvalidArgument, message.as_str()),
            Self::TooLarge(message) => (Code::ResourceExhausted, message.as_str()),
            Self::Overloaded(message) | Self::Unavailable(message) => (Code::Unavailable, message.as_str()),
            Self::Failed => (
                Code::Internal,
                "the request met a mistake in authstitch; nothing of it was kept, and sending it again will not help",
            ),
        };
        let mut status = RpcStatus::new(code, message);
        if let Self::Malformed(description) = self {
            let violation = FieldViolation { description: description.clone() };
            let value = BadRequest { field_violations: vec![violation] }.encode_to_vec();
            status.details.push(Any { type_url: BAD_REQUEST.into(), value });
        }
        if self.is_retryable() {
            let delay = Duration { seconds: i64::from(caps::RETRY_SECONDS), nanos: 0 };
            let value = RetryInfo { retry_delay: Some(delay) }.encode_to_vec();
            status.details.push(Any { type_url: RETRY_INFO.into(), value });
        }
        status
    }

    /// The gRPC status, the details within.
    pub(crate) fn grpc(&self) -> tonic::Status {
        let status = self.status();
        let details =
            if status.details.is_empty() { Bytes::new() } else { Bytes::from(status.encode_to_vec()) };
        tonic::Status::with_details(Code::from_i32(status.code), status.message, details)
    }
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcStatus {
    /// A gRPC code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// For a person.
    #[prost(string, tag = "2")]
    pub message: String,
    /// For a program.
    #[prost(message, repeated, tag = "3")]
    pub details: Vec<Any>,
}

impl RpcStatus {
    /// A status without details.
    pub(crate) fn new(code: Code, message: &str) -> Self {
        Self { code: code as i32, message: message.to_owned(), details: Vec::new() }
    }

    /// In protobuf's JSON mapping. A detail says when to come again, or the message once more, for programs that
    /// look there.
    pub(crate) fn json(&self) -> Vec<u8> {
        let mut status = json!({"code": self.code, "message": self.message});
        let details = self.details.iter().map(|detail| match detail.type_url.as_str() {
            BAD_REQUEST => {
                json!({"@type": BAD_REQUEST, "fieldViolations": [{"description": self.message}]})
            }
            _ => json!({"@type": RETRY_INFO, "retryDelay": format!("{}s", caps::RETRY_SECONDS)}),
        });
        if !self.details.is_empty() {
            status["details"] = details.collect();
        }
        status.to_string().into_bytes()
    }
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Any {
    /// What it holds.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RetryInfo {
    /// When to come again.
    #[prost(message, optional, tag = "1")]
    pub retry_delay: Option<Duration>,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BadRequest {
    /// What is wrong.
    #[prost(message, repeated, tag = "1")]
    pub field_violations: Vec<FieldViolation>,
}

/// `google.rpc.BadRequest.FieldViolation`, without the field: the description says where.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FieldViolation {
    /// For a person.
    #[prost(string, tag = "2")]
    pub description: String,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Duration {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds beside them.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_taken_later_says_when() {
        let busy = Refusal::Overloaded("full".into());
        let status = RpcStatus::decode(busy.grpc().details()).unwrap();
        assert_eq!(status, busy.status());
        let info = RetryInfo::decode(status.details[0].value.as_slice()).unwrap();
        assert_eq!(info.retry_delay.unwrap().seconds, 1);
        expect_test::expect![[r#"{"code":14,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1s"}],"message":"full"}"#]]
            .assert_eq(&String::from_utf8(busy.status().json()).unwrap());
        let large = Refusal::TooLarge("no".into());
        assert!(large.grpc().details().is_empty());
        assert_eq!(String::from_utf8(large.status().json()).unwrap(), r#"{"code":8,"message":"no"}"#);
    }

    #[test]
    fn bad_data_is_described_where_programs_look() {
        let wrong = Refusal::Malformed("no".into());
        let status = RpcStatus::decode(wrong.grpc().details()).unwrap();
        let described = BadRequest::decode(status.details[0].value.as_slice()).unwrap();
        assert_eq!(described.field_violations[0].description, "no");
        expect_test::expect![[r#"{"code":3,"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"description":"no"}]}],"message":"no"}"#]]
            .assert_eq(&String::from_utf8(wrong.status().json()).unwrap());
    }
}
