use authstitch_engine::line;
use authstitch_store::Reader;
use expect_test::expect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Channel;

use super::*;
use crate::{StartError, caps, find};

const PROTOBUF: &str = "application/x-protobuf";

#[tokio::test]
async fn stopping_judges_and_stores_what_was_received() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(in_memory(directory.path()), Clock::System).await.unwrap();
    assert_eq!(post(service.http, "/v1/traces", PROTOBUF, &login("journey-stopped")).await.status, 200);
    let summary = service.stop().await;
    assert_eq!(summary.trouble, None);
    assert_eq!((summary.counts.journeys, summary.counts.stored, summary.counts.lost), (1, 1, 0));
    assert_eq!((summary.counts.acknowledged.count, summary.counts.judged.count), (1, 1), "both are timed");

    let reader = Reader::open(directory.path(), line).unwrap();
    let found = find(&reader, directory.path(), " journey-stopped ").unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].spans.len(), 5);
    assert_eq!(found[0].close_reason.code(), "shutdown");
    let by_id = find(&reader, directory.path(), &found[0].journey_id.to_string()).unwrap();
    assert_eq!(by_id, found);
    assert_eq!(find(&reader, directory.path(), "journey-unknown").unwrap(), []);
}

#[tokio::test]
async fn stopping_does_not_wait_for_connections_that_are_idle() {
    let (service, _directory) = running(Clock::System).await;
    let silent = TcpStream::connect(service.http).await.unwrap();
    let mut kept_alive = TcpStream::connect(service.web).await.unwrap();
    kept_alive.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut begun = [0; 12];
    kept_alive.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    let endpoint = Channel::from_shared(format!("http://{}", service.grpc)).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let stopped = timeout(caps::DRAIN_TIME / 2, service.stop()).await;
    assert!(stopped.is_ok());
    drop((silent, kept_alive, channel));
}

#[tokio::test]
async fn a_restart_goes_on_with_the_same_directory() {
    let directory = tempfile::tempdir().unwrap();
    let service = start(in_memory(directory.path()), Clock::System).await.unwrap();
    post(service.http, "/v1/traces", PROTOBUF, &login("journey-before")).await;
    service.stop().await;
    let service = start(in_memory(directory.path()), Clock::System).await.unwrap();
    post(service.http, "/v1/traces", PROTOBUF, &login("journey-after-1")).await;
    service.stop().await;
    let lines = Reader::open(directory.path(), line).unwrap().lines().unwrap().count();
    assert_eq!(lines, 2);
}

#[tokio::test]
async fn without_a_store_journeys_are_judged_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let service =
        start(Settings { store: false, ..in_memory(directory.path()) }, Clock::System).await.unwrap();
    post(service.http, "/v1/traces", PROTOBUF, &login("journey-counted")).await;
    let counts = service.stop().await.counts;
    assert_eq!((counts.journeys, counts.stored), (1, 0));
    assert_eq!(counts.outcomes.iter().map(|(_, _, count)| count).sum::<u64>(), 1);
    assert!(Reader::open(directory.path(), line).is_err());
}

#[tokio::test]
async fn without_a_directory_nothing_is_on_disk() {
    let nowhere = Path::new("");
    let settings = Settings { data_dir: None, ..settings(nowhere) };
    assert!(matches!(start(settings.clone(), Clock::System).await, Err(StartError::NoDataDir)));
    let service = start(Settings { store: false, ..settings }, Clock::System).await.unwrap();
    assert_eq!(service.health(), Ok(()));
}

#[tokio::test]
async fn a_store_that_fails_makes_the_health_bad_and_what_is_lost_is_said() {
    let (service, directory) = running(Clock::Schedule).await;
    let database = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let database = database.into_iter().find(|path| path.extension().is_some_and(|end| end == "db")).unwrap();
    rusqlite::Connection::open(database).unwrap().execute_batch("DROP TABLE revisions").unwrap();
    let stamp = format!("0;{}", telemetry::START);
    let headers = [("content-type", PROTOBUF), (crate::SCHEDULE_HEADER, stamp.as_str())];
    let sent = call(service.http, "POST", "/v1/traces", &headers, &login("journey-lost")).await;
    assert_eq!(sent.status, 200);
    // Time runs out, but what was judged cannot be stored, so this never ends by itself.
    let waited = timeout(std::time::Duration::from_secs(1), service.run_out()).await;
    assert!(waited.is_err());
    assert!(service.health().unwrap_err().starts_with("store: "), "{:?}", service.health());
    for (path, status) in [("/health/live", 200), ("/health/ready", 503)] {
        assert_eq!(call(service.web, "GET", path, &[], b"").await.status, status, "{path}");
    }
    let summary = service.stop().await;
    assert_eq!((summary.counts.stored, summary.counts.lost), (0, 1));
    assert!(summary.trouble.unwrap().ends_with("1 changes could not be stored and are lost"));
}

