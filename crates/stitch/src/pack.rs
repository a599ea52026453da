//! An event of a journey in some forty bytes, from which it is read back as it was.
//!
//! What many events of a journey share stands once: keys and trace ids in the journey's table, environments in
//! that of all journeys. The realm is the journey's own: no key of one realm is a key of another. Each event
//! stands for itself, so that one can be read without those before it.
//!
//! ```text
//! length 1 | name, joined by, side 1 | what is there 2 | identity 16 | time 5 or 8 | [span 8] [parent 8]
//! | environment 1.. | numbers of keys 1 or 3 each | [observed] [event id] [facts]
//! ```

use std::sync::Arc;

use authstitch_model::event::Transports;
use authstitch_model::{
    Attachment, AuthEvent, Environment, ErrorClass, EventId, EventKeys, EventName, Facts, Flow, HttpMethod,
    Identity, JoinedBy, KeyHash, Mediation, Method, Millis, Origin, Realm, Reason, Side, SpanId, Synthetic,
    TraceId, UnixNanos,
};

/// The longest packed event: every field there, and each as long as it gets.
const LONGEST: usize = 220;

/// The numbers of what an event refers to in its journey's table: its keys in the order of their kinds, and its
/// trace id.
pub type References = [Option<u16>; 7];

/// What is there, as bits. From [`REFERENCE`] on one for each reference, from [`FLOW`] on the flow, none as 0.
const SPAN: u16 = 1;
const PARENT: u16 = 1 << 1;
/// The time is far from the journey's id, and stands there as it is.
const FAR: u16 = 1 << 2;
const OBSERVED: u16 = 1 << 3;
const EVENT_ID: u16 = 1 << 4;
const FACTS: u16 = 1 << 5;
const REFERENCE: usize = 6;
const FLOW: usize = 13;

/// Bytes of a time near the journey's id: nine minutes before or after it.
const NEAR_BYTES: usize = 5;

/// What places and orders an event, which is read without the rest.
#[derive(Clone, Copy, Debug)]
pub struct Glance {
    pub name: EventName,
    pub side: Side,
    pub joined_by: JoinedBy,
    pub flow: Option<Flow>,
    pub identity: Identity,
    pub time: UnixNanos,
    pub span_id: Option<SpanId>,
    pub parent_span_id: Option<SpanId>,
}

impl Glance {
    /// The same of an event that is not packed.
    pub fn of(event: &AuthEvent, joined_by: JoinedBy) -> Self {
        Self {
            name: event.name,
            side: event.side,
            joined_by,
            flow: event.flow,
            identity: event.identity,
            time: event.time,
            span_id: event.origin.span_id,
            parent_span_id: event.origin.parent_span_id,
        }
    }
}

/// Packs an event. Times are written by their distance from `base`.
pub fn pack(
    event: &AuthEvent,
    joined_by: JoinedBy,
    references: &References,
    environment: u32,
    base: UnixNanos,
    out: &mut Vec<u8>,
) {
    out.clear();
    let distance = event.time.0.wrapping_sub(base.0) as i64;
    let is_far = !(-1 << (NEAR_BYTES * 8 - 1)..1 << (NEAR_BYTES * 8 - 1)).contains(&distance);
    let facts = event.facts != Facts::default();
    let there = [
        (SPAN, event.origin.span_id.is_some()),
        (PARENT, event.origin.parent_span_id.is_some()),
        (FAR, is_far),
        (OBSERVED, event.observed.is_some()),
        (EVENT_ID, event.event_id.is_some()),
        (FACTS, facts),
    ];
    let mut what = event.flow.map_or(0, |flow| flow.index() as u16 + 1) << FLOW;
    for (bit, is_there) in there {
        what |= if is_there { bit } else { 0 };
    }
    for (number, reference) in references.iter().enumerate() {
        what |= u16::from(reference.is_some()) << (REFERENCE + number);
    }
    let weak = u8::from(joined_by == JoinedBy::Weak);
    out.extend([0, (event.name.index() as u8) << 3 | weak << 2 | event.side.index() as u8]);
    out.extend(what.to_le_bytes());
    out.extend(event.identity.0.to_le_bytes());
    if is_far {
        out.extend(event.time.0.to_le_bytes());
    } else {
        out.extend(&distance.to_le_bytes()[..NEAR_BYTES]);
    }
    for id in [event.origin.span_id, event.origin.parent_span_id].into_iter().flatten() {
        out.extend(id.bytes());
    }
    number(u64::from(environment), out);
    for reference in references.iter().flatten() {
        match u8::try_from(*reference) {
            Ok(short) if short < u8::MAX => out.push(short),
            _ => {
                out.push(u8::MAX);
                out.extend(reference.to_le_bytes());
            }
        }
    }
    if let Some(observed) = event.observed {
        let later = observed.0.wrapping_sub(event.time.0) as i64;
        number((later << 1 ^ later >> 63) as u64, out);
    }
    if let Some(id) = &event.event_id {
        out.push(id.as_str().len() as u8);
        out.extend(id.as_str().as_bytes());
    }
    if facts {
        pack_facts(&event.facts, out);
    }
    debug_assert!(out.len() <= LONGEST, "{} bytes", out.len());
    out[0] = out.len() as u8;
}

