//! Reading back: the entries behind the snapshot, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use authstitch_model::Position;

use crate::codec;
use crate::disk::{Disk, File};
use crate::entry::Entry;
use crate::error::ReadError;
use crate::head::names;
use crate::recovery::copy_aside;
use crate::walk::{Walk, walk};

/// The entries that a journal holds behind its snapshot. Segments are read one at a time.
///
/// What cannot be read is an error in its place, and reading goes on behind it.
#[derive(Debug)]
pub struct Entries<D: Disk> {
    disk: D,
    reaches: VecDeque<Reach>,
    /// Entries up to here are known already.
    known: Position,
    segment: Option<Segment>,
    ready: VecDeque<Entry>,
    _reading: Arc<()>,
}

/// A segment, and which positions are its own.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    pub segment: u64,
    pub before: Position,
    pub promised: Option<Position>,
}

/// A segment that is being read.
#[derive(Debug)]
struct Segment {
    name: String,
    bytes: Vec<u8>,
    walk: Walk,
    /// The frame that is next.
    next: usize,
}

impl<D: Disk> Entries<D> {
    pub(crate) fn new(disk: D, reaches: Vec<Reach>, known: Position, reading: Arc<()>) -> Self {
        Self {
            disk,
            reaches: reaches.into(),
            known,
            segment: None,
            ready: VecDeque::new(),
            _reading: reading,
        }
    }

    /// Reads the next segment, if there is one.
    fn open(&mut self) -> Option<Result<(), ReadError>> {
        let reach = self.reaches.pop_front()?;
        if reach.promised.is_some_and(|promised| promised <= self.known) {
            return Some(Ok(()));
        }
        let name = names::segment(reach.segment);
        let bytes = match self.disk.open(&name).and_then(|file| file.read()) {
            Ok(bytes) => bytes,
            Err(source) => return Some(Err(ReadError::Disk { file: name, source })),
        };
        let walk = walk(&bytes, reach.segment, reach.before, reach.promised);
        self.segment = Some(Segment { name, bytes, walk, next: 0 });
        Some(Ok(()))
    }

    /// Reads the next frame of the open segment.
    fn frame(&mut self) -> Result<(), ReadError> {
        let Some(segment) = &mut self.segment else { return Ok(()) };
        let Some((header, entries)) = segment.walk.frames.get(segment.next).cloned() else {
            self.segment = None;
            return Ok(());
        };
        segment.next += 1;
        if header.last() <= self.known {
            return Ok(());
        }
        let bytes = &segment.bytes[entries.clone()];
        match codec::read(bytes, header.entries, header.first, header.received) {
            Ok(read) => {
                let known = self.known;
                self.ready.extend(read.into_iter().filter(|entry| entry.position() > known));
                Ok(())
            }
            Err(flaw) => {
                let file = segment.name.clone();
                let aside = names::aside(&file, entries.start as u64);
                // Without a copy the segment still holds them; what is wrong is told either way.
                drop(copy_aside(&self.disk, &aside, bytes));
                Err(ReadError::Entries { file, first: header.first, last: header.last(), flaw })
            }
        }
    }
}

impl<D: Disk> Iterator for Entries<D> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(Ok(entry));
            }
            let step = if self.segment.is_some() { self.frame() } else { self.open()? };
            if let Err(error) = step {
                return Some(Err(error));
            }
        }
    }
}
