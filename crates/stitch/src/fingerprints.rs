//! From hashes to places: eight bytes an entry, half of the hash's last eight and half a place.
//!
//! Whoever asks gets every place under the fingerprint, in the order in which they came, and looks there whether
//! it is the one: two hashes can have one fingerprint, and one hash can have many places.
//!
//! Entries lie in the order of their fingerprints, each as near behind its home as there is room; a look-up
//! reads a cache line or two, and a table that grows is copied from front to back. The hashes are keyed with the
//! installation's secret already, so no sender can choose them, and their bits are taken as they are.

use crate::pool::{NOWHERE, Place};

/// Tables, by the first bits of the fingerprint: each grows by itself, so that none takes long.
const TABLES: usize = 1 << TABLE_BITS;
const TABLE_BITS: u32 = 8;

/// Entries behind the last home, for what finds no room before; more are added where that is not enough.
const TAIL: usize = 16;

/// An entry that is none: no thing lies at [`NOWHERE`].
const EMPTY: u64 = u64::MAX;

/// Places by fingerprints.
#[derive(Debug)]
pub struct Fingerprints {
    tables: Box<[Table; TABLES]>,
}

#[derive(Debug, Default)]
struct Table {
    /// [`Self::homes`] entries and the tail.
    entries: Vec<u64>,
    homes: usize,
    /// How many are not empty.
    len: usize,
}

impl Default for Fingerprints {
    fn default() -> Self {
        Self { tables: Box::new(std::array::from_fn(|_| Table::default())) }
    }
}

const fn fingerprint(hash: u128) -> u32 {
    hash as u32
}

/// What says that something with a hash lies at a place.
pub const fn entry_of(hash: u128, place: Place) -> u64 {
    entry(fingerprint(hash), place)
}

pub const fn entry(fingerprint: u32, place: Place) -> u64 {
    (fingerprint as u64) << 32 | place as u64
}

pub const fn fingerprint_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

const fn table(fingerprint: u32) -> usize {
    (fingerprint >> (32 - TABLE_BITS)) as usize
}

/// Where a fingerprint would lie among so many homes if it were alone.
const fn home_of(fingerprint: u32, homes: usize) -> usize {
    let within = (fingerprint << TABLE_BITS) as u64;
    ((within * homes as u64) >> 32) as usize
}

impl Fingerprints {
    /// All of these entries, which are sorted by fingerprint.
    pub fn of_sorted(entries: &[u64]) -> Self {
        let mut all = Self::default();
        let table_of = |entry: u64| table(fingerprint_of(entry));
        for own in entries.chunk_by(|a, b| table_of(*a) == table_of(*b)) {
            let table = &mut all.tables[table_of(own[0])];
            table.len = own.len();
            // A little more room than an insertion asks for.
            table.spread(own.len() + own.len() / 2 + TAIL, own.iter().copied());
        }
        all
    }

    /// Every entry: by fingerprint, those of one in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.tables.iter().flat_map(|table| &table.entries).copied().filter(|known| *known != EMPTY)
    }

    /// The places under a hash's fingerprint, in the order in which they came.
    pub fn find(&self, hash: u128) -> impl Iterator<Item = Place> + use<'_> {
        let fingerprint = fingerprint(hash);
        let table = &self.tables[table(fingerprint)];
        // The empty entry is the greatest.
        let (first, last) = (entry(fingerprint, 0), entry(fingerprint, NOWHERE - 1));
        let from_home = table.entries[table.home(fingerprint)..].iter();
        let same =
            from_home.skip_while(move |known| **known < first).take_while(move |known| **known <= last);
        same.map(|known| *known as Place)
    }

    /// Reads where a hash's places are likely to lie; says something of it.
    pub fn touch(&self, hash: u128) -> usize {
        let fingerprint = fingerprint(hash);
        let table = &self.tables[table(fingerprint)];
        table.entries.get(table.home(fingerprint)).map_or(0, |entry| *entry as usize & 1)
    }

    /// Adds a place under a hash, behind those that are there; says how many these are.
    pub fn insert(&mut self, hash: u128, place: Place) -> usize {
        debug_assert!(place != NOWHERE, "nothing lies nowhere");
        let fingerprint = fingerprint(hash);
        self.tables[table(fingerprint)].insert(fingerprint, place)
    }

    /// Takes a place from under a hash.
    pub fn remove(&mut self, hash: u128, place: Place) {
        let fingerprint = fingerprint(hash);
        self.tables[table(fingerprint)].remove(fingerprint, place);
    }
}

