//! Fresh values: pure functions of (seed, number of the instance, number of the old value).
//!
//! A text keeps its length, and every character that is no letter or digit. Letters and digits become others:
//! hex digits where the whole text is in lower-case hex, else capitals and digits without look-alikes where it
//! has no lower-case letter, else any letters and digits. The last character of such a mixed text stays, for
//! that of base64 carries fewer bits than the others.

use crate::random::mixed;

/// From which characters a text's fresh ones come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    Hex,
    Capitals,
    Mixed,
}

const HEX: &[u8; 64] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const CAPITALS: &[u8; 64] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const MIXED: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789xy";

/// Characters that one random number is good for: six bits each.
const CHARS_A_NUMBER: usize = 10;

impl Alphabet {
    /// That of a text.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut signs = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
        if signs.clone().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            Self::Hex
        } else if signs.any(u8::is_ascii_lowercase) {
            Self::Mixed
        } else {
            Self::Capitals
        }
    }

    const fn signs(self) -> &'static [u8; 64] {
        match self {
            Self::Hex => HEX,
            Self::Capitals => CAPITALS,
            Self::Mixed => MIXED,
        }
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
    pub(crate) fn text(self, id: u32, alphabet: Alphabet, text: &mut [u8]) {
        let (mut number, mut next) = self.pair(id);
        let signs = alphabet.signs();
        let changed = text.len() - usize::from(alphabet == Alphabet::Mixed && text.len() > 1);
        for part in text[..changed].chunks_mut(CHARS_A_NUMBER) {
            let mut bits = number;
            for sign in part.iter_mut().filter(|sign| sign.is_ascii_alphanumeric()) {
                *sign = signs[(bits & 63) as usize];
                bits >>= 6;
            }
            (number, next) = (next, mixed(next ^ number.rotate_left(17)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn freshened(instance: u64, id: u32, old: &str) -> String {
        let mut text = old.as_bytes().to_vec();
        Fresh::new(7, instance).text(id, Alphabet::of(old.as_bytes()), &mut text);
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
        assert!(token.len() == 26 && token.bytes().all(|sign| CAPITALS.contains(&sign)), "{token}");
        let mixed = freshened(1, 1, "aB3_dE-fG");
        assert!(mixed.len() == 9 && &mixed[3..4] == "_" && &mixed[6..7] == "-" && mixed.ends_with('G'));
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
        let texts: Vec<_> = (0..200).map(|instance| freshened(instance, 3, &"A".repeat(64))).collect();
        for place in 0..64 {
            let signs: HashSet<_> = texts.iter().map(|text| text.as_bytes()[place]).collect();
            assert!(signs.len() > 20, "place {place} has {} signs", signs.len());
        }
    }
}
