//! Numbers to bytes and back. Reading is total: what is not there or is too long is an error with its place.

use authstitch_model::UnixNanos;

use crate::snapshot::SnapshotError;

/// Bytes being written.
pub trait Put {
    /// A number in as many bytes as it needs, seven bits each.
    fn number(&mut self, number: u64);
    /// A time by its distance from another, near ones in few bytes.
    fn time(&mut self, time: UnixNanos, from: UnixNanos);
    /// A hash or an id, as sixteen bytes.
    fn wide(&mut self, number: u128);
    /// What serde writes of a thing.
    fn serde(&mut self, thing: &impl serde::Serialize);
}

impl Put for Vec<u8> {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.push(number as u8);
    }

    fn time(&mut self, time: UnixNanos, from: UnixNanos) {
        let distance = time.0.wrapping_sub(from.0) as i64;
        self.number((distance << 1 ^ distance >> 63) as u64);
    }

    fn wide(&mut self, number: u128) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    #[expect(clippy::expect_used, reason = "there is memory, and an event has no length that is unknown")]
    fn serde(&mut self, thing: &impl serde::Serialize) {
        *self = postcard::to_extend(thing, std::mem::take(self)).expect("a list takes all bytes");
    }
}

/// Bytes being read.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Where the bytes end among all of them.
    end: usize,
}

/// What reading gives.
pub type Read<T> = Result<T, SnapshotError>;

impl<'a> Reader<'a> {
    /// These bytes, which end there among all of them.
    pub const fn new(bytes: &'a [u8], end: usize) -> Self {
        Self { rest: bytes, end }
    }

    /// What was read last, or should follow, is damaged.
    #[cold]
    pub const fn damaged(&self, what: &'static str) -> SnapshotError {
        SnapshotError::Damaged { at: self.end - self.rest.len(), what }
    }

    /// Goes on if something is as it must be.
    pub fn ensure(&self, right: bool, what: &'static str) -> Read<()> {
        if right { Ok(()) } else { Err(self.damaged(what)) }
    }

    /// Whether everything is read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.damaged("too few bytes"))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// So many bytes, which are still to be read then.
    pub fn ahead(&self, count: usize) -> Read<&'a [u8]> {
        self.rest.get(..count).ok_or_else(|| self.damaged("too few bytes"))
    }

    /// So many bytes, to be read by themselves.
    pub fn part(&mut self, count: usize) -> Read<Self> {
        let bytes = self.bytes(count)?;
        Ok(Self::new(bytes, self.end - self.rest.len()))
    }

    pub fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| self.damaged("too few bytes"))?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub fn byte(&mut self) -> Read<u8> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub fn wide(&mut self) -> Read<u128> {
        Ok(u128::from_le_bytes(self.array()?))
    }

    pub fn number(&mut self) -> Read<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte < 0x80 {
                self.ensure(bits << shift >> shift == bits, "a number of over 64 bits")?;
                return Ok(number);
            }
        }
        Err(self.damaged("a number of over ten bytes"))
    }

    /// A number that fits into its type.
    pub fn small<T: TryFrom<u64>>(&mut self) -> Read<T> {
        T::try_from(self.number()?).map_err(|_| self.damaged("a number that is too great"))
    }

    /// How many things follow, of so many bytes each at least.
    pub fn count(&mut self, least_bytes: usize) -> Read<usize> {
        let count: usize = self.small()?;
        self.ensure(count <= self.rest.len() / least_bytes, "more things than bytes")?;
        Ok(count)
    }

    pub fn time(&mut self, from: UnixNanos) -> Read<UnixNanos> {
        let distance = self.number()?;
        let distance = (distance >> 1) as i64 ^ -((distance & 1) as i64);
        Ok(UnixNanos(from.0.wrapping_add(distance as u64)))
    }

    /// One of these, by its place among them.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> Read<T> {
        let place = self.byte()?;
        all.get(usize::from(place)).copied().ok_or_else(|| self.damaged("a code of no variant"))
    }

    /// What serde writes of a thing.
    pub fn serde<T: serde::Deserialize<'a>>(&mut self) -> Read<T> {
        match postcard::take_from_bytes(self.rest) {
            Ok((thing, rest)) => {
                self.rest = rest;
                Ok(thing)
            }
            Err(_) => Err(self.damaged("an event, an environment or a realm that cannot be read")),
        }
    }
}
