//! What each key leads to: journeys that may still take events, a tombstone, or nothing.
//!
//! A journey holds its keys itself; the index knows only from which fingerprint to which journey or tombstone,
//! and asks there whether it is the right one.

use std::collections::VecDeque;

use authstitch_model::{KeyHash, KeyKind, UnixNanos};
use hashbrown::HashSet;

use crate::caps;
use crate::fingerprints::Fingerprints;
use crate::journeys::Journeys;
use crate::keys::{Key, Tie};
use crate::pool::Place;
use crate::tombstones::Tombstones;

/// A place among the journeys.
pub type Slot = Place;

/// What a strong key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    Live(Slot),
    Tombstone { closed: UnixNanos },
    Unknown,
    Poisoned,
}

/// Marks the place of a tombstone; there are fewer journeys and tombstones than this.
const STONE: Place = 1 << 31;

/// All keys.
#[derive(Debug, Default)]
pub struct Index {
    places: Fingerprints,
    tombstones: Tombstones,
    poisoned: HashSet<KeyHash>,
    poisoned_order: VecDeque<KeyHash>,
}

impl Index {
    /// What a strong key leads to at this time.
    pub fn look_up(&self, journeys: &Journeys, key: KeyHash, now: UnixNanos) -> Lookup {
        for place in self.places.find(key.0) {
            if place & STONE == 0 {
                if journeys.leading(place, key).is_some() {
                    return Lookup::Live(place);
                }
                continue;
            }
            let tombstone = self.tombstones.get(place & !STONE);
            if tombstone.key() == key && tombstone.expires > now {
                return Lookup::Tombstone { closed: tombstone.closed };
            }
        }
        if self.poisoned.contains(&key) { Lookup::Poisoned } else { Lookup::Unknown }
    }

    /// Lets a strong key that a journey has lead to it. A tombstone on it is gone.
    pub fn bind(&mut self, journeys: &mut Journeys, slot: Slot, kind: KeyKind, key: KeyHash) {
        let stone = self
            .places
            .find(key.0)
            .find(|place| place & STONE != 0 && self.tombstones.get(place & !STONE).key() == key);
        if let Some(stone) = stone {
            self.remove_tombstone(stone & !STONE);
        }
        self.lead(journeys, slot, kind, key, 0);
    }

    fn lead(&mut self, journeys: &mut Journeys, slot: Slot, kind: KeyKind, key: KeyHash, links: u8) {
        journeys.set_tie(slot, kind, key, Tie::Leads { links });
        self.places.insert(key.0, slot);
    }

    /// Counts that a key joined, or would have joined, something more to its journey; `true` if it thereby
    /// turns out to be a constant and is poisoned.
    pub fn links(&mut self, journeys: &mut Journeys, key: KeyHash) -> bool {
        let mut slots = self.places.find(key.0).filter(|place| place & STONE == 0);
        let leading = slots.find_map(|slot| Some((slot, journeys.leading(slot, key)?)));
        drop(slots);
        let Some((slot, number)) = leading else { return false };
        let tie = &mut journeys.key_mut(slot, number).tie;
        if let Tie::Leads { links } = tie {
            *links += 1;
            if usize::from(*links) < caps::LINKED_BY_ONE_KEY {
                return false;
            }
        }
        *tie = Tie::Noted;
        self.places.remove(key.0, slot);
        if self.poisoned.insert(key) {
            self.poisoned_order.push_back(key);
        }
        if self.poisoned_order.len() > caps::POISONED
            && let Some(oldest) = self.poisoned_order.pop_front()
        {
            self.poisoned.remove(&oldest);
        }
        true
    }

    /// A key of a journey that is no more leads to it no more; a strong one stays as a tombstone until `until`.
    pub fn release(&mut self, key: &Key, slot: Slot, closed: UnixNanos, until: Option<UnixNanos>) {
        if !key.leads() {
            return;
        }
        let hash = key.hash();
        self.places.remove(hash.0, slot);
        if let Some(expires) = until.filter(|expires| *expires > closed) {
            let stone = self.tombstones.add(hash, closed, expires);
            self.places.insert(hash.0, stone | STONE);
            // At the bound the one that would go first makes room.
            self.expire(UnixNanos(0));
        }
    }

    /// Lets tombstones go whose time is over.
    pub fn expire(&mut self, now: UnixNanos) {
        while let Some(stone) = self.tombstones.next_to_go(now) {
            self.remove_tombstone(stone);
        }
    }

    fn remove_tombstone(&mut self, stone: Place) {
        let key = self.tombstones.remove(stone);
        self.places.remove(key.0, stone | STONE);
    }

    /// The journeys that share a session, trace or container, in the order in which they came to it.
    pub fn sharing<'a>(&'a self, journeys: &'a Journeys, key: KeyHash) -> impl Iterator<Item = Slot> {
        let journeys_there = self.places.find(key.0).filter(|place| place & STONE == 0);
        journeys_there.filter(move |slot| journeys.leading(*slot, key).is_some())
    }

    /// The same without one of them.
    pub fn sharing_beside<'a>(
        &'a self,
        journeys: &'a Journeys,
        key: KeyHash,
        slot: Slot,
    ) -> impl Iterator<Item = Slot> {
        let others = self.places.find(key.0).filter(move |place| place & STONE == 0 && *place != slot);
        others.filter(move |other| journeys.leading(*other, key).is_some())
    }

    /// Lets a journey be found under a session, trace or container of its own; at the bound the one that was
    /// shared first is found there no more.
    pub fn share(&mut self, journeys: &mut Journeys, slot: Slot, kind: KeyKind, key: KeyHash) {
        if matches!(journeys.tie(slot, kind, key), Tie::Leads { .. }) {
            return;
        }
        if self.places.find(key.0).nth(caps::JOURNEYS_PER_WEAK_KEY - 1).is_some() {
            let sharing: Vec<Slot> = self.sharing(journeys, key).collect();
            if let [first, ..] = sharing[..]
                && sharing.len() == caps::JOURNEYS_PER_WEAK_KEY
            {
                journeys.set_tie(first, kind, key, Tie::Noted);
                self.places.remove(key.0, first);
            }
        }
        self.lead(journeys, slot, kind, key, 0);
    }

    /// A key that led to a journey leads to the one that took its place, and has it noted there.
    pub fn moved(&mut self, journeys: &mut Journeys, key: &Key, kind: KeyKind, to: Slot) {
        match key.tie {
            Tie::Leads { links } if kind.is_strong() => self.lead(journeys, to, kind, key.hash(), links),
            _ if kind.is_strong() => {}
            _ => self.share(journeys, to, kind, key.hash()),
        }
    }

    /// How many tombstones stand.
    pub const fn tombstones(&self) -> usize {
        self.tombstones.len()
    }
}
