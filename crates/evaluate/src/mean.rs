//! A mean with its standard error.
//!
//! Values may weigh differently, as where worlds are pooled in the shares of a mixture. The standard error is
//! that of a ratio of sums: √(Σ w²(x − m)² · n/(n − 1)) / Σ w, which for equal weights is the usual one.

/// A mean over attempts, taken as independent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Mean {
    /// `None` over nothing.
    pub value: Option<f64>,
    /// Its standard error; `None` over fewer than two, and where none is known.
    pub error: Option<f64>,
}

impl Mean {
    /// The mean of these values, each with its weight.
    pub(crate) fn of(values: impl Iterator<Item = (f64, f64)>) -> Self {
        let values: Vec<_> = values.collect();
        let count = values.len() as f64;
        let weight: f64 = values.iter().map(|(weight, _)| weight).sum();
        let Some(mean) = ratio(values.iter().map(|(weight, value)| weight * value).sum(), weight) else {
            return Self::default();
        };
        let squares: f64 = values.iter().map(|(weight, value)| (weight * (value - mean)).powi(2)).sum();
        Self {
            value: Some(mean),
            error: (count > 1.0).then(|| f64::sqrt(squares * count / (count - 1.0)) / weight),
        }
    }

    /// The share of those that are true, each with its weight.
    pub(crate) fn share(values: impl Iterator<Item = (f64, bool)>) -> Self {
        Self::of(values.map(|(weight, value)| (weight, f64::from(value))))
    }

    /// A value whose standard error is not known.
    pub(crate) const fn without_error(value: Option<f64>) -> Self {
        Self { value, error: None }
    }
}

/// A share of two sums; `None` of nothing.
pub(crate) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The harmonic mean of precision and recall; 0 where both are 0.
pub(crate) fn f1(precision: Option<f64>, recall: Option<f64>) -> Option<f64> {
    let (precision, recall) = (precision?, recall?);
    let sum = precision + recall;
    Some(if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_error_of_a_share_is_that_of_a_coin() {
        let mean = Mean::share((0..100).map(|nth| (1.0, nth % 4 == 0)));
        assert!((mean.value.unwrap() - 0.25).abs() < 1e-12);
        assert!((mean.error.unwrap() - f64::sqrt(0.25 * 0.75 / 99.0)).abs() < 1e-12);
    }

    #[test]
    fn only_the_proportion_of_weights_counts() {
        let values = [(1.0, 3.0), (2.0, 5.0), (3.0, 4.0)];
        let (mean, again) = (
            Mean::of(values.into_iter()),
            Mean::of(values.map(|(weight, value)| (8.0 * weight, value)).into_iter()),
        );
        assert!((mean.value.unwrap() - 25.0 / 6.0).abs() < 1e-12);
        assert!((mean.error.unwrap() - again.error.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn a_weighted_error_counts_the_spread_within_the_parts_and_between_them() {
        // Half the mass on 100 coins of 1 in 4, half on 400 of 3 in 4: every coin lies 1/2 from the mean.
        let coins = |count, of: usize, weight| (0..count).map(move |nth| (weight, nth % 4 < of));
        let mean = Mean::share(coins(100, 1, 4.0).chain(coins(400, 3, 1.0)));
        assert!((mean.value.unwrap() - 0.5).abs() < 1e-12);
        let variance = 0.25 * 0.25 * (1.0 / 100.0 + 1.0 / 400.0);
        assert!((mean.error.unwrap() - f64::sqrt(variance * 500.0 / 499.0)).abs() < 1e-12);
    }

    #[test]
    fn of_nothing_there_is_no_mean_and_of_one_no_error() {
        assert_eq!(Mean::of([].into_iter()), Mean::default());
        assert_eq!(Mean::of([(0.5, 3.0)].into_iter()), Mean::without_error(Some(3.0)));
        assert_eq!(ratio(0.0, 0.0), None);
        assert_eq!(f1(Some(0.0), Some(0.0)), Some(0.0));
    }
}
