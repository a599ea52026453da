//! Values that many share, by small numbers: kept as long as somebody uses them.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::pool::{NOWHERE, Place, Pool};

/// Values, each once. There are never more than users.
#[derive(Debug)]
pub struct Interned<T> {
    values: Pool<Used<T>>,
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
    /// The one asked for last, which is mostly the next one, too.
    last: Place,
}

#[derive(Debug, Default)]
struct Used<T> {
    value: T,
    users: u32,
}

impl<T: Default + Hash + Eq + Clone> Default for Interned<T> {
    fn default() -> Self {
        Self {
            values: Pool::default(),
            places: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            last: NOWHERE,
        }
    }
}

impl<T: Default + Hash + Eq + Clone> Interned<T> {
    /// The place of a value, for one more user.
    pub fn place(&mut self, value: &T) -> Place {
        if self.last == NOWHERE || self.values[self.last].value != *value {
            let hash = self.hasher.hash_one(value);
            let known = self.places.find(hash, |place| self.values[*place].value == *value);
            self.last = known.copied().unwrap_or_else(|| {
                let place = self.values.insert(Used { value: value.clone(), users: 0 });
                let (values, hasher) = (&self.values, &self.hasher);
                self.places.insert_unique(hash, place, |place| hasher.hash_one(&values[*place].value));
                place
            });
        }
        self.values[self.last].users += 1;
        self.last
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
        if self.last == place {
            self.last = NOWHERE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_place_as_long_as_it_is_used() {
        let mut interned = Interned::default();
        let (a, b) = (interned.place(&"a".to_owned()), interned.place(&"b".to_owned()));
        assert_eq!(interned.place(&"a".to_owned()), a);
        assert_ne!(a, b);
        interned.release(a);
        assert_eq!(interned.value(a), "a");
        interned.release(a);
        assert_eq!((interned.values.len(), interned.places.len()), (1, 1));
        assert_eq!(interned.value(b), "b");
    }
}
