//! Bytes back into events.

use std::sync::Arc;

use authstitch_model::event::Transports;
use authstitch_model::{
    Attachment, AuthEvent, ClockOffsets, Environment, ErrorClass, EventId, EventKeys, EventName, Facts, Flow,
    HttpMethod, Identity, JoinedBy, JourneyEvent, KeyHash, KeyKind, Mediation, Method, Millis, Origin, Realm,
    Reason, Side, SpanId, Synthetic, TraceId, UnixNanos,
};

use super::{
    BEGIN, EVENT_ID, FACTS, FAR, FLOW, Glance, LARGE, NEAR_BYTES, OBSERVED, PARENT, REFERENCE, SPAN, TIME,
    frequent, seldom,
};
use crate::clock;

/// The packed events of a journey.
pub fn packed(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    std::iter::from_fn(move || {
        let (event, rest) = bytes.split_at_checked(usize::from(*bytes.first()?))?;
        bytes = rest;
        Some(event)
    })
}

/// The identity of a packed event.
pub fn identity(event: &[u8]) -> Identity {
    Identity(u128::from_le_bytes(Unpacking(&event[BEGIN..]).bytes()))
}

/// The place of a packed event's environment.
pub fn environment(event: &[u8]) -> u32 {
    let what = what(event);
    let time = if what & FAR == 0 { NEAR_BYTES } else { 8 };
    let ids = usize::from(what & SPAN != 0) + usize::from(what & PARENT != 0);
    Unpacking(&event[TIME + time + ids * 8..]).number() as u32
}

fn what(event: &[u8]) -> u16 {
    u16::from_le_bytes([event[2], event[3]])
}

/// What of a packed event is not seen at a glance.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// What is there, as bits.
    what: u16,
    /// Where it begins among the packed events.
    begin: usize,
}

/// What places and orders each of the packed events, and where the rest of it lies.
pub fn glances(events: &[u8], base: UnixNanos) -> impl Iterator<Item = (Glance, Rest)> {
    packed(events).scan(0, move |end, event| {
        let (glance, what, rest) = begin(event, base);
        *end += event.len();
        Some((glance, Rest { what, begin: *end - rest.0.len() }))
    })
}

/// What the events of one journey share.
pub struct Table<'a, E> {
    pub realm: &'a Realm,
    pub offsets: ClockOffsets,
    /// The values of what has a number.
    pub keys: &'a [u128],
    /// The environment at a place.
    pub environment: E,
}

/// Reads an event back, with what tied it to the journey, and adds it to those that are read already: it is large,
/// and is written where it will lie.
pub fn unpack<'a, E: Fn(u32) -> &'a Arc<Environment>>(
    glance: &Glance,
    rest: &Rest,
    events: &[u8],
    table: &Table<'_, E>,
    read: &mut Vec<JourneyEvent>,
) {
    let what = rest.what;
    let mut rest = Unpacking(&events[rest.begin..]);
    let environment = Arc::clone((table.environment)(rest.number() as u32));
    read.push(JourneyEvent {
        event: AuthEvent {
            realm: table.realm.clone(),
            name: glance.name,
            side: glance.side,
            flow: glance.flow,
            time: glance.time,
            observed: None,
            origin: Origin { trace_id: None, span_id: glance.span_id, parent_span_id: glance.parent_span_id },
            event_id: None,
            identity: glance.identity,
            keys: EventKeys::default(),
            facts: Facts::default(),
            environment,
        },
        corrected: clock::shifted(glance.time, glance.side, &table.offsets),
        joined_by: glance.joined_by,
    });
    let Some(JourneyEvent { event, .. }) = read.last_mut() else { return };
    let AuthEvent { keys, origin, .. } = event;
    let mut value = |kind: usize| (what & 1 << (REFERENCE + kind) != 0).then(|| table.keys[rest.reference()]);
    let by_kind = [
        &mut keys.journey,
        &mut keys.challenge,
        &mut keys.code,
        &mut keys.flow,
        &mut keys.session,
        &mut keys.trace,
    ];
    for (kind, key) in by_kind.into_iter().enumerate() {
        if let Some(value) = value(kind) {
            *key = Some(KeyHash::new(value));
        }
    }
    if let Some(value) = value(KeyKind::COUNT) {
        origin.trace_id = TraceId::from_bytes(&value.to_ne_bytes());
    }
    if what & OBSERVED != 0 {
        let later = rest.number();
        let later = (later >> 1) as i64 ^ -((later & 1) as i64);
        event.observed = Some(UnixNanos(glance.time.0.wrapping_add(later as u64)));
    }
    if what & EVENT_ID != 0 {
        event.event_id = Some(EventId::new(rest.text()));
    }
    if what & FACTS != 0 {
        rest.facts(&mut event.facts);
    }
}

