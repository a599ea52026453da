//! Which journeys an event can belong to by time.

use authstitch_model::{AuthEvent, JourneyId, KeyHash, Millis, UnixNanos};

use crate::caps;
use crate::clock::corrected;
use crate::index::Slot;
use crate::span::Span;
use crate::stitcher::Stitcher;

/// How long before a journey's start an event can belong to it, and how near two starts are too near to
/// choose between them.
const NEAR: Millis = Millis::from_secs(2);

/// Where an event with weak keys goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Journey(Slot),
    /// Two journeys could have it.
    Ambiguous,
    None,
}

impl Stitcher {
    /// Chooses among the journeys that hold one of the event's weak keys and span its time: the latest start at
    /// or before it, else the next to start; neither, if another started within 2 s of that one. A key under
    /// which too many journeys are open says nothing.
    pub(crate) fn choose(&mut self, event: &AuthEvent) -> Choice {
        let mut candidates: Vec<(UnixNanos, JourneyId, Slot, UnixNanos)> = Vec::new();
        for (_, key) in event.keys.weak() {
            let slots = self.sharing(key);
            let lives = &self.journeys.lives;
            if slots.iter().filter(|slot| lives[**slot].is_open()).count() > caps::LINKED_BY_ONE_KEY {
                continue;
            }
            for slot in slots {
                let known = candidates.iter().any(|(.., known, _)| *known == slot);
                if !known && self.spans_event(slot, event) {
                    let (span, id) = (self.span(slot), self.live(slot).id);
                    candidates.push((span.start, id, slot, corrected(event, &span.offsets)));
                }
            }
        }
        candidates.sort_unstable_by_key(|(start, id, ..)| (*start, *id));
        let begun = candidates.iter().rposition(|(start, .., time)| start <= time);
        let Some((start, _, slot, _)) = candidates.get(begun.unwrap_or(0)).copied() else {
            return Choice::None;
        };
        let near = candidates
            .iter()
            .any(|(other, _, known, _)| *known != slot && start.max(*other).since(start.min(*other)) < NEAR);
        if near { Choice::Ambiguous } else { Choice::Journey(slot) }
    }

    /// Whether a journey spans an event's time, corrected by the journey's own offset of the event's side. After
    /// a terminal event or the page's end, a beginning is of the next attempt.
    pub(crate) fn spans_event(&mut self, slot: Slot, event: &AuthEvent) -> bool {
        let span = self.span(slot);
        let time = corrected(event, &span.offsets);
        let is_next = event.name.is_beginning() && span.parted.is_some_and(|parted| time > parted);
        !is_next && self.spans(slot, time)
    }

    /// Whether a corrected time lies where a journey can have events.
    pub(crate) fn spans(&mut self, slot: Slot, time: UnixNanos) -> bool {
        let span = self.span(slot);
        let flow = self.journeys.flow(slot);
        let idle = self.journeys.lives[slot].idle(flow, &self.settings);
        let by_idle = span.last.plus(idle);
        let end = span.terminal.map_or(by_idle, |terminal| by_idle.min(terminal.plus(self.settings.grace)));
        span.start.minus(NEAR) <= time && time <= end
    }

    /// Where a journey lies in corrected time.
    pub(crate) fn span(&mut self, slot: Slot) -> Span {
        self.journeys.span(slot)
    }

    /// The journeys that share a session, trace or container.
    pub(crate) fn sharing(&self, key: KeyHash) -> Vec<Slot> {
        self.index.sharing(&self.journeys, key).collect()
    }

    /// Of a container's attempts the latest started by an event's time, else the next to start.
    pub(crate) fn attempt_at(&mut self, slots: &[Slot], event: &AuthEvent) -> Option<Slot> {
        let ordered = self.by_start(slots);
        let begun = ordered.iter().rposition(|slot| {
            let span = self.span(*slot);
            span.start <= corrected(event, &span.offsets)
        });
        ordered.get(begun.unwrap_or(0)).copied()
    }

    /// Of a container's attempts the one that starts next after one of them.
    pub(crate) fn attempt_after(&mut self, slots: &[Slot], slot: Slot) -> Option<Slot> {
        let ordered = self.by_start(slots);
        let place = ordered.iter().position(|known| *known == slot)?;
        ordered.get(place + 1).copied()
    }

    /// Journeys by start.
    pub(crate) fn by_start(&mut self, slots: &[Slot]) -> Vec<Slot> {
        let mut ordered = slots.to_vec();
        if ordered.len() > 1 {
            ordered.sort_by_cached_key(|slot| (self.span(*slot).start, self.live(*slot).id));
        }
        ordered
    }
}
