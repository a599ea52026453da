//! What the journal keeps: the records that the engine is fed with, and what else decides what becomes of them.

use authstitch_model::ids::Text;
use authstitch_model::{AuthEvent, Position, Record, RecordBody, UnixNanos};

/// What is to be written.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// The events of one accepted request, in the request's order.
    Events(&'a [AuthEvent]),
    /// Time went on and nothing came.
    Tick,
    /// From here on other settings hold.
    Setting {
        /// Which settings: the stitcher's, the model's tables…
        kind: &'a Text,
        /// The settings, as whoever owns them writes them.
        bytes: &'a [u8],
    },
}

/// What was read back.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// For the engine.
    Record(Record),
    /// For whoever owns the settings.
    Setting(Setting),
}

/// Settings that hold from their position on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Their place among the records.
    pub position: Position,
    /// When they were made.
    pub received: UnixNanos,
    /// Which settings.
    pub kind: Text,
    /// The settings.
    pub bytes: Box<[u8]>,
}

impl Entry {
    /// Its place in the order.
    #[must_use]
    pub const fn position(&self) -> Position {
        match self {
            Self::Record(record) => record.position,
            Self::Setting(setting) => setting.position,
        }
    }

    /// When it was received.
    #[must_use]
    pub const fn received(&self) -> UnixNanos {
        match self {
            Self::Record(record) => record.received,
            Self::Setting(setting) => setting.received,
        }
    }
}

impl<'a> From<&'a Entry> for Body<'a> {
    fn from(entry: &'a Entry) -> Self {
        match entry {
            Entry::Record(Record { body: RecordBody::Events(events), .. }) => Body::Events(events),
            Entry::Record(Record { body: RecordBody::Tick, .. }) => Body::Tick,
            Entry::Setting(Setting { kind, bytes, .. }) => Body::Setting { kind, bytes },
        }
    }
}
