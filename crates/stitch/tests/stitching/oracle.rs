//! The rules again, as plainly as they can be written: a list of journeys and a list of waiting events, scanned
//! from end to end for every question. It shares the model and the clock estimate with the stitcher, nothing
//! else. It knows no bound but that of journeys, and no key that 64 journeys share.

use authstitch_model::{
    AuthEvent, ClockOffsets, CloseReason, EventName, Flow, Identity, JoinedBy, Journey, JourneyEvent,
    JourneyId, KeyHash, KeyKind, Millis, Predecessor, Successor, UnixNanos, ceremony, phases,
};
use authstitch_stitch::{Change, Counters, Settings, clock};

use crate::dsl::Stitching;

const NEAR: Millis = Millis::from_secs(2);
const TOO_MANY: usize = 8;

/// A journey with all that was ever told to it; everything else about it is worked out anew when asked.
struct Attempt {
    id: JourneyId,
    revision: u32,
    closed: Option<(UnixNanos, CloseReason)>,
    /// Each with its receipt time.
    events: Vec<(AuthEvent, JoinedBy, UnixNanos)>,
    /// Strong keys that lead here, each with how much it linked.
    bound: Vec<(KeyHash, usize)>,
    /// Strong keys and containers that its events carried.
    keys: Vec<(KeyKind, KeyHash)>,
    journey_key: Option<KeyHash>,
    /// Sessions and traces under which it is found.
    weak: Vec<(KeyKind, KeyHash)>,
    previous: Option<Link>,
    next: Option<Link>,
    told: Names,
}

#[derive(Clone, Copy, PartialEq)]
struct Link {
    to: JourneyId,
    gap: Millis,
    flow: Flow,
    start: UnixNanos,
    forgotten: bool,
}

type Names = (Option<JourneyId>, Option<(JourneyId, Flow)>);

struct Waiting {
    deadline: UnixNanos,
    received: UnixNanos,
    event: AuthEvent,
}

struct Tombstone {
    key: KeyHash,
    closed: UnixNanos,
    expires: UnixNanos,
}

pub struct Oracle {
    settings: Settings,
    attempts: Vec<Attempt>,
    waiting: Vec<Waiting>,
    tombstones: Vec<Tombstone>,
    poisoned: Vec<KeyHash>,
    counters: Counters,
}

enum Key {
    LeadsTo(JourneyId),
    Remembered(UnixNanos),
    New,
    Poisoned,
}

