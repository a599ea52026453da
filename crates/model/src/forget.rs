//! What is to be forgotten: journeys, and everything by which an event could be told to be theirs.
//!
//! - It is begun with the ids and keys that somebody named; whoever knows journeys under them adds these. It says then
//!   of any event, journey or key whether it goes.
//! - A journey's events go by their identity; by its strong keys and its traces goes what never joined it: what came too
//!   late, or found nothing.
//! - Sessions and containers are other attempts', too, and go only if they were named. Under them stand the neighbours
//!   whose links lead to the journeys.
//! - It is written down as six lists of 16 bytes each, every list behind its length: numbers with the least significant
//!   byte first.

use std::collections::BTreeSet;

use crate::event::AuthEvent;
use crate::ids::{Identity, JourneyId, TraceId};
use crate::key::KeyHash;

/// What is to be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forget {
    /// The keys that were named: every journey that carries one goes.
    pub named: BTreeSet<KeyHash>,
    /// The journeys.
    pub journeys: BTreeSet<JourneyId>,
    /// The keys that are theirs alone.
    pub keys: BTreeSet<KeyHash>,
    /// The sessions and containers that they share with others.
    pub shared: BTreeSet<KeyHash>,
    /// Their traces.
    pub traces: BTreeSet<TraceId>,
    /// Their events.
    pub events: BTreeSet<Identity>,
}

impl Forget {
    /// Adds a journey with its events.
    pub fn add<'a>(&mut self, journey: JourneyId, events: impl IntoIterator<Item = &'a AuthEvent>) {
        self.journeys.insert(journey);
        for event in events {
            self.events.insert(event.identity);
            self.keys.extend(event.keys.strong().map(|(_, key)| key));
            self.keys.extend(event.keys.trace);
            self.shared.extend([event.keys.flow, event.keys.session].into_iter().flatten());
            self.traces.extend(event.origin.trace_id);
        }
    }

    /// Adds what another one has.
    pub fn extend(&mut self, other: Self) {
        let Self { named, journeys, keys, shared, traces, events } = other;
        self.named.extend(named);
        self.journeys.extend(journeys);
        self.keys.extend(keys);
        self.shared.extend(shared);
        self.traces.extend(traces);
        self.events.extend(events);
    }

    /// Whether there is nothing to be forgotten.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a key goes.
    #[must_use]
    pub fn takes_key(&self, key: KeyHash) -> bool {
        self.named.contains(&key) || self.keys.contains(&key)
    }

    /// Whether an event goes.
    #[must_use]
    pub fn takes(&self, event: &AuthEvent) -> bool {
        self.events.contains(&event.identity)
            || event.keys.all().into_iter().flatten().any(|key| self.takes_key(key))
            || event.origin.trace_id.is_some_and(|trace| self.traces.contains(&trace))
    }

    /// The bytes in which it is written down.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { named, journeys, keys, shared, traces, events } = self;
        let mut bytes = Vec::new();
        write(&mut bytes, named.iter().map(|key| key.get()));
        write(&mut bytes, journeys.iter().map(|journey| journey.as_u128()));
        write(&mut bytes, keys.iter().map(|key| key.get()));
        write(&mut bytes, shared.iter().map(|key| key.get()));
        write(&mut bytes, traces.iter().map(|trace| u128::from_be_bytes(trace.bytes())));
        write(&mut bytes, events.iter().map(|event| event.0));
        bytes
    }

    /// Reads the bytes; nothing if nobody wrote them.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let named = read(&mut bytes)?.map(KeyHash::new).collect();
        let journeys = read(&mut bytes)?.map(JourneyId::from_u128).collect();
        let keys = read(&mut bytes)?.map(KeyHash::new).collect();
        let shared = read(&mut bytes)?.map(KeyHash::new).collect();
        let traces =
            read(&mut bytes)?.filter_map(|trace| TraceId::from_bytes(&trace.to_be_bytes())).collect();
        let events = read(&mut bytes)?.map(Identity).collect();
        bytes.is_empty().then_some(Self { named, journeys, keys, shared, traces, events })
    }
}

fn write(bytes: &mut Vec<u8>, numbers: impl ExactSizeIterator<Item = u128>) {
    bytes.extend((numbers.len() as u64).to_le_bytes());
    numbers.for_each(|number| bytes.extend(number.to_le_bytes()));
}

fn read<'a>(bytes: &mut &'a [u8]) -> Option<impl Iterator<Item = u128> + use<'a>> {
    let (count, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(size_of::<u128>())?;
    let (list, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    let numbers = list.chunks_exact(size_of::<u128>());
    Some(numbers.filter_map(|number| Some(u128::from_le_bytes(number.try_into().ok()?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::testing::event;
    use crate::time::UnixNanos;
    use crate::vocabulary::EventName;

    fn an_event(nth: u64) -> AuthEvent {
        event(EventName::QrShown, UnixNanos(nth), nth)
    }

    fn one() -> Forget {
        let mut own = an_event(1);
        own.keys.code = Some(KeyHash::new(11));
        own.keys.session = Some(KeyHash::new(12));
        own.keys.trace = Some(KeyHash::new(13));
        own.origin.trace_id = TraceId::from_bytes(&[14; 16]);
        let mut forget = Forget { named: [KeyHash::new(10)].into(), ..Forget::default() };
        forget.add(JourneyId::from_u128(1), [&own]);
        forget
    }

    #[test]
    fn what_goes_is_told_by_identity_strong_key_trace_and_what_was_named() {
        let forget = one();
        assert!(forget.takes(&an_event(1)), "its own");
        assert!(!forget.takes(&an_event(2)), "another");
        type Change = fn(&mut AuthEvent);
        let goes: [Change; 4] = [
            |event| event.keys.code = Some(KeyHash::new(11)),
            |event| event.keys.trace = Some(KeyHash::new(13)),
            |event| event.origin.trace_id = TraceId::from_bytes(&[14; 16]),
            |event| event.keys.session = Some(KeyHash::new(10)),
        ];
        for change in goes {
            let mut other = an_event(2);
            change(&mut other);
            assert!(forget.takes(&other));
        }
        let mut of_its_session = an_event(2);
        of_its_session.keys.session = Some(KeyHash::new(12));
        assert!(!forget.takes(&of_its_session), "a session that was not named is other attempts', too");
    }

    #[test]
    fn it_is_read_back_as_it_was_and_nothing_else_is_read() {
        let bytes = one().to_bytes();
        assert_eq!(Forget::from_bytes(&bytes), Some(one()));
        for end in 0..bytes.len() {
            assert_eq!(Forget::from_bytes(&bytes[..end]), None);
        }
        assert_eq!(Forget::from_bytes(&[bytes, vec![0]].concat()), None);
        assert_eq!(Forget::from_bytes(&[0xff; 64]), None);
    }
}
