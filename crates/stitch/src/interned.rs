//! Values that many share, by small numbers: kept as long as somebody uses them.
//!
//! A value that lies where one lay that is kept still is the same; only others are read and compared. A receiver
//! that hands out one environment for all records of an emitter makes that the usual way.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use authstitch_model::{Environment, Realm};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::pool::{NOWHERE, Place, Pool};

/// Values that were asked for last, by where they lie.
const RECENT: usize = 256;

/// A value that is shared, so that it can be told by where it lies.
pub trait Shared: Clone + Default + Hash + Eq {
    /// Where it lies: no two that are kept lie at one address.
    fn address(&self) -> usize;
}

impl Shared for Arc<Environment> {
    fn address(&self) -> usize {
        Self::as_ptr(self).addr()
    }
}

impl Shared for Realm {
    fn address(&self) -> usize {
        self.as_str().as_ptr().addr()
    }
}

/// Values, each once. There are never more than users.
#[derive(Debug)]
pub struct Interned<T> {
    values: Pool<Used<T>>,
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
    /// Each at a place that its address decides.
    recent: Vec<Place>,
}

#[derive(Debug, Default)]
struct Used<T> {
    value: T,
    users: u32,
}

impl<T: Shared> Default for Interned<T> {
    fn default() -> Self {
        Self {
            values: Pool::default(),
            places: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            recent: vec![NOWHERE; RECENT],
        }
    }
}

impl<T: Shared> Interned<T> {
    /// The place of a value, for one more user.
    pub fn place(&mut self, value: &T) -> Place {
        let address = value.address();
        // Allocations lie sixteen bytes apart at least.
        let recent = (address >> 4 ^ address >> 12) % RECENT;
        let mut place = self.recent[recent];
        let is_there = |used: &Used<T>| used.users > 0 && used.value.address() == address;
        if place == NOWHERE || !is_there(&self.values[place]) {
            place = self.place_by_content(value);
            self.recent[recent] = place;
            // The next user has likely the one that lies here: those of one request share theirs.
            self.values[place].value = value.clone();
        }
        self.values[place].users += 1;
        place
    }

    fn place_by_content(&mut self, value: &T) -> Place {
        let hash = self.hasher.hash_one(value);
        let known = self.places.find(hash, |place| self.values[*place].value == *value);
        known.copied().unwrap_or_else(|| {
            let place = self.values.insert(Used { value: value.clone(), users: 0 });
            let (values, hasher) = (&self.values, &self.hasher);
            self.places.insert_unique(hash, place, |place| hasher.hash_one(&values[*place].value));
            place
        })
    }

    /// Values that have so many users already, each at the place of its number; `None` if two are the same.
    pub fn of(all: impl Iterator<Item = (T, u32)>) -> Option<Self> {
        let mut interned = Self::default();
        for (value, users) in all {
            let place = interned.place_by_content(&value);
            let used = &mut interned.values[place];
            if used.users > 0 {
                return None;
            }
            used.users = users;
        }
        Some(interned)
    }

    /// The value at a place.
    pub fn value(&self, place: Place) -> &T {
        &self.values[place].value
    }

    /// A user needs the value no more.
    pub fn release(&mut self, place: Place) {
        let used = &mut self.values[place];
        used.users -= 1;
        if used.users > 0 {
            return;
        }
        let hash = self.hasher.hash_one(&used.value);
        if let Ok(known) = self.places.find_entry(hash, |known| *known == place) {
            known.remove();
        }
        self.values.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_place_as_long_as_it_is_used() {
        let realm = Realm::bounded;
        let mut interned = Interned::default();
        let (a, b) = (interned.place(&realm("a")), interned.place(&realm("b")));
        assert_eq!(interned.place(&realm("a")), a, "by content");
        let kept = interned.value(a).clone();
        assert_eq!(interned.place(&kept), a, "by where it lies");
        let newest = realm("a");
        interned.place(&newest);
        assert_eq!(interned.value(a).address(), newest.address(), "the one that came last is kept");
        interned.release(a);
        assert_ne!(a, b);
        (0..3).for_each(|_| interned.release(a));
        assert_eq!((interned.values.len(), interned.places.len()), (1, 1));
        assert_eq!(interned.value(b).as_str(), "b");
        let anew = interned.place(&kept);
        assert_eq!(interned.value(anew).as_str(), "a");
    }
}
