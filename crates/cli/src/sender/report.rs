//! What a run of the sender measured.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::Outgoing;
use super::client::Answer;
use crate::output::grouped;

/// The longest time that the histograms tell apart, in microseconds: ten minutes.
const LONGEST_MICROS: u64 = 600_000_000;

/// A sender whose 99th percentile is later than this did not keep its schedule.
const TOLERATED_LATENESS: Duration = Duration::from_millis(100);

/// Counts and latencies of one run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Requests answered.
    pub requests: u64,
    /// Spans and log records in requests that succeeded.
    pub records: u64,
    /// Spans and log records rejected by partial success.
    pub rejected: u64,
    /// Times a request was sent again.
    pub retried: u64,
    /// Requests that failed for good.
    pub failed: u64,
    /// What the first of them was told.
    pub first_failure: Option<String>,
    /// How long the run took.
    pub elapsed: Duration,
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            requests: 0,
            records: 0,
            rejected: 0,
            retried: 0,
            failed: 0,
            first_failure: None,
            elapsed: Duration::ZERO,
            latency: histogram(),
            lateness: histogram(),
        }
    }

    pub(super) fn late(&mut self, by: Duration) {
        self.lateness.saturating_record(by.as_micros() as u64);
    }

    pub(super) fn answered(&mut self, request: &Outgoing, answer: &Answer, latency: Duration) {
        self.requests += 1;
        self.latency.saturating_record(latency.as_micros() as u64);
        match answer {
            Answer::Accepted { rejected } => {
                self.records += request.records.saturating_sub(*rejected);
                self.rejected += rejected;
            }
            Answer::Retryable(message) | Answer::Refused(message) => {
                self.failed += 1;
                self.first_failure.get_or_insert_with(|| message.clone());
            }
        }
    }

    pub(super) fn finish(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
    }

    /// Whether the sender kept its schedule.
    pub fn is_valid(&self) -> bool {
        u128::from(self.lateness.value_at_quantile(0.99)) <= TOLERATED_LATENESS.as_micros()
    }
}

fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants that hdrhistogram accepts")]
    Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("constant bounds")
}

/// Median, 99th percentile and greatest value of a histogram of microseconds, in milliseconds.
fn quantiles(histogram: &Histogram<u64>) -> String {
    let millis = |micros: u64| micros as f64 / 1000.0;
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
        millis(histogram.value_at_quantile(0.5)),
        millis(histogram.value_at_quantile(0.99)),
        millis(histogram.max())
    )
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "sent {} requests with {} spans and log records in {:.1} s",
            grouped(self.requests),
            grouped(self.records),
            self.elapsed.as_secs_f64()
        )?;
        writeln!(f, "scheduled → acknowledged: {}", quantiles(&self.latency))?;
        writeln!(f, "sender's lateness: {}", quantiles(&self.lateness))?;
        if self.rejected + self.retried + self.failed > 0 {
            writeln!(
                f,
                "rejected {}, sent again {}, failed {}",
                grouped(self.rejected),
                grouped(self.retried),
                grouped(self.failed)
            )?;
        }
        if let Some(message) = &self.first_failure {
            writeln!(f, "the first failure: {message}")?;
        }
        if !self.is_valid() {
            writeln!(
                f,
                "INVALID: the sender fell behind its own schedule; lower the load or free the machine"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_fell_behind_says_so() {
        let mut report = Report::new();
        report.late(Duration::from_millis(1));
        assert!(report.is_valid() && !report.to_string().contains("INVALID"));
        for _ in 0..10 {
            report.late(Duration::from_secs(2));
        }
        assert!(!report.is_valid() && report.to_string().contains("INVALID"));
    }
}
