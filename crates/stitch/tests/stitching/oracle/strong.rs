//! Rules 1 to 3: events with strong keys.

use authstitch_model::{AuthEvent, CloseReason, JoinedBy, JourneyId, KeyKind, Millis, UnixNanos};
use authstitch_stitch::Change;

use super::{Attempt, Key, Names, Oracle};

impl Oracle {
    pub(super) fn place_strong(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        let mut higher = false;
        let mut closed = None;
        let keys = event.keys;
        for (kind, key) in keys.strong() {
            match self.look_up(key, received) {
                Key::LeadsTo(id) => {
                    let own = self.get(id).journey_key;
                    if own.is_some() && event.keys.journey.is_some() && own != event.keys.journey {
                        higher = true;
                    } else if !higher || !self.poisons(key) {
                        return self.join(id, received, event, JoinedBy::Strong, changes);
                    }
                }
                Key::Remembered(_) if kind == KeyKind::Code && higher => {}
                Key::Remembered(_) if kind == KeyKind::Code && higher => {}
                Key::Remembered(at) => {
                    closed = closed.or(Some(at));
                    higher |= kind != KeyKind::Code;
                }
                Key::New => higher |= kind != KeyKind::Code,
                Key::Poisoned => {}
            }
        }
        match closed {
            Some(closed) if !event.name.is_start() => {
                let late = &mut self.counters.too_late[event.side.index()];
                let lag = received.since(closed);
                late.events += 1;
                late.lag_sum = Millis(late.lag_sum.0 + lag.0);
                late.lag_max = late.lag_max.max(lag);
            }
            _ => match self.prelude(&event, None) {
                Some(id) => self.join(id, received, event, JoinedBy::Strong, changes),
                None => self.found(received, event, JoinedBy::Strong, changes),
            },
        }
    }

    /// Of these, by start, the latest started by the event's time, else the next to start.
    pub(super) fn at_time(&mut self, ids: &[JourneyId], event: &AuthEvent) -> Option<JourneyId> {
        let mut chosen = *ids.first()?;
        for id in ids {
            let attempt = self.get(*id);
            if attempt.start() <= attempt.time_of(event) {
                chosen = *id;
            }
        }
        Some(chosen)
    }

    pub(super) fn prelude(&mut self, event: &AuthEvent, own: Option<JourneyId>) -> Option<JourneyId> {
        let ids: Vec<_> = self.sharing(event.keys.flow?).into_iter().filter(|id| Some(*id) != own).collect();
        let settings = self.settings;
        let id = self.at_time(&ids, event)?;
        let attempt = self.get(id);
        let fits = !attempt.is_strong()
            && attempt.spans_event(event, &settings)
            && !attempt.is_over_for(event, &settings);
        fits.then_some(id)
    }

    pub(super) fn found(
        &mut self,
        received: UnixNanos,
        event: AuthEvent,
        by: JoinedBy,
        changes: &mut Vec<Change>,
    ) {
        if self.attempts.len() >= self.settings.journeys {
            self.make_room(received, changes);
        }
        let id = JourneyId::new(received, event.identity);
        self.attempts.push(Attempt {
            id,
            revision: 0,
            closed: None,
            events: Vec::new(),
            bound: Vec::new(),
            keys: Vec::new(),
            journey_key: None,
            weak: Vec::new(),
            previous: None,
            next: None,
            told: Names::default(),
        });
        self.join(id, received, event, by, changes);
    }

    pub(super) fn make_room(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        let closed = self.attempts.iter().filter_map(|attempt| Some((attempt.closed?.0, attempt.id))).min();
        if let Some((_, id)) = closed {
            return self.forget(id);
        }
        if let Some(id) = self.attempts.iter().map(|attempt| attempt.id).min() {
            self.counters.evicted += 1;
            self.close(id, now, CloseReason::Evicted, changes);
            self.forget(id);
        }
    }

    pub(super) fn join(
        &mut self,
        id: JourneyId,
        received: UnixNanos,
        event: AuthEvent,
        by: JoinedBy,
        changes: &mut Vec<Change>,
    ) {
        let mut id = id;
        for (kind, key) in event.keys.strong() {
            match self.look_up(key, received) {
                Key::Poisoned => {}
                Key::LeadsTo(other) if other == id => {}
                Key::LeadsTo(other) => {
                    let (own, others) = (self.get(id).journey_key, self.get(other).journey_key);
                    if own.is_some() && others.is_some() && own != others {
                        if !self.get(id).keys.contains(&(kind, key)) {
                            self.get(id).keys.push((kind, key));
                            self.counters.key_conflicts += 1;
                            self.poisons(key);
                        }
                    } else if !self.poisons(key) {
                        id = self.merge(id, other, changes);
                    }
                }
                Key::New | Key::Remembered(_) => {
                    self.tombstones.retain(|tombstone| tombstone.key != key);
                    let attempt = self.get(id);
                    if !attempt.keys.contains(&(kind, key)) {
                        attempt.keys.push((kind, key));
                    }
                    attempt.bound.push((key, 0));
                    if kind == KeyKind::Journey {
                        attempt.journey_key = Some(key);
                    }
                }
            }
        }
        if let Some(container) = event.keys.flow
            && !self.get(id).keys.contains(&(KeyKind::Flow, container))
        {
            let prelude = if self.get(id).is_strong() { self.prelude(&event, Some(id)) } else { None };
            self.get(id).keys.push((KeyKind::Flow, container));
            if let Some(prelude) = prelude {
                id = self.merge(id, prelude, changes);
            }
        }
        let own = by == JoinedBy::Strong || self.get(id).keys.is_empty();
        let trace = event.keys.trace.filter(|_| own);
        for key in event.keys.weak().filter(|_| own) {
            if !self.get(id).weak.contains(&key) {
                self.get(id).weak.push(key);
            }
        }
        self.get(id).events.push((event, by, received));
        self.counters.joined += 1;
        if let Some(trace) = trace {
            id = self.absorb_trace(trace, id, changes);
        }
        self.link_all(Some(id), changes);
        if self.get(id).closed.is_some() {
            self.tell(id, changes);
        }
    }
}
