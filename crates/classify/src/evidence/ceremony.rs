//! The WebAuthn ceremony: begun, pending, failed and how, and for how long it ran.
//!
//! - The length is what the page measured, else the time from its start to its failure, else the length of the
//!   span that reported the failure.
//! - A failure is forgotten when the page begins again after having replaced, aborted or unfocused the request
//!   itself.
//! - At the limit means within 2 seconds or 2 percent of it, whichever is more.

use authstitch_model::verdict::CauseSet;
use authstitch_model::{
    Browser, Cause, Environment, ErrorClass, JourneyEvent, Mediation, Millis, Os, UnixNanos,
};

use super::{Features, buckets};
use crate::feature::{Begun, Ceremony, Elapsed};
use crate::limits::{self, Limit};

/// A ceremony that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedCeremony {
    /// Its error.
    pub error: Option<ErrorClass>,
    /// How long it ran.
    pub elapsed: Option<Millis>,
    /// The browser it ran in.
    pub browser: Option<Browser>,
}

/// What tells a ceremony's limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting {
    /// What the page asked for, last.
    pub asked: Option<Millis>,
    /// The page's system.
    pub os: Option<Os>,
    /// The page's browser.
    pub browser: Option<Browser>,
}

impl Setting {
    /// Notes what the page ran on.
    pub fn see(&mut self, page: &Environment) {
        self.os = self.os.or_else(|| page.os.as_ref().map(|os| os.kind));
        self.browser = self.browser.or_else(|| page.browser.as_ref().map(|browser| browser.kind));
    }
}

/// The ceremony while its events are read.
#[derive(Debug, Default)]
pub struct Tracker {
    started: Option<UnixNanos>,
    mediation: Option<Mediation>,
    failed: Option<FailedCeremony>,
}

impl Tracker {
    /// The ceremony began, perhaps anew.
    pub fn start(&mut self, seen: &JourneyEvent, hiccups: CauseSet) -> CauseSet {
        self.started = Some(seen.corrected);
        self.mediation = seen.event.facts.mediation;
        match self.failed.and_then(|failed| failed.error) {
            Some(ErrorClass::Aborted) => {
                self.failed = None;
                hiccups
            }
            Some(ErrorClass::Superseded | ErrorClass::NotFocused) => {
                self.failed = None;
                hiccups.with(Cause::ClientError)
            }
            _ => hiccups,
        }
    }

    /// It returned an assertion.
    pub fn complete(&mut self) {
        self.failed = None;
    }

    /// It threw. After the person's decision only what the decision itself may have caused is kept.
    pub fn fail(&mut self, seen: &JourneyEvent, decided: bool) {
        let facts = &seen.event.facts;
        let from_start = self.started.map(|started| seen.corrected.since(started));
        let error = facts.error;
        if decided && value_of(error, None) == Ceremony::Client {
            return;
        }
        self.failed = Some(FailedCeremony {
            error,
            elapsed: facts.webauthn_elapsed.or(from_start).or(facts.duration),
            browser: seen.event.environment.browser.as_ref().map(|browser| browser.kind),
        });
    }

    /// Something later than the ceremony was reached.
    pub fn overcome(&mut self, hiccups: CauseSet) -> CauseSet {
        let Some(failed) = self.failed.take() else { return hiccups };
        match value_of(failed.error, failed.browser) {
            Ceremony::Client => hiccups.with(Cause::ClientError),
            Ceremony::NoCredential => hiccups.with(Cause::NoCredential),
            Ceremony::Network => hiccups.with(Cause::NetworkBlocked),
            Ceremony::Policy => hiccups.with(Cause::PolicyBlocked),
            Ceremony::Bluetooth => hiccups.with(Cause::BluetoothUnavailable),
            _ => hiccups,
        }
    }

    /// The failure that was not overcome.
    pub const fn failed(&self) -> Option<FailedCeremony> {
        self.failed
    }

    /// The observation's value, given the failure that counts.
    pub fn value(&self, failed: Option<FailedCeremony>) -> Ceremony {
        match failed {
            Some(failed) => value_of(failed.error, failed.browser),
            None if self.started.is_some() => Ceremony::Pending,
            None => Ceremony::Absent,
        }
    }

