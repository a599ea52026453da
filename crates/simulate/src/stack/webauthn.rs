//! What a browser throws when a ceremony does not succeed. Chromium says the same for a cancel, a timeout and
//! every failure of the phone; Safari's message tells a cancel apart; Firefox throws another error for it.

use authstitch_model::{Browser, Cause};

use crate::random::Dice;

/// Error type and message.
pub(super) type Thrown = (&'static str, &'static str);

const NOT_ALLOWED: Thrown = (
    "NotAllowedError",
    "The operation either timed out or was not allowed. See: https://www.w3.org/TR/webauthn-2/#sctn-privacy-considerations-client.",
);
const FIREFOX_NOT_ALLOWED: Thrown = (
    "NotAllowedError",
    "The request is not allowed by the user agent or the platform in the current context, possibly because the user denied permission.",
);

/// The page's own abort, where the person takes another method.
pub(super) const ABORTED: Thrown = ("AbortError", "signal is aborted without reason");

pub(super) const fn cancel(browser: Browser) -> Thrown {
    match browser {
        Browser::Safari => ("NotAllowedError", "This request has been cancelled by the user."),
        Browser::Firefox => ("AbortError", "The operation was aborted."),
        _ => NOT_ALLOWED,
    }
}

pub(super) fn timeout(browser: Browser, dice: &mut Dice) -> Thrown {
    match browser {
        // The older path says so, the newer one only that it failed.
        Browser::Safari if dice.chance(0.4) => ("NotAllowedError", "Operation timed out."),
        Browser::Safari => ("NotAllowedError", "Operation failed."),
        Browser::Firefox => FIREFOX_NOT_ALLOWED,
        _ => NOT_ALLOWED,
    }
}

/// What a failure of the phone, the way to it, or the platform looks like.
pub(super) fn failure(browser: Browser, cause: Cause, dice: &mut Dice) -> Thrown {
    match cause {
        Cause::ClientError => misuse(browser, dice),
        Cause::PolicyBlocked | Cause::Unknown if dice.chance(0.3) => match browser {
            Browser::Firefox => ("UnknownError", "The operation failed for an unknown transient reason"),
            _ => ("NotReadableError", "An unknown error occurred while talking to the credential manager."),
        },
        _ => match browser {
            Browser::Safari => ("NotAllowedError", "Operation failed."),
            Browser::Firefox => FIREFOX_NOT_ALLOWED,
            _ => NOT_ALLOWED,
        },
    }
}

/// A call that the browser refuses before anybody sees anything.
fn misuse(browser: Browser, dice: &mut Dice) -> Thrown {
    const SECURITY: Thrown = (
        "SecurityError",
        "The relying party ID is not a registrable domain suffix of, nor equal to the current domain.",
    );
    const UNSUPPORTED: Thrown = ("NotSupportedError", "The specified operation is not supported.");
    match browser {
        Browser::Safari => dice.one(&[
            ("NotAllowedError", "This request has been cancelled by a new request."),
            SECURITY,
            UNSUPPORTED,
        ]),
        Browser::Firefox => dice.one(&[SECURITY, UNSUPPORTED]),
        _ => dice.one(&[
            ("OperationError", "A request is already pending."),
            (
                "NotAllowedError",
                "The operation is not allowed at this time because the page does not have focus.",
            ),
            SECURITY,
            UNSUPPORTED,
        ]),
    }
}
