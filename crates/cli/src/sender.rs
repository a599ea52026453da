//! The load sender: requests at their scheduled times over OTLP, open-loop.
//!
//! A request is due when its world says, not when the receiver is ready: its latency counts from the
//! scheduled moment, so a receiver that stalls is charged for everything that had to wait. How late the
//! sender itself was is reported apart, and a run whose sender fell behind says that it is invalid.

mod client;
pub mod http;
mod report;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};

use authstitch_model::UnixNanos;
use authstitch_otlp::Signal;

use crate::args::Protocol;
use crate::caps;
use crate::failure::Failure;

use client::{Answer, Client};
pub use report::Report;

/// A request, ready to send.
pub struct Outgoing {
    /// When it is due, by the simulated clock.
    pub due: UnixNanos,
    /// Which signal.
    pub signal: Signal,
    /// How many spans or log records it holds.
    pub records: u64,
    /// The encoded request.
    pub body: Bytes,
}

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// As `http://127.0.0.1:4317`.
    pub endpoint: String,
    /// How they are sent.
    pub protocol: Protocol,
}

/// When requests go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// At their due times, counted from the first one; time runs so many times as fast.
    RealTime { speed: f64 },
    /// As fast as they are taken, each with its due time and place in the order as a header, which only a
    /// server started for a demo believes.
    Compressed,
}

/// Sends everything that comes, then reports. `progress` is called now and then.
pub async fn send(
    requests: &mut mpsc::Receiver<Outgoing>,
    target: &Target,
    pace: Pace,
    progress: impl Fn(),
) -> Result<Report, Failure> {
    let client = Client::connect(target).await?;
    let in_flight = Arc::new(Semaphore::new(caps::IN_FLIGHT));
    let report = Arc::new(Mutex::new(Report::new()));
    let (began, mut first_due) = (now(), None);
    let mut sequence = 0;
    while let Some(request) = requests.recv().await {
        let first = *first_due.get_or_insert(request.due);
        let scheduled = match pace {
            Pace::RealTime { speed } => {
                began + Duration::from_nanos(request.due.0.saturating_sub(first.0)).div_f64(speed)
            }
            Pace::Compressed => now(),
        };
        tokio::time::sleep_until(scheduled.into()).await;
        let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await else { break };
        lock(&report).late(now().saturating_duration_since(scheduled));
        let schedule = (pace == Pace::Compressed).then(|| format!("{sequence};{}", request.due.0));
        sequence += 1;
        let (client, report) = (client.clone(), Arc::clone(&report));
        tokio::spawn(async move {
            let answer = until_settled(&client, &request, schedule.as_deref(), &report).await;
            lock(&report).answered(&request, &answer, now().saturating_duration_since(scheduled));
            drop(permit);
        });
        if sequence % 256 == 0 {
            progress();
        }
    }
    // Every permit back means every request answered.
    let _ = in_flight.acquire_many(caps::IN_FLIGHT as u32).await;
    let mut report = std::mem::replace(&mut *lock(&report), Report::new());
    report.finish(now().saturating_duration_since(began));
    Ok(report)
}

/// Sends a request again while its answer is retryable, as exporters do, waiting a little longer each time.
async fn until_settled(
    client: &Client,
    request: &Outgoing,
    schedule: Option<&str>,
    report: &Mutex<Report>,
) -> Answer {
    let mut wait = Duration::from_millis(5);
    for _ in 1..caps::SEND_ATTEMPTS {
        match client.post(request.signal, request.body.clone(), schedule).await {
            Answer::Retryable(_) => {
                lock(report).retried += 1;
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            settled => return settled,
        }
    }
    client.post(request.signal, request.body.clone(), schedule).await
}

fn lock(report: &Mutex<Report>) -> std::sync::MutexGuard<'_, Report> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of day, for the first attempt of a run.
#[expect(clippy::disallowed_methods, reason = "what is sent now begins now")]
pub fn wall_clock() -> UnixNanos {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixNanos(since.map_or(0, |since| since.as_nanos() as u64))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sender keeps a schedule in real time and measures latencies"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
