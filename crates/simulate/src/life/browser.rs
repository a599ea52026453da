//! What browsers do with a ceremony's time, whatever the page asks for.

use authstitch_model::{Browser, Millis, ceremony};

/// How long a browser waits for an answer when the page asks for this timeout; one of no known rule is built on
/// Chromium.
pub(crate) fn effective_timeout(browser: Browser, requested: Option<Millis>) -> Millis {
    let known = ceremony::limit(browser, requested);
    known.or_else(|| ceremony::limit(Browser::Chrome, requested)).unwrap_or_default()
}

/// What happens when a ceremony's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndOfTime {
    /// The ceremony fails at once.
    Fails,
    /// A sheet says so, and the ceremony fails when somebody dismisses it.
    Sheet,
}

/// What this browser does when the time is over.
pub(crate) const fn end_of_time(browser: Browser) -> EndOfTime {
    match browser {
        Browser::Safari | Browser::Firefox => EndOfTime::Fails,
        Browser::Chrome | Browser::Edge | Browser::Samsung | Browser::Other => EndOfTime::Sheet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_and_not_the_page_sets_the_limit() {
        let asked = |seconds| Some(Millis::from_secs(seconds));
        assert_eq!(effective_timeout(Browser::Chrome, asked(60)), Millis::from_mins(3));
        assert_eq!(effective_timeout(Browser::Edge, asked(300)), Millis::from_mins(5));
        assert_eq!(effective_timeout(Browser::Chrome, None), Millis::from_mins(1200));
        assert_eq!(effective_timeout(Browser::Safari, asked(300)), Millis::from_secs(120));
        assert_eq!(effective_timeout(Browser::Safari, asked(60)), Millis::from_secs(60));
        assert_eq!(effective_timeout(Browser::Firefox, None), Millis::from_secs(30));
        assert_eq!(effective_timeout(Browser::Firefox, asked(300)), Millis::from_secs(120));
        assert_eq!(effective_timeout(Browser::Firefox, asked(1)), Millis::from_secs(15));
    }
}
