//! Ten thousand connections: their bound holds, memory stays small, and who has a connection is served.

use std::time::Duration;

use authstitch_service::{Clock, Limits, Listening, Settings, start};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const CROWD: usize = 10_000;

/// Fewer are no crowd.
const LEAST: usize = 1000;

/// Files beside the two ends of each connection, which are both in this process.
const BESIDE: u64 = 500;

/// How many connections the system allows, up to so many, after it was asked for more.
fn allowed() -> usize {
    let files = 2 * CROWD as u64 + BESIDE;
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: Some(files), maximum: limit.maximum.map(|maximum| maximum.max(files)) };
    let more = Rlimit { current: limit.maximum, ..limit };
    // Who may not have all may have some.
    let _ = setrlimit(Resource::Nofile, raised).or_else(|_| setrlimit(Resource::Nofile, more));
    let current = getrlimit(Resource::Nofile).current.unwrap_or(files);
    CROWD.min((current.saturating_sub(BESIDE) / 2) as usize)
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
    let crowd_size = allowed();
    if crowd_size < LEAST {
        let why = format!("only {crowd_size} connections are allowed here (`ulimit -n`)");
        assert!(std::env::var_os("AUTHSTITCH_REQUIRE_EXTERNAL").is_none(), "{why}");
        println!("skipped: {why}");
        return;
    }
    let patient = Duration::from_secs(60);
    let settings = Settings {
        grpc: Listening::free_port(),
        http: Listening::free_port(),
        web: Listening::free_port(),
        data_dir: None,
        store: false,
        limits: Limits { connections: crowd_size, request_time: patient, ..Limits::default() },
        ..Settings::default()
    };
    let service = start(settings, Clock::System).await.expect("it starts");
    let mut good = TcpStream::connect(service.http).await.expect("a connection");
    assert!(is_served(&mut good, patient).await);
    let before = resident();
    let mut crowd = Vec::with_capacity(crowd_size);
    while crowd.len() < crowd_size - 1 {
        let mut stream = TcpStream::connect(service.http).await.expect("a connection");
        // Each begins a request and does not end it.
        stream.write_all(b"POST /v1/traces HTTP/1.1\r\nhost:").await.expect("it is open");
        crowd.push(stream);
    }
    assert!(is_served(&mut good, patient).await, "whoever is there is served");
    let mut next = TcpStream::connect(service.http).await.expect("it waits in the system's backlog");
    assert!(!is_served(&mut next, Duration::from_millis(500)).await, "the bound holds");
    let grown = resident().saturating_sub(before);
    println!("{} bytes for each of {crowd_size} connections, both ends", grown / crowd_size as u64);
    assert!(grown < crowd_size as u64 * (64 << 10), "{grown} bytes");
    // One goes, and the next has its place; its request waits there already.
    drop(crowd.pop());
    let mut answer = [0; 15];
    timeout(patient, next.read_exact(&mut answer)).await.expect("it is its turn").expect("it is answered");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    assert_eq!(service.health(), Ok(()));
    drop(crowd);
    assert_eq!(service.stop().await.trouble, None);
}
