use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect;
use serde_json::{Value, json};

use crate::tests::{call, in_memory, login, post, running, settings};
use crate::{Clock, Settings, start};

const JSON: &str = "application/json";

#[tokio::test]
async fn health_metrics_and_the_page_say_how_it_stands() {
    let (service, _directory) = running(Clock::System).await;
    post(service.http, "/v1/traces", "application/x-protobuf", &login("journey-shown")).await;
    for path in ["/health/live", "/health/ready"] {
        let answer = call(service.web, "GET", path, &[], b"").await;
        assert_eq!((answer.status, answer.text()), (200, "ok\n"), "{path}");
    }
    let metrics = call(service.web, "GET", "/metrics", &[], b"").await;
    assert_eq!(metrics.status, 200);
    for line in [
        "authstitch_requests_total 1",
        "authstitch_spans_total 5",
        "authstitch_acknowledged_seconds_count 1",
        "authstitch_ready 1",
    ] {
        assert!(metrics.text().lines().any(|shown| shown == line), "{line} in {}", metrics.text());
    }
    let page = call(service.web, "GET", "/", &[], b"").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("<tr><td>spans<td>5"), "{}", page.text());
}

#[tokio::test]
async fn a_key_and_a_query_are_answered_from_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(in_memory(directory.path()), Clock::System).await.unwrap();
    post(service.http, "/v1/traces", "application/x-protobuf", &login("journey-asked")).await;
    service.stop().await;
    let service = start(settings(directory.path()), Clock::System).await.unwrap();
    let ask = async |path: &str, question: Value| {
        let answer = post(service.web, path, JSON, question.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let journeys = ask("/api/v1/explain", json!({"key": "journey-asked"})).await;
    assert_eq!(journeys["journeys"][0]["spans"].as_array().map(Vec::len), Some(5));
    let id = journeys["journeys"][0]["journey_id"].clone();
    assert_eq!(ask("/api/v1/explain", json!({"key": id})).await, journeys);
    assert_eq!(ask("/api/v1/explain", json!({"key": "journey-asked", "realm": "default"})).await, journeys);
    let elsewhere = ask("/api/v1/explain", json!({"key": "journey-asked", "realm": "elsewhere"})).await;
    assert_eq!(elsewhere, json!({"journeys": []}));
    let table =
        ask("/api/v1/query", json!({"sql": "SELECT flow, count(*) AS n FROM journeys GROUP BY 1"})).await;
    assert_eq!(table, json!({"columns": ["flow", "n"], "rows": [["app_qr", 1]]}));
}

#[tokio::test]
async fn a_bad_question_says_what_is_accepted() {
    let (service, _directory) = running(Clock::System).await;
    let mut said = String::new();
    for (method, path, kind, body) in [
        ("GET", "/api/v1/query", JSON, ""),
        ("POST", "/metrics", JSON, ""),
        ("GET", "/nowhere", JSON, ""),
        ("POST", "/api/v1/query", "text/plain", "{}"),
        ("POST", "/api/v1/query", JSON, "{}"),
        ("POST", "/api/v1/explain", JSON, "{\"key\": 3}"),
    ] {
        let answer = call(service.web, method, path, &[("content-type", kind)], body.as_bytes()).await;
        said += &format!("{} {}\n", answer.status, answer.text().trim_end());
    }
    expect![[r#"
        405 GET is not accepted at /api/v1/query; accepted: POST
        405 POST is not accepted at /metrics; accepted: GET
        404 there is nothing at /nowhere; accepted: /, /health/live, /health/ready, /metrics, /api/v1/explain, /api/v1/query, /api/v1/forget
        415 {"error":"content-type `text/plain` is not accepted; accepted: application/json"}
        400 {"error":"the question has no text `sql`; accepted: {\"sql\": \"…\"}"}
        400 {"error":"the question has no text `key`; accepted: {\"key\": \"…\"}"}
    "#]]
    .assert_eq(&said);
    let writes = json!({"sql": "DELETE FROM journeys"}).to_string();
    let answer = post(service.web, "/api/v1/query", JSON, writes.as_bytes()).await;
    assert_eq!((answer.status, answer.json()["error"].is_string()), (400, true));
}

#[tokio::test]
async fn questions_are_answered_under_names_of_this_machine_only() {
    let (service, _directory) = running(Clock::System).await;
    for (host, status) in [
        ("localhost:4380", 200),
        ("127.0.0.1", 200),
        ("[::1]:4380", 200),
        ("journeys.example", 403),
        ("127.0.0.1.example:4380", 403),
    ] {
        let headers = [("host", host), ("content-type", JSON)];
        let answer = call(service.web, "POST", "/api/v1/query", &headers, b"{\"sql\": \"SELECT 1\"}").await;
        assert_eq!(answer.status, status, "{host}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_server_without_a_store_has_nothing_to_ask() {
    let directory = tempfile::tempdir().unwrap();
    let service =
        start(Settings { store: false, ..settings(directory.path()) }, Clock::System).await.unwrap();
    let answer = post(service.web, "/api/v1/explain", JSON, b"{\"key\": \"x\"}").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("keeps no journeys"));
}

#[tokio::test]
async fn metrics_are_prometheus_text_to_the_letter() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(in_memory(directory.path()), Clock::System).await.unwrap();
    post(service.http, "/v1/traces", "application/x-protobuf", &login("journey-parsed")).await;
    let mut bad = crate::tests::span("auth.qr.shown", "initiator", "journey-bad", 1);
    bad.trace_id = vec![1];
    let bad = prost::Message::encode_to_vec(&crate::tests::request(vec![bad]));
    post(service.http, "/v1/traces", "application/x-protobuf", &bad).await;
    service.flush().await;
    let answer = call(service.web, "GET", "/metrics", &[], b"").await;
    let samples = parse(answer.text());
    for (sample, value) in [
        ("authstitch_spans_total", 6.0),
        ("authstitch_rejections_total{reason=\"invalid_id\"}", 1.0),
        ("authstitch_rejections_total{reason=\"invalid_time\"}", 0.0),
        ("authstitch_judged_seconds_count", 1.0),
        ("authstitch_engine_records_waiting{shard=\"0\"}", 0.0),
        ("authstitch_engine_lag_seconds{shard=\"0\"}", 0.0),
        ("authstitch_store_waiting", 0.0),
        ("authstitch_engine_too_late_total{side=\"server\"}", 0.0),
        ("authstitch_ready", 1.0),
    ] {
        assert_eq!(samples.get(sample), Some(&value), "{sample} in {samples:#?}");
    }
}

/// Reads the text format strictly: each family once, HELP and TYPE before its samples, which stand together; names and
/// labels as allowed; no sample twice; every value a number; counters end with `_total`.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let name_is_fine = |name: &str| {
        let rest = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(rest)
    };
    assert!(text.ends_with('\n'), "the last line ends, too");
    let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
    let (mut family, mut kind, mut helped) = (String::new(), "", "");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, said) = help.split_once(' ').expect(line);
            assert!(!said.is_empty() && !said.contains('\\') && name_is_fine(name), "{line}");
            assert!(families.insert(name.to_owned()), "{name} comes twice");
            helped = name;
        } else if let Some(of_type) = line.strip_prefix("# TYPE ") {
            let (name, said) = of_type.split_once(' ').expect(line);
            assert_eq!(name, helped, "its HELP stands before it");
            assert!(["counter", "gauge", "summary"].contains(&said), "{line}");
            assert_eq!(said == "counter", name.ends_with("_total"), "{line}");
            (family, kind) = (name.to_owned(), said);
        } else {
            let (sample, value) = line.rsplit_once(' ').expect(line);
            let (name, labels) = match sample.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').expect(line)),
                None => (sample, ""),
            };
            let suffix = name.strip_prefix(family.as_str()).expect(line);
            assert!(suffix.is_empty() || kind == "summary" && ["_sum", "_count"].contains(&suffix), "{line}");
            for label in labels.split(',').filter(|label| !label.is_empty()) {
                let (name, value) = label.split_once('=').expect(line);
                let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).expect(line);
                assert!(name_is_fine(name) && !inner.contains(['"', '\\']), "{line}");
            }
            let value: f64 = value.parse().expect(line);
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert_eq!(samples.insert(sample.to_owned(), value), None, "{sample} comes twice");
        }
    }
    samples
}
