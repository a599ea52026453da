//! `KeyValue` and `AnyValue`.

use super::{Fields, Odd, Scan, length, numbers, varint};
use crate::value::Value;

const KEY: u32 = length(1);
const VALUE: u32 = length(2);
const ATTRIBUTE: u32 = numbers([1, 2]);

/// The key and the text of an attribute as nearly all are: the key before the value, the value a text, both shorter
/// than 126 bytes. The four bytes between key and text are then looked at as one.
#[inline]
pub(crate) fn short(attribute: &[u8]) -> Option<(&[u8], &[u8])> {
    const KEY_FIRST: u8 = KEY as u8;
    let [KEY_FIRST, key_length @ ..0x80, rest @ ..] = attribute else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(*key_length))?;
    let (head, text) = rest.split_first_chunk::<4>()?;
    let length = text.len();
    if length >= 126 {
        return None;
    }
    let as_usual = [VALUE as u8, length as u8 + 2, STRING as u8, length as u8];
    (*head == as_usual).then_some((key, text))
}

/// The key of an attribute and the bytes of its value, if it has one.
pub(crate) fn split(attribute: &[u8]) -> Scan<(&[u8], Option<&[u8]>)> {
    let (mut key, mut value) = (&[][..], None);
    let mut fields = Fields::of(attribute);
    while let Some(tag) = fields.tag()? {
        match tag {
            KEY => key = fields.bytes()?,
            VALUE if value.is_none() => value = Some(fields.bytes()?),
            VALUE => return Err(Odd),
            other => fields.skip(other, ATTRIBUTE)?,
        }
    }
    Ok((key, value))
}

/// Whether the key of an attribute, as every encoder writes it, can have one of some lengths, which are bits; of
/// any other form everything can be.
#[inline]
pub(crate) fn key_may_have(attribute: &[u8], lengths: u64) -> bool {
    const KEY_FIRST: u8 = KEY as u8;
    match attribute {
        [KEY_FIRST, length @ ..63, ..] => lengths >> length & 1 == 1,
        _ => true,
    }
}

const STRING: u32 = length(1);
const BOOL: u32 = varint(2);
const INT: u32 = varint(3);
const DOUBLE: u32 = super::fixed64(4);
const ARRAY: u32 = length(5);
const MAP: u32 = length(6);
const BYTES: u32 = length(7);
const KINDS: u32 = numbers([1, 2, 3, 4, 5, 6, 7]);

/// What an `AnyValue` holds; `None` where it holds nothing.
pub(crate) fn value(any: &[u8]) -> Scan<Option<Value<'_>>> {
    let mut value = None;
    let mut fields = Fields::of(any);
    while let Some(tag) = fields.tag()? {
        let read = match tag {
            STRING => Value::Text(fields.text()?),
            BOOL => match fields.varint()? {
                0 => Value::False,
                _ => Value::True,
            },
            INT => Value::Int(fields.varint()?.cast_signed()),
            DOUBLE => Value::Double(f64::from_bits(fields.fixed64()?)),
            ARRAY => Value::Array(fields.bytes()?),
            MAP => {
                fields.bytes()?;
                Value::Map
            }
            BYTES => Value::Bytes(fields.bytes()?),
            other => {
                fields.skip(other, KINDS)?;
                continue;
            }
        };
        if value.replace(read).is_some() {
            return Err(Odd);
        }
    }
    Ok(value)
}

/// The items of an `ArrayValue`.
pub(crate) fn items(array: &[u8]) -> impl Iterator<Item = Scan<Option<Value<'_>>>> {
    const ITEM: u32 = length(1);
    let mut fields = Fields::of(array);
    std::iter::from_fn(move || {
        loop {
            let item = match fields.tag() {
                Ok(None) => return None,
                Ok(Some(ITEM)) => fields.bytes().and_then(value),
                Ok(Some(other)) => match fields.skip(other, numbers([1])) {
                    Ok(()) => continue,
                    Err(odd) => Err(odd),
                },
                Err(odd) => Err(odd),
            };
            return Some(item);
        }
    })
}
