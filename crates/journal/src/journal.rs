//! The one writer.

use std::collections::VecDeque;
use std::sync::Arc;

use authstitch_model::{Position, UnixNanos};

use crate::batch::Batch;
use crate::caps;
use crate::disk::{Disk, File};
use crate::entry::Body;
use crate::error::{OpenError, Poisoned, Refused};
use crate::frame::SECTOR;
use crate::head::{SegmentHead, names};
use crate::recovery::{Recovery, recover};

/// When a commit is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk: it outlives a loss of power.
    #[default]
    Fsync,
    /// When the operating system has it: it outlives `kill -9`.
    Os,
    /// At once. No file is written; records only get their place and time.
    None,
}

/// How a journal is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When a commit is one.
    pub durability: Durability,
    /// Bytes of a segment.
    pub segment_bytes: u64,
    /// Bytes that segments and snapshots may have in all.
    pub disk_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            segment_bytes: caps::SEGMENT_BYTES,
            disk_bytes: caps::DISK_BYTES,
        }
    }
}

/// The place and the time that a record got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Its place in the order.
    pub position: Position,
    /// Its receipt time, no earlier than that of the record before.
    pub received: UnixNanos,
}

/// The journal of a data directory, open for writing.
#[derive(Debug)]
pub struct Journal<D: Disk> {
    pub(crate) disk: D,
    pub(crate) settings: Settings,
    pub(crate) batch: Batch,
    /// The segment that is written.
    pub(crate) current: Option<Current<D::File>>,
    /// Those that will be.
    pub(crate) spares: Vec<Spare<D::File>>,
    /// How many of these there were.
    pub(crate) spares_named: u64,
    /// Those before, oldest first. The last of them is never freed while nothing follows it: it knows how far the log
    /// has come.
    pub(crate) sealed: VecDeque<Sealed>,
    /// Oldest first.
    pub(crate) snapshots: VecDeque<Kept>,
    /// Up to where every sink is.
    pub(crate) sinks: Position,
    /// The last position that was given.
    pub(crate) given: Stamp,
    /// The last that was committed.
    pub(crate) committed: Position,
    pub(crate) poison: Option<Poisoned>,
    /// When the disk had no room for a segment, and what it said.
    pub(crate) no_room: Option<(UnixNanos, std::io::ErrorKind)>,
    /// Held as well by whoever reads the segments: while they are read none is freed.
    pub(crate) reading: Arc<()>,
}

/// The segment that is written.
#[derive(Debug)]
pub struct Current<F> {
    pub file: F,
    pub segment: u64,
    pub length: u64,
    /// Where the next frame goes.
    pub end: u64,
    /// Up to where it is on disk.
    pub synced: u64,
    /// The first position that it may hold.
    pub first: Position,
    /// The last position that was written, to it or before it.
    pub last: Position,
    /// Nothing that the file holds was received earlier, in whatever use of it.
    pub since: UnixNanos,
}

/// A segment made ahead, or one that waits for its next use.
#[derive(Debug)]
pub struct Spare<F> {
    pub name: String,
    pub file: F,
    pub length: u64,
    /// Nothing that the file holds was received earlier; none where it holds zeros.
    pub since: Option<UnixNanos>,
}

impl<F> Spare<F> {
    /// Whether it can take so many bytes behind its head; what holds old records is not used again.
    fn takes(&self, span: u64, now: UnixNanos) -> bool {
        SECTOR as u64 + span <= self.length && self.since.is_none_or(|since| !is_old(since, now))
    }
}

/// Writes zeros over all of a file.
fn clear(file: &impl File, length: u64) -> std::io::Result<()> {
    let zeros = vec![0; caps::ZEROS.min(usize::try_from(length).unwrap_or(caps::ZEROS))];
    for begin in (0..length).step_by(caps::ZEROS) {
        let left = usize::try_from(length - begin).unwrap_or(caps::ZEROS);
        file.write_at(begin, &zeros[..zeros.len().min(left)])?;
    }
    file.sync()
}

/// Whether a file with records from so early is neither written on nor used again.
pub fn is_old(since: UnixNanos, now: UnixNanos) -> bool {
    now >= since.plus(caps::FILE_AGE)
}

/// A segment that is no longer written.
#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    pub segment: u64,
    pub length: u64,
    /// The first position that it may hold.
    pub first: Position,
    /// The last position that it may hold.
    pub last: Position,
    /// Nothing that the file holds was received earlier.
    pub since: UnixNanos,
}

/// A snapshot that is kept.
#[derive(Debug)]
pub struct Kept {
    pub position: Position,
    /// No record that it knows was received later; long ago where its head cannot be read.
    pub received: UnixNanos,
    pub length: u64,
}

