//! The kinds of evidence that a verdict can cite.

use crate::codes::codes;

codes! {
    /// Something seen, or missing, that moved the verdict.
    Evidence {
        /// The session was established on the initiator.
        SessionEstablished = "session_established",
        /// The initiator received the result, and no session followed.
        CallbackWithoutSession = "callback_without_session",
        /// The server accepted the result, and the initiator never heard of it.
        VerifiedWithoutCallback = "verified_without_callback",
        /// Confirmed, and the server never heard of it.
        ConfirmedWithoutVerification = "confirmed_without_verification",
        /// The server named its reason.
        ServerReason = "server_reason",
        /// An error of the initiator.
        InitiatorError = "initiator_error",
        /// An error of the phone.
        AuthenticatorError = "authenticator_error",
        /// An error of the server.
        ServerError = "server_error",
        /// How long the ceremony or the journey took, against the effective limit.
        Elapsed = "elapsed",
        /// The person refused on the phone.
        DeclinedOnPhone = "declined_on_phone",
        /// The person cancelled.
        CancelPressed = "cancel_pressed",
        /// Another method was chosen.
        MethodSwitched = "method_switched",
        /// The page went away.
        PageUnloaded = "page_unloaded",
        /// The page was hidden when it ended.
        PageHidden = "page_hidden",
        /// How far the journey is known to have come.
        LastPhase = "last_phase",
        /// No event of the phone was seen.
        PhoneSilent = "phone_silent",
        /// The code was used after its lifetime.
        CodeUsedAfterExpiry = "code_used_after_expiry",
        /// The code's lifetime ran out.
        CodeLifetimeOver = "code_lifetime_over",
        /// User verification failed.
        UserVerificationFailed = "user_verification_failed",
        /// The credential was unknown.
        CredentialUnknown = "credential_unknown",
        /// The browser cannot do hybrid transport.
        HybridUnavailable = "hybrid_unavailable",
        /// A fetch by a scanner came before the person's.
        Prefetched = "prefetched",
        /// The same person tried again soon.
        RetriedSoon = "retried_soon",
        /// Initiator and phone stand in different networks or countries.
        PlaceMismatch = "place_mismatch",
        /// The ceremony waited in autofill.
        ConditionalPending = "conditional_pending",
        /// The authenticator was attached or across.
        Attachment = "attachment",
        /// System or browser of the initiator.
        Environment = "environment",
        /// Nothing was heard of how the person parted.
        SilentEnd = "silent_end",
        /// No end of the ceremony was seen, or not even its beginning.
        CeremonyWithoutEnd = "ceremony_without_end",
        /// How often the code was replaced before it was scanned.
        CodesRefreshed = "codes_refreshed",
        /// A session was established on the phone.
        SessionOnPhone = "session_on_phone",
        /// How often each cause occurs in this flow.
        Prior = "prior",
    }
}
