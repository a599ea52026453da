//! Which journey is which attempt, event by event.

use std::collections::{BTreeMap, HashMap};

use authstitch_model::line::{JourneyLine, SpanLine};
use authstitch_model::truth::TruthLine;
use authstitch_model::{EventId, EventName, JourneyId, KeyKind, SpanId, TraceId};

#[cfg(test)]
mod tests;

/// Truth and journeys, joined by their events.
pub(crate) struct Matching<'a> {
    /// By attempt number.
    pub attempts: Vec<Attempt<'a>>,
    /// By journey id.
    pub journeys: Vec<Held<'a>>,
    /// Every event that survived, attempt by attempt.
    pub events: Vec<Event>,
}

/// One attempt.
pub(crate) struct Attempt<'a> {
    pub truth: &'a TruthLine,
    /// Its events, as a range of [`Matching::events`].
    pub events: std::ops::Range<usize>,
    /// Its journey, as an index.
    pub journey: Option<usize>,
    /// Whether an event with a strong key survived.
    pub scored: bool,
    /// Whether its surviving events hang together by strong keys.
    pub connected: bool,
}

/// One journey.
pub(crate) struct Held<'a> {
    pub line: &'a JourneyLine,
    /// The attempt it belongs to, as an index.
    pub attempt: Option<usize>,
    /// How many events it shares with that attempt.
    shared: usize,
}

/// One event that survived.
pub(crate) struct Event {
    /// Its attempt, as an index.
    pub attempt: usize,
    /// The journey that holds it, as an index.
    pub journey: Option<usize>,
    pub strength: Strength,
}

/// The strongest key that an event carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// A journey, challenge or code key.
    Strong,
    /// A container key.
    Container,
    /// A session, a trace, or nothing.
    Weak,
}

/// What an event is known by.
type Identity<'a> = (Option<TraceId>, Option<SpanId>, Option<&'a EventId>, EventName);

/// `None` for an event without any id, which cannot be told from another.
fn identity(span: &SpanLine) -> Option<Identity<'_>> {
    let identity = (span.trace_id, span.span_id, span.event_id.as_ref(), span.event);
    (identity.0.is_some() || identity.1.is_some() || identity.2.is_some()).then_some(identity)
}

impl<'a> Matching<'a> {
    pub(crate) fn new(truth: &'a [TruthLine], journeys: &'a [JourneyLine]) -> Self {
        let mut attempts: Vec<_> = truth.iter().collect();
        attempts.sort_by_key(|truth| truth.attempt);
        let mut matching = Self { attempts: Vec::new(), journeys: Vec::new(), events: Vec::new() };
        // An identity may occur twice in truth, such as one name twice in one span; each copy in a journey
        // takes the next of them, and copies beyond that belong to nobody.
        let mut by_identity: HashMap<Identity<'a>, Vec<usize>> = HashMap::new();
        for (index, truth) in attempts.into_iter().enumerate() {
            let first = matching.events.len();
            for span in &truth.spans {
                if let Some(identity) = identity(span) {
                    by_identity.entry(identity).or_default().push(matching.events.len());
                }
                matching.events.push(Event { attempt: index, journey: None, strength: strength(span) });
            }
            let events = first..matching.events.len();
            matching.attempts.push(Attempt {
                truth,
                scored: matching.events[events.clone()]
                    .iter()
                    .any(|event| event.strength == Strength::Strong),
                connected: connected(&truth.spans),
                events,
                journey: None,
            });
        }
        for line in standing(journeys) {
            matching.hold(line, &mut by_identity);
        }
        matching.choose();
        matching
    }

    /// Gives a journey its events and the attempt it belongs to.
    fn hold(&mut self, line: &'a JourneyLine, by_identity: &mut HashMap<Identity<'a>, Vec<usize>>) {
        let index = self.journeys.len();
        let mut shares: BTreeMap<usize, usize> = BTreeMap::new();
        for span in &line.spans {
            let Some(free) = identity(span).and_then(|identity| by_identity.get_mut(&identity)) else {
                continue;
            };
            if free.is_empty() {
                continue;
            }
            let event = &mut self.events[free.remove(0)];
            event.journey = Some(index);
            *shares.entry(event.attempt).or_default() += 1;
        }
        // Attempts come in the order of their numbers; the first of equals is the smallest.
        let best = shares.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
        self.journeys.push(Held {
            line,
            attempt: best.map(|(attempt, _)| attempt),
            shared: best.map_or(0, |(_, shared)| shared),
        });
    }

    /// Gives each attempt its journey. Journeys come in the order of their ids; the first of equals is the
    /// oldest.
    fn choose(&mut self) {
        for (index, held) in self.journeys.iter().enumerate() {
            let Some(attempt) = held.attempt else { continue };
            let chosen = &mut self.attempts[attempt].journey;
            if chosen.is_none_or(|chosen| self.journeys[chosen].shared < held.shared) {
                *chosen = Some(index);
            }
        }
    }

    /// The attempts that are scored.
    pub(crate) fn scored(&self) -> impl Iterator<Item = &Attempt<'a>> {
        self.attempts.iter().filter(|attempt| attempt.scored)
    }

    /// The journey of an attempt.
    pub(crate) fn journey_of(&self, attempt: &Attempt<'_>) -> Option<&'a JourneyLine> {
        attempt.journey.map(|journey| self.journeys[journey].line)
    }

    /// The events of an attempt.
    pub(crate) fn events_of(&self, attempt: &Attempt<'_>) -> &[Event] {
        &self.events[attempt.events.clone()]
    }

    /// Whether an attempt's journey holds exactly the attempt's surviving events.
    pub(crate) fn is_exact(&self, attempt: &Attempt<'_>) -> bool {
        attempt.journey.is_some_and(|journey| {
            self.events_of(attempt).iter().all(|event| event.journey == Some(journey))
                && self.journeys[journey].line.spans.len() == attempt.events.len()
        })
    }
}

/// The journeys that stand: the newest revision of each, without those that merged, by id.
fn standing(journeys: &[JourneyLine]) -> impl Iterator<Item = &JourneyLine> {
    let mut newest: BTreeMap<JourneyId, &JourneyLine> = BTreeMap::new();
    for line in journeys {
        let known = newest.entry(line.journey_id).or_insert(line);
        if known.revision < line.revision {
            *known = line;
        }
    }
    newest.into_values().filter(|line| line.merged_into.is_none())
}

fn strength(span: &SpanLine) -> Strength {
    match &span.keys {
        None => Strength::Strong,
        Some(keys) if keys.iter().any(|key| key.kind.is_strong()) => Strength::Strong,
        Some(keys) if keys.iter().any(|key| key.kind == KeyKind::Flow) => Strength::Container,
        Some(_) => Strength::Weak,
    }
}

/// Whether these events hang together: from the first one reaches every other over shared strong keys.
fn connected(spans: &[SpanLine]) -> bool {
    let keys: Option<Vec<Vec<_>>> = spans
        .iter()
        .map(|span| Some(span.keys.as_ref()?.iter().filter(|key| key.kind.is_strong()).collect()))
        .collect();
    let Some(mut unreached) = keys else { return true };
    let Some(mut reached) = unreached.pop() else { return true };
    loop {
        let before = unreached.len();
        unreached.retain(|keys| {
            let shares = keys.iter().any(|key| reached.contains(key));
            if shares {
                reached.extend(keys);
            }
            !shares
        });
        if unreached.is_empty() || unreached.len() == before {
            return unreached.is_empty();
        }
    }
}
