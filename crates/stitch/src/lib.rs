//! AuthEvents → Journeys. Pure, bounded, time is an argument.

use authstitch_model::{AuthEvent, Journey, JourneyId, UnixNanos};

/// What the stitcher may be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {}

/// How often each thing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {}

/// What the stitcher says.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A journey closed, or a closed one learnt something: a new revision.
    Closed(Box<Journey>),
    /// Two journeys are one: this one, already told of, is no more.
    Merged {
        /// The one that is no more.
        journey: JourneyId,
        /// Its final revision.
        revision: u32,
        /// The one that took its place.
        into: JourneyId,
    },
}

/// The open journeys.
#[derive(Debug, Default)]
pub struct Stitcher {}

impl Stitcher {
    /// No journeys yet.
    #[must_use]
    pub fn new(_settings: Settings) -> Self {
        Self {}
    }

    /// Takes one event received at `received`; timers due by then have been fired by [`Self::advance`].
    pub fn accept(&mut self, _received: UnixNanos, _event: AuthEvent, _changes: &mut Vec<Change>) {}

    /// Fires all timers due at or before `now`, in the order of (deadline, journey id).
    pub fn advance(&mut self, _now: UnixNanos, _changes: &mut Vec<Change>) {}

    /// The earliest time at which a timer is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<UnixNanos> {
        None
    }

    /// Closes every open journey as `shutdown`.
    pub fn shut_down(&mut self, _now: UnixNanos, _changes: &mut Vec<Change>) {}

    /// How often each thing happened.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {}
    }
}
