//! The load sender: requests at their scheduled times over OTLP, open-loop.
//!
//! A request is due when its world says, not when the receiver is ready: its latency counts from the
//! scheduled moment, so a receiver that stalls is charged for everything that had to wait. How late the
//! sender itself was is reported apart, and a run whose sender fell behind says that it is invalid.
//!
//! Everything is sent from one thread: bodies are handed over as they were made, over HTTP/2 on one
//! connection, and nothing else costs much.

mod client;
pub mod http;
mod intervals;
mod report;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::LocalSet;

use authstitch_model::UnixNanos;
use authstitch_otlp::Signal;

use crate::caps;
use crate::failure::{Failure, While};

use client::{Answer, Client};
pub use client::{Target, roots};
pub use intervals::IntervalLog;
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

/// When requests go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// At their due times. The simulated time `from` is at the time of day `begins`; from there time runs so
    /// many times as fast.
    RealTime { from: UnixNanos, begins: UnixNanos, speed: f64 },
    /// As fast as they are taken, each with its due time and place in the order as a header, which only a
    /// server started for a demo believes.
    Compressed,
}

/// How requests go.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// When.
    pub pace: Pace,
    /// At most so many are not answered yet.
    pub in_flight: usize,
    /// A sender that looks for a limit stops at the first refusal, or when the receiver is so far behind.
    pub gives_up: Option<Duration>,
    /// Whether latencies are kept second by second, too.
    pub intervals: bool,
}

impl Manner {
    /// The usual way at a pace.
    pub const fn at(pace: Pace) -> Self {
        Self { pace, in_flight: caps::IN_FLIGHT, gives_up: None, intervals: false }
    }
}

/// The runtime under a command that only sends: its own thread.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().cannot("start the runtime")
}

/// Sends everything that comes, then reports. `progress` is called now and then.
pub async fn send(
    requests: &mut mpsc::Receiver<Outgoing>,
    target: &Target,
    manner: Manner,
    progress: impl Fn(),
) -> Result<Report, Failure> {
    let client = Client::connect(target).await?;
    Ok(LocalSet::new().run_until(send_all(requests, client, manner, progress)).await)
}

async fn send_all(
    requests: &mut mpsc::Receiver<Outgoing>,
    client: Client,
    manner: Manner,
    progress: impl Fn(),
) -> Report {
    let schedule = Schedule::begin(manner.pace);
    let (client, in_flight) = (Rc::new(client), Arc::new(Semaphore::new(manner.in_flight)));
    let report = Rc::new(RefCell::new(Report::begin(schedule.began, schedule.zero, manner.intervals)));
    // So long the receiver has kept the sender waiting since it was last on time.
    let mut held = Duration::ZERO;
    let mut sequence = 0_u64;
    while let Some(request) = requests.recv().await {
        let scheduled = schedule.of(request.due);
        let mut ready = now();
        if scheduled > ready {
            tokio::time::sleep_until(scheduled.into()).await;
            (ready, held) = (now(), Duration::ZERO);
        }
        let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await else { break };
        let leaves = now();
        report.borrow_mut().late(ready.saturating_duration_since(scheduled).saturating_sub(held));
        held += leaves.saturating_duration_since(ready);
        if let Some(patience) = manner.gives_up
            && report.borrow_mut().lost_patience(leaves.saturating_duration_since(scheduled), patience)
        {
            break;
        }
        let header = (manner.pace == Pace::Compressed).then(|| format!("{sequence};{}", request.due.0));
        let tries = if manner.gives_up.is_some() { 1 } else { caps::SEND_ATTEMPTS };
        let (client, report) = (Rc::clone(&client), Rc::clone(&report));
        tokio::task::spawn_local(async move {
            let answer = until_settled(&client, &request, header.as_deref(), tries, &report).await;
            report.borrow_mut().answered(&request, &answer, scheduled, now());
            drop(permit);
        });
        // The request leaves now, not when the next one has to wait.
        tokio::task::yield_now().await;
        sequence += 1;
        if sequence.is_multiple_of(256) {
            progress();
        }
    }
    // Every permit back means every request answered.
    let _ = in_flight.acquire_many(manner.in_flight as u32).await;
    let mut report = report.borrow_mut();
    report.finish(now());
    report.clone()
}

/// Sends a request again while its answer is retryable, as exporters do, waiting a little longer each time.
async fn until_settled(
    client: &Client,
    request: &Outgoing,
    schedule: Option<&str>,
    tries: u32,
    report: &RefCell<Report>,
) -> Answer {
    let mut wait = Duration::from_millis(5);
    for _ in 1..tries {
        match client.post(request.signal, request.body.clone(), schedule).await {
            Answer::Retryable(_) => {
                report.borrow_mut().sent_again();
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            settled => return settled,
        }
    }
    client.post(request.signal, request.body.clone(), schedule).await
}

/// When each request leaves.
struct Schedule {
    pace: Pace,
    /// The same moment on the sender's clock and as a time of day.
    zero: Instant,
    began: UnixNanos,
}

impl Schedule {
    fn begin(pace: Pace) -> Self {
        let (zero, began) = (now(), wall_clock());
        match pace {
            Pace::RealTime { begins, .. } if begins > began => {
                Self { pace, zero: zero + Duration::from_nanos(begins.0 - began.0), began: begins }
            }
            _ => Self { pace, zero, began },
        }
    }

    fn of(&self, due: UnixNanos) -> Instant {
        match self.pace {
            Pace::RealTime { from, speed, .. } => {
                self.zero + Duration::from_nanos(due.0.saturating_sub(from.0)).div_f64(speed)
            }
            Pace::Compressed => now(),
        }
    }
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
