//! One pass over a journey's events, in corrected time, that reduces them to [`Features`].
//!
//! - A phase is observed where an event evidences it, and implied where an observed event makes it certain.
//! - A mishap of one side is overcome when that side goes on to a phase it had not reached before; then it is
//!   a hiccup. A failed ceremony is overcome by a completed one, a refusal by an accepted result, a late use
//!   of a code and a failed user verification by a confirmation.
//! - An error counts whether it is an `auth.error` or stands on another event, which then evidences no phase.
//! - What fails after the person's own decision is no mishap, unless somebody goes on after it.
//! - Of several personal acts a refusal on the phone counts before a switch, a switch before a cancel, and a
//!   cancel before a closed page.
//! - A code counts as used late only beyond what the clocks may be off: 2 seconds, or 10 seconds on a phone
//!   whose offset is not known.

mod buckets;
mod ceremony;
mod code;
mod fault;
mod place;
mod progress;

use authstitch_model::event::Transports;
use authstitch_model::verdict::CauseSet;
use authstitch_model::{
    Attachment, AuthEvent, Cause, CloseReason, EventName, Flow, Journey, JourneyEvent, Phase, Reason, Side,
    UnixNanos, phases,
};

pub use ceremony::{FailedCeremony, limit_hit};
pub use progress::Progress;

use crate::feature::{
    Ceremony, CodeUse, Credential, Elapsed, Form, Holes, Hybrid, Page, Parting, PhoneSession, PhoneSystem,
    Refreshes, Refusal, Sampled, UserVerification, Values,
};
use crate::phase_set::PhaseSet;
use buckets::{
    family, limit, phone_system, previous, reason_as_hiccup, refusal, retry, scanner, stage, system, wait,
};
use code::Codes;
use fault::Faults;
use place::Places;

/// What the rules and the tables know of a journey.
#[derive(Clone, Debug)]
pub struct Features {
    /// Its flow.
    pub flow: Flow,
    /// How far it came, and when.
    pub progress: Progress,
    /// The phases that are observed, or made certain by what is observed.
    pub known: PhaseSet,
    /// The phases that lie behind.
    pub passed: PhaseSet,
    /// The value of each observation; none after a session, which decides alone.
    pub values: Values,
    /// The probability of each [`Elapsed`] value: more than one where the browser is not known.
    pub elapsed: Option<[f32; Elapsed::CODES.len()]>,
    /// The ceremony that failed and was not overcome.
    pub failed_ceremony: Option<FailedCeremony>,
    /// What tells the ceremony's limit.
    pub setting: ceremony::Setting,
    /// The reason of the refusal that was not overcome.
    pub reason: Option<Reason>,
    /// When the person parted, where an act of theirs was seen.
    pub parted_at: Option<UnixNanos>,
    /// Mishaps that were overcome.
    pub hiccups: CauseSet,
    /// Whether an error came before any code was on the screen.
    pub error_before_presented: bool,
    /// Which sides were heard of, by [`Side::index`].
    pub heard: [bool; Side::COUNT],
    /// The smallest share of traces that a sampler said it keeps.
    pub kept: f32,
    /// Whether the journey was cut off, so that its silence says nothing.
    pub cut_off: bool,
    /// What is known of a passkey's authenticator.
    pub authenticator: Authenticator,
    /// Signs of a relayed code.
    pub relayed: bool,
}

/// What events say of the authenticator that answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Authenticator {
    /// Where it stood.
    pub attachment: Option<Attachment>,
    /// Whether the credential's registered transports leave out a phone.
    pub only_key: bool,
    /// Whether they leave out a security key, or the credential can be backed up.
    pub no_key: bool,
    /// Whether the phone itself reported a scan.
    pub scanned: bool,
}

/// The state of the pass.
#[derive(Default)]
struct Pass {
    progress: Progress,
    faults: Faults,
    codes: Codes,
    places: Places,
    ceremony: ceremony::Tracker,
    refusal: Option<(Refusal, Option<Reason>)>,
    verifications_failed: u32,
    hiccups: CauseSet,
    parting: Option<(Parting, UnixNanos)>,
    decided: bool,
    error_before_presented: bool,
    hidden: bool,
    credential_unknown: bool,
    phone_session: bool,
    hybrid: Option<bool>,
    setting: ceremony::Setting,
    phone_system: Option<PhoneSystem>,
    form: Form,
    page_heard_at: Option<UnixNanos>,
    authenticator: Authenticator,
    heard: [bool; Side::COUNT],
    /// The greatest share of traces that a sampler said it drops, in parts per 65,536.
    dropped: u16,
}

