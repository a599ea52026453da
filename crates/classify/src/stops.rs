//! Where a login stops: at one of its phases, or nowhere.

use authstitch_model::Phase;

/// Numbers that are added at once.
const LANES: usize = 4;

/// One number for each phase at which a login can stop, by [`Phase::index`], then those of [`NOWHERE`] and
/// [`BEHIND`].
pub type ByStop = [f32; Phase::COUNT + 2];

/// The place of going through to the end.
pub const NOWHERE: usize = Phase::COUNT;

/// The place of stopping at none that is left, for all that a cause can stop lies behind.
pub const BEHIND: usize = Phase::COUNT + 1;

const _: () = assert!((Phase::COUNT + 2).is_multiple_of(LANES), "every stop is in a lane");

/// The product of each number and its counterpart.
#[inline]
pub fn product(stops: &ByStop, by: &ByStop) -> ByStop {
    let mut product = *stops;
    for (value, by) in product.iter_mut().zip(by) {
        *value *= by;
    }
    product
}

/// The sum.
#[inline]
pub fn sum(stops: &ByStop) -> f32 {
    let mut lanes = [0.0; LANES];
    for chunk in stops.as_chunks::<LANES>().0 {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum()
}

/// Adds each counterpart.
#[inline]
pub fn add(stops: &mut ByStop, other: &ByStop) {
    for (value, other) in stops.iter_mut().zip(other) {
        *value += other;
    }
}
