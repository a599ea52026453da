//! What a segment's bytes are: frames, damaged parts, a torn end.
//!
//! A frame says up to where the segment was on disk when it was written, and the next segment's head says which
//! position it was. What is bad before that was damaged later. What is bad behind it is a write that never ended: with
//! it goes what follows, for nothing of it was promised.
//!
//! Where no header stands, the log may have ended: the writer puts a sector of zeros behind each frame. Anything else
//! there is the beginning of a write that did not end.

use std::ops::Range;

use authstitch_model::Position;

use crate::frame::{HEADER, Header, SECTOR};

/// What a segment's bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The whole frames, in order: header, and where the entries lie.
    pub frames: Vec<(Header, Range<usize>)>,
    /// What was on disk once and is damaged.
    pub damaged: Vec<Range<usize>>,
    /// What was never known to be on disk and is not whole.
    pub torn: Option<Range<usize>>,
    /// Where the log ends in it.
    pub end: usize,
    /// Up to where it was on disk for certain.
    pub proven: usize,
    /// The last position that was on disk, as far as headers tell.
    pub last: Position,
}

/// A piece between two headers.
enum Piece {
    Whole(Header, Range<usize>),
    /// With the last position that its header names, where that is whole.
    Bad(Range<usize>, Option<Position>),
}

/// Walks through the bytes of a segment. `before` is the last position before it, `promised` the last before the next
/// segment, where there is one.
#[must_use]
pub fn walk(bytes: &[u8], segment: u64, before: Position, promised: Option<Position>) -> Walk {
    let (mut pieces, mut proven, mut last) = (Vec::new(), SECTOR.min(bytes.len()), before);
    let mut at = proven;
    let header_at = |at: usize, last: Position| {
        let header = Header::read(bytes.get(at..)?)?;
        let follows = header.segment == segment && header.first > last;
        let fits = header.span() <= bytes.len() - at;
        let kept = promised.is_none_or(|promised| header.first <= promised);
        (follows && fits && kept).then_some(header)
    };
    loop {
        if let Some(header) = header_at(at, last) {
            let entries = at + HEADER..at + HEADER + header.length as usize;
            let end = at + header.span();
            pieces.push(match crc32fast::hash(&bytes[entries.clone()]) == header.checksum {
                true => Piece::Whole(header, entries),
                false => Piece::Bad(at..end, Some(header.last())),
            });
            proven = proven.max(usize::try_from(header.synced).unwrap_or(usize::MAX).min(at));
            (last, at) = (header.last(), end);
        } else {
            let mut sectors = (at..bytes.len()).step_by(SECTOR).skip(1);
            let Some(next) = sectors.find(|next| header_at(*next, last).is_some()) else { break };
            pieces.push(Piece::Bad(at..next, None));
            at = next;
        }
    }
    // Where another segment follows, what was promised of this one was on disk; so it ends there or is damaged.
    let missing = promised.is_some_and(|promised| last < promised);
    let rest = match promised {
        Some(_) if !missing => at,
        _ => rest_end(bytes, at),
    };
    if promised.is_some() {
        proven = rest;
    }
    if at < rest {
        pieces.push(Piece::Bad(at..rest, None));
    }
    Walk::sorted(pieces, proven, at, before)
}

impl Walk {
    fn sorted(pieces: Vec<Piece>, proven: usize, end: usize, before: Position) -> Self {
        let mut walk = Self { proven, end, last: before, ..Self::default() };
        for piece in pieces {
            let (bad, last) = match (piece, &mut walk.torn) {
                (Piece::Whole(_, entries), Some(torn)) => {
                    torn.end = entries.end.next_multiple_of(SECTOR);
                    continue;
                }
                (Piece::Bad(bad, _), Some(torn)) => {
                    torn.end = bad.end;
                    continue;
                }
                (Piece::Whole(header, entries), None) => {
                    walk.last = header.last();
                    walk.frames.push((header, entries));
                    continue;
                }
                (Piece::Bad(bad, last), None) => (bad, last),
            };
            let damaged = bad.start..bad.end.min(proven);
            let torn = bad.start.max(proven)..bad.end;
            if !damaged.is_empty() {
                walk.last = last.unwrap_or(walk.last);
                walk.end = walk.end.max(damaged.end);
                walk.damaged.push(damaged);
            }
            if !torn.is_empty() {
                walk.end = torn.start;
                walk.torn = Some(torn);
            }
        }
        walk
    }
}

/// Whether nothing was written at a place, behind the last frame.
fn is_end(bytes: &[u8], at: usize) -> bool {
    bytes[at..].iter().take(SECTOR).all(|byte| *byte == 0)
}

/// Where what was written from a place on may end: at the first sector of zeros.
fn rest_end(bytes: &[u8], at: usize) -> usize {
    let zeros = (at..bytes.len()).step_by(SECTOR).find(|at| is_end(bytes, *at));
    zeros.unwrap_or(bytes.len())
}
