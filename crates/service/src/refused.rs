//! What was refused since the last look, summed up by reason: one line a minute at most, however much it is.

use authstitch_otlp::Reason;

use crate::counters::Counts;

/// How much was refused, by the names of its counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused {
    before: Vec<(&'static str, u64)>,
}

impl Refused {
    /// What was refused since the last look; empty if nothing was.
    pub(crate) fn since(&mut self, counts: &Counts) -> Vec<(&'static str, u64)> {
        let now = sums(counts);
        let before = std::mem::replace(&mut self.before, now.clone());
        let known = |name| before.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count);
        let more = now.into_iter().map(|(name, count)| (name, count.saturating_sub(known(name))));
        more.filter(|(_, count)| *count > 0).collect()
    }
}

fn sums(counts: &Counts) -> Vec<(&'static str, u64)> {
    let mut sums = vec![
        ("malformed", counts.malformed),
        ("turned_away", counts.turned_away),
        ("failed", counts.failed),
        ("unauthorized", counts.unauthorized),
        ("foreign_origins", counts.foreign_origins),
        ("crowded_out", counts.crowded_out),
        ("handshakes_failed", counts.handshakes_failed),
    ];
    sums.extend(Reason::ALL.iter().map(|reason| (reason.code(), counts.rejections[reason.index()])));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_told() {
        let mut refused = Refused::default();
        let mut counts = Counts { malformed: 3, requests: 9, ..Counts::default() };
        assert_eq!(refused.since(&counts), [("malformed", 3)]);
        assert_eq!(refused.since(&counts), []);
        counts.malformed += 1;
        counts.rejections[Reason::InvalidTime.index()] += 7;
        assert_eq!(refused.since(&counts), [("malformed", 1), ("invalid_time", 7)]);
    }
}
