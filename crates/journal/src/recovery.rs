//! Opening: what a crash or a bad disk left is looked through, put in order and told.
//!
//! - The last segment may end in a write that broke off. What is whole of it counts; the rest was promised to nobody
//!   and is cut off.
//! - What is whole and not known to have been on the disk is written once more and synced: it may have been read from
//!   the system's memory after a sync that failed.
//! - What is damaged or torn is copied to a file of its own beside the segments before anything is done about it, and
//!   told; what stands behind damage is read. A damaged snapshot is set aside, too, and the one before it taken.
//! - A journal with damage opens. What a later version wrote is refused.
//! - A new segment is begun; an old one is never written again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use authstitch_model::{Position, UnixNanos};

use crate::batch::Batch;
use crate::caps;
use crate::disk::{Disk, File};
use crate::entries::{Entries, Reach};
use crate::error::OpenError;
use crate::frame::SECTOR;
use crate::head::{NoHead, SegmentHead, SnapshotHead, names, read_snapshot};
use crate::journal::{Journal, Kept, Sealed, Settings, Stamp};
use crate::walk::{Walk, walk};

/// What an opened journal holds.
#[derive(Debug)]
pub struct Recovery<D: Disk> {
    /// The newest whole snapshot.
    pub snapshot: Option<Snapshot>,
    /// The entries behind it, in order. While it lives no segment is freed.
    pub entries: Entries<D>,
    /// What was found.
    pub report: Report,
}

/// What the engine once was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last position that it knows.
    pub position: Position,
    /// No record that it knows was received later.
    pub received: UnixNanos,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What was found at opening.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Parts that were on disk once and are damaged.
    pub damaged: Vec<Part>,
    /// How many there are; the list ends at [`caps::FLAWS_LISTED`].
    pub damaged_parts: u64,
    /// The write that broke off, promised to nobody.
    pub torn: Option<Part>,
    /// Positions behind the snapshot that were on disk and are gone.
    pub lost: u64,
}

/// A part of a file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The file.
    pub file: String,
    /// Where the part begins.
    pub begin: u64,
    /// Its bytes.
    pub bytes: u64,
    /// The file with a copy of it; `None` if the disk had no room for one, or [`caps::ASIDE_BYTES`] are full.
    pub aside: Option<String>,
}

/// A segment that was found.
struct Found {
    segment: u64,
    length: u64,
    head: Option<SegmentHead>,
}

/// What is being opened.
struct Opening<D> {
    disk: D,
    files: Vec<(String, u64)>,
    report: Report,
    aside_bytes: u64,
}

