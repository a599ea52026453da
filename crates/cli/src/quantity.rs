//! Quantities as people type them: durations, and which attempts.

use std::ops::Range;

use authstitch_model::{Millis, UnixNanos};
use authstitch_simulate::{Share, caps};
use http::{HeaderName, HeaderValue};

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

/// `I/N`: the Ith of N shares.
pub fn share(text: &str) -> Result<Share, Failure> {
    let numbers = text.split_once('/').and_then(|(index, of)| index.parse().ok().zip(of.parse().ok()));
    numbers.and_then(|(index, of)| Share::new(index, of)).ok_or_else(|| {
        Failure::usage(format!("`{text}` is no share"))
            .hint(format!("accepted: I/N with I from 1 to N, as 2/4; N is at most {}", caps::SHARES))
    })
}

/// A time in RFC 3339, or seconds since 1970.
pub fn time(text: &str) -> Result<UnixNanos, Failure> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..1e10).contains(seconds));
    let time = seconds.map(|seconds| UnixNanos((seconds * 1e9) as u64));
    time.or_else(|| UnixNanos::parse_rfc3339(text)).ok_or_else(|| {
        Failure::usage(format!("`{text}` is no time"))
            .hint("accepted: RFC 3339 in UTC, as 2026-01-31T08:00:00Z, or seconds since 1970")
    })
}

/// `K=V`: a header.
pub fn header(text: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let parts = text.split_once('=');
    let parts = parts.and_then(|(name, value)| Some((name.trim().parse().ok()?, value.parse().ok()?)));
    parts.ok_or_else(|| {
        Failure::usage(format!("`{text}` is no header"))
            .hint("accepted: NAME=VALUE, as authorization=Bearer-token, in visible ASCII")
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

    #[test]
    fn a_share_is_one_of_several() {
        assert_eq!(share("2/4").ok(), Share::new(2, 4));
        for wrong in ["", "1", "0/4", "5/4", "1/0", "a/b", "1/2/3"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_rfc3339_or_seconds() {
        let new_year = UnixNanos(1_767_225_600_000_000_000);
        assert_eq!(time("2026-01-01T00:00:00Z").ok(), Some(new_year));
        assert_eq!(time("1767225600").ok(), Some(new_year));
        for wrong in ["", "noon", "-1", "2026-01-01", "nan", "1e300"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_header_has_a_name_and_a_value() {
        let (name, value) = header("Authorization=Bearer a=b").ok().unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("authorization", &b"Bearer a=b"[..]));
        for wrong in ["", "x", "=v", "a b=c", "a=\u{1}"] {
            assert!(header(wrong).is_err(), "{wrong}");
        }
    }
}
