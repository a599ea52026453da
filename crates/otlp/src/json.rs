//! OTLP JSON: how each field is spelled, beyond what the derives in [`crate::wire`] say.
//!
//! Reading is as lenient as OTLP asks. Keys are lowerCamelCase; unknown ones are ignored; `null` means absent.
//! Ids are hex in any case. Whole numbers of 64 bits come as numbers or as text, doubles as numbers or as text
//! (`"NaN"` too), enums as numbers or by name, bytes as base64.
//!
//! What is spelled wrongly costs as little as possible: an id that is no hex becomes [`NOT_HEX`] and a time
//! that is no number [`NO_TIME`], so that only its record is rejected, and only if it is one of ours; an
//! attribute value that cannot be read is no value. JSON of the wrong shape (a list where a map belongs) makes
//! the whole request malformed, as a wrong wire type does in protobuf.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::scalar::Scalar;
pub(crate) use self::text::hex;
use self::text::{base64, read_hex};
use crate::caps;
use crate::wire::{AnyValue, ArrayValue, KeyValueList, Value};

mod scalar;
#[cfg(test)]
mod tests;
mod text;

/// Stands for an id that was no hex: as no id has its length, the record is rejected.
pub(crate) const NOT_HEX: &[u8] = b"not hexadecimal";

/// Stands for a time that was no whole number of nanoseconds: as it lies too late, the record is rejected.
pub(crate) const NO_TIME: u64 = u64::MAX;

const SPAN_KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const STATUS_CODES: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

/// Reads a whole request; the error says what is wrong and where, without repeating what was sent.
pub(crate) fn read<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map(|message: Message<T>| message.0.unwrap_or_default()).map_err(|error| {
        let message = without_values(&error.to_string());
        message.chars().take(caps::MESSAGE_CHARS).collect()
    })
}

/// A request as one line.
pub(crate) fn write<T: Serialize>(message: &T) -> String {
    serde_json::to_string(message).expect("the messages have text keys only and no failing serializer")
}

/// The parser quotes the text it stumbled on; that may be a credential.
fn without_values(message: &str) -> String {
    match (message.find("string \""), message.rfind('"')) {
        (Some(start), Some(end)) => format!("{}a text{}", &message[..start], &message[end + 1..]),
        _ => message.to_owned(),
    }
}

/// Whether a field holds its default, which is not written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A field whose `null` is its default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A message or `null`.
pub(crate) fn message<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Message::deserialize(deserializer)?.0)
}

/// A list of messages, without its `null`s.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let items: Option<Vec<Message<T>>> = Option::deserialize(deserializer)?;
    Ok(items.into_iter().flatten().filter_map(|item| item.0).collect())
}

/// A message: a map or `null`. A derived reader alone would take a list of its fields, too.
struct Message<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Message<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MessageVisitor(PhantomData))
    }
}

struct MessageVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MessageVisitor<T> {
    type Value = Message<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Message(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some).map(Message)
    }
}

/// Trace and span ids: hex.
pub(crate) mod id {
    use super::{Deserialize, Deserializer, NOT_HEX, Scalar, Serializer, de, hex, read_hex};

    pub(crate) fn serialize<S: Serializer>(id: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(id))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Null => Ok(Vec::new()),
            Scalar::Text(text) => Ok(read_hex(&text).unwrap_or_else(|| NOT_HEX.to_vec())),
            _ => Err(de::Error::custom("an id is not a text of hex digits")),
        }
    }
}

/// Nanoseconds since 1970: a number or its text.
pub(crate) mod nanos {
    use super::{Deserialize, Deserializer, NO_TIME, Scalar, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(crate) fn serialize<S: Serializer>(nanos: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(nanos)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        match Scalar::deserialize(deserializer)? {
            Scalar::Null => Ok(0),
            Scalar::Bool(_) => Err(de::Error::custom("a time is neither a number nor the text of one")),
            other => Ok(other.whole().and_then(|whole| u64::try_from(whole).ok()).unwrap_or(NO_TIME)),
        }
    }
}

/// `SpanKind`.
pub(crate) fn span_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    enumeration(deserializer, SPAN_KINDS)
}

/// `Status.code`.
pub(crate) fn status_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    enumeration(deserializer, STATUS_CODES)
}

/// `SeverityNumber`; nobody here looks at it, so its names are not known.
pub(crate) fn severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    enumeration(deserializer, &[])
}

/// An enum by number or by name; anything else is its zero, the unspecified one.
fn enumeration<'de, D: Deserializer<'de>>(deserializer: D, names: &[&str]) -> Result<i32, D::Error> {
    let scalar = Scalar::deserialize(deserializer)?;
    if let Scalar::Text(text) = &scalar
        && let Some(number) = names.iter().position(|name| name == text)
    {
        return Ok(number as i32);
    }
    Ok(scalar.whole().and_then(|whole| i32::try_from(whole).ok()).unwrap_or_default())
}

impl Serialize for AnyValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Some(value) => value.serialize(serializer),
            None => serde::ser::SerializeMap::end(serializer.serialize_map(Some(0))?),
        }
    }
}

/// The keys of a value; of several the first in this order counts.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Kinds<'a> {
    string_value: Option<String>,
    #[serde(borrow)]
    bool_value: Option<Scalar<'a>>,
    #[serde(borrow)]
    int_value: Option<Scalar<'a>>,
    #[serde(borrow)]
    double_value: Option<Scalar<'a>>,
    #[serde(deserialize_with = "message")]
    array_value: Option<ArrayValue>,
    #[serde(deserialize_with = "message")]
    kvlist_value: Option<KeyValueList>,
    #[serde(borrow)]
    bytes_value: Option<Scalar<'a>>,
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kinds: Kinds<'de> = message(deserializer)?.unwrap_or_default();
        let value = kinds
            .string_value
            .map(Value::String)
            .or_else(|| kinds.bool_value?.flag().map(Value::Bool))
            .or_else(|| i64::try_from(kinds.int_value?.whole()?).ok().map(Value::Int))
            .or_else(|| kinds.double_value?.double().map(Value::Double))
            .or_else(|| kinds.array_value.map(Value::Array))
            .or_else(|| kinds.kvlist_value.map(Value::KeyValueList))
            .or_else(|| kinds.bytes_value?.bytes().map(Value::Bytes));
        Ok(Self { value })
    }
}

/// Whole numbers of 64 bits are written as text.
pub(crate) fn write_int<S: Serializer>(int: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(int)
}

/// What JSON has no number for is written as text.
pub(crate) fn write_double<S: Serializer>(double: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match *double {
        finite if finite.is_finite() => serializer.serialize_f64(finite),
        nan if nan.is_nan() => serializer.serialize_str("NaN"),
        infinite => serializer.serialize_str(if infinite > 0.0 { "Infinity" } else { "-Infinity" }),
    }
}

/// Bytes are written as base64.
pub(crate) fn write_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64(bytes))
}
