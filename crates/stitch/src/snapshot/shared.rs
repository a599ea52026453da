//! What journeys share, by numbers in the order of first use, so that no place of a table decides a byte.

use serde::de::DeserializeOwned;

use crate::interned::{Interned, Shared};
use crate::pool::{NOWHERE, Place};
use crate::snapshot::bytes::{Read, Reader};

/// Numbers being given to places.
#[derive(Default)]
pub struct Numbers {
    /// The number of each place, if it has one.
    of: Vec<u32>,
    /// The places that have numbers, in their order.
    pub places: Vec<Place>,
}

impl Numbers {
    /// The number of a place: a new one if it has none.
    pub fn of(&mut self, place: Place) -> u32 {
        let at = place as usize;
        if self.of.len() <= at {
            self.of.resize(at + 1, NOWHERE);
        }
        if self.of[at] == NOWHERE {
            self.of[at] = self.places.len() as u32;
            self.places.push(place);
        }
        self.of[at]
    }

    /// The number that a place has.
    pub fn known(&self, place: Place) -> u32 {
        self.of[place as usize]
    }
}

/// How many users each number has, of those that were read.
#[derive(Default)]
pub struct Users(Vec<u32>);

impl Users {
    /// One more user of a number; `false` if it is greater than the next new one.
    pub fn add(&mut self, number: u32) -> bool {
        let at = number as usize;
        if at == self.0.len() {
            self.0.push(0);
        }
        self.0.get_mut(at).map(|users| *users += 1).is_some()
    }

    /// Reads the values of all numbers, each at the place of its number.
    pub fn read<S: DeserializeOwned, T: Shared>(
        self,
        bytes: &mut Reader<'_>,
        shared: impl Fn(S) -> T,
    ) -> Read<Interned<T>> {
        let values = self.0.into_iter().map(|users| Ok((shared(bytes.serde()?), users)));
        let values: Vec<_> = values.collect::<Read<_>>()?;
        Interned::of(values.into_iter()).ok_or_else(|| bytes.damaged("two values that are the same"))
    }
}
