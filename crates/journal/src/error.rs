//! What can go wrong with the journal, said so that the reader knows what to do next.

use std::fmt;
use std::io;
use std::sync::Arc;

use authstitch_model::Position;

use crate::caps;
use crate::codec::Flaw;
use crate::head::VERSION;

/// Why a journal was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// A file of a later version.
    Version {
        /// The file.
        file: String,
        /// Its version.
        found: u32,
    },
    /// A setting that cannot work.
    Setting {
        /// Its name.
        name: &'static str,
        /// Its value.
        found: u64,
        /// The least that is accepted.
        least: u64,
    },
    /// The disk failed.
    Disk {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { file, found } => write!(
                f,
                "{file} of the journal has version {found}, this version of authstitch reads up to {VERSION}; use the \
                 version that wrote the file, or another data directory"
            ),
            Self::Setting { name, found, least } => write!(
                f,
                "{name} of the journal is {found}; at least {least} is accepted, for it has to hold \
                 {} segments",
                caps::SEGMENTS_LEAST
            ),
            Self::Disk { doing, file, source } => {
                write!(f, "{doing} {file} of the journal failed: {source}")
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Disk { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why a record was not taken. Nothing of it was written, and what was taken before it is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refused {
    /// The batch is full: commit it, then try again.
    Batch,
    /// A record, or a setting, larger than any.
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// The most that is accepted.
        most: usize,
    },
    /// The journal has the size that it may have.
    Full {
        /// Its bytes, with the segment that would be needed.
        needed: u64,
        /// What it may have.
        bound: u64,
    },
    /// There is no room for another segment on the disk.
    Disk {
        /// The bytes that would be needed.
        needed: u64,
        /// What the system says.
        source: io::Error,
    },
    /// The journal has failed.
    Poisoned(Poisoned),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch => f.write_str("the journal's batch is full; commit it and try again"),
            Self::TooLarge { bytes, most } => write!(
                f,
                "a record of {bytes} bytes is refused: at most {most} are accepted; send smaller requests"
            ),
            Self::Full { needed, bound } => write!(
                f,
                "the journal would need {needed} bytes and may have {bound}; it shrinks when the sinks have taken what \
                 they wait for, or allow it more"
            ),
            Self::Disk { needed, source } => write!(
                f,
                "a segment of {needed} bytes for the journal cannot be made: {source}; make room on the disk"
            ),
            Self::Poisoned(poisoned) => poisoned.fmt(f),
        }
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Disk { source, .. } => Some(source),
            Self::Poisoned(poisoned) => Some(poisoned),
            _ => None,
        }
    }
}

/// The disk failed while it was written to. What is on it is known only after the journal was opened anew; until then
/// nothing is taken and nothing promised.
#[derive(Clone, Debug)]
pub struct Poisoned {
    /// What was being done.
    pub doing: &'static str,
    /// What the system said.
    pub source: Arc<io::Error>,
}

impl fmt::Display for Poisoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the journal takes nothing any more since {} failed: {}; look after the disk, then start authstitch again",
            self.doing, self.source
        )
    }
}

impl std::error::Error for Poisoned {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// Why a snapshot was not made. The journal is as it was before.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It would know more than the journal.
    Ahead {
        /// Its position.
        position: Position,
        /// The last committed position.
        committed: Position,
    },
    /// The disk failed.
    Disk {
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The journal failed when it ended a segment.
    Poisoned(Poisoned),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ahead { position, committed } => write!(
                f,
                "a snapshot at position {} is refused: the journal is committed up to {}",
                position.0, committed.0
            ),
            Self::Disk { doing, source } => write!(f, "{doing} a snapshot failed: {source}"),
            Self::Poisoned(poisoned) => poisoned.fmt(f),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Disk { source, .. } => Some(source),
            Self::Ahead { .. } => None,
            Self::Poisoned(poisoned) => Some(poisoned),
        }
    }
}

/// Why events were not erased, or not all of them. Erasing again does the rest.
#[derive(Debug)]
#[non_exhaustive]
pub enum EraseError {
    /// The journal has failed.
    Poisoned(Poisoned),
    /// The disk failed.
    Disk {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for EraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisoned(poisoned) => poisoned.fmt(f),
            Self::Disk { doing, file, source } => write!(
                f,
                "erasing from the journal ended early: {doing} {file} failed: {source}; erase again once the disk is well"
            ),
        }
    }
}

impl std::error::Error for EraseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Poisoned(poisoned) => Some(poisoned),
            Self::Disk { source, .. } => Some(source),
        }
    }
}

/// Why entries could not be read back.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// A frame that is whole, and whose entries nobody could have written. The entries behind it can be read.
    Entries {
        /// The segment's file.
        file: String,
        /// Its first position.
        first: Position,
        /// Its last position.
        last: Position,
        /// What is wrong.
        flaw: Flaw,
    },
    /// The disk failed.
    Disk {
        /// The segment's file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entries { file, first, last, flaw } => write!(
                f,
                "records {} to {} in {file} of the journal cannot be read: {flaw}; they are set aside",
                first.0, last.0
            ),
            Self::Disk { file, source } => write!(f, "reading {file} of the journal failed: {source}"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Disk { source, .. } => Some(source),
            Self::Entries { .. } => None,
        }
    }
}
