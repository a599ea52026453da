//! How far the probability of the likeliest cause lies from how often it is right.

use crate::caps;
use crate::case::{Observer, Weighed};
use crate::mean::{Mean, ratio};

/// Forecasts of about the same confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bin {
    /// How many there are.
    pub count: usize,
    /// How much they weigh.
    pub mass: f64,
    /// Their mean probability of the likeliest cause.
    pub confidence: f64,
    /// How often that cause is the true one.
    pub right: f64,
    /// The standard error of that; `None` of a single forecast.
    pub error: Option<f64>,
}

/// Bins of equal mass, the least confident first, where something was said. Forecasts of equal probability
/// stay in one bin.
pub(crate) fn bins(cases: &[Weighed<'_>], observer: Observer) -> Vec<Bin> {
    let said = cases.iter().filter_map(|weighed| {
        let (case, said) = (weighed.case, weighed.case.said(observer)?);
        Some((weighed.weight, said.of(said.cause()), said.cause() == case.cause))
    });
    let mut said: Vec<(f64, f64, bool)> = said.collect();
    said.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mass: f64 = said.iter().map(|forecast| forecast.0).sum();
    // A sum of many weights may lie a rounding below the bin's share.
    let full = mass / caps::CALIBRATION_BINS as f64 * (1.0 - 1e-9);
    let (mut rest, mut bins) = (said.as_slice(), Vec::new());
    while !rest.is_empty() {
        let (mut filled, mut end) = (0.0, 0);
        while end < rest.len() && filled < full {
            filled += rest[end].0;
            end += 1;
        }
        let last = rest[end.saturating_sub(1)].1;
        let (bin, after) = rest.split_at(rest.partition_point(|forecast| forecast.1 <= last));
        let right = Mean::share(bin.iter().map(|forecast| (forecast.0, forecast.2)));
        let confidence = Mean::of(bin.iter().map(|forecast| (forecast.0, forecast.1)));
        if let (Some(confidence), Some(share)) = (confidence.value, right.value) {
            let mass = bin.iter().map(|forecast| forecast.0).sum();
            bins.push(Bin { count: bin.len(), mass, confidence, right: share, error: right.error });
        }
        rest = after;
    }
    bins
}

/// The expected calibration error: the mean distance over all bins, by their mass.
pub(crate) fn error(bins: &[Bin]) -> Option<f64> {
    let distance: f64 = bins.iter().map(|bin| bin.mass * (bin.confidence - bin.right).abs()).sum();
    ratio(distance, bins.iter().map(|bin| bin.mass).sum())
}
