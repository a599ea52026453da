//! Numbers and codes of events, reduced to the values of observations.

use authstitch_model::{
    Browser, Cause, EventName, Flow, Journey, Millis, Os, Phase, Reason, Synthetic, phases,
};

use crate::feature::{
    Elapsed, Family, Limit, PhoneSystem, Previous, Refusal, Retry, Scanner, Stage, System, Wait,
};

/// What a refusal is about.
pub fn refusal(reason: Option<Reason>) -> Refusal {
    match reason {
        None | Some(Reason::Other) => Refusal::Unnamed,
        Some(
            Reason::ChallengeMismatch
            | Reason::OriginMismatch
            | Reason::RpIdMismatch
            | Reason::SignatureInvalid
            | Reason::UnknownCredential
            | Reason::UserNotVerified,
        ) => Refusal::Rejected,
        Some(Reason::ChallengeExpired | Reason::TokenExpired) => Refusal::Expired,
        Some(Reason::TokenAlreadyUsed) => Refusal::Replayed,
        Some(Reason::WrongAccount) => Refusal::Account,
        Some(Reason::WrongDevice) => Refusal::Device,
        Some(Reason::RiskDenied) => Refusal::Risk,
    }
}

/// The mishap that an overcome refusal was.
pub fn reason_as_hiccup(reason: Option<Reason>) -> Cause {
    match refusal(reason) {
        Refusal::Expired => Cause::CodeExpired,
        Refusal::Account => Cause::WrongAccount,
        Refusal::Device => Cause::WrongDevice,
        Refusal::Risk => Cause::RiskDenied,
        Refusal::Nothing | Refusal::Unnamed | Refusal::Rejected | Refusal::Replayed => {
            Cause::VerificationRejected
        }
    }
}

/// The family of a system.
pub const fn system(os: Os) -> System {
    match os {
        Os::Windows => System::Windows,
        Os::MacOs => System::MacOs,
        Os::Linux => System::Linux,
        Os::ChromeOs => System::ChromeOs,
        Os::Ios | Os::Android => System::Mobile,
        Os::Other => System::Other,
    }
}

/// Where the ranges of [`Wait`] begin, in milliseconds.
const WAITS: [u64; Wait::ALL.len()] =
    [0, 1_000, 2_000, 4_000, 7_000, 12_000, 20_000, 35_000, 60_000, 120_000, 180_000, 300_000];

/// How long somebody waited.
pub fn wait(length: Millis) -> Wait {
    let place = WAITS.iter().rposition(|begin| *begin <= length.0).unwrap_or_default();
    Wait::ALL[place]
}

/// How long a ceremony ran that ended short of its limit.
pub fn elapsed(length: Millis) -> Elapsed {
    let place = WAITS.iter().rposition(|begin| *begin <= length.0).unwrap_or_default();
    Elapsed::ALL[place.min(Elapsed::From120 as usize)]
}

/// How long a browser allows.
pub const fn limit(after: Option<Millis>) -> Limit {
    let Some(after) = after else { return Limit::Unknown };
    match after.0 {
        0..=45_000 => Limit::Short,
        45_001..=90_000 => Limit::Minute,
        90_001..=150_000 => Limit::TwoMinutes,
        150_001..=240_000 => Limit::ThreeMinutes,
        240_001..=600_000 => Limit::FiveMinutes,
        _ => Limit::Long,
    }
}

/// A phase as a stage.
pub fn stage(phase: Option<Phase>) -> Stage {
    phase.map_or(Stage::Nothing, |phase| Stage::ALL[phase.index() + 1])
}

/// Whether and how soon the person tried again.
pub fn retry(journey: &Journey) -> Retry {
    match journey.next {
        None => Retry::Never,
        Some(next) if next.flow != journey.flow && next.flow != Flow::Unknown => match next.gap.0 {
            0..10_000 => Retry::OtherSoon,
            _ => Retry::OtherLater,
        },
        Some(next) => match next.gap.0 {
            0..4_000 => Retry::AtOnce,
            4_000..10_000 => Retry::Soon,
            10_000..25_000 => Retry::While,
            25_000..60_000 => Retry::Minute,
            _ => Retry::Later,
        },
    }
}

/// Whether it is a retry itself.
pub fn previous(journey: &Journey) -> Previous {
    match journey.previous {
        None => Previous::Nothing,
        Some(previous) if previous.gap < Millis::from_secs(15) => Previous::Soon,
        Some(_) => Previous::Later,
    }
}

/// The family of a browser.
pub const fn family(browser: Browser) -> Family {
    match browser {
        Browser::Chrome => Family::Chrome,
        Browser::Edge => Family::Edge,
        Browser::Safari => Family::Safari,
        Browser::Firefox => Family::Firefox,
        Browser::Samsung | Browser::Other => Family::Other,
    }
}

/// The system of a phone.
pub const fn phone_system(os: Os) -> PhoneSystem {
    match os {
        Os::Ios => PhoneSystem::Ios,
        Os::Android => PhoneSystem::Android,
        _ => PhoneSystem::Other,
    }
}

/// A known scanner, or a fetch within 10 seconds of sending with another at least 3 seconds after it.
pub fn scanner(journey: &Journey) -> Scanner {
    const EARLY: Millis = Millis::from_secs(10);
    const APART: Millis = Millis::from_secs(3);
    let mut sent = None;
    let mut early = None;
    for seen in &journey.events {
        match seen.event.name {
            EventName::LinkSent => sent = Some(seen.corrected),
            EventName::LinkOpened if phases::is_scanner(&seen.event) => return Scanner::Fetched,
            EventName::LinkOpened if seen.event.facts.synthetic != Some(Synthetic::Bot) => match early {
                None => {
                    early = sent.filter(|sent| seen.corrected.since(*sent) < EARLY).map(|_| seen.corrected);
                }
                Some(early) if seen.corrected.since(early) >= APART => return Scanner::Suspected,
                Some(_) => {}
            },
            _ => {}
        }
    }
    Scanner::NoSign
}
