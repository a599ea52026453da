//! What an observer sees of one attempt: the fields that the receiver's mapping leaves of each surviving
//! event, with its receipt time. Nothing of the truth but which attempt an event belongs to.
//!
//! Times are seconds since the attempt's first arrival, by the server's clock: what page and phone stamp is
//! corrected by one offset a device, see [`super::offset`].

use authstitch_model::{
    AuthEvent, Browser, ErrorClass, EventName, Flow, HttpMethod, Mediation, Millis, Phase, Side, Synthetic,
    UnixNanos,
};

use super::density::{RESOLUTION_S, uniform};
use super::traces::Mark;
use crate::stack::mishap::{BETWEEN_TRIES_S, FOLLOWS_S};

/// Between a server's answer and the word of who asked, as two clocks tell it.
const ECHO_BLUR_S: f64 = 3.0;

/// An event that arrived.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    pub(super) event: AuthEvent,
    pub(super) arrives: UnixNanos,
}

/// Who exports an event. A server's event is exported with the request that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub(super) enum Emitter {
    Page,
    Phone,
    ServerForPage,
    ServerForPhone,
}

impl Emitter {
    pub(super) const fn side(self) -> Side {
        match self {
            Self::Page => Side::Initiator,
            Self::Phone => Side::Authenticator,
            Self::ServerForPage | Self::ServerForPhone => Side::Server,
        }
    }
}

impl Sighting {
    /// Whether it came as a log record: only those carry an id of their own.
    pub(super) const fn is_log(&self) -> bool {
        self.event.event_id.is_some()
    }

    pub(super) fn emitter(&self, flow: Flow) -> Emitter {
        match (self.event.name, self.event.side) {
            (EventName::LinkOpened, _) => Emitter::ServerForPhone,
            (EventName::VerificationSucceeded | EventName::VerificationFailed, _) => {
                if flow == Flow::PasskeyCda { Emitter::ServerForPage } else { Emitter::ServerForPhone }
            }
            (_, Side::Initiator) => Emitter::Page,
            (_, Side::Authenticator) => Emitter::Phone,
            (_, Side::Server) => Emitter::ServerForPage,
        }
    }
}

/// The moment of an event and whose clock told it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) at: f64,
    pub(super) side: Side,
}

/// What was seen of an attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The flow, where an event says so or is of one flow alone.
    pub(super) flow: Option<Flow>,
    /// The phases that an event tells, by [`Phase::index`].
    pub(super) reached: [Option<Moment>; Phase::COUNT],
    /// What mishaps left, in order.
    pub(super) marks: Vec<(Moment, Mark)>,
    pub(super) failed: Option<(f64, Option<ErrorClass>)>,
    pub(super) cancelled: Option<f64>,
    pub(super) switched: Option<f64>,
    pub(super) unloaded: Option<f64>,
    pub(super) declined: Option<Moment>,
    pub(super) hidden: Vec<f64>,
    pub(super) visible: Vec<f64>,
    pub(super) refreshed: Vec<f64>,
    /// When the page called the browser.
    pub(super) called: Option<f64>,
    /// What the page asked for, where its call was seen.
    pub(super) asked: Option<Option<Millis>>,
    pub(super) conditional: Option<bool>,
    /// Whether the page learnt that there is no Bluetooth.
    pub(super) no_hybrid: bool,
    /// A scanner's fetch; whether by GET.
    pub(super) scanner: Option<bool>,
    pub(super) browser: Option<Browser>,
    /// When its first event happened.
    pub(super) first: f64,
    /// Whether the phone's own browser was logged in.
    pub(super) phone_session: bool,
    /// Whether any event came from the phone.
    pub(super) phone_heard: bool,
    /// When each batch arrived, by emitter, and for each first of spans, then of log records.
    pub(super) batches: [Vec<f64>; 8],
}

impl Seen {
    /// What these sightings say; `base` is the zero of time, `offsets` how far page and phone are ahead.
    pub(super) fn new(sightings: &[Sighting], base: UnixNanos, offsets: [f64; 2]) -> Self {
        let flow = sightings.iter().find_map(|seen| seen.event.flow).or_else(|| flow_by_name(sightings));
        let mut seen = Self { flow, first: f64::INFINITY, ..Self::default() };
        for sighting in sightings {
            seen.note(sighting, base, offsets);
        }
        seen.marks.sort_by(|a, b| a.0.at.total_cmp(&b.0.at));
        let told = seen.marks.iter().any(|(_, mark)| {
            matches!(mark, Mark::Refusal(Some(authstitch_model::Reason::UnknownCredential)))
        });
        if told {
            seen.marks.retain(|(_, mark)| *mark != Mark::CredentialUnknown);
        }
        seen.drop_echoes();
        seen.gather_tries();
        seen
    }

