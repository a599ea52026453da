//! The state of the stitcher, and the way of one event through it.

use std::collections::BTreeSet;

use authstitch_model::{AuthEvent, CloseReason, Identity, JourneyId, UnixNanos};
use hashbrown::HashSet;

use crate::Change;
use crate::caps;
use crate::counters::Counters;
use crate::index::{Index, Slot};
use crate::live::{Live, State};
use crate::settings::Settings;
use crate::waiting::WaitingRoom;

/// Everything that is open, waits, or is remembered.
#[derive(Debug)]
pub struct Stitcher {
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) index: Index,
    pub(crate) waiting: WaitingRoom,
    /// Identities of the events that are kept or wait.
    pub(crate) identities: HashSet<Identity>,
    slab: Vec<Option<Live>>,
    free: Vec<Slot>,
    /// By (deadline, id). A timer whose journey has another deadline is stale and only armed anew.
    timers: BTreeSet<(UnixNanos, JourneyId, Slot)>,
    /// Open journeys by age: an id begins with its first receipt time.
    pub(crate) open: BTreeSet<(JourneyId, Slot)>,
    /// Closed journeys by the time of closing.
    pub(crate) reopenable: BTreeSet<(UnixNanos, JourneyId, Slot)>,
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
            index: Index::default(),
            waiting: WaitingRoom::default(),
            identities: HashSet::new(),
            slab: Vec::new(),
            free: Vec::new(),
            timers: BTreeSet::new(),
            open: BTreeSet::new(),
            reopenable: BTreeSet::new(),
        }
    }

    /// Takes one event received at `received`. The caller has called [`Self::advance`] up to that time.
    pub fn accept(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        if self.identities.contains(&event.identity) {
            self.counters.duplicates += 1;
        } else if self.has_usable_strong_key(&event, received) {
            self.accept_strong(received, event, changes);
        } else if event.keys.flow.is_some() || event.keys.weak().next().is_some() {
            self.hold(received, event, changes);
        } else {
            self.counters.keyless += 1;
        }
    }

    /// Fires everything due at or before `now`. At one deadline, waiting events are placed before journeys are
    /// closed, so that they still find them.
    pub fn advance(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        loop {
            let waiting = self.waiting.next_deadline().filter(|deadline| *deadline <= now);
            let timer =
                self.timers.first().map(|(deadline, ..)| *deadline).filter(|deadline| *deadline <= now);
            match (waiting, timer) {
                (Some(waiting), timer) if timer.is_none_or(|timer| waiting <= timer) => {
                    self.place_next(waiting, changes);
                }
                (_, Some(_)) => self.fire(changes),
                (_, None) => break,
            }
        }
        self.index.expire(now);
    }

    /// The earliest time at which something may happen without another event.
    #[must_use]
    pub fn next_deadline(&self) -> Option<UnixNanos> {
        let timer = self.timers.first().map(|(deadline, ..)| *deadline);
        [self.waiting.next_deadline(), timer].into_iter().flatten().min()
    }

    /// Places every waiting event and closes every open journey as `shutdown`, oldest first.
    pub fn shut_down(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        while self.waiting.len() > 0 {
            self.place_next(now, changes);
        }
        while let Some((_, slot)) = self.open.first().copied() {
            self.close(slot, now, CloseReason::Shutdown, changes);
        }
    }

    /// What was counted, and how much there is.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            open: self.open.len() as u64,
            reopenable: self.reopenable.len() as u64,
            waiting: self.waiting.len() as u64,
            tombstones: self.index.tombstones() as u64,
            ..self.counters
        }
    }

    fn fire(&mut self, changes: &mut Vec<Change>) {
        let Some((at, id, slot)) = self.timers.pop_first() else { return };
        let Some(live) = self.slab[slot].as_mut().filter(|live| live.id == id) else { return };
        live.armed = None;
        if live.deadline > at {
            let deadline = live.deadline;
            self.arm(slot, deadline);
            return;
        }
        match live.state {
            State::Open => {
                let (_, reason) = live.closing(&self.settings);
                self.close(slot, at, reason, changes);
            }
            State::Closed { .. } => self.forget(slot),
        }
    }

    /// A new, empty journey; the oldest make room for it at the bound.
    pub(crate) fn insert(&mut self, live: Live, changes: &mut Vec<Change>) -> Slot {
        if self.open.len() + self.reopenable.len() >= self.settings.journeys {
            self.make_room(live.last_received, changes);
        }
        let id = live.id;
        let slot = if let Some(slot) = self.free.pop() {
            self.slab[slot] = Some(live);
            slot
        } else {
            self.slab.push(Some(live));
            self.slab.len() - 1
        };
        self.open.insert((id, slot));
        slot
    }

    fn make_room(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        if let Some((.., slot)) = self.reopenable.first().copied() {
            self.forget(slot);
        } else if let Some((_, slot)) = self.open.first().copied() {
            self.counters.evicted += 1;
            self.close(slot, now, CloseReason::Evicted, changes);
            self.forget(slot);
        }
    }

    /// Takes a journey out of the slab.
    pub(crate) fn remove(&mut self, slot: Slot) -> Live {
        #[expect(
            clippy::expect_used,
            reason = "every slot in the index, in `open` and in `reopenable` is filled"
        )]
        let live = self.slab[slot].take().expect("a slot that is known is filled");
        self.free.push(slot);
        match live.state {
            State::Open => self.open.remove(&(live.id, slot)),
            State::Closed { at, .. } => self.reopenable.remove(&(at, live.id, slot)),
        };
        live
    }

    /// The journey in a slot.
    pub(crate) fn live(&mut self, slot: Slot) -> &mut Live {
        #[expect(
            clippy::expect_used,
            reason = "every slot in the index, in `open` and in `reopenable` is filled"
        )]
        self.slab[slot].as_mut().expect("a slot that is known is filled")
    }

    /// Arms a journey's timer. A later deadline waits for the earlier timer to come round.
    pub(crate) fn arm(&mut self, slot: Slot, deadline: UnixNanos) {
        let live = self.live(slot);
        live.deadline = deadline;
        if live.armed.is_none_or(|armed| deadline < armed) {
            live.armed = Some(deadline);
            let id = live.id;
            self.timers.insert((deadline, id, slot));
        }
    }

    /// Lets an event wait; the one whose turn is next is placed early at the bound.
    fn hold(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        self.identities.insert(event.identity);
        self.waiting.enter(received.plus(self.settings.hold), received, event);
        if self.waiting.len() > caps::WAITING_EVENTS {
            self.place_next(received, changes);
        }
    }
}
