use authstitch_engine::line;
use authstitch_model::line::JourneyLine;
use authstitch_store::Reader;
use prost::Message;

use super::telemetry::{START, request, spans_of_login};
use super::*;
use crate::SCHEDULE_HEADER;

const PROTOBUF: &str = "application/x-protobuf";

/// Sends every span of ten logins in a request of its own, all at once, in the order given, and says what is
/// stored when time has run out.
async fn stored(order: impl Iterator<Item = usize>) -> Vec<JourneyLine> {
    let directory = tempfile::tempdir().unwrap();
    stored_by(settings(directory.path()), order).await
}

/// The same by a service with these settings.
async fn stored_by(settings: Settings, order: impl Iterator<Item = usize>) -> Vec<JourneyLine> {
    let directory = settings.data_dir.clone().unwrap();
    let service = start(settings, Clock::Schedule).await.unwrap();
    let logins: Vec<_> = (0..10).map(|login| format!("journey-number-{login}")).collect();
    let mut spans: Vec<_> = logins.iter().flat_map(|journey| spans_of_login(journey)).collect();
    for (nth, span) in spans.iter_mut().enumerate() {
        span.span_id = (nth as u64 + 1).to_be_bytes().to_vec();
    }
    let requests: Vec<_> = order
        .map(|sequence| {
            let body = request(vec![spans[sequence].clone()]).encode_to_vec();
            let received = START + sequence as u64 * 1_000_000_000;
            let to = service.http;
            tokio::spawn(async move {
                let stamp = format!("{sequence};{received}");
                let headers = [("content-type", PROTOBUF), (SCHEDULE_HEADER, stamp.as_str())];
                assert_eq!(call(to, "POST", "/v1/traces", &headers, &body).await.status, 200);
            })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    service.run_out().await;
    let lines = Reader::open(&directory, line).unwrap().lines().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(service.stop().await.trouble, None);
    lines
}

#[tokio::test]
async fn requests_in_any_order_of_arrival_give_the_same_journeys() {
    let in_order = stored(0..50).await;
    assert_eq!(in_order.len(), 10);
    assert!(
        in_order.iter().all(|line| line.close_reason.code() == "terminal"),
        "time has run out, nothing was cut off"
    );
    let shuffled = stored((0..50).map(|nth| nth * 37 % 50)).await;
    assert_eq!(in_order, shuffled);
}

#[tokio::test]
async fn a_scheduled_server_wants_the_header_and_any_other_ignores_it() {
    let (scheduled, _directory) = running(Clock::Schedule).await;
    let answer = post(scheduled.http, "/v1/traces", PROTOBUF, b"").await;
    assert_eq!(answer.status, 400);
    let (usual, _directory) = running(Clock::System).await;
    let headers = [("content-type", PROTOBUF), (SCHEDULE_HEADER, "999;1")];
    assert_eq!(call(usual.http, "POST", "/v1/traces", &headers, b"").await.status, 200);
}

#[tokio::test]
async fn a_request_refused_for_good_has_had_its_turn() {
    let (service, _directory) = running(Clock::Schedule).await;
    let send = async |sequence: u64, body: &[u8]| {
        let stamp = format!("{sequence};{START}");
        let headers = [("content-type", PROTOBUF), (SCHEDULE_HEADER, stamp.as_str())];
        call(service.http, "POST", "/v1/traces", &headers, body).await.status
    };
    assert_eq!(send(0, b"\x0a\xff\xff\xff").await, 400);
    assert_eq!(send(1, &login("journey-next")).await, 200);
}

#[tokio::test]
async fn a_realm_has_the_same_journeys_on_any_number_of_shards() {
    let sharded = async |shards: u32| {
        let directory = tempfile::tempdir().unwrap();
        let yaml = format!("{{shards: {shards}, mapping: {{realm: {{attributes: [auth.journey.id]}}}}}}");
        let read = Settings::from_yaml(&yaml).unwrap();
        let settings = Settings { mapping: read.mapping, shards: read.shards, ..settings(directory.path()) };
        let mut lines = stored_by(settings, 0..50).await;
        lines.sort_unstable_by_key(|line| line.journey_id);
        lines
    };
    let alone = sharded(1).await;
    assert_eq!(alone.len(), 10);
    assert_eq!(sharded(3).await, alone);
}
