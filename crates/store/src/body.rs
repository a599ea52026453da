//! The bytes of a stored journey: all that is known of it and its verdict, from which its line is made when somebody
//! reads it.
//!
//! - What events have in common stands once: keys, trace ids, environments; the realm is the journey's.
//! - Times stand as distances, so that they are short.
//! - Fields are told by their order and codes by their place in the vocabulary: both belong to the layout.

use std::sync::Arc;

use authstitch_model::{
    AuthEvent, ClockOffsets, CloseReason, Environment, EventId, EventKeys, EventName, Facts, Flow, Identity,
    JoinedBy, Journey, JourneyEvent, JourneyId, Judged, KeyHash, Origin, Predecessor, Realm, Side, SpanId,
    Successor, TraceId, UnixNanos, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

#[cfg(test)]
mod tests;

/// Writes a journey in place of what the buffer held.
pub(crate) fn write(judged: &Judged, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
    buffer.clear();
    *buffer = postcard::to_extend(&Body::of(judged), std::mem::take(buffer))
        .map_err(|source| StoreError::Unwritable { journey: judged.journey.id, source })?;
    Ok(())
}

/// Reads the journey in a row.
pub(crate) fn read(row: i64, bytes: &[u8]) -> Result<Judged, StoreError> {
    let body: postcard::Result<Body> = postcard::from_bytes(bytes);
    body.and_then(|body| body.judged().ok_or(postcard::Error::DeserializeBadEncoding))
        .map_err(|source| StoreError::Body { row, source })
}

#[derive(Serialize, Deserialize)]
struct Body {
    id: JourneyId,
    revision: u32,
    realm: Realm,
    flow: Flow,
    offsets: ClockOffsets,
    close_reason: CloseReason,
    previous: Option<Predecessor>,
    next: Option<Successor>,
    /// The corrected time of the first event, against which the others stand.
    began: UnixNanos,
    shared: Shared,
    events: Vec<Event>,
    verdict: Verdict,
    tables: Arc<str>,
}

/// What events refer to by its number.
#[derive(Default, Serialize, Deserialize)]
struct Shared {
    keys: Vec<KeyHash>,
    traces: Vec<TraceId>,
    environments: Vec<Arc<Environment>>,
}

#[derive(Serialize, Deserialize)]
struct Event {
    name: EventName,
    side: Side,
    joined_by: JoinedBy,
    flow: Option<Flow>,
    /// From the beginning to its corrected time.
    corrected: i64,
    /// From its corrected time to that of its emitter.
    time: i64,
    /// From its emitter's time to when it was observed.
    observed: Option<i64>,
    trace: Option<u32>,
    span: Option<SpanId>,
    parent: Option<SpanId>,
    id: Option<EventId>,
    identity: Identity,
    /// By kind, the strongest first.
    keys: [Option<u32>; 6],
    environment: u32,
    facts: Facts,
}

impl Body {
    fn of(judged: &Judged) -> Self {
        let journey = &judged.journey;
        let began = journey.started_at();
        let mut shared = Shared::default();
        Self {
            id: journey.id,
            revision: journey.revision,
            realm: journey.realm.clone(),
            flow: journey.flow,
            offsets: journey.offsets,
            close_reason: journey.close_reason,
            previous: journey.previous,
            next: journey.next,
            began,
            events: journey.events.iter().map(|event| Event::of(event, began, &mut shared)).collect(),
            shared,
            verdict: judged.verdict.clone(),
            tables: Arc::clone(&judged.tables),
        }
    }

    /// The journey; `None` if an event refers to what is not there.
    fn judged(self) -> Option<Judged> {
        let events = self.events.into_iter();
        let events = events.map(|event| event.restored(&self.realm, self.began, &self.shared));
        let journey = Journey {
            id: self.id,
            revision: self.revision,
            flow: self.flow,
            events: events.collect::<Option<_>>()?,
            realm: self.realm,
            offsets: self.offsets,
            close_reason: self.close_reason,
            previous: self.previous,
            next: self.next,
        };
        Some(Judged { journey, verdict: self.verdict, tables: self.tables })
    }
}

impl Event {
    fn of(held: &JourneyEvent, began: UnixNanos, shared: &mut Shared) -> Self {
        let event = &held.event;
        let EventKeys { journey, challenge, code, flow, session, trace } = event.keys;
        let keys = [journey, challenge, code, flow, session, trace];
        Self {
            name: event.name,
            side: event.side,
            joined_by: held.joined_by,
            flow: event.flow,
            corrected: distance(began, held.corrected),
            time: distance(held.corrected, event.time),
            observed: event.observed.map(|observed| distance(event.time, observed)),
            trace: event.origin.trace_id.map(|trace| number(&mut shared.traces, &trace)),
            span: event.origin.span_id,
            parent: event.origin.parent_span_id,
            id: event.event_id.clone(),
            identity: event.identity,
            keys: keys.map(|key| key.map(|key| number(&mut shared.keys, &key))),
            environment: number(&mut shared.environments, &event.environment),
            facts: event.facts,
        }
    }

    fn restored(self, realm: &Realm, began: UnixNanos, shared: &Shared) -> Option<JourneyEvent> {
        let corrected = at(began, self.corrected);
        let time = at(corrected, self.time);
        let mut keys = [None; 6];
        for (key, place) in keys.iter_mut().zip(self.keys) {
            *key = numbered(&shared.keys, place)?;
        }
        let [journey, challenge, code, flow, session, trace] = keys;
        let event = AuthEvent {
            realm: realm.clone(),
            name: self.name,
            side: self.side,
            flow: self.flow,
            time,
            observed: self.observed.map(|observed| at(time, observed)),
            origin: Origin {
                trace_id: numbered(&shared.traces, self.trace)?,
                span_id: self.span,
                parent_span_id: self.parent,
            },
            event_id: self.id,
            identity: self.identity,
            keys: EventKeys { journey, challenge, code, flow, session, trace },
            facts: self.facts,
            environment: numbered(&shared.environments, Some(self.environment))??,
        };
        Some(JourneyEvent { event, corrected, joined_by: self.joined_by })
    }
}

/// The number of a value among those known, which it joins if it is new. A journey has few of a kind.
fn number<T: Clone + PartialEq>(known: &mut Vec<T>, value: &T) -> u32 {
    let place = known.iter().position(|known| known == value).unwrap_or_else(|| {
        known.push(value.clone());
        known.len() - 1
    });
    place as u32
}

/// The value with this number, if there is a number; `None` if there is no such value.
fn numbered<T: Clone>(known: &[T], number: Option<u32>) -> Option<Option<T>> {
    match number {
        None => Some(None),
        Some(number) => known.get(number as usize).cloned().map(Some),
    }
}

/// From one time to another. It wraps, so that every pair of times has one and [`at`] leads back.
const fn distance(from: UnixNanos, to: UnixNanos) -> i64 {
    to.0.wrapping_sub(from.0).cast_signed()
}

const fn at(from: UnixNanos, distance: i64) -> UnixNanos {
    UnixNanos(from.0.wrapping_add_signed(distance))
}
