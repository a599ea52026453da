//! How far each side's clock is off, estimated from what must have happened before what.
//!
//! 1. The common clock is the server's where the server was seen, else the initiator's, else the phone's.
//! 2. What must come before what stands in [`BEFORE`]; of several events of one name the first counts, see
//!    [`crate::order`]. A parent span begins before its child; of several events of the parent the first counts.
//! 3. An event of a side after one of the common clock bounds its offset from above, one before from below.
//! 4. The offset is the smallest shift that keeps the bounds: zero where they allow it. Where they contradict
//!    each other it lies in their middle.
//! 5. A side that nothing bounds has no offset, and counts as right.
//! 6. The initiator is estimated first; its corrected events then bound the phone, too.

use authstitch_model::EventName::{
    CallbackReceived, ChallengeCreated, ConfirmationCompleted, ConfirmationDeclined, ConfirmationShown,
    LinkOpened, LinkSent, MobileOpened, QrScanned, QrShown, SessionEstablished, VerificationFailed,
    VerificationSucceeded, WebauthnCompleted, WebauthnFailed, WebauthnStarted,
};
use authstitch_model::{AuthEvent, ClockOffsets, EventName, JoinedBy, Side, UnixNanos};

use crate::pack::Glance;

/// What must have happened before what, whoever emits it.
pub const BEFORE: &[(EventName, EventName)] = &[
    (ChallengeCreated, QrShown),
    (ChallengeCreated, WebauthnStarted),
    (ChallengeCreated, QrScanned),
    (QrShown, QrScanned),
    (QrShown, MobileOpened),
    (LinkSent, LinkOpened),
    (QrScanned, ConfirmationCompleted),
    (QrScanned, VerificationFailed),
    (MobileOpened, VerificationSucceeded),
    (MobileOpened, CallbackReceived),
    (WebauthnStarted, QrScanned),
    (WebauthnStarted, ConfirmationShown),
    (WebauthnStarted, VerificationSucceeded),
    (ConfirmationShown, WebauthnCompleted),
    (ConfirmationShown, VerificationSucceeded),
    (ConfirmationCompleted, VerificationSucceeded),
    (ConfirmationCompleted, CallbackReceived),
    (ConfirmationCompleted, SessionEstablished),
    (ConfirmationCompleted, WebauthnCompleted),
    (ConfirmationDeclined, WebauthnFailed),
    (WebauthnCompleted, VerificationSucceeded),
    (WebauthnCompleted, VerificationFailed),
    (LinkOpened, VerificationSucceeded),
    (VerificationSucceeded, CallbackReceived),
    (VerificationSucceeded, SessionEstablished),
];

/// For each name those of [`BEFORE`] that come after it, as bits: what is there tells which pairs are.
const AFTER: [u32; EventName::COUNT] = {
    let mut after = [0; EventName::COUNT];
    let mut pair = 0;
    while pair < BEFORE.len() {
        after[BEFORE[pair].0.index()] |= 1 << BEFORE[pair].1.index();
        pair += 1;
    }
    after
};

/// The offsets of all sides from the events of one journey.
#[must_use]
pub fn estimate<'a>(events: &(impl Iterator<Item = &'a AuthEvent> + Clone)) -> ClockOffsets {
    let glances: Vec<_> = events.clone().map(|event| Glance::of(event, JoinedBy::Strong)).collect();
    offsets(&glances)
}

/// When an event happened by the common clock.
#[must_use]
pub fn corrected(event: &AuthEvent, offsets: &ClockOffsets) -> UnixNanos {
    Shifts::of(offsets).shifted(event.time, event.side)
}

/// How far each side's times are moved, to be asked often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shifts([i64; Side::COUNT]);

impl Shifts {
    pub(crate) fn of(offsets: &ClockOffsets) -> Self {
        let mut shifts = [0; Side::COUNT];
        for side in Side::ALL {
            shifts[side.index()] = offsets.of(*side).saturating_neg();
        }
        Self(shifts)
    }

    /// When it was by the common clock, of a side's own time.
    pub(crate) const fn shifted(&self, time: UnixNanos, side: Side) -> UnixNanos {
        time.shifted(self.0[side.index()])
    }
}

/// The offsets of all sides from what is seen of the events at a glance.
pub(crate) fn offsets(events: &[Glance]) -> ClockOffsets {
    let seen = Seen::of(events);
    let mut known = [None; Side::COUNT];
    for side in [Side::Server, Side::Initiator, Side::Authenticator] {
        if seen.sides[side.index()] {
            let is_common = known == [None; Side::COUNT];
            known[side.index()] = if is_common { Some(0) } else { offset(events, &seen, side, &known) };
        }
    }
    let of = |side: Side| known[side.index()];
    ClockOffsets {
        initiator: of(Side::Initiator),
        authenticator: of(Side::Authenticator),
        server: of(Side::Server),
    }
}

/// What there is among the events of a journey.
struct Seen<'a> {
    sides: [bool; Side::COUNT],
    /// The names, as bits.
    names: u32,
    /// The first event of each name, by its own clock.
    firsts: [Option<&'a Glance>; EventName::COUNT],
    /// Whether any event has a parent.
    children: bool,
}

impl<'a> Seen<'a> {
    fn of(events: &'a [Glance]) -> Self {
        let mut seen =
            Self { sides: [false; Side::COUNT], names: 0, firsts: [None; EventName::COUNT], children: false };
        for event in events {
            seen.sides[event.side.index()] = true;
            seen.names |= 1 << event.name.index();
            seen.children |= event.parent_span_id.is_some();
            let first = &mut seen.firsts[event.name.index()];
            if first.is_none_or(|first| event.timed_turn() < first.timed_turn()) {
                *first = Some(event);
            }
        }
        seen
    }
}

/// The places of the bits that are set, lowest first.
fn bits(mut bits: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(lowest)
    })
}

/// The offset of one side against the sides known so far.
fn offset(events: &[Glance], seen: &Seen<'_>, side: Side, known: &[Option<i64>; Side::COUNT]) -> Option<i64> {
    let (mut low, mut high) = (None::<i64>, None::<i64>);
    let since = |own: &Glance, other: &Glance| {
        let offset = known[other.side.index()]?;
        Some(own.time.signed_since(other.time.shifted(offset.saturating_neg())))
    };
    let mut before = |earlier: &Glance, later: &Glance| {
        if earlier.side == side {
            low = low.max(since(earlier, later));
        } else if later.side == side
            && let Some(bound) = since(later, earlier)
        {
            high = Some(high.map_or(bound, |high| high.min(bound)));
        }
    };
    for earlier in bits(seen.names) {
        for later in bits(AFTER[earlier] & seen.names) {
            if let (Some(earlier), Some(later)) = (seen.firsts[earlier], seen.firsts[later]) {
                before(earlier, later);
            }
        }
    }
    for child in events.iter().filter(|child| seen.children && child.parent_span_id.is_some()) {
        let parents =
            events.iter().filter(|event| event.span_id == child.parent_span_id && event.side != child.side);
        let parent = parents.min_by_key(|parent| parent.timed_turn());
        // A result is reported at its span's end, which says nothing of the child's beginning.
        if let Some(parent) = parent.filter(|parent| !parent.name.is_result()) {
            before(parent, child);
        }
    }
    match (low, high) {
        (None, None) => None,
        (Some(low), Some(high)) if low > high => Some(low / 2 + high / 2),
        (low, high) => Some(0.max(low.unwrap_or(i64::MIN)).min(high.unwrap_or(i64::MAX))),
    }
}

#[cfg(test)]
mod tests;
