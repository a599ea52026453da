//! Engines that die, a store that hangs, a burst, a disk that is full: what was acknowledged is stored, once.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::process::Command;
use std::time::Duration;

use authstitch_engine::{StitchSettings, line, shard_of};
use authstitch_model::{Millis, Realm};
use authstitch_otlp::wire::Span;
use authstitch_store::Reader;
use prost::Message;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::client::Answer;
use super::mines::{MINE, MINE_ONCE};
use super::*;
use crate::{Limits, LogFormat, LogLevel, StartError, start_with_log};

const PROTOBUF: &str = "application/x-protobuf";

/// Journeys close at once when they end.
pub(super) fn hasty(data_dir: &Path) -> Settings {
    let stitch = StitchSettings { grace: Millis(1), reopen_window: Millis(1), ..StitchSettings::default() };
    Settings { stitch, ..settings(data_dir) }
}

/// The same with two shards, where each journey is a realm of its own.
fn sharded(data_dir: &Path) -> Settings {
    let yaml = "{shards: 2, mapping: {realm: {attributes: [auth.journey.id]}}}";
    let read = Settings::from_yaml(yaml).unwrap();
    Settings { mapping: read.mapping, shards: read.shards, ..hasty(data_dir) }
}

/// Names that begin so, of realms in a shard of two.
fn names_in(shard: u32, begin: &str) -> impl Iterator<Item = String> {
    let two = NonZero::new(2).unwrap();
    let names = (0..).map(move |number| format!("{begin}realm-{number:05}"));
    names.filter(move |name| shard_of(&Realm::bounded(name), two) == shard)
}

/// The spans of a login, in a trace of its own.
pub(super) fn whole(journey: &str) -> Vec<Span> {
    let mut spans = telemetry::spans_of_login(journey);
    for span in &mut spans {
        span.trace_id[..8].copy_from_slice(&authstitch_model::fnv1a(journey.as_bytes()).to_be_bytes());
    }
    spans
}

async fn send(service: &Running, spans: Vec<Span>) -> Answer {
    post(service.http, "/v1/traces", PROTOBUF, &request(spans).encode_to_vec()).await
}

/// Waits for something, patiently: how long it takes depends on the machine.
pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < give_up, "{what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// How many journeys of five spans are stored, and how many others; each journey must be of one login.
pub(super) fn stored(directory: &Path) -> (usize, usize) {
    let lines = Reader::open(directory, line).unwrap();
    let lines: Vec<_> = lines.lines().unwrap().map(|line| line.unwrap()).collect();
    let traces: Vec<_> =
        lines.iter().flat_map(|line| &line.spans).map(|span| (span.trace_id, span.span_id)).collect();
    let once: BTreeSet<_> = traces.iter().map(|ids| format!("{ids:?}")).collect();
    assert_eq!(once.len(), traces.len(), "a span is double");
    let whole = lines.iter().filter(|line| line.spans.len() == 5).count();
    (whole, lines.len() - whole)
}

/// Drops the service without stopping it, and waits until its directory is free.
async fn cut_off(service: Running, directory: &Path) {
    drop(service);
    until("the directory is free", || crate::data_dir::DataDir::open(directory).is_ok()).await;
}

#[tokio::test]
async fn a_record_on_which_an_engine_panics_twice_is_passed_over_by_its_shard_alone() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(sharded(directory.path()), Clock::System).await.unwrap();
    let (mine, beside, other) =
        (names_in(0, MINE).next().unwrap(), names_in(0, "").next().unwrap(), names_in(1, "").next().unwrap());
    let both = [whole(&mine), whole(&other)].concat();
    assert_eq!(send(&service, both).await.status, 200, "it is on the disk before an engine sees it");
    until("the engine is gone", || service.health().is_err()).await;
    assert_eq!(service.health().unwrap_err(), "engine: stopped");
    cut_off(service, directory.path()).await;
    let lines = Lines::default();
    let log = || lines.log(LogFormat::Json, LogLevel::Error);
    let service = start_with_log(sharded(directory.path()), Clock::System, log()).await.unwrap();
    let told: Value = serde_json::from_str(lines.text().trim_end()).unwrap();
    assert_eq!(told["event"].as_str(), Some("quarantined"));
    assert_eq!((told["records"].as_u64(), told["damaged"].as_u64()), (Some(1), Some(0)));
    assert!(
        service.recovered.iter().any(|line| line.contains("engine of shard 0 panic")),
        "{:?}",
        service.recovered
    );
    assert_eq!((service.counters().quarantined, service.health()), (1, Ok(())));
    assert_eq!(send(&service, whole(&beside)).await.status, 200, "others of the same shard go on");
    until("both are stored", || stored(directory.path()) == (2, 0)).await;
    assert_eq!(service.stop().await.trouble, None);
    // The snapshot stands behind it.
    let before = lines.text();
    let service = start_with_log(sharded(directory.path()), Clock::System, log()).await.unwrap();
    assert_eq!(service.counters().quarantined, 0);
    assert_eq!(lines.text(), before, "it is told once");
    service.stop().await;
}

