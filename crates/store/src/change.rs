//! What a writer tells the store.

use authstitch_model::{JourneyId, Judged};

/// One change of what is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A journey was judged, for the first time or anew. It is found under every key that it carries.
    Put(Box<Judged>),
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
