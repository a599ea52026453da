//! Our messages and the official generated types read the same bytes alike.

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::span::Link;
use proptest::prelude::{prop_assert_eq, proptest};
use prost::Message;

use super::requests::{logs_request, traces_request};
use crate::wire::{ExportResponse, LogsRequest, PartialSuccess, TracesRequest};

proptest! {
    /// Ours → official → ours loses nothing, also where the official request holds more than we know.
    #[test]
    fn on_traces(request in traces_request()) {
        let mut official = ExportTraceServiceRequest::decode(&*request.encode_to_vec()).unwrap();
        for resource in &mut official.resource_spans {
            for span in resource.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans) {
                span.flags = 0x101;
                span.dropped_attributes_count = 1;
                span.dropped_events_count = 2;
                span.dropped_links_count = 3;
                span.links = vec![Link { trace_id: vec![1; 16], span_id: vec![2; 8], ..Link::default() }];
                span.events.iter_mut().for_each(|event| event.dropped_attributes_count = 4);
            }
        }
        prop_assert_eq!(TracesRequest::decode(&*official.encode_to_vec()).unwrap(), request);
    }

    #[test]
    fn on_logs(request in logs_request()) {
        let mut official = ExportLogsServiceRequest::decode(&*request.encode_to_vec()).unwrap();
        for resource in &mut official.resource_logs {
            for record in resource.scope_logs.iter_mut().flat_map(|scope| &mut scope.log_records) {
                record.severity_text = "INFO".into();
                record.dropped_attributes_count = 1;
                record.flags = 1;
            }
        }
        prop_assert_eq!(LogsRequest::decode(&*official.encode_to_vec()).unwrap(), request);
    }

    /// Each field of a span is the official field of the same name.
    #[test]
    fn field_by_field(request in traces_request()) {
        let official = ExportTraceServiceRequest::decode(&*request.encode_to_vec()).unwrap();
        prop_assert_eq!(official.resource_spans.len(), request.resource_spans.len());
        for (official, ours) in official.resource_spans.iter().zip(&request.resource_spans) {
            prop_assert_eq!(&official.schema_url, &ours.schema_url);
            for (official, ours) in official.scope_spans.iter().zip(&ours.scope_spans) {
                prop_assert_eq!(&official.schema_url, &ours.schema_url);
                for (official, ours) in official.spans.iter().zip(&ours.spans) {
                    prop_assert_eq!(&official.trace_id, &ours.trace_id);
                    prop_assert_eq!(&official.span_id, &ours.span_id);
                    prop_assert_eq!(&official.parent_span_id, &ours.parent_span_id);
                    prop_assert_eq!(&official.trace_state, &ours.trace_state);
                    prop_assert_eq!(&official.name, &ours.name);
                    prop_assert_eq!(official.kind, ours.kind);
                    prop_assert_eq!(official.start_time_unix_nano, ours.start_time_unix_nano);
                    prop_assert_eq!(official.end_time_unix_nano, ours.end_time_unix_nano);
                    let status = |code, message: &str| (code, message.to_owned());
                    prop_assert_eq!(
                        official.status.as_ref().map(|s| status(s.code, &s.message)),
                        ours.status.as_ref().map(|s| status(s.code, &s.message))
                    );
                    let keys = official.attributes.iter().map(|attribute| &attribute.key);
                    prop_assert_eq!(keys.collect::<Vec<_>>(), ours.attributes.iter().map(|a| &a.key).collect::<Vec<_>>());
                    let events = official.events.iter().map(|event| (&event.name, event.time_unix_nano));
                    let our_events = ours.events.iter().map(|event| (&event.name, event.time_unix_nano));
                    prop_assert_eq!(events.collect::<Vec<_>>(), our_events.collect::<Vec<_>>());
                }
            }
        }
    }
}

#[test]
fn log_records_field_by_field() {
    use proptest::strategy::{Strategy, ValueTree};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..64 {
        let request = logs_request().new_tree(&mut runner).unwrap().current();
        let official = ExportLogsServiceRequest::decode(&*request.encode_to_vec()).unwrap();
        let official = official.resource_logs.iter().flat_map(|r| &r.scope_logs).flat_map(|s| &s.log_records);
        let ours = request.resource_logs.iter().flat_map(|r| &r.scope_logs).flat_map(|s| &s.log_records);
        for (official, ours) in official.zip(ours) {
            assert_eq!(official.time_unix_nano, ours.time_unix_nano);
            assert_eq!(official.observed_time_unix_nano, ours.observed_time_unix_nano);
            assert_eq!(official.severity_number, ours.severity_number);
            assert_eq!(official.event_name, ours.event_name);
            assert_eq!(official.trace_id, ours.trace_id);
            assert_eq!(official.span_id, ours.span_id);
            assert_eq!(official.body.is_some(), ours.body.is_some());
            assert_eq!(official.attributes.len(), ours.attributes.len());
        }
    }
}

#[test]
fn responses_are_read_by_official_clients() {
    let partial = PartialSuccess { rejected: 3, error_message: "why".into() };
    let bytes = ExportResponse { partial_success: Some(partial) }.encode_to_vec();
    assert_eq!(
        ExportTraceServiceResponse::decode(&*bytes).unwrap().partial_success,
        Some(ExportTracePartialSuccess { rejected_spans: 3, error_message: "why".into() })
    );
    assert_eq!(
        ExportLogsServiceResponse::decode(&*bytes).unwrap().partial_success,
        Some(ExportLogsPartialSuccess { rejected_log_records: 3, error_message: "why".into() })
    );
}