impl Table {
    /// Where a fingerprint would lie if it were alone.
    fn home(&self, fingerprint: u32) -> usize {
        home_of(fingerprint, self.homes)
    }

    fn insert(&mut self, fingerprint: u32, place: Place) -> usize {
        // With a greater share of entries, clusters grow long.
        if self.len * 4 >= self.homes * 3 {
            self.resize(self.homes + self.homes / 5 + TAIL);
        }
        self.len += 1;
        let mut moving = entry(fingerprint, place);
        let last = entry(fingerprint, NOWHERE - 1);
        let home = self.home(fingerprint);
        let mut entries = self.entries[home..].iter_mut();
        let mut same = 0;
        // Those before it stay; those behind it move on by one, up to the first empty entry.
        while let Some(known) = entries.next() {
            if *known <= last {
                same += usize::from(fingerprint_of(*known) == fingerprint);
                continue;
            }
            moving = std::mem::replace(known, moving);
            if moving == EMPTY {
                return same;
            }
            for known in entries {
                moving = std::mem::replace(known, moving);
                if moving == EMPTY {
                    return same;
                }
            }
            break;
        }
        self.entries.push(moving);
        same
    }

    fn remove(&mut self, fingerprint: u32, place: Place) {
        let wanted = entry(fingerprint, place);
        let home = self.home(fingerprint);
        let beyond = entry(fingerprint, NOWHERE - 1);
        let mut from_home = self.entries[home..].iter().take_while(|known| **known <= beyond);
        let Some(behind) = from_home.position(|known| *known == wanted) else { return };
        // Those behind it come nearer to their homes.
        let (homes, first) = (self.homes, home + behind);
        let [hole, rest @ ..] = &mut self.entries[first..] else { return };
        let mut hole = hole;
        for (at, next) in (first..).zip(rest) {
            if *next == EMPTY || home_of(fingerprint_of(*next), homes) > at {
                break;
            }
            *hole = *next;
            hole = next;
        }
        *hole = EMPTY;
        self.len -= 1;
        if self.len * 4 < self.homes {
            self.resize(self.len * 2);
        }
    }

    /// Spreads the entries over another number of homes, in their order; none need no memory.
    fn resize(&mut self, homes: usize) {
        let old = std::mem::take(&mut self.entries);
        self.spread(homes, old.into_iter().filter(|known| *known != EMPTY));
    }

