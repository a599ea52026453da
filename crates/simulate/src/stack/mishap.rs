//! What each mishap leaves behind, where anything of the stack notices it. A mishap that was overcome leaves
//! the same traces as one that blocked.
//!
//! Many leave nothing: a camera that does not focus tells nobody, and in a passkey login what happens on the
//! phone is hidden. `errors_reported` says how many of the others are told. What a server refuses or fails to
//! serve, page or app that asked for it may tell as well.

use authstitch_model::{Cause, EventName, Flow, Phase, Reason, UnixNanos};

use super::Scene;
use super::attributes::{flag, text};
use super::event::{Asker, Event};
use super::happy::{about_code, link_fetch, phone_emits, scanner_fetch, verifier};
use crate::random::{Dice, after};

/// A finger or face is tried up to so many times, with so many seconds between.
const MOST_TRIES: u64 = 3;
pub(crate) const BETWEEN_TRIES_S: (f64, f64) = (1.0, 3.0);
/// Share of links opened in the wrong browser that log that one in.
pub(crate) const LOGGED_IN_THERE: f64 = 0.5;
/// So many seconds after the link's opening that is verified, and so many later the session is there.
pub(crate) const FOLLOWS_S: (f64, f64) = (0.03, 0.3);
/// Share of pages and apps that tell what a server answered them in vain.
pub(crate) const ECHOED: f64 = 0.4;
/// They tell it within so many seconds.
const ECHOED_WITHIN_S: (f64, f64) = (0.02, 0.3);

/// What page or app makes of a server's refusal.
pub(crate) const fn echo_of_refusal(reason: Reason) -> &'static [&'static str] {
    match reason {
        Reason::TokenExpired | Reason::ChallengeExpired => &["410", "code_expired"],
        Reason::WrongAccount | Reason::WrongDevice | Reason::RiskDenied => &["403"],
        _ => &["400", "401"],
    }
}

/// What page or app makes of a server's failure.
pub(crate) const ECHO_OF_FAILURE: &[&str] = &["500", "502"];

pub(super) fn events(scene: &Scene<'_>, events: &mut Vec<Event>, dice: &mut Dice) {
    let hiccups = scene.story.hiccups.iter().map(|hiccup| (hiccup.cause, hiccup.phase, hiccup.at));
    let stopped = scene.story.stopped.iter().map(|stopped| (stopped.cause, stopped.phase, stopped.at));
    for (cause, phase, at) in hiccups.chain(stopped) {
        let mut mishap = Mishap { scene, phase, at, events, dice };
        mishap.leave_traces(cause);
    }
}

struct Mishap<'a> {
    scene: &'a Scene<'a>,
    phase: Phase,
    at: UnixNanos,
    events: &'a mut Vec<Event>,
    dice: &'a mut Dice,
}