impl Attempt {
    fn offsets(&self) -> ClockOffsets {
        clock::estimate(&self.events.iter().map(|(event, ..)| event))
    }
    fn time_of(&self, event: &AuthEvent) -> UnixNanos {
        clock::corrected(event, &self.offsets())
    }
    fn times(&self, wanted: impl Fn(&AuthEvent, JoinedBy) -> bool) -> Vec<UnixNanos> {
        let offsets = self.offsets();
        let wanted = self.events.iter().filter(|(event, by, _)| wanted(event, *by));
        wanted.map(|(event, ..)| clock::corrected(event, &offsets)).collect()
    }
    fn start(&self) -> UnixNanos {
        let own = self.times(|_, by| by == JoinedBy::Strong);
        let all = self.times(|_, _| true);
        own.into_iter().min().or(all.into_iter().min()).unwrap_or_default()
    }
    fn last(&self) -> UnixNanos {
        self.times(|_, _| true).into_iter().max().unwrap_or_default()
    }
    fn last_received(&self) -> UnixNanos {
        self.events.iter().map(|(.., received)| *received).max().expect("a journey has an event")
    }
    fn is_strong(&self) -> bool {
        self.keys.iter().any(|(kind, _)| kind.is_strong())
    }
    fn flow(&self) -> Flow {
        let sent = self.events.iter().filter(|(event, ..)| event.flow.is_some());
        let sent = sent.min_by_key(|(event, by, _)| (*by == JoinedBy::Weak, event.time, event.identity));
        if let Some(flow) = sent.and_then(|(event, ..)| event.flow) {
            return flow;
        }
        let suggested: Vec<_> =
            self.events.iter().filter_map(|(event, ..)| phases::suggested_flow(event.name)).collect();
        let order = [Flow::PasskeyCda, Flow::MagicLink, Flow::AppQr];
        order.into_iter().find(|flow| suggested.contains(flow)).unwrap_or(Flow::Unknown)
    }
    fn idle(&self, settings: &Settings) -> Millis {
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
        let unloaded = self.events.iter().any(|(event, ..)| {
            event.name == EventName::PageUnloaded && event.side == authstitch_model::Side::Initiator
        });
        if unloaded { idle.min(settings.idle_after_unload) } else { idle }
    }
    /// When it closes, or is forgotten.
    fn due(&self, settings: &Settings) -> (UnixNanos, CloseReason) {
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
        if end.0 <= age.0 { end } else { age }
    }
    fn spans(&self, time: UnixNanos, settings: &Settings) -> bool {
        let by_idle = self.last().plus(self.idle(settings));
        let end = match self.times(|event, _| event.name.is_terminal()).into_iter().max() {
            Some(terminal) => by_idle.min(terminal.plus(settings.grace)),
            None => by_idle,
        };
        self.start().minus(NEAR) <= time && time <= end
    }
    fn spans_event(&self, event: &AuthEvent, settings: &Settings) -> bool {
        self.spans(self.time_of(event), settings) && !self.is_before_beginning(event)
    }
    /// Whether an event begins something after this attempt's last terminal event or page's end.
    fn is_before_beginning(&self, event: &AuthEvent) -> bool {
        let parts = |event: &AuthEvent, _| event.name.is_terminal() || event.name == EventName::PageUnloaded;
        let parted = self.times(parts).into_iter().max();
        event.name.is_beginning() && parted.is_some_and(|parted| self.time_of(event) > parted)
    }
    /// Whether an event is of the attempt after this one.
    fn is_over_for(&self, event: &AuthEvent, settings: &Settings) -> bool {
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
    fn names(&self) -> Names {
        (self.previous.map(|link| link.to), self.next.map(|link| (link.to, link.flow)))
    }
}

impl Oracle {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            attempts: Vec::new(),
            waiting: Vec::new(),
            tombstones: Vec::new(),
            poisoned: Vec::new(),
            counters: Counters::default(),
        }
    }

    fn get(&mut self, id: JourneyId) -> &mut Attempt {
        self.attempts
            .iter_mut()
            .find(|attempt| attempt.id == id)
            .expect("asked for journeys that are there only")
    }

    fn knows(&self, identity: Identity) -> bool {
        let kept = self.attempts.iter().flat_map(|attempt| &attempt.events).map(|(event, ..)| event);
        kept.chain(self.waiting.iter().map(|waiting| &waiting.event)).any(|event| event.identity == identity)
    }

    fn look_up(&self, key: KeyHash, now: UnixNanos) -> Key {
        let leads = |attempt: &&Attempt| attempt.bound.iter().any(|(bound, _)| *bound == key);
        if let Some(attempt) = self.attempts.iter().find(leads) {
            return Key::LeadsTo(attempt.id);
        }
        let stands = |tombstone: &&Tombstone| tombstone.key == key && tombstone.expires > now;
        match self.tombstones.iter().find(stands) {
            Some(tombstone) => Key::Remembered(tombstone.closed),
            None if self.poisoned.contains(&key) => Key::Poisoned,
            None => Key::New,
        }
    }

    /// Counts one more link of a key; `true` if it has too many.
    fn poisons(&mut self, key: KeyHash) -> bool {
        for attempt in &mut self.attempts {
            if let Some(place) = attempt.bound.iter().position(|(bound, _)| *bound == key) {
                attempt.bound[place].1 += 1;
                if attempt.bound[place].1 < TOO_MANY {
                    return false;
                }
                attempt.bound.remove(place);
                self.poisoned.push(key);
                self.counters.poisoned_keys += 1;
                return true;
            }
        }
        false
    }

    /// The journeys of a container, session or trace, by start.
    fn sharing(&self, key: KeyHash) -> Vec<JourneyId> {
        let mut found: Vec<_> = self
            .attempts
            .iter()
            .filter(|attempt| {
                attempt
                    .keys
                    .iter()
                    .chain(&attempt.weak)
                    .any(|(kind, known)| !kind.is_strong() && *known == key)
            })
            .map(|attempt| (attempt.start(), attempt.id))
            .collect();
        found.sort();
        found.into_iter().map(|(_, id)| id).collect()
    }

    fn container_decides(&mut self, event: &AuthEvent, now: UnixNanos) -> bool {
        event.keys.strong().all(|(kind, key)| match self.look_up(key, now) {
            Key::Poisoned => true,
            Key::Remembered(_) => false,
            Key::New => kind == KeyKind::Code && event.keys.flow.is_some(),
            Key::LeadsTo(id) => {
                let only_codes = self.get(id).keys.iter().all(|(kind, _)| *kind == KeyKind::Code);
                kind == KeyKind::Code && event.keys.flow.is_some() && only_codes
            }
        })
    }

    // Rules 1 to 3.

    fn place_strong(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        let mut higher = false;
        let mut closed = None;
        let keys = event.keys;
        for (kind, key) in keys.strong() {
            match self.look_up(key, received) {
                Key::LeadsTo(id) => {
                    let own = self.get(id).journey_key;
                    if own.is_some() && event.keys.journey.is_some() && own != event.keys.journey {
                        higher = true;
                    } else if !higher || !self.poisons(key) {
                        return self.join(id, received, event, JoinedBy::Strong, changes);
                    }
                }
                Key::Remembered(at) => {
                    closed = closed.or(Some(at));
                    higher |= kind != KeyKind::Code;
                }
                Key::New => higher |= kind != KeyKind::Code,
                Key::Poisoned => {}
            }
        }
        match closed {
            Some(closed) if !event.name.is_start() => {
                let late = &mut self.counters.too_late[event.side.index()];
                let lag = received.since(closed);
                late.events += 1;
                late.lag_sum = Millis(late.lag_sum.0 + lag.0);
                late.lag_max = late.lag_max.max(lag);
            }
            _ => match self.prelude(&event, None) {
                Some(id) => self.join(id, received, event, JoinedBy::Strong, changes),
                None => self.found(received, event, JoinedBy::Strong, changes),
            },
        }
    }

    /// Of these, by start, the latest started by the event's time, else the next to start.
    fn at_time(&mut self, ids: &[JourneyId], event: &AuthEvent) -> Option<JourneyId> {
        let mut chosen = *ids.first()?;
        for id in ids {
            let attempt = self.get(*id);
            if attempt.start() <= attempt.time_of(event) {
                chosen = *id;
            }
        }
        Some(chosen)
    }

    fn prelude(&mut self, event: &AuthEvent, own: Option<JourneyId>) -> Option<JourneyId> {
        let ids: Vec<_> = self.sharing(event.keys.flow?).into_iter().filter(|id| Some(*id) != own).collect();
        let settings = self.settings;
        let id = self.at_time(&ids, event)?;
        let attempt = self.get(id);
        let fits = !attempt.is_strong()
            && attempt.spans_event(event, &settings)
            && !attempt.is_over_for(event, &settings);
        fits.then_some(id)
    }

    fn found(&mut self, received: UnixNanos, event: AuthEvent, by: JoinedBy, changes: &mut Vec<Change>) {
        if self.attempts.len() >= self.settings.journeys {
            self.make_room(received, changes);
        }
        let id = JourneyId::new(received, event.identity);
        self.attempts.push(Attempt {
            id,
            revision: 0,
            closed: None,
            events: Vec::new(),
            bound: Vec::new(),
            keys: Vec::new(),
            journey_key: None,
            weak: Vec::new(),
            previous: None,
            next: None,
            told: Names::default(),
        });
        self.join(id, received, event, by, changes);
    }

    fn make_room(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        let closed = self.attempts.iter().filter_map(|attempt| Some((attempt.closed?.0, attempt.id))).min();
        if let Some((_, id)) = closed {
            return self.forget(id);
        }
        if let Some(id) = self.attempts.iter().map(|attempt| attempt.id).min() {
            self.counters.evicted += 1;
            self.close(id, now, CloseReason::Evicted, changes);
            self.forget(id);
        }
    }

    fn join(
        &mut self,
        id: JourneyId,
        received: UnixNanos,
        event: AuthEvent,
        by: JoinedBy,
        changes: &mut Vec<Change>,
    ) {
        let mut id = id;
        for (kind, key) in event.keys.strong() {
            match self.look_up(key, received) {
                Key::Poisoned => {}
                Key::LeadsTo(other) if other == id => {}
                Key::LeadsTo(other) => {
                    let (own, others) = (self.get(id).journey_key, self.get(other).journey_key);
                    if own.is_some() && others.is_some() && own != others {
                        if !self.get(id).keys.contains(&(kind, key)) {
                            self.get(id).keys.push((kind, key));
                            self.counters.key_conflicts += 1;
                            self.poisons(key);
                        }
                    } else if !self.poisons(key) {
                        id = self.merge(id, other, changes);
                    }
                }
                Key::New | Key::Remembered(_) => {
                    self.tombstones.retain(|tombstone| tombstone.key != key);
                    let attempt = self.get(id);
                    if !attempt.keys.contains(&(kind, key)) {
                        attempt.keys.push((kind, key));
                    }
                    attempt.bound.push((key, 0));
                    if kind == KeyKind::Journey {
                        attempt.journey_key = Some(key);
                    }
                }
            }
        }
        if let Some(container) = event.keys.flow
            && !self.get(id).keys.contains(&(KeyKind::Flow, container))
        {
            let prelude = if self.get(id).is_strong() { self.prelude(&event, Some(id)) } else { None };
            self.get(id).keys.push((KeyKind::Flow, container));
            if let Some(prelude) = prelude {
                id = self.merge(id, prelude, changes);
            }
        }
        let own = by == JoinedBy::Strong || self.get(id).keys.is_empty();
        let trace = event.keys.trace.filter(|_| own);
        for key in event.keys.weak().filter(|_| own) {
            if !self.get(id).weak.contains(&key) {
                self.get(id).weak.push(key);
            }
        }
        self.get(id).events.push((event, by, received));
        self.counters.joined += 1;
        if let Some(trace) = trace {
            id = self.absorb_trace(trace, id, changes);
        }
        self.link_all(Some(id), changes);
        if self.get(id).closed.is_some() {
            self.tell(id, changes);
        }
    }

    // Rule 8.

    fn absorb_trace(&mut self, trace: KeyHash, id: JourneyId, changes: &mut Vec<Change>) -> JourneyId {
        let settings = self.settings;
        let start = self.get(id).start();
        let mut founded: Vec<JourneyId> = Vec::new();
        for other in self.sharing(trace).into_iter().filter(|other| *other != id) {
            let attempt = self.get(other);
            let (other_start, keyless) = (attempt.start(), attempt.keys.is_empty());
            let overlaps = attempt.spans(start, &settings) || self.get(id).spans(other_start, &settings);
            if keyless && overlaps {
                founded.push(other);
            }
        }
        founded.sort();
        founded.into_iter().fold(id, |id, other| self.merge(id, other, changes))
    }

    fn merge(&mut self, one: JourneyId, two: JourneyId, changes: &mut Vec<Change>) -> JourneyId {
        let (into, gone) = (one.min(two), one.max(two));
        let place = self.attempts.iter().position(|attempt| attempt.id == gone).expect("both are there");
        let gone = self.attempts.remove(place);
        self.counters.merged += 1;
        if gone.revision > 0 {
            changes.push(Change::Merged { journey: gone.id, revision: gone.revision + 1, into });
        }
        let survivor = self.get(into);
        survivor.closed = if gone.closed.is_none() { None } else { survivor.closed };
        survivor.events.extend(gone.events);
        survivor.bound.extend(gone.bound);
        survivor.journey_key = survivor.journey_key.or(gone.journey_key);
        for key in gone.keys {
            if !survivor.keys.contains(&key) {
                survivor.keys.push(key);
            }
        }
        for key in gone.weak {
            if !survivor.weak.contains(&key) {
                survivor.weak.push(key);
            }
        }
        let not_own = |link: &Link| link.to != into && link.to != gone.id;
        let previous = [survivor.previous, gone.previous].into_iter().flatten().filter(not_own);
        let next = [survivor.next, gone.next].into_iter().flatten().filter(not_own);
        (survivor.previous, survivor.next) =
            (previous.max_by_key(|link| link.start), next.min_by_key(|link| link.start));
        for link in self.attempts.iter_mut().flat_map(|attempt| [&mut attempt.previous, &mut attempt.next]) {
            if let Some(link) = link.as_mut().filter(|link| link.to == gone.id) {
                link.to = into;
            }
        }
        into
    }

    // Rule 10.

    /// Works out every link anew, and tells of the closed journeys whose links lead elsewhere.
    fn link_all(&mut self, but: Option<JourneyId>, changes: &mut Vec<Change>) {
        let links: Vec<_> = self.attempts.iter().map(|attempt| self.links_of(attempt)).collect();
        for (attempt, (previous, next)) in self.attempts.iter_mut().zip(links) {
            (attempt.previous, attempt.next) = (previous, next);
        }
        let mut changed: Vec<_> = self
            .attempts
            .iter()
            .filter(|attempt| attempt.closed.is_some() && Some(attempt.id) != but)
            .filter(|attempt| attempt.told != attempt.names())
            .map(|attempt| (attempt.start(), attempt.id))
            .collect();
        changed.sort();
        for (_, id) in changed {
            self.tell(id, changes);
        }
    }

    fn links_of(&self, attempt: &Attempt) -> (Option<Link>, Option<Link>) {
        let linking = |attempt: &Attempt| -> Vec<KeyHash> {
            let keys = attempt.keys.iter().chain(&attempt.weak);
            let linking = keys.filter(|(kind, _)| matches!(kind, KeyKind::Flow | KeyKind::Session));
            linking.map(|(_, key)| *key).collect()
        };
        let own = linking(attempt);
        let place = (attempt.start(), attempt.id);
        let around: Vec<_> = self
            .attempts
            .iter()
            .filter(|other| other.id != attempt.id && linking(other).iter().any(|key| own.contains(key)))
            .collect();
        let order = |other: &&&Attempt| (other.start(), other.id);
        let before = around.iter().filter(|other| order(other) < place).max_by_key(order).copied();
        let after = around.iter().filter(|other| order(other) > place).min_by_key(order).copied();
        let link =
            |to: &Attempt, gap| Link { to: to.id, gap, flow: to.flow(), start: to.start(), forgotten: false };
        let mut previous = before.map(|before| link(before, attempt.start().since(before.last())));
        let mut next = after.map(|after| link(after, after.start().since(attempt.last())));
        if let Some(gone) = attempt.previous.filter(|gone| gone.forgotten && gone.start <= attempt.start())
            && previous.is_none_or(|previous| gone.start >= previous.start)
        {
            previous = Some(gone);
        }
        if let Some(gone) = attempt.next.filter(|gone| gone.forgotten && gone.start >= attempt.start())
            && next.is_none_or(|next| gone.start <= next.start)
        {
            next = Some(gone);
        }
        (previous, next)
    }

    // Rules 6 and 7.

    fn close(&mut self, id: JourneyId, at: UnixNanos, reason: CloseReason, changes: &mut Vec<Change>) {
        self.get(id).closed = Some((at, reason));
        self.counters.closed += 1;
        self.link_all(Some(id), changes);
        self.tell(id, changes);
    }

    fn tell(&mut self, id: JourneyId, changes: &mut Vec<Change>) {
        let attempt = self.get(id);
        attempt.revision += 1;
        attempt.told = attempt.names();
        let offsets = attempt.offsets();
        let mut events: Vec<_> = attempt
            .events
            .iter()
            .map(|(event, by, _)| JourneyEvent {
                event: event.clone(),
                corrected: clock::corrected(event, &offsets),
                joined_by: *by,
            })
            .collect();
        events.sort_by_key(|event| (event.corrected, event.event.identity));
        let journey = Journey {
            id,
            revision: attempt.revision,
            realm: attempt.events[0].0.realm.clone(),
            flow: attempt.flow(),
            events,
            offsets,
            close_reason: attempt.closed.expect("only closed journeys are told of").1,
            previous: attempt.previous.map(|link| Predecessor { journey: link.to, gap: link.gap }),
            next: attempt.next.map(|link| Successor { journey: link.to, gap: link.gap, flow: link.flow }),
        };
        self.counters.revised += u64::from(journey.revision > 1);
        changes.push(Change::Closed(Box::new(journey)));
    }

    fn forget(&mut self, id: JourneyId) {
        let place = self.attempts.iter().position(|attempt| attempt.id == id).expect("it is there");
        let attempt = self.attempts.remove(place);
        let settings = self.settings;
        let closed = attempt.closed.expect("only closed journeys are forgotten").0;
        let ttl = attempt.events.iter().filter_map(|(event, ..)| event.facts.code_ttl).max();
        let code_ends =
            attempt.last_received().plus(ttl.unwrap_or(settings.code_ttl)).plus(settings.code_margin);
        for (key, _) in &attempt.bound {
            let is_code = attempt.keys.contains(&(KeyKind::Code, *key));
            let mut expires = closed.plus(settings.tombstones);
            if is_code {
                if code_ends <= closed.plus(settings.reopen_window) {
                    continue;
                }
                expires = expires.min(code_ends);
            }
            if expires > closed {
                self.tombstones.push(Tombstone { key: *key, closed, expires });
            }
        }
        for link in self.attempts.iter_mut().flat_map(|attempt| [&mut attempt.previous, &mut attempt.next]) {
            if let Some(link) = link.as_mut().filter(|link| link.to == id) {
                link.forgotten = true;
            }
        }
    }

    // Rules 2 and 4, for events that have waited.

    fn place_waiting(&mut self, place: usize, now: UnixNanos, changes: &mut Vec<Change>) {
        let Waiting { event, received, .. } = self.waiting.remove(place);
        if !self.container_decides(&event, now) {
            self.place_strong(received, event, changes);
        } else if let Some(container) = event.keys.flow {
            self.place_in_container(container, received, event, changes);
        } else {
            self.place_weak(received, event, changes);
        }
    }

    fn place_in_container(
        &mut self,
        container: KeyHash,
        received: UnixNanos,
        event: AuthEvent,
        changes: &mut Vec<Change>,
    ) {
        let settings = self.settings;
        let ids = self.sharing(container);
        let (chosen, by) = match self.at_time(&ids, &event) {
            Some(id) if self.get(id).is_over_for(&event, &settings) => {
                let next = ids.iter().position(|known| *known == id).and_then(|place| ids.get(place + 1));
                let next = next.copied().filter(|next| {
                    let next = self.get(*next);
                    next.spans_event(&event, &settings)
                });
                (next, JoinedBy::Strong)
            }
            Some(id) => (Some(id), JoinedBy::Strong),
            None => match event.keys.code.map(|code| self.look_up(code, received)) {
                Some(Key::LeadsTo(id)) => (Some(id), JoinedBy::Strong),
                _ => (self.choose(&event).unwrap_or(None), JoinedBy::Weak),
            },
        };
        let of_the_page =
            [EventName::PageHidden, EventName::PageVisible, EventName::PageUnloaded].contains(&event.name);
        match chosen {
            Some(id) => self.join(id, received, event, by, changes),
            None if of_the_page => self.counters.orphaned += 1,
            None => self.found(received, event, JoinedBy::Strong, changes),
        }
    }

    fn place_weak(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        let can_found = |event: &AuthEvent| {
            event.name.is_terminal()
                || [
                    EventName::ChallengeCreated,
                    EventName::WebauthnStarted,
                    EventName::QrShown,
                    EventName::VerificationSucceeded,
                ]
                .contains(&event.name)
        };
        let trace = event.keys.trace;
        let trace_founds = trace.is_some()
            && (can_found(&event)
                || self
                    .waiting
                    .iter()
                    .any(|waiting| waiting.event.keys.trace == trace && can_found(&waiting.event)));
        match self.choose(&event) {
            Ok(Some(id)) => self.join(id, received, event, JoinedBy::Weak, changes),
            Err(Ambiguous) => self.counters.ambiguous += 1,
            Ok(None) if trace_founds => self.found(received, event, JoinedBy::Weak, changes),
            Ok(None) => self.counters.orphaned += 1,
        }
    }

    fn choose(&mut self, event: &AuthEvent) -> Result<Option<JourneyId>, Ambiguous> {
        let settings = self.settings;
        let mut ids: Vec<JourneyId> = Vec::new();
        for (_, key) in event.keys.weak() {
            let sharing = self.sharing(key);
            let open = sharing.iter().filter(|id| self.get(**id).closed.is_none()).count();
            if open <= TOO_MANY {
                ids.extend(sharing);
            }
        }
        ids.retain(|id| {
            let attempt = self.get(*id);
            attempt.spans_event(event, &settings)
        });
        ids.sort_by_key(|id| (self.get(*id).start(), *id));
        ids.dedup();
        let Some(chosen) = self.at_time(&ids, event) else { return Ok(None) };
        let start = self.get(chosen).start();
        for other in ids.into_iter().filter(|other| *other != chosen) {
            let other = self.get(other).start();
            if other.max(start).since(other.min(start)) < NEAR {
                return Err(Ambiguous);
            }
        }
        Ok(Some(chosen))
    }

    fn next_waiting(&self) -> Option<(UnixNanos, usize)> {
        let order = |waiting: &Waiting| (waiting.deadline, waiting.event.time, waiting.event.identity);
        let (place, waiting) = self.waiting.iter().enumerate().min_by_key(|(_, waiting)| order(waiting))?;
        Some((waiting.deadline, place))
    }

    fn next_due(&self) -> Option<(UnixNanos, JourneyId)> {
        self.attempts.iter().map(|attempt| (attempt.due(&self.settings).0, attempt.id)).min()
    }
}