    /// Lays entries out over so many homes, in their order.
    fn spread(&mut self, homes: usize, entries: impl Iterator<Item = u64>) {
        self.homes = homes;
        let length = if homes == 0 { 0 } else { homes + TAIL };
        self.entries = vec![EMPTY; length];
        let mut at = 0;
        for known in entries {
            at = at.max(self.home(fingerprint_of(known)));
            if at == self.entries.len() {
                self.entries.push(EMPTY);
            }
            self.entries[at] = known;
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    /// Hashes of which some differ, some share a fingerprint, and some lie at the ends of their table.
    fn hash() -> impl Strategy<Value = u128> {
        prop_oneof![
            4 => 0..40u128,
            2 => (0..40u128).prop_map(|low| 0x00ff_ff00 | low),
            2 => any::<u32>().prop_map(u128::from),
            1 => Just(u128::from(u32::MAX)),
            1 => (0..4u128).prop_map(|high| high << 32),
        ]
    }

    proptest! {
        /// What is under a fingerprint is what was put there and not taken away, in its order.
        #[test]
        fn finds_what_a_list_finds(steps in vec((hash(), 0..6u32, any::<bool>()), 1..400)) {
            let mut table = Fingerprints::default();
            let mut list: Vec<(u32, Place)> = Vec::new();
            for (hash, place, adds) in steps {
                let known = list.iter().position(|known| *known == (fingerprint(hash), place));
                match (adds, known) {
                    (true, _) => {
                        let same = list.iter().filter(|(known, _)| *known == fingerprint(hash)).count();
                        prop_assert_eq!(table.insert(hash, place), same);
                        list.push((fingerprint(hash), place));
                    }
                    (false, known) => {
                        table.remove(hash, place);
                        known.map(|known| list.remove(known));
                    }
                }
                let expected: Vec<_> =
                    list.iter().filter(|(known, _)| *known == fingerprint(hash)).map(|(_, place)| *place).collect();
                prop_assert_eq!(table.find(hash).collect::<Vec<_>>(), expected);
            }
            let of_sorted = Fingerprints::of_sorted(&table.iter().collect::<Vec<_>>());
            for (hash, _) in list.iter().map(|(fingerprint, place)| (u128::from(*fingerprint), place)) {
                prop_assert_eq!(of_sorted.find(hash).collect::<Vec<_>>(), table.find(hash).collect::<Vec<_>>());
            }
            prop_assert!(of_sorted.iter().eq(table.iter()));
            let left: usize = table.tables.iter().map(|table| table.len).sum();
            prop_assert_eq!(left, list.len());
        }
    }

    /// Fingerprints that were chosen to meet lengthen the ways of their own, and of those that lie right behind them;
    /// the ways of all others stay as long as they were. Nobody can choose them without the secret.
    #[test]
    fn chosen_fingerprints_lengthen_no_ways_but_their_own() {
        let spread = |number: u32| number.wrapping_mul(0x9e37_79b9);
        let way = |table: &Fingerprints, fingerprint: u32| {
            let table = &table.tables[super::table(fingerprint)];
            let last = entry(fingerprint, NOWHERE - 1);
            table.entries[table.home(fingerprint)..].iter().take_while(|known| **known <= last).count()
        };
        let mut table = Fingerprints::default();
        for number in 0..50_000 {
            table.insert(u128::from(spread(number)), number);
        }
        let ways = |table: &Fingerprints| (0..50_000).map(|number| way(table, spread(number))).sum::<usize>();
        let before = ways(&table);
        let chosen = 0x7700_0000;
        for place in 0..2000 {
            assert_eq!(
                table.insert(u128::from(place) << 32 | u128::from(chosen), 50_000 + place),
                place as usize
            );
        }
        assert_eq!(way(&table, chosen), 2000);
        let others = ways(&table);
        // At worst the two hundred others of the same table have their ways through all of them.
        assert!(others <= before + 50_000 / TABLES * 2 * 2000, "{before} {others}");
        let untouched = (0..50_000).map(spread).filter(|other| super::table(*other) != super::table(chosen));
        let longest = untouched.map(|other| way(&table, other)).max();
        assert!(longest < Some(100), "{longest:?}");
    }

    #[test]
    fn what_is_empty_holds_no_memory_and_what_is_full_little() {
        let mut table = Fingerprints::default();
        let hash = |number: u32| u128::from(number.wrapping_mul(0x9e37_79b9));
        for number in 0..200_000 {
            table.insert(hash(number), number);
        }
        let entries: usize = table.tables.iter().map(|table| table.entries.capacity()).sum();
        assert!(entries < 300_000, "{entries} entries for 200,000");
        (0..200_000).for_each(|number| table.remove(hash(number), number));
        assert!(table.tables.iter().all(|table| table.entries.capacity() == 0));
    }
}
