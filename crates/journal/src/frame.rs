//! A frame: the entries of one commit, with what tells whether they are whole.
//!
//! A frame begins at a multiple of [`SECTOR`], the smallest piece that disks write: a disk writes a sector whole or not
//! at all, and a frame's sectors are its own. So a write that breaks off never touches what was committed before.
//!
//! The header has a checksum of its own. Where the entries are damaged and the header is not, exactly they are passed
//! over; where the header is damaged, the next one is looked for at the beginnings of sectors.
//!
//! ```text
//! magic 4 | checksum of what follows to the header's end 4 | checksum of the entries 4 | bytes of the entries 4
//! | segment 8 | position of the first 8 | number of entries 4 | 0 4 | receipt of the first 8, of the last 8
//! | up to where the segment was on disk when this was written 8 | entries | zeros up to the next sector
//! ```

use authstitch_model::{Position, UnixNanos};

use crate::bytes::{u32_at, u64_at};

/// The smallest piece that a disk writes.
pub const SECTOR: usize = 512;

/// Bytes of a header.
pub const HEADER: usize = 64;

const MAGIC: [u8; 4] = *b"\xa5jfr";

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The segment it was written to. What an earlier life of the file left behind names another one.
    pub segment: u64,
    /// The position of its first entry.
    pub first: Position,
    /// How many entries it holds, at least one.
    pub entries: u32,
    /// When the first was received.
    pub received: UnixNanos,
    /// When the last was received.
    pub latest: UnixNanos,
    /// All bytes of the segment before this one were on disk when it was written.
    pub synced: u64,
    /// Bytes of the entries.
    pub length: u32,
    /// Checksum of the entries.
    pub checksum: u32,
}

impl Header {
    /// As bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
        put(0, &MAGIC);
        put(8, &self.checksum.to_le_bytes());
        put(12, &self.length.to_le_bytes());
        put(16, &self.segment.to_le_bytes());
        put(24, &self.first.0.to_le_bytes());
        put(32, &self.entries.to_le_bytes());
        put(40, &self.received.0.to_le_bytes());
        put(48, &self.latest.0.to_le_bytes());
        put(56, &self.synced.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[8..]);
        bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header that these bytes begin with, if they do.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.first_chunk()?;
        if bytes[..4] != MAGIC || u32_at(bytes, 4) != crc32fast::hash(&bytes[8..]) {
            return None;
        }
        let header = Self {
            checksum: u32_at(bytes, 8),
            length: u32_at(bytes, 12),
            segment: u64_at(bytes, 16),
            first: Position(u64_at(bytes, 24)),
            entries: u32_at(bytes, 32),
            received: UnixNanos(u64_at(bytes, 40)),
            latest: UnixNanos(u64_at(bytes, 48)),
            synced: u64_at(bytes, 56),
        };
        let ends = header.first.0.checked_add(header.entries.into()).is_some();
        (header.entries > 0 && header.first.0 > 0 && ends).then_some(header)
    }

    /// The position of its last entry.
    #[must_use]
    pub const fn last(&self) -> Position {
        Position(self.first.0 + self.entries as u64 - 1)
    }

    /// Bytes that the frame takes, up to the next sector.
    #[must_use]
    pub const fn span(&self) -> usize {
        span(self.length as usize)
    }
}

/// Bytes that a frame with so many bytes of entries takes.
#[must_use]
pub const fn span(length: usize) -> usize {
    (HEADER + length).next_multiple_of(SECTOR)
}
