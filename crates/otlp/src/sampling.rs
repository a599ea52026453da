//! What a trace's sampler kept, from the `ot=th:…` entry of W3C tracestate.
//!
//! `th` is a threshold of rejection: up to 14 hex digits of a number of 56 bits, whose trailing zeros may be
//! left out; the share of traces kept is 1 − th / 2^56. Here the share is in parts per 65,536; all traces are
//! 65,535, the largest number there is, and a share too small for one part is one part, as this trace was kept.

const THRESHOLD_DIGITS: usize = 14;
const PART_BITS: u32 = 40;

/// The share that was kept; `None` where tracestate does not say.
pub(crate) fn kept(trace_state: &str) -> Option<u16> {
    let mut vendors = trace_state.split(',').filter_map(|entry| entry.trim().split_once('='));
    let (_, value) = vendors.find(|(vendor, _)| *vendor == "ot")?;
    let threshold = value.split(';').find_map(|field| field.strip_prefix("th:"))?;
    let well_formed = (1..=THRESHOLD_DIGITS).contains(&threshold.len())
        && threshold.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !well_formed {
        return None;
    }
    let digits = u64::from_str_radix(threshold, 16).ok()?;
    let rejected = digits << (4 * (THRESHOLD_DIGITS - threshold.len()));
    let kept = ((1u64 << 56) - rejected) >> PART_BITS;
    Some(u16::try_from(kept).unwrap_or(u16::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::kept;

    #[test]
    fn shares() {
        for (trace_state, share) in [
            ("ot=th:0", Some(65_535)),
            ("ot=th:8", Some(32_768)),
            ("ot=th:c", Some(16_384)),
            ("ot=th:e6666666666666", Some(6_553)),
            ("ot=th:ffffffffffffff", Some(1)),
            ("rojo=1, ot=rv:abcdef;th:c", Some(16_384)),
            ("", None),
            ("ot=rv:1", None),
            ("ot=th:", None),
            ("ot=th:xyz", None),
            ("ot=th:+8", None),
            ("ot=th:fffffffffffffff", None),
            ("th:8", None),
        ] {
            assert_eq!(kept(trace_state), share, "{trace_state}");
        }
    }
}
