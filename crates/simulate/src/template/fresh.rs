//! Fresh values: pure functions of (seed, number of the instance, number of the old value).
//!
//! A text keeps its length and its kind of characters. If its letters and digits are all lower-case hex digits,
//! they become others; if it has no lower-case letter, they become capitals. Every other text counts as base64:
//! letters, digits, `-` and `_` become letters of both cases, but for the last one, which carries fewer bits
//! than the others. All other characters stay. Each fresh character is one of sixteen, so that eight of them
//! are made at once from 32 random bits.

use crate::random::mixed;

/// What a text consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    alphabet: Alphabet,
    /// Whether every character changes.
    whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Hex,
    Capitals,
    Base64,
}

impl Kind {
    /// That of a text.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut signs = text.iter().filter(|sign| sign.is_ascii_alphanumeric());
        let alphabet = if signs.clone().all(|sign| matches!(sign, b'0'..=b'9' | b'a'..=b'f')) {
            Alphabet::Hex
        } else if signs.any(u8::is_ascii_lowercase) {
            Alphabet::Base64
        } else {
            Alphabet::Capitals
        };
        Self { alphabet, whole: text.iter().all(|sign| alphabet.has(*sign)) }
    }
}

impl Alphabet {
    const fn has(self, sign: u8) -> bool {
        sign.is_ascii_alphanumeric() || matches!((self, sign), (Self::Base64, b'-' | b'_'))
    }

    /// Eight characters from 32 bits.
    const fn eight(self, bits: u32) -> [u8; 8] {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let mut nibbles = bits as u64;
        nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
        nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
        nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
        let signs = match self {
            Self::Hex => {
                let letters = (nibbles + 6 * ONES) >> 4 & ONES;
                nibbles + ONES * b'0' as u64 + letters * (b'a' - b'0' - 10) as u64
            }
            Self::Capitals => nibbles + ONES * b'A' as u64,
            Self::Base64 => nibbles + u64::from_le_bytes(*b"AaAaAaAa"),
        };
        signs.to_le_bytes()
    }
}

/// The fresh values of one instance. Two numbers of 64 bits stand behind them, so that values of 128 bits do
/// not collide sooner than their length says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fresh {
    first: u64,
    second: u64,
}

impl Fresh {
    /// Those of an instance under a seed.
    pub(crate) const fn new(seed: u64, instance: u64) -> Self {
        let base = mixed(seed ^ 0x6a09_e667_f3bc_c908);
        Self {
            first: mixed(base ^ instance),
            second: mixed(mixed(base.rotate_left(32) ^ 0x3c6e_f372) ^ !instance),
        }
    }

    /// Two random numbers for an old value.
    const fn pair(self, id: u32) -> (u64, u64) {
        let step = (id as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed(self.first.wrapping_add(step)), mixed(self.second.wrapping_add(step)))
    }

    /// A trace id, never all zero.
    pub(crate) fn trace(self, id: u32) -> [u8; 16] {
        let (first, second) = self.pair(id);
        let mut trace = [0; 16];
        trace[..8].copy_from_slice(&first.max(1).to_le_bytes());
        trace[8..].copy_from_slice(&second.to_le_bytes());
        trace
    }

    /// A span id, never all zero.
    pub(crate) fn span(self, id: u32) -> [u8; 8] {
        self.pair(id).0.max(1).to_le_bytes()
    }

    /// Replaces a text in place.
    pub(crate) fn text(self, id: u32, kind: Kind, text: &mut [u8]) {
        let (mut number, mut next) = self.pair(id);
        let changed = text.len() - usize::from(kind.alphabet == Alphabet::Base64 && text.len() > 1);
        let (mut parts, mut bits) = (text[..changed].chunks_exact_mut(8), 0);
        let mut eight = || {
            if bits == 64 {
                (number, next) = (next, mixed(next ^ number.rotate_left(17)));
                bits = 0;
            }
            bits += 32;
            kind.alphabet.eight((number >> (bits - 32)) as u32)
        };
        if kind.whole {
            parts.by_ref().for_each(|part| part.copy_from_slice(&eight()));
            let rest = parts.into_remainder();
            rest.copy_from_slice(&eight()[..rest.len()]);
        } else {
            for part in text[..changed].chunks_mut(8) {
                let fresh = part.iter_mut().zip(eight());
                fresh.filter(|(old, _)| kind.alphabet.has(**old)).for_each(|(old, new)| *old = new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn freshened(instance: u64, id: u32, old: &str) -> String {
        let mut text = old.as_bytes().to_vec();
        Fresh::new(7, instance).text(id, Kind::of(old.as_bytes()), &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_text_keeps_its_length_its_kind_and_what_is_no_letter_or_digit() {
        let uuid = freshened(1, 1, "6f1c0f5e-8d3e-4a5b-9c1d-0123456789ab");
        assert_eq!(uuid.len(), 36);
        assert!(uuid.char_indices().all(|(place, sign)| match place {
            8 | 13 | 18 | 23 => sign == '-',
            _ => sign.is_ascii_digit() || ('a'..='f').contains(&sign),
        }));
        let token = freshened(1, 1, "ABCDEFGHJKLMNPQRSTUVWXYZ23");
        assert!(token.len() == 26 && token.bytes().all(|sign| sign.is_ascii_uppercase()), "{token}");
        let base64 = freshened(1, 1, "aB3_dE-fG+h=9");
        assert!(base64.len() == 13 && &base64[9..10] == "+" && &base64[11..] == "=9", "{base64}");
        assert!(base64[..9].bytes().all(|sign| sign.is_ascii_alphabetic()), "{base64}");
        assert_eq!(freshened(1, 1, ""), "");
        assert_eq!(freshened(1, 1, "é·"), "é·");
    }

    #[test]
    fn values_differ_between_instances_seeds_and_ids_and_repeat_otherwise() {
        let mut seen = HashSet::new();
        for (seed, instance, id) in (0..4)
            .flat_map(|seed| (0..400).flat_map(move |instance| (0..40).map(move |id| (seed, instance, id))))
        {
            let fresh = Fresh::new(seed, instance);
            assert!(seen.insert(fresh.trace(id)[..8].to_vec()));
            assert!(seen.insert(fresh.trace(id)[8..].to_vec()));
            assert_eq!(fresh.trace(id), Fresh::new(seed, instance).trace(id));
        }
    }

    #[test]
    fn every_sign_of_a_long_text_is_random() {
        let texts: Vec<_> = (0..400).map(|instance| freshened(instance, 3, &"A".repeat(64))).collect();
        for place in 0..64 {
            let signs: HashSet<_> = texts.iter().map(|text| text.as_bytes()[place]).collect();
            assert!(signs.len() == 16, "place {place} has {} signs", signs.len());
        }
    }
}
