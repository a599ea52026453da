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
        KeyHash(u128::from_ne_bytes(self.key))
    }
}

/// All tombstones.
#[derive(Debug, Default)]
pub struct Tombstones {
    stones: Pool<Tombstone>,
    /// When each expires. Those that went earlier leave theirs behind, which is then of no one, of another with
    /// the same time, or leads to a chunk that was given back.
    expiries: BinaryHeap<Reverse<(UnixNanos, Place)>>,
}

impl Tombstones {
    /// Remembers a key.
    pub fn add(&mut self, key: KeyHash, closed: UnixNanos, expires: UnixNanos) -> Place {
        let place = self.stones.insert(Tombstone { key: key.0.to_ne_bytes(), closed, expires });
        self.expiries.push(Reverse((expires, place)));
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
        while let Some(Reverse((expires, place))) = self.expiries.peek().copied() {
            if self.stones.get(place).is_some_and(|stone| stone.expires == expires) {
                return (expires <= now || self.len() > caps::TOMBSTONES).then_some(place);
            }
            self.expiries.pop();
        }
        None
    }

    /// How many stand.
    pub const fn len(&self) -> usize {
        self.stones.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_go_by_their_times_whatever_went_before() {
        let mut stones = Tombstones::default();
        let places: Vec<_> =
            (0..1000u64).map(|n| stones.add(KeyHash(n.into()), UnixNanos(0), UnixNanos(1000 - n))).collect();
        // All but every hundredth go early, and with them whole chunks.
        for (n, place) in places.iter().enumerate().filter(|(n, _)| n % 100 != 0) {
            assert_eq!(stones.remove(*place), KeyHash(n as u128));
        }
        let mut gone = Vec::new();
        for now in 0..=1000 {
            while let Some(place) = stones.next_to_go(UnixNanos(now)) {
                gone.push((now, stones.remove(place).0));
            }
        }
        let expected: Vec<_> = (0..10).rev().map(|n| (1000 - n * 100, u128::from(n * 100))).collect();
        assert_eq!(gone, expected);
        assert_eq!(stones.len(), 0);
    }

    #[test]
    fn a_chunk_that_was_given_back_is_no_trouble() {
        let mut stones = Tombstones::default();
        let places: Vec<_> =
            (0..2000u64).map(|n| stones.add(KeyHash(n.into()), UnixNanos(0), UnixNanos(n + 1))).collect();
        for place in &places[..1000] {
            stones.remove(*place);
        }
        let next = stones.next_to_go(UnixNanos(5000)).map(|place| stones.get(place).key());
        assert_eq!(next, Some(KeyHash(1000)));
    }
}
