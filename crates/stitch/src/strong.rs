//! Rules 1 to 3: events with strong keys.

use authstitch_model::{AuthEvent, JoinedBy, JourneyId, KeyHash, KeyKind, UnixNanos};

use crate::Change;
use crate::carried::{Known, key_of};
use crate::index::{Lookup, Slot};
use crate::keys::Tie;
use crate::stitcher::Stitcher;

/// The kinds of keys that bind: strong ones and the container.
const BINDING: [KeyKind; 4] = [KeyKind::Journey, KeyKind::Challenge, KeyKind::Code, KeyKind::Flow];

/// Where an event's strongest key alone says that it goes: the usual way, and a short one.
pub enum Usual {
    /// To the journey to which it leads, if it decides and the journey may have the event.
    Journey(Slot),
    /// To a new one, as it is new and nothing else leads anywhere.
    New,
    /// It does not say.
    Unclear,
}

/// Where an event with strong keys goes.
enum Destination {
    Journey(Slot),
    New,
    TooLate { closed: UnixNanos },
}

impl Stitcher {
    /// Where an event's strongest key alone says that it goes.
    pub(crate) fn usual_destination(&mut self, event: &AuthEvent, now: UnixNanos) -> Usual {
        let keys = &event.keys;
        let (key, is_code) = match (keys.journey.or(keys.challenge), keys.code) {
            (Some(key), _) => (key, false),
            (None, Some(code)) => (code, true),
            (None, None) => return Usual::Unclear,
        };
        match self.look_up(key, now) {
            Lookup::Live(slot) => {
                let decides = !is_code || keys.flow.is_none() || self.live(slot).is_tied();
                if decides && self.may_have(slot, keys.journey) {
                    Usual::Journey(slot)
                } else {
                    Usual::Unclear
                }
            }
            Lookup::Unknown if keys.flow.is_none() && keys.strong().count() == 1 => Usual::New,
            _ => Usual::Unclear,
        }
    }

    /// Whether an event has a strong key that decides. A code that comes with a container alone, and that nothing
    /// but codes ties yet, decides nothing: the container does, by time.
    pub(crate) fn has_usable_strong_key(&mut self, event: &AuthEvent, now: UnixNanos) -> bool {
        let contained = event.keys.flow.is_some();
        event.keys.strong().any(|(kind, key)| match self.look_up(key, now) {
            Lookup::Poisoned => false,
            Lookup::Unknown => kind != KeyKind::Code || !contained,
            Lookup::Live(slot) => kind != KeyKind::Code || !contained || self.live(slot).is_tied(),
            Lookup::Tombstone { .. } => true,
        })
    }

    pub(crate) fn accept_strong(
        &mut self,
        received: UnixNanos,
        event: &AuthEvent,
        changes: &mut Vec<Change>,
    ) {
        let slot = match self.destination(received, event) {
            Destination::TooLate { closed } => {
                self.counters.too_late[event.side.index()].add(received.since(closed));
                return;
            }
            Destination::Journey(slot) => slot,
            Destination::New => match event.keys.flow.and_then(|container| self.prelude(container, event)) {
                Some(slot) => slot,
                None => self.found(received, event, changes),
            },
        };
        self.join(slot, received, event, JoinedBy::Strong, changes);
    }

    pub(crate) fn look_up(&self, key: KeyHash, now: UnixNanos) -> Lookup {
        self.index.look_up(&self.journeys, key, now)
    }

