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
    /// When each expires. Those that went earlier leave theirs behind, which is then of no one or of another
    /// with the same time.
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
            if self.stones[place].expires == expires {
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
