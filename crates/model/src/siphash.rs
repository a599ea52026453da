//! SipHash-1-3 of 128 bits, by Aumasson and Bernstein: one round for each eight bytes, three to end each half. With
//! a secret key nobody can tell a hash from chance or find values that collide.
//!
//! It stands here, and not in a crate, so that the rounds melt into their callers: the values are short, and all
//! are there at once. The tests have the crate `siphasher` beside it.

/// The state that a key makes, before any value.
#[derive(Clone, Copy)]
pub(crate) struct SipKey([u64; 4]);

impl SipKey {
    /// That of the two halves of a key.
    pub(crate) const fn new(low: u64, high: u64) -> Self {
        Self([
            low ^ 0x736f_6d65_7073_6575,
            high ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            low ^ 0x6c79_6765_6e65_7261,
            high ^ 0x7465_6462_7974_6573,
        ])
    }

    /// The hash of so many words, the bytes of each with the least significant first.
    #[inline]
    pub(crate) fn hash_words<const WORDS: usize>(&self, value: [u64; WORDS]) -> u128 {
        let mut state = State(self.0);
        value.into_iter().for_each(|word| state.take(word));
        state.take((8 * WORDS as u64) << 56);
        state.ended()
    }

    /// The hash of a value.
    pub(crate) fn hash(&self, value: &[u8]) -> u128 {
        let mut state = State(self.0);
        let (words, rest) = value.as_chunks::<8>();
        for word in words {
            state.take(u64::from_le_bytes(*word));
        }
        // The last word is what is left of the value, and its length in the highest byte.
        let left = match (rest, value.last_chunk::<8>()) {
            ([], _) => 0,
            // The bytes before were taken already; shifting drops them.
            (_, Some(last)) => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
            (_, None) => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        state.take(left | (value.len() as u64) << 56);
        state.ended()
    }
}

struct State([u64; 4]);

impl State {
    #[inline]
    const fn take(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.0[0] ^= word;
    }

    #[inline]
    const fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    #[inline]
    const fn half(&mut self) -> u64 {
        self.round();
        self.round();
        self.round();
        let [a, b, c, d] = self.0;
        a ^ b ^ c ^ d
    }

    #[inline]
    const fn ended(mut self) -> u128 {
        self.0[2] ^= 0xee;
        let low = self.half();
        self.0[1] ^= 0xdd;
        low as u128 | (self.half() as u128) << 64
    }
}

#[cfg(test)]
mod tests {
    use siphasher::sip128::SipHasher13;

    use super::SipKey;

    #[test]
    fn words_are_bytes() {
        let key = SipKey::new(3, 4);
        let bytes: Vec<u8> = (1..=3u64).flat_map(u64::to_le_bytes).collect();
        assert_eq!(key.hash_words([1, 2, 3]), key.hash(&bytes));
    }

    #[test]
    fn it_is_what_others_compute() {
        let bytes: Vec<u8> = (0..200u8).map(|byte| byte.wrapping_mul(37) ^ 0x5a).collect();
        for (low, high) in [(0, 0), (1, 2), (u64::MAX, 0x0123_4567_89ab_cdef)] {
            for length in 0..bytes.len() {
                let theirs = SipHasher13::new_with_keys(low, high).hash(&bytes[..length]).as_u128();
                assert_eq!(SipKey::new(low, high).hash(&bytes[..length]), theirs, "{length} bytes");
            }
        }
    }
}