#[tokio::test]
async fn an_engine_that_dies_loses_nothing_and_leaves_no_gap_in_another_shard() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(sharded(directory.path()), Clock::System).await.unwrap();
    let (mut first, mut second) = (names_in(0, ""), names_in(1, ""));
    let mine = names_in(0, MINE_ONCE).next().unwrap();
    let mut acknowledged = 0;
    for number in 0..60 {
        let (here, there) = (first.next().unwrap(), second.next().unwrap());
        let mut spans = [whole(&here), whole(&there)].concat();
        let mut logins = 2;
        if number == 30 {
            spans.extend(whole(&mine));
            logins += 1;
        }
        match send(&service, spans).await {
            Answer { status: 200, .. } => acknowledged += logins,
            answer => assert_eq!((answer.status, number > 30), (503, true), "{}", answer.text()),
        }
    }
    until("the engine is gone", || service.health().is_err()).await;
    assert!((63..=123).contains(&acknowledged), "{acknowledged}");
    let refused = send(&service, whole("a-realm-later")).await;
    assert!(refused.status == 503 || refused.status == 200);
    acknowledged += usize::from(refused.status == 200);
    cut_off(service, directory.path()).await;
    let service = start(sharded(directory.path()), Clock::System).await.unwrap();
    assert_eq!((service.counters().quarantined, service.health()), (0, Ok(())));
    until("all are stored", || stored(directory.path()).0 == acknowledged).await;
    assert_eq!(stored(directory.path()), (acknowledged, 0));
    service.stop().await;
}

