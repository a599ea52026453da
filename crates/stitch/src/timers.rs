//! When open journeys are due: by second, and by (time, id) within the seconds that have begun.
//!
//! A journey stands in the queue of the second of its timer; what moves it to a later time leaves it there, and
//! it is queued anew when the second comes. That costs eight bytes a journey, and an event mostly nothing. The queues
//! of the next seconds lie in a ring, those of later ones in a map, where they stay when their second comes near.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use authstitch_model::{JourneyId, UnixNanos};

use crate::index::Slot;
use crate::journeys::Journeys;
use crate::live::{Live, Queued, State};
use crate::pool::{NOWHERE, Place, Pool};

/// A second, so near as a shift gives it: 2^30 nanoseconds.
const SECOND_BITS: u32 = 30;

/// Seconds of the ring: idle times have a quarter of an hour at most, mostly.
const NEAR: u64 = 1024;

/// Room for timers that stays between bursts.
const SOON_KEPT: usize = 1024;

/// The timers of open journeys.
#[derive(Debug)]
pub struct Timers {
    /// The first journey of the queue of each of the [`NEAR`] seconds from [`Self::begun`] on.
    near: Box<[Place]>,
    /// None of these seconds has a queue before this one.
    empty_before: u64,
    /// The first journey of each queue that was begun for a later second.
    far: BTreeMap<u64, Place>,
    /// Timers of the seconds that have begun, stale ones among them.
    soon: BinaryHeap<Reverse<(UnixNanos, JourneyId, Slot)>>,
    /// The first second that has not begun.
    begun: u64,
}

impl Default for Timers {
    fn default() -> Self {
        let near = vec![NOWHERE; NEAR as usize].into();
        Self { near, empty_before: 0, far: BTreeMap::new(), soon: BinaryHeap::new(), begun: 0 }
    }
}

/// The lesser of what is there.
pub fn earlier<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

const fn place(second: u64) -> usize {
    (second % NEAR) as usize
}

const fn second(time: UnixNanos) -> u64 {
    time.0 >> SECOND_BITS
}

impl Timers {
    /// Arms a journey's timer. A later deadline waits for the earlier timer to come round.
    pub fn arm(&mut self, lives: &mut Pool<Live>, slot: Slot, deadline: UnixNanos) {
        match lives[slot].state {
            State::Open { armed } if armed <= deadline => return,
            State::Open { .. } => self.disarm(lives, slot),
            _ => {}
        }
        self.queue(lives, slot, deadline);
    }

    fn queue(&mut self, lives: &mut Pool<Live>, slot: Slot, deadline: UnixNanos) {
        let live = &mut lives[slot];
        live.state = State::Open { armed: deadline };
        let second = second(deadline);
        let first = match second.checked_sub(self.begun) {
            None => {
                self.soon.push(Reverse((deadline, live.id, slot)));
                return;
            }
            Some(0..NEAR) => {
                self.empty_before = self.empty_before.min(second);
                &mut self.near[place(second)]
            }
            Some(_) => self.far.entry(second).or_insert(NOWHERE),
        };
        live.queued = Queued { before: NOWHERE, behind: *first };
        if *first != NOWHERE {
            lives[*first].queued.before = slot;
        }
        *first = slot;
    }

    /// Takes the timer of a journey away.
    pub fn disarm(&mut self, lives: &mut Pool<Live>, slot: Slot) {
        let live = &lives[slot];
        let State::Open { armed } = live.state else { return };
        if second(armed) < self.begun {
            return;
        }
        let Queued { before, behind } = live.queued;
        if behind != NOWHERE {
            lives[behind].queued.before = before;
        }
        let near = &mut self.near[place(second(armed))];
        if before != NOWHERE {
            lives[before].queued.behind = behind;
        } else if *near == slot {
            *near = behind;
        } else if behind != NOWHERE {
            self.far.insert(second(armed), behind);
        } else {
            self.far.remove(&second(armed));
        }
    }

    /// No timer comes round before this time; `None` if there is none at all.
    pub fn next(&self) -> Option<UnixNanos> {
        let soon = self.soon.peek().map(|Reverse((at, ..))| *at);
        soon.or_else(|| {
            let near = self.next_near(u64::MAX);
            let far = self.far.first_key_value().map(|(second, _)| *second);
            earlier(near, far).map(|second| UnixNanos(second << SECOND_BITS))
        })
    }

    /// The first second of the ring up to `last` that has a queue.
    fn next_near(&self, last: u64) -> Option<u64> {
        let mut seconds = self.empty_before.max(self.begun)..self.begun + NEAR;
        seconds
            .find(|second| *second > last || self.near[place(*second)] != NOWHERE)
            .filter(|next| *next <= last)
    }

    /// The first timer of the seconds that have begun. Stale ones are dropped on the way.
    pub fn soonest(&mut self, lives: &Pool<Live>) -> Option<(UnixNanos, JourneyId, Slot)> {
        while let Some(Reverse(timer)) = self.soon.peek().copied() {
            let (at, id, slot) = timer;
            // A journey that went may have taken its chunk with it.
            let is_armed = |live: &Live| live.id == id && live.state == (State::Open { armed: at });
            if lives.get(slot).is_some_and(is_armed) {
                return Some(timer);
            }
            self.soon.pop();
        }
        None
    }

    /// Takes the timer that [`Self::soonest`] gave; its journey has none then.
    pub fn pop(&mut self, lives: &mut Pool<Live>) {
        if let Some(Reverse((.., slot))) = self.soon.pop() {
            lives[slot].state = State::New;
        }
    }

    /// Lets the next second begin, if it begins by `now`: its journeys are queued at the time at which they are
    /// due by now.
    pub fn begin_second(
        &mut self,
        now: UnixNanos,
        journeys: &mut Journeys,
        due: impl Fn(&mut Journeys, Slot) -> UnixNanos,
    ) -> bool {
        let now = second(now);
        let near = self.next_near(now);
        let far = self.far.first_key_value().map(|(second, _)| *second).filter(|second| *second <= now);
        let Some(next) = earlier(near, far) else {
            // The ring goes on, too: nothing in it lies before this second.
            self.begun = self.begun.max(now);
            self.empty_before = self.empty_before.max(now);
            return false;
        };
        if self.soon.is_empty() {
            self.soon.shrink_to(SOON_KEPT);
        }
        (self.begun, self.empty_before) = (next + 1, next + 1);
        let near = near.filter(|near| *near == next).map(|_| &mut self.near[place(next)]);
        let near = near.map(|first| std::mem::replace(first, NOWHERE));
        for first in near.into_iter().chain(self.far.remove(&next)) {
            let mut slot = first;
            while slot != NOWHERE {
                let behind = journeys.lives[slot].queued.behind;
                let deadline = due(journeys, slot);
                self.queue(&mut journeys.lives, slot, deadline);
                slot = behind;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
