//! An event of a journey in some forty bytes, from which it is read back as it was.
//!
//! What many events of a journey share stands once: keys and trace ids in the journey's table, environments in
//! that of all journeys. The realm is the journey's own: no key of one realm is a key of another. Each event
//! stands for itself, so that one can be read without those before it.
//!
//! ```text
//! length 1 | name, joined by, side 1 | what is there 2 | identity 16 | time 5 or 8 | [span 8] [parent 8]
//! | environment 1 to 5 | numbers of keys 1 or 3 each | [observed] [event id] [facts]
//! ```

use std::sync::Arc;

use authstitch_model::event::Transports;
use authstitch_model::{
    Attachment, AuthEvent, Environment, ErrorClass, EventId, EventKeys, EventName, Facts, Flow, HttpMethod,
    Identity, JoinedBy, KeyHash, Mediation, Method, Millis, Origin, Realm, Reason, Side, SpanId, Synthetic,
    TraceId, UnixNanos,
};

/// The longest packed event: every field there, and each as long as it gets.
const LONGEST: usize = 219;

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

/// Where what follows the fixed beginning lies.
const BEGIN: usize = 4;

/// Where the time lies, behind the identity.
const TIME: usize = BEGIN + 16;

/// The frequent facts, as bits, and whether there are seldom ones.
const DURATION: u8 = 0;
const NETWORK: u8 = 1;
const COUNTRY: u8 = 2;
const ERROR: u8 = 3;
const CODE_TTL: u8 = 4;
const SAMPLED: u8 = 5;
const SYNTHETIC: u8 = 6;
const SELDOM: u8 = 7;

/// The seldom facts, as bits.
const TIMEOUT: u8 = 0;
const ELAPSED: u8 = 1;
const AAGUID: u8 = 2;
const MEDIATION: u8 = 3;
const ATTACHMENT: u8 = 4;
const HYBRID: u8 = 5;
const TRANSPORTS: u8 = 6;
const BACKUP_ELIGIBLE: u8 = 7;
const BACKUP_STATE: u8 = 8;
const REASON: u8 = 9;
const METHOD: u8 = 10;
const HTTP_METHOD: u8 = 11;

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

/// An event being packed.
#[derive(Debug)]
pub struct Packing {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Default for Packing {
    fn default() -> Self {
        Self { bytes: [0; LONGEST], len: 0 }
    }
}

impl Packing {
    /// Packs an event in place of the one before. Times are written by their distance from `base`.
    pub fn pack(
        &mut self,
        event: &AuthEvent,
        joined_by: JoinedBy,
        references: &References,
        environment: u32,
        base: UnixNanos,
    ) -> &[u8] {
        let weak = u8::from(joined_by == JoinedBy::Weak);
        self.bytes[1] = (event.name.index() as u8) << 3 | weak << 2 | event.side.index() as u8;
        self.len = BEGIN;
        let mut what = event.flow.map_or(0, |flow| flow.index() as u16 + 1) << FLOW;
        self.put(&event.identity.0.to_le_bytes());
        let distance = event.time.0.wrapping_sub(base.0) as i64;
        if (-1 << (NEAR_BYTES * 8 - 1)..1 << (NEAR_BYTES * 8 - 1)).contains(&distance) {
            self.put(&distance.to_le_bytes());
            self.len -= 8 - NEAR_BYTES;
        } else {
            what |= FAR;
            self.put(&event.time.0.to_le_bytes());
        }
        for (bit, id) in [(SPAN, event.origin.span_id), (PARENT, event.origin.parent_span_id)] {
            if let Some(id) = id {
                what |= bit;
                self.put(id.bytes());
            }
        }
        self.number(u64::from(environment));
        for (number, reference) in references.iter().enumerate() {
            if let Some(reference) = reference {
                what |= 1 << (REFERENCE + number);
                self.reference(*reference);
            }
        }
        if let Some(observed) = event.observed {
            what |= OBSERVED;
            let later = observed.0.wrapping_sub(event.time.0) as i64;
            self.number((later << 1 ^ later >> 63) as u64);
        }
        if let Some(id) = &event.event_id {
            what |= EVENT_ID;
            let text = id.as_str().as_bytes();
            self.byte(text.len() as u8);
            self.bytes[self.len..self.len + text.len()].copy_from_slice(text);
            self.len += text.len();
        }
        if self.facts(&event.facts) {
            what |= FACTS;
        }
        self.bytes[2..BEGIN].copy_from_slice(&what.to_le_bytes());
        self.bytes[0] = self.len as u8;
        &self.bytes[..self.len]
    }

    fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(bytes);
        self.len += N;
    }

