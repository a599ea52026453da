//! What is forgotten is gone from everything that the service has, and nothing else is.

use std::fs;
use std::path::Path;

use authstitch_engine::{StitchSettings, line};
use authstitch_model::line::JourneyLine;
use authstitch_model::{KeyKind, Millis, Secret};
use authstitch_otlp::wire::Span;
use authstitch_store::Reader;
use prost::Message;
use serde_json::{Value, json};

use super::*;
use crate::{Forgotten, forget};

/// Journeys close at once when they end, and take late events for a while.
fn hasty(data_dir: &Path) -> Settings {
    let stitch = StitchSettings { grace: Millis(1), ..StitchSettings::default() };
    Settings { stitch, ..settings(data_dir) }
}

/// The spans of a login, in a trace of its own.
fn whole(journey: &str) -> Vec<Span> {
    let mut spans = telemetry::spans_of_login(journey);
    for span in &mut spans {
        span.trace_id[..8].copy_from_slice(&authstitch_model::fnv1a(journey.as_bytes()).to_be_bytes());
    }
    spans
}

async fn send(service: &Running, spans: Vec<Span>) {
    let sent =
        post(service.http, "/v1/traces", "application/x-protobuf", &request(spans).encode_to_vec()).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
}

async fn ask(service: &Running, question: &Value) -> (u16, Value) {
    let answer =
        post(service.web, "/api/v1/forget", "application/json", question.to_string().as_bytes()).await;
    (answer.status, serde_json::from_str(answer.text()).unwrap())
}

fn stored(directory: &Path) -> Vec<JourneyLine> {
    let reader = Reader::open(directory, line).unwrap();
    reader.lines().unwrap().map(|line| line.unwrap()).collect()
}

/// In which files anything of a login stands: its keys as they are and hashed, its trace.
fn files_with(directory: &Path, journey: &str) -> Vec<String> {
    let trace = whole(journey)[0].trace_id.to_vec();
    let key = Secret::PUBLIC.key("default", KeyKind::Journey, journey).unwrap().get();
    let mut traces = vec![
        journey.as_bytes().to_vec(),
        trace.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    ];
    traces.extend([
        key.to_be_bytes().to_vec(),
        key.to_le_bytes().to_vec(),
        (key as i64).to_be_bytes().to_vec(),
    ]);
    traces.push(trace);
    let mut found = Vec::new();
    for place in [directory.to_owned(), directory.join("journal")] {
        for file in fs::read_dir(&place).into_iter().flatten() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap_or_default();
            if traces.iter().any(|trace| bytes.windows(trace.len()).any(|window| window == trace)) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn forgotten(journeys: u64, stored: u64, events: u64) -> (u16, Value) {
    (200, json!({ "journeys": journeys, "stored": stored, "events": events }))
}

#[tokio::test]
async fn an_open_journey_and_a_stored_one_are_gone_and_the_others_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let service = start(hasty(data), Clock::System).await.unwrap();
    let open = |journey| whole(journey).into_iter().take(2).collect::<Vec<_>>();
    for journey in ["journey-stored-1", "journey-stored-2"] {
        send(&service, whole(journey)).await;
    }
    for journey in ["journey-open-1", "journey-open-2"] {
        send(&service, open(journey)).await;
    }
    while stored(data).len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for journey in ["journey-stored-1", "journey-open-1"] {
        assert!(!files_with(data, journey).is_empty());
    }
    let events = whole("journey-stored-1").len() as u64;
    assert_eq!(ask(&service, &json!({ "key": "journey-stored-1" })).await, forgotten(1, 1, events));
    assert_eq!(
        ask(&service, &json!({ "key": "journey-open-1", "realm": "default" })).await,
        forgotten(1, 0, 2)
    );
    assert_eq!(
        ask(&service, &json!({ "key": "journey-open-2", "realm": "elsewhere" })).await,
        forgotten(0, 0, 0)
    );
    assert_eq!(ask(&service, &json!({ "key": "journey-never" })).await, forgotten(0, 0, 0));
    for journey in ["journey-stored-1", "journey-open-1"] {
        assert_eq!(files_with(data, journey), Vec::<String>::new());
    }
    assert_eq!(service.counters().forgotten, 2);
    service.health().unwrap();
    // The open one goes on, after a restart, too.
    assert_eq!(service.stop().await.trouble, None);
    for journey in ["journey-stored-1", "journey-open-1"] {
        assert_eq!(files_with(data, journey), Vec::<String>::new(), "after a stop");
    }
    let service = start(hasty(data), Clock::System).await.unwrap();
    assert_eq!(service.recovered, Vec::<String>::new());
    send(&service, whole("journey-open-2").into_iter().skip(2).collect()).await;
    while stored(data).len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let id = stored(data)
        .iter()
        .find(|line| line.spans.len() == whole("journey-open-2").len())
        .unwrap()
        .journey_id;
    assert_eq!(ask(&service, &json!({ "key": id.to_string() })).await.0, 200);
    assert!(stored(data).iter().all(|line| line.journey_id != id));
    assert_eq!(service.stop().await.trouble, None);
}

#[tokio::test]
async fn without_a_server_the_directory_forgets_and_what_is_open_stays_open() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let refused = forget(data, "x", None).await;
    assert!(matches!(refused, Err(crate::StartError::NothingThere { .. })));
    let service =
        start(Settings { shards: 3.try_into().unwrap(), ..hasty(data) }, Clock::System).await.unwrap();
    for journey in ["journey-one", "journey-other"] {
        send(&service, whole(journey).into_iter().take(2).collect()).await;
    }
    assert!(matches!(forget(data, "journey-one", None).await, Err(crate::StartError::DataDirInUse { .. })));
    assert_eq!(crate::served_at(data).unwrap(), format!("http://{}", service.web));
    assert_eq!(service.stop().await.trouble, None);
    let done = forget(data, "journey-one", None).await.unwrap();
    assert_eq!(done, Forgotten { journeys: 1, stored: 0, events: 2 });
    assert_eq!(files_with(data, "journey-one"), Vec::<String>::new());
    assert!(forget(data, "journey-one", None).await.unwrap().is_nothing());
    let service =
        start(Settings { shards: 3.try_into().unwrap(), ..hasty(data) }, Clock::System).await.unwrap();
    send(&service, whole("journey-other").into_iter().skip(2).collect()).await;
    while stored(data).is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(stored(data)[0].spans.len(), whole("journey-other").len());
    assert_eq!(service.stop().await.trouble, None);
}

