//! Keys: what ties events to journeys. A raw value is trimmed, brought to its canonical form, and kept only
//! as a keyed hash of (realm, kind, canonical value).
//!
//! From the secret of the installation a realm has a key of its own for every kind of value, made once and then
//! used for many: so a value is hashed alone, and what is equal in two realms or of two kinds looks different.
//! The hash is SipHash-1-3 of 128 bits, which takes half the time of SipHash-2-4.

use std::num::NonZero;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::caps;
use crate::codes::codes;
use crate::fnv::fnv1a;
use crate::ids::{Identity, SpanId, TraceId, as_bytes, decode_hex};
use crate::siphash::SipKey;
use crate::time::UnixNanos;
use crate::vocabulary::EventName;

codes! {
    /// The kinds of keys, strongest first.
    KeyKind {
        /// A correlation id: one value is one journey.
        Journey = "journey",
        /// A WebAuthn challenge or an order.
        Challenge = "challenge",
        /// A QR, link or device code.
        Code = "code",
        /// An identity server's flow: a container that may hold several attempts.
        Flow = "flow",
        /// A browser or app session.
        Session = "session",
        /// A trace.
        Trace = "trace",
    }
}

impl KeyKind {
    /// Whether one value belongs to one attempt alone.
    #[must_use]
    pub const fn is_strong(self) -> bool {
        matches!(self, Self::Journey | Self::Challenge | Self::Code)
    }
}

/// A keyed hash of (realm, kind, canonical value). It is never 0, so that an event without a key needs no room to
/// say so; the one value in 2^128 that would be is taken for 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(NonZero<u128>);

impl KeyHash {
    /// The hash with this number.
    #[must_use]
    pub const fn new(hash: u128) -> Self {
        match NonZero::new(hash) {
            Some(hash) => Self(hash),
            None => Self(NonZero::<u128>::MIN),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0.get()
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.get())
    }
}

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_bytes::serialize(&self.get(), serializer)
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_bytes::deserialize(deserializer).map(Self::new)
    }
}

/// The keys that one event carries, at most one of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventKeys {
    /// Strong.
    pub journey: Option<KeyHash>,
    /// Strong.
    pub challenge: Option<KeyHash>,
    /// Strong.
    pub code: Option<KeyHash>,
    /// A container.
    pub flow: Option<KeyHash>,
    /// Weak.
    pub session: Option<KeyHash>,
    /// Weak.
    pub trace: Option<KeyHash>,
}

impl EventKeys {
    /// The strong keys that are there, in their precedence.
    pub fn strong(&self) -> impl Iterator<Item = (KeyKind, KeyHash)> {
        let kinds = [
            (KeyKind::Journey, self.journey),
            (KeyKind::Challenge, self.challenge),
            (KeyKind::Code, self.code),
        ];
        kinds.into_iter().filter_map(|(kind, key)| Some((kind, key?)))
    }

    /// The weak keys that are there.
    pub fn weak(&self) -> impl Iterator<Item = (KeyKind, KeyHash)> {
        let kinds = [(KeyKind::Session, self.session), (KeyKind::Trace, self.trace)];
        kinds.into_iter().filter_map(|(kind, key)| Some((kind, key?)))
    }

    /// All of them, in the order of their kinds.
    #[must_use]
    pub const fn all(&self) -> [Option<KeyHash>; KeyKind::COUNT] {
        [self.journey, self.challenge, self.code, self.flow, self.session, self.trace]
    }

    /// Whether any strong key is there.
    #[must_use]
    pub const fn has_strong(&self) -> bool {
        self.journey.is_some() || self.challenge.is_some() || self.code.is_some()
    }
}

/// The secret under which keys are hashed: one for each installation, so that a stored hash cannot be looked
/// up elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; 16]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The fixed secret of `replay` and `demo`, public on purpose: it makes their journey ids repeat.
    pub const PUBLIC: Self = Self(*b"authstitch-demo\n");

    /// The secret of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for whoever keeps them.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// What hashes the values of one realm.
    #[must_use]
    pub fn of_realm(&self, realm: &str) -> RealmSecret {
        let base = Subkey::derived(self.0, realm.as_bytes());
        let of = |kind: &str| base.derive(kind.as_bytes());
        RealmSecret {
            base,
            keys: std::array::from_fn(|kind| of(KeyKind::ALL[kind].code())),
            spans: of("span"),
            networks: of("network"),
        }
    }

    /// The key of a raw value in a realm; see [`RealmSecret::key`].
    #[must_use]
    pub fn key(&self, realm: &str, kind: KeyKind, raw: &str) -> Option<KeyHash> {
        self.of_realm(realm).key(kind, raw)
    }
}

