//! Protobuf where it lies: one pass over the bytes of a request that copies nothing and makes nothing.
//!
//! - Fields are taken in any order; unknown ones are passed over; the last of several counts, as protobuf has it.
//! - What is passed over is not looked into: a record that is not ours, an attribute that nobody asks for. What
//!   is broken within them breaks nothing.
//! - What is read is read strictly. Anything broken, and anything well-formed but unusual (groups, a message in
//!   several pieces, a value given twice), is [`Odd`]: the request then goes to prost, which refuses it with a
//!   message or writes it in the usual form.
//! - Any bytes at all end in an answer.

pub(crate) mod attribute;
pub(crate) mod log;
pub(crate) mod span;

/// Not the usual form; prost shall say what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odd;

/// What a scan of bytes gives.
pub(crate) type Scan<T> = Result<T, Odd>;

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH: u32 = 2;
const FIXED32: u32 = 5;

/// The tag of a field of varint type.
pub(crate) const fn varint(number: u32) -> u32 {
    number << 3 | VARINT
}

/// The tag of a field of eight bytes.
pub(crate) const fn fixed64(number: u32) -> u32 {
    number << 3 | FIXED64
}

/// The tag of a field with its length before it: bytes, text, a message.
pub(crate) const fn length(number: u32) -> u32 {
    number << 3 | LENGTH
}

/// The fields of one message, front to back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of a message's bytes.
    pub(crate) const fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// The number and type of the next field; `None` at the end.
    #[inline]
    pub(crate) fn tag(&mut self) -> Scan<Option<u32>> {
        match *self.0 {
            [] => Ok(None),
            [one @ 8..0x80, ref rest @ ..] => {
                self.0 = rest;
                Ok(Some(u32::from(one)))
            }
            _ => match u32::try_from(self.varint()?) {
                Ok(tag @ 8..) => Ok(Some(tag)),
                _ => Err(Odd),
            },
        }
    }

    /// A whole number.
    #[inline]
    pub(crate) fn varint(&mut self) -> Scan<u64> {
        match *self.0 {
            [one @ ..0x80, ref rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(one))
            }
            [low, high @ ..0x80, ref rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Scan<u64> {
        const LONGEST: usize = 10;
        let mut value = 0u64;
        for (place, byte) in self.0.iter().copied().take(LONGEST).enumerate() {
            if place == LONGEST - 1 && byte > 1 {
                return Err(Odd);
            }
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                self.0 = &self.0[place + 1..];
                return Ok(value);
            }
        }
        Err(Odd)
    }

    /// Eight bytes, least significant first.
    #[inline]
    pub(crate) fn fixed64(&mut self) -> Scan<u64> {
        let (eight, rest) = self.0.split_first_chunk::<8>().ok_or(Odd)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*eight))
    }

    /// What has its length before it.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Scan<&'a [u8]> {
        let length = usize::try_from(self.varint()?).map_err(|_too_long| Odd)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Odd)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// The parts of a list whose first tag was read: encoders write them in a row. Parts that come later, or have
    /// 128 bytes and more, are left for [`Self::tag`].
    #[inline]
    pub(crate) fn list(&mut self, tag: u32, parts: &mut Vec<&'a [u8]>) -> Scan<()> {
        parts.push(self.bytes()?);
        while let [next, length @ ..0x80, rest @ ..] = self.0
            && u32::from(*next) == tag
            && let Some((part, rest)) = rest.split_at_checked(usize::from(*length))
        {
            parts.push(part);
            self.0 = rest;
        }
        Ok(())
    }

    /// A text.
    #[inline]
    pub(crate) fn text(&mut self) -> Scan<&'a [u8]> {
        utf8(self.bytes()?)
    }

    /// Passes over a field whose tag was read. `known` has a bit for each field number that the message gives
    /// a meaning: one of them with another type is no such message.
    #[inline]
    pub(crate) fn skip(&mut self, tag: u32, known: u32) -> Scan<()> {
        if 1u32.checked_shl(tag >> 3).is_some_and(|bit| bit & known != 0) {
            return Err(Odd);
        }
        match tag & 7 {
            VARINT => self.varint().map(drop),
            FIXED64 => self.fixed64().map(drop),
            LENGTH => self.bytes().map(drop),
            FIXED32 => {
                self.0 = self.0.get(4..).ok_or(Odd)?;
                Ok(())
            }
            _ => Err(Odd),
        }
    }
}

/// The bytes, if they are a text.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Scan<&[u8]> {
    if is_ascii(bytes) || std::str::from_utf8(bytes).is_ok() { Ok(bytes) } else { Err(Odd) }
}

/// Most texts have up to 32 bytes: then their two ends, which may overlap, are all of them.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH_BITS: u128 = u128::from_ne_bytes([0x80; 16]);
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) if bytes.len() <= 16 => {
            (u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last)) & HIGH_BITS as u64 == 0
        }
        (Some(_), Some(_)) => match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            (Some(first), Some(last)) if bytes.len() <= 32 => {
                (u128::from_ne_bytes(*first) | u128::from_ne_bytes(*last)) & HIGH_BITS == 0
            }
            _ => bytes.is_ascii(),
        },
        _ => bytes.iter().all(u8::is_ascii),
    }
}

/// The bits of some field numbers.
pub(crate) const fn numbers<const N: usize>(numbers: [u32; N]) -> u32 {
    let (mut bits, mut place) = (0, 0);
    while place < N {
        bits |= 1 << numbers[place];
        place += 1;
    }
    bits
}