struct Ambiguous;

impl Stitching for Oracle {
    fn advance(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        loop {
            let waiting = self.next_waiting().filter(|(deadline, _)| *deadline <= now);
            let due = self.next_due().filter(|(due, _)| *due <= now);
            match (waiting, due) {
                (Some((deadline, place)), due) if due.is_none_or(|(due, _)| deadline <= due) => {
                    self.place_waiting(place, deadline, changes);
                }
                (_, Some((due, id))) => {
                    let settings = self.settings;
                    if self.get(id).closed.is_some() {
                        self.forget(id);
                    } else {
                        let (_, reason) = self.get(id).due(&settings);
                        self.close(id, due, reason, changes);
                    }
                }
                _ => break,
            }
        }
        self.tombstones.retain(|tombstone| tombstone.expires > now);
    }

    fn accept(&mut self, received: UnixNanos, event: AuthEvent, changes: &mut Vec<Change>) {
        if self.knows(event.identity) {
            self.counters.duplicates += 1;
        } else if !self.container_decides(&event, received) {
            self.place_strong(received, event, changes);
        } else if event.keys.flow.is_some() || event.keys.weak().next().is_some() {
            let deadline = received.plus(self.settings.hold);
            self.waiting.push(Waiting { deadline, received, event });
        } else {
            self.counters.keyless += 1;
        }
    }

    fn shut_down(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        while let Some((_, place)) = self.next_waiting() {
            self.place_waiting(place, now, changes);
        }
        let open = |attempt: &&Attempt| attempt.closed.is_none();
        while let Some(id) = self.attempts.iter().filter(open).map(|attempt| attempt.id).min() {
            self.close(id, now, CloseReason::Shutdown, changes);
        }
    }

    fn counters(&self) -> Counters {
        let open = self.attempts.iter().filter(|attempt| attempt.closed.is_none()).count() as u64;
        Counters {
            open,
            reopenable: self.attempts.len() as u64 - open,
            waiting: self.waiting.len() as u64,
            tombstones: self.tombstones.len() as u64,
            ..self.counters
        }
    }
}
