//! What a run measured.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::client::Refusal;

/// The longest latency that is told apart, in microseconds: ten minutes.
const LONGEST_MICROS: u64 = 600_000_000;

/// Counts and latencies while a run lasts.
pub struct Tally {
    requests: u64,
    sent_again: u64,
    rejected: u64,
    failed: u64,
    first_failure: Option<String>,
    latency: Histogram<u64>,
}

/// What is printed.
#[derive(Serialize)]
pub struct Report {
    spans: u64,
    span_bytes: f64,
    acknowledged: u64,
    requests_sent_again: u64,
    rejected: u64,
    failed: u64,
    first_failure: Option<String>,
    seconds: f64,
    p50_us: u64,
    p99_us: u64,
    max_us: u64,
}

impl Tally {
    pub fn new() -> Self {
        #[expect(clippy::expect_used, reason = "the bounds are constants that hdrhistogram accepts")]
        let latency = Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("constant bounds");
        Self { requests: 0, sent_again: 0, rejected: 0, failed: 0, first_failure: None, latency }
    }

    /// Counts one request: how many of its spans were rejected or why all failed, and how often it was sent
    /// again.
    pub fn answered(&mut self, answer: Result<u64, Refusal>, sent_again: u64, latency: Duration) {
        self.requests += 1;
        self.sent_again += sent_again;
        self.latency.saturating_record(latency.as_micros() as u64);
        match answer {
            Ok(rejected) => self.rejected += rejected,
            Err(Refusal::Overloaded(why) | Refusal::Failed(why)) => {
                self.failed += 1;
                self.first_failure.get_or_insert(why);
            }
        }
    }

    /// The report of a run with requests of so many spans, of so many bytes each.
    pub fn report(&self, batch: u64, span_bytes: f64, elapsed: Duration) -> Report {
        let failed = self.failed * batch;
        Report {
            spans: self.requests * batch,
            span_bytes,
            acknowledged: (self.requests * batch).saturating_sub(failed + self.rejected),
            requests_sent_again: self.sent_again,
            rejected: self.rejected,
            failed,
            first_failure: self.first_failure.clone(),
            seconds: elapsed.as_secs_f64(),
            p50_us: self.latency.value_at_quantile(0.5),
            p99_us: self.latency.value_at_quantile(0.99),
            max_us: self.latency.max(),
        }
    }
}
