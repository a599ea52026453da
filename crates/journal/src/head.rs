//! The heads of files: whose they are, in which version, and what they hold.
//!
//! Magic, version and checksum stand at the same places in every version, so that a program can tell a file of a later
//! version, which it refuses, from a damaged one, which it sets aside.
//!
//! ```text
//! magic 8 | version 4 | checksum of the head without these four bytes 4 | what the kind of file needs, then zeros
//! ```

use authstitch_model::{Position, UnixNanos};

use crate::bytes::{numbered, u32_at, u64_at};
use crate::frame::SECTOR;

/// The version of the files that this program writes, and the latest that it reads.
pub const VERSION: u32 = 1;

const SEGMENT: [u8; 8] = *b"\xa5jsegmnt";
const SNAPSHOT: [u8; 8] = *b"\xa5jsnapsh";

/// What a head can be beside what was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoHead {
    /// Damaged.
    Damaged,
    /// Of a version that this program does not know.
    Version(u32),
}

/// What a segment begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHead {
    /// Its number. Later segments have greater ones.
    pub segment: u64,
    /// The last position that was on disk before it.
    pub before: Position,
    /// The first position that it may hold. Those between were never given.
    pub first: Position,
    /// The segment before it; 0 where there was none.
    pub predecessor: u64,
    /// When its first record was received.
    pub received: UnixNanos,
}

impl SegmentHead {
    /// As bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; SECTOR] {
        sealed(SEGMENT, &[self.segment, self.before.0, self.first.0, self.predecessor, self.received.0])
    }

    /// Reads a head.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, NoHead> {
        let bytes = opened(SEGMENT, bytes)?;
        Ok(Self {
            segment: u64_at(bytes, 16),
            before: Position(u64_at(bytes, 24)),
            first: Position(u64_at(bytes, 32)),
            predecessor: u64_at(bytes, 40),
            received: UnixNanos(u64_at(bytes, 48)),
        })
    }
}

/// What a snapshot begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// The position of the last record that it knows.
    pub position: Position,
    /// No record that it knows was received later.
    pub received: UnixNanos,
    /// Bytes of what follows.
    pub length: u64,
    /// Its checksum.
    pub checksum: u32,
}

impl SnapshotHead {
    /// As bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; SECTOR] {
        sealed(SNAPSHOT, &[self.position.0, self.received.0, self.length, self.checksum.into()])
    }

    /// Reads the head of a snapshot that is this long, head and all.
    ///
    /// # Errors
    /// If it is none, or the length is another one.
    pub fn read(bytes: &[u8], file: u64) -> Result<Self, NoHead> {
        let bytes = opened(SNAPSHOT, bytes)?;
        let (length, checksum) = (u64_at(bytes, 32), u32_at(bytes, 40));
        if length.checked_add(SECTOR as u64) != Some(file) {
            return Err(NoHead::Damaged);
        }
        let (position, received) = (Position(u64_at(bytes, 16)), UnixNanos(u64_at(bytes, 24)));
        Ok(Self { position, received, length, checksum })
    }
}

/// The head of a snapshot file, and what follows.
///
/// # Errors
/// If it is no whole snapshot of a known version.
pub fn read_snapshot(file: &[u8]) -> Result<(SnapshotHead, &[u8]), NoHead> {
    let head = SnapshotHead::read(file, file.len() as u64)?;
    let (_, bytes) = file.split_at(SECTOR);
    if crc32fast::hash(bytes) == head.checksum { Ok((head, bytes)) } else { Err(NoHead::Damaged) }
}

fn checksum(head: &[u8; SECTOR]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&head[..12]);
    checksum.update(&head[16..]);
    checksum.finalize()
}

fn sealed(magic: [u8; 8], numbers: &[u64]) -> [u8; SECTOR] {
    let mut head = [0; SECTOR];
    head[..8].copy_from_slice(&magic);
    head[8..12].copy_from_slice(&VERSION.to_le_bytes());
    for (place, number) in numbers.iter().enumerate() {
        head[16 + 8 * place..24 + 8 * place].copy_from_slice(&number.to_le_bytes());
    }
    let checksum = checksum(&head);
    head[12..16].copy_from_slice(&checksum.to_le_bytes());
    head
}

fn opened(magic: [u8; 8], bytes: &[u8]) -> Result<&[u8; SECTOR], NoHead> {
    let head: &[u8; SECTOR] = bytes.first_chunk().ok_or(NoHead::Damaged)?;
    if head[..8] != magic || u32_at(head, 12) != checksum(head) {
        return Err(NoHead::Damaged);
    }
    match u32_at(head, 8) {
        VERSION => Ok(head),
        version => Err(NoHead::Version(version)),
    }
}

/// The names of the journal's files.
pub mod names {
    use super::numbered;
    use authstitch_model::Position;

    /// The name of a segment made ahead, or of one that waits for its next use. What it holds means nothing.
    pub fn spare(number: u64) -> String {
        format!("spare-{number:016x}")
    }

    /// Whether a file with this name is one.
    pub fn is_spare(name: &str) -> bool {
        numbered(name, "spare-").is_some()
    }

    /// How the name of a file ends that is not whole yet.
    pub const UNFINISHED: &str = ".new";

    /// The name of a segment.
    pub fn segment(number: u64) -> String {
        format!("segment-{number:016x}")
    }

    /// The number of the segment with this name.
    pub fn segment_number(name: &str) -> Option<u64> {
        numbered(name, "segment-").filter(|number| *number > 0)
    }

    /// The name of a snapshot.
    pub fn snapshot(position: Position) -> String {
        format!("snapshot-{:016x}", position.0)
    }

    /// The position of the snapshot with this name.
    pub fn snapshot_position(name: &str) -> Option<Position> {
        numbered(name, "snapshot-").map(Position)
    }

    /// The name of what was set aside from a file, beginning at this byte.
    pub fn aside(file: &str, begin: u64) -> String {
        format!("aside-{file}-{begin:08x}")
    }

    /// Whether a file with this name was set aside.
    pub fn is_aside(name: &str) -> bool {
        name.starts_with("aside-")
    }
}
