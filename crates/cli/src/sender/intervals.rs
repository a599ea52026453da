//! Latencies second by second, as an interval log of hdrhistogram: what its plotters and processors read.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, IntervalLogWriterBuilder, LogEntry};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use authstitch_model::UnixNanos;

use super::report::histogram;
use crate::caps;
use crate::failure::{Failure, Outcome, While};

/// Values of a histogram, each with how often it was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts(Vec<(u64, u64)>);

impl Counts {
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let recorded = histogram.iter_recorded();
        Self(recorded.map(|step| (step.value_iterated_to(), step.count_at_value())).collect())
    }

    pub fn histogram(&self) -> Histogram<u64> {
        let mut all = histogram();
        for (value, count) in &self.0 {
            all.saturating_record_n(*value, *count);
        }
        all
    }

    pub fn add(&mut self, other: &Self) {
        let mut all = self.histogram();
        for (value, count) in &other.0 {
            all.saturating_record_n(*value, *count);
        }
        *self = Self::of(&all);
    }
}

/// Latencies in microseconds by the second in which they were known.
#[derive(Clone, Debug, Default)]
pub struct IntervalLog {
    /// The time of day of second 0.
    began: UnixNanos,
    seconds: BTreeMap<u64, Histogram<u64>>,
}

impl IntervalLog {
    pub const fn new(began: UnixNanos) -> Self {
        Self { began, seconds: BTreeMap::new() }
    }

    /// Notes a latency that is known so long after the beginning.
    pub fn record(&mut self, after: Duration, micros: u64) {
        self.second(after.as_secs()).saturating_record(micros);
    }

    fn second(&mut self, second: u64) -> &mut Histogram<u64> {
        self.seconds.entry(second.min(caps::INTERVALS)).or_insert_with(small)
    }

    /// Adds the log of another sender: seconds that are the same by the time of day become one.
    pub fn add(&mut self, other: &Self) {
        if self.seconds.is_empty() {
            *self = other.clone();
            return;
        }
        let began = self.began.min(other.began);
        let mut sum = Self::new(began);
        for log in [&*self, other] {
            let later = (log.began.0 - began.0) / 1_000_000_000;
            for (second, histogram) in &log.seconds {
                // Both histograms grow by themselves, so nothing is out of range.
                let _ = sum.second(second + later).add(histogram);
            }
        }
        *self = sum;
    }

    pub fn write(&self, path: &Path) -> Outcome {
        let what = format!("write {}", path.display());
        let mut file = std::io::BufWriter::new(std::fs::File::create(path).cannot(&what)?);
        let mut serializer = V2DeflateSerializer::new();
        let began = SystemTime::UNIX_EPOCH + Duration::from_nanos(self.began.0);
        let mut log = IntervalLogWriterBuilder::new()
            .add_comment("scheduled to acknowledged, in microseconds; Interval_Max in milliseconds")
            .with_start_time(began)
            .with_base_time(began)
            .with_max_value_divisor(1000.0)
            .begin_log_with(&mut file, &mut serializer)
            .cannot(&what)?;
        for (second, histogram) in &self.seconds {
            let (start, length) = (Duration::from_secs(*second), Duration::from_secs(1));
            log.write_histogram(histogram, start, length, None)
                .map_err(|error| Failure::new(format!("cannot {what}: {error:?}")))?;
        }
        std::io::Write::flush(&mut file).cannot(&what)
    }

    /// Reads what [`IntervalLog::write`] or another writer of such logs wrote.
    pub fn read(path: &Path, text: &[u8]) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::new(format!("{} is no interval log: {why}", path.display()))
                .hint("accepted: what `simulate --report` and `--hdr` write")
        };
        let (mut started, mut base, mut found) = (None, None, Vec::new());
        for entry in IntervalLogIterator::new(text) {
            match entry.map_err(|error| wrong(format!("{error:?}")))? {
                LogEntry::StartTime(time) => started = Some(time),
                LogEntry::BaseTime(time) => base = Some(time),
                LogEntry::Interval(interval) => {
                    let bytes = STANDARD
                        .decode(interval.encoded_histogram())
                        .map_err(|why| wrong(why.to_string()))?;
                    let histogram: Histogram<u64> = Deserializer::new()
                        .deserialize(&mut bytes.as_slice())
                        .map_err(|why| wrong(format!("{why:?}")))?;
                    found.push((interval.start_timestamp(), histogram));
                }
            }
        }
        // Without a base the times of the intervals are times of day.
        let first = found.iter().map(|(start, _)| *start).min().unwrap_or_default();
        let zero = if base.is_some() { Duration::ZERO } else { started.unwrap_or(first).min(first) };
        let mut log = Self::new(UnixNanos((base.unwrap_or(zero)).as_nanos() as u64));
        for (start, histogram) in found {
            let _ = log.second(start.saturating_sub(zero).as_secs()).add(histogram);
        }
        Ok(log)
    }
}

/// A histogram that grows with what it holds.
fn small() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "three digits are accepted")]
    Histogram::new(3).expect("a constant precision")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN_S: u64 = 1_767_225_600;

    fn log(began_s: u64, latencies: &[(u64, u64)]) -> IntervalLog {
        let mut log = IntervalLog::new(UnixNanos(began_s * 1_000_000_000));
        for (second, micros) in latencies {
            log.record(Duration::from_secs(*second), *micros);
        }
        log
    }

    fn seconds(log: &IntervalLog) -> Vec<(u64, u64, u64)> {
        let second =
            |(second, histogram): (&u64, &Histogram<u64>)| (*second, histogram.len(), histogram.max());
        log.seconds.iter().map(second).collect()
    }

    #[test]
    fn a_log_comes_back_as_it_was_written() {
        let written = log(BEGAN_S, &[(0, 1500), (0, 90), (3, 250)]);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("latency.hlog");
        written.write(&path).unwrap();
        let read = IntervalLog::read(&path, &std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(seconds(&read), [(0, 2, 1500), (3, 1, 250)]);
        assert_eq!(read.began, written.began);
        let wrong = IntervalLog::read(&path, b"Tag=a,b\nnonsense").unwrap_err().to_string();
        assert!(wrong.contains("latency.hlog") && wrong.contains("accepted"), "{wrong}");
    }

    #[test]
    fn seconds_that_are_the_same_by_the_time_of_day_become_one() {
        let mut sum = log(BEGAN_S + 10, &[(0, 100), (1, 200)]);
        sum.add(&log(BEGAN_S + 9, &[(0, 300), (2, 400)]));
        assert_eq!(sum.began, UnixNanos(BEGAN_S * 1_000_000_000 + 9_000_000_000));
        assert_eq!(seconds(&sum), [(0, 1, 300), (1, 1, 100), (2, 2, 400)]);
    }

    #[test]
    fn counts_of_a_histogram_make_the_same_histogram() {
        let mut original = histogram();
        for value in [1, 5, 5, 999, 123_456, 40_000_000] {
            original.saturating_record(value);
        }
        let counts = Counts::of(&original);
        assert_eq!(counts.histogram(), original);
        let mut twice = counts.clone();
        twice.add(&counts);
        assert_eq!(twice.histogram().len(), 12);
    }
}
