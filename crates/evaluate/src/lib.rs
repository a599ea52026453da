//! Truth × journeys → scorecard.
//!
//! This crate knows the truth line and the journey line and nothing else: not how journeys are stitched, not
//! how they are judged, no clock, no file. Whatever writes the two lines can be scored.
//!
//! What the scores are taken over, in this order:
//!
//! 1. Of one journey id only the newest revision counts, and a journey that merged into another not at all.
//! 2. An event is known by trace, span, event id and name. A journey belongs to the attempt with which it
//!    shares most events, the smaller attempt number where two share as many; an attempt's journey is the one
//!    of those that belong to it with which it shares most, the older id where two share as many.
//! 3. An attempt is *scored* if an event with a strong key survived of it. A truth line that does not tell the
//!    keys of its events counts as if all of them carried one and the same strong key.
//! 4. A scored attempt without a journey is wrong everywhere.
//! 5. *No session seen* is told by the journey, never by the truth: the attempts in whose journey no session
//!    was established on the initiator's or the server's side, and those without a journey.
//!
//! A score that is not defined (a share of nothing) is `null`, never zero and never NaN.

mod assessment;
mod baseline;
mod calibration;
pub mod caps;
mod case;
mod forecast;
mod honesty;
mod matching;
mod mean;
mod read;
mod relay;
mod report;
mod scorecard;
mod scores;
mod stitching;
mod suite;
mod tally;
#[cfg(test)]
mod testing;
mod text;

pub use assessment::{Assessment, pooled};
pub use read::{ReadError, read_journeys, read_truth};
pub use relay::Relay;
pub use scorecard::{Baselines, Meta, Populations, Scorecard, StandardErrors, score};
pub use scores::Scores;
pub use stitching::Stitching;
pub use suite::{Member, Suite};
