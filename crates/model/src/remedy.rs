//! The action map: for each cause the first remedy to test.

use crate::vocabulary::Cause;

/// The first remedy to test for a cause; `None` for success.
#[must_use]
pub const fn remedy(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::RenderFailed => {
            "Render the QR code on the server side, retry, and alert when \"shown\" is missing."
        }
        Cause::DeliveryFailed => {
            "Watch the delivery status of mail and messages, offer to resend, offer another channel."
        }
        Cause::ScanFailed => {
            "Show a larger code with higher contrast and lower density; hint at screen brightness."
        }
        Cause::WrongApp => "Use universal links and app links, with a web fallback for the default camera.",
        Cause::WrongBrowser => "Finish in the browser that began, or show a code to type.",
        Cause::CodeExpired => "Give codes a longer lifetime, refresh them by themselves, show a countdown.",
        Cause::HandoffFailed => "Fix deep links and the app association, by platform and app version.",
        Cause::LinkPrefetched => {
            "Put a confirm page with POST behind the link; ignore HEAD and scanners' fetches."
        }
        Cause::WrongDevice => "Tell people which device is enrolled, and offer to enrol this one.",
        Cause::WrongAccount => "Show the account on both screens and offer a switcher.",
        Cause::UnsupportedDevice => {
            "Check the capability before offering the method, and name the systems that work."
        }
        Cause::PolicyBlocked => {
            "Offer another method where device management, a work profile or a filter forbids this one."
        }
        Cause::NoCredential => {
            "Do not offer the code to people without a credential on their phone; signal unknown credentials."
        }
        Cause::BluetoothUnavailable => {
            "Check for hybrid capability before offering it; tell people to switch Bluetooth on."
        }
        Cause::ProximityFailed => {
            "Guide people to hold the phone near, let them retry, fall back to the app's QR code."
        }
        Cause::NetworkBlocked => {
            "Allow the login's domains through, for passkeys the tunnels and WebSockets, too; detect the block and fall back."
        }
        Cause::PromptExpired => "Keep the prompt longer and show it again on unlock.",
        Cause::UserVerificationFailed => "Fall back to the device PIN and make the copy clearer.",
        Cause::ResultLost => "Post the assertion with retry and keepalive, and make the endpoint idempotent.",
        Cause::VerificationRejected => {
            "Split by sub-cause: challenge expiry, origin or RP ID, signature, unknown credential."
        }
        Cause::RiskDenied => "Review the risk rule by segment; step up instead of refusing.",
        Cause::CallbackLost => {
            "Make polling resumable, watch the push channel, make the callback idempotent."
        }
        Cause::SessionNotKept => "Check cookies, step-up and the session store.",
        Cause::ServerError => "Fix by route and error.type.",
        Cause::ClientError => "Fix focus, concurrent requests and unsupported browsers.",
        Cause::WalkedAway => "Let people choose the method earlier, and offer another factor.",
        Cause::ConfirmationAbandoned => "Work on copy and timing of the prompt.",
        Cause::SwitchedMethod => "Lead with the method that people switched to.",
        Cause::Cancelled => "Ask why people cancel here; offer the preferred method first.",
        Cause::Declined => "Show origin and place on the prompt, which may look suspicious or confusing.",
        Cause::Unknown => "Instrument the missing step.",
        Cause::None => return None,
    })
}

/// What to do where a journey is suspected to be relayed.
pub const RELAY_DEFENCE: &str =
    "Require proximity or a matching number, show place and origin, refuse codes from foreign networks.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_but_success_has_a_remedy() {
        for cause in Cause::ALL {
            assert_eq!(remedy(*cause).is_none(), *cause == Cause::None, "{cause}");
        }
    }
}
