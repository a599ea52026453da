//! Attribute values as what they are meant to be: SDKs differ in whether a number or a flag is sent as such or
//! as text, so either is taken.

use std::borrow::Cow;

use authstitch_model::Millis;

use crate::caps;
use crate::scan::{Scan, attribute, is_same};

/// A value as it lies in the request. What a kind holds lies on words: so a value is copied by words, and read again
/// before the copy has left the processor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// A text; the bytes are UTF-8.
    Text(&'a [u8]),
    True,
    False,
    Int(i64),
    Double(f64),
    /// A list, as it lies.
    Array(&'a [u8]),
    /// A map; nobody asks what is in it.
    Map,
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// Whether it is another one of the same kind.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => is_same(one, other),
            _ => self == other,
        }
    }

    /// Whether it is a text with nothing in it, which counts as no value.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if is_blank(text))
    }

    /// A text, trimmed, as bytes that are UTF-8.
    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(trimmed(text)),
            _ => None,
        }
    }

    /// A text, trimmed.
    pub(crate) fn text(&self) -> Option<&'a str> {
        self.bytes().map(as_str)
    }

    /// A text, or a number as its decimal text; other kinds have none.
    pub(crate) fn decimal(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(_) => self.text().map(Cow::from),
            Self::Int(int) => Some(int.to_string().into()),
            Self::Double(double) if double.is_finite() => Some(double.to_string().into()),
            _ => None,
        }
    }

    /// True or false, their texts, or 1 and 0.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self {
            Self::True => Some(true),
            Self::False => Some(false),
            Self::Int(int @ (0 | 1)) => Some(*int == 1),
            Self::Text(text) if trimmed(text).eq_ignore_ascii_case(b"true") => Some(true),
            Self::Text(text) if trimmed(text).eq_ignore_ascii_case(b"false") => Some(false),
            _ => None,
        }
    }

    /// A length in milliseconds; fractions are rounded, and one that is negative or beyond
    /// [`caps::LENGTH_END`] is none.
    pub(crate) fn millis(&self) -> Option<Millis> {
        let millis = match self {
            Self::Int(int) => *int as f64,
            Self::Double(double) => *double,
            Self::Text(_) => self.text()?.parse().ok()?,
            _ => return None,
        };
        (0.0..caps::LENGTH_END.0 as f64).contains(&millis).then(|| Millis(millis.round() as u64))
    }

    /// The texts of a list, or of one text with commas.
    pub(crate) fn texts(&self) -> Scan<Vec<&'a str>> {
        match self {
            Self::Text(text) => Ok(as_str(text).split(',').map(str::trim).collect()),
            Self::Array(array) => {
                let texts = attribute::items(array).filter_map(|item| match item {
                    Ok(value) => value?.text().map(Ok),
                    Err(odd) => Some(Err(odd)),
                });
                texts.take(caps::LIST_TEXTS).collect()
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Whether a text has nothing in it.
#[inline]
pub(crate) fn is_blank(text: &[u8]) -> bool {
    trimmed(text).is_empty()
}

/// A text without the white space around it. Only where an end may be white space is the whole text looked at.
#[inline]
fn trimmed(text: &[u8]) -> &[u8] {
    let is_plain = |end: Option<&u8>| end.is_some_and(|byte| (b'!'..=b'~').contains(byte));
    if is_plain(text.first()) && is_plain(text.last()) { text } else { as_str(text).trim().as_bytes() }
}

/// Bytes that were found to be UTF-8, as text.
pub(crate) fn as_str(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}
