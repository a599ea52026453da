//! Every bound of the journal, with its reason.

use authstitch_model::Millis;

/// Bytes of one segment: half a million events, written at full load in some seconds. A segment is what is made ahead
/// at once (64 MiB of zeros take 20 ms of processor time), what is read at once, and what is freed at once.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The smallest segment: less would hold little more than its head.
pub const SEGMENT_BYTES_LEAST: u64 = 4 << 10;

/// Bytes of all segments and snapshots, by default: an hour and more of twenty thousand events a second that no sink
/// takes.
pub const DISK_BYTES: u64 = 8 << 30;

/// Segments that the bound has to have room for: one that is written, one made ahead, one that waits to be freed.
pub const SEGMENTS_LEAST: u64 = 3;

/// Segments that wait for their next use: what one snapshot frees is used until the next one, and nothing has to be
/// written twice, as zeros and as records.
pub const SPARES: usize = 8;

/// Bytes of zeros written at once.
pub const ZEROS: usize = 1 << 20;

/// How long after its first record a file is still written on or used again. Under load a segment is full in seconds or
/// minutes; where little comes, one that is older ends with the next snapshot, and what it holds goes with the one after.
pub const FILE_AGE: Millis = Millis::from_mins(60);

/// Bytes of one record: three times a request of the largest size that the service takes by default, which is
/// more than its events can come to. Less in the tests of this crate, which then need no gigabyte.
pub const RECORD_BYTES: usize = if cfg!(test) { 8 << 20 } else { 256 << 20 };

/// Bytes that a batch gathers before it has to be committed: what is written in a millisecond or two, so that gathering
/// more saves nothing.
pub const BATCH_BYTES: usize = 4 << 20;

/// Bytes of one setting: the tables of the shipped model have 300 KB.
pub const SETTING_BYTES: usize = 32 << 20;

/// Snapshots kept: should the newest turn out damaged, the one before it and the segments behind that are still there.
pub const SNAPSHOTS_KEPT: usize = 2;

/// Bytes of damaged and torn parts that are set aside in all; a disk that goes bad must not fill itself.
/// Less in the tests of this crate, as above.
pub const ASIDE_BYTES: u64 = if cfg!(test) { 16 << 10 } else { 256 << 20 };

/// Damaged and torn parts that a report lists before the rest is only counted.
pub const FLAWS_LISTED: usize = 100;

/// Places in which an environment or realm of a batch is looked for by its address. A batch seldom has more than some
/// dozen; one that is not found is written once more.
pub const TABLE_PLACES: usize = 512;

/// Neighbouring places that are looked at.
pub const TABLE_PROBES: usize = 8;

/// Bytes beyond the bound that ticks may take, and a setting beside its own: some dozens of ticks, each in a segment of its
/// own. Two are enough for the snapshots that let go the rest.
pub const TICK_BYTES: u64 = 64 << 10;

/// Pause before a disk that had no room is asked again: as often as the clock ticks.
pub const PROBE_PAUSE: Millis = Millis(250);