#[tokio::test]
async fn another_number_of_shards_is_refused_with_both_numbers_and_the_next_step() {
    let directory = tempfile::tempdir().unwrap();
    start(sharded(directory.path()), Clock::System).await.unwrap().stop().await;
    let other = Settings { shards: NonZero::new(3).unwrap(), ..sharded(directory.path()) };
    let refused = start(other, Clock::System).await.unwrap_err();
    assert!(matches!(refused, StartError::Shards { found: 2, wanted: 3 }));
    let said = refused.to_string();
    for part in ["`shards: 2`", "3 are set", "set 2, or move `journal` out of the data directory"] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

#[tokio::test]
async fn a_store_that_hangs_pushes_back_shows_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { requests_in_flight: 4, queue_bytes: 1 << 20, ..Limits::default() };
    let service = start(Settings { limits, ..hasty(directory.path()) }, Clock::System).await.unwrap();
    let lock = rusqlite::Connection::open(directory.path().join("authstitch.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut taken = 0;
    let refused = loop {
        let answer = send(&service, whole(&format!("journey-{taken:05}"))).await;
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 5000, "it takes what it has no room for");
    };
    assert!([429, 503].contains(&refused.status) && refused.header("retry-after").is_some(), "{refused:?}");
    until("the health is bad", || service.health().is_err_and(|why| why.contains("store: hangs"))).await;
    assert_eq!(call(service.web, "GET", "/health/ready", &[], b"").await.status, 503);
    let waiting = bytes_waiting(&service).await;
    assert!(waiting <= 1 << 20, "{waiting}");
    lock.execute_batch("ROLLBACK").unwrap();
    until("the store goes on", || service.health().is_ok()).await;
    assert_eq!(send(&service, whole("journey-after")).await.status, 200);
    until("all are stored", || stored(directory.path()) == (taken + 1, 0)).await;
    assert_eq!(service.stop().await.trouble, None);
}

/// The gauge of what admission has let in.
pub(super) async fn bytes_waiting(service: &Running) -> usize {
    let metrics = call(service.web, "GET", "/metrics", &[], b"").await;
    let line = metrics.text().lines().find(|line| line.starts_with("authstitch_bytes_waiting "));
    line.and_then(|line| line.split(' ').nth(1)).and_then(|value| value.parse().ok()).expect("the gauge")
}

#[tokio::test]
async fn a_burst_beyond_all_bounds_is_told_to_come_again_and_what_is_acknowledged_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    // Eight requests, with the bytes of eight; eighty come at once.
    let size = request(whole("journey-00-00")).encoded_len();
    let limits = Limits { requests_in_flight: 8, queue_bytes: 8 * size, ..Limits::default() };
    let service = start(Settings { limits, ..hasty(directory.path()) }, Clock::System).await.unwrap();
    let (mut taken, mut refused) = (0, 0);
    for round in 0..10 {
        let to = service.http;
        let burst: Vec<_> = (0..80)
            .map(|number| {
                let body = request(whole(&format!("journey-{round:02}-{number:02}"))).encode_to_vec();
                tokio::spawn(async move { post(to, "/v1/traces", PROTOBUF, &body).await })
            })
            .collect();
        for answer in burst {
            let answer = answer.await.unwrap();
            match answer.status {
                200 => taken += 1,
                429 | 503 => {
                    assert_eq!(answer.header("retry-after"), Some("1"));
                    refused += 1;
                }
                other => panic!("{other}: {}", answer.text()),
            }
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    assert_eq!(taken + refused, 800);
    until("all are stored", || stored(directory.path()) == (taken, 0)).await;
    assert_eq!(bytes_waiting(&service).await, 0, "everything is given back");
    assert_eq!(service.health(), Ok(()));
    assert_eq!(service.stop().await.trouble, None);
}

/// Where the system has no small disk for a test, it says so, or fails if it must not be passed over.
const SMALL_DISK: &str = "AUTHSTITCH_SMALL_DISK";

#[test]
fn a_real_disk_that_is_full_refuses_and_goes_on_when_there_is_room() {
    let place = tempfile::tempdir().unwrap();
    let name = "tests::faults::on_a_small_disk";
    let script = "mount -t tmpfs -o size=4m none \"$AUTHSTITCH_SMALL_DISK\" || exit 77; exec \"$0\" --exact \"$1\" --include-ignored";
    let run = Command::new("unshare")
        .args(["-rm", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(SMALL_DISK, place.path())
        .output();
    let why = match run {
        Ok(run) if run.status.success() => {
            let said = String::from_utf8_lossy(&run.stdout).into_owned();
            assert!(said.contains("1 passed"), "{said}");
            return;
        }
        Ok(run) if run.status.code() == Some(101) => panic!("{}", String::from_utf8_lossy(&run.stdout)),
        Ok(run) => String::from_utf8_lossy(&run.stderr).into_owned(),
        Err(error) => format!("unshare: {error}"),
    };
    assert!(std::env::var_os("AUTHSTITCH_REQUIRE_EXTERNAL").is_none(), "no small disk: {why}");
    println!("skipped: no small disk can be mounted here: {why}");
}

#[tokio::test]
#[ignore = "run by the test before it, on a small disk"]
async fn on_a_small_disk() {
    let place = std::env::var_os(SMALL_DISK).expect("the test before it says where");
    let place = Path::new(&place);
    let ballast = place.join("ballast");
    std::fs::write(&ballast, vec![7; 2 << 20]).unwrap();
    let data = place.join("data");
    let settings = hasty(&data);
    let journal = Journal { disk_bytes: 64 << 20, ..settings.journal };
    let settings = Settings { journal, ..settings };
    let service = start(settings.clone(), Clock::System).await.unwrap();
    let mut taken = 0;
    let refused = loop {
        let answer = send(&service, whole(&format!("journey-{taken:05}"))).await;
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 50_000, "the disk is never full");
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.text());
    until("the health is bad", || service.health().is_err()).await;
    std::fs::remove_file(&ballast).unwrap();
    let give_up = Instant::now() + Duration::from_secs(30);
    while send(&service, whole("journey-after")).await.status != 200 {
        assert!(Instant::now() < give_up, "{:?}", service.health());
        sleep(Duration::from_millis(50)).await;
    }
    until("all are stored", || stored(&data) == (taken + 1, 0)).await;
    until("the health is good", || service.health().is_ok()).await;
    cut_off(service, &data).await;
    let service = start(settings, Clock::System).await.unwrap();
    assert_eq!(stored(&data), (taken + 1, 0));
    service.stop().await;
}
