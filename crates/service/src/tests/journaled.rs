//! The service with its journal: what was answered is there after any end.

use authstitch_engine::{StitchSettings, line};
use authstitch_journal::{Body, Directory, Stamp};
use authstitch_model::line::JourneyLine;
use authstitch_model::{Millis, Position, UnixNanos};
use authstitch_otlp::wire::Span;
use authstitch_otlp::{Encoding, Mapping, Signal, decode};
use authstitch_store::Reader;
use prost::Message;
use tokio::time::{Instant, sleep_until};

use super::*;
use crate::StartError;
use crate::clock::SystemClock;

const PROTOBUF: &str = "application/x-protobuf";

/// Journeys close at once when they end, so that a test need not wait.
fn hasty(data_dir: &Path) -> Settings {
    let stitch = StitchSettings { grace: Millis(1), reopen_window: Millis(1), ..StitchSettings::default() };
    Settings { stitch, ..settings(data_dir) }
}

async fn send(service: &Running, spans: Vec<Span>) {
    let sent = post(service.http, "/v1/traces", PROTOBUF, &request(spans).encode_to_vec()).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
}

/// The spans of a login, in a trace of its own: it is no copy of another.
fn whole(journey: &str) -> Vec<Span> {
    let mut spans = telemetry::spans_of_login(journey);
    for span in &mut spans {
        span.trace_id[..8].copy_from_slice(&authstitch_model::fnv1a(journey.as_bytes()).to_be_bytes());
    }
    spans
}

/// The first steps of a login, and the last.
fn halves(journey: &str) -> (Vec<Span>, Vec<Span>) {
    let mut first = whole(journey);
    let last = first.split_off(2);
    (first, last)
}

