//! The order of events at one time. No secret decides it, so that two installations which saw the same see the
//! same journeys.
//!
//! Events stand by time; at one time in the order in which a login goes, which is that of [`AS_A_LOGIN_GOES`]; then
//! by side and by span id. Only what is the same in all of that stands by identity, a keyed hash. Events that wait
//! take the order in which they came instead, as one list knows it.

use authstitch_model::EventName::{
    CallbackReceived, Cancelled, ChallengeCreated, ConfirmationCompleted, ConfirmationDeclined,
    ConfirmationShown, CredentialUnknown, Error, LinkOpened, LinkSent, MethodOffered, MethodSelected,
    MethodSwitched, MobileOpened, PageHidden, PageUnloaded, PageVisible, QrRefreshed, QrScanned, QrShown,
    SessionEstablished, UserVerificationFailed, VerificationFailed, VerificationSucceeded, WebauthnCompleted,
    WebauthnFailed, WebauthnStarted,
};
use authstitch_model::{EventName, Identity, Side, SpanId, UnixNanos};

use crate::pack::Glance;

/// All names in the order in which a login goes: what must come before what by [`crate::clock::BEFORE`] does, a
/// failure stands where its success would, and what can come at any time stands at the end, leaving last.
pub const AS_A_LOGIN_GOES: [EventName; EventName::COUNT] = [
    MethodOffered,
    MethodSelected,
    ChallengeCreated,
    LinkSent,
    QrShown,
    QrRefreshed,
    WebauthnStarted,
    QrScanned,
    LinkOpened,
    MobileOpened,
    ConfirmationShown,
    UserVerificationFailed,
    ConfirmationCompleted,
    ConfirmationDeclined,
    WebauthnCompleted,
    WebauthnFailed,
    VerificationSucceeded,
    VerificationFailed,
    CredentialUnknown,
    CallbackReceived,
    SessionEstablished,
    Error,
    PageHidden,
    PageVisible,
    Cancelled,
    MethodSwitched,
    PageUnloaded,
];

/// The place of each name, by its index.
const RANKS: [u8; EventName::COUNT] = {
    let mut ranks = [0; EventName::COUNT];
    let mut place = 0;
    while place < EventName::COUNT {
        ranks[AS_A_LOGIN_GOES[place].index()] = place as u8;
        place += 1;
    }
    ranks
};

/// The place of a name among [`AS_A_LOGIN_GOES`].
pub const fn rank(name: EventName) -> u8 {
    RANKS[name.index()]
}

/// What orders events of one time.
pub type Turn = (u8, Side, Option<SpanId>, Identity);

impl Glance {
    /// What orders it among the events of its time.
    pub const fn turn(&self) -> Turn {
        (rank(self.name), self.side, self.span_id, self.identity)
    }

    /// What orders it among the events of one clock.
    pub const fn timed_turn(&self) -> (UnixNanos, Turn) {
        (self.time, self.turn())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::BEFORE;

    #[test]
    fn every_name_has_its_place_and_what_must_come_before_does() {
        assert!(EventName::ALL.iter().all(|name| AS_A_LOGIN_GOES[usize::from(rank(*name))] == *name));
        assert!(BEFORE.iter().all(|(earlier, later)| rank(*earlier) < rank(*later)));
    }
}
