//! What a writer tells the store.

use authstitch_model::line::JourneyLine;
use authstitch_model::{JourneyId, KeyHash};

/// One change of what is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A journey was judged, for the first time or anew.
    Put {
        /// The journey, in this revision.
        line: Box<JourneyLine>,
        /// Every key under which it is to be found.
        keys: Vec<KeyHash>,
    },
    /// A journey turned out to be part of another.
    Remove {
        /// The one that is no more.
        journey: JourneyId,
        /// Its final revision.
        revision: u32,
        /// The one that took its place.
        into: JourneyId,
    },
}
