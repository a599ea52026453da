//! Bytes back into events.

use std::sync::Arc;

use authstitch_model::event::Transports;
use authstitch_model::{
    Attachment, AuthEvent, Environment, ErrorClass, EventId, EventKeys, EventName, Facts, Flow, HttpMethod,
    Identity, JoinedBy, JourneyEvent, KeyHash, KeyKind, Mediation, Method, Millis, Origin, Realm, Reason,
    Side, SpanId, Synthetic, TraceId, UnixNanos,
};

use super::{
    BEGIN, EVENT_ID, FACTS, FAR, FLOW, Glance, LARGE, NEAR_BYTES, OBSERVED, PARENT, REFERENCE, Rest, SPAN,
    frequent, seldom,
};

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

/// What packed events take up elsewhere: the identity of each, and the place of its environment.
pub fn users(events: &[u8]) -> impl Iterator<Item = (Identity, u32)> {
    packed(events).map(|event| {
        let (head, mut rest) = at_environment(event);
        (head.identity, rest.number() as u32)
    })
}

/// The place of a packed event's environment, and the bytes before and behind it.
pub fn environment(event: &[u8]) -> (&[u8], u32, &[u8]) {
    let (_, mut rest) = at_environment(event);
    let before = &event[..event.len() - rest.0.len()];
    let place = rest.number() as u32;
    (before, place, rest.0)
}

/// The beginning of a packed event, and what follows from its environment on.
fn at_environment(event: &[u8]) -> (Head, Unpacking<'_>) {
    let (head, mut rest) = head(event);
    let ids = usize::from(head.what & SPAN != 0) + usize::from(head.what & PARENT != 0);
    rest.0 = &rest.0[usize::from(head.what & FAR != 0) * (8 - NEAR_BYTES) + ids * 8..];
    (head, rest)
}

/// Reads what places and orders each of the packed events, and where the rest of it lies.
pub fn glances(events: &[u8], base: UnixNanos, read: &mut Vec<Glance>) {
    let mut begin = 0;
    for event in packed(events) {
        read.push(glance(event, begin, base));
        begin += event.len();
    }
}

/// What the events of one journey share.
pub struct Table<'a, E> {
    pub realm: &'a Realm,
    /// The values of what has a number.
    pub keys: &'a [u128],
    /// The environment at a place.
    pub environment: E,
}

/// Reads an event back, with its time by the common clock and what tied it to the journey, and adds it to those that
/// are read already.
pub fn unpack<'a, E: Fn(u32) -> &'a Arc<Environment>>(
    glance: &Glance,
    corrected: UnixNanos,
    events: &[u8],
    table: &Table<'_, E>,
    read: &mut Vec<JourneyEvent>,
) {
    let Rest { what, begin } = glance.rest;
    let mut rest = Unpacking(&events[begin as usize..]);
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
        corrected,
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

/// What every packed event begins with.
struct Head {
    /// Name, side and what tied it.
    kind: u8,
    what: u16,
    identity: Identity,
    /// The first bytes of its time.
    time: [u8; NEAR_BYTES],
}

/// The beginning of a packed event, which has one length, and what follows.
fn head(event: &[u8]) -> (Head, Unpacking<'_>) {
    let mut rest = Unpacking(event);
    let [_, kind, a, b]: [u8; BEGIN] = rest.bytes();
    let (what, identity) = (u16::from_le_bytes([a, b]), Identity(u128::from_le_bytes(rest.bytes())));
    (Head { kind, what, identity, time: rest.bytes() }, rest)
}

/// What is seen of a packed event that begins there among others.
fn glance(event: &[u8], begin: usize, base: UnixNanos) -> Glance {
    let (Head { kind, what, identity, time: [a, b, c, d, e] }, mut rest) = head(event);
    let time = if what & FAR == 0 {
        let distance = i64::from_le_bytes([0, 0, 0, a, b, c, d, e]) >> 24;
        UnixNanos(base.0.wrapping_add(distance as u64))
    } else {
        let [f, g, h] = rest.bytes();
        UnixNanos(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    };
    let mut span = |bit| if what & bit == 0 { None } else { SpanId::from_bytes(&rest.bytes::<8>()) };
    let (span_id, parent_span_id) = (span(SPAN), span(PARENT));
    let kind = usize::from(kind);
    Glance {
        name: EventName::ALL[kind >> 3],
        side: Side::ALL[kind & 3],
        joined_by: if kind & 4 == 0 { JoinedBy::Strong } else { JoinedBy::Weak },
        flow: usize::from(what >> FLOW).checked_sub(1).map(|flow| Flow::ALL[flow]),
        identity,
        time,
        span_id,
        parent_span_id,
        rest: Rest { what, begin: (begin + event.len() - rest.0.len()) as u32 },
    }
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
        let mut there = u16::from_le_bytes(self.bytes());
        while there != 0 {
            let lowest = there & there.wrapping_neg();
            there ^= lowest;
            match lowest {
                seldom::TIMEOUT => facts.webauthn_timeout = Some(Millis(self.number())),
                seldom::ELAPSED => facts.webauthn_elapsed = Some(Millis(self.number())),
                seldom::AAGUID => facts.aaguid = Some(u64::from_le_bytes(self.bytes())),
                seldom::MEDIATION => facts.mediation = Some(self.code(Mediation::ALL)),
                seldom::ATTACHMENT => facts.attachment = Some(self.code(Attachment::ALL)),
                seldom::HYBRID => facts.hybrid_capability = Some(self.byte() == 1),
                seldom::TRANSPORTS => facts.transports = Transports::from_bits(self.byte()),
                seldom::BACKUP_ELIGIBLE => facts.backup_eligible = Some(self.byte() == 1),
                seldom::BACKUP_STATE => facts.backup_state = Some(self.byte() == 1),
                seldom::REASON => facts.reason = Some(self.code(Reason::ALL)),
                seldom::METHOD => facts.method = Some(self.code(Method::ALL)),
                seldom::HTTP_METHOD => facts.http_method = Some(self.code(HttpMethod::ALL)),
                _ => {}
            }
        }
    }

    fn code<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte())]
    }
}
