//! Every bound of the stitcher, with its reason.

/// Journeys kept at once, open or waiting for late events: about 600 megabytes, as one of five events and three
/// keys takes 565 bytes; one of eleven events and seven keys takes 1,150.
pub const JOURNEYS: usize = 1_000_000;

/// The most journeys that may be configured: places are counted in 31 bits, and no machine holds more.
pub const JOURNEYS_CONFIGURABLE: u64 = 100_000_000;

/// Events that wait for a stronger one at once: six seconds of 80,000 weak events a second.
pub const WAITING_EVENTS: usize = 500_000;

/// Events of one journey: a person's login has some twenty, a page that reports each poll some hundred. More
/// are counted and dropped, so that one runaway client does not fill the memory.
pub const EVENTS_PER_JOURNEY: usize = 512;

/// Keys bound to one journey: WhatsApp shows six codes in a login, a code that changes each second for some
/// minutes has two hundred.
pub const KEYS_PER_JOURNEY: usize = 512;

/// Keys and trace ids that one journey of a snapshot may have: seven of each of its events, and those that merged
/// journeys left, twice over.
pub const CARRIED_BY_ONE_JOURNEY: usize = 8_192;

/// Weak keys through which one journey can be found: devices have one session and some traces each.
pub const WEAK_KEYS_PER_JOURNEY: usize = 64;

/// Journeys that one key may link while they are open: more of them share a constant, not a login.
pub const LINKED_BY_ONE_KEY: usize = 8;

/// Journeys remembered under one session, trace or container: those of a kiosk within the reopen window.
pub const JOURNEYS_PER_WEAK_KEY: usize = 64;

/// Keys remembered after their journey: a day of twelve attempts a second with two keys each, in 70 bytes each.
pub const TOMBSTONES: usize = 2_000_000;

/// Poisoned keys remembered: each took nine journeys to be found out.
pub const POISONED: usize = 100_000;
