//! Codes in words, as they stand in the middle of a sentence.

use authstitch_model::{Cause, ErrorClass, Millis, Phase, Reason};

use crate::feature::Fault;

pub const fn cause_in_words(cause: Cause) -> &'static str {
    match cause {
        Cause::RenderFailed => "a code that never appeared",
        Cause::DeliveryFailed => "a message that was not delivered",
        Cause::ScanFailed => "a failed scan",
        Cause::WrongApp => "a scan with the wrong app",
        Cause::WrongBrowser => "a link opened in another browser",
        Cause::CodeExpired => "an expired code",
        Cause::HandoffFailed => "a link that did not open the app",
        Cause::LinkPrefetched => "a link spent by an automatic fetch",
        Cause::WrongDevice => "a device that is not enrolled",
        Cause::WrongAccount => "the wrong account",
        Cause::UnsupportedDevice => "a system that does not support it",
        Cause::PolicyBlocked => "a policy that forbids it",
        Cause::NoCredential => "a phone without a credential for this site",
        Cause::BluetoothUnavailable => "Bluetooth off or missing",
        Cause::ProximityFailed => "a proximity problem",
        Cause::NetworkBlocked => "a network in the way",
        Cause::PromptExpired => "a prompt that expired",
        Cause::UserVerificationFailed => "a failed fingerprint, face or PIN",
        Cause::ResultLost => "a result that never reached the server",
        Cause::VerificationRejected => "a result that the server refused",
        Cause::RiskDenied => "a risk rule",
        Cause::CallbackLost => "a success that never reached the waiting page",
        Cause::SessionNotKept => "a session that was not kept",
        Cause::ServerError => "an error of the backend",
        Cause::ClientError => "an error of page, app or browser",
        Cause::WalkedAway => "a person who walked away",
        Cause::ConfirmationAbandoned => "a prompt left unanswered",
        Cause::SwitchedMethod => "a switch to another method",
        Cause::Cancelled => "a cancel by the person",
        Cause::Declined => "a refusal on the phone",
        Cause::None => "a success",
        Cause::Unknown => "an unknown fault",
    }
}

pub const fn phase_in_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Started => "the start",
        Phase::Presented => "the code on the screen",
        Phase::Scanned => "the scan",
        Phase::Opened => "the opening on the phone",
        Phase::Proximity => "proximity",
        Phase::Prompted => "the prompt",
        Phase::Confirmed => "the confirmation",
        Phase::Verified => "the verification",
        Phase::Returned => "the callback",
        Phase::Established => "the session",
    }
}

pub const fn error_in_words(error: ErrorClass) -> &'static str {
    match error {
        ErrorClass::NotAllowed => "NotAllowedError",
        ErrorClass::UserCancelled => "an error that says that the person cancelled",
        ErrorClass::TimedOut => "an error that says that time ran out",
        ErrorClass::OperationFailed => "NotAllowedError \"Operation failed.\"",
        ErrorClass::Aborted => "AbortError, by the page itself",
        ErrorClass::Superseded => "the word that another request is pending",
        ErrorClass::NotFocused => "the word that the page has no focus",
        ErrorClass::Security => "SecurityError",
        ErrorClass::NotSupported => "NotSupportedError",
        ErrorClass::InvalidState => "InvalidStateError",
        ErrorClass::Platform => "an error of the platform",
        ErrorClass::NoCredential => "the word that there is no credential",
        ErrorClass::Network => "a network error",
        ErrorClass::Timeout => "a request that ran out of time",
        ErrorClass::Http4xx => "a refusal by the backend",
        ErrorClass::Http5xx => "an error of the backend",
        ErrorClass::Render => "a rendering error",
        ErrorClass::Delivery => "a delivery error",
        ErrorClass::Handoff => "a link that did not open",
        ErrorClass::Policy => "a policy error",
        ErrorClass::Bluetooth => "a Bluetooth error",
        ErrorClass::Other => "an unknown error",
    }
}

pub const fn fault_in_words(fault: Fault) -> &'static str {
    match fault {
        Fault::Nothing => "nothing",
        Fault::Render => "a rendering error",
        Fault::Delivery => "a delivery error",
        Fault::Handoff => "that the link did not open the app",
        Fault::Network => "a network error",
        Fault::Timeout => "that time ran out",
        Fault::Policy => "that a policy forbids it",
        Fault::Bluetooth => "a Bluetooth error",
        Fault::NoCredential => "that there is no credential",
        Fault::Cancelled => "a cancel",
        Fault::Client => "an error of its own",
        Fault::Unsupported => "that the system does not support it",
        Fault::Backend => "an error of the backend",
        Fault::Refused => "a refusal by the backend",
        Fault::Other => "an unknown error",
    }
}

pub const fn reason_in_words(reason: Reason) -> &'static str {
    match reason {
        Reason::ChallengeExpired => "the challenge had expired",
        Reason::ChallengeMismatch => "it answers another challenge",
        Reason::OriginMismatch => "the origin is not allowed",
        Reason::RpIdMismatch => "the RP ID is another one",
        Reason::SignatureInvalid => "the signature does not verify",
        Reason::UnknownCredential => "the credential is not known",
        Reason::UserNotVerified => "the user was not verified",
        Reason::WrongAccount => "it came from another account",
        Reason::WrongDevice => "the device is not enrolled",
        Reason::TokenAlreadyUsed => "the token had been used before",
        Reason::TokenExpired => "the token had expired",
        Reason::RiskDenied => "a risk rule forbids it",
        Reason::Other => "it gave a reason of its own",
    }
}

/// A length as one would say it: `400 ms`, `4.6 s`, `12 s`, `3 min`, `2 h`.
pub fn length_in_words(length: Millis) -> String {
    match length.0 {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms @ 1_000..10_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        ms @ 10_000..600_000 => format!("{} s", (ms + 500) / 1000),
        ms @ 600_000..7_200_000 => format!("{} min", (ms + 30_000) / 60_000),
        ms => format!("{} h", ms.saturating_add(1_800_000) / 3_600_000),
    }
}
