//! Ten times as much as there is room for, at once and over gRPC: who is refused is told to come again and when, memory
//! stays within its bound, and what is acknowledged is stored once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use prost::Message;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tonic::{Code, Status};

use super::faults::{bytes_waiting, hasty, stored, until, whole};
use super::grpc::{TRACES, export};
use super::*;
use crate::refusal::{RetryInfo, RpcStatus};
use crate::{Limits, caps};

/// Requests that there is room for, and ten times as many.
const ROOM: usize = 8;
const BURST: usize = 10 * ROOM;

/// Bytes that the five events of a login have in memory, at most. A request that was read holds so many from then on,
/// and they may be more than it had on the wire.
const EVENTS_BYTES: usize = 5 * 1024;

/// The greatest number of bytes that the service's gauge has shown.
struct Peak {
    most: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    looks: JoinHandle<()>,
}

impl Peak {
    fn watch(service: &Arc<Running>) -> Self {
        let (most, ends) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (service, seen, end) = (Arc::clone(service), Arc::clone(&most), Arc::clone(&ends));
        let looks = tokio::spawn(async move {
            while !end.load(Ordering::Relaxed) {
                seen.fetch_max(bytes_waiting(&service).await, Ordering::Relaxed);
            }
        });
        Self { most, ends, looks }
    }

    async fn end(self) -> usize {
        self.ends.store(true, Ordering::Relaxed);
        self.looks.await.unwrap();
        self.most.load(Ordering::Relaxed)
    }
}

/// A service that has room for so many logins, and how many bytes may wait in it.
async fn narrow(directory: &Path) -> (Arc<Running>, usize) {
    let queue_bytes = ROOM * request(whole("journey-00-00")).encoded_len();
    let limits = Limits { requests_in_flight: ROOM, queue_bytes, ..Limits::default() };
    let service = start(Settings { limits, ..hasty(directory) }, Clock::System).await.unwrap();
    (Arc::new(service), queue_bytes + ROOM * EVENTS_BYTES)
}

/// Has every login sent at the same time, over a connection of its own; gives those that were refused.
async fn burst(service: &Running, logins: Vec<String>) -> Vec<String> {
    let send = |login: String| {
        let (to, body) = (service.grpc, request(whole(&login)).encode_to_vec());
        tokio::spawn(async move { (login, export(to, TRACES, body, None).await) })
    };
    let mut refused = Vec::new();
    for sent in logins.into_iter().map(send).collect::<Vec<_>>() {
        match sent.await.unwrap() {
            (_, Ok(answer)) => assert_eq!(answer.partial_success, None),
            (login, Err(status)) => {
                says_when_to_come_again(&status);
                refused.push(login);
            }
        }
    }
    refused
}

/// As OTLP wants it of what may be sent again.
fn says_when_to_come_again(status: &Status) {
    assert!([Code::Unavailable, Code::ResourceExhausted].contains(&status.code()), "{status}");
    let details = RpcStatus::decode(status.details()).unwrap();
    assert_eq!(details.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    let retry = RetryInfo::decode(details.details[0].value.as_slice()).unwrap();
    assert_eq!(retry.retry_delay.unwrap().seconds, i64::from(caps::RETRY_SECONDS));
}

fn logins(round: usize) -> Vec<String> {
    (0..BURST).map(|number| format!("journey-{round:02}-{number:02}")).collect()
}

async fn stop(service: Arc<Running>) {
    let service = Arc::into_inner(service).expect("nobody else has it");
    assert_eq!(service.stop().await.trouble, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_over_grpc_is_told_to_come_again_and_what_is_acknowledged_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let (service, bound) = narrow(directory.path()).await;
    let peak = Peak::watch(&service);
    let (mut sent, mut refused) = (0, 0);
    for round in 0..10 {
        sent += BURST;
        refused += burst(&service, logins(round)).await.len();
    }
    let (taken, peak) = (sent - refused, peak.end().await);
    println!("{sent} sent, {taken} taken, {refused} refused, at most {peak} bytes of {bound} at once");
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    assert!(peak <= bound, "{peak} of {bound}");
    until("all are stored", || stored(directory.path()) == (taken, 0)).await;
    assert_eq!(bytes_waiting(&service).await, 0, "everything is given back");
    assert_eq!((service.counters().turned_away, service.health()), (refused as u64, Ok(())));
    stop(service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_over_grpc_while_the_store_hangs_is_refused_and_taken_when_it_comes_again() {
    let directory = tempfile::tempdir().unwrap();
    let (service, bound) = narrow(directory.path()).await;
    let lock = rusqlite::Connection::open(directory.path().join("authstitch.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let peak = Peak::watch(&service);
    let (mut rounds, mut left) = (0, Vec::new());
    // What is between the journal and the store takes some; then nothing is taken any more.
    loop {
        let refused = burst(&service, logins(rounds)).await;
        rounds += 1;
        let full = refused.len() == BURST;
        left.extend(refused);
        if full {
            break;
        }
        assert!(rounds < 90, "it takes what it has no room for");
    }
    until("the health is bad", || service.health().is_err_and(|why| why.contains("store: hangs"))).await;
    let peak = peak.end().await;
    println!("{} sent, {} refused, at most {peak} bytes of {bound} at once", rounds * BURST, left.len());
    assert!(peak <= bound, "{peak} of {bound}");
    lock.execute_batch("ROLLBACK").unwrap();
    // As exporters do: what was refused comes again until it is taken, hundreds at once, and no connection is reset.
    while !left.is_empty() {
        sleep(Duration::from_millis(20)).await;
        left = burst(&service, left).await;
    }
    until("all are stored", || stored(directory.path()) == (rounds * BURST, 0)).await;
    until("the store goes on", || service.health().is_ok()).await;
    stop(service).await;
}