    fn note(&mut self, sighting: &Sighting, base: UnixNanos, offsets: [f64; 2]) {
        let event = &sighting.event;
        let facts = &event.facts;
        let emitter = sighting.emitter(self.flow.unwrap_or(Flow::Unknown));
        let at = seconds(event.time, base)
            - match emitter.side() {
                Side::Initiator => offsets[0],
                Side::Authenticator => offsets[1],
                Side::Server => 0.0,
            };
        let moment = Moment { at, side: emitter.side() };
        self.first = self.first.min(at);
        self.phone_heard |= emitter == Emitter::Phone;
        self.batches[emitter as usize * 2 + usize::from(sighting.is_log())]
            .push(seconds(sighting.arrives, base));
        if emitter == Emitter::Page && self.browser.is_none() {
            self.browser = event.environment.browser.as_ref().map(|browser| browser.kind);
        }
        let passkey = self.flow == Some(Flow::PasskeyCda);
        match event.name {
            EventName::ChallengeCreated | EventName::LinkSent => self.reach(Phase::Started, moment),
            EventName::WebauthnStarted => {
                self.called = Some(at);
                self.asked = Some(facts.webauthn_timeout);
                self.conditional = Some(facts.mediation == Some(Mediation::Conditional));
                self.no_hybrid |= facts.hybrid_capability == Some(false);
            }
            EventName::QrShown => self.reach(Phase::Presented, moment),
            EventName::QrRefreshed => self.refreshed.push(at),
            EventName::QrScanned => self.reach(Phase::Scanned, moment),
            EventName::MobileOpened => self.reach(Phase::Opened, moment),
            EventName::LinkOpened if facts.synthetic == Some(Synthetic::Bot) => {
                self.scanner = Some(facts.http_method != Some(HttpMethod::Head));
            }
            EventName::LinkOpened if facts.error.is_some() => self.marks.push((moment, Mark::ForeignFetch)),
            EventName::LinkOpened => self.reach(Phase::Opened, moment),
            EventName::ConfirmationShown => self.reach(Phase::Prompted, moment),
            EventName::ConfirmationCompleted => self.reach(Phase::Confirmed, moment),
            EventName::WebauthnCompleted => {
                self.started_before(facts.webauthn_elapsed, at);
                self.reach(Phase::Confirmed, moment);
            }
            EventName::WebauthnFailed => {
                self.started_before(facts.webauthn_elapsed, at);
                self.failed = Some((at, facts.error));
            }
            EventName::VerificationSucceeded => self.reach(Phase::Verified, moment),
            EventName::CallbackReceived => self.reach(Phase::Returned, moment),
            EventName::SessionEstablished if event.side == Side::Authenticator => self.phone_session = true,
            EventName::SessionEstablished => self.reach(Phase::Established, moment),
            EventName::VerificationFailed => self.marks.push((moment, Mark::Refusal(facts.reason))),
            EventName::UserVerificationFailed => self.marks.push((moment, Mark::UserVerification)),
            EventName::CredentialUnknown if passkey => self.marks.push((moment, Mark::CredentialUnknown)),
            EventName::Error => {
                let class = facts.error.unwrap_or(ErrorClass::Other);
                self.marks.push((moment, Mark::Error(event.side, class)));
            }
            EventName::Cancelled => self.cancelled = Some(at),
            EventName::MethodSwitched => self.switched = Some(at),
            EventName::ConfirmationDeclined => self.declined = Some(moment),
            EventName::PageUnloaded => self.unloaded = Some(at),
            EventName::PageHidden => self.hidden.push(at),
            EventName::PageVisible => self.visible.push(at),
            EventName::MethodOffered | EventName::MethodSelected | EventName::CredentialUnknown => {}
        }
    }

