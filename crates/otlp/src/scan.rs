//! Protobuf where it lies: one pass over the bytes of a request that copies nothing and makes nothing.
//!
//! - Fields are taken in any order; unknown ones are passed over; the last of several counts, as protobuf has it.
//! - What is passed over is not looked into: a record that is not ours, an attribute that nobody asks for. What
//!   is broken within them breaks nothing.
//! - What is read is read strictly. Anything broken, and anything well-formed but unusual (groups, a message in
//!   several pieces, a value given twice, a list whose parts are not in a row), is [`Odd`]: the request then goes to prost, which refuses it with a
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

    /// Whether the next field has this tag, of one byte; then it is behind us.
    #[inline]
    pub(crate) fn at(&mut self, tag: u32) -> bool {
        match *self.0 {
            [next, ref rest @ ..] if u32::from(next) == tag => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// A whole number.
    #[inline]
    pub(crate) fn varint(&mut self) -> Scan<u64> {
        let (value, rest) = match *self.0 {
            [one @ ..0x80, ref rest @ ..] => (u64::from(one), rest),
            [low, high @ ..0x80, ref rest @ ..] => (u64::from(low & 0x7f) | u64::from(high) << 7, rest),
            _ => long_varint(self.0)?,
        };
        self.0 = rest;
        Ok(value)
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

    /// A list whose first tag, of one byte, was read: encoders write its parts in a row.
    #[inline]
    pub(crate) fn row(&mut self, tag: u32) -> Scan<Row<'a>> {
        self.row_of(tag, |fields, _place| fields.bytes().map(drop))
    }

    /// The same, each part read by whoever wants it, by its place in the list.
    #[inline]
    pub(crate) fn row_of(
        &mut self,
        tag: u32,
        mut read: impl FnMut(&mut Self, usize) -> Scan<()>,
    ) -> Scan<Row<'a>> {
        let begin = self.0;
        let mut place = 0;
        loop {
            read(self, place)?;
            place += 1;
            if !self.at(tag) {
                return Ok(Row { bytes: &begin[..begin.len() - self.0.len()], tag });
            }
        }
    }

    /// Passes over these bytes, if they are the next.
    #[inline]
    pub(crate) fn pass(&mut self, these: &[u8]) -> bool {
        match self.0.split_at_checked(these.len()) {
            Some((next, rest)) if is_same(next, these) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// What has its length before it, with that length and without.
    #[inline]
    pub(crate) fn raw(&mut self) -> Scan<(&'a [u8], &'a [u8])> {
        let begin = self.0;
        let bytes = self.bytes()?;
        Ok((&begin[..begin.len() - self.0.len()], bytes))
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

/// A whole number, and what stands behind it.
#[cold]
fn long_varint(bytes: &[u8]) -> Scan<(u64, &[u8])> {
    const LONGEST: usize = 10;
    let mut value = 0u64;
    for (place, byte) in bytes.iter().copied().take(LONGEST).enumerate() {
        if place == LONGEST - 1 && byte > 1 {
            return Err(Odd);
        }
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok((value, &bytes[place + 1..]));
        }
    }
    Err(Odd)
}

/// The parts of a list as they lie, one behind the other: before each its length, and but for the first its tag.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row<'a> {
    bytes: &'a [u8],
    tag: u32,
}

impl<'a> Row<'a> {
    /// Whether there is no part.
    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Has each part read, as [`Fields::row_of`] does.
    pub(crate) fn read(self, read: impl FnMut(&mut Fields<'a>, usize) -> Scan<()>) -> Scan<()> {
        match self.is_empty() {
            true => Ok(()),
            false => Fields(self.bytes).row_of(self.tag, read).map(drop),
        }
    }
}

impl<'a> IntoIterator for Row<'a> {
    type Item = &'a [u8];
    type IntoIter = Parts<'a>;

    #[inline]
    fn into_iter(self) -> Parts<'a> {
        Parts(Fields(self.bytes))
    }
}

/// The parts of a [`Row`], which was read once: nothing in it is broken.
#[derive(Clone, Debug)]
pub(crate) struct Parts<'a>(Fields<'a>);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let part = self.0.bytes().ok()?;
        if let [_tag, rest @ ..] = self.0.0 {
            self.0.0 = rest;
        }
        Some(part)
    }
}

/// Whether bytes are the same. Most have 8 to 64; then their ends, which may overlap, are all of them.
#[inline]
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    const fn ends<const BYTES: usize>(bytes: &[u8]) -> Option<(&[u8; BYTES], &[u8; BYTES])> {
        match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => Some((first, last)),
            _ => None,
        }
    }
    one.len() == other.len()
        && match one.len() {
            8..=16 => ends::<8>(one) == ends::<8>(other),
            17..=32 => ends::<16>(one) == ends::<16>(other),
            33..=64 => ends::<32>(one) == ends::<32>(other),
            _ => one == other,
        }
}

/// The bytes, if they are a text.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Scan<&[u8]> {
    if is_ascii(bytes) || std::str::from_utf8(bytes).is_ok() { Ok(bytes) } else { Err(Odd) }
}

/// Most texts have up to 64 bytes: then their two ends, which may overlap, are all of them.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH_BITS: u128 = u128::from_ne_bytes([0x80; 16]);
    let word = |bytes: &[u8; 8]| u128::from(u64::from_ne_bytes(*bytes));
    let wide = |bytes: &[u8; 16]| u128::from_ne_bytes(*bytes);
    let bits = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) if bytes.len() <= 16 => word(first) | word(last),
        _ => match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            (Some(first), Some(last)) if bytes.len() <= 32 => wide(first) | wide(last),
            (Some(first), Some(last)) if bytes.len() <= 64 => {
                let (second, last_but_one) = (&bytes[16..32], &bytes[bytes.len() - 32..bytes.len() - 16]);
                let wide_of = |bytes: &[u8]| bytes.first_chunk().map_or(0, wide);
                wide(first) | wide_of(second) | wide_of(last_but_one) | wide(last)
            }
            _ => return bytes.is_ascii(),
        },
    };
    bits & HIGH_BITS == 0
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
