//! Factors multiplied, many of them: only ratios count, so the product is scaled before it leaves the range of a
//! float.

use authstitch_model::Cause;
use authstitch_model::verdict::CauseSet;

use crate::by_cause::{self, ByCause};
use crate::caps;

/// How many nats a product may move between two scalings. A float holds 87 either way, and one factor has 40 at
/// most.
pub const ROOM: f32 = 40.0;

/// The product of each cause's factors; that of one cause may stand apart.
pub struct Product {
    values: ByCause,
    one: usize,
    apart: f32,
    room: f32,
}

impl Product {
    /// Begins with these.
    #[inline]
    pub const fn of_all(start: ByCause) -> Self {
        Self { values: start, one: 0, apart: 0.0, room: 0.0 }
    }

    /// Begins with these, of which that of one cause stands apart.
    #[inline]
    pub const fn but_one(mut start: ByCause, one: Cause) -> Self {
        let apart = std::mem::replace(&mut start.0[one.index()], 0.0);
        Self { values: start, one: one.index(), apart, room: 0.0 }
    }

    /// Multiplies by factors that together move no cause by more nats than `reach`.
    #[inline]
    pub fn multiply(&mut self, factors: &[&ByCause], reach: f32) {
        if self.room < reach {
            self.scale();
        }
        self.room -= reach;
        self.apart = factors.iter().fold(self.apart, |apart, factors| apart * factors[self.one]);
        by_cause::multiply(&mut self.values, factors);
    }

    /// Leaves nothing to the causes that are not in the set; that which stands apart is.
    #[inline]
    pub fn leave(&mut self, left: CauseSet) {
        by_cause::leave(&mut self.values, left);
    }

    /// Those that do not stand apart.
    #[inline]
    pub const fn values(&self) -> &ByCause {
        &self.values
    }

    /// How that which stands apart stands to the others together.
    #[inline]
    pub fn odds(&self) -> f32 {
        self.apart / by_cause::sum(&self.values)
    }

    /// The logarithm of that, within its bound; zero where nothing is left.
    #[inline]
    pub fn log_odds(&self) -> f32 {
        let odds = self.odds();
        if odds.is_nan() { 0.0 } else { odds.ln().clamp(-caps::WEIGHT_NATS, caps::WEIGHT_NATS) }
    }

    fn scale(&mut self) {
        self.room = ROOM;
        let sum = by_cause::sum(&self.values) + self.apart;
        if sum > 0.0 {
            let scale = 1.0 / sum;
            self.values.iter_mut().for_each(|value| *value *= scale);
            self.apart *= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_scaled_before_it_leaves_the_range_of_a_float() {
        for power in [-20.0_f32, 20.0] {
            let mut product = Product::but_one(ByCause::all(1.0), Cause::WalkedAway);
            let mut factors = ByCause::all(power.exp());
            factors[Cause::WalkedAway.index()] *= 1.01;
            (0..100).for_each(|_| product.multiply(&[&factors, &ByCause::all(1.0)], 20.1));
            let expected = 1.01_f32.powi(100) / (Cause::COUNT - 1) as f32;
            assert!((product.odds() / expected - 1.0).abs() < 1e-3, "{}", product.odds());
        }
    }

    #[test]
    fn what_is_excluded_stays_so() {
        let mut product = Product::but_one(ByCause::all(1.0), Cause::None);
        product.leave(CauseSet::of(&[Cause::None, Cause::Declined]));
        product.multiply(&[&ByCause::all(3.0)], 2.0);
        assert!((product.odds() - 1.0).abs() < 1e-6);
        product.leave(CauseSet::of(&[Cause::None]));
        assert_eq!(product.odds(), f32::INFINITY);
    }
}
