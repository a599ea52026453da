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
    /// Whether an event has a strong key that decides. A new code that comes with a container alone decides
    /// nothing: the container does, by time.
    pub(crate) fn has_usable_strong_key(&self, event: &AuthEvent, now: UnixNanos) -> bool {
        event.keys.strong().any(|(kind, key)| match self.index.look_up(key, now) {
            Lookup::Poisoned => false,
            Lookup::Unknown => kind != KeyKind::Code || event.keys.flow.is_none(),
            Lookup::Live(_) | Lookup::Tombstone { .. } => true,
        })
    }

    pub(crate) fn accept_strong(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        match self.destination(received, &event) {
            Destination::TooLate { closed } => {
                self.counters.too_late[event.side.index()].add(received.since(closed));
            }
            Destination::Journey(slot) => self.join(slot, received, event, JoinedBy::Strong, changes),
            Destination::New => {
                let slot = self.found(received, &event, changes);
                self.join(slot, received, event, JoinedBy::Strong, changes);
            }
        }
    }

    /// The key of highest precedence that is not poisoned decides; if it is new, the next one that leads to a
    /// journey that may have it; then a container whose latest attempt has no strong key yet.
    fn destination(&mut self, now: UnixNanos, event: &AuthEvent) -> Destination {
        let mut new = false;
        for (kind, key) in event.keys.strong() {
            match self.index.look_up(key, now) {
                Lookup::Live(slot) if self.may_have(slot, event.keys.journey) => {
                    if new {
                        self.count_link(key);
                    }
                    return Destination::Journey(slot);
                }
                Lookup::Live(_) => {
                    self.counters.key_conflicts += 1;
                    self.count_link(key);
                    new = true;
                }
                Lookup::Tombstone { closed } if !new && !event.name.is_start() => {
                    return Destination::TooLate { closed };
                }
                Lookup::Tombstone { .. } | Lookup::Unknown => new |= kind != KeyKind::Code,
                Lookup::Poisoned => {}
            }
        }
        let latest = event.keys.flow.and_then(|container| self.latest_attempt(container));
        match latest {
            Some(slot) if !self.live(slot).is_strong() => Destination::Journey(slot),
            _ => Destination::New,
        }
    }

    /// The latest attempt of a container.
    fn latest_attempt(&mut self, container: KeyHash) -> Option<Slot> {
        let slots = self.index.sharing(container).to_vec();
        slots.into_iter().max_by_key(|slot| {
            let live = self.live(*slot);
            (live.span().start, live.id)
        })
    }

    /// Whether a journey may take an event with this journey key: it has the same one or none.
    fn may_have(&mut self, slot: Slot, journey: Option<KeyHash>) -> bool {
        let own = self.live(slot).journey_key;
        own.is_none() || journey.is_none() || own == journey
    }

    fn count_link(&mut self, key: KeyHash) {
        if self.index.links(key) {
            self.counters.poisoned_keys += 1;
        }
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
        for (kind, key) in binding_keys(&event.keys) {
            slot = self.bind(slot, kind, key, received, changes);
        }
        // Only an event that is the journey's own lets it be found by session or trace.
        let keyless = self.live(slot).is_founded_by_trace();
        let weak: Vec<_> = event.keys.weak().filter(|_| joined_by == JoinedBy::Strong || keyless).collect();
        for key in weak {
            self.share(slot, key);
        }
        let (trace, identity) = (event.keys.trace, event.identity);
        if self.live(slot).add(received, event, joined_by) {
            self.counters.joined += 1;
            self.identities.insert(identity);
        } else {
            self.counters.over_cap += 1;
        }
        if let Some(trace) = trace.filter(|_| joined_by == JoinedBy::Strong) {
            slot = self.absorb_founded_by(trace, slot, changes);
        }
        self.link_to_predecessor(slot, changes);
        self.settle(slot, changes);
    }

    /// Binds a key to a journey, or merges the journey that it leads to already.
    fn bind(
        &mut self,
        slot: Slot,
        kind: KeyKind,
        key: KeyHash,
        now: UnixNanos,
        changes: &mut Vec<Change>,
    ) -> Slot {
        if kind == KeyKind::Flow {
            let live = self.live(slot);
            if !live.keys.contains(&(kind, key)) && live.keys.len() < caps::KEYS_PER_JOURNEY {
                live.keys.push((kind, key));
                self.index.share(key, slot);
            }
            return slot;
        }
        match self.index.look_up(key, now) {
            Lookup::Live(other) if other == slot => slot,
            Lookup::Live(other) => {
                let (own, others) = (self.live(slot).journey_key, self.live(other).journey_key);
                if own.is_some() && others.is_some() && own != others {
                    // The event follows its key of highest precedence; the other key stays where it is.
                    return slot;
                }
                self.count_link(key);
                self.merge(slot, other, changes)
            }
            Lookup::Poisoned => slot,
            Lookup::Tombstone { .. } | Lookup::Unknown => {
                let live = self.live(slot);
                if live.keys.len() < caps::KEYS_PER_JOURNEY {
                    live.keys.push((kind, key));
                    if kind == KeyKind::Journey {
                        live.journey_key = Some(key);
                    }
                    self.index.bind(key, slot);
                }
                slot
            }
        }
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
