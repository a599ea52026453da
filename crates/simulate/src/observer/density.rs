//! What a law of a duration says of an observed one: its density, its distribution, and points spread evenly
//! over it.

use libm::{erfc, lgamma};

use crate::world::{Law, NORMAL_P95, Shape, Timing};

/// A law with its timing, ready to be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duration {
    body: Body,
    /// Nothing is shorter.
    least: f64,
    share: f64,
    from_s: f64,
    to_s: f64,
}

#[derive(Clone, Copy, Debug)]
enum Body {
    Exactly(f64),
    /// The median's logarithm, and sigma.
    Lognormal(f64, f64),
    /// Shape and scale.
    Gamma(f64, f64),
}

/// Nothing is measured more exactly than this: clocks tick in milliseconds, and processes take their time.
pub(super) const RESOLUTION_S: f64 = 0.02;

impl Duration {
    pub(super) fn new(law: &Law, timing: Timing) -> Self {
        let stretch = timing.stretch;
        let sigma = if law.median_s > 0.0 { (law.p95_s / law.median_s).ln() / NORMAL_P95 } else { 0.0 };
        let body = match timing.shape {
            _ if sigma <= 0.0 => Body::Exactly(law.median_s * stretch),
            Shape::Lognormal => Body::Lognormal((law.median_s * stretch).ln(), sigma),
            Shape::Gamma => {
                let spread = (sigma * sigma).exp() - 1.0;
                let mean = law.median_s * (sigma * sigma / 2.0).exp() * stretch;
                Body::Gamma(1.0 / spread, mean * spread)
            }
        };
        let extra = law.sometimes;
        let least = law.at_least_s * stretch;
        Self { body, least, share: extra.share, from_s: extra.from_s * stretch, to_s: extra.to_s * stretch }
    }

    /// The probability of being shorter.
    pub(super) fn below(&self, seconds: f64) -> f64 {
        let seconds = seconds - self.least;
        let plain = self.body.below(seconds);
        if self.share <= 0.0 {
            return plain;
        }
        // The extra time is uniform: three points of it are enough for a distribution function.
        let length = self.to_s - self.from_s;
        let late: f64 = [1.0, 3.0, 5.0]
            .iter()
            .map(|part| self.body.below(seconds - self.from_s - length * part / 6.0))
            .sum();
        (1.0 - self.share) * plain + self.share * late / 3.0
    }

    /// The density at a duration that is known to within `blur` seconds each way.
    pub(super) fn density(&self, seconds: f64, blur: f64) -> f64 {
        let blur = blur.max(RESOLUTION_S / 2.0);
        if let (Body::Lognormal(..) | Body::Gamma(..), true) = (self.body, seconds > 40.0 * blur) {
            let seconds = seconds - self.least;
            let plain = self.body.density(seconds);
            if self.share <= 0.0 {
                return plain;
            }
            let length = (self.to_s - self.from_s).max(RESOLUTION_S);
            let late =
                (self.body.below(seconds - self.from_s) - self.body.below(seconds - self.to_s)) / length;
            return (1.0 - self.share) * plain + self.share * late;
        }
        ((self.below(seconds + blur) - self.below(seconds - blur)) / (2.0 * blur)).max(0.0)
    }

    /// The duration below which a share of all lies; `extra` says whether and how much comes on top.
    pub(super) fn at(&self, share: f64, extra: f64) -> f64 {
        self.least + self.body.at(share) + self.on_top(extra)
    }

    /// The same of those durations that are shorter than `most`, and the share of these.
    pub(super) fn within(&self, share: f64, extra: f64, most: f64) -> (f64, f64) {
        let on_top = self.least + self.on_top(extra);
        if most.is_infinite() {
            return (self.body.at(share) + on_top, 1.0);
        }
        let below = self.body.below(most - on_top);
        (self.body.at(share * below) + on_top, below)
    }

    fn on_top(&self, extra: f64) -> f64 {
        if extra < self.share { self.from_s + (self.to_s - self.from_s) * extra / self.share } else { 0.0 }
    }
}

impl Body {
    fn at(&self, share: f64) -> f64 {
        match *self {
            Self::Exactly(value) => value,
            Self::Lognormal(mean, sigma) => (mean + sigma * normal_quantile(share)).exp(),
            Self::Gamma(shape, scale) => {
                // Wilson and Hilferty: the cube root of a gamma variable is nearly normal.
                let cube = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(share) / (3.0 * shape.sqrt());
                shape * scale * cube.max(0.02).powi(3)
            }
        }
    }

