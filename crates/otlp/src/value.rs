//! Attribute values as what they are meant to be: SDKs differ in whether a number or a flag is sent as such or
//! as text, so either is taken.

use std::borrow::Cow;

use authstitch_model::Millis;

use crate::caps;
use crate::wire::{AnyValue, KeyValue, Value};

impl KeyValue {
    /// The value, unless it is missing or an empty text.
    pub(crate) fn present(&self) -> Option<&Value> {
        match &self.value {
            Some(AnyValue { value: Some(Value::String(text)) }) if text.trim().is_empty() => None,
            Some(AnyValue { value }) => value.as_ref(),
            None => None,
        }
    }
}

impl Value {
    /// A text, trimmed.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text.trim()),
            _ => None,
        }
    }

    /// A text, or a number as its decimal text; other kinds have none.
    pub(crate) fn decimal(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) => Some(text.trim().into()),
            Self::Int(int) => Some(int.to_string().into()),
            Self::Double(double) if double.is_finite() => Some(double.to_string().into()),
            _ => None,
        }
    }

    /// True or false, their texts, or 1 and 0.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            Self::Int(int @ (0 | 1)) => Some(*int == 1),
            Self::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Self::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A length in milliseconds; fractions are rounded, and one that is negative or beyond
    /// [`caps::LENGTH_END`] is none.
    pub(crate) fn millis(&self) -> Option<Millis> {
        let millis = match self {
            Self::Int(int) => *int as f64,
            Self::Double(double) => *double,
            Self::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        (0.0..caps::LENGTH_END.0 as f64).contains(&millis).then(|| Millis(millis.round() as u64))
    }

    /// The texts of a list, or of one text with commas.
    pub(crate) fn texts(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::String(text) => Box::new(text.split(',').map(str::trim)),
            Self::Array(list) => {
                Box::new(list.values.iter().filter_map(|item| item.value.as_ref().and_then(Self::text)))
            }
            _ => Box::new(std::iter::empty()),
        }
    }
}
