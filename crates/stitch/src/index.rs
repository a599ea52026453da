//! What each key leads to: a journey that may still take events, a tombstone, or nothing.
//!
//! Nothing here is ever iterated in hash order.

use std::collections::{BTreeSet, VecDeque};

use authstitch_model::{KeyHash, KeyKind, UnixNanos};
use hashbrown::{HashMap, HashSet};

use crate::caps;

/// A place in the slab of journeys.
pub type Slot = usize;

/// What a strong key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    Live(Slot),
    Tombstone { closed: UnixNanos },
    Unknown,
    Poisoned,
}

#[derive(Clone, Copy, Debug)]
struct Binding {
    slot: Slot,
    /// How many journeys and keys of higher precedence this key joined to the first, or would have joined.
    links: usize,
}

#[derive(Clone, Copy, Debug)]
struct Tombstone {
    closed: UnixNanos,
    expires: UnixNanos,
}

/// All keys.
#[derive(Debug, Default)]
pub struct Index {
    strong: HashMap<KeyHash, Binding>,
    shared: HashMap<KeyHash, Vec<Slot>>,
    tombstones: HashMap<KeyHash, Tombstone>,
    expiries: BTreeSet<(UnixNanos, KeyHash)>,
    poisoned: HashSet<KeyHash>,
    poisoned_order: VecDeque<KeyHash>,
}

impl Index {
    /// What a strong key leads to at this time.
    pub fn look_up(&self, key: KeyHash, now: UnixNanos) -> Lookup {
        if let Some(binding) = self.strong.get(&key) {
            return Lookup::Live(binding.slot);
        }
        match self.tombstones.get(&key) {
            Some(tombstone) if tombstone.expires > now => Lookup::Tombstone { closed: tombstone.closed },
            _ if self.poisoned.contains(&key) => Lookup::Poisoned,
            _ => Lookup::Unknown,
        }
    }

    /// Binds a strong key to a journey. A tombstone on it is gone; how often it linked journeys stays known.
    pub fn bind(&mut self, key: KeyHash, slot: Slot) {
        self.remove_tombstone(key);
        self.strong
            .entry(key)
            .and_modify(|binding| binding.slot = slot)
            .or_insert(Binding { slot, links: 0 });
    }

    /// Counts that a key joined, or would have joined, something more to its journey; `true` if it thereby
    /// turns out to be a constant and is poisoned.
    pub fn links(&mut self, key: KeyHash) -> bool {
        let Some(binding) = self.strong.get_mut(&key) else { return false };
        binding.links += 1;
        if binding.links < caps::LINKED_BY_ONE_KEY {
            return false;
        }
        self.strong.remove(&key);
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

    /// Forgets that a strong key leads to this journey; it stays as a tombstone until `tombstone`.
    pub fn unbind(&mut self, key: KeyHash, slot: Slot, closed: UnixNanos, tombstone: Option<UnixNanos>) {
        if self.strong.get(&key).is_none_or(|binding| binding.slot != slot) {
            return;
        }
        self.strong.remove(&key);
        if let Some(expires) = tombstone.filter(|expires| *expires > closed) {
            self.tombstones.insert(key, Tombstone { closed, expires });
            self.expiries.insert((expires, key));
            if self.tombstones.len() > caps::TOMBSTONES
                && let Some((_, oldest)) = self.expiries.first().copied()
            {
                self.remove_tombstone(oldest);
            }
        }
    }

    /// Lets tombstones go whose time is over.
    pub fn expire(&mut self, now: UnixNanos) {
        while let Some((expires, key)) = self.expiries.first().copied()
            && expires <= now
        {
            self.remove_tombstone(key);
        }
    }

    fn remove_tombstone(&mut self, key: KeyHash) {
        if let Some(tombstone) = self.tombstones.remove(&key) {
            self.expiries.remove(&(tombstone.expires, key));
        }
    }

    /// The journeys that share a session, trace or container.
    pub fn sharing(&self, key: KeyHash) -> &[Slot] {
        self.shared.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Lets a journey be found under a session, trace or container; at the bound the one that was shared first
    /// is found there no more.
    pub fn share(&mut self, key: KeyHash, slot: Slot) {
        let slots = self.shared.entry(key).or_default();
        if slots.contains(&slot) {
            return;
        }
        if slots.len() == caps::JOURNEYS_PER_WEAK_KEY {
            slots.remove(0);
        }
        slots.push(slot);
    }

    /// The journey is found there no more.
    pub fn unshare(&mut self, key: KeyHash, slot: Slot) {
        if let Some(slots) = self.shared.get_mut(&key) {
            slots.retain(|known| *known != slot);
            if slots.is_empty() {
                self.shared.remove(&key);
            }
        }
    }

    /// Everything that led to one journey leads to another.
    pub fn moved(&mut self, keys: &[(KeyKind, KeyHash)], weak: &[(KeyKind, KeyHash)], from: Slot, to: Slot) {
        for (kind, key) in keys {
            if *kind == KeyKind::Flow {
                self.unshare(*key, from);
                self.share(*key, to);
            } else if let Some(binding) = self.strong.get_mut(key).filter(|binding| binding.slot == from) {
                binding.slot = to;
            }
        }
        for (_, key) in weak {
            self.unshare(*key, from);
            self.share(*key, to);
        }
    }

    /// One key leads to this journey no more, without a tombstone.
    pub fn release(&mut self, (kind, key): (KeyKind, KeyHash), slot: Slot) {
        if kind.is_strong() {
            self.unbind(key, slot, UnixNanos(0), None);
        } else {
            self.unshare(key, slot);
        }
    }

    /// How many tombstones stand.
    pub fn tombstones(&self) -> usize {
        self.tombstones.len()
    }
}
