//! Identifiers that are evidence, not secrets: trace, span, event and journey ids.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::caps;
use crate::time::UnixNanos;

/// Declares a newtype over bytes that are not all zero. It is written as lowercase hex; in a format that people do not
/// read, as bytes.
macro_rules! hex_id {
    ($(#[$meta:meta])* $name:ident, $number:ty) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZero<$number>);

        impl $name {
            const BYTES: usize = size_of::<$number>();

            /// The id of these bytes; `None` if the length is wrong or all bytes are zero.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                NonZero::new(<$number>::from_be_bytes(bytes.try_into().ok()?)).map(Self)
            }

            /// The bytes, most significant first.
            #[must_use]
            pub const fn bytes(self) -> [u8; Self::BYTES] {
                self.0.get().to_be_bytes()
            }

            /// The id as a number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0.get()
            }

            /// Reads lowercase or uppercase hex.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let mut bytes = [0; Self::BYTES];
                decode_hex(text, &mut bytes)?;
                Self::from_bytes(&bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:0digits$x}", self.0, digits = Self::BYTES * 2)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match serializer.is_human_readable() {
                    true => serializer.collect_str(self),
                    false => self.bytes().serialize(serializer),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if !deserializer.is_human_readable() {
                    let bytes = <[u8; Self::BYTES]>::deserialize(deserializer)?;
                    return Self::from_bytes(&bytes).ok_or_else(|| de::Error::custom("an id of zeros"));
                }
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::from_hex(&text).ok_or_else(|| {
                    de::Error::custom(format!(
                        "`{text}` is not a {}: {} hex digits, not all zero", stringify!($name), Self::BYTES * 2
                    ))
                })
            }
        }
    };
}

hex_id!(
    /// A W3C trace id.
    TraceId, u128
);
hex_id!(
    /// A W3C span id.
    SpanId, u64
);

/// Decodes exactly `out.len()` bytes of hex in any case.
#[must_use]
pub fn decode_hex(text: &str, out: &mut [u8]) -> Option<()> {
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let high = (pair[0] as char).to_digit(16)?;
        let low = (pair[1] as char).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(())
}

/// A bounded piece of text from an attribute on the allow list: at most [`caps::TEXT_BYTES`], trimmed,
/// without control characters.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Text(Arc<str>);

impl Text {
    /// The text, cut to its bound at a character's edge. What is bounded already stays as it is.
    #[must_use]
    pub fn bounded(text: &str) -> Self {
        if text.len() <= caps::TEXT_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Self(text.into());
        }
        let text = text.trim();
        let text = &text[..text.floor_char_boundary(caps::TEXT_BYTES)];
        if text.chars().any(char::is_control) {
            Self(text.chars().filter(|c| !c.is_control()).collect::<String>().trim().into())
        } else {
            Self(text.trim_end().into())
        }
    }

    /// As a string slice.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::bounded(&text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::bounded(text)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A hash as sixteen bytes, most significant first: as a number it would be longer.
pub(crate) mod as_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(hash: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        hash.to_be_bytes().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        <[u8; 16]>::deserialize(deserializer).map(u128::from_be_bytes)
    }
}

/// One population of logins that never meets another.
pub type Realm = Text;

/// The id of a log record: its `log.record.uid`, or the hash of a record that has no id at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Text);

impl EventId {
    /// The id with this text, bounded.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Text::bounded(text))
    }

    /// As a string slice.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The keyed identity of one event: two copies of an event have the same one (rule 5 of stitching).
///
/// It is a keyed hash of the realm and of: `log.record.uid` if the record has one; else trace id, span id,
/// event and time if the ids are not zero; else keys, resource, attributes and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity(#[serde(with = "as_bytes")] pub u128);

/// A journey's id: 48 bits of receipt milliseconds of its first event, then 80 bits of that event's identity.
///
/// Written as 26 characters of Crockford's base 32, so ids sort by time as text, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JourneyId(u128);

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const JOURNEY_ID_CHARS: usize = 26;

impl JourneyId {
    /// The id of the journey whose first event has this identity and was received at this time.
    #[must_use]
    pub const fn new(received: UnixNanos, identity: Identity) -> Self {
        let time = (received.millis() as u128 & 0xffff_ffff_ffff) << 80;
        Self(time | (identity.0 >> 48))
    }

    /// The id as a number.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The id that is this number.
    #[must_use]
    pub const fn from_u128(id: u128) -> Self {
        Self(id)
    }

    /// Reads the 26 characters, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != JOURNEY_ID_CHARS || text.as_bytes()[0] > b'7' {
            return None;
        }
        text.bytes()
            .try_fold(0u128, |value, char| {
                let digit = CROCKFORD.iter().position(|known| *known == char.to_ascii_uppercase())?;
                Some(value << 5 | digit as u128)
            })
            .map(Self)
    }
}

impl fmt::Display for JourneyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; JOURNEY_ID_CHARS];
        for (place, char) in text.iter_mut().rev().enumerate() {
            *char = CROCKFORD[(self.0 >> (place * 5)) as usize & 31];
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for JourneyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for JourneyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => as_bytes::serialize(&self.0, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for JourneyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return as_bytes::deserialize(deserializer).map(Self);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is not a journey id: 26 characters of base 32"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journey_ids_sort_by_time_and_read_back() {
        let early = JourneyId::new(UnixNanos(1_700_000_000_000_000_000), Identity(u128::MAX));
        let late = JourneyId::new(UnixNanos(1_700_000_000_001_000_000), Identity(0));
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(JourneyId::parse(&early.to_string()), Some(early));
        assert_eq!(JourneyId::parse(&late.to_string().to_lowercase()), Some(late));
        assert_eq!(JourneyId::parse("80000000000000000000000000"), None);
    }

    #[test]
    fn hex_ids_refuse_zeros_and_wrong_lengths() {
        assert!(TraceId::from_bytes(&[0; 16]).is_none());
        assert!(SpanId::from_bytes(&[1; 7]).is_none());
        assert_eq!(
            SpanId::from_hex("00F0000000000001").map(|id| id.to_string()).as_deref(),
            Some("00f0000000000001")
        );
    }

    #[test]
    fn text_is_bounded_at_a_character() {
        let long = "é".repeat(caps::TEXT_BYTES);
        assert!(Text::bounded(&long).as_str().len() <= caps::TEXT_BYTES);
        assert_eq!(Text::bounded(" a\u{7}b ").as_str(), "ab");
    }

    #[test]
    fn what_is_bounded_stays_as_it_is() {
        let at_the_edge = format!("{} b", "a".repeat(caps::TEXT_BYTES - 1));
        for text in [" \u{7} a ", "\n", &at_the_edge, &"é".repeat(caps::TEXT_BYTES)] {
            let once = Text::bounded(text);
            assert_eq!(Text::bounded(once.as_str()), once, "{text:?}");
        }
    }
}
