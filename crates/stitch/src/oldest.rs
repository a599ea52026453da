//! The oldest open journey, for whoever asks: at the bound of journeys, and when everything closes.
//!
//! No order of all open journeys is kept, as none is needed below the bound. Whoever asks lets all journeys be
//! looked through once, and the oldest of them noted; the next ones to ask are served from these.

use std::collections::{BTreeSet, BinaryHeap};

use authstitch_model::JourneyId;

use crate::index::Slot;
use crate::live::Live;
use crate::pool::Pool;

/// One in so many journeys is noted at once: looking through all of them is then a small part of closing these.
const NOTED_SHARE: usize = 64;

/// At least so many are noted.
const NOTED_LEAST: usize = 64;

/// Open journeys by age: an id begins with its first receipt time.
#[derive(Debug, Default)]
pub struct Oldest {
    /// Every open journey with an id up to [`Self::up_to`].
    noted: BTreeSet<(JourneyId, Slot)>,
    up_to: Option<JourneyId>,
}

impl Oldest {
    /// A journey is open, for the first time or again.
    pub fn opened(&mut self, id: JourneyId, slot: Slot) {
        if Some(id) <= self.up_to {
            self.noted.insert((id, slot));
        }
    }

    /// A journey is open no more.
    pub fn gone(&mut self, id: JourneyId, slot: Slot) {
        if Some(id) <= self.up_to {
            self.noted.remove(&(id, slot));
        }
    }

    /// The oldest open journey.
    pub fn first(&mut self, lives: &Pool<Live>) -> Option<Slot> {
        if self.noted.is_empty() {
            self.look_through(lives);
        }
        self.noted.first().map(|(_, slot)| *slot)
    }

    fn look_through(&mut self, lives: &Pool<Live>) {
        let room = (lives.len() / NOTED_SHARE).max(NOTED_LEAST);
        let mut oldest = BinaryHeap::with_capacity(room + 1);
        for (slot, live) in lives.iter().filter(|(_, live)| live.is_open()) {
            let age = (live.id, slot);
            if oldest.len() < room || oldest.peek().is_some_and(|last| age < *last) {
                oldest.push(age);
                if oldest.len() > room {
                    oldest.pop();
                }
            }
        }
        self.up_to = oldest.peek().map(|(id, _)| *id);
        self.noted = oldest.into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use authstitch_model::{Identity, UnixNanos};
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::live::State;
    use crate::pool::NOWHERE;

    /// What happens to the open journeys.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// One opens, with an id of this age.
        Opens(u16),
        /// One of them closes.
        Closes(usize),
        /// So many are asked for and close, as at the bound.
        Evicts(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => any::<u16>().prop_map(Step::Opens),
            2 => any::<usize>().prop_map(Step::Closes),
            1 => (1..100usize).prop_map(Step::Evicts),
        ]
    }

    proptest! {
        /// More are there than are noted at once, so that several times all are looked through.
        #[test]
        fn the_oldest_is_the_open_one_with_the_least_id(first in vec(any::<u16>(), 100..300), then in vec(step(), 0..200)) {
            let (mut oldest, mut lives) = (Oldest::default(), Pool::<Live>::default());
            let mut open: BTreeSet<(JourneyId, Slot)> = BTreeSet::new();
            let all = first.into_iter().map(Step::Opens).chain(then).chain([Step::Evicts(usize::MAX)]);
            for step in all {
                match step {
                    Step::Opens(age) => {
                        let id = JourneyId::new(UnixNanos(0), Identity(u128::from(age) << 64));
                        let slot = lives.insert(Live::new(id, NOWHERE, UnixNanos(0)));
                        oldest.opened(id, slot);
                        open.insert((id, slot));
                    }
                    Step::Closes(nth) if !open.is_empty() => {
                        let (id, slot) = open.iter().copied().nth(nth % open.len()).unwrap();
                        open.remove(&(id, slot));
                        lives[slot].state = State::Gone;
                        oldest.gone(id, slot);
                    }
                    Step::Closes(_) => {}
                    Step::Evicts(count) => for _ in 0..count {
                        let expected = open.first().copied();
                        prop_assert_eq!(oldest.first(&lives), expected.map(|(_, slot)| slot));
                        let Some((id, slot)) = expected else { break };
                        open.remove(&(id, slot));
                        lives[slot].state = State::Gone;
                        oldest.gone(id, slot);
                    },
                }
            }
        }
    }
}
