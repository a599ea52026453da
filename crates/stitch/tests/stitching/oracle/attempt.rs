//! What is known of one journey, worked out from its events.

use authstitch_model::{
    AuthEvent, ClockOffsets, CloseReason, EventName, Flow, JoinedBy, Millis, Side, UnixNanos, ceremony,
    phases,
};
use authstitch_stitch::{Settings, clock};

use super::{Attempt, NEAR, Names, turn};

impl Attempt {
    pub(super) fn offsets(&self) -> ClockOffsets {
        clock::estimate(&self.events.iter().map(|(event, ..)| event))
    }
    pub(super) fn time_of(&self, event: &AuthEvent) -> UnixNanos {
        clock::corrected(event, &self.offsets())
    }
    pub(super) fn times(&self, wanted: impl Fn(&AuthEvent, JoinedBy) -> bool) -> Vec<UnixNanos> {
        let offsets = self.offsets();
        let wanted = self.events.iter().filter(|(event, by, _)| wanted(event, *by));
        wanted.map(|(event, ..)| clock::corrected(event, &offsets)).collect()
    }
    pub(super) fn start(&self) -> UnixNanos {
        let own = self.times(|_, by| by == JoinedBy::Strong);
        let all = self.times(|_, _| true);
        own.into_iter().min().or(all.into_iter().min()).unwrap_or_default()
    }
    pub(super) fn last(&self) -> UnixNanos {
        self.times(|_, _| true).into_iter().max().unwrap_or_default()
    }
    pub(super) fn last_received(&self) -> UnixNanos {
        self.events.iter().map(|(.., received)| *received).max().expect("a journey has an event")
    }
    pub(super) fn is_strong(&self) -> bool {
        self.keys.iter().any(|(kind, _)| kind.is_strong())
    }
    pub(super) fn flow(&self) -> Flow {
        let sent = self.events.iter().filter(|(event, ..)| event.flow.is_some());
        let sent = sent.min_by_key(|(event, by, _)| (*by == JoinedBy::Weak, event.time, turn(event)));
        if let Some(flow) = sent.and_then(|(event, ..)| event.flow) {
            return flow;
        }
        let suggested: Vec<_> =
            self.events.iter().filter_map(|(event, ..)| phases::suggested_flow(event.name)).collect();
        let order = [Flow::PasskeyCda, Flow::MagicLink, Flow::AppQr];
        order.into_iter().find(|flow| suggested.contains(flow)).unwrap_or(Flow::Unknown)
    }
    pub(super) fn idle(&self, settings: &Settings) -> Millis {
        let started = self.events.iter().filter(|(event, ..)| event.name == EventName::WebauthnStarted);
        let limits = started.filter_map(|(event, ..)| {
            let asked = event.facts.webauthn_timeout;
            match &event.environment.browser {
                Some(browser) => ceremony::limit(browser.kind, asked).or(asked),
                None => asked,
            }
        });
        let limit = limits.max().unwrap_or_default().min(settings.ceremony_limit_cap);
        let announced = self.events.iter().filter_map(|(event, ..)| event.facts.code_ttl).max();
        let longest = settings.idle.of(self.flow()).max(announced.unwrap_or_default()).max(limit);
        let idle = Millis(longest.0.saturating_add(settings.idle_margin.0));
        let unloaded = self
            .events
            .iter()
            .any(|(event, ..)| event.name == EventName::PageUnloaded && event.side == Side::Initiator);
        if unloaded { idle.min(settings.idle_after_unload) } else { idle }
    }
    /// When it closes, or is forgotten.
    pub(super) fn due(&self, settings: &Settings) -> (UnixNanos, CloseReason) {
        if let Some((at, reason)) = self.closed {
            return (at.plus(settings.reopen_window), reason);
        }
        let terminal = self.events.iter().filter(|(event, ..)| event.name.is_terminal());
        let first = self.events.iter().map(|(.., received)| *received).min().expect("it has an event");
        let age = (first.plus(settings.greatest_age), CloseReason::Age);
        let end = match terminal.map(|(.., received)| *received).max() {
            Some(terminal) => (terminal.plus(settings.grace), CloseReason::Terminal),
            None => (self.last_received().plus(self.idle(settings)), CloseReason::Idle),
        };
        let (at, reason) = if end.0 <= age.0 { end } else { age };
        (at.max(self.last_received()), reason)
    }
    pub(super) fn spans(&self, time: UnixNanos, settings: &Settings) -> bool {
        let by_idle = self.last().plus(self.idle(settings));
        let end = match self.times(|event, _| event.name.is_terminal()).into_iter().max() {
            Some(terminal) => by_idle.min(terminal.plus(settings.grace)),
            None => by_idle,
        };
        self.start().minus(NEAR) <= time && time <= end
    }
    pub(super) fn spans_event(&self, event: &AuthEvent, settings: &Settings) -> bool {
        self.spans(self.time_of(event), settings) && !self.is_before_beginning(event)
    }
    /// Whether an event begins something after this attempt's last terminal event or page's end.
    pub(super) fn is_before_beginning(&self, event: &AuthEvent) -> bool {
        let parts = |event: &AuthEvent, _| event.name.is_terminal() || event.name == EventName::PageUnloaded;
        let parted = self.times(parts).into_iter().max();
        event.name.is_beginning() && parted.is_some_and(|parted| self.time_of(event) > parted)
    }
    /// Whether an event is of the attempt after this one.
    pub(super) fn is_over_for(&self, event: &AuthEvent, settings: &Settings) -> bool {
        use EventName::{
            SessionEstablished, VerificationFailed, VerificationSucceeded, WebauthnCompleted, WebauthnFailed,
        };
        let time = self.time_of(event);
        let terminal = self.times(|event, _| event.name.is_terminal()).into_iter().max();
        let failed = self.times(|event, _| [VerificationFailed, WebauthnFailed].contains(&event.name));
        let results = [
            VerificationFailed,
            VerificationSucceeded,
            WebauthnFailed,
            WebauthnCompleted,
            SessionEstablished,
        ];
        terminal.is_some_and(|terminal| time > terminal.plus(settings.grace))
            || self.is_before_beginning(event)
            || results.contains(&event.name) && failed.into_iter().max().is_some_and(|failed| time > failed)
    }
    pub(super) fn names(&self) -> Names {
        (self.previous.map(|link| link.to), self.next.map(|link| (link.to, link.flow)))
    }
}
