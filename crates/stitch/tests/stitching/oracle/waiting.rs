//! Rules 2 and 4: events that have waited.

use authstitch_model::{AuthEvent, EventName, JoinedBy, JourneyId, KeyHash, UnixNanos};
use authstitch_stitch::Change;

use super::{Key, NEAR, Oracle, TOO_MANY, Waiting};

impl Oracle {
    pub(super) fn place_waiting(&mut self, place: usize, now: UnixNanos, changes: &mut Vec<Change>) {
        let Waiting { event, received, .. } = self.waiting.remove(place);
        if !self.container_decides(&event, now) {
            self.place_strong(received, event, changes);
        } else if let Some(container) = event.keys.flow {
            self.place_in_container(container, received, event, changes);
        } else {
            self.place_weak(received, event, changes);
        }
    }

    pub(super) fn place_in_container(
        &mut self,
        container: KeyHash,
        received: UnixNanos,
        event: AuthEvent,
        changes: &mut Vec<Change>,
    ) {
        let settings = self.settings;
        let ids = self.sharing(container);
        let (chosen, by) = match self.at_time(&ids, &event) {
            Some(id) if self.get(id).is_over_for(&event, &settings) => {
                let next = ids.iter().position(|known| *known == id).and_then(|place| ids.get(place + 1));
                let next = next.copied().filter(|next| {
                    let next = self.get(*next);
                    next.spans_event(&event, &settings)
                });
                (next, JoinedBy::Strong)
            }
            Some(id) => (Some(id), JoinedBy::Strong),
            None => match event.keys.code.map(|code| self.look_up(code, received)) {
                Some(Key::LeadsTo(id)) => (Some(id), JoinedBy::Strong),
                _ => (self.choose(&event).unwrap_or(None), JoinedBy::Weak),
            },
        };
        let of_the_page =
            [EventName::PageHidden, EventName::PageVisible, EventName::PageUnloaded].contains(&event.name);
        match chosen {
            Some(id) => self.join(id, received, event, by, changes),
            None if of_the_page => self.counters.orphaned += 1,
            None => self.found(received, event, JoinedBy::Strong, changes),
        }
    }

    pub(super) fn place_weak(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        let can_found = |event: &AuthEvent| {
            event.name.is_terminal()
                || [
                    EventName::ChallengeCreated,
                    EventName::WebauthnStarted,
                    EventName::QrShown,
                    EventName::VerificationSucceeded,
                ]
                .contains(&event.name)
        };
        let trace = event.keys.trace;
        let trace_founds = trace.is_some()
            && (can_found(&event)
                || self
                    .waiting
                    .iter()
                    .any(|waiting| waiting.event.keys.trace == trace && can_found(&waiting.event)));
        match self.choose(&event) {
            Ok(Some(id)) => self.join(id, received, event, JoinedBy::Weak, changes),
            Err(Ambiguous) => self.counters.ambiguous += 1,
            Ok(None) if trace_founds => self.found(received, event, JoinedBy::Weak, changes),
            Ok(None) => self.counters.orphaned += 1,
        }
    }

    pub(super) fn choose(&mut self, event: &AuthEvent) -> Result<Option<JourneyId>, Ambiguous> {
        let settings = self.settings;
        let mut ids: Vec<JourneyId> = Vec::new();
        for (_, key) in event.keys.weak() {
            let sharing = self.sharing(key);
            let open = sharing.iter().filter(|id| self.get(**id).closed.is_none()).count();
            if open <= TOO_MANY {
                ids.extend(sharing);
            }
        }
        ids.retain(|id| {
            let attempt = self.get(*id);
            attempt.spans_event(event, &settings)
        });
        ids.sort_by_key(|id| (self.get(*id).start(), *id));
        ids.dedup();
        let Some(chosen) = self.at_time(&ids, event) else { return Ok(None) };
        let start = self.get(chosen).start();
        for other in ids.into_iter().filter(|other| *other != chosen) {
            let other = self.get(other).start();
            if other.max(start).since(other.min(start)) < NEAR {
                return Err(Ambiguous);
            }
        }
        Ok(Some(chosen))
    }
}

/// Two journeys could have the event.
pub(super) struct Ambiguous;
