//! What an event carries that many share, and what a journey knows of it.

use authstitch_model::{AuthEvent, EventKeys, KeyHash, KeyKind};

use crate::caps;
use crate::index::Slot;
use crate::journeys::Journeys;
use crate::keys::{Key, Kind, Tie};

/// How many things an event can carry: keys by their kinds, and the trace id.
pub const CARRIED: usize = KeyKind::COUNT + 1;

/// What they are, in their order.
const KINDS: [Kind; CARRIED] = {
    let mut kinds = [Kind::TraceId; CARRIED];
    let mut kind = 0;
    while kind < KeyKind::COUNT {
        kinds[kind] = Kind::Key(KeyKind::ALL[kind]);
        kind += 1;
    }
    kinds
};

/// The numbers of what an event carries in its journey's table: its keys in the order of their kinds, and its
/// trace id.
#[derive(Clone, Copy, Debug, Default)]
pub struct References {
    /// Those that are there, as bits.
    pub there: u8,
    /// Their numbers, each at its place.
    pub numbers: [u16; CARRIED],
}

/// What a journey knows of what an event carries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    pub references: References,
    /// The kinds of keys that bring the journey something by which it can be found anew, as bits: its strong keys
    /// and its container do not lead there yet, or its weak keys are not noted there.
    pub new: u8,
}

impl Known {
    /// The number of the event's key of this kind, if the journey has it.
    pub fn number(&self, kind: KeyKind) -> Option<u16> {
        let References { there, numbers } = self.references;
        (there & 1 << kind.index() != 0).then(|| numbers[kind.index()])
    }

    /// Whether the event's key of this kind brings something by which the journey can be found anew.
    pub const fn is_new(&self, kind: KeyKind) -> bool {
        self.new & 1 << kind.index() != 0
    }
}

/// The values of what an event carries, 0 where it carries nothing: neither a key nor a trace id is 0.
fn carried(event: &AuthEvent) -> [u128; CARRIED] {
    let EventKeys { journey, challenge, code, flow, session, trace } = event.keys;
    let value = |key: Option<KeyHash>| key.map_or(0, KeyHash::get);
    let trace_id = event.origin.trace_id.as_ref().map_or(0, |id| u128::from_ne_bytes(*id.bytes()));
    [value(journey), value(challenge), value(code), value(flow), value(session), value(trace), trace_id]
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
    /// What a journey knows of what an event carries. What is new to it is added to its table, if it has room for
    /// the event.
    pub fn known(&mut self, slot: Slot, event: &AuthEvent) -> Known {
        let Self { lives, keys: blocks, .. } = self;
        let live = &mut lives[slot];
        let adds = usize::from(live.count) < caps::EVENTS_PER_JOURNEY;
        let mut known = Known::default();
        // The journey's first event had the same things in the same order, mostly.
        let mut likely = 0;
        for (place, value) in carried(event).into_iter().enumerate() {
            if value == 0 {
                continue;
            }
            let kind = KINDS[place];
            let (number, tie) = match live.keys.find_near(kind, value, likely, blocks) {
                Some((number, tie)) => (number, tie),
                None if adds => (live.keys.push(&Key::new(kind, value), blocks), Tie::Carried),
                None => {
                    known.new |= 1 << place;
                    continue;
                }
            };
            likely += 1;
            known.references.there |= 1 << place;
            known.references.numbers[place] = number;
            let ties = match (tie, kind) {
                (Tie::Leads { .. }, _) | (_, Kind::TraceId) => true,
                (Tie::Noted, Kind::Key(kind)) => !kind.is_strong(),
                (Tie::Carried, _) => false,
            };
            known.new |= u8::from(!ties) << place;
        }
        known
    }
}
