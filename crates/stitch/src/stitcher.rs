//! The state of the stitcher, and the way of one event through it.

use std::hint::black_box;

use authstitch_model::{AuthEvent, CloseReason, EventKeys, Identity, JoinedBy, JourneyId, Realm, UnixNanos};

use crate::Change;
use crate::caps;
use crate::closed::ClosedQueue;
use crate::counters::Counters;
use crate::fingerprints::Fingerprints;
use crate::index::{Index, Slot};
use crate::journeys::Journeys;
use crate::live::{Live, State};
use crate::oldest::Oldest;
use crate::pool::Place;
use crate::settings::Settings;
use crate::strong::Usual;
use crate::timers::{Timers, earlier};
use crate::waiting::WaitingRoom;

/// Marks the place of a waiting event among the identities; fewer wait, and fewer journeys are kept, than this.
pub const WAITING: Place = 1 << 31;

/// Everything that is open, waits, or is remembered.
#[derive(Debug)]
pub struct Stitcher {
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) journeys: Journeys,
    pub(crate) index: Index,
    pub(crate) waiting: WaitingRoom,
    /// From the identities of events to the journeys that hold them and the places where they wait.
    pub(crate) identities: Fingerprints,
    pub(crate) timers: Timers,
    pub(crate) closed: ClosedQueue,
    oldest: Oldest,
    /// How many journeys are open.
    open: usize,
}

