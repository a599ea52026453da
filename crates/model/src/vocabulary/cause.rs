//! Why a login did not happen.

use super::{Outcome, Phase};
use crate::codes::codes;

codes! {
    /// The first mishap that blocked progress and was never overcome, or the person's own decision.
    Cause {
        /// The QR code never appeared.
        RenderFailed = "render_failed",
        /// The mail or message did not arrive.
        DeliveryFailed = "delivery_failed",
        /// The camera did not read the code.
        ScanFailed = "scan_failed",
        /// The code was opened with an app that cannot handle it.
        WrongApp = "wrong_app",
        /// The link opened in another browser than the one that waits.
        WrongBrowser = "wrong_browser",
        /// Code or link was used after its lifetime.
        CodeExpired = "code_expired",
        /// The deep link did not open the app.
        HandoffFailed = "handoff_failed",
        /// A mail scanner opened the link first and burnt it.
        LinkPrefetched = "link_prefetched",
        /// The device is not the enrolled one.
        WrongDevice = "wrong_device",
        /// Confirmed with another account.
        WrongAccount = "wrong_account",
        /// System or browser cannot do it.
        UnsupportedDevice = "unsupported_device",
        /// Device management, work profile or filter forbids it.
        PolicyBlocked = "policy_blocked",
        /// The phone holds no passkey for this site.
        NoCredential = "no_credential",
        /// Bluetooth is off, absent or not permitted.
        BluetoothUnavailable = "bluetooth_unavailable",
        /// The Bluetooth advert was never matched.
        ProximityFailed = "proximity_failed",
        /// A network in the way: tunnel, proxy or offline phone.
        NetworkBlocked = "network_blocked",
        /// The prompt went away before it was answered.
        PromptExpired = "prompt_expired",
        /// Biometry or PIN failed.
        UserVerificationFailed = "user_verification_failed",
        /// Confirmed, and the server never heard of it.
        ResultLost = "result_lost",
        /// The server refused the assertion or token.
        VerificationRejected = "verification_rejected",
        /// A risk rule refused it.
        RiskDenied = "risk_denied",
        /// The initiator never heard of the success.
        CallbackLost = "callback_lost",
        /// The session was made and not kept.
        SessionNotKept = "session_not_kept",
        /// The backend failed.
        ServerError = "server_error",
        /// The page's or app's code failed.
        ClientError = "client_error",
        /// The person left without a word.
        WalkedAway = "walked_away",
        /// The person saw the prompt and did not answer it.
        ConfirmationAbandoned = "confirmation_abandoned",
        /// The person took another method.
        SwitchedMethod = "switched_method",
        /// The person pressed cancel.
        Cancelled = "cancelled",
        /// The person refused on the phone.
        Declined = "declined",
        /// It worked.
        None = "none",
        /// A fault without a name of its own.
        Unknown = "unknown",
    }
}

impl Cause {
    /// The outcome that follows from this cause.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::None => Outcome::Succeeded,
            Self::WalkedAway | Self::ConfirmationAbandoned | Self::SwitchedMethod => Outcome::UserAbandoned,
            Self::Cancelled | Self::Declined => Outcome::UserDeclined,
            _ => Outcome::TechnicalFailure,
        }
    }

    /// The phases that this cause can stop, earliest first; empty for success.
    #[must_use]
    pub const fn stops(self) -> &'static [Phase] {
        use Phase::{
            Confirmed, Established, Opened, Presented, Prompted, Proximity, Returned, Scanned, Started,
            Verified,
        };
        match self {
            Self::RenderFailed => &[Presented],
            Self::DeliveryFailed => &[Started, Opened],
            Self::ScanFailed => &[Scanned],
            Self::WrongApp => &[Scanned, Opened],
            Self::WrongBrowser | Self::HandoffFailed | Self::LinkPrefetched => &[Opened],
            Self::CodeExpired => &[Scanned, Opened, Prompted, Confirmed, Verified],
            Self::WrongDevice => &[Opened, Confirmed],
            Self::WrongAccount => &[Confirmed, Verified],
            Self::UnsupportedDevice => &[Started, Proximity, Prompted],
            Self::PolicyBlocked => &[Proximity, Prompted],
            Self::NoCredential => &[Prompted],
            Self::BluetoothUnavailable | Self::ProximityFailed => &[Proximity],
            Self::NetworkBlocked => &[Opened, Proximity],
            Self::PromptExpired
            | Self::UserVerificationFailed
            | Self::ConfirmationAbandoned
            | Self::Declined => &[Confirmed],
            Self::ResultLost | Self::VerificationRejected | Self::RiskDenied => &[Verified],
            Self::CallbackLost => &[Returned],
            Self::SessionNotKept => &[Established],
            Self::ServerError => &[Started, Verified, Established],
            Self::ClientError => &[Started, Presented, Scanned, Opened, Proximity, Prompted],
            Self::WalkedAway | Self::SwitchedMethod | Self::Cancelled | Self::Unknown => Phase::ALL,
            Self::None => &[],
        }
    }
}
