//! The phases of each flow: which there are, which are hidden from the relying party, which event evidences
//! which, and what an observed event makes certain. All of it is data, in one place.

use crate::event::AuthEvent;
use crate::vocabulary::{EventName, Flow, HttpMethod, Phase, Side, Synthetic};

use Phase::{
    Confirmed, Established, Opened, Presented, Prompted, Proximity, Returned, Scanned, Started, Verified,
};

/// A phase in its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowPhase {
    /// Which.
    pub phase: Phase,
    /// Whether the relying party's pages and servers cannot see it.
    pub hidden: bool,
    /// Whether a login can succeed without it.
    pub optional: bool,
}

const fn seen(phase: Phase) -> FlowPhase {
    FlowPhase { phase, hidden: false, optional: false }
}

const fn hidden(phase: Phase) -> FlowPhase {
    FlowPhase { phase, hidden: true, optional: false }
}

const fn optional(phase: Phase) -> FlowPhase {
    FlowPhase { phase, hidden: false, optional: true }
}

const APP_QR: &[FlowPhase] = &[
    seen(Started),
    seen(Presented),
    seen(Scanned),
    seen(Opened),
    seen(Prompted),
    seen(Confirmed),
    seen(Verified),
    seen(Returned),
    seen(Established),
];

const PASSKEY_CDA: &[FlowPhase] = &[
    seen(Started),
    hidden(Presented),
    hidden(Scanned),
    hidden(Proximity),
    hidden(Prompted),
    seen(Confirmed),
    seen(Verified),
    seen(Returned),
    seen(Established),
];

const MAGIC_LINK: &[FlowPhase] = &[
    seen(Started),
    optional(Presented),
    optional(Scanned),
    seen(Opened),
    seen(Prompted),
    seen(Confirmed),
    seen(Verified),
    seen(Returned),
    seen(Established),
];

/// The phases of a flow, in order. An unknown flow is read like a site's own QR login, without implications.
#[must_use]
pub const fn of(flow: Flow) -> &'static [FlowPhase] {
    match flow {
        Flow::AppQr | Flow::Unknown => APP_QR,
        Flow::PasskeyCda => PASSKEY_CDA,
        Flow::MagicLink => MAGIC_LINK,
    }
}

/// Whether a phase is hidden from the relying party in a flow.
#[must_use]
pub fn is_hidden(flow: Flow, phase: Phase) -> bool {
    of(flow).iter().any(|known| known.phase == phase && known.hidden)
}

/// Which phase an event of this name evidences, where the flow has that phase and the event counts.
pub const EVIDENCE: &[(EventName, Phase)] = &[
    (EventName::ChallengeCreated, Started),
    (EventName::WebauthnStarted, Started),
    (EventName::LinkSent, Started),
    (EventName::QrShown, Presented),
    (EventName::QrRefreshed, Presented),
    (EventName::QrScanned, Scanned),
    (EventName::MobileOpened, Opened),
    (EventName::LinkOpened, Opened),
    (EventName::ConfirmationShown, Prompted),
    (EventName::ConfirmationDeclined, Prompted),
    (EventName::UserVerificationFailed, Prompted),
    (EventName::ConfirmationCompleted, Confirmed),
    (EventName::WebauthnCompleted, Confirmed),
    (EventName::VerificationSucceeded, Verified),
    (EventName::CallbackReceived, Returned),
    (EventName::SessionEstablished, Established),
];

/// By flow and name: the phase that an event of this name evidences, where the flow has it.
static PLACES: [[Option<FlowPhase>; EventName::COUNT]; Flow::COUNT] = {
    let mut table = [[None; EventName::COUNT]; Flow::COUNT];
    let mut flow = 0;
    while flow < Flow::COUNT {
        let places = of(Flow::ALL[flow]);
        let mut row = 0;
        while row < EVIDENCE.len() {
            let (name, phase) = EVIDENCE[row];
            let mut place = 0;
            while place < places.len() {
                if places[place].phase.index() == phase.index() {
                    table[flow][name.index()] = Some(places[place]);
                }
                place += 1;
            }
            row += 1;
        }
        flow += 1;
    }
    table
};