impl Default for Stitcher {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Stitcher {
    /// No journeys yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            counters: Counters::default(),
            journeys: Journeys::default(),
            index: Index::default(),
            waiting: WaitingRoom::default(),
            identities: Fingerprints::default(),
            timers: Timers::default(),
            closed: ClosedQueue::default(),
            oldest: Oldest::default(),
            open: 0,
        }
    }

    /// Reads what these events will need: the places of their identities and strongest keys, their journeys and
    /// the ends of those. It changes nothing. With millions of journeys each of these waits for memory, and here
    /// the waits of many events overlap, as no event's depend on another's.
    pub fn look_ahead(&self, events: &[AuthEvent]) {
        let reached = events.iter().fold(0, |reached, event| {
            let EventKeys { journey, challenge, code, .. } = &event.keys;
            let key = journey.as_ref().or(challenge.as_ref()).or(code.as_ref());
            let slot = key.and_then(|key| self.index.likely(*key));
            reached
                + self.identities.touch(event.identity.0)
                + slot.map_or(0, |slot| self.journeys.touch(slot))
        });
        black_box(reached);
    }

    /// Takes one event received at `received`. The caller has called [`Self::advance`] up to that time.
    pub fn accept(&mut self, received: UnixNanos, event: &AuthEvent, changes: &mut Vec<Change>) {
        if self.is_known(event.identity) {
            self.counters.duplicates += 1;
            return;
        }
        let slot = match self.usual_destination(event, received) {
            Usual::Journey(slot) => Some(slot),
            Usual::New => Some(self.found(received, event, changes)),
            Usual::Unclear => None,
        };
        if let Some(slot) = slot {
            self.join(slot, received, event, JoinedBy::Strong, changes);
        } else if self.has_usable_strong_key(event, received) {
            self.accept_strong(received, event, changes);
        } else if event.keys.flow.is_some() || event.keys.weak().next().is_some() {
            self.hold(received, event, changes);
        } else {
            self.counters.keyless += 1;
        }
    }

    /// Whether an event with this identity is kept or waits.
    fn is_known(&mut self, identity: Identity) -> bool {
        let (waiting, journeys) = (&self.waiting, &mut self.journeys);
        self.identities.find(identity.0).any(|place| {
            if place & WAITING == 0 {
                journeys.has_event(place, identity)
            } else {
                waiting.has_event(place & !WAITING, identity)
            }
        })
    }

    /// Fires everything due at or before `now`. At one deadline, waiting events are placed before journeys are
    /// closed, so that they still find them.
    pub fn advance(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        loop {
            let waiting = self.waiting.next_deadline().filter(|deadline| *deadline <= now);
            let timer = self.next_timer(now);
            match (waiting, timer) {
                (Some(waiting), timer) if timer.is_none_or(|(timer, ..)| waiting <= timer) => {
                    self.place_next(waiting, changes);
                }
                (_, Some((at, _, slot))) => self.fire(at, slot, changes),
                (_, None) => break,
            }
        }
        self.index.expire(now);
    }

    /// The earliest time at which something may happen without another event.
    #[must_use]
    pub fn next_deadline(&self) -> Option<UnixNanos> {
        let forgotten = self.next_forgotten().map(|(at, ..)| at);
        earlier(self.waiting.next_deadline(), earlier(self.timers.next(), forgotten))
    }

    /// Places every waiting event, then closes the oldest open journeys as `shutdown`, so many at most. Says whether
    /// more are open.
    pub fn shut_down(&mut self, now: UnixNanos, most: usize, changes: &mut Vec<Change>) -> bool {
        while self.waiting.len() > 0 {
            self.place_next(now, changes);
        }
        for _ in 0..most {
            let Some(slot) = self.oldest.first(&self.journeys.lives) else { return false };
            self.close(slot, now, CloseReason::Shutdown, changes);
        }
        self.open > 0
    }

    /// What was counted, and how much there is.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            open: self.open as u64,
            reopenable: self.closed.len() as u64,
            waiting: self.waiting.len() as u64,
            tombstones: self.index.tombstones() as u64,
            ..self.counters
        }
    }

    /// The first timer due at or before `now`: of an open journey to close, or of a closed one to be forgotten.
    fn next_timer(&mut self, now: UnixNanos) -> Option<(UnixNanos, JourneyId, Slot)> {
        let (journeys, settings) = (&mut self.journeys, &self.settings);
        while self.timers.begin_second(now, journeys, |journeys, slot| {
            let flow = journeys.flow(slot);
            journeys.lives[slot].closing(flow, settings).0
        }) {}
        let closing = self.timers.soonest(&self.journeys.lives);
        earlier(closing, self.next_forgotten()).filter(|(at, ..)| *at <= now)
    }

    /// The closed journey that is forgotten next, and when.
    fn next_forgotten(&self) -> Option<(UnixNanos, JourneyId, Slot)> {
        let (at, id, slot) = self.closed.first(&self.journeys.lives)?;
        Some((at.plus(self.settings.reopen_window), id, slot))
    }

    fn fire(&mut self, at: UnixNanos, slot: Slot, changes: &mut Vec<Change>) {
        if !self.live(slot).is_open() {
            self.forget(slot);
            return;
        }
        self.timers.pop(&mut self.journeys.lives);
        let (deadline, reason) = self.closing(slot);
        if deadline > at {
            self.timers.arm(&mut self.journeys.lives, slot, deadline);
        } else {
            self.close(slot, at, reason, changes);
        }
    }

    /// A new, empty journey; the oldest make room for it at the bound.
    pub(crate) fn insert(
        &mut self,
        id: JourneyId,
        realm: &Realm,
        received: UnixNanos,
        changes: &mut Vec<Change>,
    ) -> Slot {
        if self.open + self.closed.len() >= self.settings.journeys {
            self.make_room(received, changes);
        }
        let slot = self.journeys.insert(id, realm, received);
        self.enter_open(slot);
        slot
    }

    fn make_room(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        if let Some((.., slot)) = self.next_forgotten() {
            self.forget(slot);
        } else if let Some(slot) = self.oldest.first(&self.journeys.lives) {
            self.counters.evicted += 1;
            self.close(slot, now, CloseReason::Evicted, changes);
            self.forget(slot);
        }
    }

    pub(crate) fn enter_open(&mut self, slot: Slot) {
        self.oldest.opened(self.journeys.lives[slot].id, slot);
        self.open += 1;
    }

    /// An open journey is about to be closed or taken out.
    pub(crate) fn leave_open(&mut self, slot: Slot) {
        self.timers.disarm(&mut self.journeys.lives, slot);
        self.oldest.gone(self.journeys.lives[slot].id, slot);
        self.open -= 1;
    }

    /// A closed journey turned out to be the same as an open one.
    pub(crate) fn reopen(&mut self, slot: Slot) {
        if !self.live(slot).is_open() {
            self.closed.remove(&mut self.journeys.lives, slot);
            self.live(slot).state = State::New;
            self.enter_open(slot);
        }
    }

    /// Takes a journey out. What belongs to it is still there, to be read and freed.
    pub(crate) fn remove(&mut self, slot: Slot) -> Live {
        if self.live(slot).is_open() {
            self.leave_open(slot);
        } else {
            self.closed.remove(&mut self.journeys.lives, slot);
        }
        self.journeys.remove(slot)
    }

    /// The journey in a slot.
    pub(crate) fn live(&mut self, slot: Slot) -> &mut Live {
        &mut self.journeys.lives[slot]
    }

    /// Lets an event wait; the one whose turn is next is placed early at the bound.
    fn hold(&mut self, received: UnixNanos, event: &AuthEvent, changes: &mut Vec<Change>) {
        let place = self.waiting.enter(received.plus(self.settings.hold), received, event.clone());
        self.identities.insert(event.identity.0, place | WAITING);
        if self.waiting.len() > caps::WAITING_EVENTS {
            self.place_next(received, changes);
        }
    }
}
