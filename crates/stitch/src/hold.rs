//! Rules 2 and 4: where an event goes that has waited, with a container or with weak keys only.

use authstitch_model::{AuthEvent, EventName, JoinedBy, KeyHash, UnixNanos};

use crate::Change;
use crate::candidates::Choice;
use crate::clock::corrected;
use crate::index::{Lookup, Slot};
use crate::stitcher::{Stitcher, WAITING};
use crate::waiting::Waiting;

impl Stitcher {
    /// Places the waiting event whose turn is next, as of the receipt time `now`.
    pub(crate) fn place_next(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        let Some((Waiting { event, received }, place)) = self.waiting.pop() else { return };
        let (name, trace) = (event.name, event.keys.trace);
        self.identities.remove(event.identity.0, place | WAITING);
        // A code that came with the container may lead to a journey by now.
        if self.has_usable_strong_key(&event, now) {
            self.accept_strong(received, &event, changes);
        } else if let Some(container) = event.keys.flow {
            self.place_in_container(container, received, &event, changes);
        } else {
            self.place_by_weak_keys(received, &event, changes);
        }
        self.waiting.leave(name, trace);
    }

    /// Rule 2: the latest attempt started by the event's time, else the next to start, else its code's journey,
    /// else one of its weak keys' journeys, else a new one, which a page's own event never begins.
    fn place_in_container(
        &mut self,
        container: KeyHash,
        received: UnixNanos,
        event: &AuthEvent,
        changes: &mut Vec<Change>,
    ) {
        let slots = self.sharing(container);
        let (slot, joined_by) = match self.attempt_at(&slots, event) {
            Some(slot) if !self.begins_next_attempt(slot, event) => (Some(slot), JoinedBy::Strong),
            Some(slot) => {
                let next = self.attempt_after(&slots, slot).filter(|next| self.spans_event(*next, event));
                (next, JoinedBy::Strong)
            }
            None => self.journey_outside(received, event),
        };
        match slot {
            Some(slot) => self.join(slot, received, event, joined_by, changes),
            None if is_of_the_page(event.name) => self.counters.orphaned += 1,
            None => {
                let slot = self.found(received, event, changes);
                self.join(slot, received, event, JoinedBy::Strong, changes);
            }
        }
    }

    /// The journey of an event whose container holds no attempt yet.
    fn journey_outside(&mut self, now: UnixNanos, event: &AuthEvent) -> (Option<Slot>, JoinedBy) {
        if let Some(Lookup::Live(slot)) = event.keys.code.map(|code| self.look_up(code, now)) {
            return (Some(slot), JoinedBy::Strong);
        }
        match self.choose(event) {
            Choice::Journey(slot) => (Some(slot), JoinedBy::Weak),
            Choice::Ambiguous | Choice::None => (None, JoinedBy::Strong),
        }
    }

    /// Whether an event cannot be of this attempt any more: it comes over the grace after a terminal event, it is
    /// a beginning after one or after the page's end, or it is a result after a failed result.
    pub(crate) fn begins_next_attempt(&mut self, slot: Slot, event: &AuthEvent) -> bool {
        let grace = self.settings.grace;
        let span = self.span(slot);
        let time = corrected(event, &span.offsets);
        let is_result = matches!(
            event.name,
            EventName::VerificationSucceeded
                | EventName::VerificationFailed
                | EventName::WebauthnCompleted
                | EventName::WebauthnFailed
                | EventName::SessionEstablished
        );
        span.terminal.is_some_and(|terminal| time > terminal.plus(grace))
            || event.name.is_beginning() && span.parted.is_some_and(|parted| time > parted)
            || is_result && span.failed_result.is_some_and(|failed| time > failed)
    }

    /// Rule 4.
    fn place_by_weak_keys(&mut self, received: UnixNanos, event: &AuthEvent, changes: &mut Vec<Change>) {
        match self.choose(event) {
            Choice::Journey(slot) => self.join(slot, received, event, JoinedBy::Weak, changes),
            Choice::Ambiguous => self.counters.ambiguous += 1,
            Choice::None if event.keys.trace.is_some_and(|trace| self.waiting.trace_can_found(trace)) => {
                let slot = self.found(received, event, changes);
                self.join(slot, received, event, JoinedBy::Weak, changes);
            }
            Choice::None => self.counters.orphaned += 1,
        }
    }
}

/// What a page does by itself begins no attempt.
const fn is_of_the_page(name: EventName) -> bool {
    matches!(name, EventName::PageHidden | EventName::PageVisible | EventName::PageUnloaded)
}
