//! Keys: what ties events to journeys. A raw value is trimmed, brought to its canonical form, and kept only
//! as a keyed hash of (realm, kind, canonical value).

use std::hash::Hasher;

use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::caps;
use crate::codes::codes;
use crate::ids::{Identity, decode_hex};

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

/// A keyed hash of (realm, kind, canonical value).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub u128);

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The keys that one event carries, at most one of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

    /// The key of a raw value, or `None` if the value is no key: shorter than
    /// [`caps::KEY_MIN_CHARS`] once trimmed, or one of the well-known non-values.
    #[must_use]
    pub fn key(&self, realm: &str, kind: KeyKind, raw: &str) -> Option<KeyHash> {
        let value = bounded(raw.trim());
        if value.chars().take(caps::KEY_MIN_CHARS).count() < caps::KEY_MIN_CHARS || is_non_value(value) {
            return None;
        }
        let digest = match kind {
            KeyKind::Challenge => Some(challenge_digest(value)),
            KeyKind::Code => Some(code_digest(value)),
            _ => None,
        };
        Some(KeyHash(match digest {
            Some(digest) => self.hash(realm, kind.code(), &[&digest]),
            None => self.hash(realm, kind.code(), &[value.as_bytes()]),
        }))
    }

    /// The key of a trace id.
    #[must_use]
    pub fn trace_key(&self, realm: &str, trace_id: &[u8; 16]) -> KeyHash {
        KeyHash(self.hash(realm, KeyKind::Trace.code(), &[trace_id]))
    }

    /// The identity of an event from the parts that make it one; `kind` keeps different sorts apart.
    #[must_use]
    pub fn identity(&self, realm: &str, kind: &str, parts: &[&[u8]]) -> Identity {
        Identity(self.hash(realm, kind, parts))
    }

    /// A keyed hash of 64 bits for values that are only compared, such as a network prefix.
    #[must_use]
    pub fn short_hash(&self, realm: &str, kind: &str, value: &[u8]) -> u64 {
        self.hash(realm, kind, &[value]) as u64
    }

    /// Each part goes in with its length, so that no two lists of parts collide by concatenation.
    fn hash(&self, realm: &str, kind: &str, parts: &[&[u8]]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        for part in [realm.as_bytes(), kind.as_bytes()].into_iter().chain(parts.iter().copied()) {
            hasher.write(&(part.len() as u32).to_le_bytes());
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }
}

fn bounded(value: &str) -> &str {
    let mut end = value.len().min(caps::KEY_VALUE_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

/// Values that programs send where they have none.
fn is_non_value(value: &str) -> bool {
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
    let only_filler =
        value.bytes().all(|byte| matches!(byte, b'0' | b'-' | b'*' | b'x' | b'X' | b'.' | b'_' | b' '));
    only_filler || NON_VALUES.iter().any(|known| value.eq_ignore_ascii_case(known))
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
