//! Dice: every random choice of the simulator, from streams that depend on (seed, what for, number) alone.

use authstitch_model::UnixNanos;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for. Streams of different use never share numbers, so a change of the
/// telemetry's faults, say, leaves what happened to the people as it was.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// What happens to the people of one block.
    Life = 1,
    /// Which events their stack emits, and the ids of these.
    Stack,
    /// Unrelated telemetry around the login.
    Noise,
    /// The values of codes, apart because they can be reused.
    Codes,
    /// The fate of one export batch.
    Batch,
    /// How far a device's clock is off.
    Clock,
}

/// A stream of random numbers.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of a seed for a use and three numbers, the last below 2⁵⁶. All of them stand in the
    /// generator's key, so no two streams are alike.
    pub(crate) fn new(seed: u64, stream: Stream, [first, second, third]: [u64; 3]) -> Self {
        debug_assert!(third < 1 << 56, "{third} leaves no room for the stream");
        let mut key = [0; 32];
        let parts = [seed, first, second, third | (stream as u64) << 56];
        for (place, part) in key.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&part.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number from `low` to below `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `end`, which must not be zero.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    /// One of several, all alike; the list must not be empty.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// Random bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// So many random characters of an alphabet without look-alikes, five bits each.
    pub(crate) fn token(&mut self, chars: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        (0..chars).map(|_| char::from(ALPHABET[(self.0.next_u32() & 31) as usize])).collect()
    }

    /// A draw from one of the well-known distributions.
    pub(crate) fn sample<D: rand_distr::Distribution<f64>>(&mut self, distribution: &D) -> f64 {
        distribution.sample(&mut self.0)
    }
}

/// A time so many seconds later.
pub(crate) fn after(time: UnixNanos, seconds: f64) -> UnixNanos {
    UnixNanos(time.0.saturating_add((seconds.max(0.0) * 1e9) as u64))
}

/// Mixes a number into one that looks random (SplitMix64's finalizer).
pub(crate) const fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
