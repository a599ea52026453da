//! Every bound of the shared types, with its reason. Each crate keeps the bounds of its own structures in a
//! `caps.rs` of its own.

use crate::time::UnixNanos;

/// Bytes of a text attribute that is kept (system, browser, device, versions, realm): the longest device
/// names in the field are about 40.
pub const TEXT_BYTES: usize = 64;

/// Bytes of a raw key value that is hashed; a longer one is cut first. A base64url challenge of 64 bytes has
/// 86 characters, a link token seldom over 512.
pub const KEY_VALUE_BYTES: usize = 2048;

/// Characters below which a value is no key: shorter ones are counters and flags, and would tie strangers
/// together.
pub const KEY_MIN_CHARS: usize = 8;

/// The first time that an event may not carry: 2200-01-01. Later ones are unit mistakes (milliseconds or
/// microseconds multiplied once too often), not clocks.
pub const EVENT_TIME_END: UnixNanos = UnixNanos(7_258_118_400_000_000_000);

/// Causes, spans and pieces of evidence shown in one verdict: more than this nobody reads.
pub const EVIDENCE_SHOWN: usize = 6;

/// Characters of a value that a problem of a document quotes: by so many it is found again.
pub const QUOTED_CHARS: usize = 80;

/// Characters of a problem's path: the longest of the shipped documents has some forty, the rest is for the writer's own
/// names.
pub const PATH_CHARS: usize = 200;

/// Characters of what another library or a file's reader says of a document.
pub const REMARK_CHARS: usize = 1000;

/// Problems of one document that are listed before the rest is only counted.
pub const DOCUMENT_PROBLEMS: usize = 50;