    fn below(&self, seconds: f64) -> f64 {
        if seconds <= 0.0 {
            return 0.0;
        }
        match *self {
            Self::Exactly(value) => f64::from(seconds >= value),
            Self::Lognormal(mean, sigma) => {
                0.5 * erfc((mean - seconds.ln()) / (sigma * std::f64::consts::SQRT_2))
            }
            Self::Gamma(shape, scale) => lower_gamma(shape, seconds / scale),
        }
    }

    fn density(&self, seconds: f64) -> f64 {
        if seconds <= 0.0 {
            return 0.0;
        }
        match *self {
            Self::Exactly(_) => 0.0,
            Self::Lognormal(mean, sigma) => {
                let deviation = (seconds.ln() - mean) / sigma;
                const ROOT: f64 = 2.506_628_274_631_000_5;
                (-0.5 * deviation * deviation).exp() / (seconds * sigma * ROOT)
            }
            Self::Gamma(shape, scale) => {
                let x = seconds / scale;
                ((shape - 1.0) * x.ln() - x - lgamma(shape)).exp() / scale
            }
        }
    }
}

/// The density of a uniform law, blurred at its edges.
pub(super) fn uniform(seconds: f64, (from, to): (f64, f64), blur: f64) -> f64 {
    let (low, high) = ((seconds - blur).max(from), (seconds + blur).min(to));
    (high - low).max(0.0) / (2.0 * blur) / (to - from)
}

/// The regularised lower incomplete gamma function, by its series or its continued fraction.
fn lower_gamma(shape: f64, x: f64) -> f64 {
    let front = (shape * x.ln() - x - lgamma(shape)).exp();
    if x < shape + 1.0 {
        let (mut term, mut sum) = (1.0 / shape, 1.0 / shape);
        for n in 1..200 {
            term *= x / (shape + f64::from(n));
            sum += term;
            if term < sum * 1e-10 {
                break;
            }
        }
        return (front * sum).min(1.0);
    }
    let mut fraction = 0.0;
    for n in (1..60).rev() {
        let n = f64::from(n);
        fraction = n * (n - shape) / (x + 2.0 * n + 1.0 - shape - fraction);
    }
    (1.0 - front / (x + 1.0 - shape - fraction)).clamp(0.0, 1.0)
}

/// The standard normal's quantile (Acklam's rational approximation, good to nine digits).
fn normal_quantile(share: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let horner = |line: &[f64], x: f64| line.iter().fold(0.0, |sum, value| sum * x + value);
    let tail = |share: f64| {
        let q = (-2.0 * share.ln()).sqrt();
        horner(&C, q) / (horner(&D, q) * q + 1.0)
    };
    match share {
        low if low < 0.024_25 => tail(low.max(1e-12)),
        high if high > 0.975_75 => -tail((1.0 - high).max(1e-12)),
        middle => {
            let q = middle - 0.5;
            let r = q * q;
            horner(&A, r) * q / (horner(&B, r) * r + 1.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Dice, Stream};

    fn law() -> Law {
        let mut law = Law::new(8.0, 30.0);
        law.at_least_s = 0.8;
        law.sometimes.share = 0.2;
        (law.sometimes.from_s, law.sometimes.to_s) = (10.0, 40.0);
        law
    }

    #[test]
    fn densities_and_shares_are_those_of_the_draws() {
        for shape in [Shape::Lognormal, Shape::Gamma] {
            let timing = Timing { stretch: 1.5, shape };
            let duration = Duration::new(&law(), timing);
            let mut dice = Dice::new(1, Stream::Life, [0; 3]);
            let draws: Vec<f64> = (0..200_000).map(|_| law().draw(&mut dice, timing)).collect();
            for (from, to) in [(3.0, 4.0), (10.0, 11.0), (30.0, 33.0), (70.0, 80.0)] {
                let within = |value: &&f64| (from..to).contains(*value);
                let share = draws.iter().filter(within).count() as f64 / draws.len() as f64;
                let middle = duration.density((from + to) / 2.0, 0.01) * (to - from);
                assert!((share - middle).abs() < 0.06 * share + 0.0005, "{shape:?} {from}: {share} {middle}");
                let exact = duration.below(to) - duration.below(from);
                assert!((share - exact).abs() < 0.1 * share + 0.003, "{shape:?} {from}: {share} {exact}");
            }
        }
    }

    #[test]
    fn the_quantile_inverts_the_distribution() {
        for (share, deviation) in [(0.5, 0.0), (0.95, NORMAL_P95), (0.05, -NORMAL_P95), (0.001, -3.090_232)] {
            assert!((normal_quantile(share) - deviation).abs() < 1e-5, "{share}");
        }
    }
}
