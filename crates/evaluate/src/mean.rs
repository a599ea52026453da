//! A mean with its standard error.

/// A mean over attempts, taken as independent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Mean {
    /// `None` over nothing.
    pub value: Option<f64>,
    /// Its standard error; `None` over fewer than two, and where none is known.
    pub error: Option<f64>,
}

impl Mean {
    /// The mean of these values.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        // Welford's recurrence: it does not lose digits when the values are nearly equal.
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for value in values {
            count += 1.0;
            let before = value - mean;
            mean += before / count;
            squares += before * (value - mean);
        }
        Self {
            value: (count > 0.0).then_some(mean),
            error: (count > 1.0).then(|| f64::sqrt(squares / (count - 1.0) / count)),
        }
    }

    /// The share of those that are true.
    pub(crate) fn share(values: impl Iterator<Item = bool>) -> Self {
        Self::of(values.map(f64::from))
    }

    /// A value whose standard error is not known.
    pub(crate) const fn without_error(value: Option<f64>) -> Self {
        Self { value, error: None }
    }
}

/// A share of two counts; `None` of nothing.
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
        let mean = Mean::share((0..100).map(|nth| nth % 4 == 0));
        assert!((mean.value.unwrap() - 0.25).abs() < 1e-12);
        assert!((mean.error.unwrap() - f64::sqrt(0.25 * 0.75 / 99.0)).abs() < 1e-12);
    }

    #[test]
    fn of_nothing_there_is_no_mean_and_of_one_no_error() {
        assert_eq!(Mean::of([].into_iter()), Mean::default());
        assert_eq!(Mean::of([3.0].into_iter()), Mean::without_error(Some(3.0)));
        assert_eq!(ratio(0.0, 0.0), None);
        assert_eq!(f1(Some(0.0), Some(0.0)), Some(0.0));
    }
}
