//! One journey while it is open, and while it still takes late events.

use authstitch_model::{
    AuthEvent, ClockOffsets, CloseReason, EventKeys, EventName, Flow, JoinedBy, JourneyId, KeyHash, KeyKind,
    Millis, Realm, Side, UnixNanos, ceremony, phases,
};

use crate::caps;
use crate::clock::{self, corrected};
use crate::links::{LinkNames, Links};
use crate::settings::Settings;

/// A journey that may still take events.
#[derive(Debug)]
pub struct Live {
    pub id: JourneyId,
    pub realm: Realm,
    /// Revisions told so far.
    pub revision: u32,
    pub first_received: UnixNanos,
    pub last_received: UnixNanos,
    pub state: State,
    pub events: Vec<(AuthEvent, JoinedBy)>,
    /// The one journey key it may have.
    pub journey_key: Option<KeyHash>,
    /// Strong and container keys bound to it.
    pub keys: Vec<(KeyKind, KeyHash)>,
    /// Session and trace keys through which it can be found.
    pub weak: Vec<(KeyKind, KeyHash)>,
    /// Receipt time of its last terminal event.
    pub terminal: Option<UnixNanos>,
    pub unloaded: bool,
    /// The longest lifetime that an event announced.
    pub announced: Millis,
    /// The longest of its browsers' limits on a ceremony.
    pub ceremony_limit: Millis,
    pub code_ttl: Option<Millis>,
    pub links: Links,
    /// Where its links led when it was last told of.
    pub told: LinkNames,
    /// When it is due: to close, or to be forgotten.
    pub deadline: UnixNanos,
    /// The earliest of its timers; it may come round before the deadline and is then armed anew.
    pub armed: Option<UnixNanos>,
    span: Option<Span>,
}

/// Whether a journey is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    /// Told of, and still taking late events.
    Closed {
        at: UnixNanos,
        reason: CloseReason,
    },
}

/// Where a journey lies in corrected time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub offsets: ClockOffsets,
    pub start: UnixNanos,
    pub last: UnixNanos,
    pub terminal: Option<UnixNanos>,
    /// The last terminal event or page that went away: what begins after it is the next attempt.
    pub parted: Option<UnixNanos>,
    /// The last failed verification or ceremony.
    pub failed_result: Option<UnixNanos>,
}

impl Live {
    pub fn new(id: JourneyId, realm: Realm, received: UnixNanos) -> Self {
        Self {
            id,
            realm,
            revision: 0,
            first_received: received,
            last_received: received,
            state: State::Open,
            events: Vec::new(),
            journey_key: None,
            keys: Vec::new(),
            weak: Vec::new(),
            terminal: None,
            unloaded: false,
            announced: Millis(0),
            ceremony_limit: Millis(0),
            code_ttl: None,
            links: Links::default(),
            told: LinkNames::default(),
            deadline: UnixNanos(0),
            armed: None,
            span: None,
        }
    }

    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Whether a strong key ties it, rather than its trace alone.
    pub fn is_strong(&self) -> bool {
        self.keys.iter().any(|(kind, _)| *kind != KeyKind::Flow)
    }

    /// Whether something other than codes ties it.
    pub fn is_tied(&self) -> bool {
        self.keys.iter().any(|(kind, _)| *kind != KeyKind::Code)
    }

