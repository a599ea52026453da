//! When a browser ends a WebAuthn ceremony by itself.
//!
//! - Each family keeps its own rule, see [`ceremony::limit`].
//! - Every browser of iOS is Safari inside.
//! - Where the browser or the page's wish is not known, each possibility counts with its share.

use authstitch_model::{Browser, Millis, Os, ceremony};

/// A limit, the probability that it is the one in force, and whether it is what the page asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// When the ceremony ends.
    pub after: Millis,
    /// The probability of this limit.
    pub share: f32,
    /// Whether the page's own wish decides, not the browser's default or bound.
    pub asked_for: bool,
}

/// Browsers that share one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Chromium,
    Safari,
    Firefox,
}

/// The families among desktops whose browser is not known (our own estimate).
const ANY: &[(Family, f32)] = &[(Family::Chromium, 0.72), (Family::Safari, 0.2), (Family::Firefox, 0.08)];

/// The same where Safari does not exist.
const NO_SAFARI: &[(Family, f32)] = &[(Family::Chromium, 0.9), (Family::Firefox, 0.1)];

/// What pages ask for that do not say what they asked for (our own estimate): one minute is the oldest
/// advice, five minutes is the specification's.
const WISHES: &[(Option<Millis>, f32)] = &[
    (Some(Millis::from_mins(1)), 0.35),
    (Some(Millis::from_mins(2)), 0.1),
    (Some(Millis::from_mins(5)), 0.4),
    (None, 0.15),
];

impl Family {
    fn limit(self, asked: Option<Millis>) -> Millis {
        let browser = match self {
            Self::Chromium => Browser::Chrome,
            Self::Safari => Browser::Safari,
            Self::Firefox => Browser::Firefox,
        };
        ceremony::limit(browser, asked).or(asked).unwrap_or_default()
    }
}

fn families(browser: Option<Browser>, os: Option<Os>) -> &'static [(Family, f32)] {
    match (browser, os) {
        (_, Some(Os::Ios)) | (Some(Browser::Safari), _) => &[(Family::Safari, 1.0)],
        (Some(Browser::Chrome | Browser::Edge | Browser::Samsung), _) => &[(Family::Chromium, 1.0)],
        (Some(Browser::Firefox), _) => &[(Family::Firefox, 1.0)],
        (Some(Browser::Other) | None, Some(Os::MacOs) | None) => ANY,
        (Some(Browser::Other) | None, Some(_)) => NO_SAFARI,
    }
}

/// Every limit that may be in force; the shares sum to one.
pub fn possible(
    browser: Option<Browser>,
    os: Option<Os>,
    asked: Option<Millis>,
) -> impl Iterator<Item = Limit> {
    let unknown: &[_] = if asked.is_some() { &[] } else { WISHES };
    families(browser, os).iter().flat_map(move |(family, share)| {
        let wishes = asked.map(|asked| (Some(asked), 1.0)).into_iter().chain(unknown.iter().copied());
        wishes.map(move |(wish, wished)| {
            let after = family.limit(wish);
            Limit { after, share: share * wished, asked_for: asked == Some(after) }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(browser: Browser, asked_secs: Option<u64>) -> (u64, bool) {
        let limits: Vec<_> = possible(Some(browser), None, asked_secs.map(Millis::from_secs)).collect();
        assert_eq!(limits.len(), 1, "{limits:?}");
        (limits[0].after.0 / 1000, limits[0].asked_for)
    }

    #[test]
    fn chrome_and_edge_allow_three_minutes_to_twenty_hours() {
        for browser in [Browser::Chrome, Browser::Edge, Browser::Samsung] {
            assert_eq!(only(browser, Some(60)), (180, false));
            assert_eq!(only(browser, Some(300)), (300, true));
            assert_eq!(only(browser, Some(1_000_000)), (72_000, false));
        }
        assert_eq!(Family::Chromium.limit(None), Millis::from_secs(72_000));
    }

    #[test]
    fn safari_allows_at_most_two_minutes() {
        assert_eq!(only(Browser::Safari, Some(60)), (60, true));
        assert_eq!(only(Browser::Safari, Some(300)), (120, false));
        assert_eq!(Family::Safari.limit(None), Millis::from_secs(120));
    }

    #[test]
    fn firefox_allows_fifteen_seconds_to_two_minutes() {
        assert_eq!(only(Browser::Firefox, Some(5)), (15, false));
        assert_eq!(only(Browser::Firefox, Some(60)), (60, true));
        assert_eq!(only(Browser::Firefox, Some(300)), (120, false));
        assert_eq!(Family::Firefox.limit(None), Millis::from_secs(30));
    }

    #[test]
    fn every_browser_of_ios_is_safari() {
        let limits: Vec<_> =
            possible(Some(Browser::Chrome), Some(Os::Ios), Some(Millis::from_mins(5))).collect();
        assert_eq!(limits[0].after, Millis::from_secs(120));
    }

    #[test]
    fn what_is_not_known_counts_with_its_share() {
        for os in [None, Some(Os::Windows), Some(Os::MacOs)] {
            for asked in [None, Some(Millis::from_mins(5))] {
                for browser in [None, Some(Browser::Other), Some(Browser::Firefox)] {
                    let sum: f32 = possible(browser, os, asked).map(|limit| limit.share).sum();
                    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
                }
            }
        }
        let safari_on_windows = possible(None, Some(Os::Windows), Some(Millis::from_mins(5)))
            .filter(|limit| limit.after == Millis::from_secs(120))
            .map(|limit| limit.share)
            .sum::<f32>();
        assert!(safari_on_windows < 0.11, "only Firefox is left at two minutes");
    }
}
