//! Every bound of this crate, with its reason.

use authstitch_model::Millis;

/// Events that one span may carry: SDKs stop at 128 by default; a record of thirty bytes becomes an event of
/// several hundred, so a span of a million would be a way to fill the memory.
pub const EVENTS_PER_SPAN: usize = 1024;

/// The first length of time that is not believed: nothing in a login lasts a week; longer ones are unit
/// mistakes.
pub const LENGTH_END: Millis = Millis::from_mins(7 * 24 * 60);

/// Rules of one mapping, of each sort: the largest preset has a dozen.
pub const RULES: usize = 1000;

/// Bytes of a user agent that are read: real ones seldom have 300.
pub const AGENT_BYTES: usize = 512;

/// Characters of an error type or message that are read: what tells errors apart stands at the beginning.
pub const ERROR_BYTES: usize = 1024;

/// Bytes of a wrong id that a message shows.
pub const ID_BYTES_SHOWN: usize = 24;

/// Characters of a message about a request that cannot be read.
pub const MESSAGE_CHARS: usize = 300;

/// Bytes of a version that are kept: four numbers with their dots.
pub const VERSION_BYTES: usize = 24;

/// Texts of one list that are read: transports and brands have a handful.
pub const LIST_TEXTS: usize = 64;

/// Emitters that are kept from request to request: browsers by version, apps, servers. They take a few megabytes.
pub const EMITTERS_KEPT: usize = 4096;

/// Bytes of what an emitter says of itself up to which it is kept.
pub const EMITTER_BYTES: usize = 2048;

/// Emitters of one resource that are remembered while its records are read: a server's batch speaks of many
/// clients, who use few browsers.
pub const EMITTERS_REMEMBERED: usize = 16;

/// Attributes that are remembered by their places in the record before: instrumentations give their spans ten to
/// thirty.
pub const ATTRIBUTES_REMEMBERED: usize = 32;

/// Values of one kind whose hashes are remembered within a request, a power of two: about as many logins have records
/// in one batch of an exporter.
pub const HASHES_REMEMBERED: usize = 128;
