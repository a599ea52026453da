//! Closed journeys that still take late events, by (time of closing, id): the first is forgotten first.
//!
//! Journeys close in that order, each behind the last, but for those that an event made which had waited for longer than
//! their grace: they closed before they were there. These stand in a tree of their own.

use std::collections::BTreeSet;

use authstitch_model::{JourneyId, UnixNanos};

use crate::index::Slot;
use crate::live::{Live, Queued, State};
use crate::pool::{NOWHERE, Place, Pool};

/// When a journey closed, its id and its slot.
type Turn = (UnixNanos, JourneyId, Slot);

/// The queue of closed journeys.
#[derive(Debug)]
pub struct ClosedQueue {
    first: Place,
    last: Place,
    len: usize,
    /// Those that closed before the last of the queue when they came.
    late: BTreeSet<Turn>,
}

impl Default for ClosedQueue {
    fn default() -> Self {
        Self { first: NOWHERE, last: NOWHERE, len: 0, late: BTreeSet::new() }
    }
}

/// What orders closed journeys.
fn turn(lives: &Pool<Live>, slot: Slot) -> Turn {
    let live = &lives[slot];
    match live.state {
        State::Closed { at, .. } => (at, live.id, slot),
        _ => (UnixNanos(0), live.id, slot),
    }
}

impl ClosedQueue {
    /// Queues a journey that has just closed.
    pub fn push(&mut self, lives: &mut Pool<Live>, slot: Slot) {
        self.len += 1;
        let own = turn(lives, slot);
        if self.last != NOWHERE && own < turn(lives, self.last) {
            self.late.insert(own);
            return;
        }
        lives[slot].queued = Queued { before: self.last, behind: NOWHERE };
        let last = self.last;
        *self.place_behind(lives, last) = slot;
        self.last = slot;
    }

    /// Takes a journey out of the queue.
    pub fn remove(&mut self, lives: &mut Pool<Live>, slot: Slot) {
        self.len -= 1;
        if !self.late.is_empty() && self.late.remove(&turn(lives, slot)) {
            return;
        }
        let Queued { before, behind } = lives[slot].queued;
        *self.place_behind(lives, before) = behind;
        *self.place_before(lives, behind) = before;
    }

    fn place_behind<'a>(&'a mut self, lives: &'a mut Pool<Live>, before: Place) -> &'a mut Place {
        if before == NOWHERE { &mut self.first } else { &mut lives[before].queued.behind }
    }

    fn place_before<'a>(&'a mut self, lives: &'a mut Pool<Live>, behind: Place) -> &'a mut Place {
        if behind == NOWHERE { &mut self.last } else { &mut lives[behind].queued.before }
    }

    /// The one that closed first: when, its id, its slot.
    pub fn first(&self, lives: &Pool<Live>) -> Option<Turn> {
        let queued = (self.first != NOWHERE).then(|| turn(lives, self.first));
        let late = self.late.first().copied();
        match (queued, late) {
            (Some(queued), Some(late)) => Some(queued.min(late)),
            (queued, late) => queued.or(late),
        }
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
            for times in [[1, 2, 3, 4], [4, 3, 2, 1], [1, 4, 2, 3]] {
                let (mut queue, mut lives) = closed(&times);
                queue.remove(&mut lives, gone);
                let left: Vec<u64> = drain(&mut queue, &mut lives).into_iter().map(|(at, _)| at).collect();
                let expected = (1..=4).filter(|at| *at != times[gone as usize]).collect::<Vec<_>>();
                assert_eq!(left, expected, "{times:?} without {gone}");
            }
        }
    }

    #[test]
    fn those_that_closed_before_the_last_stand_in_a_tree() {
        let times: Vec<u64> = (0..1000).chain((0..1000).rev()).collect();
        let (mut queue, mut lives) = closed(&times);
        assert_eq!(queue.late.len(), 1000, "no push walks along the queue");
        let mut sorted = times;
        sorted.sort_unstable();
        let left: Vec<u64> = drain(&mut queue, &mut lives).into_iter().map(|(at, _)| at).collect();
        assert_eq!(left, sorted);
        assert!(queue.late.is_empty());
    }
}
