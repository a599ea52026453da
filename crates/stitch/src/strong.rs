//! Rules 1 to 3: events with strong keys.

use authstitch_model::{AuthEvent, JoinedBy, JourneyId, KeyHash, KeyKind, Realm, UnixNanos};

use crate::Change;
use crate::caps;
use crate::index::{Lookup, Slot};
use crate::live::{Live, binding_keys};
use crate::stitcher::Stitcher;

/// Where an event with strong keys goes.
enum Destination {
    Journey(Slot),
    New,
    TooLate { closed: UnixNanos },
}

impl Stitcher {
    /// Whether an event has a strong key that decides. A code that comes with a container alone, and that nothing
    /// but codes ties yet, decides nothing: the container does, by time.
    pub(crate) fn has_usable_strong_key(&mut self, event: &AuthEvent, now: UnixNanos) -> bool {
        let contained = event.keys.flow.is_some();
        event.keys.strong().any(|(kind, key)| match self.index.look_up(key, now) {
            Lookup::Poisoned => false,
            Lookup::Unknown => kind != KeyKind::Code || !contained,
            Lookup::Live(slot) => kind != KeyKind::Code || !contained || self.live(slot).is_tied(),
            Lookup::Tombstone { .. } => true,
        })
    }

    pub(crate) fn accept_strong(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        let slot = match self.destination(received, &event) {
            Destination::TooLate { closed } => {
                self.counters.too_late[event.side.index()].add(received.since(closed));
                return;
            }
            Destination::Journey(slot) => slot,
            Destination::New => match event.keys.flow.and_then(|container| self.prelude(container, &event)) {
                Some(slot) => slot,
                None => self.found(received, &event, changes),
            },
        };
        self.join(slot, received, event, JoinedBy::Strong, changes);
    }

    /// The key of highest precedence that leads to a journey that may have the event decides. If none does, a
    /// key that is only remembered makes it too late, unless it begins a new journey.
    fn destination(&mut self, now: UnixNanos, event: &AuthEvent) -> Destination {
        let mut higher_is_new = false;
        let mut too_late = None;
        for (kind, key) in event.keys.strong() {
            match self.index.look_up(key, now) {
                Lookup::Live(slot) if self.may_have(slot, event.keys.journey) => {
                    if !(higher_is_new && self.count_link(key)) {
                        return Destination::Journey(slot);
                    }
                }
                Lookup::Live(_) => higher_is_new = true,
                // Beside a new key of higher precedence a code is a value that came again.
                Lookup::Tombstone { .. } if kind == KeyKind::Code && higher_is_new => {}
                Lookup::Tombstone { closed } => {
                    too_late = too_late.or(Some(closed));
                    higher_is_new |= kind != KeyKind::Code;
                }
                Lookup::Unknown => higher_is_new |= kind != KeyKind::Code,
                Lookup::Poisoned => {}
            }
        }
        match too_late {
            Some(closed) if !event.name.is_start() => Destination::TooLate { closed },
            _ => Destination::New,
        }
    }

    /// What a container holds of an attempt before its first strong key came: the attempt at an event's time, if
    /// it has none and the event can still be of it.
    fn prelude(&mut self, container: KeyHash, event: &AuthEvent) -> Option<Slot> {
        let attempts = self.index.sharing(container).to_vec();
        let attempt = self.attempt_at(&attempts, event)?;
        let fits = !self.live(attempt).is_strong()
            && self.spans_event(attempt, event)
            && !self.begins_next_attempt(attempt, event);
        fits.then_some(attempt)
    }

    /// Whether a journey may take an event with this journey key: it has the same one or none.
    fn may_have(&mut self, slot: Slot, journey: Option<KeyHash>) -> bool {
        let own = self.live(slot).journey_key;
        own.is_none() || journey.is_none() || own == journey
    }

    /// Counts that a key joins journeys, or would; `true` if it is thereby poisoned and joins nothing.
    fn count_link(&mut self, key: KeyHash) -> bool {
        let poisoned = self.index.links(key);
        self.counters.poisoned_keys += u64::from(poisoned);
        poisoned
    }

