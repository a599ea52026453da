//! Events that wait for a stronger one: those with weak keys or a container only.
//!
//! They are let go by (deadline, event time, identity), so an earlier event is placed before a later one that
//! came with it.

use std::collections::BTreeMap;

use authstitch_model::{AuthEvent, EventName, Identity, KeyHash, UnixNanos};
use hashbrown::HashMap;

/// The order in which waiting events are let go.
type Turn = (UnixNanos, UnixNanos, Identity);

/// An event that waits.
#[derive(Debug)]
pub struct Waiting {
    pub event: AuthEvent,
    pub received: UnixNanos,
}

/// All events that wait.
#[derive(Debug, Default)]
pub struct WaitingRoom {
    turns: BTreeMap<Turn, Waiting>,
    /// How many waiting events of each trace can found a journey.
    founding: HashMap<KeyHash, usize>,
}

impl WaitingRoom {
    /// Lets an event wait until a deadline.
    pub fn enter(&mut self, deadline: UnixNanos, received: UnixNanos, event: AuthEvent) {
        if let Some(trace) = event.keys.trace.filter(|_| can_found(event.name)) {
            *self.founding.entry(trace).or_default() += 1;
        }
        self.turns.insert((deadline, event.time, event.identity), Waiting { event, received });
    }

    /// The next deadline.
    pub fn next_deadline(&self) -> Option<UnixNanos> {
        self.turns.first_key_value().map(|((deadline, ..), _)| *deadline)
    }

    /// The next event, whatever its deadline. It still counts for its trace until [`Self::leave`].
    pub fn pop(&mut self) -> Option<Waiting> {
        self.turns.pop_first().map(|(_, waiting)| waiting)
    }

    /// Whether an event of this trace that can found a journey waits, or has just been let go.
    pub fn trace_can_found(&self, trace: KeyHash) -> bool {
        self.founding.contains_key(&trace)
    }

    /// The event that was let go is placed.
    pub fn leave(&mut self, name: EventName, trace: Option<KeyHash>) {
        let Some(trace) = trace.filter(|_| can_found(name)) else { return };
        if let Some(count) = self.founding.get_mut(&trace) {
            *count -= 1;
            if *count == 0 {
                self.founding.remove(&trace);
            }
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.turns.len()
    }
}

/// Whether an event lets its trace form a journey of its own: a challenge, a ceremony, a code on the screen, a
/// verification's result, or a terminal event. A link that was sent is none: mails go out for other reasons.
pub const fn can_found(name: EventName) -> bool {
    name.is_terminal()
        || matches!(
            name,
            EventName::ChallengeCreated
                | EventName::WebauthnStarted
                | EventName::QrShown
                | EventName::VerificationSucceeded
        )
}
