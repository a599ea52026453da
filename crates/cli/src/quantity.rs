//! Quantities as people type them: durations, and which attempts.

use std::ops::Range;

use authstitch_model::Millis;

use crate::failure::Failure;

/// `250ms`, `30s`, `10m` or `2h`.
pub fn duration(text: &str) -> Result<Millis, Failure> {
    Millis::parse(text).filter(|duration| duration.0 > 0).ok_or_else(|| {
        Failure::usage(format!("`{text}` is no duration"))
            .hint("accepted: a number with a unit, as 250ms, 30s, 10m or 2h")
    })
}

/// `N` for the first N attempts, `A..B` for those from A to before B.
pub fn attempts(text: &str) -> Result<Range<u64>, Failure> {
    let range = match text.split_once("..") {
        Some((from, to)) => from.parse().ok().zip(to.parse().ok()).map(|(from, to)| from..to),
        None => text.parse().ok().map(|count| 0..count),
    };
    range.filter(|range| !range.is_empty()).ok_or_else(|| {
        Failure::usage(format!("`{text}` names no attempts"))
            .hint("accepted: a number N above 0, or a range A..B with A below B")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_a_number_or_a_range() {
        assert_eq!(attempts("8").ok(), Some(0..8));
        assert_eq!(attempts("16..40").ok(), Some(16..40));
        for wrong in ["", "0", "-1", "x", "4..4", "9..4", "1..x", "1.5"] {
            assert!(attempts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("250ms").ok(), Some(Millis(250)));
        assert_eq!(duration("10m").ok(), Some(Millis::from_mins(10)));
        for wrong in ["", "10", "0s", "s", "1d", "-3s", "1.5.1s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
