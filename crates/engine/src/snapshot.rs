//! The whole state of an engine as bytes, and back.
//!
//! ```text
//! "engine" 6 | format 2 | now 8 | hash of these bytes before it 8 | the stitcher's snapshot
//! ```
//!
//! Settings, completeness and tables are not in it: whoever restores gives them. A snapshot after some records and
//! the records after those give what all records give, byte for byte.

use authstitch_model::{UnixNanos, fnv1a};
use authstitch_stitch::{SnapshotError, Stitcher};

use crate::{Engine, Settings};

/// What a snapshot begins with.
const MAGIC: &[u8; 6] = b"engine";

/// The format that is written, and the only one that is read.
const FORMAT: u16 = 1;

/// Where the format ends, then the time.
const TIME: usize = MAGIC.len() + size_of::<u16>();
const HASH: usize = TIME + size_of::<u64>();

impl Engine {
    /// Everything that the engine knows, for [`Self::restore`].
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.now.0.to_le_bytes());
        bytes.extend_from_slice(&fnv1a(&bytes).to_le_bytes());
        self.stitcher.snapshot(&mut bytes);
        bytes
    }

    /// An engine that goes on where the one went on that was written, by these settings.
    ///
    /// # Errors
    ///
    /// If the bytes are not those of a snapshot of this format.
    pub fn restore(settings: Settings, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let format = bytes.strip_prefix(MAGIC).and_then(<[u8]>::first_chunk);
        let found = u16::from_le_bytes(*format.ok_or(SnapshotError::NoSnapshot)?);
        if found != FORMAT {
            return Err(SnapshotError::Format { found, read: FORMAT });
        }
        let damaged = |what| SnapshotError::Damaged { at: TIME, what };
        let (head, rest) = bytes.split_at_checked(HASH).ok_or(damaged("too few bytes"))?;
        let (hash, stitcher) = rest.split_first_chunk().ok_or(damaged("too few bytes"))?;
        let now = head.last_chunk().filter(|_| u64::from_le_bytes(*hash) == fnv1a(head));
        let now = UnixNanos(u64::from_le_bytes(*now.ok_or(damaged("the time's hash is another"))?));
        let stitcher = Stitcher::restore(settings.stitch, stitcher)?;
        Ok(Self { stitcher, now, ..Self::new(settings) })
    }
}