impl<D: Disk> Journal<D> {
    /// Opens the journal on a disk: what a crash left is put in order, what is damaged set aside, and everything that
    /// is read is on the disk.
    ///
    /// No later record has a position or a time before `seen`: what a sink has seen is never given again, should the log
    /// have lost its end.
    ///
    /// # Errors
    /// If a file is of a later version, a setting cannot work, or the disk fails.
    pub fn open(disk: D, settings: Settings, seen: Stamp) -> Result<(Self, Recovery<D>), OpenError> {
        recover(disk, settings, seen)
    }

    /// Takes a record into the batch. It is promised to nobody before [`Self::commit`].
    ///
    /// What it needs of the disk is there when it is taken: a disk that is full refuses it here.
    ///
    /// # Errors
    /// If it is too large, the batch is full, or there is no room; then the batch is as it was.
    pub fn append(&mut self, received: UnixNanos, body: Body<'_>) -> Result<Stamp, Refused> {
        if let Some(poison) = &self.poison {
            return Err(Refused::Poisoned(poison.clone()));
        }
        if let Body::Setting { bytes, .. } = body
            && bytes.len() > caps::SETTING_BYTES
        {
            return Err(Refused::TooLarge { bytes: bytes.len(), most: caps::SETTING_BYTES });
        }
        let stamp = Stamp {
            position: Position(self.given.position.0.saturating_add(1)),
            received: received.max(self.given.received),
        };
        if self.settings.durability == Durability::None {
            self.given = stamp;
            return Ok(stamp);
        }
        let mark = self.batch.push(stamp, &body);
        let bytes = self.batch.len();
        let refused = if bytes - mark.bytes() > caps::RECORD_BYTES {
            Some(Refused::TooLarge { bytes: bytes - mark.bytes(), most: caps::RECORD_BYTES })
        } else if bytes > caps::BATCH_BYTES && self.batch.entries() > 1 {
            Some(Refused::Batch)
        } else {
            self.make_room(&body, stamp.received).err()
        };
        if let Some(refused) = refused {
            self.batch.take_back(&mark);
            return Err(refused);
        }
        self.given = stamp;
        Ok(stamp)
    }

    /// Commits the batch, and gives the last position that is committed now.
    ///
    /// # Errors
    /// If the disk fails. Then nothing of the batch is promised, and the journal takes nothing until it is opened anew.
    pub fn commit(&mut self) -> Result<Position, Poisoned> {
        if let Some(poison) = &self.poison {
            return Err(poison.clone());
        }
        if !self.batch.is_empty()
            && let Err((doing, source)) = self.write_batch()
        {
            return Err(self.end(doing, source));
        }
        self.committed = self.given.position;
        Ok(self.committed)
    }

    /// Makes ready the segment that follows the one that is written, if there is none: zeros that take some tens of
    /// milliseconds to write, which [`Self::append`] otherwise does when it needs them. To be called at the start and
    /// whenever there is time.
    ///
    /// # Errors
    /// If the disk is full. Nothing is changed then.
    pub fn make_ready(&mut self) -> Result<(), Refused> {
        let wanted = self.settings.durability != Durability::None && self.poison.is_none();
        if !wanted || self.has_spare() {
            return Ok(());
        }
        let length = self.settings.segment_bytes;
        self.renew_old_spares().map_err(|source| Refused::Disk { needed: length, source })?;
        if self.has_spare() { Ok(()) } else { self.make_spare(length, 0) }
    }