    /// The key of highest precedence that leads to a journey that may have the event decides. If none does, a
    /// key that is only remembered makes it too late, unless it begins a new journey.
    fn destination(&mut self, now: UnixNanos, event: &AuthEvent) -> Destination {
        let mut higher_is_new = false;
        let mut too_late = None;
        for (kind, key) in event.keys.strong() {
            match self.look_up(key, now) {
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
        let attempts = self.sharing(container);
        let attempt = self.attempt_at(&attempts, event)?;
        let fits = !self.live(attempt).is_strong()
            && self.spans_event(attempt, event)
            && !self.begins_next_attempt(attempt, event);
        fits.then_some(attempt)
    }

    /// Whether a journey may take an event with this journey key: it has the same one or none.
    fn may_have(&mut self, slot: Slot, journey: Option<KeyHash>) -> bool {
        let own = self.journeys.journey_key(slot);
        own.is_none() || journey.is_none() || own == journey
    }

    /// Counts that a key joins journeys, or would; `true` if it is thereby poisoned and joins nothing.
    fn count_link(&mut self, key: KeyHash) -> bool {
        let poisoned = self.index.links(&mut self.journeys, key);
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
        self.insert(id, &event.realm, received, changes)
    }

    /// Puts an event into a journey: binds its keys, merges what they join, tells of it or arms its timer.
    pub(crate) fn join(
        &mut self,
        slot: Slot,
        received: UnixNanos,
        event: &AuthEvent,
        joined_by: JoinedBy,
        changes: &mut Vec<Change>,
    ) {
        let (mut slot, mut known) = (slot, self.journeys.known(slot, event));
        if known.new != 0 {
            (slot, known) = self.bind_new(slot, known, received, event, changes);
        }
        // Only an event that is the journey's own lets it be found by session or trace.
        let own = joined_by == JoinedBy::Strong || self.live(slot).is_founded_by_trace();
        if own && known.new != 0 {
            self.share_new(slot, &known, event);
        }
        self.live(slot).heard(received, event);
        if self.journeys.add(slot, event, joined_by, &known.references) {
            self.counters.joined += 1;
            self.identities.insert(event.identity.0, slot);
        } else {
            self.counters.over_cap += 1;
        }
        if !self.journeys.lives[slot].is_lonely() {
            if let Some(trace) = event.keys.trace.filter(|_| own) {
                slot = self.absorb_founded_by(trace, slot, changes);
            }
            self.link(slot, changes);
        }
        self.settle(slot, changes);
    }

    /// Binds those keys of an event that are new to its journey and bind, and merges what they join. Gives the
    /// journey and what it knows of the event then.
    fn bind_new(
        &mut self,
        mut slot: Slot,
        mut known: Known,
        received: UnixNanos,
        event: &AuthEvent,
        changes: &mut Vec<Change>,
    ) -> (Slot, Known) {
        for kind in BINDING {
            if let Some(key) = key_of(event, kind).filter(|_| known.is_new(kind)) {
                let merged = self.counters.merged;
                slot = self.bind(slot, (kind, key, known.number(kind)), received, event, changes);
                if self.counters.merged != merged {
                    known = self.journeys.known(slot, event);
                }
            }
        }
        (slot, known)
    }

    /// Lets a journey be found by those weak keys of an event that are new to it.
    fn share_new(&mut self, slot: Slot, known: &Known, event: &AuthEvent) {
        for kind in [KeyKind::Session, KeyKind::Trace] {
            let Some(key) = key_of(event, kind).filter(|_| known.is_new(kind)) else { continue };
            match self.journeys.note(slot, kind, key, known.number(kind)) {
                Some(number) => self.index.share(&mut self.journeys, slot, number),
                // It is not found there, and may be elsewhere.
                None => self.live(slot).traces_shared |= kind == KeyKind::Trace,
            }
        }
    }

    /// Binds a key of an event to its journey, or merges the journey that the key leads to already.
    fn bind(
        &mut self,
        slot: Slot,
        (kind, key, number): (KeyKind, KeyHash, Option<u16>),
        now: UnixNanos,
        event: &AuthEvent,
        changes: &mut Vec<Change>,
    ) -> Slot {
        if kind == KeyKind::Flow {
            return self.enter_container(slot, (key, number), event, changes);
        }
        match self.look_up(key, now) {
            // One value under two kinds of key.
            Lookup::Live(other) if other == slot => slot,
            Lookup::Live(other) => {
                let (own, others) = (self.journeys.journey_key(slot), self.journeys.journey_key(other));
                if own.is_some() && others.is_some() && own != others {
                    // The key stays where it is. It is noted here, so that it counts once for each journey.
                    if self.journeys.note(slot, kind, key, number).is_some() {
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
                let noted = number.filter(|number| self.journeys.tie(slot, *number) != Tie::Carried);
                if let Some(number) = noted.or_else(|| self.journeys.note(slot, kind, key, number)) {
                    if kind == KeyKind::Journey {
                        self.journeys.set_journey_key(slot, key);
                    }
                    self.index.bind(&mut self.journeys, slot, number);
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
        (container, number): (KeyHash, Option<u16>),
        event: &AuthEvent,
        changes: &mut Vec<Change>,
    ) -> Slot {
        let is_strong = self.live(slot).is_strong();
        let prelude = if is_strong { self.prelude(container, event) } else { None };
        if let Some(number) = self.journeys.note(slot, KeyKind::Flow, container, number) {
            self.index.share(&mut self.journeys, slot, number);
        }
        prelude.map_or(slot, |prelude| self.merge(slot, prelude, changes))
    }
}
