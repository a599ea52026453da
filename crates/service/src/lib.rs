//! authstitch as a service: OTLP in over gRPC and HTTP, judged journeys into the store, and an address for
//! people and operators.
//!
//! The way of a request: `listener` → `connection` → `grpc`, `http` or `public` → `intake` (let in, read,
//! decode) → `sequencer` (the one order) → `judge` (the engine's thread) → `sink` (the store's thread). `door`
//! says who may come in; `parts` puts the parts together, `lifecycle` starts and stops them; `clock` is the only one that
//! reads a clock.
//!
//! With a data directory `writer` stands between the sequencer and the judge: what is answered is in the journal, and
//! `recovery` makes of it at a start what the engines were. Without one, records wait in memory. `forgetting` erases a
//! journey from all of it.

pub mod caps;

mod admission;
mod body;
mod claims;
mod clock;
mod connection;
mod counters;
mod credentials;
mod data_dir;
mod door;
mod engines;
mod error;
mod find;
mod forgetting;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod grpc;
mod health;
mod http;
mod intake;
mod judge;
mod lag;
mod latency;
mod lifecycle;
mod listener;
mod log;
mod metrics;
mod parts;
mod public;
mod recovery;
mod refusal;
mod refused;
mod reports;
mod sequencer;
mod settings;
mod shards;
mod shares;
mod sink;
mod tables;
mod tls;
mod tokens;
mod unpack;
mod unreached;
mod web;
mod writer;

#[cfg(test)]
mod tests;

pub use authstitch_journal::Durability;
pub use clock::{Clock, SCHEDULE_HEADER};
pub use counters::Counts;
pub use data_dir::served_at;
pub use door::Refreshed;
pub use error::{Listener, StartError};
pub use find::{FindError, find};
pub use forgetting::{Forgotten, forget};
pub use latency::{Latencies, QUANTILES};
pub use lifecycle::{Running, Summary, start, start_with_log};
pub use log::{Log, LogFormat, LogLevel};
pub use settings::{
    Headers, Journal, Limits, Listening, Logging, Origin, Public, ReportProtocol, SecretSource, Settings,
    Share, Telemetry, TlsFiles,
};
pub use tables::{TablesError, read_tables};
pub use tokens::Tokens;
