//! Entries into bytes.

use std::sync::Arc;

use authstitch_model::{AuthEvent, Environment, Facts, KeyHash, KeyKind, Origin, Realm, TraceId, UnixNanos};

use super::{ALIKE_TRACE_ID, ENVIRONMENT, FLOW, LONGEST, REALM, environment, kind, there};
use crate::caps;
use crate::entry::Body;

/// The entries of one frame, as they are written one after the other.
#[derive(Debug)]
pub struct Writing {
    /// What is written. The owner may put something before the first entry.
    pub bytes: Vec<u8>,
    environments: Numbers<Arc<Environment>>,
    realms: Numbers<Realm>,
    before: Before,
    received: UnixNanos,
    event: Event,
}

/// What the next event may share with the one before it.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    keys: [Option<KeyHash>; KeyKind::COUNT],
    trace_id: Option<TraceId>,
    place: Option<(u32, u32)>,
}

/// Where to go back to, should the entry written next be unwanted.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    environments: usize,
    realms: usize,
    before: Before,
    received: UnixNanos,
}

impl Default for Writing {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            environments: Numbers::default(),
            realms: Numbers::default(),
            before: Before::default(),
            received: UnixNanos(0),
            event: Event { bytes: [0; LONGEST], len: 0 },
        }
    }
}

impl Writing {
    /// Begins a new frame, whose first record is received at this time.
    pub fn restart(&mut self, received: UnixNanos) {
        self.bytes.clear();
        self.environments.truncate(0);
        self.realms.truncate(0);
        self.before = Before::default();
        self.received = received;
    }

    /// The place reached.
    pub fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            environments: self.environments.known.len(),
            realms: self.realms.known.len(),
            before: self.before,
            received: self.received,
        }
    }

    /// Takes back what was written since.
    pub fn go_back(&mut self, mark: &Mark) {
        self.bytes.truncate(mark.bytes);
        self.environments.truncate(mark.environments);
        self.realms.truncate(mark.realms);
        self.before = mark.before;
        self.received = mark.received;
    }

    /// Writes an entry, received no earlier than the one before.
    pub fn entry(&mut self, received: UnixNanos, body: &Body<'_>) {
        self.bytes.push(match body {
            Body::Events(_) => kind::EVENTS,
            Body::Tick => kind::TICK,
            Body::Setting { .. } => kind::SETTING,
        });
        number(&mut self.bytes, received.0.wrapping_sub(self.received.0));
        self.received = received;
        match body {
            Body::Events(events) => {
                number(&mut self.bytes, events.len() as u64);
                for event in *events {
                    self.event(event);
                }
            }
            Body::Tick => {}
            Body::Setting { kind, bytes } => {
                text(&mut self.bytes, kind.as_str());
                number(&mut self.bytes, bytes.len() as u64);
                self.bytes.extend_from_slice(bytes);
            }
        }
    }

    fn event(&mut self, event: &AuthEvent) {
        // Named one by one, so that a new one is not left out.
        let AuthEvent {
            realm,
            name,
            side,
            flow,
            time,
            observed,
            origin: Origin { trace_id, span_id, parent_span_id },
            event_id,
            identity,
            keys,
            facts,
            environment,
        } = event;
        let environment = self.environment(environment);
        let realm = self.realm(realm);
        let out = &mut self.event;
        let before = &mut self.before;
        let (mut alike, mut there) = (0u8, 0u32);
        out.bytes[5] = name.index() as u8;
        out.bytes[6] = side.index() as u8 | flow.map_or(0, |flow| flow.index() as u8 + 1) << FLOW;
        out.len = 7;
        if before.place != Some((environment, realm)) {
            there |= there::PLACE;
            before.place = Some((environment, realm));
            out.number(u64::from(environment));
            out.number(u64::from(realm));
        }
        out.distance(time.0, self.received.0);
        out.put(&identity.0.to_le_bytes());
        if let Some(observed) = observed {
            there |= there::OBSERVED;
            out.distance(observed.0, time.0);
        }
        if let Some(id) = trace_id {
            there |= there::TRACE_ID;
            if before.trace_id == *trace_id {
                alike |= 1 << ALIKE_TRACE_ID;
            } else {
                out.put(&id.bytes());
            }
        }
        if let Some(id) = span_id {
            there |= there::SPAN_ID;
            out.put(&id.bytes());
        }
        if let Some(id) = parent_span_id {
            there |= there::PARENT;
            out.put(&id.bytes());
        }
        if let Some(id) = event_id {
            there |= there::EVENT_ID;
            out.text(id.as_str());
        }
        let keys = keys.all();
        for (kind, key) in keys.iter().enumerate() {
            if let Some(hash) = key {
                there |= 1 << (there::KEYS + kind);
                if before.keys[kind] == *key {
                    alike |= 1 << kind;
                } else {
                    out.put(&hash.get().to_le_bytes());
                }
            }
        }
        (before.keys, before.trace_id) = (keys, *trace_id);
        there |= out.facts(facts);
        out.bytes[0] = alike;
        out.bytes[1..5].copy_from_slice(&there.to_le_bytes());
        self.bytes.extend_from_slice(&out.bytes[..out.len]);
    }

    fn environment(&mut self, environment: &Arc<Environment>) -> u32 {
        let address = Arc::as_ptr(environment).addr();
        let same = |known: &Arc<Environment>| Arc::ptr_eq(known, environment);
        let (number, known) = self.environments.number(address, same, || Arc::clone(environment));
        if !known {
            define(&mut self.bytes, environment);
        }
        number
    }

    fn realm(&mut self, realm: &Realm) -> u32 {
        let address = realm.as_str().as_ptr();
        let same = |known: &Realm| known.as_str().as_ptr() == address;
        let (number, known) = self.realms.number(address.addr(), same, || realm.clone());
        if !known {
            self.bytes.push(REALM);
            text(&mut self.bytes, realm.as_str());
        }
        number
    }
}

