//! Where journeys lie in corrected time, measured when somebody asks and kept while nothing changes.

use authstitch_model::{ClockOffsets, EventName, JoinedBy, UnixNanos};

use crate::clock::{self, Shifts};
use crate::index::Slot;
use crate::pack::Glance;
use crate::pool::NOWHERE;

/// Spans that are kept: of the journeys asked for last. Most journeys are measured once, when they close, so
/// what lies in every journey would be a fifth of its size for nothing.
const KEPT: usize = 512;

/// Where a journey lies in corrected time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub offsets: ClockOffsets,
    pub start: UnixNanos,
    pub last: UnixNanos,
    pub terminal: Option<UnixNanos>,
    /// The last terminal event or page that went away: what begins after it is the next attempt.
    pub parted: Option<UnixNanos>,
    /// The last failed verification or ceremony.
    pub failed_result: Option<UnixNanos>,
}

impl Span {
    /// The span of a journey's events.
    pub fn measured(events: &[Glance]) -> Self {
        let offsets = clock::offsets(events);
        let shifts = Shifts::of(&offsets);
        let mut span = Self { offsets, ..Self::default() };
        let (mut first, mut own) = (None::<UnixNanos>, None::<UnixNanos>);
        for event in events {
            let time = shifts.shifted(event.time, event.side);
            let earliest = |known: Option<UnixNanos>| Some(known.map_or(time, |known| known.min(time)));
            first = earliest(first);
            if event.joined_by == JoinedBy::Strong {
                own = earliest(own);
            }
            span.last = span.last.max(time);
            if event.name.is_terminal() {
                span.terminal = span.terminal.max(Some(time));
            }
            if event.name.is_terminal() || event.name == EventName::PageUnloaded {
                span.parted = span.parted.max(Some(time));
            }
            if matches!(event.name, EventName::VerificationFailed | EventName::WebauthnFailed) {
                span.failed_result = span.failed_result.max(Some(time));
            }
        }
        span.start = own.or(first).unwrap_or_default();
        span
    }
}

/// The spans asked for last, each at a place that its journey's slot decides.
#[derive(Debug)]
pub struct Spans(Vec<(Slot, Span)>);

impl Default for Spans {
    fn default() -> Self {
        Self(vec![(NOWHERE, Span::default()); KEPT])
    }
}

impl Spans {
    /// The span of a journey: the one that is kept, else as measured, which is kept then.
    pub fn get_or_keep(&mut self, slot: Slot, measured: impl FnOnce() -> Span) -> Span {
        let place = &mut self.0[slot as usize % KEPT];
        if place.0 != slot {
            *place = (slot, measured());
        }
        place.1
    }

    /// The journey has changed.
    pub fn forget(&mut self, slot: Slot) {
        let (kept, _) = &mut self.0[slot as usize % KEPT];
        if *kept == slot {
            *kept = NOWHERE;
        }
    }
}