/// Reduces a journey to its features.
pub fn observe(journey: &Journey) -> Features {
    let mut pass = Pass::default();
    for (nth, event) in journey.events.iter().enumerate() {
        pass.see(journey, nth, event);
    }
    pass.finish(journey)
}

impl Pass {
    fn see(&mut self, journey: &Journey, nth: usize, seen: &JourneyEvent) {
        let event = &seen.event;
        let facts = &event.facts;
        self.setting.asked = facts.webauthn_timeout.or(self.setting.asked);
        self.heard[event.side.index()] = true;
        self.dropped = self.dropped.max(facts.sampled.map_or(0, |kept| u16::MAX - kept));
        self.hybrid = facts.hybrid_capability.or(self.hybrid);
        self.places.see(journey.flow, event);
        self.see_device(seen);
        if journey.flow == Flow::PasskeyCda {
            self.see_authenticator(event);
        }
        self.codes.see(journey, nth, seen);

        if let Some(phase) = phases::evidenced(journey.flow, event) {
            if self.progress.reach(journey.flow, phase, event.side, seen.corrected) {
                self.decided = false;
                self.hiccups = self.faults.overcome(event.side, self.hiccups);
                self.hiccups = self.codes.gone_on(phase, self.hiccups);
            }
            self.overcome(phase);
        }
        self.see_name(journey.flow, seen);
    }

    /// What the sender ran on, and how its telemetry came.
    fn see_device(&mut self, seen: &JourneyEvent) {
        let event = &seen.event;
        let environment = &event.environment;
        match event.side {
            Side::Initiator => {
                self.page_heard_at = Some(seen.corrected);
                self.form = if event.observed.is_some() { Form::Logs } else { Form::Spans };
                self.setting.see(environment);
            }
            Side::Authenticator if self.phone_system.is_none() => {
                self.phone_system = environment.os.as_ref().map(|os| phone_system(os.kind));
            }
            Side::Authenticator | Side::Server => {}
        }
    }

    /// What reaching a phase proves to be overcome, whoever reached it.
    fn overcome(&mut self, phase: Phase) {
        if phase >= Phase::Confirmed {
            if self.verifications_failed > 0 {
                self.hiccups = self.hiccups.with(Cause::UserVerificationFailed);
                self.verifications_failed = 0;
            }
            self.hiccups = self.ceremony.overcome(self.hiccups);
            self.hiccups = self.codes.overcome(self.hiccups);
        }
        if phase >= Phase::Verified
            && let Some((_, reason)) = self.refusal.take()
        {
            self.hiccups = self.hiccups.with(reason_as_hiccup(reason));
        }
        if phase == Phase::Established {
            self.hiccups = self.faults.all_overcome(self.hiccups);
        }
    }

    fn see_name(&mut self, flow: Flow, seen: &JourneyEvent) {
        let event = &seen.event;
        match event.name {
            EventName::WebauthnStarted => {
                self.hiccups = self.ceremony.start(seen, self.hiccups);
            }
            EventName::WebauthnCompleted if event.facts.error.is_none() => self.ceremony.complete(),
            EventName::WebauthnFailed | EventName::WebauthnCompleted => {
                self.progress.imply(phases::implied_by_event(flow, event.name));
                self.ceremony.fail(seen, self.decided);
            }
            EventName::VerificationFailed => {
                self.progress.imply(phases::implied_by_event(flow, event.name));
                if !self.decided {
                    self.refusal = Some((refusal(event.facts.reason), event.facts.reason));
                }
            }
            EventName::UserVerificationFailed => self.verifications_failed += 1,
            EventName::CredentialUnknown => self.credential_unknown = true,
            EventName::SessionEstablished if event.side == Side::Authenticator => self.phone_session = true,
            EventName::ConfirmationDeclined => self.part(Parting::Declined, seen),
            EventName::MethodSwitched => self.part(Parting::Switched, seen),
            EventName::Cancelled => self.part(Parting::Cancelled, seen),
            EventName::PageUnloaded if event.side == Side::Initiator => self.part(Parting::Closed, seen),
            EventName::PageHidden if event.side == Side::Initiator => self.hidden = true,
            EventName::PageVisible if event.side == Side::Initiator => self.hidden = false,
            _ => self.see_error(flow, seen),
        }
        if self.progress.observed().has(Phase::Presented) {
            self.error_before_presented = false;
        }
    }

