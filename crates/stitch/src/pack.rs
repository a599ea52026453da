//! An event of a journey in some forty bytes, from which it is read back as it was: [`Packing`] writes it,
//! [`unpack`] reads it.
//!
//! What many events of a journey share stands once: keys and trace ids in the journey's table, environments in
//! that of all journeys. The realm is the journey's own: no key of one realm is a key of another. Each event
//! stands for itself, so that one can be read without those before it.
//!
//! ```text
//! length 1 | name, joined by, side 1 | what is there 2 | identity 16 | time 5 or 8 | [span 8] [parent 8]
//! | environment 1 to 5 | numbers of keys, a byte each or three | [observed] [event id] [facts]
//! ```

use authstitch_model::{AuthEvent, EventName, Flow, Identity, JoinedBy, Side, SpanId, UnixNanos};

mod checking;
mod packing;
mod unpacking;

pub use checking::{check, renumber};
pub use packing::Packing;
pub use unpacking::{Table, glances, identity, packed, unpack, users};

/// The longest packed event: every field there, and each as long as it gets.
const LONGEST: usize = 219;

/// From this one on a number does not fit into a byte.
const LARGE: u16 = 255;

/// What is there, as bits. From [`REFERENCE`] on one for each reference, from [`FLOW`] on the flow, none as 0.
const SPAN: u16 = 1;
const PARENT: u16 = 1 << 1;
/// The time is far from the journey's id, and stands there as it is.
const FAR: u16 = 1 << 2;
const OBSERVED: u16 = 1 << 3;
const EVENT_ID: u16 = 1 << 4;
const FACTS: u16 = 1 << 5;
const REFERENCE: usize = 6;
const FLOW: usize = 13;

/// Where what follows the fixed beginning lies.
const BEGIN: usize = 4;

/// Where the time lies, behind the identity.
const TIME: usize = BEGIN + 16;

/// The frequent facts, as bits, and whether there are seldom ones.
mod frequent {
    pub const DURATION: u8 = 1;
    pub const NETWORK: u8 = 1 << 1;
    pub const COUNTRY: u8 = 1 << 2;
    pub const ERROR: u8 = 1 << 3;
    pub const CODE_TTL: u8 = 1 << 4;
    pub const SAMPLED: u8 = 1 << 5;
    pub const SYNTHETIC: u8 = 1 << 6;
    pub const SELDOM: u8 = 1 << 7;
}

/// The seldom facts, as bits.
mod seldom {
    pub const TIMEOUT: u16 = 1;
    pub const ELAPSED: u16 = 1 << 1;
    pub const AAGUID: u16 = 1 << 2;
    pub const MEDIATION: u16 = 1 << 3;
    pub const ATTACHMENT: u16 = 1 << 4;
    pub const HYBRID: u16 = 1 << 5;
    pub const TRANSPORTS: u16 = 1 << 6;
    pub const BACKUP_ELIGIBLE: u16 = 1 << 7;
    pub const BACKUP_STATE: u16 = 1 << 8;
    pub const REASON: u16 = 1 << 9;
    pub const METHOD: u16 = 1 << 10;
    pub const HTTP_METHOD: u16 = 1 << 11;
}

/// Bytes of a time near the journey's id: nine minutes before or after it.
const NEAR_BYTES: usize = 5;

/// What places and orders an event, which is read without the rest.
#[derive(Clone, Copy, Debug)]
pub struct Glance {
    pub name: EventName,
    pub side: Side,
    pub joined_by: JoinedBy,
    pub flow: Option<Flow>,
    pub identity: Identity,
    pub time: UnixNanos,
    pub span_id: Option<SpanId>,
    pub parent_span_id: Option<SpanId>,
    /// The rest of it, if it is packed.
    pub rest: Rest,
}

/// What of a packed event is not seen at a glance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rest {
    /// What is there, as bits.
    what: u16,
    /// Where it begins among the packed events.
    begin: u32,
}

impl Glance {
    /// The same of an event that is not packed.
    pub fn of(event: &AuthEvent, joined_by: JoinedBy) -> Self {
        Self {
            name: event.name,
            side: event.side,
            joined_by,
            flow: event.flow,
            identity: event.identity,
            time: event.time,
            span_id: event.origin.span_id,
            parent_span_id: event.origin.parent_span_id,
            rest: Rest::default(),
        }
    }
}

#[cfg(test)]
mod tests;
