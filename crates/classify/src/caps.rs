//! The bounds of this crate, with their reasons.

/// The greatest weight of one piece of evidence, in nats. At 16 nats one in nine million is left, which is
/// where a 32-bit probability next to one ends.
pub const WEIGHT_NATS: f32 = 16.0;

/// The smallest weight that is shown, in nats: less than this moves a probability by under two points.
pub const SHOWN_WEIGHT_NATS: f32 = 0.1;

/// From here on a cause that stands alone is called the cause without a reservation.
pub const NEARLY_CERTAIN: f32 = 0.98;

/// The smallest probability of a hidden phase that is worth a word: with less nobody would look there.
pub const SHOWN_PHASE: f32 = 0.05;

/// The largest number of causes that an explanation names: a reader acts on two or three.
pub const CAUSES_EXPLAINED: usize = 3;

/// A cause with less than this does not count for phases and transport: a 32-bit sum near one would not show it.
pub const NEGLIGIBLE: f32 = 1e-7;
