//! What an event carries that many share, and what a journey knows of it.

use authstitch_model::{AuthEvent, EventKeys, KeyHash, KeyKind};

use crate::index::Slot;
use crate::journeys::Journeys;
use crate::keys::{Key, Kind, Tie};

/// How many things an event can carry: keys by their kinds, and the trace id.
pub const CARRIED: usize = KeyKind::COUNT + 1;

/// The numbers of what an event carries in its journey's table: its keys in the order of their kinds, and its
/// trace id.
pub type References = [Option<u16>; CARRIED];

/// What a journey knows of what an event carries.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub references: References,
    /// The kinds of keys that bring the journey something by which it can be found anew, as bits: its strong keys
    /// and its container do not lead there yet, or its weak keys are not noted there.
    pub new: u8,
}

/// The thing with this place among those that an event carries.
pub fn carried(event: &AuthEvent, place: usize) -> Option<Key> {
    match KeyKind::ALL.get(place) {
        Some(kind) => Some(Key::new(*kind, key_of(event, *kind)?)),
        None => event.origin.trace_id.as_ref().map(Key::trace_id),
    }
}

/// The key of this kind.
pub const fn key_of(event: &AuthEvent, kind: KeyKind) -> Option<KeyHash> {
    let keys = &event.keys;
    match kind {
        KeyKind::Journey => keys.journey,
        KeyKind::Challenge => keys.challenge,
        KeyKind::Code => keys.code,
        KeyKind::Flow => keys.flow,
        KeyKind::Session => keys.session,
        KeyKind::Trace => keys.trace,
    }
}

impl Journeys {
    /// What a journey knows of what an event carries.
    pub fn known(&self, slot: Slot, event: &AuthEvent) -> Known {
        let keys = &self.lives[slot].keys;
        let mut new = 0;
        // The journey's first event had the same things in the same order, mostly.
        let mut likely = 0;
        let mut number = |kind: Kind, value: Option<u128>| {
            let number = keys.position_near(kind, value?, likely, &self.keys);
            let tie = number.map_or(Tie::Carried, |number| keys.get(number, &self.keys).tie);
            likely += 1;
            if let Kind::Key(kind) = kind {
                let leads = matches!(tie, Tie::Leads { .. }) || tie == Tie::Noted && !kind.is_strong();
                new |= u8::from(!leads) << kind.index();
            }
            number
        };
        let mut key = |kind, hash: Option<KeyHash>| number(Kind::Key(kind), hash.map(|hash| hash.get()));
        let EventKeys { journey, challenge, code, flow, session, trace } = event.keys;
        let [journey, challenge, code, flow, session, trace] = [
            key(KeyKind::Journey, journey),
            key(KeyKind::Challenge, challenge),
            key(KeyKind::Code, code),
            key(KeyKind::Flow, flow),
            key(KeyKind::Session, session),
            key(KeyKind::Trace, trace),
        ];
        let trace_id = event.origin.trace_id.as_ref().map(|id| u128::from_ne_bytes(id.bytes()));
        let references = [journey, challenge, code, flow, session, trace, number(Kind::TraceId, trace_id)];
        Known { references, new }
    }
}
