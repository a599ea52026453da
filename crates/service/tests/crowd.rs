//! Ten thousand connections: their bound holds, memory stays small, and who has a connection is served.

use std::time::Duration;

use authstitch_service::{Clock, Limits, Listening, Settings, start};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const CROWD: usize = 10_000;

/// Both ends of each connection are in this process, and some files beside.
const FILES: u64 = 2 * CROWD as u64 + 500;

/// Allows so many files, if the system lets us.
fn allow_files() -> Result<(), String> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= FILES) {
        return Ok(());
    }
    let maximum = limit.maximum.map(|maximum| maximum.max(FILES));
    setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), maximum })
        .map_err(|error| format!("{FILES} open files are not allowed (`ulimit -n`): {error}"))
}

/// Bytes that this process has in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.map_or(0, |pages| pages * 4096)
}

/// Asks whether all is well, over a connection that stays; false if there is no answer soon.
async fn is_served(stream: &mut TcpStream, soon: Duration) -> bool {
    let request = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(request).await.expect("the connection is there");
    let mut answer = [0; 4096];
    let read = timeout(soon, stream.read(&mut answer)).await;
    read.is_ok_and(|read| answer[..read.unwrap_or(0)].starts_with(b"HTTP/1.1 200 OK"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_are_held_the_next_waits_and_who_is_there_is_served() {
    if let Err(why) = allow_files() {
        assert!(std::env::var_os("AUTHSTITCH_REQUIRE_EXTERNAL").is_none(), "{why}");
        println!("skipped: {why}");
        return;
    }
    let patient = Duration::from_secs(60);
    let settings = Settings {
        grpc: Listening::free_port(),
        http: Listening::free_port(),
        web: Listening::free_port(),
        store: false,
        limits: Limits { connections: CROWD, request_time: patient, ..Limits::default() },
        ..Settings::default()
    };
    let service = start(settings, Clock::System).await.expect("it starts");
    let mut good = TcpStream::connect(service.http).await.expect("a connection");
    assert!(is_served(&mut good, patient).await);
    let before = resident();
    let mut crowd = Vec::with_capacity(CROWD);
    while crowd.len() < CROWD - 1 {
        let mut stream = TcpStream::connect(service.http).await.expect("a connection");
        // Each begins a request and does not end it.
        stream.write_all(b"POST /v1/traces HTTP/1.1\r\nhost:").await.expect("it is open");
        crowd.push(stream);
    }
    assert!(is_served(&mut good, patient).await, "whoever is there is served");
    let mut next = TcpStream::connect(service.http).await.expect("it waits in the system's backlog");
    assert!(!is_served(&mut next, Duration::from_millis(500)).await, "the bound holds");
    let grown = resident().saturating_sub(before);
    println!("{} bytes for each of {CROWD} connections, both ends", grown / CROWD as u64);
    assert!(grown < CROWD as u64 * (32 << 10), "{grown} bytes");
    // One goes, and the next has its place; its request waits there already.
    drop(crowd.pop());
    let mut answer = [0; 15];
    timeout(patient, next.read_exact(&mut answer)).await.expect("it is its turn").expect("it is answered");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    assert_eq!(service.health(), Ok(()));
    drop(crowd);
    assert_eq!(service.stop().await.trouble, None);
}
