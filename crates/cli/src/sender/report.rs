//! What a run of the sender measured, and what several senders did together.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use serde_json::json;

use authstitch_model::UnixNanos;

use super::Outgoing;
use super::client::Answer;
use super::intervals::{Counts, IntervalLog};
use crate::failure::{Failure, Outcome, While};
use crate::output::grouped;

/// The longest time that the histograms tell apart, in microseconds: ten minutes.
const LONGEST_MICROS: u64 = 600_000_000;

/// A sender whose 99th percentile is later than this did not keep its schedule.
const TOLERATED_LATENESS: Duration = Duration::from_millis(100);

/// Counts and latencies of a run, or of several senders of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// How many senders.
    pub senders: u64,
    /// When the first request was due.
    pub began: UnixNanos,
    /// Seconds from then to the last answer.
    pub elapsed_s: f64,
    /// Whether every sender kept its schedule.
    pub valid: bool,
    pub requests: Requests,
    /// Spans and log records.
    pub records: Records,
    /// Processor time of the senders' processes, in user and system mode, while they sent.
    pub cpu_s: f64,
    /// What the first request that failed was told.
    pub first_failure: Option<String>,
    /// Whether the sender gave up because the receiver was too far behind.
    #[serde(skip)]
    pub fell_behind: bool,
    /// Scheduled → acknowledged: microseconds, and how many requests took so long.
    latency_us: Counts,
    /// Scheduled → handed over, less what the receiver kept the sender waiting.
    lateness_us: Counts,
    #[serde(skip)]
    measuring: Option<Measuring>,
    #[serde(skip)]
    pub intervals: IntervalLog,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Requests {
    /// Answered, whatever the answer.
    pub answered: u64,
    /// Failed for good.
    pub failed: u64,
    /// Times one was sent again.
    pub sent_again: u64,
    /// Bytes of all that were sent, before compression, encryption and framing.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Records {
    /// In all requests that were answered.
    pub sent: u64,
    /// Taken by the receiver.
    pub delivered: u64,
    /// Not taken, in requests that were.
    pub rejected: u64,
    /// In requests that failed for good.
    pub failed: u64,
}

/// What is needed while a run lasts.
#[derive(Clone, Debug)]
struct Measuring {
    zero: Instant,
    cpu_s: f64,
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
    by_interval: bool,
}

impl Report {
    /// That of a run which begins at a time of day, which the sender's clock calls `zero`.
    pub(super) fn begin(began: UnixNanos, zero: Instant, by_interval: bool) -> Self {
        let measuring =
            Measuring { zero, cpu_s: cpu_s(), latency: histogram(), lateness: histogram(), by_interval };
        Self {
            senders: 1,
            began,
            elapsed_s: 0.0,
            valid: true,
            requests: Requests::default(),
            records: Records::default(),
            cpu_s: 0.0,
            first_failure: None,
            fell_behind: false,
            latency_us: Counts::default(),
            lateness_us: Counts::default(),
            measuring: Some(measuring),
            intervals: IntervalLog::new(began),
        }
    }

    pub(super) fn late(&mut self, by: Duration) {
        if let Some(measuring) = &mut self.measuring {
            measuring.lateness.saturating_record(by.as_micros() as u64);
        }
    }

    pub(super) const fn sent_again(&mut self) {
        self.requests.sent_again += 1;
    }

    /// Whether a sender that looks for a limit has found it.
    pub(super) fn lost_patience(&mut self, behind: Duration, patience: Duration) -> bool {
        self.fell_behind |= behind > patience;
        self.fell_behind || self.requests.failed + self.records.rejected > 0
    }

