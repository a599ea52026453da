//! The verdict in one to three sentences that a support engineer can paste into a ticket.
//!
//! 1. What was seen: on what the login began, and the event that says most about its end, with its time since
//!    the beginning; then what else the phone told, a code used after its end, a retry, and why silence may say
//!    little; and which hidden phases are only inferred, because nobody could report them.
//! 2. What follows, and what remains open: the likeliest causes with their probabilities. A cause is called the
//!    cause where it stands alone, and has a probability unless it is certain; where none stands out, the
//!    displayed outcome is said.
//! 3. What to try first, unless it worked.

mod words;

use std::fmt::Write as _;

use authstitch_model::verdict::DISPLAYED;
use authstitch_model::{
    Basis, Cause, Flow, Journey, Millis, Outcome, Phase, Reason, Side, UnixNanos, Verdict, phases, remedy,
};

use crate::caps;
use crate::evidence::{self, FailedCeremony, Features};
use crate::feature::{Begun, CodeUse, Elapsed, Fault, Parting, PhoneSession, UserVerification};
use words::{
    cause_in_words, error_in_words, fault_in_words, length_in_words, phase_in_words, reason_in_words,
};

/// What is likelier than this is called certain: a rule decides it.
const CERTAIN: f32 = 0.999_99;

/// One to three sentences that a support engineer can paste.
#[must_use]
pub fn explain(journey: &Journey, verdict: &Verdict) -> String {
    let features = evidence::observe(journey);
    let mut text = format!("{}; {}", beginning(journey), seen(journey, &features));
    for note in notes(journey, &features, verdict) {
        let _ = write!(text, "; {note}");
    }
    text.push_str(". ");
    if verdict.unfinished {
        let _ = write!(text, "Of such logins {} succeed.", percent(verdict.causes.of(Cause::None)));
    } else {
        text.push_str(&follows(&features, verdict));
    }
    if verdict.relay_suspected {
        let _ = write!(text, " The code may have been relayed: {}", lower_first(remedy::RELAY_DEFENCE));
    } else if let Some(action) = verdict.cause_to_act_on().and_then(remedy::remedy)
        && !(features.values.begun == Some(Begun::Conditional) && verdict.outcome() == Outcome::Undetermined)
    {
        let _ = write!(text, " To try first: {}", lower_first(action));
    }
    text
}

fn beginning(journey: &Journey) -> String {
    let environment = || journey.environments(Side::Initiator);
    let os = environment().find_map(|known| known.os.as_ref().map(|os| os.name.as_str()));
    let browser = environment().find_map(|known| known.browser.as_ref().map(|browser| browser.name.as_str()));
    match (os, browser) {
        (Some(os), Some(browser)) => format!("Started on {os} {browser}"),
        (Some(name), None) | (None, Some(name)) => format!("Started on {name}"),
        (None, None) if journey.events.iter().any(|seen| seen.event.side == Side::Initiator) => {
            "Started on an unknown device".to_owned()
        }
        (None, None) => "Nothing was heard of the waiting page".to_owned(),
    }
}

