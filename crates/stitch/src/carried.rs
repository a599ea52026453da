//! What an event carries that many share, and what a journey knows of it.

use authstitch_model::{AuthEvent, KeyHash, KeyKind};

use crate::caps;
use crate::index::Slot;
use crate::journeys::Journeys;
use crate::keys::{Kind, Tie};

/// How many things an event can carry: keys by their kinds, and the trace id.
pub const CARRIED: usize = KeyKind::COUNT + 1;

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
        let mut look_up = |place: usize, kind: Kind, value: u128| {
            let tie = match live.keys.near(likely, kind, value) {
                Some(tie) => {
                    known.references.numbers[place] = likely;
                    tie
                }
                None => match live.keys.find_or_push(kind, value, adds, blocks) {
                    Some((number, tie)) => {
                        known.references.numbers[place] = number;
                        tie
                    }
                    None => {
                        known.new |= 1 << place;
                        return;
                    }
                },
            };
            likely += 1;
            known.references.there |= 1 << place;
            if let Kind::Key(kind) = kind {
                let ties = tie > Tie::Noted || tie == Tie::Noted && !kind.is_strong();
                known.new |= u8::from(!ties) << place;
            }
        };
        let mut key = |kind: KeyKind, hash: Option<KeyHash>| {
            if let Some(hash) = hash {
                look_up(kind.index(), Kind::Key(kind), hash.get());
            }
        };
        key(KeyKind::Journey, event.keys.journey);
        key(KeyKind::Challenge, event.keys.challenge);
        key(KeyKind::Code, event.keys.code);
        key(KeyKind::Flow, event.keys.flow);
        key(KeyKind::Session, event.keys.session);
        key(KeyKind::Trace, event.keys.trace);
        if let Some(id) = &event.origin.trace_id {
            look_up(KeyKind::COUNT, Kind::TraceId, u128::from_ne_bytes(id.bytes()));
        }
        known
    }
}