/// The phase that an event evidences in a flow.
///
/// Four conditions stand beside the table: the flow has that phase; a hidden phase is evidenced by the phone
/// alone; a scanner's fetch of a link does not evidence that a person opened it; a session on the phone is
/// none on the initiator. An event that carries an error evidences no phase, unless the error is its meaning.
#[must_use]
#[inline]
pub fn evidenced(flow: Flow, event: &AuthEvent) -> Option<Phase> {
    let FlowPhase { phase, hidden, .. } = PLACES[flow.index()][event.name.index()]?;
    let error_is_meaning =
        matches!(event.name, EventName::UserVerificationFailed | EventName::ConfirmationDeclined);
    let visible = !hidden || event.side == Side::Authenticator;
    let counts = match event.name {
        EventName::LinkOpened => !is_scanner(event),
        EventName::SessionEstablished => event.side != Side::Authenticator,
        _ => true,
    };
    (visible && counts && (event.facts.error.is_none() || error_is_meaning)).then_some(phase)
}

/// Whether a link was fetched by a program: a `HEAD`, or an agent known as a bot.
#[must_use]
#[inline]
pub fn is_scanner(event: &AuthEvent) -> bool {
    event.facts.http_method == Some(HttpMethod::Head) || event.facts.synthetic == Some(Synthetic::Bot)
}

/// What an observed phase makes certain, by flow: `(observed, what must have happened before)`.
///
/// A hidden phase stands on no right-hand side: a linked phone succeeds without a QR code, a security key
/// without proximity. In `magic_link` nothing is certain before `verified`, for a scanner may have spent the
/// link.
#[must_use]
pub const fn implied_by(flow: Flow, observed: Phase) -> &'static [Phase] {
    match (flow, observed) {
        (Flow::Unknown, _) | (_, Started) => &[],
        (Flow::AppQr, Presented) => &[Started],
        (Flow::AppQr, Scanned) => &[Started, Presented],
        (Flow::AppQr, Opened) => &[Started, Presented, Scanned],
        (Flow::AppQr, Prompted) => &[Started, Presented, Scanned, Opened],
        (Flow::AppQr, Confirmed) => &[Started, Presented, Scanned, Opened, Prompted],
        (Flow::AppQr, Verified) => &[Started, Presented, Scanned, Opened, Prompted, Confirmed],
        (Flow::AppQr, Returned) => &[Started, Presented, Scanned, Opened, Prompted, Confirmed, Verified],
        (Flow::AppQr, Established) => {
            &[Started, Presented, Scanned, Opened, Prompted, Confirmed, Verified, Returned]
        }
        (Flow::PasskeyCda, Presented | Scanned | Proximity | Prompted | Confirmed) => &[Started],
        (Flow::PasskeyCda, Verified) => &[Started, Confirmed],
        (Flow::PasskeyCda, Returned) => &[Started, Confirmed, Verified],
        (Flow::PasskeyCda, Established) => &[Started, Confirmed, Verified, Returned],
        (Flow::MagicLink, Presented | Opened | Verified) => &[Started],
        (Flow::MagicLink, Scanned) => &[Started, Presented],
        (Flow::MagicLink, Prompted) => &[Started, Opened],
        (Flow::MagicLink, Confirmed) => &[Started, Opened, Prompted],
        (Flow::MagicLink, Returned) => &[Started, Verified],
        (Flow::MagicLink, Established) => &[Started, Verified, Returned],
        (Flow::AppQr, Proximity) | (Flow::PasskeyCda, Opened) | (Flow::MagicLink, Proximity) => &[],
    }
}

/// What an event that evidences no phase of its own makes certain, by flow.
#[must_use]
pub const fn implied_by_event(flow: Flow, name: EventName) -> &'static [Phase] {
    match (flow, name) {
        (Flow::PasskeyCda, EventName::VerificationFailed) => &[Started, Confirmed],
        (Flow::PasskeyCda, EventName::WebauthnFailed) => &[Started],
        (Flow::MagicLink | Flow::AppQr, EventName::VerificationFailed) => &[Started],
        _ => &[],
    }
}

/// The flow that an event's name suggests where none was sent.
#[must_use]
pub const fn suggested_flow(name: EventName) -> Option<Flow> {
    match name {
        EventName::WebauthnStarted
        | EventName::WebauthnCompleted
        | EventName::WebauthnFailed
        | EventName::CredentialUnknown => Some(Flow::PasskeyCda),
        EventName::LinkSent | EventName::LinkOpened => Some(Flow::MagicLink),
        EventName::QrShown
        | EventName::QrRefreshed
        | EventName::QrScanned
        | EventName::MobileOpened
        | EventName::ConfirmationShown
        | EventName::ConfirmationCompleted
        | EventName::ConfirmationDeclined => Some(Flow::AppQr),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