    /// Who began it, where the page says so.
    pub fn begun(&self) -> Option<Begun> {
        self.mediation.map(|mediation| match mediation {
            Mediation::Conditional => Begun::Conditional,
            Mediation::Optional | Mediation::Required | Mediation::Silent => Begun::ByPerson,
        })
    }
}

/// The value of an error class in a browser.
pub const fn value_of(error: Option<ErrorClass>, browser: Option<Browser>) -> Ceremony {
    let Some(error) = error else { return Ceremony::Unnamed };
    match error {
        ErrorClass::NotAllowed => match browser {
            Some(Browser::Firefox | Browser::Safari) => Ceremony::NotCancelled,
            _ => Ceremony::NotAllowed,
        },
        ErrorClass::UserCancelled => Ceremony::UserCancelled,
        ErrorClass::TimedOut | ErrorClass::Timeout => Ceremony::TimedOut,
        ErrorClass::OperationFailed => Ceremony::OperationFailed,
        ErrorClass::Aborted => Ceremony::Aborted,
        ErrorClass::Superseded
        | ErrorClass::NotFocused
        | ErrorClass::Security
        | ErrorClass::NotSupported
        | ErrorClass::InvalidState
        | ErrorClass::Render => Ceremony::Client,
        ErrorClass::Platform => Ceremony::Platform,
        ErrorClass::NoCredential => Ceremony::NoCredential,
        ErrorClass::Network | ErrorClass::Http4xx | ErrorClass::Http5xx => Ceremony::Network,
        ErrorClass::Policy => Ceremony::Policy,
        ErrorClass::Bluetooth => Ceremony::Bluetooth,
        ErrorClass::Delivery | ErrorClass::Handoff | ErrorClass::Other => Ceremony::Unnamed,
    }
}

/// The limit at which a ceremony ended, where it is known that it did.
pub fn limit_hit(features: &Features, failed: FailedCeremony) -> Option<Limit> {
    let at_limit = matches!(features.values.elapsed?, Elapsed::Limit | Elapsed::Beyond);
    let elapsed = failed.elapsed.filter(|_| at_limit)?;
    limits_of(&features.setting, failed.browser)
        .filter(|limit| matches!(against(elapsed, limit.after), Elapsed::Limit | Elapsed::Beyond))
        .max_by(|a, b| a.share.total_cmp(&b.share))
}

/// The limits that may have been in force in a ceremony.
fn limits_of(setting: &Setting, own_browser: Option<Browser>) -> impl Iterator<Item = Limit> {
    limits::possible(own_browser.or(setting.browser), setting.os, setting.asked)
}

/// The probability of each value of [`Elapsed`].
pub fn against_limits(setting: &Setting, failed: FailedCeremony) -> Option<[f32; Elapsed::CODES.len()]> {
    let elapsed = failed.elapsed?;
    let mut shares = [0.0; Elapsed::CODES.len()];
    for limit in limits_of(setting, failed.browser) {
        shares[against(elapsed, limit.after) as usize] += limit.share;
    }
    Some(shares)
}

fn against(elapsed: Millis, limit: Millis) -> Elapsed {
    let tolerance = (limit.0 / 50).max(2_000);
    match elapsed.0 {
        ms if ms > limit.0.saturating_add(tolerance) => Elapsed::Beyond,
        ms if ms.saturating_add(tolerance) >= limit.0 => Elapsed::Limit,
        _ => buckets::elapsed(elapsed),
    }
}

/// The likeliest of the values; the first of equals.
pub fn likeliest(shares: &[f32; Elapsed::CODES.len()]) -> Elapsed {
    let mut best = Elapsed::Instant;
    for value in Elapsed::ALL {
        if shares[*value as usize] > shares[best as usize] {
            best = *value;
        }
    }
    best
}

/// The limit that is likeliest in force in the ceremony, failed or pending.
pub fn likeliest_limit(setting: &Setting) -> Option<Millis> {
    let limits = limits_of(setting, None).filter(|_| setting.browser.is_some());
    limits.max_by(|a, b| a.share.total_cmp(&b.share)).map(|limit| limit.after)
}
