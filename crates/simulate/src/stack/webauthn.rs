//! What a browser throws when a ceremony does not succeed. Chromium says the same for a cancel, a timeout and
//! every failure of the phone; Safari's message tells a cancel apart; Firefox throws another error for it.
//!
//! Each function gives what may be thrown, with its share; [`drawn`] picks one.

use authstitch_model::{Browser, Cause};

use crate::random::Dice;

/// Error type and message.
pub(crate) type Thrown = (&'static str, &'static str);

const NOT_ALLOWED: Thrown = (
    "NotAllowedError",
    "The operation either timed out or was not allowed. See: https://www.w3.org/TR/webauthn-2/#sctn-privacy-considerations-client.",
);
const FIREFOX_NOT_ALLOWED: Thrown = (
    "NotAllowedError",
    "The request is not allowed by the user agent or the platform in the current context, possibly because the user denied permission.",
);
const FAILED: Thrown = ("NotAllowedError", "Operation failed.");
const SECURITY: Thrown = (
    "SecurityError",
    "The relying party ID is not a registrable domain suffix of, nor equal to the current domain.",
);
const UNSUPPORTED: Thrown = ("NotSupportedError", "The specified operation is not supported.");

/// The page's own abort, where the person takes another method.
pub(crate) const ABORTED: Thrown = ("AbortError", "signal is aborted without reason");

/// One of them, by their shares.
pub(crate) fn drawn(thrown: &[(Thrown, f64)], dice: &mut Dice) -> Thrown {
    let mut left = dice.unit();
    for (thrown, share) in thrown {
        if left < *share {
            return *thrown;
        }
        left -= share;
    }
    thrown.last().map_or(NOT_ALLOWED, |(thrown, _)| *thrown)
}

pub(crate) const fn cancel(browser: Browser) -> Thrown {
    match browser {
        Browser::Safari => ("NotAllowedError", "This request has been cancelled by the user."),
        Browser::Firefox => ("AbortError", "The operation was aborted."),
        _ => NOT_ALLOWED,
    }
}

pub(crate) fn timeout(browser: Browser) -> Vec<(Thrown, f64)> {
    match browser {
        // The older path says so, the newer one only that it failed.
        Browser::Safari => vec![(("NotAllowedError", "Operation timed out."), 0.4), (FAILED, 0.6)],
        Browser::Firefox => vec![(FIREFOX_NOT_ALLOWED, 1.0)],
        _ => vec![(NOT_ALLOWED, 1.0)],
    }
}

/// What a failure of the phone, the way to it, or the platform looks like.
pub(crate) fn failure(browser: Browser, cause: Cause) -> Vec<(Thrown, f64)> {
    let plain = match browser {
        Browser::Safari => FAILED,
        Browser::Firefox => FIREFOX_NOT_ALLOWED,
        _ => NOT_ALLOWED,
    };
    match cause {
        Cause::ClientError => misuse(browser),
        Cause::PolicyBlocked | Cause::Unknown => {
            let odd = match browser {
                Browser::Firefox => ("UnknownError", "The operation failed for an unknown transient reason"),
                _ => {
                    ("NotReadableError", "An unknown error occurred while talking to the credential manager.")
                }
            };
            vec![(odd, 0.3), (plain, 0.7)]
        }
        _ => vec![(plain, 1.0)],
    }
}

/// A call that the browser refuses before anybody sees anything. Some say no more than that it was not allowed:
/// no user gesture, a signal that had been aborted, a frame without the permission.
fn misuse(browser: Browser) -> Vec<(Thrown, f64)> {
    let thrown: &[Thrown] = match browser {
        Browser::Safari => &[
            ("NotAllowedError", "This request has been cancelled by a new request."),
            SECURITY,
            UNSUPPORTED,
            FAILED,
        ],
        Browser::Firefox => &[SECURITY, UNSUPPORTED, FIREFOX_NOT_ALLOWED],
        _ => &[
            ("OperationError", "A request is already pending."),
            (
                "NotAllowedError",
                "The operation is not allowed at this time because the page does not have focus.",
            ),
            SECURITY,
            UNSUPPORTED,
            NOT_ALLOWED,
        ],
    };
    thrown.iter().map(|one| (*one, 1.0 / thrown.len() as f64)).collect()
}
