//! Entries as bytes, and back exactly as they were.
//!
//! - The entries of a frame follow each other. What they share stands once: an environment or a realm is written where
//!   it is first needed and has a number from then on; of a trace id or a key that is the same as in the event before
//!   only that is said.
//! - An event begins with bits that say what is there; what is not there takes no room.
//! - Times stand as the distance from the record's receipt, receipts as that from the record before.
//! - The number of a word (an event's name, a reason…) is its place in the model's list. The lists only grow at their
//!   end: a test compares them with a committed text, since files are full of these numbers.
//! - Reading takes any bytes and ends: it refuses what no writer wrote, and never makes more of a count than the bytes
//!   behind it could hold.
//!
//! ```text
//! entry:       kind 1 | receipt varint | events: count varint, items; tick: nothing; setting: kind text, length, bytes
//! item:        environment | realm | event
//! environment: 0x80 | what is there 1 | per family: number 1, name | texts
//! realm:       0x81 | text
//! event:       what is as before 1 | what is there 4 | name 1 | flow, side 1 | [environment, realm varint]
//!              | time varint | identity 16 | [the rest, in the order of the bits]
//! text:        length 1 | bytes
//! ```

mod reading;
mod writing;

pub use reading::{Flaw, read};
pub(crate) use writing::{Mark, Writing};

/// The kinds of entries.
mod kind {
    pub const EVENTS: u8 = 0;
    pub const TICK: u8 = 1;
    pub const SETTING: u8 = 2;
}

/// The first byte of an item that is no event. That of an event is below them.
const ENVIRONMENT: u8 = 0x80;
const REALM: u8 = 0x81;

/// What is as in the event before, as bits: the keys in the order of their kinds, then the trace id.
const ALIKE_TRACE_ID: usize = 6;

/// What of an event is there, as bits, in the order in which it is written.
mod there {
    /// Environment and realm are not those of the event before.
    pub const PLACE: u32 = 1;
    pub const OBSERVED: u32 = 1 << 1;
    pub const TRACE_ID: u32 = 1 << 2;
    pub const SPAN_ID: u32 = 1 << 3;
    pub const PARENT: u32 = 1 << 4;
    pub const EVENT_ID: u32 = 1 << 5;
    /// The first of six keys, in the order of their kinds.
    pub const KEYS: usize = 6;
    pub const DURATION: u32 = 1 << 12;
    pub const CODE_TTL: u32 = 1 << 13;
    pub const TIMEOUT: u32 = 1 << 14;
    pub const ELAPSED: u32 = 1 << 15;
    pub const NETWORK: u32 = 1 << 16;
    pub const COUNTRY: u32 = 1 << 17;
    pub const SAMPLED: u32 = 1 << 18;
    pub const AAGUID: u32 = 1 << 19;
    pub const ERROR: u32 = 1 << 20;
    pub const REASON: u32 = 1 << 21;
    pub const METHOD: u32 = 1 << 22;
    pub const HTTP_METHOD: u32 = 1 << 23;
    pub const SYNTHETIC: u32 = 1 << 24;
    pub const MEDIATION: u32 = 1 << 25;
    pub const ATTACHMENT: u32 = 1 << 26;
    pub const TRANSPORTS: u32 = 1 << 27;
    pub const HYBRID: u32 = 1 << 28;
    pub const BACKUP_ELIGIBLE: u32 = 1 << 29;
    pub const BACKUP_STATE: u32 = 1 << 30;
}

/// The bits of an environment: the families first.
mod environment {
    pub const OS: u8 = 1;
    pub const BROWSER: u8 = 1 << 1;
    /// The first of five texts.
    pub const TEXTS: usize = 2;
    pub const ALL: u8 = 0x7f;
}

/// Where the flow stands in the byte of the side; none as 0.
const FLOW: u8 = 4;

/// The shortest event: bits, words, time and identity.
const SHORTEST: usize = 1 + 4 + 2 + 1 + 16;

/// The longest event: all there, and each as long as it gets.
const LONGEST: usize = SHORTEST + 20 + 10 + 10 + 16 + 16 + (1 + 64) + 6 * 16 + 4 * 10 + 8 + 2 + 2 + 8 + 11;

#[cfg(test)]
mod tests;
