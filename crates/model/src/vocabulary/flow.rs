//! What kind of login it was, who took part, and the steps it passes.

use crate::codes::codes;

codes! {
    /// A kind of cross-device login.
    Flow {
        /// A site's own QR login.
        AppQr = "app_qr",
        /// A WebAuthn ceremony in which the hybrid, cross-device transport was possible.
        PasskeyCda = "passkey_cda",
        /// A link, or a QR code carrying a link, opened on another device.
        MagicLink = "magic_link",
        /// No event said and none lets us conclude which.
        Unknown = "unknown",
    }
}

codes! {
    /// Who emitted an event.
    Side {
        /// The device that wants to be logged in.
        Initiator = "initiator",
        /// The phone.
        Authenticator = "authenticator",
        /// The relying party's backend.
        Server = "server",
    }
}

codes! {
    /// A step of a login, in the order in which steps are passed.
    Phase {
        /// Challenge or order created, ceremony started, link sent.
        Started = "started",
        /// The QR code is on the screen.
        Presented = "presented",
        /// The phone read the code.
        Scanned = "scanned",
        /// The mobile session opened.
        Opened = "opened",
        /// Bluetooth proximity and tunnel.
        Proximity = "proximity",
        /// The confirmation or biometric prompt is on the phone's screen.
        Prompted = "prompted",
        /// Confirmation completed, or the WebAuthn call completed.
        Confirmed = "confirmed",
        /// The server accepted it.
        Verified = "verified",
        /// The initiator received the callback.
        Returned = "returned",
        /// The session exists on the initiator.
        Established = "established",
    }
}

codes! {
    /// How a passkey ceremony reached its authenticator.
    Transport {
        /// By a QR code that the phone scanned.
        HybridQr = "hybrid_qr",
        /// By a phone linked earlier; no QR code is scanned.
        HybridLinked = "hybrid_linked",
        /// By a security key.
        SecurityKey = "security_key",
        /// By the initiator's own platform authenticator.
        Platform = "platform",
        /// No authenticator was reached.
        None = "none",
    }
}