/// The keys under which the values of one realm are hashed, one for each kind.
#[derive(Clone, Copy)]
pub struct RealmSecret {
    base: Subkey,
    keys: [Subkey; KeyKind::COUNT],
    spans: Subkey,
    networks: Subkey,
}

impl std::fmt::Debug for RealmSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RealmSecret(…)")
    }
}

impl RealmSecret {
    /// The key of a raw value, or `None` if the value is no key: shorter than
    /// [`caps::KEY_MIN_CHARS`] once trimmed, or one of the well-known non-values.
    #[must_use]
    pub fn key(&self, kind: KeyKind, raw: &str) -> Option<KeyHash> {
        self.key_of_trimmed(kind, raw.trim().as_bytes())
    }

    /// The same of a value without white space around it, in UTF-8.
    #[must_use]
    pub fn key_of_trimmed(&self, kind: KeyKind, value: &[u8]) -> Option<KeyHash> {
        let value = bounded(value);
        if !has_enough_chars(value) || is_non_value(value) {
            return None;
        }
        let key = self.keys[kind.index()];
        let text = || std::str::from_utf8(value).unwrap_or_default();
        Some(KeyHash::new(match kind {
            KeyKind::Challenge => key.hash(&challenge_digest(text())),
            KeyKind::Code => key.hash(&code_digest(text())),
            _ => key.hash(value),
        }))
    }

    /// The key of a trace id.
    #[must_use]
    pub fn trace_key(&self, trace_id: TraceId) -> KeyHash {
        KeyHash::new(self.keys[KeyKind::Trace.index()].0.hash_words(halves(trace_id)))
    }

    /// The identity of an event that stands in a span.
    #[must_use]
    pub fn span_identity(
        &self,
        trace_id: TraceId,
        span_id: SpanId,
        time: UnixNanos,
        name: EventName,
    ) -> Identity {
        let [low, high] = halves(trace_id);
        Identity(self.spans.0.hash_words([low, high, span_id.get(), time.0, NAME_WORDS[name.index()]]))
    }

    /// The identity of an event from the parts that make it one; `kind` keeps different sorts apart.
    #[must_use]
    pub fn identity(&self, kind: &str, parts: &[&[u8]]) -> Identity {
        // Each part goes in with its length, so that no two lists of parts collide by concatenation.
        let mut content = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
        for part in parts {
            content.extend_from_slice(&(part.len() as u32).to_le_bytes());
            content.extend_from_slice(part);
        }
        Identity(self.base.derive(kind.as_bytes()).hash(&content))
    }

    /// A keyed hash of a network's prefix, which is only compared.
    #[must_use]
    pub fn network(&self, prefix: &[u8]) -> u64 {
        self.networks.hash(prefix) as u64
    }

    /// A keyed hash of the realm's whole name, where that is too long to be kept.
    #[must_use]
    pub fn name(&self) -> u64 {
        self.base.hash(b"name") as u64
    }
}

const fn halves(trace_id: TraceId) -> [u64; 2] {
    [trace_id.get() as u64, (trace_id.get() >> 64) as u64]
}

/// A word for each event name: what tells names apart in an identity, whatever their order in the vocabulary.
const NAME_WORDS: [u64; EventName::COUNT] = {
    let mut words = [0; EventName::COUNT];
    let mut name = 0;
    while name < words.len() {
        words[name] = fnv1a(EventName::ALL[name].code().as_bytes());
        name += 1;
    }
    words
};

/// A key that a secret gave for one purpose.
#[derive(Clone, Copy)]
struct Subkey(SipKey);

impl Subkey {
    fn derived(secret: [u8; 16], purpose: &[u8]) -> Self {
        let secret = u128::from_le_bytes(secret);
        Self(SipKey::new(secret as u64, (secret >> 64) as u64)).derive(purpose)
    }

    /// The key for a narrower purpose.
    fn derive(self, purpose: &[u8]) -> Self {
        let hash = self.hash(purpose);
        Self(SipKey::new(hash as u64, (hash >> 64) as u64))
    }

    fn hash(&self, value: &[u8]) -> u128 {
        self.0.hash(value)
    }
}

fn bounded(value: &[u8]) -> &[u8] {
    let mut end = value.len().min(caps::KEY_VALUE_BYTES);
    while value.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    &value[..end]
}

fn has_enough_chars(value: &[u8]) -> bool {
    let begins_char = |byte: &&u8| **byte & 0xc0 != 0x80;
    match value.first_chunk::<{ caps::KEY_MIN_CHARS }>() {
        Some(first) if first.is_ascii() => true,
        Some(_) => value.iter().filter(begins_char).nth(caps::KEY_MIN_CHARS - 1).is_some(),
        None => false,
    }
}

