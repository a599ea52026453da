//! One journey while it is open, and while it still takes late events: what is read with each of its events.

use std::num::NonZero;

use authstitch_model::{
    AuthEvent, CloseReason, EventName, Flow, Identity, JourneyId, KeyHash, KeyKind, Millis, Side, UnixNanos,
    ceremony, phases,
};

use crate::blocks::Chain;
use crate::caps;
use crate::keys::{Key, KeyBlocks, Keys, Kind, Tie};
use crate::pool::{NOWHERE, Place};
use crate::settings::Settings;

/// A journey that may still take events. There are millions, so what few have lies elsewhere.
#[derive(Debug)]
pub struct Live {
    pub id: JourneyId,
    pub state: State,
    pub first_received: UnixNanos,
    pub last_received: UnixNanos,
    /// Receipt time of its last terminal event.
    pub terminal: Known,
    /// The longest lifetime of a code that an event announced.
    pub code_ttl: Known,
    /// The longest of its browsers' limits on a ceremony, in milliseconds; more than 49 days say as much.
    pub ceremony_limit: u32,
    pub keys: Keys,
    /// The kinds of keys that tie it, as bits.
    ties: u8,
    /// Its events, packed, and how many they are.
    pub events: Chain,
    pub count: u16,
    /// What the events say of the flow.
    pub sent: Sent,
    pub suggested: Flow,
    pub unloaded: bool,
    /// Whether it is known that no journey shares a session or a container with it and that it has no links.
    pub alone: bool,
    /// Whether another journey may have been found under one of its traces.
    pub traces_shared: bool,
    pub realm: Place,
    /// Revisions told so far.
    pub revision: u32,
    /// Its links to other journeys, if it ever had any.
    pub linked: Place,
    /// Its neighbours in the queue in which it stands.
    pub queued: Queued,
}

/// What stands before and behind a journey in its queue.
#[derive(Clone, Copy, Debug)]
pub struct Queued {
    pub before: Place,
    pub behind: Place,
}

impl Default for Queued {
    fn default() -> Self {
        Self { before: NOWHERE, behind: NOWHERE }
    }
}

/// Whether a journey is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no journey here.
    Gone,
    /// Open, with no timer yet.
    New,
    /// Open. The timer may come round before the journey is due, and is then armed anew.
    Open { armed: UnixNanos },
    /// Told of, and still taking late events.
    Closed { at: UnixNanos, reason: CloseReason },
}

/// A number that may not be known; the greatest one is taken for the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known(Option<NonZero<u64>>);

impl Known {
    pub const fn new(number: u64) -> Self {
        Self(NonZero::new(number.saturating_add(1)))
    }

    pub fn get(self) -> Option<u64> {
        self.0.map(|number| number.get() - 1)
    }
}

/// The flows that events carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Nothing,
    /// All that carry one carry this one.
    One(Flow),
    /// They differ; the events themselves tell.
    Differing,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            id: JourneyId::new(UnixNanos(0), Identity(0)),
            state: State::Gone,
            first_received: UnixNanos(0),
            last_received: UnixNanos(0),
            terminal: Known::default(),
            code_ttl: Known::default(),
            ceremony_limit: 0,
            keys: Keys::default(),
            ties: 0,
            events: Chain::default(),
            count: 0,
            sent: Sent::Nothing,
            suggested: Flow::Unknown,
            unloaded: false,
            alone: false,
            traces_shared: false,
            realm: NOWHERE,
            revision: 0,
            linked: NOWHERE,
            queued: Queued::default(),
        }
    }
}

impl Live {
    pub fn new(id: JourneyId, realm: Place, received: UnixNanos) -> Self {
        let (first_received, last_received) = (received, received);
        Self { id, state: State::New, realm, first_received, last_received, alone: true, ..Self::default() }
    }

    /// The time from which those of its events are counted, so that they take few bytes.
    pub const fn base(&self) -> UnixNanos {
        UnixNanos(0).plus(Millis((self.id.as_u128() >> 80) as u64))
    }