/// The event that says most about the end.
fn seen(journey: &Journey, features: &Features) -> String {
    let since_start = |at: UnixNanos| length_in_words(at.since(journey.started_at()));
    if let Some(at) = features.progress.at(Phase::Established) {
        return format!("the session was established after {}", since_start(at));
    }
    if let Some(reason) = features.reason {
        return format!("the server refused the result: {}", reason_in_words(reason));
    }
    if features.refused() {
        return "the server refused the result and gave no reason".to_owned();
    }
    let values = &features.values;
    let parted_at = features.parted_at.unwrap_or_else(|| journey.ended_at());
    let after = match parted_at.since(journey.started_at()) {
        Millis(0..1_000) => String::new(),
        length => format!(" after {}", length_in_words(length)),
    };
    if values.parting == Some(Parting::Declined) {
        return format!("the person refused on the phone{after}");
    }
    if let Some(failed) = features.failed_ceremony {
        return ceremony(features, failed);
    }
    let faults =
        [(values.phone_fault, "phone"), (values.page_fault, "page"), (values.server_fault, "server")];
    let fault =
        faults.iter().find_map(|(fault, who)| Some((fault.filter(|fault| *fault != Fault::Nothing)?, who)));
    if let Some((fault, who)) = fault {
        return format!("the {who} reported {}{}", fault_in_words(fault), last_seen(features));
    }
    match values.parting {
        Some(Parting::Switched) => {
            format!("the person took another method{after}{}", last_seen(features))
        }
        Some(Parting::Cancelled) => {
            format!("the person pressed cancel{after}{}", last_seen(features))
        }
        Some(Parting::Closed) => format!("the page was closed{after}{}", last_seen(features)),
        Some(Parting::Nothing | Parting::Declined) | None if values.begun == Some(Begun::Conditional) => {
            "the passkey request waited in autofill, where nobody has to have noticed it".to_owned()
        }
        Some(Parting::Nothing | Parting::Declined) | None => match features.known.last() {
            Some(phase) => format!("nothing more was heard after {}", phase_in_words(phase)),
            None => "none of its phases was seen".to_owned(),
        },
    }
}

/// What else says much, unless it worked.
fn notes(journey: &Journey, features: &Features, verdict: &Verdict) -> Vec<String> {
    let values = &features.values;
    let mut notes = Vec::new();
    if features.progress.observed().has(Phase::Established) {
        return notes;
    }
    if features.failed_ceremony.is_some()
        && let Some(fault) = values.phone_fault.filter(|fault| *fault != Fault::Nothing)
    {
        notes.push(format!("the phone reported {}", fault_in_words(fault)));
    }
    match values.user_verification {
        Some(UserVerification::FailedOnce) => notes.push("user verification failed on the phone".to_owned()),
        Some(UserVerification::FailedOften) => {
            notes.push("user verification failed repeatedly on the phone".to_owned());
        }
        Some(UserVerification::Fine) | None => {}
    }
    let expired = matches!(features.reason, Some(Reason::TokenExpired | Reason::ChallengeExpired));
    if values.code_use == Some(CodeUse::Late) && !expired {
        notes.push("the code had already expired when it was used".to_owned());
    }
    if values.phone_session == Some(PhoneSession::Established) {
        notes.push("a session was established on the phone, not on the waiting page".to_owned());
    }
    if features.kept < 1.0 {
        notes.push(format!("its traces are sampled ({}), so silence says little", percent(features.kept)));
    }
    if let Some(next) = journey.next {
        notes.push(format!("the person tried again {} later", length_in_words(next.gap)));
    }
    if features.cut_off {
        notes.push(format!("it was cut off ({}), so its silence says nothing", journey.close_reason));
    }
    if let Some(phases) = inferred(features, verdict).filter(|_| !verdict.unfinished) {
        let missing = match features.heard[Side::Authenticator.index()] {
            true => "no event shows the rest",
            false => "no phone event was seen",
        };
        notes.push(format!("{missing}, so {phases} only inferred"));
    }
    notes
}

fn last_seen(features: &Features) -> String {
    match features.known.last() {
        Some(phase) => format!("; the login had come as far as {}", phase_in_words(phase)),
        None => "; no phase had been seen".to_owned(),
    }
}

fn ceremony(features: &Features, failed: FailedCeremony) -> String {
    let with = failed.error.map_or("an error without a name", error_in_words);
    let Some(elapsed) = failed.elapsed else { return format!("the ceremony ended with {with}") };
    let mut text = format!("the ceremony ended after {} with {with}", length_in_words(elapsed));
    text.push_str(&match evidence::limit_hit(features, failed) {
        Some(limit) => {
            let whose =
                if limit.asked_for { "the relying party's own limit" } else { "the browser's own limit" };
            match features.values.elapsed {
                Some(Elapsed::Beyond) => format!(", past {whose} of {}", length_in_words(limit.after)),
                _ => format!(", {whose}"),
            }
        }
        None if elapsed < Millis::from_secs(1) => ", too soon to be the person's doing".to_owned(),
        None => String::new(),
    });
    text
}

