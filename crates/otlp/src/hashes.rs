//! The keyed hashes of record after record. Records that lie near each other share a realm, a trace, a session and a
//! journey, also across the resources of one request, so the latest values of each kind are kept with their hashes.

use authstitch_model::{EventKeys, KeyHash, KeyKind, Realm, RealmSecret, Secret, TraceId};

use crate::attributes::{Attr, Attributes, Set};
use crate::caps;
use crate::network::network;
use crate::scan::is_same;

/// The latest hashes of one realm.
pub(crate) struct Hashes<'a> {
    realm: Realm,
    pub(crate) secret: RealmSecret,
    sent: [Latest<'a>; KeyKind::COUNT],
    trace: Option<(TraceId, KeyHash)>,
    network: Option<(&'a [u8], Option<u64>)>,
}

/// The latest values of one kind, each in the place that its last bytes give it.
#[derive(Clone, Debug, Default)]
struct Latest<'a>(Vec<(&'a [u8], Option<KeyHash>)>);

impl<'a> Latest<'a> {
    /// The hash that belongs to a value, kept or made.
    #[inline]
    fn hash(&mut self, value: &'a [u8], make: impl FnOnce() -> Option<KeyHash>) -> Option<KeyHash> {
        const BITS: u32 = caps::HASHES_REMEMBERED.trailing_zeros();
        let Some(last) = value.last_chunk::<8>() else { return make() };
        let mixed = u64::from_le_bytes(*last).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if self.0.is_empty() {
            self.0.resize(caps::HASHES_REMEMBERED, (&[], None));
        }
        let kept = &mut self.0[(mixed >> (u64::BITS - BITS)) as usize];
        if !is_same(kept.0, value) {
            *kept = (value, make());
        }
        kept.1
    }
}

impl<'a> Hashes<'a> {
    /// Of a realm, of which nothing was hashed yet.
    pub(crate) fn of(realm: Realm, secret: Secret) -> Self {
        let secret = secret.of_realm(realm.as_str());
        Self { realm, secret, sent: Default::default(), trace: None, network: None }
    }

    /// What follows is of this realm.
    pub(crate) fn enter(&mut self, realm: &Realm, secret: Secret) {
        if self.realm != *realm {
            *self = Self::of(realm.clone(), secret);
        }
    }

    /// Adds the keys of a record.
    pub(crate) fn read(
        &mut self,
        keys: &mut EventKeys,
        attributes: &Attributes<'_, 'a>,
        trace: Option<TraceId>,
    ) {
        const KEYS: Set =
            Set::of(&[Attr::JourneyId, Attr::ChallengeId, Attr::CodeId, Attr::FlowId, Attr::SessionId]);
        keys.trace = trace.map(|trace| self.trace(trace));
        for attr in attributes.present(KEYS) {
            let (key, kind) = match attr {
                Attr::JourneyId => (&mut keys.journey, KeyKind::Journey),
                Attr::ChallengeId => (&mut keys.challenge, KeyKind::Challenge),
                Attr::CodeId => (&mut keys.code, KeyKind::Code),
                Attr::FlowId => (&mut keys.flow, KeyKind::Flow),
                _ => (&mut keys.session, KeyKind::Session),
            };
            *key = match attributes.bytes(attr) {
                Some(text) => self.sent[kind.index()].hash(text, || self.secret.key_of_trimmed(kind, text)),
                None => attributes.decimal(attr).and_then(|text| self.secret.key(kind, &text)),
            };
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
            Some((known, hash)) if is_same(known, address) => hash,
            _ => {
                let hash = network(attributes.text(Attr::ClientAddress)?, &self.secret);
                self.network = Some((address, hash));
                hash
            }
        }
    }
}
