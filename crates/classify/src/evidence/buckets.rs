//! Numbers and codes of events, reduced to the values of features.

use authstitch_model::{Cause, EventName, Flow, Journey, Millis, Os, Reason, Synthetic, phases};

use crate::feature::{Dwell, Refusal, Retry, Scanner, System};

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

/// How long somebody waited.
pub fn dwell(length: Millis) -> Dwell {
    match length.0 {
        0..5_000 => Dwell::Moment,
        5_000..20_000 => Dwell::Brief,
        20_000..60_000 => Dwell::While,
        60_000..180_000 => Dwell::Long,
        _ => Dwell::VeryLong,
    }
}

/// Whether and how soon the person tried again.
pub fn retry(journey: &Journey) -> Retry {
    match journey.next {
        None => Retry::Never,
        Some(next) if next.flow != journey.flow && next.flow != Flow::Unknown => Retry::OtherFlow,
        Some(next) => match next.gap.0 {
            0..10_000 => Retry::AtOnce,
            10_000..60_000 => Retry::Soon,
            _ => Retry::Later,
        },
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