/// What every event begins with: what places it, what is there, and what follows.
fn begin(event: &[u8], base: UnixNanos) -> (Glance, u16, Unpacking<'_>) {
    let (head, what) = (usize::from(event[1]), what(event));
    let mut rest = Unpacking(&event[BEGIN..]);
    let identity = Identity(u128::from_le_bytes(rest.bytes()));
    let time = rest.time(what, base);
    let mut span = |bit| if what & bit == 0 { None } else { SpanId::from_bytes(&rest.bytes::<8>()) };
    let glance = Glance {
        name: EventName::ALL[head >> 3],
        side: Side::ALL[head & 3],
        joined_by: if head & 4 == 0 { JoinedBy::Strong } else { JoinedBy::Weak },
        flow: usize::from(what >> FLOW).checked_sub(1).map(|flow| Flow::ALL[flow]),
        identity,
        time,
        span_id: span(SPAN),
        parent_span_id: span(PARENT),
    };
    (glance, what, rest)
}

/// The bytes of a packed event that are not read yet.
struct Unpacking<'a>(&'a [u8]);

impl<'a> Unpacking<'a> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        #[expect(clippy::expect_used, reason = "what was packed is as long as it says")]
        let (bytes, rest) = self.0.split_first_chunk().expect("a packed event is whole");
        self.0 = rest;
        *bytes
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    fn reference(&mut self) -> usize {
        let number = self.byte();
        if u16::from(number) < LARGE { number.into() } else { u16::from_le_bytes(self.bytes()).into() }
    }

    fn time(&mut self, what: u16, base: UnixNanos) -> UnixNanos {
        if what & FAR != 0 {
            return UnixNanos(u64::from_le_bytes(self.bytes()));
        }
        let [a, b, c, d, e]: [u8; NEAR_BYTES] = self.bytes();
        let distance = i64::from_le_bytes([0, 0, 0, a, b, c, d, e]) >> 24;
        UnixNanos(base.0.wrapping_add(distance as u64))
    }

    fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    }

    fn text(&mut self) -> &'a str {
        let length = usize::from(self.byte());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(text).unwrap_or_default()
    }

    fn facts(&mut self, facts: &mut Facts) {
        let there = self.byte();
        if there & frequent::DURATION != 0 {
            facts.duration = Some(Millis(self.number()));
        }
        if there & frequent::NETWORK != 0 {
            facts.network = Some(u64::from_le_bytes(self.bytes()));
        }
        if there & frequent::COUNTRY != 0 {
            facts.country = Some(self.bytes());
        }
        if there & frequent::ERROR != 0 {
            facts.error = Some(self.code(ErrorClass::ALL));
        }
        if there & frequent::CODE_TTL != 0 {
            facts.code_ttl = Some(Millis(self.number()));
        }
        if there & frequent::SAMPLED != 0 {
            facts.sampled = Some(u16::from_le_bytes(self.bytes()));
        }
        if there & frequent::SYNTHETIC != 0 {
            facts.synthetic = Some(self.code(Synthetic::ALL));
        }
        if there & frequent::SELDOM != 0 {
            self.seldom_facts(facts);
        }
    }

    fn seldom_facts(&mut self, facts: &mut Facts) {
        let there = u16::from_le_bytes(self.bytes());
        let has = |bit| there & bit != 0;
        facts.webauthn_timeout = has(seldom::TIMEOUT).then(|| Millis(self.number()));
        facts.webauthn_elapsed = has(seldom::ELAPSED).then(|| Millis(self.number()));
        facts.aaguid = has(seldom::AAGUID).then(|| u64::from_le_bytes(self.bytes()));
        facts.mediation = has(seldom::MEDIATION).then(|| self.code(Mediation::ALL));
        facts.attachment = has(seldom::ATTACHMENT).then(|| self.code(Attachment::ALL));
        facts.hybrid_capability = has(seldom::HYBRID).then(|| self.byte() == 1);
        facts.transports = Transports::from_bits(if has(seldom::TRANSPORTS) { self.byte() } else { 0 });
        facts.backup_eligible = has(seldom::BACKUP_ELIGIBLE).then(|| self.byte() == 1);
        facts.backup_state = has(seldom::BACKUP_STATE).then(|| self.byte() == 1);
        facts.reason = has(seldom::REASON).then(|| self.code(Reason::ALL));
        facts.method = has(seldom::METHOD).then(|| self.code(Method::ALL));
        facts.http_method = has(seldom::HTTP_METHOD).then(|| self.code(HttpMethod::ALL));
    }

    fn code<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte())]
    }
}
