//! Small closed sets to which attribute values are reduced when an event is mapped. The value itself is
//! then forgotten.

use crate::codes::codes;

codes! {
    /// A browser family.
    Browser {
        /// Google Chrome and plain Chromium.
        Chrome = "Chrome",
        /// Microsoft Edge.
        Edge = "Edge",
        /// Apple Safari, and every browser of iOS, which is Safari inside.
        Safari = "Safari",
        /// Mozilla Firefox.
        Firefox = "Firefox",
        /// Samsung Internet.
        Samsung = "Samsung Internet",
        /// Another one.
        Other = "other",
    }
}

codes! {
    /// An operating system family.
    Os {
        /// Microsoft Windows.
        Windows = "Windows",
        /// Apple macOS.
        MacOs = "macOS",
        /// A Linux desktop.
        Linux = "Linux",
        /// ChromeOS.
        ChromeOs = "ChromeOS",
        /// iOS and iPadOS.
        Ios = "iOS",
        /// Android.
        Android = "Android",
        /// Another one.
        Other = "other",
    }
}

codes! {
    /// An error, reduced from `error.type`, `exception.message` and the browser that raised it. The set
    /// follows what browsers say today and stays open by `other`.
    ErrorClass {
        /// `NotAllowedError` that does not say whether it was a timeout, a cancel or a failure (Chrome, Edge).
        NotAllowed = "not_allowed",
        /// The browser says that the person cancelled (Safari's message, Firefox's `AbortError`,
        /// `UserCancelled` of native apps, the proposed `UserCancelledError`).
        UserCancelled = "user_cancelled",
        /// The browser says that time ran out (Safari's older path, the proposed `TimeoutError`).
        TimedOut = "timed_out",
        /// Safari's "Operation failed.": a failure, or a timeout on its newer path.
        OperationFailed = "operation_failed",
        /// The page aborted its own request.
        Aborted = "aborted",
        /// Another request was running, or took this one's place.
        Superseded = "superseded",
        /// The page did not have the focus.
        NotFocused = "not_focused",
        /// `SecurityError`: origin and RP ID do not match.
        Security = "security",
        /// `NotSupportedError`.
        NotSupported = "not_supported",
        /// `InvalidStateError`.
        InvalidState = "invalid_state",
        /// `NotReadableError`, `UnknownError`, `OperationError`: the platform failed.
        Platform = "platform",
        /// No credential was found, where the platform says so.
        NoCredential = "no_credential",
        /// A network failure: connection, name, TLS, fetch.
        Network = "network",
        /// A request or a job ran out of time.
        Timeout = "timeout",
        /// The backend answered 4xx.
        Http4xx = "http_4xx",
        /// The backend answered 5xx or threw.
        Http5xx = "http_5xx",
        /// Rendering failed (canvas, image, script).
        Render = "render",
        /// Mail or message was not delivered.
        Delivery = "delivery",
        /// The app or system could not open the link.
        Handoff = "handoff",
        /// Policy, device management or a filter forbade it.
        Policy = "policy",
        /// Bluetooth is off, absent or not permitted.
        Bluetooth = "bluetooth",
        /// Anything else.
        Other = "other",
    }
}

codes! {
    /// Why a verification failed, as the server says.
    Reason {
        /// The challenge had expired.
        ChallengeExpired = "challenge_expired",
        /// Not the challenge that was issued.
        ChallengeMismatch = "challenge_mismatch",
        /// The origin is not allowed.
        OriginMismatch = "origin_mismatch",
        /// The RP ID is another one.
        RpIdMismatch = "rp_id_mismatch",
        /// The signature does not verify.
        SignatureInvalid = "signature_invalid",
        /// No such credential.
        UnknownCredential = "unknown_credential",
        /// User verification was required and missing.
        UserNotVerified = "user_not_verified",
        /// Confirmed by another account.
        WrongAccount = "wrong_account",
        /// Confirmed by a device that is not enrolled.
        WrongDevice = "wrong_device",
        /// The token had been used before.
        TokenAlreadyUsed = "token_already_used",
        /// The token had expired.
        TokenExpired = "token_expired",
        /// A risk rule.
        RiskDenied = "risk_denied",
        /// Anything else.
        Other = "other",
    }
}

codes! {
    /// A sign-in method, as a method event names it.
    Method {
        /// A passkey.
        Passkey = "passkey",
        /// A security key.
        SecurityKey = "security_key",
        /// A site's own QR login.
        AppQr = "app_qr",
        /// A link by mail or message.
        MagicLink = "magic_link",
        /// A password.
        Password = "password",
        /// A one-time code.
        Otp = "otp",
        /// Another identity provider.
        Federated = "federated",
        /// Anything else.
        Other = "other",
    }
}

codes! {
    /// How the page asked for a passkey.
    Mediation {
        /// Autofill: it stays pending until a passkey is chosen.
        Conditional = "conditional",
        /// A prompt only where needed.
        Optional = "optional",
        /// A prompt always.
        Required = "required",
        /// No prompt.
        Silent = "silent",
    }
}

codes! {
    /// Where the authenticator stood that answered.
    Attachment {
        /// The device itself.
        Platform = "platform",
        /// A phone or a security key.
        CrossPlatform = "cross-platform",
    }
}

codes! {
    /// How a link was fetched.
    HttpMethod {
        /// `GET`.
        Get = "GET",
        /// `HEAD`.
        Head = "HEAD",
        /// `POST`.
        Post = "POST",
        /// Any other.
        Other = "other",
    }
}

codes! {
    /// Traffic that is no person's.
    Synthetic {
        /// A test, such as our own simulator.
        Test = "test",
        /// A bot: a mail scanner, a link preview.
        Bot = "bot",
    }
}
