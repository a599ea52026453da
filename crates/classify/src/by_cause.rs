//! One number for each cause, and the few sums that everything here is made of.

use authstitch_model::Cause;
use authstitch_model::verdict::CauseSet;

/// One number for each cause, by [`Cause::index`].
pub type ByCause = [f32; Cause::COUNT];

/// Numbers that a processor adds at once.
const LANES: usize = 8;

const _: () = assert!(Cause::COUNT.is_multiple_of(LANES), "every cause is in a lane");

/// The sum.
pub fn sum(line: &ByCause) -> f32 {
    let mut lanes = [0.0; LANES];
    for chunk in line.chunks_exact(LANES) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum()
}

/// Multiplies each number by its counterpart.
pub fn multiply(line: &mut ByCause, by: &ByCause) {
    for (value, by) in line.iter_mut().zip(by) {
        *value *= by;
    }
}

/// Adds each counterpart, so many times.
pub fn add(line: &mut ByCause, other: &ByCause, times: f32) {
    for (value, other) in line.iter_mut().zip(other) {
        *value += other * times;
    }
}

/// Puts zero for the causes that are not in the set.
pub fn leave(line: &mut ByCause, set: CauseSet) {
    for (value, cause) in line.iter_mut().zip(Cause::ALL) {
        *value = if set.has(*cause) { *value } else { 0.0 };
    }
}

/// The cause with the greatest number; the first of equals.
pub fn greatest(line: &ByCause) -> Cause {
    let mut lanes = [f32::MIN; LANES];
    for chunk in line.chunks_exact(LANES) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    let greatest = lanes.into_iter().fold(f32::MIN, f32::max);
    Cause::ALL[line.iter().position(|value| *value == greatest).unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use authstitch_model::verdict::CauseDistribution;

    use super::*;

    #[test]
    fn the_greatest_is_the_likeliest_cause() {
        let mut weights = [1.0; Cause::COUNT];
        assert_eq!(greatest(&weights), CauseDistribution::from_weights(weights).likeliest());
        weights[Cause::Declined.index()] = 2.0;
        assert_eq!(greatest(&weights), Cause::Declined);
        assert!((sum(&weights) - 33.0).abs() < 1e-6);
        leave(&mut weights, CauseSet::default().with(Cause::Declined));
        assert_eq!((sum(&weights), greatest(&weights)), (2.0, Cause::Declined));
    }
}
