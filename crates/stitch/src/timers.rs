//! When open journeys are due: by second, and by (time, id) within the seconds that have begun.
//!
//! A journey stands in the queue of the second of its timer; what moves it to a later time leaves it there, and
//! it is queued anew when the second comes. That costs eight bytes a journey, and an event mostly nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use authstitch_model::{JourneyId, UnixNanos};

use crate::index::Slot;
use crate::journeys::Journeys;
use crate::live::{Live, Queued, State};
use crate::pool::{NOWHERE, Place, Pool};

/// A second, so near as a shift gives it: 2^30 nanoseconds.
const SECOND_BITS: u32 = 30;

/// Room for timers that stays between bursts.
const SOON_KEPT: usize = 1024;

/// The timers of open journeys.
#[derive(Debug, Default)]
pub struct Timers {
    /// The first journey of each second's queue. Only seconds that are not in [`Self::soon`].
    seconds: BTreeMap<u64, Place>,
    /// Timers of the seconds that have begun, stale ones among them.
    soon: BinaryHeap<Reverse<(UnixNanos, JourneyId, Slot)>>,
    /// The first second that has not begun.
    begun: u64,
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
        if second(deadline) < self.begun {
            self.soon.push(Reverse((deadline, live.id, slot)));
            return;
        }
        let first = self.seconds.entry(second(deadline)).or_insert(NOWHERE);
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
        if before != NOWHERE {
            lives[before].queued.behind = behind;
        } else if behind != NOWHERE {
            self.seconds.insert(second(armed), behind);
        } else {
            self.seconds.remove(&second(armed));
        }
    }

    /// No timer comes round before this time; `None` if there is none at all.
    pub fn next(&self) -> Option<UnixNanos> {
        let soon = self.soon.peek().map(|Reverse((at, ..))| *at);
        soon.or_else(|| self.seconds.first_key_value().map(|(second, _)| UnixNanos(second << SECOND_BITS)))
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
        let Some(next) = self.seconds.first_entry().filter(|next| *next.key() <= second(now)) else {
            return false;
        };
        if self.soon.is_empty() {
            self.soon.shrink_to(SOON_KEPT);
        }
        self.begun = next.key() + 1;
        let mut slot = next.remove();
        while slot != NOWHERE {
            let behind = journeys.lives[slot].queued.behind;
            let deadline = due(journeys, slot);
            self.queue(&mut journeys.lives, slot, deadline);
            slot = behind;
        }
        true
    }
}

#[cfg(test)]
mod tests;