/// What follows and what remains open.
fn follows(features: &Features, verdict: &Verdict) -> String {
    let established = features.progress.observed().has(Phase::Established);
    if verdict.outcome() == Outcome::Succeeded {
        let hiccups: Vec<_> = verdict.hiccups.iter().map(cause_in_words).collect();
        let after = match hiccups.as_slice() {
            [] => String::new(),
            hiccups => format!(", after {} had been overcome", enumerated(hiccups)),
        };
        let share = percent(verdict.causes.of(Cause::None));
        return match established {
            true => format!("The login worked{after}."),
            false => format!("The login probably worked ({share}), though no session was seen{after}."),
        };
    }
    let ranked = verdict.causes.ranked();
    let probability = ranked[0].1;
    let set = verdict.causes.credible_set();
    let open = ranked.iter().filter(|(cause, _)| set.has(*cause)).take(caps::CAUSES_EXPLAINED);
    let named: Vec<_> = open.map(|(cause, share)| with_probability(*cause, *share)).collect();
    let text = if probability >= DISPLAYED && named.len() == 1 {
        let how_sure = if probability >= caps::NEARLY_CERTAIN { "" } else { "almost certainly " };
        format!("the cause is {how_sure}{}.", named[0])
    } else if probability >= DISPLAYED {
        format!("probably {}; {} cannot be excluded.", named[0], enumerated(&named[1..]))
    } else {
        format!("{}; the likeliest are {}.", undecided(verdict), enumerated(&named))
    };
    upper_first(&text)
}

/// That no cause stands out, and what is likelier than not all the same.
fn undecided(verdict: &Verdict) -> String {
    let outcome = match verdict.outcome() {
        Outcome::TechnicalFailure => "a technical failure is likelier than not",
        Outcome::UserAbandoned => "it was probably abandoned",
        Outcome::UserDeclined => "it was probably declined",
        Outcome::Succeeded | Outcome::Undetermined => return "no cause stands out".to_owned(),
    };
    format!("{outcome} ({}), but no cause stands out", percent(verdict.causes.outcome(verdict.outcome())))
}

/// The hidden phases that are inferred and matter, if the ceremony stopped before its end.
fn inferred(features: &Features, verdict: &Verdict) -> Option<String> {
    let confirmed = features.known.has(Phase::Confirmed);
    if features.flow != Flow::PasskeyCda || confirmed {
        return None;
    }
    let hidden =
        phases::of(features.flow).iter().filter(|place| place.hidden && place.phase != Phase::Presented);
    let names: Vec<_> = hidden
        .filter(|place| {
            verdict.phases[place.phase.index()]
                .is_some_and(|phase| phase.basis == Basis::Inferred && phase.reached >= caps::SHOWN_PHASE)
        })
        .map(|place| phase_in_words(place.phase))
        .collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("{one} is")),
        names => Some(format!("{} are", enumerated(names))),
    }
}

fn with_probability(cause: Cause, share: f32) -> String {
    let words = cause_in_words(cause);
    if share > CERTAIN { words.to_owned() } else { format!("{words} ({})", percent(share)) }
}

/// `a`, `a and b`, `a, b and c`.
fn enumerated<S: AsRef<str>>(parts: &[S]) -> String {
    let texts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    match texts.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn percent(probability: f32) -> String {
    match probability * 100.0 {
        share if share > 99.5 && share < 100.0 => "over 99 %".to_owned(),
        share if share < 0.5 => "under 1 %".to_owned(),
        share => format!("{share:.0} %"),
    }
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
