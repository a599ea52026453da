//! Laws of durations and shares, as a world file states them.

use std::ops::RangeInclusive;

use authstitch_model::document::Fields;
use rand_distr::{Gamma, StandardNormal};

use crate::caps;
use crate::random::Dice;

/// The standard normal's 95th percentile.
pub(crate) const NORMAL_P95: f64 = 1.644_853_626_951_472_2;

/// Seconds that a law may speak of: a day.
const SECONDS: RangeInclusive<f64> = 0.0..=86_400.0;

/// A law of a duration: lognormal by its median and 95th percentile, and sometimes something on top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Law {
    pub(crate) median_s: f64,
    pub(crate) p95_s: f64,
    /// Nothing is shorter; median and percentile count from here.
    pub(crate) at_least_s: f64,
    pub(crate) sometimes: Sometimes,
}

/// What comes on top of a duration, with which probability: fetching the phone from another room.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sometimes {
    pub(crate) share: f64,
    pub(crate) from_s: f64,
    pub(crate) to_s: f64,
}

/// How the laws of the steps are bent as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timing {
    /// Every duration is multiplied by this.
    pub(crate) stretch: f64,
    /// The shape of every law.
    pub(crate) shape: Shape,
}

/// The family of distributions that a law's two numbers are read in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// As stated.
    Lognormal,
    /// The gamma distribution of the same mean and variance.
    Gamma,
}

impl Timing {
    /// As the laws say.
    pub(crate) const PLAIN: Self = Self { stretch: 1.0, shape: Shape::Lognormal };

    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        Self {
            stretch: fields.number("stretch", 0.01..=100.0, 1.0),
            shape: fields.parsed("shape", "lognormal, gamma", Shape::Lognormal, |text| match text {
                "lognormal" => Some(Shape::Lognormal),
                "gamma" => Some(Shape::Gamma),
                _ => None,
            }),
        }
    }
}

impl Law {
    /// The lognormal law with this median and 95th percentile, in seconds.
    pub(crate) const fn new(median_s: f64, p95_s: f64) -> Self {
        let sometimes = Sometimes { share: 0.0, from_s: 0.0, to_s: 0.0 };
        Self { median_s, p95_s, at_least_s: 0.0, sometimes }
    }

    /// Reads `key: {median_s, p95_s, at_least_s, sometimes: {share, from_s, to_s}}`.
    pub(crate) fn read(fields: &Fields<'_>, key: &'static str, default: Self) -> Self {
        if !fields.has(key) {
            return default;
        }
        fields.map(key, |law| {
            let median_s = law.number("median_s", SECONDS, default.median_s);
            let p95_s = law.number("p95_s", SECONDS, median_s.max(default.p95_s));
            if p95_s < median_s {
                law.problem("p95_s", format!("{p95_s} lies below the median of {median_s}"));
            }
            let at_least_s = law.number("at_least_s", SECONDS, default.at_least_s);
            let sometimes = law.map("sometimes", |extra| {
                let from_s = extra.number("from_s", SECONDS, 0.0);
                let to_s = extra.number("to_s", SECONDS, from_s);
                if to_s < from_s {
                    extra.problem("to_s", format!("{to_s} lies below from_s, which is {from_s}"));
                }
                Sometimes { share: share(extra, "share", 0.0), from_s, to_s }
            });
            Self { median_s, p95_s, at_least_s, sometimes }
        })
    }

    /// A duration in seconds.
    pub(crate) fn draw(&self, dice: &mut Dice, timing: Timing) -> f64 {
        let extra = if self.sometimes.share > 0.0 && dice.chance(self.sometimes.share) {
            dice.between(self.sometimes.from_s, self.sometimes.to_s)
        } else {
            0.0
        };
        let sigma = if self.median_s > 0.0 { (self.p95_s / self.median_s).ln() / NORMAL_P95 } else { 0.0 };
        let body = match timing.shape {
            _ if sigma == 0.0 => self.median_s,
            Shape::Lognormal => self.median_s * (sigma * dice.sample(&StandardNormal)).exp(),
            Shape::Gamma => gamma(self.median_s, sigma, dice),
        };
        (self.at_least_s + body.min(self.p95_s * caps::TAIL) + extra) * timing.stretch
    }
}

/// A draw from the gamma distribution with the mean and variance of the lognormal one.
fn gamma(median_s: f64, sigma: f64, dice: &mut Dice) -> f64 {
    let spread = (sigma * sigma).exp() - 1.0;
    let mean = median_s * (sigma * sigma / 2.0).exp();
    Gamma::new(1.0 / spread, mean * spread).map_or(mean, |gamma| dice.sample(&gamma))
}

/// Reads a share between 0 and 1.
pub(crate) fn share(fields: &Fields<'_>, key: &'static str, default: f64) -> f64 {
    fields.number(key, 0.0..=1.0, default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn quantiles(law: Law, timing: Timing) -> (f64, f64, f64) {
        let mut dice = Dice::new(1, Stream::Life, [0; 3]);
        let mut draws: Vec<f64> = (0..20_000).map(|_| law.draw(&mut dice, timing)).collect();
        draws.sort_by(f64::total_cmp);
        (draws[10_000], draws[19_000], draws.iter().sum::<f64>() / 20_000.0)
    }

    #[test]
    fn a_law_has_the_stated_median_and_percentile() {
        let (median, p95, _) = quantiles(Law::new(8.0, 30.0), Timing::PLAIN);
        assert!((median - 8.0).abs() < 0.3 && (p95 - 30.0).abs() < 1.5, "{median} {p95}");
    }

    #[test]
    fn the_gamma_shape_keeps_the_mean_and_stretch_multiplies() {
        let (_, _, plain) = quantiles(Law::new(8.0, 30.0), Timing::PLAIN);
        let (_, _, gamma) = quantiles(Law::new(8.0, 30.0), Timing { stretch: 1.5, shape: Shape::Gamma });
        assert!((gamma / plain - 1.5).abs() < 0.06, "{plain} {gamma}");
    }

    #[test]
    fn nothing_is_shorter_than_the_least_duration() {
        let law = Law { at_least_s: 2.0, ..Law::new(8.0, 30.0) };
        let (median, p95, _) = quantiles(law, Timing::PLAIN);
        assert!((median - 10.0).abs() < 0.3 && (p95 - 32.0).abs() < 1.5, "{median} {p95}");
        let mut dice = Dice::new(1, Stream::Life, [0; 3]);
        assert!((0..20_000).all(|_| law.draw(&mut dice, Timing::PLAIN) >= 2.0));
    }

    #[test]
    fn a_law_of_one_value_is_that_value() {
        let mut dice = Dice::new(1, Stream::Life, [0; 3]);
        assert_eq!(Law::new(2.0, 2.0).draw(&mut dice, Timing::PLAIN), 2.0);
    }
}
