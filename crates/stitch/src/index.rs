//! What each key leads to: journeys that may still take events, a tombstone, or nothing.
//!
//! A journey holds its keys itself; the index knows only from which fingerprint to which journey or tombstone,
//! and asks there whether it is the right one.

use std::collections::VecDeque;

use authstitch_model::{Forget, KeyHash, KeyKind, UnixNanos};
use hashbrown::HashSet;

use crate::caps;
use crate::fingerprints::Fingerprints;
use crate::journeys::Journeys;
use crate::keys::{Key, Kind, Tie};
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
pub const STONE: Place = 1 << 31;

/// All keys.
#[derive(Debug, Default)]
pub struct Index {
    pub places: Fingerprints,
    pub tombstones: Tombstones,
    poisoned: HashSet<KeyHash>,
    poisoned_order: VecDeque<KeyHash>,
}

impl Index {
    /// What a strong key leads to at this time.
    pub fn look_up(&self, journeys: &Journeys, key: KeyHash, now: UnixNanos) -> Lookup {
        for place in self.places.find(key.get()) {
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

    /// The journey to which a key leads, unless another one has its fingerprint.
    pub fn likely(&self, key: KeyHash) -> Option<Slot> {
        self.places.find(key.get()).find(|place| place & STONE == 0)
    }

    /// Lets the strong key with this number of a journey lead to it. A tombstone on it is gone.
    pub fn bind(&mut self, journeys: &mut Journeys, slot: Slot, number: u16) {
        let key = self.lead(journeys, slot, number, 0);
        let stone = self
            .places
            .find(key.get())
            .find(|place| place & STONE != 0 && self.tombstones.get(place & !STONE).key() == key);
        if let Some(stone) = stone {
            self.remove_tombstone(stone & !STONE);
        }
    }

    fn lead(&mut self, journeys: &mut Journeys, slot: Slot, number: u16, links: u8) -> KeyHash {
        let key = journeys.set_tie(slot, number, Tie::Leads { links });
        self.places.insert(key.get(), slot);
        key
    }

    /// Counts that a key joined, or would have joined, something more to its journey; `true` if it thereby
    /// turns out to be a constant and is poisoned.
    pub fn links(&mut self, journeys: &mut Journeys, key: KeyHash) -> bool {
        let mut slots = self.places.find(key.get()).filter(|place| place & STONE == 0);
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
        self.places.remove(key.get(), slot);
        self.poison(key);
        true
    }

    /// Remembers that a key is none; at the bound the one that was found out first is a key again.
    pub fn poison(&mut self, key: KeyHash) {
        if self.poisoned.insert(key) {
            self.poisoned_order.push_back(key);
        }
        if self.poisoned_order.len() > caps::POISONED
            && let Some(oldest) = self.poisoned_order.pop_front()
        {
            self.poisoned.remove(&oldest);
        }
    }

    /// The keys that are none, in the order in which they were found out.
    pub const fn poisoned(&self) -> &VecDeque<KeyHash> {
        &self.poisoned_order
    }

    /// A key of a journey that is no more leads to it no more; a strong one stays as a tombstone until `until`.
    pub fn release(&mut self, key: &Key, slot: Slot, closed: UnixNanos, until: Option<UnixNanos>) {
        if !key.leads() {
            return;
        }
        let hash = key.hash();
        self.places.remove(hash.get(), slot);
        if let Some(expires) = until.filter(|expires| *expires > closed) {
            let stone = self.tombstones.add(hash, closed, expires);
            self.places.insert(hash.get(), stone | STONE);
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

    /// Forgets the tombstones of these keys, and the keys found out to be none that were named.
    pub fn erase(&mut self, forget: &Forget) {
        for (stone, key) in self.tombstones.standing() {
            if forget.takes_key(key) {
                self.remove_tombstone(stone);
            }
        }
        self.poisoned.retain(|key| !forget.named.contains(key));
        self.poisoned_order.retain(|key| !forget.named.contains(key));
    }

    fn remove_tombstone(&mut self, stone: Place) {
        let key = self.tombstones.remove(stone);
        self.places.remove(key.get(), stone | STONE);
    }

    /// The journeys that share a session, trace or container, in the order in which they came to it.
    pub fn sharing<'a>(&'a self, journeys: &'a Journeys, key: KeyHash) -> impl Iterator<Item = Slot> {
        let journeys_there = self.places.find(key.get()).filter(|place| place & STONE == 0);
        journeys_there.filter(move |slot| journeys.leading(*slot, key).is_some())
    }

    /// The same without one of them.
    pub fn sharing_beside<'a>(
        &'a self,
        journeys: &'a Journeys,
        key: KeyHash,
        slot: Slot,
    ) -> impl Iterator<Item = Slot> {
        let others = self.places.find(key.get()).filter(move |place| place & STONE == 0 && *place != slot);
        others.filter(move |other| journeys.leading(*other, key).is_some())
    }

    /// Lets a journey be found under its session, trace or container with this number; at the bound the one that
    /// was shared first is found there no more.
    pub fn share(&mut self, journeys: &mut Journeys, slot: Slot, number: u16) {
        let key = *journeys.key_mut(slot, number);
        let hash = key.hash();
        let there = self.places.insert(hash.get(), slot);
        if there > 0 && key.kind == Kind::Key(KeyKind::Trace) {
            for sharing in self.places.find(hash.get()).filter(|place| place & STONE == 0) {
                journeys.lives[sharing].traces_shared = true;
            }
        } else if there > 0 {
            // Whoever has its session or container may be its neighbour.
            journeys.lives[slot].alone = false;
        }
        if there >= caps::JOURNEYS_PER_WEAK_KEY {
            self.make_room(journeys, key, hash);
        }
        journeys.set_tie(slot, number, Tie::Leads { links: 0 });
    }

    fn make_room(&mut self, journeys: &mut Journeys, key: Key, hash: KeyHash) {
        let sharing: Vec<Slot> = self.sharing(journeys, hash).collect();
        if let ([first, ..], Some(kind)) = (&sharing[..], key.noted())
            && sharing.len() == caps::JOURNEYS_PER_WEAK_KEY
            && let Some(number) = journeys.number(*first, kind, hash)
        {
            journeys.set_tie(*first, number, Tie::Noted);
            self.places.remove(hash.get(), *first);
        }
    }

    /// A key that is noted with a journey under this number leads there as it led to one that is no more.
    pub fn moved(&mut self, journeys: &mut Journeys, key: &Key, kind: KeyKind, to: Slot, number: u16) {
        if kind.is_strong() {
            if let Tie::Leads { links } = key.tie {
                self.lead(journeys, to, number, links);
            }
        } else if !journeys.key_mut(to, number).leads() {
            self.share(journeys, to, number);
        }
    }

    /// How many tombstones stand.
    pub const fn tombstones(&self) -> usize {
        self.tombstones.len()
    }
}
