//! Events that wait for a stronger one: those with weak keys or a container only.
//!
//! They are let go by (deadline, event time, rank of the name, side, arrival), so an earlier event is placed before a
//! later one that came with it, see [`crate::order`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use authstitch_model::{AuthEvent, EventName, Identity, KeyHash, Side, UnixNanos};
use hashbrown::HashMap;

use crate::order::rank;
use crate::pool::{Place, Pool};

/// The order in which waiting events are let go.
type Turn = (UnixNanos, UnixNanos, u8, Side, u64);

/// Room that stays between bursts.
const KEPT: usize = 1024;

/// An event that waits.
#[derive(Debug)]
pub struct Waiting {
    pub event: AuthEvent,
    pub received: UnixNanos,
}

/// All events that wait.
#[derive(Debug, Default)]
pub struct WaitingRoom {
    events: Pool<Option<Waiting>>,
    turns: BinaryHeap<Reverse<(Turn, Place)>>,
    /// How many events have come to wait.
    arrived: u64,
    /// How many waiting events of each trace can found a journey.
    founding: HashMap<KeyHash, usize>,
}

impl WaitingRoom {
    /// Lets an event wait until a deadline, and says where.
    pub fn enter(&mut self, deadline: UnixNanos, received: UnixNanos, event: AuthEvent) -> Place {
        if let Some(trace) = event.keys.trace.filter(|_| can_found(event.name)) {
            *self.founding.entry(trace).or_default() += 1;
        }
        self.arrived += 1;
        let turn = (deadline, event.time, rank(event.name), event.side, self.arrived);
        let place = self.events.insert(Some(Waiting { event, received }));
        self.turns.push(Reverse((turn, place)));
        place
    }

    /// All that wait, in the order in which they are let go.
    pub fn in_turn(&self) -> impl Iterator<Item = &Waiting> {
        let mut turns: Vec<_> = self.turns.iter().map(|Reverse(turn)| *turn).collect();
        turns.sort_unstable();
        turns.into_iter().filter_map(|(_, place)| self.events[place].as_ref())
    }

    /// Whether the event that waits at a place has this identity.
    pub fn has_event(&self, place: Place, wanted: Identity) -> bool {
        self.events[place].as_ref().is_some_and(|waiting| waiting.event.identity == wanted)
    }

    /// The next deadline.
    pub fn next_deadline(&self) -> Option<UnixNanos> {
        self.turns.peek().map(|Reverse(((deadline, ..), _))| *deadline)
    }

    /// The next event and where it waited, whatever its deadline. It still counts for its trace until
    /// [`Self::leave`].
    pub fn pop(&mut self) -> Option<(Waiting, Place)> {
        let Reverse((_, place)) = self.turns.pop()?;
        if self.turns.is_empty() {
            self.turns.shrink_to(KEPT);
        }
        self.events.remove(place).map(|waiting| (waiting, place))
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
        if self.founding.is_empty() {
            self.founding.shrink_to(KEPT);
        }
    }

    /// Drops the events for which `goes` holds, and tells the identity and the place of each.
    pub fn drop_where(&mut self, goes: impl Fn(&AuthEvent) -> bool, mut gone: impl FnMut(Identity, Place)) {
        let (going, staying): (Vec<_>, _) =
            std::mem::take(&mut self.turns).into_iter().partition(|Reverse((_, place))| {
                self.events[*place].as_ref().is_some_and(|waiting| goes(&waiting.event))
            });
        self.turns = staying.into();
        for Reverse((_, place)) in going {
            let Some(Waiting { event, .. }) = self.events.remove(place) else { continue };
            self.leave(event.name, event.keys.trace);
            gone(event.identity, place);
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
