//! One number for each cause, and the few sums that everything here is made of.

use std::ops::{Deref, DerefMut};

use authstitch_model::Cause;
use authstitch_model::verdict::CauseSet;

/// One number for each cause, by [`Cause::index`]; aligned as a processor reads them best.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub struct ByCause(pub [f32; Cause::COUNT]);

impl ByCause {
    /// The same number for each.
    pub const fn all(number: f32) -> Self {
        Self([number; Cause::COUNT])
    }
}

impl Deref for ByCause {
    type Target = [f32; Cause::COUNT];

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for ByCause {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Numbers that a processor adds at once.
const LANES: usize = 8;

const _: () = assert!(Cause::COUNT.is_multiple_of(LANES), "every cause is in a lane");

/// The sum.
#[inline]
pub fn sum(line: &ByCause) -> f32 {
    let mut lanes = [0.0; LANES];
    for chunk in line.as_chunks::<LANES>().0 {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    sum_of_lanes(lanes)
}

/// The sum of each number times its counterpart.
#[inline(never)]
pub fn dot(line: &ByCause, other: &ByCause) -> f32 {
    let mut lanes = [0.0; LANES];
    for (chunk, other) in line.as_chunks::<LANES>().0.iter().zip(other.as_chunks::<LANES>().0) {
        for ((lane, value), other) in lanes.iter_mut().zip(chunk).zip(other) {
            *lane += value * other;
        }
    }
    sum_of_lanes(lanes)
}

/// By halves, which are added at once.
#[inline]
fn sum_of_lanes([a, b, c, d, e, f, g, h]: [f32; LANES]) -> f32 {
    let [a, b, c, d] = [a + e, b + f, c + g, d + h];
    (a + c) + (b + d)
}

/// Multiplies each number by its counterparts; the products stay in a processor's registers.
#[inline]
pub fn multiply(line: &mut ByCause, by: &[&ByCause]) {
    let mut product = *line;
    for by in by {
        for (value, by) in product.iter_mut().zip(&by.0) {
            *value *= by;
        }
    }
    *line = product;
}

/// Adds each counterpart, so many times.
#[inline]
pub fn add(line: &mut ByCause, other: &ByCause, times: f32) {
    for (value, other) in line.iter_mut().zip(&other.0) {
        *value += other * times;
    }
}

/// The same numbers, by cause as the innermost index.
pub fn turned<const N: usize>(lines: &[[f32; N]; Cause::COUNT]) -> [ByCause; N] {
    std::array::from_fn(|place| ByCause(lines.each_ref().map(|line| line[place])))
}

/// Puts zero for the causes that are not in the set.
#[inline]
pub fn leave(line: &mut ByCause, set: CauseSet) {
    for (value, one) in line.iter_mut().zip(&ONES) {
        *value = if set.meets(*one) { *value } else { 0.0 };
    }
}

/// Each cause as a set of its own.
const ONES: [CauseSet; Cause::COUNT] = {
    let mut ones = [CauseSet::of(&[]); Cause::COUNT];
    let mut next = 0;
    while next < Cause::COUNT {
        ones[next] = CauseSet::of(&[Cause::ALL[next]]);
        next += 1;
    }
    ones
};

/// The greatest number.
#[inline]
pub fn maximum(line: &ByCause) -> f32 {
    let mut lanes = [f32::MIN; LANES];
    for chunk in line.as_chunks::<LANES>().0 {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    lanes.into_iter().fold(f32::MIN, f32::max)
}

/// The cause with the greatest number; the first of equals.
#[inline]
pub fn greatest(line: &ByCause) -> Cause {
    let greatest = maximum(line);
    Cause::ALL[line.iter().position(|value| *value == greatest).unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use authstitch_model::verdict::CauseDistribution;

    use super::*;

    #[test]
    fn the_greatest_is_the_likeliest_cause() {
        let mut weights = ByCause::all(1.0);
        assert_eq!(greatest(&weights), CauseDistribution::from_weights(*weights).likeliest());
        weights[Cause::Declined.index()] = 2.0;
        assert_eq!(greatest(&weights), Cause::Declined);
        assert!((sum(&weights) - 33.0).abs() < 1e-6);
        leave(&mut weights, CauseSet::default().with(Cause::Declined));
        assert_eq!((sum(&weights), greatest(&weights)), (2.0, Cause::Declined));
    }
}
