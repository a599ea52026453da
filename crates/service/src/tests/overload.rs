use super::*;
use crate::Limits;

const PROTOBUF: &str = "application/x-protobuf";

#[tokio::test]
async fn too_many_bytes_waiting_is_429_with_a_time_to_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { queue_bytes: 64, ..Limits::default() };
    let service = start(Settings { limits, ..settings(directory.path()) }, Clock::System).await.unwrap();
    let answer = post(service.http, "/v1/traces", PROTOBUF, &login("journey-full")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    assert_eq!(post(service.http, "/v1/traces", PROTOBUF, b"").await.status, 200, "room comes back");
}

#[tokio::test]
async fn too_many_requests_in_flight_are_told_to_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { requests_in_flight: 1, ..Limits::default() };
    let service = start(Settings { limits, ..settings(directory.path()) }, Clock::Schedule).await.unwrap();
    let early = |sequence: u64| {
        let stamp = format!("{sequence};{}", telemetry::START);
        let to = service.http;
        async move {
            let headers = [("content-type", PROTOBUF), (crate::SCHEDULE_HEADER, stamp.as_str())];
            call(to, "POST", "/v1/traces", &headers, b"").await
        }
    };
    // Whichever comes first waits for the one before it and holds the only slot.
    let (mut one, mut other) = (tokio::spawn(early(1)), tokio::spawn(early(2)));
    let (refused, waiting) = tokio::select! {
        answer = &mut one => (answer.unwrap(), other),
        answer = &mut other => (answer.unwrap(), one),
    };
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert!(!waiting.is_finished());
    let summary = service.stop().await;
    assert_eq!(waiting.await.unwrap().status, 503, "a stop turns away whoever waits");
    assert_eq!(summary.counts.turned_away, 2);
}