/// Opens the journal on a disk.
///
/// # Errors
/// If a file is of a later version, a setting cannot work, or the disk fails.
pub fn recover<D: Disk>(
    disk: D,
    settings: Settings,
    seen: Stamp,
) -> Result<(Journal<D>, Recovery<D>), OpenError> {
    check(&settings)?;
    let mut files = disk.list().map_err(failed("listing the files", ""))?;
    files.sort();
    let aside_bytes =
        files.iter().filter(|(name, _)| names::is_aside(name)).map(|(_, length)| length).sum::<u64>();
    let mut opening = Opening { disk, files, report: Report::default(), aside_bytes };
    opening.remove_unfinished()?;
    let (snapshot, snapshots) = opening.snapshots()?;
    let found = opening.segments()?;
    let known = snapshot.as_ref().map_or(Position(0), |snapshot| snapshot.position);

    let mut given = Stamp::default();
    let (mut sealed, mut reaches) = (VecDeque::new(), Vec::new());
    let mut expected = known;
    for (place, this) in found.iter().enumerate() {
        let before = this.head.map_or(given.position, |head| head.before);
        let promised = found.get(place + 1).map(|next| match next.head {
            Some(head) if head.predecessor == this.segment => head.before,
            _ => Position(u64::MAX),
        });
        let (walk, length) = opening.segment(this, before, promised)?;
        // Between what was known and what is there, and what is promised behind it.
        let mut jump = |to: Position| {
            opening.report.lost += to.0.saturating_sub(expected.0);
            expected = expected.max(to);
        };
        jump(before);
        expected = expected.max(Position(this.head.map_or(0, |head| head.first.0 - 1)));
        for (header, _) in &walk.frames {
            opening.report.lost += header.first.0.saturating_sub(expected.0.saturating_add(1));
            expected = expected.max(header.last());
            given.received = given.received.max(header.latest);
        }
        let last = promised.filter(|promised| promised.0 < u64::MAX).unwrap_or(walk.last);
        opening.report.lost += last.0.saturating_sub(expected.0);
        expected = expected.max(last);
        let head = this.head.map_or(Stamp { position: before, received: UnixNanos(0) }, |head| Stamp {
            position: Position(head.first.0 - 1),
            received: head.received,
        });
        given.position = given.position.max(last).max(head.position);
        given.received = given.received.max(head.received);
        let first = Position(head.position.0.saturating_add(1));
        // Nobody knows what its file held in an earlier use.
        let since = UnixNanos(0);
        sealed.push_back(Sealed { segment: this.segment, length, first, last, since });
        reaches.push(Reach { segment: this.segment, before, promised });
    }
    if let Some(snapshot) = &snapshot {
        given.position = given.position.max(snapshot.position);
        given.received = given.received.max(snapshot.received);
    }

    given.position = given.position.max(seen.position);
    given.received = given.received.max(seen.received);

    let Opening { disk, report, .. } = opening;
    let reading = Arc::new(());
    let entries = Entries::new(disk.clone(), reaches, known, Arc::clone(&reading));
    let journal = Journal {
        disk,
        settings,
        batch: Batch::default(),
        current: None,
        spares: Vec::new(),
        spares_named: 0,
        sealed,
        snapshots,
        sinks: Position(0),
        given,
        committed: given.position,
        poison: None,
        no_room: None,
        reading,
    };
    Ok((journal, Recovery { snapshot, entries, report }))
}

fn check(settings: &Settings) -> Result<(), OpenError> {
    let least = caps::SEGMENT_BYTES_LEAST;
    if settings.segment_bytes < least {
        return Err(OpenError::Setting { name: "segment_bytes", found: settings.segment_bytes, least });
    }
    let least = caps::SEGMENTS_LEAST.saturating_mul(settings.segment_bytes);
    if settings.disk_bytes < least {
        return Err(OpenError::Setting { name: "disk_bytes", found: settings.disk_bytes, least });
    }
    Ok(())
}

fn failed<'a>(doing: &'static str, file: &'a str) -> impl Fn(io::Error) -> OpenError + use<'a> {
    move |source| OpenError::Disk { doing, file: file.to_owned(), source }
}

impl<D: Disk> Opening<D> {
    /// Removes what is not whole, or means nothing.
    fn remove_unfinished(&mut self) -> Result<(), OpenError> {
        let unfinished = |name: &str| {
            names::is_spare(name)
                || name.ends_with(names::UNFINISHED)
                    && ["segment-", "snapshot-", "aside-"].iter().any(|begin| name.starts_with(begin))
        };
        for (name, _) in self.files.iter().filter(|(name, _)| unfinished(name)) {
            self.disk.unlink(name).map_err(failed("removing", name))?;
        }
        self.files.retain(|(name, _)| !unfinished(name));
        Ok(())
    }

    /// The newest whole snapshot, and all that are kept from now on.
    fn snapshots(&mut self) -> Result<(Option<Snapshot>, VecDeque<Kept>), OpenError> {
        let mut kept = VecDeque::new();
        for (name, length) in &self.files {
            let Some(position) = names::snapshot_position(name) else { continue };
            let file = self.disk.open(name).map_err(failed("opening", name))?;
            let head = file.read_first(SECTOR).map_err(failed("reading", name))?;
            let received = SnapshotHead::read(&head, *length).map_or(UnixNanos(0), |head| head.received);
            kept.push_back(Kept { position, received, length: *length });
        }
        while let Some(newest) = kept.back() {
            let name = names::snapshot(newest.position);
            let file = self.disk.open(&name).map_err(failed("opening", &name))?;
            let bytes = file.read().map_err(failed("reading", &name))?;
            match read_snapshot(&bytes) {
                Ok((head, body)) if head.position == newest.position => {
                    let (position, received) = (head.position, head.received);
                    return Ok((Some(Snapshot { position, received, bytes: body.to_vec() }), kept));
                }
                Err(NoHead::Version(found)) => return Err(OpenError::Version { file: name, found }),
                Ok(_) | Err(NoHead::Damaged) => {
                    let aside = names::aside(&name, 0);
                    self.disk.rename(&name, &aside).map_err(failed("setting aside", &name))?;
                    self.disk.sync_directory().map_err(failed("setting aside", &name))?;
                    let (begin, bytes) = (0, bytes.len() as u64);
                    self.note(Part { file: name, begin, bytes, aside: Some(aside) });
                    kept.pop_back();
                }
            }
        }
        Ok((None, kept))
    }