    /// An `auth.error`, or any other event that carries an error.
    fn see_error(&mut self, flow: Flow, seen: &JourneyEvent) {
        let event = &seen.event;
        if self.decided || (event.name != EventName::Error && event.facts.error.is_none()) {
            return;
        }
        self.error_before_presented |= flow == Flow::AppQr
            && event.side != Side::Authenticator
            && self.progress.observed().last() < Some(Phase::Presented);
        self.faults.see(event, seen.corrected);
    }

    fn part(&mut self, parting: Parting, seen: &JourneyEvent) {
        let weight = |parting: Parting| parting as u8;
        if self.parting.is_none_or(|(known, _)| weight(parting) > weight(known)) {
            self.parting = Some((parting, seen.corrected));
        }
        self.decided |= parting != Parting::Closed;
    }

    fn see_authenticator(&mut self, event: &AuthEvent) {
        let facts = &event.facts;
        let known = &mut self.authenticator;
        known.attachment = facts.attachment.or(known.attachment);
        let transports = facts.transports;
        if !transports.is_empty() {
            known.only_key = !transports.meets(Transports::PHONE);
            known.no_key = !transports.meets(Transports::KEY);
        }
        known.no_key |= facts.backup_eligible == Some(true);
        known.scanned |= event.name == EventName::QrScanned && event.side == Side::Authenticator;
    }

    fn finish(&self, journey: &Journey) -> Features {
        let flow = journey.flow;
        let known = self.progress.known();
        let confirmed = known.has(Phase::Confirmed);
        let failed_ceremony = self.ceremony.failed().filter(|_| !confirmed);
        let elapsed = failed_ceremony.and_then(|failed| ceremony::against_limits(&self.setting, failed));
        let values = if self.progress.observed().has(Phase::Established) {
            Values::default()
        } else {
            self.values(journey, known, failed_ceremony, elapsed.as_ref())
        };
        Features {
            flow,
            values,
            elapsed,
            failed_ceremony,
            setting: self.setting,
            reason: self.refusal.and_then(|(_, reason)| reason),
            parted_at: self.parting.map(|(_, at)| at),
            hiccups: self.hiccups,
            error_before_presented: self.error_before_presented,
            heard: self.heard,
            kept: 1.0 - f32::from(self.dropped) / 65_536.0,
            cut_off: matches!(
                journey.close_reason,
                CloseReason::Evicted | CloseReason::Shutdown | CloseReason::Age
            ),
            authenticator: self.authenticator,
            known,
            passed: progress::passed(flow, known),
            relayed: flow == Flow::AppQr && self.places.relayed(&self.progress),
            progress: self.progress,
        }
    }