/// A number in as many bytes as it needs, seven bits each.
fn number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Which facts are there as one number, the most frequent first, then each.
fn pack_facts(facts: &Facts, out: &mut Vec<u8>) {
    let there = [
        facts.duration.is_some(),
        facts.network.is_some(),
        facts.country.is_some(),
        facts.error.is_some(),
        facts.code_ttl.is_some(),
        facts.webauthn_timeout.is_some(),
        facts.webauthn_elapsed.is_some(),
        facts.mediation.is_some(),
        facts.attachment.is_some(),
        facts.hybrid_capability.is_some(),
        facts.aaguid.is_some(),
        !facts.transports.is_empty(),
        facts.backup_eligible.is_some(),
        facts.backup_state.is_some(),
        facts.reason.is_some(),
        facts.method.is_some(),
        facts.http_method.is_some(),
        facts.synthetic.is_some(),
        facts.sampled.is_some(),
    ];
    number(there.iter().enumerate().fold(0, |all, (bit, is_there)| all | u64::from(*is_there) << bit), out);
    let times = [facts.code_ttl, facts.webauthn_timeout, facts.webauthn_elapsed];
    facts.duration.into_iter().for_each(|duration| number(duration.0, out));
    facts.network.into_iter().for_each(|network| out.extend(network.to_le_bytes()));
    facts.country.into_iter().for_each(|country| out.extend(country));
    facts.error.into_iter().for_each(|error| out.push(error as u8));
    times.into_iter().flatten().for_each(|time| number(time.0, out));
    facts.mediation.into_iter().for_each(|mediation| out.push(mediation as u8));
    facts.attachment.into_iter().for_each(|attachment| out.push(attachment as u8));
    facts.hybrid_capability.into_iter().for_each(|hybrid| out.push(u8::from(hybrid)));
    facts.aaguid.into_iter().for_each(|aaguid| out.extend(aaguid.to_le_bytes()));
    if !facts.transports.is_empty() {
        out.push(facts.transports.bits());
    }
    facts.backup_eligible.into_iter().for_each(|eligible| out.push(u8::from(eligible)));
    facts.backup_state.into_iter().for_each(|state| out.push(u8::from(state)));
    facts.reason.into_iter().for_each(|reason| out.push(reason as u8));
    facts.method.into_iter().for_each(|method| out.push(method as u8));
    facts.http_method.into_iter().for_each(|method| out.push(method as u8));
    facts.synthetic.into_iter().for_each(|synthetic| out.push(synthetic as u8));
    facts.sampled.into_iter().for_each(|sampled| out.extend(sampled.to_le_bytes()));
}

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
    Identity(u128::from_le_bytes(Unpacking(&event[4..]).bytes()))
}

/// The place of a packed event's environment.
pub fn environment(event: &[u8], base: UnixNanos) -> u32 {
    begin(event, base).2.number() as u32
}

/// What places and orders a packed event.
pub fn glance(event: &[u8], base: UnixNanos) -> Glance {
    begin(event, base).0
}

