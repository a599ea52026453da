//! Events into bytes.

use authstitch_model::{AuthEvent, Facts, JoinedBy, UnixNanos};

use super::{
    BEGIN, EVENT_ID, FACTS, FAR, FLOW, LARGE, LONGEST, NEAR_BYTES, OBSERVED, PARENT, REFERENCE, SPAN, TIME,
    frequent, seldom,
};
use crate::carried::{CARRIED, References};

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
        self.bytes[BEGIN..TIME].copy_from_slice(&event.identity.0.to_le_bytes());
        self.len = TIME;
        let mut what = event.flow.map_or(0, |flow| flow.index() as u16 + 1) << FLOW;
        let distance = event.time.0.wrapping_sub(base.0) as i64;
        if (-1 << (NEAR_BYTES * 8 - 1)..1 << (NEAR_BYTES * 8 - 1)).contains(&distance) {
            self.put(&distance.to_le_bytes());
            self.len -= 8 - NEAR_BYTES;
        } else {
            what |= FAR;
            self.put(&event.time.0.to_le_bytes());
        }
        if let Some(id) = &event.origin.span_id {
            what |= SPAN;
            self.put(&id.bytes());
        }
        if let Some(id) = &event.origin.parent_span_id {
            what |= PARENT;
            self.put(&id.bytes());
        }
        self.number(u64::from(environment));
        what |= u16::from(references.there) << REFERENCE;
        self.references(references);
        if let Some(observed) = event.observed {
            what |= OBSERVED;
            let later = observed.0.wrapping_sub(event.time.0) as i64;
            self.number((later << 1 ^ later >> 63) as u64);
        }
        if let Some(id) = &event.event_id {
            what |= EVENT_ID;
            self.text(id.as_str());
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

    fn references(&mut self, references: &References) {
        let References { there, numbers } = *references;
        if numbers.iter().all(|number| *number < LARGE) {
            // Those that are not there are written over.
            let (mut bytes, mut len) = ([0; CARRIED + 1], 0);
            for (place, number) in numbers.into_iter().enumerate() {
                bytes[len % (CARRIED + 1)] = number as u8;
                len += usize::from(there >> place & 1);
            }
            self.put(&bytes);
            self.len -= bytes.len() - len;
            return;
        }
        for number in (0..CARRIED).filter(|place| there >> place & 1 != 0).map(|place| numbers[place]) {
            self.byte(number.min(LARGE) as u8);
            if number >= LARGE {
                self.put(&number.to_le_bytes());
            }
        }
    }

    fn text(&mut self, text: &str) {
        let text = text.as_bytes();
        self.byte(text.len() as u8);
        self.bytes[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    /// The frequent facts behind a byte that says which are there, then in the same way the seldom ones, if any
    /// is there; `false` if there is nothing at all.
    fn facts(&mut self, facts: &Facts) -> bool {
        let which = self.len;
        self.len += 1;
        let mut there = 0;
        if let Some(time) = facts.duration {
            there |= frequent::DURATION;
            self.number(time.0);
        }
        if let Some(network) = facts.network {
            there |= frequent::NETWORK;
            self.put(&network.to_le_bytes());
        }
        if let Some(country) = &facts.country {
            there |= frequent::COUNTRY;
            self.put(country);
        }
        if let Some(error) = facts.error {
            there |= frequent::ERROR;
            self.byte(error as u8);
        }
        if let Some(time) = facts.code_ttl {
            there |= frequent::CODE_TTL;
            self.number(time.0);
        }
        if let Some(share) = facts.sampled {
            there |= frequent::SAMPLED;
            self.put(&share.to_le_bytes());
        }
        if let Some(by) = facts.synthetic {
            there |= frequent::SYNTHETIC;
            self.byte(by as u8);
        }
        if self.seldom_facts(facts) {
            there |= frequent::SELDOM;
        }
        self.bytes[which] = there;
        if there == 0 {
            self.len = which;
        }
        there != 0
    }

    fn seldom_facts(&mut self, facts: &Facts) -> bool {
        let which = self.len;
        self.len += 2;
        let mut there = 0;
        if let Some(time) = facts.webauthn_timeout {
            there |= seldom::TIMEOUT;
            self.number(time.0);
        }
        if let Some(time) = facts.webauthn_elapsed {
            there |= seldom::ELAPSED;
            self.number(time.0);
        }
        if let Some(id) = facts.aaguid {
            there |= seldom::AAGUID;
            self.put(&id.to_le_bytes());
        }
        let mut byte = |bit: u16, byte: Option<u8>| {
            if let Some(byte) = byte {
                there |= bit;
                self.byte(byte);
            }
        };
        byte(seldom::MEDIATION, facts.mediation.map(|mediation| mediation as u8));
        byte(seldom::ATTACHMENT, facts.attachment.map(|attachment| attachment as u8));
        byte(seldom::HYBRID, facts.hybrid_capability.map(u8::from));
        byte(seldom::TRANSPORTS, Some(facts.transports.bits()).filter(|bits| *bits != 0));
        byte(seldom::BACKUP_ELIGIBLE, facts.backup_eligible.map(u8::from));
        byte(seldom::BACKUP_STATE, facts.backup_state.map(u8::from));
        byte(seldom::REASON, facts.reason.map(|reason| reason as u8));
        byte(seldom::METHOD, facts.method.map(|method| method as u8));
        byte(seldom::HTTP_METHOD, facts.http_method.map(|method| method as u8));
        self.bytes[which..which + 2].copy_from_slice(&there.to_le_bytes());
        if there == 0 {
            self.len = which;
        }
        there != 0
    }
}