    /// The segments with their heads, in order.
    fn segments(&mut self) -> Result<Vec<Found>, OpenError> {
        let mut found = Vec::new();
        for (name, length) in &self.files {
            let Some(segment) = names::segment_number(name) else { continue };
            let file = self.disk.open(name).map_err(failed("opening", name))?;
            let bytes = file.read_first(SECTOR).map_err(failed("reading", name))?;
            let head = match SegmentHead::read(&bytes) {
                Ok(head) if head.segment == segment && head.first > head.before => Some(head),
                Err(NoHead::Version(found)) => {
                    return Err(OpenError::Version { file: name.clone(), found });
                }
                Ok(_) | Err(NoHead::Damaged) => None,
            };
            found.push(Found { segment, length: *length, head });
        }
        Ok(found)
    }

    /// Looks through a segment and puts it in order; gives its length from now on, too.
    fn segment(
        &mut self,
        found: &Found,
        before: Position,
        promised: Option<Position>,
    ) -> Result<(Walk, u64), OpenError> {
        let name = names::segment(found.segment);
        let file = self.disk.open(&name).map_err(failed("opening", &name))?;
        let bytes = file.read().map_err(failed("reading", &name))?;
        let walk = walk(&bytes, found.segment, before, promised);
        let head = found.head.is_none().then_some(0..SECTOR.min(bytes.len()));
        for damaged in head.into_iter().chain(walk.damaged.iter().cloned()) {
            let part = self.set_aside(&name, damaged.start as u64, &bytes[damaged]);
            self.note(part);
        }
        if promised.is_some() {
            return Ok((walk, found.length));
        }
        let torn = walk.torn.clone();
        let torn = torn.map(|torn| self.set_aside(&name, torn.start as u64, &bytes[torn]));
        let is_safe = torn.as_ref().is_none_or(|torn| torn.aside.is_some());
        self.report.torn = torn;
        let end = walk.end.max(walk.proven);
        file.write_at(walk.proven as u64, &bytes[walk.proven..end])
            .map_err(failed("writing again", &name))?;
        let length = if is_safe { end as u64 } else { found.length };
        if length < found.length {
            file.set_length(length).map_err(failed("cutting off", &name))?;
        }
        file.sync().map_err(failed("syncing", &name))?;
        self.disk.sync_directory().map_err(failed("syncing the directory of", &name))?;
        Ok((walk, length))
    }

    fn note(&mut self, part: Part) {
        self.report.damaged_parts += 1;
        if self.report.damaged.len() < caps::FLAWS_LISTED {
            self.report.damaged.push(part);
        }
    }

    fn set_aside(&mut self, file: &str, begin: u64, bytes: &[u8]) -> Part {
        let name = names::aside(file, begin);
        let length = bytes.len() as u64;
        let is_there =
            self.files.iter().any(|(known, known_length)| *known == name && *known_length == length);
        let has_room = self.aside_bytes.saturating_add(length) <= caps::ASIDE_BYTES;
        let copied = is_there || has_room && copy_aside(&self.disk, &name, bytes).is_ok();
        if copied && !is_there {
            self.aside_bytes += length;
        }
        Part { file: file.to_owned(), begin, bytes: length, aside: copied.then_some(name) }
    }
}

/// Copies damaged bytes to a file of their own.
pub fn copy_aside<D: Disk>(disk: &D, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = format!("{name}{}", names::UNFINISHED);
    let copied = disk.create(&unfinished, 0).and_then(|copy| {
        copy.write_at(0, bytes)?;
        copy.sync()
    });
    if let Err(error) = copied {
        drop(disk.unlink(&unfinished));
        return Err(error);
    }
    disk.rename(&unfinished, name)?;
    disk.sync_directory()
}
