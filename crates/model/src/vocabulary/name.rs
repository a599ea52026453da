//! The names of events.

use super::Side;
use crate::codes::codes;

codes! {
    /// An authentication event, by its name on the wire.
    EventName {
        /// Methods were offered.
        MethodOffered = "auth.method.offered",
        /// A method was chosen.
        MethodSelected = "auth.method.selected",
        /// Another method was chosen instead of this one.
        MethodSwitched = "auth.method.switched",
        /// A QR code is on the screen.
        QrShown = "auth.qr.shown",
        /// The QR code was replaced by a fresh one.
        QrRefreshed = "auth.qr.refreshed",
        /// The phone read the code.
        QrScanned = "auth.qr.scanned",
        /// The mobile session opened.
        MobileOpened = "auth.mobile.opened",
        /// The confirmation prompt is on the phone's screen.
        ConfirmationShown = "auth.confirmation.shown",
        /// The person confirmed.
        ConfirmationCompleted = "auth.confirmation.completed",
        /// The person refused.
        ConfirmationDeclined = "auth.confirmation.declined",
        /// The initiator heard of the result.
        CallbackReceived = "auth.callback.received",
        /// The session exists.
        SessionEstablished = "auth.session.established",
        /// The server made a challenge or an order.
        ChallengeCreated = "auth.challenge.created",
        /// `navigator.credentials.get()` was called.
        WebauthnStarted = "auth.webauthn.started",
        /// The ceremony returned an assertion.
        WebauthnCompleted = "auth.webauthn.completed",
        /// The ceremony threw.
        WebauthnFailed = "auth.webauthn.failed",
        /// The server accepted the result.
        VerificationSucceeded = "auth.verification.succeeded",
        /// The server refused the result.
        VerificationFailed = "auth.verification.failed",
        /// A mail or message with a link was sent.
        LinkSent = "auth.link.sent",
        /// The link was fetched, by a person or by a scanner.
        LinkOpened = "auth.link.opened",
        /// The person pressed cancel.
        Cancelled = "auth.cancelled",
        /// The page went to the background.
        PageHidden = "auth.page.hidden",
        /// The page came to the front.
        PageVisible = "auth.page.visible",
        /// The page went away.
        PageUnloaded = "auth.page.unloaded",
        /// Biometry or PIN failed.
        UserVerificationFailed = "auth.user_verification.failed",
        /// The server did not know the credential, and the page said so to the browser.
        CredentialUnknown = "auth.credential.unknown",
        /// Something failed; `error.type` says what.
        Error = "auth.error",
    }
}

impl EventName {
    /// Whether a span of this name reports its event at its end (a result) rather than at its start.
    #[must_use]
    pub const fn is_result(self) -> bool {
        matches!(
            self,
            Self::ConfirmationCompleted
                | Self::ConfirmationDeclined
                | Self::CallbackReceived
                | Self::SessionEstablished
                | Self::WebauthnCompleted
                | Self::WebauthnFailed
                | Self::VerificationSucceeded
                | Self::VerificationFailed
                | Self::UserVerificationFailed
        )
    }

    /// Whether a journey ends with this event, but for a short grace.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::SessionEstablished
                | Self::ConfirmationDeclined
                | Self::Cancelled
                | Self::MethodSwitched
                | Self::WebauthnFailed
                | Self::VerificationFailed
        )
    }

    /// Whether this event can be the first of an attempt: on a tombstoned key it begins a new journey.
    #[must_use]
    pub const fn is_start(self) -> bool {
        matches!(self, Self::ChallengeCreated | Self::WebauthnStarted | Self::QrShown | Self::LinkSent)
    }

    /// Whether this event stands at the beginning of an attempt: after a terminal event it is of the next one.
    #[must_use]
    pub const fn is_beginning(self) -> bool {
        self.is_start() || matches!(self, Self::MethodOffered | Self::MethodSelected)
    }

    /// The side that emits this event where the record does not say; `None` where either may.
    #[must_use]
    pub const fn usual_side(self) -> Option<Side> {
        match self {
            Self::MethodOffered
            | Self::MethodSelected
            | Self::MethodSwitched
            | Self::QrShown
            | Self::QrRefreshed
            | Self::CallbackReceived
            | Self::SessionEstablished
            | Self::WebauthnStarted
            | Self::WebauthnCompleted
            | Self::WebauthnFailed
            | Self::Cancelled
            | Self::PageHidden
            | Self::PageVisible
            | Self::PageUnloaded
            | Self::CredentialUnknown => Some(Side::Initiator),
            Self::QrScanned
            | Self::MobileOpened
            | Self::ConfirmationShown
            | Self::ConfirmationCompleted
            | Self::ConfirmationDeclined
            | Self::UserVerificationFailed
            | Self::LinkOpened => Some(Side::Authenticator),
            Self::ChallengeCreated
            | Self::VerificationSucceeded
            | Self::VerificationFailed
            | Self::LinkSent => Some(Side::Server),
            Self::Error => None,
        }
    }
}