    fn values(
        &self,
        journey: &Journey,
        known: PhaseSet,
        failed: Option<FailedCeremony>,
        elapsed: Option<&[f32; Elapsed::CODES.len()]>,
    ) -> Values {
        let flow = journey.flow;
        let passkey = flow == Flow::PasskeyCda;
        let running = passkey && !known.has(Phase::Confirmed);
        let ceremony = running.then(|| self.ceremony.value(failed));
        let last = self.progress.last_at();
        let parting = self.parting.map_or(Parting::Nothing, |(parting, _)| parting);
        let dwell = self.parting.zip(last).map(|((_, at), last)| wait(at.since(last)));
        let alive = self.page_heard_at.zip(last).map(|(heard, last)| wait(heard.since(last)));
        let since_fault = self.faults.last_at().zip(self.parting.map(|(_, at)| at));
        Values {
            stage: Some(stage(known.last())),
            page_stage: Some(stage(self.progress.furthest_of(Side::Initiator))),
            phone_stage: Some(stage(self.progress.furthest_of(Side::Authenticator))),
            server_stage: Some(stage(self.progress.furthest_of(Side::Server))),
            form: Some(self.form),
            sampled: Some(match self.dropped {
                0 => Sampled::All,
                1..32_768 => Sampled::Most,
                _ => Sampled::Few,
            }),
            holes: Some(self.holes(flow, known)),
            previous: Some(previous(journey)),
            since_fault: since_fault.map(|(fault, parted)| wait(parted.since(fault))),
            limit: ceremony.map(|_| limit(ceremony::likeliest_limit(&self.setting))),
            alive: alive.filter(|_| parting == Parting::Nothing),
            browser: self.setting.browser.map(family),
            phone_system: self.phone_system,
            server_fault: Some(self.faults.of(Side::Server)),
            refusal: Some(self.refusal.map_or(Refusal::Nothing, |(refusal, _)| refusal)),
            phone_fault: Some(self.faults.of(Side::Authenticator)),
            complaint: Some(self.faults.complaint()),
            page_fault: Some(self.faults.of(Side::Initiator)),
            ceremony,
            elapsed: elapsed.map(ceremony::likeliest),
            user_verification: Some(match self.verifications_failed {
                0 => UserVerification::Fine,
                1 => UserVerification::FailedOnce,
                _ => UserVerification::FailedOften,
            }),
            credential: passkey.then_some(if self.credential_unknown {
                Credential::Unknown
            } else {
                Credential::NoSign
            }),
            code_use: (!passkey).then_some(if self.codes.late() { CodeUse::Late } else { CodeUse::NoSign }),
            refreshes: matches!(flow, Flow::AppQr | Flow::Unknown).then_some(match self.codes.refreshes() {
                0 => Refreshes::Never,
                1 => Refreshes::Once,
                2 => Refreshes::Twice,
                _ => Refreshes::Many,
            }),
            scanner: (flow == Flow::MagicLink).then(|| scanner(journey)),
            phone_session: (!passkey).then_some(if self.phone_session {
                PhoneSession::Established
            } else {
                PhoneSession::NoSign
            }),
            parting: Some(parting),
            dwell: dwell.filter(|_| failed.is_none()),
            page: Some(if self.hidden { Page::Hidden } else { Page::Shown }),
            retry: Some(retry(journey)),
            begun: (ceremony == Some(Ceremony::Pending)).then(|| self.ceremony.begun()).flatten(),
            hybrid: self
                .hybrid
                .filter(|_| passkey)
                .map(|able| if able { Hybrid::Able } else { Hybrid::Unable }),
            place: self.places.compare(),
            system: self.setting.os.map(system),
        }
    }
}

impl Pass {
    /// Whose reports of a phase that is certain did not come.
    fn holes(&self, flow: Flow, known: PhaseSet) -> Holes {
        let missing = known.without(self.progress.observed());
        let mut of = [false; Side::COUNT];
        for phase in Phase::ALL.iter().filter(|phase| missing.has(**phase)) {
            of[reporter(flow, *phase).index()] = true;
        }
        match of {
            [false, false, false] => Holes::Nobody,
            [true, false, false] => Holes::Page,
            [false, true, false] => Holes::Phone,
            _ => Holes::Several,
        }
    }
}

/// Who reports that a phase of a flow was reached.
pub const fn reporter(flow: Flow, phase: Phase) -> Side {
    match (flow, phase) {
        (_, Phase::Started | Phase::Verified) => Side::Server,
        (Flow::PasskeyCda, Phase::Confirmed) => Side::Initiator,
        (_, Phase::Presented | Phase::Returned | Phase::Established) => Side::Initiator,
        (_, Phase::Scanned | Phase::Opened | Phase::Proximity | Phase::Prompted | Phase::Confirmed) => {
            Side::Authenticator
        }
    }
}

impl Features {
    /// Whether the journey was cut off before a session, a failure, a refusal or a parting ended it.
    pub fn unfinished(&self) -> bool {
        let parted =
            matches!(self.values.parting, Some(Parting::Declined | Parting::Switched | Parting::Cancelled));
        let ended = parted || self.failed_ceremony.is_some() || self.refused();
        self.cut_off && !ended && !self.progress.observed().has(Phase::Established)
    }

    /// Whether a verification failed and was not overcome.
    pub fn refused(&self) -> bool {
        self.values.refusal.is_some_and(|refusal| refusal != Refusal::Nothing)
    }
}

#[cfg(test)]
mod tests;