    /// Whether it takes what comes, as far as that is known without asking the disk for room.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let may_have = self.bytes() + self.settings.segment_bytes <= self.settings.disk_bytes;
        self.poison.is_none() && (self.has_spare() || may_have && self.no_room.is_none())
    }

    /// Why the journal takes nothing any more, if so.
    #[must_use]
    pub const fn poisoned(&self) -> Option<&Poisoned> {
        self.poison.as_ref()
    }

    /// The last committed position.
    #[must_use]
    pub const fn committed(&self) -> Position {
        self.committed
    }

    /// Bytes that wait to be committed.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.batch.len()
    }

    /// Bytes of all segments and snapshots.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let sealed: u64 = self.sealed.iter().map(|sealed| sealed.length).sum();
        let snapshots: u64 = self.snapshots.iter().map(|snapshot| snapshot.length).sum();
        let current = self.current.as_ref().map_or(0, |current| current.length);
        let spares: u64 = self.spares.iter().map(|spare| spare.length).sum();
        sealed + snapshots + current + spares
    }

    /// How many segments hold records, or will soon.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.sealed.len() + usize::from(self.current.is_some())
    }

    /// The snapshots that are kept, oldest first: up to where each knows all, and when the last of that was received.
    pub fn snapshots(&self) -> impl DoubleEndedIterator<Item = Stamp> {
        let stamp = |kept: &Kept| Stamp { position: kept.position, received: kept.received };
        self.snapshots.iter().map(stamp)
    }

    /// The oldest position that can still be read.
    #[must_use]
    pub fn oldest(&self) -> Position {
        let first = self.sealed.front().map(|sealed| sealed.first);
        let current = || self.current.as_ref().map(|current| current.first);
        first.or_else(current).unwrap_or(Position(self.given.position.0.saturating_add(1)))
    }

    /// The time of the record that the next commit begins with, or of the last one.
    pub(crate) fn now(&self) -> UnixNanos {
        if self.batch.is_empty() { self.given.received } else { self.batch.received() }
    }

    /// Sees to it that the batch can be written whatever the disk says then. A tick or a setting at the bound gets a segment
    /// of just its size beyond it: without a tick no two snapshots would stand at different places, and nothing could be
    /// let go; and settings are what helps out of a journal that is full. For both the snapshots count for nothing: the first
    /// of two may be as large as all that is to be let go.
    ///
    /// A disk that had no room is asked again after [`caps::PROBE_PAUSE`], or when something was let go: whoever is
    /// refused comes again soon, and making a segment in vain costs as much as making one.
    fn make_room(&mut self, body: &Body<'_>, now: UnixNanos) -> Result<(), Refused> {
        let span = self.batch.span();
        if self.current.as_ref().is_some_and(|current| current.end + span <= current.length)
            || self.spares.iter().any(|spare| spare.takes(span, self.now()))
        {
            return Ok(());
        }
        let least = SECTOR as u64 + span;
        self.renew_old_spares().map_err(|source| Refused::Disk { needed: least, source })?;
        if self.spares.iter().any(|spare| spare.takes(span, self.now())) {
            return Ok(());
        }
        if let Some((asked, kind)) = self.no_room
            && now < asked.plus(caps::PROBE_PAUSE)
        {
            return Err(Refused::Disk {
                needed: self.settings.segment_bytes.max(least),
                source: kind.into(),
            });
        }
        let beyond = caps::TICK_BYTES + self.snapshots.iter().map(|snapshot| snapshot.length).sum::<u64>();
        let made = match self.make_spare(self.settings.segment_bytes.max(least), 0) {
            Err(Refused::Full { .. }) if matches!(body, Body::Tick) => self.make_spare(least, beyond),
            Err(Refused::Full { .. }) if matches!(body, Body::Setting { .. }) => {
                self.make_spare(least, beyond + least)
            }
            made => made,
        };
        self.no_room = match &made {
            Err(Refused::Disk { source, .. }) => Some((now, source.kind())),
            _ => None,
        };
        made
    }

    fn make_spare(&mut self, length: u64, beyond: u64) -> Result<(), Refused> {
        let needed = self.bytes() + length;
        if needed > self.settings.disk_bytes + beyond {
            return Err(Refused::Full { needed, bound: self.settings.disk_bytes });
        }
        let name = self.next_spare();
        let made = self.disk.create(&name, length).and_then(|file| {
            file.sync()?;
            self.disk.sync_directory()?;
            Ok(file)
        });
        match made {
            Ok(file) => {
                self.spares.push(Spare { name, file, length, since: None });
                Ok(())
            }
            Err(source) => {
                // If it cannot be removed either, the next start does it.
                drop(self.disk.unlink(&name));
                Err(Refused::Disk { needed: length, source })
            }
        }
    }

    /// Whether a segment of the usual size waits for its use.
    pub(crate) fn has_spare(&self) -> bool {
        let span = self.settings.segment_bytes - SECTOR as u64;
        self.spares.iter().any(|spare| spare.takes(span, self.now()))
    }

    /// Clears what waits for its next use and holds old records: it is removed, or becomes zeros if no other waits, for a
    /// full disk has room for none. Where zeros find no room either, as on a disk that copies what is overwritten, it is
    /// removed, too.
    pub(crate) fn renew_old_spares(&mut self) -> std::io::Result<()> {
        let now = self.now();
        while let Some(place) = self.spares.iter().position(|spare| !spare.takes(0, now)) {
            let is_wanted = !self.has_spare();
            let Spare { name, file, length, since } = &mut self.spares[place];
            if is_wanted && clear(file, *length).is_ok() {
                *since = None;
            } else {
                self.disk.unlink(name)?;
                self.spares.swap_remove(place);
            }
        }
        Ok(())
    }

    /// A name that no spare has had.
    pub(crate) fn next_spare(&mut self) -> String {
        self.spares_named += 1;
        names::spare(self.spares_named)
    }

    fn write_batch(&mut self) -> Result<(), (&'static str, std::io::Error)> {
        let span = self.batch.span();
        if self.current.as_ref().is_none_or(|current| current.end + span > current.length) {
            self.rotate()?;
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        let frame = self.batch.seal(current.segment, current.synced);
        // A sector of zeros behind it says that the log ends there, whatever the file held in an earlier life.
        let room = usize::try_from(current.length - current.end).unwrap_or(usize::MAX);
        current.file.write_at(current.end, &frame[..frame.len().min(room)]).map_err(|e| ("writing", e))?;
        current.end += span;
        current.last = self.given.position;
        if self.settings.durability == Durability::Fsync {
            current.file.sync().map_err(|error| ("syncing", error))?;
            current.synced = current.end;
        }
        self.batch.clear();
        Ok(())
    }

    /// Goes on to the segment that was made ahead.
    fn rotate(&mut self) -> Result<(), (&'static str, std::io::Error)> {
        self.seal()?;
        let (span, received) = (self.batch.span(), self.batch.received());
        let Some(place) = self.spares.iter().position(|spare| spare.takes(span, received)) else {
            // Each record that was taken had its room.
            return Err(("finding a segment", std::io::ErrorKind::NotFound.into()));
        };
        let Spare { name: spare, file, length, since } = self.spares.swap_remove(place);
        let since = since.map_or(received, |since| since.min(received));
        let predecessor = self.sealed.back().map_or(0, |sealed| sealed.segment);
        let head = SegmentHead {
            segment: predecessor + 1,
            before: self.sealed.back().map_or(Position(0), |sealed| sealed.last),
            first: self.batch.first(),
            predecessor,
            received,
        };
        let mut bytes = head.bytes().to_vec();
        bytes.resize(2 * SECTOR, 0);
        file.write_at(0, &bytes).map_err(|error| ("writing the head of a segment", error))?;
        file.sync().map_err(|error| ("syncing the head of a segment", error))?;
        let name = names::segment(head.segment);
        self.disk.rename(&spare, &name).map_err(|error| ("naming a segment", error))?;
        self.disk.sync_directory().map_err(|error| ("syncing the directory", error))?;
        let (end, segment, first, last) = (SECTOR as u64, head.segment, head.first, head.before);
        self.current = Some(Current { file, segment, length, end, synced: end, first, last, since });
        Ok(())
    }

    /// Takes nothing any more.
    fn end(&mut self, doing: &'static str, source: std::io::Error) -> Poisoned {
        self.poison.insert(Poisoned { doing, source: Arc::new(source) }).clone()
    }

    /// Ends the segment that is written; should that fail, the journal as well.
    pub(crate) fn seal_or_end(&mut self) -> Result<(), Poisoned> {
        self.seal().map_err(|(doing, source)| self.end(doing, source))
    }

    /// Ends the segment that is written if it is old and the next is made, so that it goes with what it holds and not with
    /// what would still come. What the file has from an earlier use goes at once.
    pub(crate) fn end_old_segment(&mut self) -> Result<(), Poisoned> {
        let now = self.now();
        let is_old = self.current.as_ref().is_some_and(|current| is_old(current.since, now));
        // What waits in the batch has its room in it; and on a full disk what is left of it is needed.
        if !is_old || !self.batch.is_empty() || self.make_ready().is_err() {
            return Ok(());
        }
        let cut_off = self.cut_off().and_then(|()| self.seal());
        cut_off.map_err(|(doing, source)| self.end(doing, source))
    }

    /// Cuts the segment that is written off at its end.
    fn cut_off(&mut self) -> Result<(), (&'static str, std::io::Error)> {
        let Some(current) = &mut self.current else { return Ok(()) };
        current.file.set_length(current.end).map_err(|error| ("cutting off", error))?;
        current.file.sync().map_err(|error| ("syncing", error))?;
        (current.length, current.synced) = (current.end, current.end);
        Ok(())
    }

    /// Ends the segment that is written: all of it is on the disk.
    fn seal(&mut self) -> Result<(), (&'static str, std::io::Error)> {
        if let Some(current) = &self.current {
            if current.synced < current.end {
                current.file.sync().map_err(|error| ("syncing", error))?;
            }
            let Current { segment, length, first, last, since, .. } = *current;
            self.sealed.push_back(Sealed { segment, length, first, last, since });
            self.current = None;
        }
        Ok(())
    }
}
