//! Every bound of the simulator, with its reason.

/// Attempts of a block. A block holds whole chains of retries, so it bounds how often one person tries.
pub const BLOCK_ATTEMPTS: u64 = 8;

/// Records of one request: the batch size of the Collector's batch processor is 8,192 by default, which makes
/// requests of about 4 MB, the limit of a gRPC server that was not told otherwise. Half of it stays below.
pub const REQUEST_RECORDS: usize = 4096;

/// How often one step may be overcome before it blocks: people give up before a fourth try.
pub const TRIES_PER_STEP: u32 = 3;

/// A duration is at most so many times the law's 95th percentile: beyond it the law's tail says more about
/// the law than about people.
pub const TAIL: f64 = 10.0;

/// The clocks of the devices are off by at most so many seconds: ten years.
pub const CLOCK_OFF_S: f64 = 315_360_000.0;

/// Items of one list in a world file: no person writes more, and a world stays small in memory.
pub const LIST_ITEMS: usize = 1000;

/// Senders that share a load: more than anybody starts.
pub const SHARES: u64 = 10_000;

/// Points of a load's file: one a second for a day.
pub const LOAD_POINTS: usize = 86_400;

/// Distinct values that the ids and keys of one template, or of one captured file, have. Places name them by
/// 32 bits; a file of a gigabyte has fewer.
pub const TEMPLATE_IDS: usize = 100_000_000;

/// Attempts behind a load made of templates: with all their places they take some 10 KB each.
pub const TEMPLATES: u64 = 100_000;
