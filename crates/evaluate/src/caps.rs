//! Every fixed number of the scores, with its reason.

/// Bytes of one line of a file: the longest honest journey has some hundred events of 200 bytes.
pub const LINE_BYTES: u64 = 16 << 20;

/// Bins of the calibration error, each of the same number of forecasts: at 20,000 attempts a bin of 2,000
/// knows its rate to about one percent.
pub const CALIBRATION_BINS: usize = 10;

/// The mass of causes that a credible set is to hold.
pub const CREDIBLE_MASS: f64 = 0.9;

/// The smallest probability that the log loss sees: a forecast of zero costs 13.8 nats, not infinity. Journey
/// lines leave smaller ones out.
pub const SMALLEST_PROBABILITY: f64 = 1e-6;

/// The Brier score of a certain wrong answer, which an attempt without a journey gets.
pub const WORST_BRIER: f64 = 2.0;

/// The fewest columns that the text for people is laid out for: a name and three numbers.
pub const NARROWEST: usize = 68;
