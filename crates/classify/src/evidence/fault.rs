//! `auth.error`: by side, what it is about, and whether that side went on.

use authstitch_model::verdict::CauseSet;
use authstitch_model::{AuthEvent, Cause, ErrorClass, Side, UnixNanos};

use crate::feature::{Complaint, Fault};

/// The last error of each side that was not overcome, and which of them all came last, and when.
#[derive(Debug)]
pub struct Faults {
    of: [Fault; Side::COUNT],
    last: Option<(Side, UnixNanos)>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { of: [Fault::Nothing; Side::COUNT], last: None }
    }
}

impl Faults {
    /// Notes an error.
    pub fn see(&mut self, event: &AuthEvent, at: UnixNanos) {
        self.of[event.side.index()] = event.facts.error.map_or(Fault::Other, fault);
        self.last = Some((event.side, at));
    }

    /// When the last error came, if one stands.
    pub fn last_at(&self) -> Option<UnixNanos> {
        self.last.filter(|_| self.of.iter().any(|fault| *fault != Fault::Nothing)).map(|(_, at)| at)
    }

    /// Who told the last error that stands.
    pub fn complaint(&self) -> Complaint {
        let stands = |side: Side| self.of(side) != Fault::Nothing;
        let last = self.last.map(|(side, _)| side).filter(|side| stands(*side));
        match last.or_else(|| Side::ALL.iter().copied().find(|side| stands(*side))) {
            None => Complaint::Nobody,
            Some(Side::Initiator) => Complaint::Page,
            Some(Side::Authenticator) => Complaint::Phone,
            Some(Side::Server) => Complaint::Server,
        }
    }

    /// A side went on.
    pub fn overcome(&mut self, side: Side, hiccups: CauseSet) -> CauseSet {
        let fault = std::mem::replace(&mut self.of[side.index()], Fault::Nothing);
        as_hiccup(fault).map_or(hiccups, |cause| hiccups.with(cause))
    }

    /// The login succeeded.
    pub fn all_overcome(&mut self, hiccups: CauseSet) -> CauseSet {
        Side::ALL.iter().fold(hiccups, |hiccups, side| self.overcome(*side, hiccups))
    }

    /// The error of a side.
    pub const fn of(&self, side: Side) -> Fault {
        self.of[side.index()]
    }
}

const fn fault(error: ErrorClass) -> Fault {
    match error {
        ErrorClass::Render => Fault::Render,
        ErrorClass::Delivery => Fault::Delivery,
        ErrorClass::Handoff => Fault::Handoff,
        ErrorClass::Network => Fault::Network,
        ErrorClass::Timeout | ErrorClass::TimedOut => Fault::Timeout,
        ErrorClass::Policy => Fault::Policy,
        ErrorClass::Bluetooth => Fault::Bluetooth,
        ErrorClass::NoCredential => Fault::NoCredential,
        ErrorClass::UserCancelled => Fault::Cancelled,
        ErrorClass::Aborted
        | ErrorClass::Superseded
        | ErrorClass::NotFocused
        | ErrorClass::Security
        | ErrorClass::InvalidState
        | ErrorClass::Platform => Fault::Client,
        ErrorClass::NotSupported => Fault::Unsupported,
        ErrorClass::Http5xx => Fault::Backend,
        ErrorClass::Http4xx => Fault::Refused,
        ErrorClass::NotAllowed | ErrorClass::OperationFailed | ErrorClass::Other => Fault::Other,
    }
}

/// The mishap that an overcome error was; `None` where the error does not say.
const fn as_hiccup(fault: Fault) -> Option<Cause> {
    match fault {
        Fault::Render => Some(Cause::RenderFailed),
        Fault::Delivery => Some(Cause::DeliveryFailed),
        Fault::Handoff => Some(Cause::HandoffFailed),
        Fault::Network => Some(Cause::NetworkBlocked),
        Fault::Policy => Some(Cause::PolicyBlocked),
        Fault::Bluetooth => Some(Cause::BluetoothUnavailable),
        Fault::NoCredential => Some(Cause::NoCredential),
        Fault::Client => Some(Cause::ClientError),
        Fault::Unsupported => Some(Cause::UnsupportedDevice),
        Fault::Backend => Some(Cause::ServerError),
        Fault::Nothing | Fault::Timeout | Fault::Cancelled | Fault::Refused | Fault::Other => None,
    }
}
