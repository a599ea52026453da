//! Rules 6 and 7: closing, telling, forgetting.

use authstitch_model::{
    CloseReason, Journey, JourneyEvent, JourneyId, KeyKind, Predecessor, Successor, UnixNanos,
};
use authstitch_stitch::{Change, clock};

use super::{Oracle, Tombstone, turn};

impl Oracle {
    pub(super) fn close(
        &mut self,
        id: JourneyId,
        at: UnixNanos,
        reason: CloseReason,
        changes: &mut Vec<Change>,
    ) {
        self.get(id).closed = Some((at, reason));
        self.counters.closed += 1;
        self.link_all(Some(id), changes);
        self.tell(id, changes);
    }

    pub(super) fn tell(&mut self, id: JourneyId, changes: &mut Vec<Change>) {
        let attempt = self.get(id);
        attempt.revision += 1;
        attempt.told = attempt.names();
        let offsets = attempt.offsets();
        let mut events: Vec<_> = attempt
            .events
            .iter()
            .map(|(event, by, _)| JourneyEvent {
                event: event.clone(),
                corrected: clock::corrected(event, &offsets),
                joined_by: *by,
            })
            .collect();
        events.sort_by_key(|event| (event.corrected, turn(&event.event)));
        let journey = Journey {
            id,
            revision: attempt.revision,
            realm: attempt.events[0].0.realm.clone(),
            flow: attempt.flow(),
            events,
            offsets,
            close_reason: attempt.closed.expect("only closed journeys are told of").1,
            previous: attempt.previous.map(|link| Predecessor { journey: link.to, gap: link.gap }),
            next: attempt.next.map(|link| Successor { journey: link.to, gap: link.gap, flow: link.flow }),
        };
        self.counters.revised += u64::from(journey.revision > 1);
        changes.push(Change::Closed(Box::new(journey)));
    }

    pub(super) fn forget(&mut self, id: JourneyId) {
        let place = self.attempts.iter().position(|attempt| attempt.id == id).expect("it is there");
        let attempt = self.attempts.remove(place);
        let settings = self.settings;
        let closed = attempt.closed.expect("only closed journeys are forgotten").0;
        let ttl = attempt.events.iter().filter_map(|(event, ..)| event.facts.code_ttl).max();
        let code_ends =
            attempt.last_received().plus(ttl.unwrap_or(settings.code_ttl)).plus(settings.code_margin);
        for (key, _) in &attempt.bound {
            let is_code = attempt.keys.contains(&(KeyKind::Code, *key));
            let mut expires = closed.plus(settings.tombstones);
            if is_code {
                if code_ends <= closed.plus(settings.reopen_window) {
                    continue;
                }
                expires = expires.min(code_ends);
            }
            if expires > closed {
                self.tombstones.push(Tombstone { key: *key, closed, expires });
            }
        }
        for link in self.attempts.iter_mut().flat_map(|attempt| [&mut attempt.previous, &mut attempt.next]) {
            if let Some(link) = link.as_mut().filter(|link| link.to == id) {
                link.forgotten = true;
            }
        }
    }
}
