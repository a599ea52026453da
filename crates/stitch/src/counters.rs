//! How often each thing happened. Counters only grow; gauges say how much there is now.

use std::iter::Sum;

use authstitch_model::{Millis, Side};

/// What the stitcher counted since it began, and how much it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events that joined a journey.
    pub joined: u64,
    /// Events dropped because they had come before.
    pub duplicates: u64,
    /// Events with weak keys that nothing bound.
    pub orphaned: u64,
    /// Events with weak keys that two journeys could have had.
    pub ambiguous: u64,
    /// Events without any key.
    pub keyless: u64,
    /// Two different journey keys that something else would have joined.
    pub key_conflicts: u64,
    /// Keys that linked too many journeys.
    pub poisoned_keys: u64,
    /// Events dropped from journeys that had too many.
    pub over_cap: u64,
    /// Journeys that turned out to be part of another.
    pub merged: u64,
    /// Revisions after the first.
    pub revised: u64,
    /// Journeys closed at a bound.
    pub evicted: u64,
    /// Journeys closed.
    pub closed: u64,
    /// Events after their journey was forgotten, by side.
    pub too_late: [TooLate; Side::COUNT],
    /// Journeys open now.
    pub open: u64,
    /// Closed journeys that still take late events.
    pub reopenable: u64,
    /// Events that wait for a stronger one.
    pub waiting: u64,
    /// Keys remembered after their journey.
    pub tombstones: u64,
}

impl Sum for Counters {
    /// Of several stitchers, what all of them counted and hold together.
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self {
            joined: a.joined + b.joined,
            duplicates: a.duplicates + b.duplicates,
            orphaned: a.orphaned + b.orphaned,
            ambiguous: a.ambiguous + b.ambiguous,
            keyless: a.keyless + b.keyless,
            key_conflicts: a.key_conflicts + b.key_conflicts,
            poisoned_keys: a.poisoned_keys + b.poisoned_keys,
            over_cap: a.over_cap + b.over_cap,
            merged: a.merged + b.merged,
            revised: a.revised + b.revised,
            evicted: a.evicted + b.evicted,
            closed: a.closed + b.closed,
            too_late: std::array::from_fn(|side| a.too_late[side].with(b.too_late[side])),
            open: a.open + b.open,
            reopenable: a.reopenable + b.reopenable,
            waiting: a.waiting + b.waiting,
            tombstones: a.tombstones + b.tombstones,
        })
    }
}

/// Events of one side that came after their journey was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TooLate {
    /// How many.
    pub events: u64,
    /// The sum of their lags behind the closing.
    pub lag_sum: Millis,
    /// The greatest lag.
    pub lag_max: Millis,
}

impl TooLate {
    fn with(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            lag_sum: Millis(self.lag_sum.0.saturating_add(other.lag_sum.0)),
            lag_max: self.lag_max.max(other.lag_max),
        }
    }

    pub(crate) fn add(&mut self, lag: Millis) {
        self.events += 1;
        self.lag_sum = Millis(self.lag_sum.0.saturating_add(lag.0));
        self.lag_max = self.lag_max.max(lag);
    }
}

impl Counters {
    /// Everything that only grows, by name.
    #[must_use]
    pub fn totals(&self) -> [(&'static str, u64); 12] {
        [
            ("events_joined", self.joined),
            ("duplicates", self.duplicates),
            ("orphaned", self.orphaned),
            ("ambiguous", self.ambiguous),
            ("keyless", self.keyless),
            ("key_conflicts", self.key_conflicts),
            ("poisoned_keys", self.poisoned_keys),
            ("events_over_cap", self.over_cap),
            ("journeys_merged", self.merged),
            ("journeys_revised", self.revised),
            ("journeys_evicted", self.evicted),
            ("journeys_closed", self.closed),
        ]
    }

    /// The same in the same order, to be set.
    pub(crate) const fn totals_mut(&mut self) -> [&mut u64; 12] {
        [
            &mut self.joined,
            &mut self.duplicates,
            &mut self.orphaned,
            &mut self.ambiguous,
            &mut self.keyless,
            &mut self.key_conflicts,
            &mut self.poisoned_keys,
            &mut self.over_cap,
            &mut self.merged,
            &mut self.revised,
            &mut self.evicted,
            &mut self.closed,
        ]
    }

    /// How much there is now, by name.
    #[must_use]
    pub fn gauges(&self) -> [(&'static str, u64); 4] {
        [
            ("journeys_open", self.open),
            ("journeys_reopenable", self.reopenable),
            ("events_waiting", self.waiting),
            ("tombstones", self.tombstones),
        ]
    }
}