#[tokio::test]
async fn without_a_journal_engines_and_store_forget() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(in_memory(directory.path()), Clock::System).await.unwrap();
    for journey in ["journey-one", "journey-other"] {
        send(&service, whole(journey)).await;
    }
    assert_eq!(ask(&service, &json!({ "key": "journey-one" })).await, forgotten(1, 0, 0));
    assert_eq!(service.stop().await.trouble, None);
    assert_eq!(stored(directory.path()).len(), 1);
    assert_eq!(files_with(directory.path(), "journey-one"), Vec::<String>::new());
}

/// The lines of a log, and a service with these settings that writes them.
async fn told(settings: Settings) -> (Running, Lines) {
    let lines = Lines::default();
    let log = lines.log(crate::LogFormat::Json, crate::LogLevel::Warn);
    (crate::start_with_log(settings, Clock::System, log).await.unwrap(), lines)
}

/// Whatever this server leaves alone is told, and keeps forgetting from being done until it is removed by hand.
async fn tells_what_it_leaves_alone(settings: Settings, file: &str, next_step: &str, remove: impl Fn(&Path)) {
    let data = settings.data_dir.clone().unwrap();
    let (service, lines) = told(settings).await;
    send(&service, whole("journey-open")).await;
    let event: Value = serde_json::from_str(lines.text().trim_end()).unwrap();
    assert_eq!((event["event"].as_str(), event["level"].as_str()), (Some("unreached"), Some("warn")));
    assert_eq!(event["file"].as_str(), data.join(file).to_str());
    let sentence = event["message"].as_str().unwrap();
    let (status, answer) = ask(&service, &json!({ "key": "journey-open" })).await;
    let error = answer["error"].as_str().unwrap();
    assert_eq!(status, 503);
    for said in [sentence, error] {
        assert!(said.contains(data.join(file).to_str().unwrap()), "{said}");
        assert!(said.contains("neither retention nor forgetting reaches them; remove it"), "{said}");
        assert!(said.contains(next_step), "{said}");
    }
    assert!(error.starts_with("forgotten, but not everywhere: "), "{error}");
    // Whoever looks for it where it is not is not told that it is done, either.
    assert_eq!(ask(&service, &json!({ "key": "journey-never" })).await.0, 503);
    remove(&data);
    let gone = ask(&service, &json!({ "key": "journey-open" })).await;
    assert_eq!(gone, forgotten(0, 0, 0), "it was forgotten where the server works");
    assert_eq!(service.stop().await.trouble, None);
}