    /// A new journey for an event, which joins it next.
    pub(crate) fn found(
        &mut self,
        received: UnixNanos,
        event: &AuthEvent,
        changes: &mut Vec<Change>,
    ) -> Slot {
        let id = JourneyId::new(received, event.identity);
        let realm: Realm = event.realm.clone();
        self.insert(Live::new(id, realm, received), changes)
    }

    /// Puts an event into a journey: binds its keys, merges what they join, tells of it or arms its timer.
    pub(crate) fn join(
        &mut self,
        slot: Slot,
        received: UnixNanos,
        event: AuthEvent,
        joined_by: JoinedBy,
        changes: &mut Vec<Change>,
    ) {
        let mut slot = slot;
        for key in binding_keys(&event.keys) {
            slot = self.bind(slot, key, received, &event, changes);
        }
        // Only an event that is the journey's own lets it be found by session or trace.
        let own = joined_by == JoinedBy::Strong || self.live(slot).is_founded_by_trace();
        for key in event.keys.weak().filter(|_| own) {
            self.share(slot, key);
        }
        let (trace, identity) = (event.keys.trace, event.identity);
        if self.live(slot).add(received, event, joined_by) {
            self.counters.joined += 1;
            self.identities.insert(identity);
        } else {
            self.counters.over_cap += 1;
        }
        if let Some(trace) = trace.filter(|_| own) {
            slot = self.absorb_founded_by(trace, slot, changes);
        }
        self.link(slot, changes);
        self.settle(slot, changes);
    }

    /// Binds a key of an event to its journey, or merges the journey that the key leads to already.
    fn bind(
        &mut self,
        slot: Slot,
        (kind, key): (KeyKind, KeyHash),
        now: UnixNanos,
        event: &AuthEvent,
        changes: &mut Vec<Change>,
    ) -> Slot {
        if kind == KeyKind::Flow {
            return self.enter_container(slot, key, event, changes);
        }
        match self.index.look_up(key, now) {
            Lookup::Live(other) if other == slot => slot,
            Lookup::Live(other) => {
                let (own, others) = (self.live(slot).journey_key, self.live(other).journey_key);
                if own.is_some() && others.is_some() && own != others {
                    // The key stays where it is. It is noted here, so that it counts once for each journey.
                    if self.note(slot, (kind, key)) {
                        self.counters.key_conflicts += 1;
                        self.count_link(key);
                    }
                    slot
                } else if self.count_link(key) {
                    slot
                } else {
                    self.merge(slot, other, changes)
                }
            }
            Lookup::Poisoned => slot,
            Lookup::Tombstone { .. } | Lookup::Unknown => {
                if self.note(slot, (kind, key)) || self.live(slot).keys.contains(&(kind, key)) {
                    if kind == KeyKind::Journey {
                        self.live(slot).journey_key = Some(key);
                    }
                    self.index.bind(key, slot);
                }
                slot
            }
        }
    }

    /// Makes a journey one of a container's attempts. If a strong key tied it elsewhere, what the container
    /// holds of it already is the same attempt.
    fn enter_container(
        &mut self,
        slot: Slot,
        container: KeyHash,
        event: &AuthEvent,
        changes: &mut Vec<Change>,
    ) -> Slot {
        let key = (KeyKind::Flow, container);
        if self.live(slot).keys.contains(&key) {
            return slot;
        }
        let is_strong = self.live(slot).is_strong();
        let prelude = if is_strong { self.prelude(container, event) } else { None };
        if self.note(slot, key) {
            self.index.share(container, slot);
        }
        prelude.map_or(slot, |prelude| self.merge(slot, prelude, changes))
    }

    /// Notes a key with a journey; `false` if it is there already or finds no room.
    fn note(&mut self, slot: Slot, key: (KeyKind, KeyHash)) -> bool {
        let keys = &mut self.live(slot).keys;
        let noted = keys.len() < caps::KEYS_PER_JOURNEY && !keys.contains(&key);
        if noted {
            keys.push(key);
        }
        noted
    }

    /// Lets a journey be found under a weak key.
    fn share(&mut self, slot: Slot, key: (KeyKind, KeyHash)) {
        let live = self.live(slot);
        if !live.weak.contains(&key) && live.weak.len() < caps::WEAK_KEYS_PER_JOURNEY {
            live.weak.push(key);
            self.index.share(key.1, slot);
        }
    }
}
