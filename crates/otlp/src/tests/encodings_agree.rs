//! JSON and protobuf of the same request are the same to us.

use proptest::prelude::{prop_assert_eq, proptest};
use prost::Message;

use super::requests::{logs_request, traces_request};
use crate::testing::plain;
use crate::wire::{LogsRequest, TracesRequest};
use crate::{Encoding, Signal, decode, encode_logs, encode_traces, json};

proptest! {
    #[test]
    fn on_traces(request in traces_request()) {
        let json = encode_traces(&request);
        prop_assert_eq!(json::read::<TracesRequest>(json.as_bytes()), Ok(request.clone()));
        let (mut by_protobuf, mut by_json) = (Vec::new(), Vec::new());
        let bytes = request.encode_to_vec();
        prop_assert_eq!(
            decode(Signal::Traces, Encoding::Protobuf, &bytes, &plain(), &mut by_protobuf),
            decode(Signal::Traces, Encoding::Json, json.as_bytes(), &plain(), &mut by_json)
        );
        prop_assert_eq!(by_protobuf, by_json);
    }

    #[test]
    fn on_logs(request in logs_request()) {
        let json = encode_logs(&request);
        prop_assert_eq!(json::read::<LogsRequest>(json.as_bytes()), Ok(request.clone()));
        let (mut by_protobuf, mut by_json) = (Vec::new(), Vec::new());
        let bytes = request.encode_to_vec();
        prop_assert_eq!(
            decode(Signal::Logs, Encoding::Protobuf, &bytes, &plain(), &mut by_protobuf),
            decode(Signal::Logs, Encoding::Json, json.as_bytes(), &plain(), &mut by_json)
        );
        prop_assert_eq!(by_protobuf, by_json);
    }

    #[test]
    fn the_tally_adds_up(request in traces_request()) {
        let spans: usize = request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum();
        let mut events = Vec::new();
        let bytes = request.encode_to_vec();
        let tally = decode(Signal::Traces, Encoding::Protobuf, &bytes, &plain(), &mut events).unwrap();
        prop_assert_eq!((tally.records, tally.events), (spans as u64, events.len() as u64));
        proptest::prop_assert!(tally.rejected <= tally.records);
        prop_assert_eq!(tally.message.is_some(), tally.rejected > 0);
        for event in &events {
            proptest::prop_assert!(event.time.0 > 0 && event.time < authstitch_model::caps::EVENT_TIME_END);
        }
    }
}