/// A directory in which a server has worked that had a store and a journal.
async fn worked_in() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    send(&service, whole("journey-before")).await;
    assert_eq!(service.stop().await.trouble, None);
    directory
}

#[tokio::test]
async fn a_server_without_a_store_says_that_it_does_not_reach_the_one_that_is_there() {
    let directory = worked_in().await;
    let settings = Settings { store: false, ..hasty(directory.path()) };
    tells_what_it_leaves_alone(settings, "authstitch.db", "`store: true` and without `--no-store`", |data| {
        let files = fs::read_dir(data).unwrap().map(|file| file.unwrap().path());
        let of_store = |path: &std::path::PathBuf| path.display().to_string().contains("authstitch.db");
        files.filter(of_store).for_each(|file| fs::remove_file(file).unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_sqlite_keeps_beside_the_store_counts_as_the_store() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("authstitch.db-wal"), b"journeys").unwrap();
    let (service, lines) = told(Settings { store: false, ..hasty(directory.path()) }).await;
    assert!(lines.text().contains("unreached"), "{}", lines.text());
    service.stop().await;
}

#[tokio::test]
async fn a_server_without_a_journal_says_that_it_does_not_reach_the_one_that_is_there() {
    let directory = worked_in().await;
    let journal = Journal { durability: Durability::None, ..hasty(directory.path()).journal };
    let settings = Settings { journal, ..hasty(directory.path()) };
    tells_what_it_leaves_alone(settings, "journal", "`durability: fsync` or `os`", |data| {
        fs::remove_dir_all(data.join("journal")).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_server_that_leaves_nothing_alone_tells_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    // All is there that it works with, or nothing is there that it does not.
    let (service, first) = told(Settings { store: false, ..in_memory(data) }).await;
    service.stop().await;
    let mut texts = vec![first.text()];
    for _ in 0..2 {
        let (service, lines) = told(hasty(data)).await;
        assert_eq!(service.stop().await.trouble, None);
        texts.push(lines.text());
    }
    assert_eq!(texts, [""; 3]);
}

#[tokio::test]
async fn a_reader_in_the_way_leaves_it_unfinished_and_the_next_start_finishes_it() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let service = start(hasty(data), Clock::System).await.unwrap();
    send(&service, whole("journey-one")).await;
    while stored(data).is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let reader = Reader::open(data, line).unwrap();
    let mut lines = reader.lines().unwrap();
    assert!(lines.next().is_some());
    let (status, answer) = ask(&service, &json!({ "key": "journey-one" })).await;
    assert_eq!(status, 503, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("forget again"), "{answer}");
    assert!(service.health().unwrap_err().contains("forgetting: not finished"));
    // It is not done, and says so to the end; a stop writes no snapshot that would hide it.
    let trouble = service.stop().await.trouble.unwrap();
    assert!(trouble.contains("not forgotten everywhere"), "{trouble}");
    assert!(!files_with(data, "journey-one").is_empty());
    drop(lines);
    let service = start(hasty(data), Clock::System).await.unwrap();
    assert_eq!(service.stop().await.trouble, None);
    assert_eq!(files_with(data, "journey-one"), Vec::<String>::new());
    assert_eq!(stored(data), []);
}

#[tokio::test]
async fn what_is_no_question_is_refused_as_the_others_are() {
    let (service, _directory) = running(Clock::System).await;
    assert_eq!(ask(&service, &json!({ "realm": "default" })).await.0, 400);
    let plain = post(service.web, "/api/v1/forget", "text/plain", br#"{"key": "x"}"#).await;
    assert_eq!(plain.status, 415);
    service.stop().await;
}