    /// Whether it is known that no journey shares anything with it by which they would be linked or merged.
    pub const fn is_lonely(&self) -> bool {
        self.alone && !self.traces_shared
    }

    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::New | State::Open { .. })
    }

    const fn is_tied_by(&self, kinds: &[KeyKind]) -> bool {
        let mut number = 0;
        while number < kinds.len() {
            if self.ties & 1 << kinds[number].index() != 0 {
                return true;
            }
            number += 1;
        }
        false
    }

    /// Ties it by its key with this number in this way; gives the key's hash.
    pub fn set_tie(&mut self, number: u16, tie: Tie, blocks: &mut KeyBlocks) -> KeyHash {
        let key = self.keys.get_mut(number, blocks);
        key.tie = tie;
        let (kind, hash) = (key.kind, key.hash());
        if let Kind::Key(kind) = kind {
            self.ties |= 1 << kind.index();
        }
        hash
    }

    /// Whether one more key of this kind may be noted with it.
    pub fn has_room(&self, kind: KeyKind, blocks: &KeyBlocks) -> bool {
        let lets_be_found = |kind| matches!(kind, KeyKind::Session | KeyKind::Trace);
        let cap = if lets_be_found(kind) { caps::WEAK_KEYS_PER_JOURNEY } else { caps::KEYS_PER_JOURNEY };
        let alike =
            |known: &&Key| known.noted().is_some_and(|known| lets_be_found(known) == lets_be_found(kind));
        self.keys.len() < cap || self.keys.iter(blocks).filter(alike).count() < cap
    }

    /// Whether a strong key ties it, rather than its trace alone.
    pub const fn is_strong(&self) -> bool {
        self.is_tied_by(&[KeyKind::Journey, KeyKind::Challenge, KeyKind::Code])
    }

    /// Whether something other than codes ties it.
    pub const fn is_tied(&self) -> bool {
        self.is_tied_by(&[KeyKind::Journey, KeyKind::Challenge, KeyKind::Flow])
    }

    /// Whether only a trace ties it: no strong key, no container.
    pub const fn is_founded_by_trace(&self) -> bool {
        !self.is_strong() && !self.is_tied()
    }

    /// Notes that an event came, whether there is room for it or not.
    pub fn heard(&mut self, received: UnixNanos, event: &AuthEvent) {
        self.first_received = self.first_received.min(received);
        self.last_received = self.last_received.max(received);
        if event.name.is_terminal() {
            self.terminal = self.terminal.max(Known::new(received.0));
        }
        self.unloaded |= event.name == EventName::PageUnloaded && event.side == Side::Initiator;
        if let Some(ttl) = event.facts.code_ttl {
            self.code_ttl = self.code_ttl.max(Known::new(ttl.0));
        }
        let limit = ceremony_limit(event).unwrap_or_default().0;
        self.ceremony_limit = self.ceremony_limit.max(u32::try_from(limit).unwrap_or(u32::MAX));
    }

    /// Notes what an event that is kept says of the flow.
    pub fn learn_flow(&mut self, event: &AuthEvent) {
        self.sent = match (self.sent, event.flow) {
            (sent, None) => sent,
            (Sent::Nothing, Some(flow)) => Sent::One(flow),
            (Sent::One(known), Some(flow)) if known == flow => self.sent,
            (_, Some(_)) => Sent::Differing,
        };
        if let Some(flow) = phases::suggested_flow(event.name)
            && rank(flow) < rank(self.suggested)
        {
            self.suggested = flow;
        }
    }

    /// The flow as sent; else what the names of its events suggest, a ceremony before a link before a code. `None`
    /// if different ones were sent.
    pub const fn flow(&self) -> Option<Flow> {
        match self.sent {
            Sent::Nothing => Some(self.suggested),
            Sent::One(flow) => Some(flow),
            Sent::Differing => None,
        }
    }

    /// Takes over what was heard of a journey that is the same one.
    pub fn absorb(&mut self, other: &Self) {
        self.first_received = self.first_received.min(other.first_received);
        self.last_received = self.last_received.max(other.last_received);
        self.terminal = self.terminal.max(other.terminal);
        self.unloaded |= other.unloaded;
        self.ceremony_limit = self.ceremony_limit.max(other.ceremony_limit);
        self.code_ttl = self.code_ttl.max(other.code_ttl);
        self.alone = false;
        self.traces_shared |= other.traces_shared;
    }

    /// When a journey of this flow closes if nothing more comes, and why.
    pub fn closing(&self, flow: Flow, settings: &Settings) -> (UnixNanos, CloseReason) {
        let age = self.first_received.plus(settings.greatest_age);
        let (at, reason) = match self.terminal.get() {
            Some(terminal) => (UnixNanos(terminal).plus(settings.grace), CloseReason::Terminal),
            None => (self.last_received.plus(self.idle(flow, settings)), CloseReason::Idle),
        };
        let (at, reason) = if at <= age { (at, reason) } else { (age, CloseReason::Age) };
        // A merge can bring an end of long ago to a journey that is heard of still.
        (at.max(self.last_received), reason)
    }

    /// How long it stays open after its last event.
    pub fn idle(&self, flow: Flow, settings: &Settings) -> Millis {
        let ceremony = Millis(self.ceremony_limit.into()).min(settings.ceremony_limit_cap);
        let announced = self.code_ttl().unwrap_or_default();
        let longest = settings.idle.of(flow).max(announced).max(ceremony);
        let idle = Millis(longest.0.saturating_add(settings.idle_margin.0));
        if self.unloaded { idle.min(settings.idle_after_unload) } else { idle }
    }

    /// The longest lifetime of a code that was announced.
    pub fn code_ttl(&self) -> Option<Millis> {
        self.code_ttl.get().map(Millis)
    }
}

const fn rank(flow: Flow) -> u8 {
    match flow {
        Flow::PasskeyCda => 0,
        Flow::MagicLink => 1,
        Flow::AppQr => 2,
        Flow::Unknown => 3,
    }
}

/// The browser's own limit on the ceremony that an event started; where its rule is unknown, what was asked.
fn ceremony_limit(event: &AuthEvent) -> Option<Millis> {
    if event.name != EventName::WebauthnStarted {
        return None;
    }
    let asked = event.facts.webauthn_timeout;
    let browser = event.environment.browser.as_ref().map(|browser| browser.kind);
    browser.and_then(|browser| ceremony::limit(browser, asked)).or(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journey_takes_three_cache_lines() {
        assert_eq!(size_of::<Live>(), 192);
    }
}
