//! Closed journeys that still take late events, by (time of closing, id): the first is forgotten first.
//!
//! Journeys close in that order, but for a few that a late timer closes, so each finds its place at the end.

use authstitch_model::{JourneyId, UnixNanos};

use crate::index::Slot;
use crate::live::{Live, Queued, State};
use crate::pool::{NOWHERE, Place, Pool};

/// The queue of closed journeys.
#[derive(Debug)]
pub struct ClosedQueue {
    first: Place,
    last: Place,
    len: usize,
}

impl Default for ClosedQueue {
    fn default() -> Self {
        Self { first: NOWHERE, last: NOWHERE, len: 0 }
    }
}

/// What orders closed journeys.
fn turn(live: &Live) -> (UnixNanos, JourneyId) {
    match live.state {
        State::Closed { at, .. } => (at, live.id),
        _ => (UnixNanos(0), live.id),
    }
}

impl ClosedQueue {
    /// Queues a journey that has just closed.
    pub fn push(&mut self, lives: &mut Pool<Live>, slot: Slot) {
        let (mut before, mut behind) = (self.last, NOWHERE);
        while before != NOWHERE && turn(&lives[before]) > turn(&lives[slot]) {
            behind = before;
            before = lives[before].queued.before;
        }
        lives[slot].queued = Queued { before, behind };
        *self.place_behind(lives, before) = slot;
        *self.place_before(lives, behind) = slot;
        self.len += 1;
    }

    /// Takes a journey out of the queue.
    pub fn remove(&mut self, lives: &mut Pool<Live>, slot: Slot) {
        let Queued { before, behind } = lives[slot].queued;
        *self.place_behind(lives, before) = behind;
        *self.place_before(lives, behind) = before;
        self.len -= 1;
    }

    fn place_behind<'a>(&'a mut self, lives: &'a mut Pool<Live>, before: Place) -> &'a mut Place {
        if before == NOWHERE { &mut self.first } else { &mut lives[before].queued.behind }
    }

    fn place_before<'a>(&'a mut self, lives: &'a mut Pool<Live>, behind: Place) -> &'a mut Place {
        if behind == NOWHERE { &mut self.last } else { &mut lives[behind].queued.before }
    }

    /// The one that closed first: when, its id, its slot.
    pub fn first(&self, lives: &Pool<Live>) -> Option<(UnixNanos, JourneyId, Slot)> {
        (self.first != NOWHERE).then(|| {
            let (at, id) = turn(&lives[self.first]);
            (at, id, self.first)
        })
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use authstitch_model::{CloseReason, Identity};

    use super::*;

    /// Journeys that closed at these times, in the order in which they are queued.
    fn closed(times: &[u64]) -> (ClosedQueue, Pool<Live>) {
        let (mut queue, mut lives) = (ClosedQueue::default(), Pool::default());
        for (nth, at) in times.iter().enumerate() {
            // The ids run against the slots.
            let id = JourneyId::new(UnixNanos(0), Identity(u128::MAX - ((nth as u128) << 48)));
            let slot = lives.insert(Live::new(id, NOWHERE, UnixNanos(0)));
            lives[slot].state = State::Closed { at: UnixNanos(*at), reason: CloseReason::Idle };
            queue.push(&mut lives, slot);
        }
        (queue, lives)
    }

    /// Takes out the first until none is left.
    fn drain(queue: &mut ClosedQueue, lives: &mut Pool<Live>) -> Vec<(u64, Slot)> {
        std::iter::from_fn(|| {
            let (at, _, slot) = queue.first(lives)?;
            queue.remove(lives, slot);
            Some((at.0, slot))
        })
        .collect()
    }

    #[test]
    fn the_first_is_the_one_that_closed_first_then_by_id() {
        let (mut queue, mut lives) = closed(&[5, 3, 9, 5, 1]);
        assert_eq!(queue.len(), 5);
        assert_eq!(drain(&mut queue, &mut lives), [(1, 4), (3, 1), (5, 3), (5, 0), (9, 2)]);
        assert_eq!((queue.len(), queue.first(&lives)), (0, None));
    }

    #[test]
    fn any_can_be_taken_out() {
        for gone in 0..4 {
            let (mut queue, mut lives) = closed(&[1, 2, 3, 4]);
            queue.remove(&mut lives, gone);
            let left: Vec<Slot> = drain(&mut queue, &mut lives).into_iter().map(|(_, slot)| slot).collect();
            assert_eq!(left, (0..4).filter(|slot| *slot != gone).collect::<Vec<_>>());
        }
    }
}
