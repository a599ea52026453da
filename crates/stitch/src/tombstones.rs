//! Keys remembered after their journey, each until its own time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use authstitch_model::{KeyHash, UnixNanos};

use crate::caps;
use crate::pool::{Place, Pool};

/// A key that led to a journey.
#[derive(Clone, Copy, Debug)]
pub struct Tombstone {
    key: [u8; 16],
    pub closed: UnixNanos,
    pub expires: UnixNanos,
}

impl Default for Tombstone {
    fn default() -> Self {
        Self { key: [0; 16], closed: UnixNanos(0), expires: UnixNanos(0) }
    }
}

impl Tombstone {
    pub const fn key(&self) -> KeyHash {
        KeyHash::new(u128::from_ne_bytes(self.key))
    }
}

/// All tombstones.
#[derive(Debug, Default)]
pub struct Tombstones {
    stones: Pool<Tombstone>,
    /// When each expires, and the first half of its key, so that at the bound the keys of one time go in an order
    /// that their places do not decide. Those that went earlier leave theirs behind, which is then of no one, of
    /// another, or leads to a chunk that was given back.
    expiries: BinaryHeap<Reverse<(UnixNanos, u64, Place)>>,
}

impl Tombstones {
    /// Remembers a key.
    pub fn add(&mut self, key: KeyHash, closed: UnixNanos, expires: UnixNanos) -> Place {
        let place = self.stones.insert(Tombstone { key: key.get().to_ne_bytes(), closed, expires });
        self.expiries.push(Reverse((expires, half(key), place)));
        place
    }

    pub fn get(&self, place: Place) -> &Tombstone {
        &self.stones[place]
    }

    /// Forgets a key.
    pub fn remove(&mut self, place: Place) -> KeyHash {
        self.stones.remove(place).key()
    }

    /// The place of the one to be forgotten next, if its time is over or there are too many.
    pub fn next_to_go(&mut self, now: UnixNanos) -> Option<Place> {
        while let Some(Reverse((expires, half_key, place))) = self.expiries.peek().copied() {
            let stands = |stone: &Tombstone| stone.expires == expires && half(stone.key()) == half_key;
            if self.stones.get(place).is_some_and(stands) {
                return (expires <= now || self.len() > caps::TOMBSTONES).then_some(place);
            }
            self.expiries.pop();
        }
        None
    }

    /// All of them by (expiry, key), as they go.
    pub fn sorted(&self) -> Vec<Tombstone> {
        let stand = self.stones.iter().map(|(_, stone)| *stone).filter(|stone| stone.expires > stone.closed);
        let mut sorted: Vec<_> = stand.collect();
        sorted.sort_unstable_by_key(|stone| (stone.expires, stone.key()));
        sorted
    }

    /// The places of all with their keys.
    pub fn standing(&self) -> Vec<(Place, KeyHash)> {
        let stand = self.stones.iter().filter(|(_, stone)| stone.expires > stone.closed);
        stand.map(|(place, stone)| (place, stone.key())).collect()
    }

    /// How many stand.
    pub const fn len(&self) -> usize {
        self.stones.len()
    }
}

const fn half(key: KeyHash) -> u64 {
    (key.get() >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use authstitch_model::Millis;
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use proptest::sample::Index;

    use super::*;

    fn at(seconds: u64) -> UnixNanos {
        UnixNanos(0).plus(Millis::from_secs(seconds))
    }

    /// What goes by `now`, in its order.
    fn gone(stones: &mut Tombstones, now: UnixNanos) -> Vec<KeyHash> {
        std::iter::from_fn(|| stones.next_to_go(now).map(|place| stones.remove(place))).collect()
    }

    #[test]
    fn each_stands_until_its_own_time() {
        let mut stones = Tombstones::default();
        for (key, expires) in [(1, 30), (2, 10), (3, 20)] {
            stones.add(KeyHash::new(key), at(5), at(expires));
        }
        assert_eq!(gone(&mut stones, at(9)), []);
        assert_eq!(gone(&mut stones, at(20)), [KeyHash::new(2), KeyHash::new(3)]);
        assert_eq!(stones.len(), 1);
        assert_eq!(gone(&mut stones, at(30)), [KeyHash::new(1)]);
    }

    #[test]
    fn one_that_went_earlier_takes_none_with_it_that_came_to_its_place() {
        let mut stones = Tombstones::default();
        let place = stones.add(KeyHash::new(1), at(5), at(10));
        assert_eq!(stones.remove(place), KeyHash::new(1));
        assert_eq!(stones.add(KeyHash::new(2), at(6), at(30)), place);
        assert_eq!(gone(&mut stones, at(29)), []);
        let stone = stones.get(place);
        assert_eq!((stone.key(), stone.closed, stone.expires), (KeyHash::new(2), at(6), at(30)));
        assert_eq!(gone(&mut stones, at(30)), [KeyHash::new(2)]);
    }

    #[test]
    fn over_the_bound_the_first_to_expire_goes_before_its_time() {
        let mut stones = Tombstones::default();
        for key in 0..=caps::TOMBSTONES {
            stones.add(KeyHash::new(key as u128), at(0), at(2 * caps::TOMBSTONES as u64 - key as u64));
        }
        assert_eq!(gone(&mut stones, at(0)), [KeyHash::new(caps::TOMBSTONES as u128)]);
        assert_eq!(stones.len(), caps::TOMBSTONES);
    }

    #[test]
    fn over_the_bound_of_one_time_the_least_key_goes_wherever_it_lies() {
        let mut stones = Tombstones::default();
        let key = |nth: usize| KeyHash::new((nth as u128) << 64);
        for nth in (0..=caps::TOMBSTONES).rev() {
            stones.add(key(nth), at(0), at(1));
        }
        assert_eq!(gone(&mut stones, at(0)), [key(0)]);
    }

    proptest! {
        /// Those of one time, too, wherever those that went before left room.
        #[test]
        fn they_go_in_the_order_in_which_they_are_sorted(
            all in vec((any::<u8>(), 1..5u64), 1..600),
            went in vec(any::<Index>(), 0..300),
        ) {
            let mut stones = Tombstones::default();
            for again in 0..2 {
                let mut places = Vec::new();
                for (nth, (first, expires)) in all.iter().enumerate() {
                    let key = u128::from(*first) << 120 | ((nth as u128) << 1 | again) << 64;
                    places.push(stones.add(KeyHash::new(key), at(0), at(*expires)));
                }
                let went: BTreeSet<_> = went.iter().map(|index| *index.get(&places)).collect();
                for place in went {
                    stones.remove(place);
                }
            }
            let sorted: Vec<_> = stones.sorted().iter().map(Tombstone::key).collect();
            prop_assert_eq!(gone(&mut stones, at(5)), sorted);
        }
    }

    #[test]
    fn a_chunk_that_was_given_back_is_no_trouble() {
        let mut stones = Tombstones::default();
        let places: Vec<_> = (0..2000u64)
            .map(|n| stones.add(KeyHash::new(n.into()), UnixNanos(0), UnixNanos(n + 1)))
            .collect();
        for place in &places[..1000] {
            stones.remove(*place);
        }
        let next = stones.next_to_go(UnixNanos(5000)).map(|place| stones.get(place).key());
        assert_eq!(next, Some(KeyHash::new(1000)));
    }
}
