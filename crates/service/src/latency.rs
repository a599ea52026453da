//! How long things take, as a distribution: from a request's head to its answer, and from a record's receipt to
//! the moment when everything it brought about is judged.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::caps;

/// A running distribution.
#[derive(Debug)]
pub(crate) struct Latency(Mutex<Histogram<u64>>);

impl Default for Latency {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, caps::LATENCY_MICROS, caps::LATENCY_DIGITS);
        Self(Mutex::new(histogram.expect("the bounds are constants that a test builds a histogram of")))
    }
}

impl Latency {
    /// Counts one length of time; one beyond the bound counts as the bound.
    pub(crate) fn record(&self, length: Duration) {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(micros);
    }

    /// The distribution as it stands.
    pub(crate) fn summary(&self) -> Latencies {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
        Latencies {
            count: histogram.len(),
            quantiles: QUANTILES.map(at),
            highest: Duration::from_micros(histogram.max()),
            sum: Duration::from_secs_f64(histogram.mean() * histogram.len() as f64 / 1e6),
        }
    }
}

/// The quantiles that are shown.
pub const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// A distribution of lengths of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latencies {
    /// How many were counted.
    pub count: u64,
    /// The length at each of [`QUANTILES`], one percent exact.
    pub quantiles: [Duration; QUANTILES.len()],
    /// The longest.
    pub highest: Duration,
    /// All of them together.
    pub sum: Duration,
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |length: Duration| format!("{:.3} ms", length.as_secs_f64() * 1e3);
        for (quantile, length) in QUANTILES.iter().zip(self.quantiles) {
            write!(f, "p{} {}, ", quantile * 100.0, shown(length))?;
        }
        write!(f, "highest {}", shown(self.highest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_told_by_its_quantiles() {
        let latency = Latency::default();
        for millis in 1..=1000 {
            latency.record(Duration::from_millis(millis));
        }
        let summary = latency.summary();
        assert_eq!(summary.count, 1000);
        for (quantile, length) in QUANTILES.iter().zip(summary.quantiles) {
            let exact = quantile * 1000.0;
            let millis = length.as_secs_f64() * 1e3;
            assert!((millis - exact).abs() <= exact * 0.01 + 1.0, "{quantile}: {millis}");
        }
        assert!((summary.sum.as_secs_f64() - 500.5).abs() < 5.0);
        assert_eq!(Latency::default().summary().to_string().matches("0.000 ms").count(), 5);
    }

    #[test]
    fn what_lies_beyond_the_bound_counts_as_the_bound() {
        let latency = Latency::default();
        latency.record(Duration::from_secs(1 << 40));
        let bound = Duration::from_micros(caps::LATENCY_MICROS);
        assert!(latency.summary().highest >= bound && latency.summary().count == 1);
    }
}