fn define(out: &mut Vec<u8>, environment: &Environment) {
    let Environment { os, browser, browser_version, device, app_version, service, entry_point } = environment;
    out.push(ENVIRONMENT);
    let which = out.len();
    out.push(0);
    let mut there = 0;
    if let Some(os) = os {
        there |= environment::OS;
        out.push(os.kind.index() as u8);
        text(out, os.name.as_str());
    }
    if let Some(browser) = browser {
        there |= environment::BROWSER;
        out.push(browser.kind.index() as u8);
        text(out, browser.name.as_str());
    }
    let texts = [browser_version, device, app_version, service, entry_point];
    for (place, value) in texts.into_iter().enumerate() {
        if let Some(value) = value {
            there |= 1 << (environment::TEXTS + place);
            text(out, value.as_str());
        }
    }
    out[which] = there;
}

/// Things that get a number when they are first met, known again by their address. Each is kept, so that its address
/// stays its own.
#[derive(Debug)]
struct Numbers<T> {
    known: Vec<T>,
    /// One more than the number of what was met at an address; 0 where nothing was.
    places: Box<[u32; caps::TABLE_PLACES]>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { known: Vec::new(), places: Box::new([0; caps::TABLE_PLACES]) }
    }
}

impl<T> Numbers<T> {
    /// Forgets all but the first so many, or at least how to find them.
    fn truncate(&mut self, len: usize) {
        if self.known.len() > len {
            self.known.truncate(len);
            self.places.fill(0);
        }
    }

    /// The number of a thing, and whether it had one.
    fn number(&mut self, address: usize, same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> (u32, bool) {
        let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let first = hash as usize % caps::TABLE_PLACES;
        let mut place = first;
        for probe in 0..caps::TABLE_PROBES {
            let at = (first + probe) % caps::TABLE_PLACES;
            match self.places[at].checked_sub(1) {
                Some(number) if same(&self.known[number as usize]) => return (number, true),
                Some(_) => {}
                None => {
                    place = at;
                    break;
                }
            }
        }
        let number = self.known.len() as u32;
        self.known.push(make());
        self.places[place] = number + 1;
        (number, false)
    }
}

/// An event being written: its bits are known only at its end.
#[derive(Debug)]
struct Event {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Event {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    /// How far a number lies from another, either way.
    fn distance(&mut self, number: u64, base: u64) {
        let distance = number.wrapping_sub(base) as i64;
        self.number((distance << 1 ^ distance >> 63) as u64);
    }

    fn text(&mut self, text: &str) {
        self.byte(text.len() as u8);
        self.put(text.as_bytes());
    }

    /// Writes what is there of the facts, and gives its bits.
    fn facts(&mut self, facts: &Facts) -> u32 {
        // Named one by one, so that a new one is not left out.
        let Facts {
            duration,
            code_ttl,
            webauthn_timeout,
            webauthn_elapsed,
            mediation,
            attachment,
            hybrid_capability,
            aaguid,
            transports,
            backup_eligible,
            backup_state,
            reason,
            method,
            error,
            http_method,
            network,
            country,
            synthetic,
            sampled,
        } = facts;
        let mut there = 0;
        if let Some(time) = duration {
            there |= there::DURATION;
            self.number(time.0);
        }
        if let Some(time) = code_ttl {
            there |= there::CODE_TTL;
            self.number(time.0);
        }
        if let Some(time) = webauthn_timeout {
            there |= there::TIMEOUT;
            self.number(time.0);
        }
        if let Some(time) = webauthn_elapsed {
            there |= there::ELAPSED;
            self.number(time.0);
        }
        if let Some(network) = network {
            there |= there::NETWORK;
            self.put(&network.to_le_bytes());
        }
        if let Some(country) = country {
            there |= there::COUNTRY;
            self.put(country);
        }
        if let Some(share) = sampled {
            there |= there::SAMPLED;
            self.put(&share.to_le_bytes());
        }
        if let Some(id) = aaguid {
            there |= there::AAGUID;
            self.put(&id.to_le_bytes());
        }
        let mut byte = |bit: u32, byte: Option<u8>| {
            if let Some(byte) = byte {
                there |= bit;
                self.byte(byte);
            }
        };
        byte(there::ERROR, error.map(|error| error.index() as u8));
        byte(there::REASON, reason.map(|reason| reason.index() as u8));
        byte(there::METHOD, method.map(|method| method.index() as u8));
        byte(there::HTTP_METHOD, http_method.map(|method| method.index() as u8));
        byte(there::SYNTHETIC, synthetic.map(|by| by.index() as u8));
        byte(there::MEDIATION, mediation.map(|mediation| mediation.index() as u8));
        byte(there::ATTACHMENT, attachment.map(|attachment| attachment.index() as u8));
        byte(there::TRANSPORTS, Some(transports.bits()).filter(|bits| *bits != 0));
        byte(there::HYBRID, hybrid_capability.map(u8::from));
        byte(there::BACKUP_ELIGIBLE, backup_eligible.map(u8::from));
        byte(there::BACKUP_STATE, backup_state.map(u8::from));
        there
    }
}

fn number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}