/// The lines that are stored, once there are so many.
async fn stored(directory: &Path, count: usize) -> Vec<JourneyLine> {
    let give_up = Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let reader = Reader::open(directory, line).unwrap();
        let lines: Vec<_> = reader.lines().unwrap().map(|line| line.unwrap()).collect();
        if lines.len() >= count || Instant::now() > give_up {
            assert_eq!(lines.len(), count);
            return lines;
        }
        sleep_until(Instant::now() + std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_journey_that_was_open_goes_on_after_a_stop() {
    let directory = tempfile::tempdir().unwrap();
    let (first, last) = halves("journey-stopped");
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    send(&service, first).await;
    let summary = service.stop().await;
    assert_eq!((summary.trouble, summary.counts.journeys), (None, 0), "it stays open");
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    assert_eq!(service.recovered, Vec::<String>::new());
    send(&service, last).await;
    let lines = stored(directory.path(), 1).await;
    assert_eq!((lines[0].spans.len(), lines[0].close_reason.code()), (5, "terminal"));
    service.stop().await;
}

#[tokio::test]
async fn a_journey_that_was_open_goes_on_after_the_service_was_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let (first, last) = halves("journey-cut-off");
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    send(&service, first).await;
    send(&service, whole("journey-whole")).await;
    let one = stored(directory.path(), 1).await;
    cut_off(service, directory.path()).await;
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    assert_eq!(stored(directory.path(), 1).await, one, "what was stored is not stored again");
    send(&service, last).await;
    let lines = stored(directory.path(), 2).await;
    assert!(lines.iter().all(|line| line.spans.len() == 5), "{lines:?}");
    service.stop().await;
}

/// Drops the service without stopping it, and waits until its directory is free.
async fn cut_off(service: Running, directory: &Path) {
    drop(service);
    loop {
        match crate::data_dir::DataDir::open(directory) {
            Ok(_) => return,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

#[tokio::test]
async fn what_is_read_again_counts_as_stored_only_where_the_store_did_not_have_it() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    for number in 0..3 {
        send(&service, whole(&format!("journey-stored-{number}"))).await;
    }
    stored(directory.path(), 3).await;
    assert_eq!(service.counters().stored, 3);
    cut_off(service, directory.path()).await;
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    stored(directory.path(), 3).await;
    assert_eq!((service.counters().stored, service.counters().journeys), (0, 0), "the store had all of them");
    // From here on the store takes nothing.
    let database = rusqlite::Connection::open(directory.path().join("authstitch.db")).unwrap();
    database.execute_batch("ALTER TABLE revisions RENAME TO away").unwrap();
    for number in 0..2 {
        send(&service, whole(&format!("journey-late-{number}"))).await;
    }
    while service.counters().store_failures == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // It gives up what it could not write, as it ends.
    assert!(service.stop().await.trouble.is_some());
    database.execute_batch("ALTER TABLE away RENAME TO revisions").unwrap();
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    stored(directory.path(), 5).await;
    assert_eq!(service.counters().stored, 2, "two of five were news");
    assert_eq!(service.stop().await.trouble, None);
}

/// Writes logins into the journal of a directory, as a service does that received them so long ago.
fn receive_long_ago(directory: &Path, logins: &[&str], hours: u64) {
    let kept = authstitch_journal::Settings::from(hasty(directory).journal);
    let disk = Directory::open(&directory.join("journal"), Durability::Fsync).unwrap();
    let seen = Stamp { position: Position(0), received: UnixNanos(0) };
    let (mut journal, _) = authstitch_journal::Journal::open(disk, kept, seen).unwrap();
    let received = UnixNanos(SystemClock::start().now().0 - hours * 3_600_000_000_000);
    for login in logins {
        let (mapping, mut events) = (Mapping::new(Secret::PUBLIC), Vec::new());
        let bytes = request(whole(login)).encode_to_vec();
        decode(Signal::Traces, Encoding::Protobuf, &bytes, &mapping, &mut events).unwrap();
        journal.append(received, Body::Events(&events)).unwrap();
    }
    journal.commit().unwrap();
}

#[tokio::test]
async fn what_is_too_old_leaves_the_store_and_the_pages_and_what_is_younger_stays() {
    let directory = tempfile::tempdir().unwrap();
    let a_day = Settings { retention: crate::settings::days(1), ..hasty(directory.path()) };
    receive_long_ago(directory.path(), &["journey-old-1", "journey-old-2"], 25);
    // What a start finds is looked at when it is stored; what is too old goes at the next look.
    let service = start(a_day.clone(), Clock::System).await.unwrap();
    send(&service, whole("journey-young")).await;
    stored(directory.path(), 3).await;
    assert_eq!(explained(&service, "journey-old-1").await, 1);
    assert_eq!(service.stop().await.trouble, None);
    let service = start(a_day, Clock::System).await.unwrap();
    while service.counters().retired == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stored(directory.path(), 1).await;
    assert_eq!(service.counters().retired, 2);
    for (journey, count) in [("journey-old-1", 0), ("journey-old-2", 0), ("journey-young", 1)] {
        assert_eq!(explained(&service, journey).await, count, "{journey}");
    }
    let counted = br#"{"sql": "SELECT count(*) FROM journeys"}"#;
    let counted = post(service.web, "/api/v1/query", "application/json", counted).await;
    assert_eq!(counted.json()["rows"], serde_json::json!([[1]]));
    assert_eq!(service.stop().await.trouble, None);
}

/// How many journeys the page for people has under a key.
async fn explained(service: &Running, key: &str) -> usize {
    let question = serde_json::json!({ "key": key }).to_string();
    let answer = post(service.web, "/api/v1/explain", "application/json", question.as_bytes()).await;
    answer.json()["journeys"].as_array().unwrap().len()
}

#[tokio::test]
async fn snapshots_keep_the_journal_short_and_the_journeys_whole() {
    let directory = tempfile::tempdir().unwrap();
    let often = |directory: &Path| {
        let settings = hasty(directory);
        let journal = Journal { snapshot_bytes: 16 << 10, ..settings.journal };
        Settings { journal, ..settings }
    };
    let service = start(often(directory.path()), Clock::System).await.unwrap();
    let (first, last) = halves("journey-through-snapshots");
    send(&service, first).await;
    for number in 0..600 {
        send(&service, whole(&format!("journey-{number:05}"))).await;
    }
    assert!(service.counters().snapshots > 3, "{}", service.counters().snapshots);
    stored(directory.path(), 600).await;
    cut_off(service, directory.path()).await;
    let files = std::fs::read_dir(directory.path().join("journal")).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 4 << 20, "{bytes}");
    let service = start(often(directory.path()), Clock::System).await.unwrap();
    send(&service, last).await;
    let lines = stored(directory.path(), 601).await;
    assert!(lines.iter().all(|line| line.spans.len() == 5));
    service.stop().await;
}

#[tokio::test]
async fn settings_count_from_the_start_after_which_they_are_set_and_another_number_of_shards_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(settings(directory.path()), Clock::System).await.unwrap();
    send(&service, whole("journey-patient")).await;
    service.stop().await;
    let shards = std::num::NonZero::new(2).unwrap();
    let other = Settings { shards, ..settings(directory.path()) };
    let refused = start(other, Clock::System).await.unwrap_err();
    assert!(matches!(refused, StartError::Shards { found: 1, wanted: 2 }), "{refused}");
    // What had ten seconds of grace has a millisecond now.
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    send(&service, whole("journey-hasty")).await;
    stored(directory.path(), 2).await;
    service.stop().await;
}

#[tokio::test]
async fn while_the_store_fails_the_journal_keeps_all_until_its_bound_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let settings = hasty(directory.path());
    let journal = Journal { disk_bytes: 1 << 20, ..settings.journal };
    let service = start(Settings { journal, ..settings.clone() }, Clock::System).await.unwrap();
    let database = directory.path().join("authstitch.db");
    let database = rusqlite::Connection::open(database).unwrap();
    database.execute_batch("ALTER TABLE revisions RENAME TO away").unwrap();
    let mut taken = 0;
    let refused = loop {
        let login = request(whole(&format!("journey-{taken:05}"))).encode_to_vec();
        let sent = post(service.http, "/v1/traces", PROTOBUF, &login).await;
        if sent.status != 200 {
            break sent;
        }
        taken += 1;
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    let health = service.health().unwrap_err();
    assert!(health.contains("journal: ") && health.contains("store: "), "{health}");
    let trouble = service.stop().await.trouble.unwrap();
    assert!(trouble.ends_with("are stored at the next start"), "{trouble}");
    let refused = start(Settings { journal, ..settings.clone() }, Clock::System).await.unwrap_err();
    assert!(matches!(refused, StartError::StoreFails), "{refused}");
    // What was given up is brought about again.
    database.execute_batch("ALTER TABLE away RENAME TO revisions").unwrap();
    let service = start(Settings { journal, ..settings }, Clock::System).await.unwrap();
    stored(directory.path(), taken).await;
    // The journal has room again, once two snapshots have let go what stands before them.
    let give_up = Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let login = request(whole("journey-again")).encode_to_vec();
        let sent = post(service.http, "/v1/traces", PROTOBUF, &login).await;
        if sent.status == 200 {
            break;
        }
        assert!(Instant::now() < give_up, "{}: {:?}", sent.text(), service.health());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(service.health(), Ok(()));
    service.stop().await;
}

/// Waits until a snapshot is written and taken over.
async fn snapshot_of(service: &Running) {
    while service.counters().snapshots == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_damaged_journal_is_told_and_the_service_starts() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    for number in 0..20 {
        send(&service, whole(&format!("journey-{number:05}"))).await;
    }
    cut_off(service, directory.path()).await;
    let mut files: Vec<_> = std::fs::read_dir(directory.path().join("journal"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("segment-"))
        .collect();
    files.sort();
    let mut bytes = std::fs::read(&files[0]).unwrap();
    // A frame takes whole sectors of 512 bytes; the head of the segment has the first.
    bytes[512 * 40 + 100] ^= 1;
    std::fs::write(&files[0], bytes).unwrap();
    let lines = Lines::default();
    let log = lines.log(crate::LogFormat::Text, crate::LogLevel::Error);
    let service = crate::start_with_log(hasty(directory.path()), Clock::System, log).await.unwrap();
    let told =
        "quarantined: 0 parts of records, on which an engine panics, and 1 damaged parts of the journal\n";
    assert_eq!(lines.text(), told);
    assert!(service.recovered.iter().any(|line| line.starts_with("journal: ")), "{:?}", service.recovered);
    assert_eq!(service.health(), Ok(()));
    send(&service, whole("journey-after")).await;
    service.stop().await;
    // The copy is kept as long as a journey may be.
    let copies = || {
        let files = std::fs::read_dir(directory.path().join("journal")).unwrap().flatten();
        files.filter(|file| file.file_name().to_string_lossy().starts_with("aside-")).count()
    };
    let service = start(hasty(directory.path()), Clock::System).await.unwrap();
    snapshot_of(&service).await;
    service.stop().await;
    assert_eq!(copies(), 1);
    let impatient = Settings { retention: Millis(1), ..hasty(directory.path()) };
    let service = start(impatient, Clock::System).await.unwrap();
    snapshot_of(&service).await;
    service.stop().await;
    assert_eq!(copies(), 0);
}
