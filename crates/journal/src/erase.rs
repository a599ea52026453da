//! Forgetting: events that match leave the files.
//!
//! Segments are written anew, each under another name, synced, and put in the place of the old one. A record stays, with
//! its position and its time; only its events go. With them goes all that nobody can look through: damaged parts and
//! their copies, and what files hold from an earlier use. Of the snapshots the newest stays: it has to be made after the
//! engine forgot. What breaks off or fails can be done again.
//!
//! Settings of one kind lose their bytes: those that say what is to be erased. They stand in the last segment, which comes
//! last of all, when everything that they name is gone; so whoever finds one with its bytes has to erase again.

use std::io;

use authstitch_model::{AuthEvent, Position, Record, RecordBody, UnixNanos};

use crate::batch::Batch;
use crate::codec;
use crate::disk::{Disk, File};
use crate::entry::{Body, Entry, Setting};
use crate::error::EraseError;
use crate::frame::{self, Header, SECTOR};
use crate::head::{SegmentHead, names};
use crate::journal::{Journal, Sealed, Stamp};
use crate::walk::{Walk, walk};

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Events.
    pub events: u64,
    /// Frames that could not be looked through.
    pub unreadable: u64,
}

impl<D: Disk> Journal<D> {
    /// Removes the events that match from all records, once the batch is committed, and the bytes of all settings of a
    /// kind.
    ///
    /// # Errors
    /// If the disk fails or is full. Some events may be gone then, and no others.
    pub fn erase(&mut self, matches: impl Fn(&AuthEvent) -> bool, kind: &str) -> Result<Erased, EraseError> {
        self.commit().map_err(EraseError::Poisoned)?;
        self.seal_or_end().map_err(EraseError::Poisoned)?;
        while let Some(spare) = self.spares.pop() {
            self.disk.unlink(&spare.name).map_err(failed("removing", &spare.name))?;
        }
        while self.snapshots.len() > 1
            && let Some(older) = self.snapshots.front()
        {
            let name = names::snapshot(older.position);
            self.disk.unlink(&name).map_err(failed("removing", &name))?;
            self.snapshots.pop_front();
        }
        for (name, _) in self.disk.list().map_err(failed("listing the files", ""))? {
            if names::is_aside(&name) {
                self.disk.unlink(&name).map_err(failed("removing", &name))?;
            }
        }
        self.disk.sync_directory().map_err(failed("syncing the directory", ""))?;
        let mut erased = Erased::default();
        let mut predecessor = 0;
        for place in 0..self.sealed.len() {
            let sealed = self.sealed[place];
            self.sealed[place].length =
                self.erase_from(&sealed, predecessor, (&matches, kind), &mut erased)?;
            predecessor = sealed.segment;
        }
        Ok(erased)
    }

    /// Writes one segment anew; gives its length from now on.
    fn erase_from(
        &self,
        sealed: &Sealed,
        predecessor: u64,
        goes: (&impl Fn(&AuthEvent) -> bool, &str),
        erased: &mut Erased,
    ) -> Result<u64, EraseError> {
        let name = names::segment(sealed.segment);
        let file = self.disk.open(&name).map_err(failed("opening", &name))?;
        let old = file.read().map_err(failed("reading", &name))?;
        let head = SegmentHead::read(&old).unwrap_or(SegmentHead {
            segment: sealed.segment,
            before: Position(sealed.first.0 - 1),
            first: sealed.first,
            predecessor,
            received: UnixNanos(0),
        });
        let walk = walk(&old, sealed.segment, head.before, Some(sealed.last));
        let new = without(&old, &walk, head, goes, erased);
        let unfinished = format!("{name}{}", names::UNFINISHED);
        let written = self.disk.create(&unfinished, 0).and_then(|file| {
            file.write_at(0, &new)?;
            file.sync()
        });
        if let Err(source) = written {
            // If it cannot be removed either, the next start does it.
            drop(self.disk.unlink(&unfinished));
            return Err(failed("writing", &name)(source));
        }
        self.disk.rename(&unfinished, &name).map_err(failed("naming", &name))?;
        self.disk.sync_directory().map_err(failed("naming", &name))?;
        Ok(new.len() as u64)
    }
}

/// The bytes of a segment without the events that match and the bytes of settings of the kind.
fn without(
    old: &[u8],
    walk: &Walk,
    head: SegmentHead,
    (matches, kind): (&impl Fn(&AuthEvent) -> bool, &str),
    erased: &mut Erased,
) -> Vec<u8> {
    let mut new = head.bytes().to_vec();
    for (header, entries) in &walk.frames {
        let entries = &old[entries.clone()];
        let Ok(mut read) = codec::read(entries, header.entries, header.first, header.received) else {
            erased.unreadable += 1;
            continue;
        };
        let (mut gone, mut is_as_before) = (0, true);
        for entry in &mut read {
            match entry {
                Entry::Record(Record { body: RecordBody::Events(events), .. }) => {
                    let before = events.len();
                    events.retain(|event| !matches(event));
                    gone += before - events.len();
                }
                Entry::Setting(Setting { kind: found, bytes, .. }) if found.as_str() == kind => {
                    is_as_before &= bytes.is_empty();
                    *bytes = Box::default();
                }
                Entry::Record(_) | Entry::Setting(_) => {}
            }
        }
        erased.events += gone as u64;
        let synced = new.len() as u64;
        if gone == 0 && is_as_before {
            new.extend(Header { synced, ..*header }.bytes());
            new.extend(entries);
        } else {
            let mut batch = Batch::default();
            for entry in &read {
                let stamp = Stamp { position: entry.position(), received: entry.received() };
                batch.push(stamp, &Body::from(entry));
            }
            let length = frame::span(batch.len());
            new.extend(&batch.seal(header.segment, synced)[..length]);
        }
        new.resize(new.len().next_multiple_of(SECTOR), 0);
    }
    new
}

fn failed<'a>(doing: &'static str, file: &'a str) -> impl Fn(io::Error) -> EraseError + use<'a> {
    move |source| EraseError::Disk { doing, file: file.to_owned(), source }
}