    /// Whether only a trace ties it: no strong key, no container.
    pub fn is_founded_by_trace(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes an event; `false` if there are too many.
    pub fn add(&mut self, received: UnixNanos, event: AuthEvent, joined_by: JoinedBy) -> bool {
        self.first_received = self.first_received.min(received);
        self.last_received = self.last_received.max(received);
        if event.name.is_terminal() {
            self.terminal = self.terminal.max(Some(received));
        }
        self.unloaded |= event.name == EventName::PageUnloaded && event.side == Side::Initiator;
        self.announced = self.announced.max(event.facts.code_ttl.unwrap_or_default());
        self.ceremony_limit = self.ceremony_limit.max(ceremony_limit(&event).unwrap_or_default());
        self.code_ttl = self.code_ttl.max(event.facts.code_ttl);
        self.span = None;
        let room = self.events.len() < caps::EVENTS_PER_JOURNEY;
        if room {
            self.events.push((event, joined_by));
        }
        room
    }

    /// Takes over everything of a journey that is the same one, but for the events that find no room.
    pub fn absorb(&mut self, mut other: Self) -> Vec<(AuthEvent, JoinedBy)> {
        self.first_received = self.first_received.min(other.first_received);
        self.last_received = self.last_received.max(other.last_received);
        if other.is_open() {
            self.state = State::Open;
        }
        let room = caps::EVENTS_PER_JOURNEY - self.events.len();
        let dropped = other.events.split_off(room.min(other.events.len()));
        self.events.append(&mut other.events);
        self.journey_key = self.journey_key.or(other.journey_key);
        self.terminal = self.terminal.max(other.terminal);
        self.unloaded |= other.unloaded;
        self.announced = self.announced.max(other.announced);
        self.ceremony_limit = self.ceremony_limit.max(other.ceremony_limit);
        self.code_ttl = self.code_ttl.max(other.code_ttl);
        self.links = self.links.joined(other.links, [self.id, other.id]);
        self.span = None;
        dropped
    }

    /// When it closes if nothing more comes, and why.
    pub fn closing(&self, settings: &Settings) -> (UnixNanos, CloseReason) {
        let age = self.first_received.plus(settings.greatest_age);
        let (at, reason) = match self.terminal {
            Some(terminal) => (terminal.plus(settings.grace), CloseReason::Terminal),
            None => (self.last_received.plus(self.idle(settings)), CloseReason::Idle),
        };
        let (at, reason) = if at <= age { (at, reason) } else { (age, CloseReason::Age) };
        // A merge can bring an end of long ago to a journey that is heard of still.
        (at.max(self.last_received), reason)
    }

    fn idle(&self, settings: &Settings) -> Millis {
        let ceremony = self.ceremony_limit.min(settings.ceremony_limit_cap);
        let longest = settings.idle.of(self.flow()).max(self.announced).max(ceremony);
        let idle = Millis(longest.0.saturating_add(settings.idle_margin.0));
        if self.unloaded { idle.min(settings.idle_after_unload) } else { idle }
    }

    /// The flow as sent, the earliest where they differ; else what the names suggest: a ceremony before a link
    /// before a code.
    pub fn flow(&self) -> Flow {
        let sent = self.events.iter().filter_map(|(event, joined_by)| {
            Some(((*joined_by == JoinedBy::Weak, event.time, event.identity), event.flow?))
        });
        let suggested = || {
            let named = self.events.iter().filter_map(|(event, _)| phases::suggested_flow(event.name));
            named.min_by_key(|flow| match flow {
                Flow::PasskeyCda => 0,
                Flow::MagicLink => 1,
                Flow::AppQr => 2,
                Flow::Unknown => 3,
            })
        };
        sent.min_by_key(|(order, _)| *order).map(|(_, flow)| flow).or_else(suggested).unwrap_or(Flow::Unknown)
    }

    /// Where it lies in corrected time.
    pub fn span(&mut self) -> Span {
        if let Some(span) = self.span {
            return span;
        }
        let span = self.measured();
        self.span = Some(span);
        span
    }

    fn measured(&self) -> Span {
        let offsets = clock::estimate(&self.events.iter().map(|(event, _)| event));
        let corrected = |event| corrected(event, &offsets);
        let times = || self.events.iter().map(|(event, _)| corrected(event));
        let own = self.events.iter().filter(|(_, joined_by)| *joined_by == JoinedBy::Strong);
        let last_of = |wanted: fn(EventName) -> bool| {
            let named = self.events.iter().filter(|(event, _)| wanted(event.name));
            named.map(|(event, _)| corrected(event)).max()
        };
        Span {
            offsets,
            start: own.map(|(event, _)| corrected(event)).min().or_else(|| times().min()).unwrap_or_default(),
            last: times().max().unwrap_or_default(),
            terminal: last_of(EventName::is_terminal),
            parted: last_of(|name| name.is_terminal() || name == EventName::PageUnloaded),
            failed_result: last_of(|name| {
                matches!(name, EventName::VerificationFailed | EventName::WebauthnFailed)
            }),
        }
    }

    /// The last time at which an event can belong to it.
    pub fn end(&mut self, settings: &Settings) -> UnixNanos {
        let idle = self.idle(settings);
        let span = self.span();
        let by_idle = span.last.plus(idle);
        span.terminal.map_or(by_idle, |terminal| by_idle.min(terminal.plus(settings.grace)))
    }

    /// The keys by which attempts of one person follow each other: sessions and containers, not traces.
    pub fn linking_keys(&self) -> Vec<KeyHash> {
        let keys = self.keys.iter().chain(&self.weak);
        keys.filter(|(kind, _)| matches!(kind, KeyKind::Flow | KeyKind::Session))
            .map(|(_, key)| *key)
            .collect()
    }
}

/// The browser's own limit on the ceremony that an event started; where its rule is unknown, what was asked.
fn ceremony_limit(event: &AuthEvent) -> Option<Millis> {
    let asked = event.facts.webauthn_timeout;
    let browser = event.environment.browser.as_ref().map(|browser| browser.kind);
    let started = event.name == EventName::WebauthnStarted;
    started.then(|| browser.and_then(|browser| ceremony::limit(browser, asked)).or(asked)).flatten()
}

/// The keys of an event that bind: strong ones and the container.
pub fn binding_keys(keys: &EventKeys) -> impl Iterator<Item = (KeyKind, KeyHash)> {
    keys.strong().chain(keys.flow.map(|key| (KeyKind::Flow, key)))
}