    /// The same, read as the login of a browser for which nobody waits, where it can be one, with the density of
    /// its moments.
    pub(super) fn as_foreign_login(&self) -> Option<(Self, f64)> {
        let told = |phase: Phase| self.at(phase).is_some();
        let steps = [Phase::Prompted, Phase::Confirmed, Phase::Returned, Phase::Established];
        let moment = self.at(Phase::Opened).or(self.at(Phase::Verified))?;
        if self.flow != Some(Flow::MagicLink) || steps.into_iter().any(told) {
            return None;
        }
        let density = match (self.at(Phase::Opened), self.at(Phase::Verified)) {
            (Some(opened), Some(verified)) => uniform(verified.at - opened.at, FOLLOWS_S, RESOLUTION_S),
            _ => 1.0,
        };
        let mut foreign = self.clone();
        foreign.reached[Phase::Opened.index()] = None;
        foreign.reached[Phase::Verified.index()] = None;
        foreign.marks.push((moment, Mark::ForeignLogin));
        foreign.marks.sort_by(|a, b| a.0.at.total_cmp(&b.0.at));
        Some((foreign, density))
    }

    /// What page or app tells of a server's answer says nothing more where the server told it.
    fn drop_echoes(&mut self) {
        let told: Vec<f64> = self
            .marks
            .iter()
            .filter(|(_, mark)| matches!(mark, Mark::Refusal(_) | Mark::Error(Side::Server, _)))
            .map(|(moment, _)| moment.at)
            .collect();
        self.marks.retain(|(moment, mark)| {
            let device = !matches!(moment.side, Side::Server);
            let answer = matches!(
                mark,
                Mark::Error(_, ErrorClass::Http4xx | ErrorClass::Http5xx | ErrorClass::Timeout)
            );
            let echoes = |at: &f64| (moment.at - at).abs() < ECHO_BLUR_S;
            !(device && answer && told.iter().any(echoes))
        });
    }

    /// Several tries of a finger in a row are one mishap, which is over with the last.
    fn gather_tries(&mut self) {
        let tries: Vec<f64> = self
            .marks
            .iter()
            .filter(|(_, mark)| *mark == Mark::UserVerification)
            .map(|(moment, _)| moment.at)
            .collect();
        self.marks.retain(|(moment, mark)| {
            let followed = |at: &f64| *at > moment.at && at - moment.at < BETWEEN_TRIES_S.1 + RESOLUTION_S;
            !(*mark == Mark::UserVerification && tries.iter().any(followed))
        });
    }

    fn reach(&mut self, phase: Phase, moment: Moment) {
        let known = &mut self.reached[phase.index()];
        // Several sides may tell of one phase; in a passkey login the page's word is the exact one.
        match known {
            Some(known) if known.side == Side::Initiator => {}
            _ => *known = Some(moment),
        }
    }

    /// The page measured how long its call took.
    fn started_before(&mut self, elapsed: Option<Millis>, at: f64) {
        if let Some(elapsed) = elapsed {
            self.called = self.called.or(Some(at - elapsed.0 as f64 / 1e3));
        }
    }

    pub(super) fn at(&self, phase: Phase) -> Option<Moment> {
        self.reached[phase.index()]
    }

    /// The phases seen lie all before this one.
    pub(super) fn furthest(&self) -> Option<Phase> {
        Phase::ALL.iter().copied().rfind(|phase| self.at(*phase).is_some())
    }
}

pub(super) fn seconds(time: UnixNanos, base: UnixNanos) -> f64 {
    (time.0 as i128 - base.0 as i128) as f64 / 1e9
}

/// Some events are of one flow alone.
fn flow_by_name(sightings: &[Sighting]) -> Option<Flow> {
    use authstitch_model::Method;
    sightings.iter().find_map(|seen| match (seen.event.name, seen.event.facts.method) {
        (EventName::WebauthnStarted | EventName::WebauthnCompleted | EventName::WebauthnFailed, _) => {
            Some(Flow::PasskeyCda)
        }
        (EventName::LinkSent | EventName::LinkOpened, _) => Some(Flow::MagicLink),
        (EventName::QrRefreshed | EventName::MobileOpened, _) => Some(Flow::AppQr),
        (EventName::MethodSelected, Some(Method::Passkey)) => Some(Flow::PasskeyCda),
        (EventName::MethodSelected, Some(Method::MagicLink)) => Some(Flow::MagicLink),
        (EventName::MethodSelected, Some(Method::AppQr)) => Some(Flow::AppQr),
        _ => None,
    })
}
