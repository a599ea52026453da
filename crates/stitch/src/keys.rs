//! The keys of one journey: those that tie it, and whatever else its events carry.
//!
//! Its events refer to them by number. A trace id stands among them, too, as it is what many events share.

use authstitch_model::{KeyHash, KeyKind};

use crate::pool::{NOWHERE, Place, Pool};

/// No key's number.
const NONE: u16 = u16::MAX;

/// Keys that lie in the journey itself; most have no more.
const INLINE: usize = 4;

/// Keys of a block.
const PER_BLOCK: usize = 3;

/// What a journey's entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    TraceId,
    Key(KeyKind),
}

/// How a key ties a journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tie {
    /// An event carries it, and no more.
    #[default]
    Carried,
    /// It is noted as the journey's, but does not lead to it: it leads elsewhere, or nowhere any more.
    Noted,
    /// It is noted, and leads to the journey.
    Leads {
        /// How many journeys and keys of higher precedence it joined to this one, or would have joined.
        links: u8,
    },
}

/// One key of a journey.
#[derive(Clone, Copy, Debug, Default)]
pub struct Key {
    value: [u8; 16],
    pub kind: Kind,
    pub tie: Tie,
}

impl Key {
    /// One that an event carries.
    pub const fn new(kind: Kind, value: u128) -> Self {
        Self { value: value.to_ne_bytes(), kind, tie: Tie::Carried }
    }

    /// The hash, of anything but a trace id.
    pub const fn hash(&self) -> KeyHash {
        KeyHash::new(u128::from_ne_bytes(self.value))
    }

    /// Its kind, if it ties the journey or lets it be found.
    pub fn noted(&self) -> Option<KeyKind> {
        match self.kind {
            Kind::Key(kind) if self.tie != Tie::Carried => Some(kind),
            _ => None,
        }
    }

    /// Whether it leads to the journey.
    pub const fn leads(&self) -> bool {
        matches!(self.tie, Tie::Leads { .. })
    }

    /// The bytes as a number.
    pub const fn value(&self) -> u128 {
        u128::from_ne_bytes(self.value)
    }

    fn is(&self, kind: Kind, value: u128) -> bool {
        self.value() == value && self.kind == kind
    }
}

/// Further keys of journeys that have many.
pub type KeyBlocks = Pool<KeyBlock>;

/// Some further keys.
#[derive(Debug)]
pub struct KeyBlock {
    keys: [Key; PER_BLOCK],
    next: Place,
}

impl Default for KeyBlock {
    fn default() -> Self {
        Self { keys: [Key::default(); PER_BLOCK], next: NOWHERE }
    }
}

/// The keys of one journey, in the order in which they came.
#[derive(Debug)]
pub struct Keys {
    first: [Key; INLINE],
    len: u16,
    /// The number of the one journey key that the journey may have.
    journey: u16,
    /// The block with the keys after the first ones.
    more: Place,
}

impl Default for Keys {
    fn default() -> Self {
        Self { first: [Key::default(); INLINE], len: 0, journey: NONE, more: NOWHERE }
    }
}