    pub(super) fn answered(&mut self, request: &Outgoing, answer: &Answer, scheduled: Instant, now: Instant) {
        let micros = now.saturating_duration_since(scheduled).as_micros() as u64;
        if let Some(measuring) = &mut self.measuring {
            measuring.latency.saturating_record(micros);
            if measuring.by_interval {
                self.intervals.record(now.saturating_duration_since(measuring.zero), micros);
            }
        }
        self.requests.answered += 1;
        self.requests.bytes += request.body.len() as u64;
        self.records.sent += request.records;
        match answer {
            Answer::Accepted { rejected } => {
                self.records.delivered += request.records.saturating_sub(*rejected);
                self.records.rejected += rejected;
            }
            Answer::Retryable(message) | Answer::Refused(message) => {
                self.requests.failed += 1;
                self.records.failed += request.records;
                self.first_failure.get_or_insert_with(|| message.clone());
            }
        }
    }

    pub(super) fn finish(&mut self, now: Instant) {
        if let Some(measuring) = self.measuring.take() {
            self.elapsed_s = now.saturating_duration_since(measuring.zero).as_secs_f64();
            self.cpu_s = cpu_s() - measuring.cpu_s;
            let late = u128::from(measuring.lateness.value_at_quantile(0.99));
            self.valid = late <= TOLERATED_LATENESS.as_micros();
            self.latency_us = Counts::of(&measuring.latency);
            self.lateness_us = Counts::of(&measuring.lateness);
        }
    }

    /// Scheduled → acknowledged.
    pub fn latency(&self) -> Histogram<u64> {
        self.latency_us.histogram()
    }

    /// What another sender of the same run did, added.
    pub fn add(&mut self, other: &Self) {
        let ends = |report: &Self| report.began.0 as f64 / 1e9 + report.elapsed_s;
        let end = ends(self).max(ends(other));
        self.began = self.began.min(other.began);
        self.elapsed_s = end - self.began.0 as f64 / 1e9;
        self.senders += other.senders;
        self.valid &= other.valid;
        self.requests.answered += other.requests.answered;
        self.requests.failed += other.requests.failed;
        self.requests.sent_again += other.requests.sent_again;
        self.requests.bytes += other.requests.bytes;
        self.records.sent += other.records.sent;
        self.records.delivered += other.records.delivered;
        self.records.rejected += other.records.rejected;
        self.records.failed += other.records.failed;
        self.cpu_s += other.cpu_s;
        self.first_failure = self.first_failure.take().or_else(|| other.first_failure.clone());
        self.latency_us.add(&other.latency_us);
        self.lateness_us.add(&other.lateness_us);
    }

    /// What it comes to by the second, in a line.
    pub fn rates(&self) -> String {
        let (elapsed_s, cpu_s) = (self.elapsed_s.max(1e-9), self.cpu_s.max(1e-9));
        let delivered = self.records.delivered as f64;
        format!(
            "delivered {} spans and log records/s, {:.1} MB/s; {} a CPU-second\n",
            grouped((delivered / elapsed_s) as u64),
            self.requests.bytes as f64 / elapsed_s / 1e6,
            grouped((delivered / cpu_s) as u64)
        )
    }

    /// Reads what [`Report::write`] wrote.
    pub fn read(path: &Path, text: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(text)
            .cannot(format!("read {}", path.display()))
            .map_err(|failure| failure.hint("accepted: what `simulate --report` and `--hdr` write"))
    }

    /// Writes one JSON object, with what follows from it for those who only look: rates and percentiles.
    pub fn write(&self, path: &Path) -> Outcome {
        let what = format!("write {}", path.display());
        let mut object = serde_json::to_value(self).cannot(&what)?;
        let rate = |count: u64| count as f64 / self.elapsed_s.max(1e-9);
        object["rates"] = json!({
            "requests_per_s": rate(self.requests.answered),
            "delivered_per_s": rate(self.records.delivered),
            "bytes_per_s": rate(self.requests.bytes),
            "delivered_per_cpu_s": self.records.delivered as f64 / self.cpu_s.max(1e-9),
        });
        object["latency_ms"] = percentiles(&self.latency_us.histogram());
        object["lateness_ms"] = percentiles(&self.lateness_us.histogram());
        std::fs::write(path, format!("{object}\n")).cannot(&what)
    }
}

