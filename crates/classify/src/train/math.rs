//! Exponential and logarithm from additions and multiplications alone: the same bits on every machine, which
//! the machine's own functions do not promise.

use std::f64::consts::LN_2;

/// `e` to the power of `x`, for `x` up to 700; zero below -700.
pub fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    let halvings = (x / LN_2).round();
    let rest = x - halvings * LN_2;
    let mut sum = 1.0;
    for nth in (1..=13).rev() {
        sum = 1.0 + sum * rest / f64::from(nth);
    }
    sum * f64::from_bits(((1023.0 + halvings.min(1023.0)) as u64) << 52)
}

/// The natural logarithm of a positive normal number.
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as f64 - 1023.0;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let mut sum = 0.0;
    for odd in (1..=31).rev().step_by(2) {
        sum = 1.0 / f64::from(odd) + square * sum;
    }
    exponent * LN_2 + 2.0 * ratio * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_agree_with_the_machines_own() {
        for step in -6_900..6_900 {
            let x = f64::from(step) / 10.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "{x}");
            let positive = f64::from(step + 6_901) / 7.0;
            assert!((ln(positive) - positive.ln()).abs() < 1e-12, "{positive}");
        }
        assert_eq!(exp(-1e9), 0.0);
    }
}