impl Keys {
    /// All of them.
    pub fn iter<'a>(&'a self, blocks: &'a KeyBlocks) -> impl Iterator<Item = &'a Key> + use<'a> {
        let first = &self.first[..INLINE.min(usize::from(self.len))];
        let mut place = self.more;
        let mut left = usize::from(self.len) - first.len();
        let more = std::iter::from_fn(move || {
            (left > 0).then(|| {
                let block = &blocks[place];
                let keys = &block.keys[..PER_BLOCK.min(left)];
                left -= keys.len();
                place = block.next;
                keys
            })
        });
        first.iter().chain(more.flatten())
    }

    /// Shows all of them, one after another.
    pub fn each(&self, blocks: &KeyBlocks, mut show: impl FnMut(&Key)) {
        let inline = INLINE.min(usize::from(self.len));
        self.first[..inline].iter().for_each(&mut show);
        let (mut left, mut place) = (usize::from(self.len) - inline, self.more);
        while left > 0 {
            let block = &blocks[place];
            let keys = &block.keys[..PER_BLOCK.min(left)];
            keys.iter().for_each(&mut show);
            left -= keys.len();
            place = block.next;
        }
    }

    /// The number of the first key that is as wanted, and how it ties the journey.
    pub fn find(&self, blocks: &KeyBlocks, wanted: impl Fn(&Key) -> bool) -> Option<(u16, Tie)> {
        let inline = INLINE.min(usize::from(self.len));
        for (number, key) in self.first[..inline].iter().enumerate() {
            if wanted(key) {
                return Some((number as u16, key.tie));
            }
        }
        // Plain loops, as each event asks for each of its keys.
        let (mut number, mut place) = (inline, self.more);
        while number < usize::from(self.len) {
            let block = &blocks[place];
            for key in &block.keys[..PER_BLOCK.min(usize::from(self.len) - number)] {
                if wanted(key) {
                    return Some((number as u16, key.tie));
                }
                number += 1;
            }
            place = block.next;
        }
        None
    }

    /// The number of a key.
    pub fn position(&self, kind: Kind, value: u128, blocks: &KeyBlocks) -> Option<u16> {
        self.find(blocks, |known| known.is(kind, value)).map(|(number, _)| number)
    }

    /// How a key ties the journey, if it has this number.
    pub fn near(&self, number: u16, kind: Kind, value: u128) -> Option<Tie> {
        let known = self.first.get(usize::from(number))?;
        (number < self.len && known.is(kind, value)).then_some(known.tie)
    }

    /// The number of a key and how it ties the journey. If it is new it is added, if `adds` says so.
    // Seldom asked, and large: kept out of what is asked for each key of each event.
    #[inline(never)]
    pub fn find_or_push(
        &mut self,
        kind: Kind,
        value: u128,
        adds: bool,
        blocks: &mut KeyBlocks,
    ) -> Option<(u16, Tie)> {
        let known = self.find(blocks, |known| known.is(kind, value));
        known.or_else(|| adds.then(|| (self.push(&Key::new(kind, value), blocks), Tie::Carried)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len.into()
    }

    /// The key with a number.
    pub fn get<'a>(&'a self, number: u16, blocks: &'a KeyBlocks) -> &'a Key {
        match beyond(number) {
            None => &self.first[usize::from(number)],
            Some((block, within)) => &blocks[self.block(block, blocks)].keys[within],
        }
    }

    /// The same, to be changed.
    pub fn get_mut<'a>(&'a mut self, number: u16, blocks: &'a mut KeyBlocks) -> &'a mut Key {
        match beyond(number) {
            None => &mut self.first[usize::from(number)],
            Some((block, within)) => {
                let place = self.block(block, blocks);
                &mut blocks[place].keys[within]
            }
        }
    }

    fn block(&self, number: usize, blocks: &KeyBlocks) -> Place {
        (0..number).fold(self.more, |place, _| blocks[place].next)
    }

    /// Adds a key that is new, and gives its number.
    pub fn push(&mut self, key: &Key, blocks: &mut KeyBlocks) -> u16 {
        let number = self.len;
        if let Some(free) = self.first.get_mut(usize::from(number)) {
            *free = *key;
            self.len += 1;
            return number;
        }
        if let Some((block, 0)) = beyond(number) {
            let place = blocks.claim();
            blocks[place].next = NOWHERE;
            match block.checked_sub(1) {
                None => self.more = place,
                Some(last) => {
                    let last = self.block(last, blocks);
                    blocks[last].next = place;
                }
            }
        }
        self.len += 1;
        *self.get_mut(number, blocks) = *key;
        number
    }

    /// The journey key that the journey has.
    pub fn journey_key(&self, blocks: &KeyBlocks) -> Option<KeyHash> {
        (self.journey != NONE).then(|| self.get(self.journey, blocks).hash())
    }

    /// The number of the journey key that the journey has.
    pub fn journey_number(&self) -> Option<u16> {
        (self.journey != NONE).then_some(self.journey)
    }

    /// Makes the key with this number its journey key.
    pub const fn set_journey_number(&mut self, number: u16) {
        self.journey = number;
    }

    /// Makes this its journey key.
    pub fn set_journey_key(&mut self, key: KeyHash, blocks: &mut KeyBlocks) {
        let (kind, value) = (Kind::Key(KeyKind::Journey), key.get());
        let known = self.position(kind, value, blocks);
        self.journey = known.unwrap_or_else(|| self.push(&Key::new(kind, value), blocks));
    }

    /// Gives the blocks back.
    pub fn free(&self, blocks: &mut KeyBlocks) {
        let mut place = self.more;
        while place != NOWHERE {
            let next = blocks[place].next;
            blocks.release(place);
            place = next;
        }
    }
}

/// The block and the place in it of a key that does not lie in the journey itself.
fn beyond(number: u16) -> Option<(usize, usize)> {
    usize::from(number).checked_sub(INLINE).map(|beyond| (beyond / PER_BLOCK, beyond % PER_BLOCK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_numbers_however_many_there_are() {
        let (mut keys, mut blocks) = (Keys::default(), KeyBlocks::default());
        let key = |number: u16| Key::new(Kind::Key(KeyKind::ALL[usize::from(number) % 6]), number.into());
        for number in 0..40 {
            assert_eq!(keys.position(key(number).kind, key(number).value(), &blocks), None);
            assert_eq!(keys.push(&key(number), &mut blocks), number);
            keys.get_mut(number, &mut blocks).tie = Tie::Leads { links: number as u8 };
        }
        for number in 0..40 {
            let (kind, value) = (key(number).kind, key(number).value());
            assert_eq!(keys.position(kind, value, &blocks), Some(number));
            let tie = Tie::Leads { links: number as u8 };
            assert_eq!(keys.near(number, kind, value), (usize::from(number) < INLINE).then_some(tie));
            assert_eq!(keys.near(number + 1, kind, value), None);
            assert_eq!(keys.find_or_push(kind, value, true, &mut blocks), Some((number, tie)));
            assert_eq!(keys.get_mut(number, &mut blocks).tie, Tie::Leads { links: number as u8 });
        }
        assert_eq!(keys.iter(&blocks).count(), 40);
        assert_eq!(keys.position(key(40).kind, key(40).value(), &blocks), None);
        keys.free(&mut blocks);
        assert_eq!(blocks.len(), 0);
    }
}
