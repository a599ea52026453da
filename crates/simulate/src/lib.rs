//! Simulated cross-device logins with known truth: worlds → attempts → OTLP requests and truth lines.
//!
//! Four layers, kept apart:
//!
//! 1. `life`: what happened to the person.
//! 2. `stack`: the events that the login stack emits about it.
//! 3. `faults`: what happens to the telemetry on its way.
//! 4. `schedule`: the requests in the order of their arrival.
//!
//! For loads beyond what can be made attempt by attempt, a `Pool` of attempts made in advance takes the place of
//! the first three layers, and a `Throng` that of the fourth: encoded records whose ids, keys and times are
//! replaced in place.
//!
//! Everything is a pure function of (world, seed, block number): the same twice is the same bytes, and a block
//! is the same alone or among others, on any number of threads. No clock, no file, no socket is known here;
//! nor is how a receiver stitches or judges, and truth never goes into the telemetry.

pub mod caps;

mod block;
mod capture;
mod emission;
mod faults;
mod life;
mod load;
mod observer;
mod pool;
mod random;
mod request;
mod schedule;
mod stack;
mod template;
mod throng;
mod truth;
mod world;

pub use block::{Block, EPOCH, Share, Simulation};
pub use capture::Capture;
pub use emission::{Content, Emission, Exporter, Scope};
pub use load::Load;
pub use observer::Ceilings;
pub use pool::Pool;
pub use request::{Body, Request};
pub use schedule::Schedule;
pub use throng::{Packed, Throng};
pub use world::{SHIPPED, VARIANTS, World, mixture};

#[cfg(test)]
mod tests;
