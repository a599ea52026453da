//! When a browser ends a WebAuthn ceremony by itself: its own rule, not the page's wish, decides.

use crate::time::Millis;
use crate::vocabulary::Browser;

/// The limit that a browser keeps, given what the page asked for; `None` for a browser whose rule is unknown.
///
/// - Chrome, Edge and their kin take what the page asked for, at least 3 minutes and at most 20 hours, and 20
///   hours where it asked for nothing.
/// - Safari takes what the page asked for, at most 120 seconds, and 120 seconds where it asked for nothing.
/// - Firefox takes what the page asked for, at least 15 and at most 120 seconds, and 30 seconds where it asked
///   for nothing.
#[must_use]
pub fn limit(browser: Browser, asked: Option<Millis>) -> Option<Millis> {
    let (default, least, most) = match browser {
        Browser::Chrome | Browser::Edge | Browser::Samsung => {
            (Millis::from_mins(20 * 60), Millis::from_mins(3), Millis::from_mins(20 * 60))
        }
        Browser::Safari => (Millis::from_secs(120), Millis(0), Millis::from_secs(120)),
        Browser::Firefox => (Millis::from_secs(30), Millis::from_secs(15), Millis::from_secs(120)),
        Browser::Other => return None,
    };
    Some(asked.map_or(default, |asked| asked.clamp(least, most)))
}
