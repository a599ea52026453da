//! What a client is answered whose request was taken: how many records were rejected, and why.

use prost::Message;

use crate::wire::{ExportResponse, PartialSuccess};
use crate::{Encoding, Signal, Tally};

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

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn rejected(rejected: u64) -> Tally {
        Tally {
            records: 5,
            events: 2,
            rejected,
            message: (rejected > 0).then(|| "why".to_owned()),
            ..Tally::default()
        }
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
}
