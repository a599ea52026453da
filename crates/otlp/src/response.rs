//! What a client is answered: how many records were rejected, or why its request cannot be taken.

use prost::Message;

use crate::wire::{ExportResponse, PartialSuccess, RpcStatus};
use crate::{Encoding, Signal, Tally, json};

impl Tally {
    /// The response to the request: a partial success where something was rejected, else empty.
    #[must_use]
    pub fn response(&self) -> ExportResponse {
        let partial_success = (self.rejected > 0).then(|| PartialSuccess {
            rejected: i64::try_from(self.rejected).unwrap_or(i64::MAX),
            error_message: self.message.clone().unwrap_or_default(),
        });
        ExportResponse { partial_success }
    }
}

/// The body of the response to an accepted request.
#[must_use]
pub fn encode_response(signal: Signal, encoding: Encoding, tally: &Tally) -> Vec<u8> {
    let response = tally.response();
    match (encoding, response.partial_success) {
        (Encoding::Protobuf, partial_success) => ExportResponse { partial_success }.encode_to_vec(),
        (Encoding::Json, None) => b"{}".to_vec(),
        (Encoding::Json, Some(partial)) => {
            let count = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
            };
            let partial = serde_json::json!({
                "partialSuccess": {count: partial.rejected.to_string(), "errorMessage": partial.error_message}
            });
            partial.to_string().into_bytes()
        }
    }
}

/// The body of an error answer over HTTP: a `google.rpc.Status` with a gRPC code and a message.
#[must_use]
pub fn encode_status(encoding: Encoding, code: i32, message: &str) -> Vec<u8> {
    let status = RpcStatus { code, message: message.to_owned() };
    match encoding {
        Encoding::Protobuf => status.encode_to_vec(),
        Encoding::Json => json::write(&status).into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn rejected(rejected: u64) -> Tally {
        Tally { records: 5, events: 2, rejected, message: (rejected > 0).then(|| "why".to_owned()) }
    }

    fn json(signal: Signal, tally: &Tally) -> String {
        String::from_utf8(encode_response(signal, Encoding::Json, tally)).unwrap()
    }

    #[test]
    fn a_partial_success_is_told_only_when_something_was_rejected() {
        expect!["{}"].assert_eq(&json(Signal::Traces, &rejected(0)));
        assert!(encode_response(Signal::Traces, Encoding::Protobuf, &rejected(0)).is_empty());
        expect![[r#"{"partialSuccess":{"errorMessage":"why","rejectedSpans":"2"}}"#]]
            .assert_eq(&json(Signal::Traces, &rejected(2)));
        expect![[r#"{"partialSuccess":{"errorMessage":"why","rejectedLogRecords":"2"}}"#]]
            .assert_eq(&json(Signal::Logs, &rejected(2)));
        let bytes = encode_response(Signal::Logs, Encoding::Protobuf, &rejected(2));
        assert_eq!(ExportResponse::decode(&*bytes).unwrap(), rejected(2).response());
    }

    #[test]
    fn an_error_answer_has_its_code_and_message() {
        let json = encode_status(Encoding::Json, 3, "not OTLP");
        expect![[r#"{"code":3,"message":"not OTLP"}"#]].assert_eq(&String::from_utf8(json).unwrap());
        let bytes = encode_status(Encoding::Protobuf, 3, "not OTLP");
        assert_eq!(RpcStatus::decode(&*bytes).unwrap(), RpcStatus { code: 3, message: "not OTLP".into() });
    }
}
