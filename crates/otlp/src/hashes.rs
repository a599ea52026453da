//! The keyed hashes of record after record. Records that lie next to each other mostly share a realm, a trace, a
//! session and a journey, so the latest value of each kind is kept with its hash.

use authstitch_model::{EventKeys, KeyHash, KeyKind, Realm, RealmSecret, Secret, TraceId};

use crate::attributes::{Attr, Attributes};
use crate::network::network;
use crate::value::Value;

/// The latest hashes of one realm.
pub(crate) struct Hashes<'a> {
    realm: Realm,
    pub(crate) secret: RealmSecret,
    sent: [Option<(Value<'a>, Option<KeyHash>)>; KeyKind::COUNT],
    trace: Option<(TraceId, KeyHash)>,
    network: Option<(&'a [u8], Option<u64>)>,
}

impl<'a> Hashes<'a> {
    /// Of a realm, of which nothing was hashed yet.
    pub(crate) fn of(realm: Realm, secret: Secret) -> Self {
        let secret = secret.of_realm(realm.as_str());
        Self { realm, secret, sent: [None; KeyKind::COUNT], trace: None, network: None }
    }

    /// What follows is of this realm.
    pub(crate) fn enter(&mut self, realm: &Realm, secret: Secret) {
        if self.realm != *realm {
            *self = Self::of(realm.clone(), secret);
        }
    }

    /// The keys of a record.
    pub(crate) fn keys(&mut self, attributes: &Attributes<'_, 'a>, trace: Option<TraceId>) -> EventKeys {
        EventKeys {
            journey: self.sent(KeyKind::Journey, attributes.get(Attr::JourneyId)),
            challenge: self.sent(KeyKind::Challenge, attributes.get(Attr::ChallengeId)),
            code: self.sent(KeyKind::Code, attributes.get(Attr::CodeId)),
            flow: self.sent(KeyKind::Flow, attributes.get(Attr::FlowId)),
            session: self.sent(KeyKind::Session, attributes.get(Attr::SessionId)),
            trace: trace.map(|trace| self.trace(trace)),
        }
    }

    #[inline]
    fn sent(&mut self, kind: KeyKind, value: Option<Value<'a>>) -> Option<KeyHash> {
        let value = value?;
        match self.sent[kind.index()] {
            Some((known, key)) if known == value => key,
            _ => {
                let key = match value.bytes() {
                    Some(text) => self.secret.key_of_trimmed(kind, text),
                    None => value.decimal().and_then(|text| self.secret.key(kind, &text)),
                };
                self.sent[kind.index()] = Some((value, key));
                key
            }
        }
    }

    #[inline]
    fn trace(&mut self, trace: TraceId) -> KeyHash {
        match self.trace {
            Some((known, key)) if known == trace => key,
            _ => {
                let key = self.secret.trace_key(trace);
                self.trace = Some((trace, key));
                key
            }
        }
    }

    /// The network that a record's client is in.
    pub(crate) fn network(&mut self, attributes: &Attributes<'_, 'a>) -> Option<u64> {
        let address = attributes.bytes(Attr::ClientAddress)?;
        match self.network {
            Some((known, hash)) if known == address => hash,
            _ => {
                let hash = network(attributes.text(Attr::ClientAddress)?, &self.secret);
                self.network = Some((address, hash));
                hash
            }
        }
    }
}
