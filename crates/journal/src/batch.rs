//! The batch: the entries that the next commit writes as one frame.

use authstitch_model::{Position, UnixNanos};

use crate::codec;
use crate::entry::Body;
use crate::frame::{self, HEADER, Header, SECTOR};
use crate::journal::Stamp;

/// The entries of the next frame, behind the room for its header.
#[derive(Debug, Default)]
pub struct Batch {
    writing: codec::Writing,
    first: Position,
    entries: u32,
    received: UnixNanos,
    latest: UnixNanos,
}

/// Where to go back to.
#[derive(Debug)]
pub struct Mark {
    writing: codec::Mark,
    bytes: usize,
    latest: UnixNanos,
}

impl Mark {
    /// Bytes of the batch at that place.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Batch {
    /// Adds an entry; it can be taken back.
    pub fn push(&mut self, stamp: Stamp, body: &Body<'_>) -> Mark {
        if self.is_empty() {
            self.writing.restart(stamp.received);
            self.writing.bytes.resize(HEADER, 0);
            (self.first, self.received, self.latest) = (stamp.position, stamp.received, stamp.received);
        }
        let mark = Mark { writing: self.writing.mark(), bytes: self.len(), latest: self.latest };
        self.writing.entry(stamp.received, body);
        self.entries += 1;
        self.latest = stamp.received;
        mark
    }

    /// Takes the last entry back.
    pub fn take_back(&mut self, mark: &Mark) {
        self.writing.go_back(&mark.writing);
        self.latest = mark.latest;
        self.entries -= 1;
    }

    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    pub const fn entries(&self) -> u32 {
        self.entries
    }

    /// The position of the first entry.
    pub const fn first(&self) -> Position {
        self.first
    }

    /// When the first entry was received.
    pub const fn received(&self) -> UnixNanos {
        self.received
    }

    /// Bytes of the entries.
    pub fn len(&self) -> usize {
        if self.is_empty() { 0 } else { self.writing.bytes.len() - HEADER }
    }

    /// Bytes that the frame will take on the disk.
    pub fn span(&self) -> u64 {
        frame::span(self.len()) as u64
    }

    /// The frame, and a sector of zeros behind it.
    pub fn seal(&mut self, segment: u64, synced: u64) -> &[u8] {
        let length = self.len();
        let bytes = &mut self.writing.bytes;
        let header = Header {
            segment,
            first: self.first,
            entries: self.entries,
            received: self.received,
            latest: self.latest,
            synced,
            length: length as u32,
            checksum: crc32fast::hash(&bytes[HEADER..]),
        };
        bytes[..HEADER].copy_from_slice(&header.bytes());
        bytes.resize(frame::span(length) + SECTOR, 0);
        bytes
    }

    /// Forgets the entries, once they are written.
    pub fn clear(&mut self) {
        self.entries = 0;
        // One huge record must not hold its room for ever.
        self.writing.bytes.clear();
        self.writing.bytes.shrink_to(2 * crate::caps::BATCH_BYTES);
    }
}