/// Reads an event back, with what tied it to the journey. `key` gives the bytes of what has a number.
pub fn unpack(
    event: &[u8],
    base: UnixNanos,
    realm: &Realm,
    key: impl Fn(u16) -> [u8; 16],
    environment: impl Fn(u32) -> Arc<Environment>,
) -> (AuthEvent, JoinedBy) {
    let (glance, what, mut rest) = begin(event, base);
    let environment = environment(rest.number() as u32);
    let mut value = |number: usize| {
        (what & 1 << (REFERENCE + number) != 0).then(|| {
            let short = rest.byte();
            key(if short == u8::MAX { u16::from_le_bytes(rest.bytes()) } else { short.into() })
        })
    };
    let hash = |bytes| KeyHash(u128::from_ne_bytes(bytes));
    let keys = EventKeys {
        journey: value(0).map(hash),
        challenge: value(1).map(hash),
        code: value(2).map(hash),
        flow: value(3).map(hash),
        session: value(4).map(hash),
        trace: value(5).map(hash),
    };
    let trace_id = value(6).and_then(|bytes| TraceId::from_bytes(&bytes));
    let observed = (what & OBSERVED != 0).then(|| {
        let later = rest.number();
        let later = (later >> 1) as i64 ^ -((later & 1) as i64);
        UnixNanos(glance.time.0.wrapping_add(later as u64))
    });
    let event_id = (what & EVENT_ID != 0).then(|| EventId::new(&rest.text()));
    let facts = if what & FACTS == 0 { Facts::default() } else { rest.facts() };
    let event = AuthEvent {
        realm: realm.clone(),
        name: glance.name,
        side: glance.side,
        flow: glance.flow,
        time: glance.time,
        observed,
        origin: Origin { trace_id, span_id: glance.span_id, parent_span_id: glance.parent_span_id },
        event_id,
        identity: glance.identity,
        keys,
        facts,
        environment,
    };
    (event, glance.joined_by)
}

/// What every event begins with: what places it, what is there, and what follows.
fn begin(event: &[u8], base: UnixNanos) -> (Glance, u16, Unpacking<'_>) {
    let mut rest = Unpacking(&event[1..]);
    let head = usize::from(rest.byte());
    let what = u16::from_le_bytes(rest.bytes());
    let identity = Identity(u128::from_le_bytes(rest.bytes()));
    let time = if what & FAR != 0 {
        u64::from_le_bytes(rest.bytes())
    } else {
        let [a, b, c, d, e]: [u8; NEAR_BYTES] = rest.bytes();
        let distance = i64::from_le_bytes([0, 0, 0, a, b, c, d, e]) >> 24;
        base.0.wrapping_add(distance as u64)
    };
    let mut span = |bit| if what & bit == 0 { None } else { SpanId::from_bytes(&rest.bytes::<8>()) };
    let glance = Glance {
        name: EventName::ALL[head >> 3],
        side: Side::ALL[head & 3],
        joined_by: if head & 4 == 0 { JoinedBy::Strong } else { JoinedBy::Weak },
        flow: usize::from(what >> FLOW).checked_sub(1).map(|flow| Flow::ALL[flow]),
        identity,
        time: UnixNanos(time),
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

    fn text(&mut self) -> std::borrow::Cow<'a, str> {
        let length = usize::from(self.byte());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text)
    }

    fn facts(&mut self) -> Facts {
        let there = self.number();
        let has = |bit: usize| there & 1 << bit != 0;
        Facts {
            duration: has(0).then(|| Millis(self.number())),
            network: has(1).then(|| u64::from_le_bytes(self.bytes())),
            country: has(2).then(|| self.bytes()),
            error: has(3).then(|| ErrorClass::ALL[usize::from(self.byte())]),
            code_ttl: has(4).then(|| Millis(self.number())),
            webauthn_timeout: has(5).then(|| Millis(self.number())),
            webauthn_elapsed: has(6).then(|| Millis(self.number())),
            mediation: has(7).then(|| Mediation::ALL[usize::from(self.byte())]),
            attachment: has(8).then(|| Attachment::ALL[usize::from(self.byte())]),
            hybrid_capability: has(9).then(|| self.byte() == 1),
            aaguid: has(10).then(|| u64::from_le_bytes(self.bytes())),
            transports: Transports::from_bits(if has(11) { self.byte() } else { 0 }),
            backup_eligible: has(12).then(|| self.byte() == 1),
            backup_state: has(13).then(|| self.byte() == 1),
            reason: has(14).then(|| Reason::ALL[usize::from(self.byte())]),
            method: has(15).then(|| Method::ALL[usize::from(self.byte())]),
            http_method: has(16).then(|| HttpMethod::ALL[usize::from(self.byte())]),
            synthetic: has(17).then(|| Synthetic::ALL[usize::from(self.byte())]),
            sampled: has(18).then(|| u16::from_le_bytes(self.bytes())),
        }
    }
}

#[cfg(test)]
mod tests;