/// User and system time of this process.
fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

pub(super) fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants that hdrhistogram accepts")]
    Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("constant bounds")
}

const fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

fn percentiles(histogram: &Histogram<u64>) -> serde_json::Value {
    let at = |quantile| millis(histogram.value_at_quantile(quantile));
    json!({
        "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p99.9": at(0.999), "max": millis(histogram.max()),
        "mean": histogram.mean() / 1000.0,
    })
}

/// Median, 99th percentile and greatest value of a histogram of microseconds, in milliseconds.
fn quantiles(histogram: &Histogram<u64>) -> String {
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
            grouped(self.requests.answered),
            grouped(self.records.delivered),
            self.elapsed_s
        )?;
        writeln!(f, "scheduled → acknowledged: {}", quantiles(&self.latency_us.histogram()))?;
        writeln!(f, "sender's lateness: {}", quantiles(&self.lateness_us.histogram()))?;
        if self.records.rejected + self.requests.sent_again + self.requests.failed > 0 {
            writeln!(
                f,
                "rejected {}, sent again {}, failed {}",
                grouped(self.records.rejected),
                grouped(self.requests.sent_again),
                grouped(self.requests.failed)
            )?;
        }
        if let Some(message) = &self.first_failure {
            writeln!(f, "the first failure: {message}")?;
        }
        if !self.valid {
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
    use authstitch_otlp::Signal;

    use super::*;
    use crate::sender::now;

    fn report(began_s: u64) -> Report {
        Report::begin(UnixNanos(began_s * 1_000_000_000), now(), false)
    }

    fn request(records: u64) -> Outgoing {
        Outgoing { due: UnixNanos(0), signal: Signal::Traces, records, body: vec![0; 100].into() }
    }

    fn answer(report: &mut Report, records: u64, answer: &Answer, millis: u64) {
        let scheduled = now();
        report.answered(&request(records), answer, scheduled, scheduled + Duration::from_millis(millis));
    }

    #[test]
    fn a_run_that_fell_behind_says_so() {
        let mut kept = report(0);
        kept.late(Duration::from_millis(1));
        kept.finish(now());
        assert!(kept.valid && !kept.to_string().contains("INVALID"));
        let mut late = report(0);
        for _ in 0..10 {
            late.late(Duration::from_secs(2));
        }
        late.finish(now());
        assert!(!late.valid && late.to_string().contains("INVALID"));
    }

    #[test]
    fn reports_add_up_and_come_back_as_they_were_written() {
        let (mut first, mut second) = (report(100), report(90));
        answer(&mut first, 10, &Answer::Accepted { rejected: 3 }, 20);
        answer(&mut first, 5, &Answer::Refused("no".into()), 40);
        answer(&mut second, 7, &Answer::Accepted { rejected: 0 }, 80);
        second.sent_again();
        (first.elapsed_s, second.elapsed_s) = (5.0, 20.0);
        for report in [&mut first, &mut second] {
            let elapsed_s = report.elapsed_s;
            report.finish(now());
            report.elapsed_s = elapsed_s;
        }
        first.add(&second);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        first.write(&path).unwrap();
        let text = std::fs::read(&path).unwrap();
        let again = Report::read(&path, &text).unwrap();
        assert_eq!((again.senders, again.began, again.elapsed_s), (2, UnixNanos(90_000_000_000), 20.0));
        let Requests { answered, failed, sent_again, bytes } = again.requests;
        assert_eq!((answered, failed, sent_again, bytes), (3, 1, 1, 300));
        let Records { sent, delivered, rejected, failed } = again.records;
        assert_eq!((sent, delivered, rejected, failed), (22, 14, 3, 5));
        assert_eq!(again.first_failure.as_deref(), Some("no"));
        assert_eq!(again.latency().len(), 3);
        let object: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert!(object["latency_ms"]["max"].as_f64().is_some_and(|max| (80.0..80.2).contains(&max)));
        assert!(Report::read(&path, b"{}").is_err());
    }
}
