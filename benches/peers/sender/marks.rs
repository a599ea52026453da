//! What no other login has: its ids, its keys, its times. They have the same length in every login, so they
//! can be written over those of another.

use std::ops::Range;

use crate::login::SPANS;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// 16 bytes.
    Trace,
    /// The keys: 32 hexadecimal digits each.
    Journey,
    Challenge,
    Code,
    Session,
    /// The id of a span, 8 bytes.
    Span(usize),
    /// When a span starts, in nanoseconds, as 8 bytes in protobuf's order.
    Start(usize),
    /// When it ends.
    End(usize),
}

/// Bytes of all of them.
const LENGTH: usize = 16 + 4 * 32 + SPANS * 3 * 8;

/// From one span's start to the next, in nanoseconds.
const APART: u64 = 1_600_000_000;

/// How long a span lasts, in nanoseconds.
const LASTS: u64 = 40_000_000;

/// From a login's start to the end of its last span.
pub const LOGIN_NANOS: u64 = APART * (SPANS as u64 - 1) + LASTS;

/// The marks of one login.
#[derive(Clone, Copy)]
pub struct Marks([u8; LENGTH]);

impl Mark {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> {
        let once = [Self::Trace, Self::Journey, Self::Challenge, Self::Code, Self::Session];
        let each = (0..SPANS).flat_map(|span| [Self::Span(span), Self::Start(span), Self::End(span)]);
        once.into_iter().chain(each)
    }

    /// Where it stands among the marks.
    pub const fn place(self) -> Range<usize> {
        let (start, length) = match self {
            Self::Trace => (0, 16),
            Self::Journey => (16, 32),
            Self::Challenge => (48, 32),
            Self::Code => (80, 32),
            Self::Session => (112, 32),
            Self::Span(span) => (144 + span * 24, 8),
            Self::Start(span) => (152 + span * 24, 8),
            Self::End(span) => (160 + span * 24, 8),
        };
        start..start + length
    }
}

impl Marks {
    /// Those of the login with this number, which ends now (nanoseconds since 1970).
    pub fn new(login: u64, now: u64) -> Self {
        let mut marks = Self([0; LENGTH]);
        let mut draws = (0..).map(|draw| mixed(login.wrapping_mul(16).wrapping_add(draw)));
        let mut draw = || draws.next().unwrap_or_default();
        marks.0[..8].copy_from_slice(&draw().to_be_bytes());
        marks.0[8..16].copy_from_slice(&draw().to_be_bytes());
        for key in [Mark::Journey, Mark::Challenge, Mark::Code, Mark::Session] {
            marks.0[key.place()].as_chunks_mut::<16>().0.iter_mut().for_each(|half| *half = hex(draw()));
        }
        let begun = now.wrapping_sub(LOGIN_NANOS);
        for span in 0..SPANS {
            let start = begun.wrapping_add(span as u64 * APART);
            marks.0[Mark::Span(span).place()].copy_from_slice(&draw().to_be_bytes());
            marks.0[Mark::Start(span).place()].copy_from_slice(&start.to_le_bytes());
            marks.0[Mark::End(span).place()].copy_from_slice(&(start.wrapping_add(LASTS)).to_le_bytes());
        }
        marks
    }

    /// One of them, as it stands on the wire.
    pub fn bytes(&self, mark: Mark) -> &[u8] {
        &self.0[mark.place()]
    }

    /// A key.
    pub fn text(&self, mark: Mark) -> &str {
        std::str::from_utf8(self.bytes(mark)).unwrap_or_default()
    }

    /// A time.
    pub fn time(&self, mark: Mark) -> u64 {
        self.bytes(mark).try_into().map(u64::from_le_bytes).unwrap_or_default()
    }
}

/// Spreads a number over all 64 bits, each number to another (the finalizer of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Sixteen hexadecimal digits.
fn hex(number: u64) -> [u8; 16] {
    std::array::from_fn(|digit| b"0123456789abcdef"[(number >> (60 - 4 * digit)) as usize & 15])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_marks_fill_their_bytes_and_none_lies_over_another() {
        let mut places: Vec<_> = Mark::all().flat_map(Mark::place).collect();
        places.sort_unstable();
        assert_eq!(places, (0..LENGTH).collect::<Vec<_>>());
    }

    #[test]
    fn every_login_has_its_own() {
        let ids = (0..1000).flat_map(|login| {
            let marks = Marks::new(login, 0);
            let ids = Mark::all().filter(|mark| !matches!(mark, Mark::Start(_) | Mark::End(_)));
            ids.map(move |mark| marks.bytes(mark).to_vec())
        });
        assert_eq!(ids.collect::<HashSet<_>>().len(), 1000 * (5 + SPANS));
    }

    #[test]
    fn a_login_ends_now() {
        assert_eq!(Marks::new(7, 20_000_000_000).time(Mark::End(SPANS - 1)), 20_000_000_000);
        assert_eq!(Marks::new(7, 20_000_000_000).time(Mark::Start(0)), 20_000_000_000 - LOGIN_NANOS);
    }
}
