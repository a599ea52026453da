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