    fn byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    /// A number in as many bytes as it needs, seven bits each.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    fn reference(&mut self, number: u16) {
        match u8::try_from(number) {
            Ok(short) if short < u8::MAX => self.byte(short),
            _ => {
                self.byte(u8::MAX);
                self.put(&number.to_le_bytes());
            }
        }
    }

    /// The frequent facts behind a byte that says which are there, then in the same way the seldom ones, if any
    /// is there; `false` if there is nothing at all.
    fn facts(&mut self, facts: &Facts) -> bool {
        let which = self.len;
        let mut frequent = 0;
        self.len += 1;
        let mut there = |fact: u8| frequent |= 1 << fact;
        facts.duration.inspect(|_| there(DURATION)).into_iter().for_each(|time| self.number(time.0));
        facts.network.inspect(|_| there(NETWORK)).into_iter().for_each(|hash| self.put(&hash.to_le_bytes()));
        facts.country.inspect(|_| there(COUNTRY)).into_iter().for_each(|country| self.put(&country));
        facts.error.inspect(|_| there(ERROR)).into_iter().for_each(|error| self.byte(error as u8));
        facts.code_ttl.inspect(|_| there(CODE_TTL)).into_iter().for_each(|time| self.number(time.0));
        facts
            .sampled
            .inspect(|_| there(SAMPLED))
            .into_iter()
            .for_each(|share| self.put(&share.to_le_bytes()));
        facts.synthetic.inspect(|_| there(SYNTHETIC)).into_iter().for_each(|by| self.byte(by as u8));
        if self.seldom_facts(facts) {
            frequent |= 1 << SELDOM;
        }
        self.bytes[which] = frequent;
        if frequent == 0 {
            self.len = which;
        }
        frequent != 0
    }

    fn seldom_facts(&mut self, facts: &Facts) -> bool {
        let which = self.len;
        let mut seldom = 0u16;
        self.len += 2;
        let mut there = |fact: u8| seldom |= 1 << fact;
        let times = [(TIMEOUT, facts.webauthn_timeout), (ELAPSED, facts.webauthn_elapsed)];
        for (fact, time) in times {
            time.inspect(|_| there(fact)).into_iter().for_each(|time| self.number(time.0));
        }
        facts.aaguid.inspect(|_| there(AAGUID)).into_iter().for_each(|id| self.put(&id.to_le_bytes()));
        let transports = Some(facts.transports.bits()).filter(|bits| *bits != 0);
        let bytes = [
            (MEDIATION, facts.mediation.map(|mediation| mediation as u8)),
            (ATTACHMENT, facts.attachment.map(|attachment| attachment as u8)),
            (HYBRID, facts.hybrid_capability.map(u8::from)),
            (TRANSPORTS, transports),
            (BACKUP_ELIGIBLE, facts.backup_eligible.map(u8::from)),
            (BACKUP_STATE, facts.backup_state.map(u8::from)),
            (REASON, facts.reason.map(|reason| reason as u8)),
            (METHOD, facts.method.map(|method| method as u8)),
            (HTTP_METHOD, facts.http_method.map(|method| method as u8)),
        ];
        for (fact, byte) in bytes {
            byte.inspect(|_| there(fact)).into_iter().for_each(|byte| self.byte(byte));
        }
        self.bytes[which..which + 2].copy_from_slice(&seldom.to_le_bytes());
        if seldom == 0 {
            self.len = which;
        }
        seldom != 0
    }
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
    Identity(u128::from_le_bytes(Unpacking(&event[BEGIN..]).bytes()))
}

/// When a packed event was, and by whose clock.
pub fn moment(event: &[u8], base: UnixNanos) -> (Side, UnixNanos) {
    let time = Unpacking(&event[TIME..]).time(what(event), base);
    (Side::ALL[usize::from(event[1] & 3)], time)
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
    let event_id = (what & EVENT_ID != 0).then(|| EventId::new(rest.text()));
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
    let (head, what) = (usize::from(event[1]), what(event));
    let mut rest = Unpacking(&event[TIME..]);
    let time = rest.time(what, base);
    let mut span = |bit| if what & bit == 0 { None } else { SpanId::from_bytes(&rest.bytes::<8>()) };
    let glance = Glance {
        name: EventName::ALL[head >> 3],
        side: Side::ALL[head & 3],
        joined_by: if head & 4 == 0 { JoinedBy::Strong } else { JoinedBy::Weak },
        flow: usize::from(what >> FLOW).checked_sub(1).map(|flow| Flow::ALL[flow]),
        identity: identity(event),
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

    fn facts(&mut self) -> Facts {
        let mut facts = Facts::default();
        let frequent = self.byte();
        for fact in bits(frequent.into()) {
            match fact {
                DURATION => facts.duration = Some(Millis(self.number())),
                NETWORK => facts.network = Some(u64::from_le_bytes(self.bytes())),
                COUNTRY => facts.country = Some(self.bytes()),
                ERROR => facts.error = Some(self.code(ErrorClass::ALL)),
                CODE_TTL => facts.code_ttl = Some(Millis(self.number())),
                SAMPLED => facts.sampled = Some(u16::from_le_bytes(self.bytes())),
                SYNTHETIC => facts.synthetic = Some(self.code(Synthetic::ALL)),
                _ => self.seldom_facts(&mut facts),
            }
        }
        facts
    }

    fn seldom_facts(&mut self, facts: &mut Facts) {
        let seldom = u16::from_le_bytes(self.bytes());
        for fact in bits(seldom) {
            match fact {
                TIMEOUT => facts.webauthn_timeout = Some(Millis(self.number())),
                ELAPSED => facts.webauthn_elapsed = Some(Millis(self.number())),
                AAGUID => facts.aaguid = Some(u64::from_le_bytes(self.bytes())),
                MEDIATION => facts.mediation = Some(self.code(Mediation::ALL)),
                ATTACHMENT => facts.attachment = Some(self.code(Attachment::ALL)),
                HYBRID => facts.hybrid_capability = Some(self.byte() == 1),
                TRANSPORTS => facts.transports = Transports::from_bits(self.byte()),
                BACKUP_ELIGIBLE => facts.backup_eligible = Some(self.byte() == 1),
                BACKUP_STATE => facts.backup_state = Some(self.byte() == 1),
                REASON => facts.reason = Some(self.code(Reason::ALL)),
                METHOD => facts.method = Some(self.code(Method::ALL)),
                _ => facts.http_method = Some(self.code(HttpMethod::ALL)),
            }
        }
    }

    fn code<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte())]
    }
}

/// The numbers of the bits that are set, the lowest first.
fn bits(mut bits: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let lowest = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (lowest < u16::BITS).then_some(lowest as u8)
    })
}

#[cfg(test)]
mod tests;