impl Mishap<'_> {
    fn leave_traces(&mut self, cause: Cause) {
        match cause {
            Cause::RenderFailed if !self.hidden() => {
                self.page_error(&["render_failed", "CanvasError", "ImageLoadError"]);
            }
            Cause::DeliveryFailed => {
                self.server_error(&["delivery_failed", "smtp_bounce", "550"], Asker::Page);
            }
            Cause::WrongApp => self.phone_error(&["no_app_for_code", "app_not_installed"]),
            Cause::WrongBrowser => self.opened_in_vain("wrong_browser"),
            Cause::CodeExpired => self.refused(Reason::TokenExpired),
            Cause::HandoffFailed => {
                self.phone_error(&["handoff_failed", "deep_link_failed", "ActivityNotFoundException"]);
            }
            Cause::LinkPrefetched => self.prefetched(),
            Cause::WrongDevice => self.refused(Reason::WrongDevice),
            Cause::WrongAccount => self.refused(Reason::WrongAccount),
            Cause::UnsupportedDevice => self.unsupported(),
            Cause::PolicyBlocked => self.phone_error(&["policy_blocked", "managed_profile"]),
            Cause::NoCredential => self.phone_error(&["no_credential", "NoCredentialException"]),
            Cause::BluetoothUnavailable => self.no_bluetooth(),
            Cause::ProximityFailed => self.phone_error(&["proximity_timeout"]),
            Cause::NetworkBlocked => {
                self.phone_error(&["network_error", "UnknownHostException", "tunnel_failed"]);
            }
            Cause::PromptExpired => self.phone_error(&["prompt_expired"]),
            Cause::UserVerificationFailed => self.not_recognised(),
            Cause::ResultLost => self.result_lost(),
            Cause::VerificationRejected => self.rejected(),
            Cause::RiskDenied => self.refused(Reason::RiskDenied),
            Cause::CallbackLost => self.page_error(&["network_error", "EventSourceError", "request_timeout"]),
            Cause::SessionNotKept => self.page_error(&["session_missing", "401"]),
            Cause::ServerError => {
                self.server_error(&["500", "503", "java.util.concurrent.TimeoutException"], self.asker());
                self.echo(self.asker(), ECHO_OF_FAILURE);
            }
            Cause::ClientError => self.client_error(),
            Cause::Unknown => self.unknown(),
            // A camera tells nobody; a QR code inside the browser's own window is not the page's.
            Cause::ScanFailed | Cause::RenderFailed => {}
            // Decisions leave their traces in the act that ends the attempt.
            Cause::WalkedAway
            | Cause::ConfirmationAbandoned
            | Cause::SwitchedMethod
            | Cause::Cancelled
            | Cause::Declined
            | Cause::None => {}
        }
    }

    /// In a passkey login, what lies between the call and its answer happens in browser and phone.
    fn hidden(&self) -> bool {
        self.scene.story.flow == Flow::PasskeyCda
            && self.phase > Phase::Started
            && self.phase <= Phase::Confirmed
    }

    fn before_start(&self) -> bool {
        self.phase == Phase::Started
    }

    fn push(&mut self, event: Event) {
        let event = if self.before_start() { event.early() } else { event };
        self.events.push(event);
    }

    /// Whose request it is that the server fails to serve.
    fn asker(&self) -> Asker {
        if self.phase == Phase::Verified { verifier(self.scene) } else { Asker::Page }
    }

    fn page_error(&mut self, kinds: &[&'static str]) {
        if self.scene.reported(self.dice) {
            let kind = self.dice.one(kinds);
            self.push(Event::page(EventName::Error, self.at).error(kind));
        }
    }

    fn phone_error(&mut self, kinds: &[&'static str]) {
        let instrumented = !self.hidden() || phone_emits(self.scene);
        if instrumented && self.scene.reported(self.dice) {
            let kind = self.dice.one(kinds);
            self.push(about_code(self.scene, Event::phone(EventName::Error, self.at).error(kind)));
        }
    }

    fn server_error(&mut self, kinds: &[&'static str], asker: Asker) {
        if self.scene.reported(self.dice) {
            let kind = self.dice.one(kinds);
            let event = Event::server(EventName::Error, asker, self.at).error(kind);
            self.push(event.detail(text("http.route", "/login")));
        }
    }

    /// Whoever asked may tell that the server did not do it.
    fn echo(&mut self, asker: Asker, kinds: &[&'static str]) {
        if self.dice.chance(ECHOED) {
            let told = after(self.at, self.dice.between(ECHOED_WITHIN_S.0, ECHOED_WITHIN_S.1));
            let event = match asker {
                Asker::Page => Event::page(EventName::Error, told),
                Asker::Phone | Asker::Scanner => Event::phone(EventName::Error, told),
            };
            let kind = self.dice.one(kinds);
            self.push(about_code(self.scene, event.error(kind)));
        }
    }

    /// The server says no and why; what is hidden does not reach it.
    fn refused(&mut self, reason: Reason) {
        if self.hidden() {
            return;
        }
        if self.before_start() {
            return;
        }
        let asker = verifier(self.scene);
        if self.scene.reported(self.dice) {
            let event = Event::server(EventName::VerificationFailed, asker, self.at);
            self.push(about_code(self.scene, event.reason(reason)));
        }
        self.echo(asker, echo_of_refusal(reason));
    }

    fn rejected(&mut self) {
        let passkey = self.scene.story.flow == Flow::PasskeyCda;
        let reason = self.dice.one(if passkey {
            &[
                Reason::ChallengeExpired,
                Reason::UnknownCredential,
                Reason::SignatureInvalid,
                Reason::OriginMismatch,
                Reason::UserNotVerified,
            ]
        } else {
            &[Reason::ChallengeMismatch, Reason::SignatureInvalid, Reason::Other, Reason::UserNotVerified]
        });
        self.refused(reason);
        if passkey && reason == Reason::UnknownCredential {
            let told = after(self.at, self.dice.between(0.05, 0.3));
            self.push(Event::page(EventName::CredentialUnknown, told));
        }
    }

    /// The link was fetched, but by a browser that does not know of the login: it is refused, or logged in where
    /// nobody waits.
    fn opened_in_vain(&mut self, kind: &'static str) {
        match self.scene.story.flow {
            Flow::MagicLink if self.dice.chance(LOGGED_IN_THERE) => {
                let verified = after(self.at, self.dice.between(FOLLOWS_S.0, FOLLOWS_S.1));
                let session = after(verified, self.dice.between(FOLLOWS_S.0, FOLLOWS_S.1));
                self.push(link_fetch(self.scene, self.at));
                self.push(Event::server(EventName::VerificationSucceeded, Asker::Phone, verified).code(0));
                self.push(Event::phone(EventName::SessionEstablished, session).code(0));
            }
            Flow::MagicLink => self.push(link_fetch(self.scene, self.at).error(kind)),
            _ => self.phone_error(&["wrong_browser"]),
        }
    }

    fn prefetched(&mut self) {
        let sent = self.scene.at(Phase::Started).unwrap_or(self.at);
        let fetched = after(sent, self.dice.between(0.8, 12.0)).min(UnixNanos(self.at.0.saturating_sub(1)));
        let method = self.dice.one(&["GET", "GET", "HEAD"]);
        self.push(scanner_fetch(method, fetched));
        let event = Event::server(EventName::VerificationFailed, Asker::Phone, self.at);
        self.push(about_code(self.scene, event.reason(Reason::TokenAlreadyUsed)));
    }

    fn unsupported(&mut self) {
        if self.before_start() {
            let event = Event::page(EventName::Error, self.at).error("unsupported_device");
            self.push(event.detail(flag("auth.capability.hybrid", false)));
        } else {
            self.phone_error(&["unsupported_device", "os_too_old"]);
        }
    }

    /// A page that asks the browser learns that there is no Bluetooth.
    fn no_bluetooth(&mut self) {
        let asks = self.dice.chance(0.4);
        let started = self.events.iter_mut().find(|event| asks && event.name == EventName::WebauthnStarted);
        if let Some(started) = started {
            started.details.push(flag("auth.capability.hybrid", false));
        }
        self.phone_error(&["bluetooth_off"]);
    }

    fn not_recognised(&mut self) {
        if self.hidden() && !phone_emits(self.scene) {
            return;
        }
        let prompted = self.scene.at(Phase::Prompted).unwrap_or(self.at);
        let mut at = self.at;
        for _ in 0..=self.dice.below(MOST_TRIES - 1) {
            let event = Event::phone(EventName::UserVerificationFailed, at);
            self.push(about_code(self.scene, event.error("biometric_not_recognized")));
            let between = self.dice.between(BETWEEN_TRIES_S.0, BETWEEN_TRIES_S.1);
            at = UnixNanos(at.0.saturating_sub((between * 1e9) as u64));
            if at <= prompted {
                break;
            }
        }
    }

    /// Whoever posted the result may notice that the post failed.
    fn result_lost(&mut self) {
        if self.dice.chance(0.4) && self.scene.reported(self.dice) {
            let event = match verifier(self.scene) {
                Asker::Page => {
                    Event::page(EventName::Error, self.at).error("TypeError").message("Failed to fetch")
                }
                _ => Event::phone(EventName::Error, self.at).error("network_error"),
            };
            self.push(about_code(self.scene, event));
        }
    }

    /// A pending ceremony tells it by its own failure; see `ending`.
    fn client_error(&mut self) {
        if self.scene.story.flow == Flow::PasskeyCda && !self.before_start() {
            return;
        }
        match self.phase {
            Phase::Scanned | Phase::Opened | Phase::Proximity | Phase::Prompted => {
                self.phone_error(&["IllegalStateException", "NSInvalidArgumentException", "TypeError"]);
            }
            _ => self.page_error(&["OperationError", "SecurityError", "NotSupportedError"]),
        }
    }

    fn unknown(&mut self) {
        if !self.dice.chance(self.scene.world.telemetry.unknown_reported) {
            return;
        }
        match self.phase {
            Phase::Started | Phase::Verified => self.server_error(&["E4711"], self.asker()),
            Phase::Scanned | Phase::Opened | Phase::Proximity | Phase::Prompted | Phase::Confirmed => {
                self.phone_error(&["E4711"]);
            }
            _ => self.page_error(&["E4711"]),
        }
    }
}
