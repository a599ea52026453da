//! The rules again, as plainly as they can be written: a list of journeys and a list of waiting events, scanned
//! from end to end for every question. It shares the model, the clock estimate and the order of names with the
//! stitcher, nothing else. It knows no bound but that of journeys, and no key that 64 journeys share.

mod attempt;
mod closing;
mod linking;
mod merging;
mod strong;
mod waiting;

use authstitch_model::{
    AuthEvent, CloseReason, Flow, Identity, JoinedBy, JourneyId, KeyHash, KeyKind, Millis, Side, SpanId,
    UnixNanos,
};
use authstitch_stitch::{Change, Counters, Settings, order};

use crate::dsl::Stitching;

/// What orders events of one time.
fn turn(event: &AuthEvent) -> (u8, Side, Option<SpanId>, Identity) {
    (order::rank(event.name), event.side, event.origin.span_id, event.identity)
}

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

    fn next_waiting(&self) -> Option<(UnixNanos, usize)> {
        // Of those that are alike the first in the list, which came first.
        let order = |waiting: &Waiting| {
            let Waiting { deadline, event, .. } = waiting;
            (*deadline, event.time, order::rank(event.name), event.side)
        };
        let (place, waiting) = self.waiting.iter().enumerate().min_by_key(|(_, waiting)| order(waiting))?;
        Some((waiting.deadline, place))
    }

    fn next_due(&self) -> Option<(UnixNanos, JourneyId)> {
        self.attempts.iter().map(|attempt| (attempt.due(&self.settings).0, attempt.id)).min()
    }
}

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

    fn accept(&mut self, received: UnixNanos, event: &AuthEvent, changes: &mut Vec<Change>) {
        let event = event.clone();
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