/// Values that programs send where they have none.
fn is_non_value(value: &[u8]) -> bool {
    const NON_VALUES: &[&str] = &[
        "undefined",
        "[object object]",
        "not_set",
        "not set",
        "(not set)",
        "anonymous",
        "notavailable",
        "not available",
        "redacted",
        "[redacted]",
        "<redacted>",
        "[filtered]",
        "placeholder",
    ];
    const LONGEST: usize = "[object object]".len();
    let only_filler =
        || value.iter().all(|byte| matches!(byte, b'0' | b'-' | b'*' | b'x' | b'X' | b'.' | b'_' | b' '));
    only_filler()
        || value.len() <= LONGEST
            && NON_VALUES.iter().any(|known| value.eq_ignore_ascii_case(known.as_bytes()))
}

/// A value of exactly 32 lowercase hex digits is taken as the digest.
fn as_digest(value: &str) -> Option<[u8; 16]> {
    let lowercase = value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut digest = [0; 16];
    (lowercase && value.len() == 32).then(|| decode_hex(value, &mut digest)).flatten().map(|()| digest)
}

/// The first 16 bytes of the SHA-256 of the challenge's bytes, decoded from base64url or base64; a value that
/// is neither is hashed as text.
#[must_use]
pub fn challenge_digest(value: &str) -> [u8; 16] {
    as_digest(value).unwrap_or_else(|| match decode_base64(value) {
        Some(bytes) => sha256_16(&bytes),
        None => sha256_16(value.as_bytes()),
    })
}

/// The first 16 bytes of the SHA-256 of the code's UTF-8.
#[must_use]
pub fn code_digest(value: &str) -> [u8; 16] {
    as_digest(value).unwrap_or_else(|| sha256_16(value.as_bytes()))
}

fn sha256_16(bytes: &[u8]) -> [u8; 16] {
    let digest = Sha256::digest(bytes);
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    first
}

/// Decodes base64 in either alphabet, with or without padding.
#[must_use]
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if digits.len() % 4 == 1 || text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut buffer, mut bits) = (0u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
            buffer &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: Secret = Secret::PUBLIC;

    #[test]
    fn a_hashed_client_and_a_raw_server_meet() {
        let raw = "dGhlLWNoYWxsZW5nZS1ieXRlcw";
        let hex: String =
            sha256_16(b"the-challenge-bytes").iter().map(|byte| format!("{byte:02x}")).collect();
        let key = SECRET.key("r", KeyKind::Challenge, raw);
        assert!(key.is_some());
        assert_eq!(key, SECRET.key("r", KeyKind::Challenge, &hex));
        assert_eq!(key, SECRET.key("r", KeyKind::Challenge, &format!("  {raw}==  ")));
        let code: String = sha256_16(b"QR-CODE-1234").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(SECRET.key("r", KeyKind::Code, "QR-CODE-1234"), SECRET.key("r", KeyKind::Code, &code));
    }

    #[test]
    fn names_keep_apart() {
        let words: std::collections::HashSet<_> = NAME_WORDS.iter().collect();
        assert_eq!(words.len(), EventName::COUNT);
    }

    #[test]
    fn realms_and_kinds_keep_apart() {
        let value = "0123456789abcdef";
        assert_ne!(SECRET.key("a", KeyKind::Journey, value), SECRET.key("b", KeyKind::Journey, value));
        assert_ne!(SECRET.key("a", KeyKind::Journey, value), SECRET.key("a", KeyKind::Session, value));
        assert_ne!(
            SECRET.key("a", KeyKind::Journey, value),
            Secret::new([7; 16]).key("a", KeyKind::Journey, value)
        );
    }

    #[test]
    fn short_values_and_non_values_are_no_keys() {
        for value in [
            "",
            "1234567",
            "  1234567  ",
            "undefined",
            "00000000-0000-0000-0000-000000000000",
            "[object Object]",
            "null",
        ] {
            assert_eq!(SECRET.key("r", KeyKind::Journey, value), None, "{value}");
        }
        assert!(SECRET.key("r", KeyKind::Journey, "12345678").is_some());
    }

    #[test]
    fn base64_in_both_alphabets() {
        assert_eq!(decode_base64("-_-_"), decode_base64("+/+/"));
        assert_eq!(decode_base64("aGk=").as_deref(), Some(b"hi".as_slice()));
        assert_eq!(decode_base64("a"), None);
        assert_eq!(decode_base64("not base64!"), None);
    }
}
