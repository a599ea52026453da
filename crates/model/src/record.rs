//! What the engine is fed: accepted events and ticks, in one order, each with its receipt time.

use serde::{Deserialize, Serialize};

use crate::event::AuthEvent;
use crate::time::UnixNanos;

/// A record's place in the one order of all records; the first is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// One entry of the log that decides everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its place.
    pub position: Position,
    /// When it was received. It never goes back from one record to the next.
    pub received: UnixNanos,
    /// What it holds.
    pub body: RecordBody,
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordBody {
    /// The events of one accepted request, in the request's order.
    Events(Vec<AuthEvent>),
    /// Time went on and nothing came.
    Tick,
}
