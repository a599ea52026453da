//! How far a device's clock is ahead of the server's.
//!
//! - An event cannot arrive before it happened, and not later than its batch: that bounds the offset from both
//!   sides, to within a batch's window.
//! - Within the bounds the world's law of clocks speaks, and the laws of the steps between an event of the
//!   device and one of a clock that is known.
//! - A page calls the browser 30 ms after the server's challenge, which settles it.

use super::density::Duration;
use crate::world::Band;

/// An offset and how exactly it is known, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offset {
    pub(super) ahead: f64,
    pub(super) blur: f64,
}

/// A step between a device's clock and a known one: by how much the device's stamp lies after the known time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bridge<'a> {
    pub(super) after: f64,
    /// The law of the step, from the known time to the device's event or the other way round.
    pub(super) law: &'a Duration,
    pub(super) forwards: bool,
}

/// Points within the bounds.
const POINTS: usize = 48;

/// The offset of a device whose events were stamped so many seconds after they arrived (which is negative on a
/// clock that is right), each with the window of its batches.
pub(super) fn offset(early: &[(f64, f64)], bands: &[Band], bridges: &[Bridge<'_>]) -> Offset {
    let Some((least, window)) = early.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Offset { ahead: 0.0, blur: 0.5 };
    };
    let (from, to) = (least + 0.01, least + window + 0.5);
    let width = (to - from) / POINTS as f64;
    let (mut sum, mut mean, mut square) = (0.0, 0.0, 0.0);
    for nth in 0..POINTS {
        let ahead = from + width * (nth as f64 + 0.5);
        let mut weight = prior(bands, ahead) + 1e-9;
        for bridge in bridges {
            let length = bridge.after - ahead;
            let length = if bridge.forwards { length } else { -length };
            weight *= bridge.law.density(length, width / 2.0) + 1e-6;
        }
        sum += weight;
        mean += weight * ahead;
        square += weight * ahead * ahead;
    }
    let mean = mean / sum;
    let variance = (square / sum - mean * mean).max(0.0);
    Offset { ahead: mean, blur: (1.5 * variance.sqrt()).max(0.03) }
}

/// The density of an offset under the world's law of clocks.
fn prior(bands: &[Band], ahead: f64) -> f64 {
    let distance = ahead.abs();
    let exact: f64 = 1.0 - bands.iter().map(|band| band.share).sum::<f64>();
    let mut density = exact.max(0.0) * if distance < 0.05 { 10.0 } else { 0.0 };
    for band in bands {
        let sign = if ahead < 0.0 { band.behind } else { 1.0 - band.behind };
        if band.from_s <= 0.0 && distance < band.to_s.max(0.05) {
            density += band.share * sign / band.to_s.max(0.05);
        } else if band.from_s > 0.0 && (band.from_s..band.to_s).contains(&distance) {
            density += band.share * sign / (distance * (band.to_s / band.from_s).ln());
        }
    }
    density
}
