//! A set of names that is known before the first request, each with what it means.
//!
//! A name is found by its length and its two ends: one multiplication leads to a place in a table that is three
//! quarters empty, so nearly every name is compared with one other at most, and nearly every stranger with none.

/// Names and their meanings.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary<T> {
    places: Box<[Place]>,
    entries: Vec<(Box<[u8]>, T)>,
    shift: u32,
}

/// One place of the table.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    ends: Ends,
    /// The entry that stands here, counted from 1; 0 where there is none.
    number: u32,
}

/// A name, with what tells it apart at a glance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    ends: Ends,
    whole: &'a [u8],
}

impl<'a> Name<'a> {
    #[inline]
    pub(crate) fn of(name: &'a [u8]) -> Self {
        let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        Self { ends: Ends { first, last, length: name.len() as u32 }, whole: name }
    }

    /// The name's bytes.
    pub(crate) const fn bytes(self) -> &'a [u8] {
        self.whole
    }
}

impl PartialEq for Name<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && (self.ends.are_all() || self.whole == other.whole)
    }
}

/// The ends of a name, which of one of at most 16 bytes are the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends {
    first: u64,
    last: u64,
    length: u32,
}

impl Ends {
    /// Whether these are the whole name.
    const fn are_all(self) -> bool {
        self.length <= 16
    }

    #[inline]
    fn first_place(self, shift: u32) -> usize {
        let ends = self.first ^ self.last.rotate_left(29) ^ u64::from(self.length);
        (ends.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> shift) as usize
    }
}

impl<T> Dictionary<T> {
    /// The dictionary of these entries; of several with one name the last counts.
    pub(crate) fn new<'n>(names: impl IntoIterator<Item = (&'n str, T)>) -> Self {
        let mut entries: Vec<(Box<[u8]>, T)> = Vec::new();
        for (name, meaning) in names {
            match entries.iter_mut().find(|(known, _)| **known == *name.as_bytes()) {
                Some((_, known)) => *known = meaning,
                None => entries.push((name.as_bytes().into(), meaning)),
            }
        }
        let size = (entries.len() * 4).next_power_of_two().max(2);
        let shift = 64 - size.trailing_zeros();
        let mut places = vec![Place::default(); size];
        for (number, (name, _)) in (1..).zip(&entries) {
            let ends = Name::of(name).ends;
            let mut place = ends.first_place(shift);
            while places[place].number != 0 {
                place = (place + 1) % size;
            }
            places[place] = Place { ends, number };
        }
        Self { places: places.into(), entries, shift }
    }

    /// What a name means.
    #[inline]
    pub(crate) fn get(&self, name: Name<'_>) -> Option<&T> {
        let Name { ends, whole } = name;
        let mut place = ends.first_place(self.shift);
        loop {
            let known = self.places.get(place)?;
            let number = (known.number as usize).checked_sub(1)?;
            if known.ends == ends {
                let (known, meaning) = self.entries.get(number)?;
                if ends.are_all() || **known == *whole {
                    return Some(meaning);
                }
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Dictionary, Name};

    #[test]
    fn every_name_has_its_own_meaning_and_no_other_name_has_one() {
        let names: Vec<String> =
            (0..2000).map(|n| format!("{}{n}{}", "a".repeat(n % 40), "b".repeat(n % 7))).collect();
        let dictionary = Dictionary::new(names.iter().enumerate().map(|(n, name)| (name.as_str(), n)));
        for (n, name) in names.iter().enumerate() {
            assert_eq!(dictionary.get(Name::of(name.as_bytes())), Some(&n));
            assert_eq!(dictionary.get(Name::of(format!("{name}!").as_bytes())), None);
        }
        assert_eq!(dictionary.get(Name::of(b"")), None);
    }

    #[test]
    fn names_that_differ_in_one_byte_stay_apart() {
        for length in 1..60 {
            let name = "n".repeat(length);
            let dictionary = Dictionary::new([(name.as_str(), ())]);
            assert!(dictionary.get(Name::of(name.as_bytes())).is_some());
            for place in 0..length {
                let mut other = name.clone().into_bytes();
                other[place] = b'm';
                assert!(dictionary.get(Name::of(&other)).is_none(), "{length} {place}");
            }
        }
    }

    #[test]
    fn names_with_the_same_ends_and_length_stay_apart() {
        let dictionary =
            Dictionary::new([("aaaaaaaa1zzzzzzzz", 1), ("aaaaaaaa2zzzzzzzz", 2), ("aaaaaaaa1zzzzzzzz", 3)]);
        assert_eq!(dictionary.get(Name::of(b"aaaaaaaa1zzzzzzzz")), Some(&3), "the last of several counts");
        assert_eq!(dictionary.get(Name::of(b"aaaaaaaa2zzzzzzzz")), Some(&2));
        assert_eq!(dictionary.get(Name::of(b"aaaaaaaa3zzzzzzzz")), None);
    }

    #[test]
    fn an_empty_one_knows_nothing() {
        assert_eq!(Dictionary::<u8>::new([]).get(Name::of(b"anything")), None);
    }
}
