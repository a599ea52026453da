//! The vocabulary that every part of authstitch shares: events, keys, flows, phases, causes, journeys,
//! verdicts, and the two lines that leave the program (the journey line and the truth line).
//!
//! This crate knows no clock, no file, no socket and no tokio. It holds types and tables; the decisions are
//! made in `stitch` and `classify`.

/// The schema URL of the `auth.*` convention; every version of it begins with [`SCHEMA_URL_PREFIX`].
pub const SCHEMA_URL: &str = "https://authstitch.example/schemas/0.1.0";

/// What every version's schema URL begins with: a record that carries one is ours.
pub const SCHEMA_URL_PREFIX: &str = "https://authstitch.example/schemas/";

pub mod caps;
pub mod ceremony;
mod codes;
pub mod completeness;
pub mod document;
pub mod event;
mod fnv;
pub mod forget;
pub mod ids;
pub mod journey;
pub mod judged;
pub mod key;
pub mod line;
pub mod phases;
pub mod record;
pub mod remedy;
mod siphash;
pub mod time;
pub mod truth;
pub mod verdict;
pub mod vocabulary;

pub use completeness::Completeness;
pub use event::{AuthEvent, Environment, Facts, Origin};
pub use fnv::fnv1a;
pub use forget::Forget;
pub use ids::{EventId, Identity, JourneyId, Realm, SpanId, TraceId};
pub use journey::{ClockOffsets, Journey, JourneyEvent, Predecessor, Successor};
pub use judged::Judged;
pub use key::{EventKeys, KeyHash, KeyKind, RealmSecret, Secret};
pub use record::{Position, Record, RecordBody};
pub use time::{Millis, UnixNanos};
pub use verdict::Verdict;
pub use vocabulary::{
    Attachment, Basis, Browser, Cause, CloseReason, EndAct, ErrorClass, EventName, Evidence, Flow,
    HttpMethod, JoinedBy, Mediation, Method, Os, Outcome, Phase, Reason, Side, Synthetic, Transport,
};