#[tokio::test]
async fn an_address_in_use_names_the_likely_holder_and_another_address() {
    let (first, _directory) = running(Clock::System).await;
    let directory = tempfile::tempdir().unwrap();
    let refused =
        start(Settings { grpc: first.grpc.into(), ..settings(directory.path()) }, Clock::System).await;
    let said = refused.unwrap_err().to_string().replace(&first.grpc.to_string(), "127.0.0.1:4317");
    let other = said.split("--grpc 127.0.0.1:").nth(1).unwrap().split('`').next().unwrap().to_owned();
    expect![[r#"127.0.0.1:4317 (OTLP/gRPC) is in use, most likely by an OpenTelemetry Collector or another authstitch; stop that, or choose another address: `--grpc 127.0.0.1:14317`, or `listeners.grpc: 127.0.0.1:14317` in the configuration"#]]
        .assert_eq(&said.replace(&other, "14317"));
}

#[tokio::test]
async fn an_address_beyond_this_machine_must_be_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let mut open = Settings { http: everywhere.into(), ..settings(directory.path()) };
    assert!(matches!(start(open.clone(), Clock::System).await, Err(StartError::BeyondLoopback { .. })));
    open.http.beyond_loopback = true;
    let service = start(open, Clock::System).await.unwrap();
    assert!(service.http.ip().is_unspecified());
}

#[tokio::test]
async fn two_services_do_not_share_a_directory() {
    let (_first, directory) = running(Clock::System).await;
    let refused = start(settings(directory.path()), Clock::System).await;
    assert!(matches!(refused, Err(StartError::DataDirInUse { .. })));
}

/// Tables that say nothing but their version.
fn write_tables(path: &Path, version: &str) {
    let flows = ["app_qr", "passkey_cda", "magic_link", "unknown"]
        .map(|flow| format!(r#""{flow}": {{"prior": {{}}}}"#));
    let text = format!(r#"{{"version": "{version}", "flows": {{{}}}}}"#, flows.join(", "));
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn tables_are_read_at_the_start_and_again_when_asked_and_bad_ones_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tables.json");
    write_tables(&file, "first");
    let settings = Settings { tables: Some(file.clone()), ..settings(&directory.path().join("data")) };
    let service = start(settings.clone(), Clock::Schedule).await.unwrap();
    // Time runs out after each login, so that it is judged before the tables change.
    for (sequence, version) in ["first", "second", "second"].into_iter().enumerate() {
        if version == "second" && sequence == 1 {
            write_tables(&file, version);
            assert_eq!(service.reload_tables().await.unwrap(), version);
        } else if sequence == 2 {
            std::fs::write(&file, r#"{"floor": 2, "typo": 1}"#).unwrap();
            let said = service.reload_tables().await.unwrap_err().to_string();
            for part in ["tables.json", "version: is missing", "floor: ", "typo: unknown key"] {
                assert!(said.contains(part), "`{part}` is not in {said}");
            }
        }
        let stamp = format!("{sequence};{}", telemetry::START + sequence as u64 * 10_000_000_000_000);
        let headers = [("content-type", PROTOBUF), (crate::SCHEDULE_HEADER, stamp.as_str())];
        let login = login(&format!("journey-by-tables-{sequence}"));
        assert_eq!(call(service.http, "POST", "/v1/traces", &headers, &login).await.status, 200);
        service.run_out().await;
    }
    service.stop().await;
    let reader = Reader::open(settings.data_dir.as_deref().unwrap(), line).unwrap();
    let mut versions: Vec<_> = reader.lines().unwrap().map(|line| line.unwrap().tables).collect();
    versions.sort();
    assert_eq!(versions, ["first", "second", "second"]);
    // A start with the bad file leaves nothing behind.
    let refused = start(settings, Clock::System).await;
    assert!(matches!(refused, Err(StartError::Tables(_))), "{refused:?}");
}

#[tokio::test]
async fn without_a_file_of_tables_there_is_nothing_to_read_again() {
    let (service, _directory) = running(Clock::System).await;
    let said = service.reload_tables().await.unwrap_err().to_string();
    assert!(said.contains("`tables: FILE`"), "{said}");
}
