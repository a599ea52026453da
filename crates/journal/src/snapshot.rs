//! Snapshots, and the segments that they free.
//!
//! A snapshot is written under another name, synced, renamed, and its name synced; then it is one. It may be written on
//! another thread while the journal goes on: [`Journal::snapshot_at`] gives what writes it, [`Journal::keep`] takes it
//! over.
//!
//! The newest [`caps::SNAPSHOTS_KEPT`] are kept. A segment goes when the oldest of these and every sink are past it, so
//! that a snapshot that turns out damaged costs time and no record. While fewer are there, none goes.
//!
//! How long a record stays follows from how often snapshots are made, if only they are made at different positions:
//!
//! - A segment whose first record is older than [`caps::FILE_AGE`] ends with the snapshot that is made then. So the second
//!   snapshot after a record lets it go, or the third, where the first came within that time.
//! - A file that goes is used again, which costs least, while all that it ever held is younger than that. An older one is
//!   removed; where no other waits for its use it becomes zeros instead, so that a full disk does not end the journal. So
//!   is what still waits for its next use when it is older, with the next snapshot. A segment that ends early is cut off at
//!   its end. So no file has old records behind its end.
//!
//! Age is told by the receipt times of records, up to that of the last.

use std::io;
use std::sync::Arc;

use authstitch_model::{Position, UnixNanos};

use crate::caps;
use crate::disk::{Disk, File};
use crate::error::SnapshotError;
use crate::frame::SECTOR;
use crate::head::{SnapshotHead, names};
use crate::journal::{Durability, Journal, Kept, Spare, is_old};

/// Writes one snapshot, on whatever thread.
#[derive(Debug)]
pub struct SnapshotWriter<D> {
    disk: D,
    position: Position,
    received: UnixNanos,
}

/// A snapshot that is on the disk. The journal does not know it yet.
#[derive(Debug)]
#[must_use = "the journal frees nothing for a snapshot that it does not know"]
pub struct Written(Kept);

impl<D: Disk> SnapshotWriter<D> {
    /// Writes the snapshot. It is on the disk at the return.
    ///
    /// # Errors
    /// If the disk is full or fails; then there is no such snapshot.
    pub fn write(self, bytes: &[u8]) -> Result<Written, SnapshotError> {
        let name = names::snapshot(self.position);
        let unfinished = format!("{name}{}", names::UNFINISHED);
        let head = SnapshotHead {
            position: self.position,
            received: self.received,
            length: bytes.len() as u64,
            checksum: crc32fast::hash(bytes),
        };
        let write = || -> io::Result<()> {
            let file = self.disk.create(&unfinished, 0)?;
            file.write_at(0, &head.bytes())?;
            file.write_at(SECTOR as u64, bytes)?;
            file.sync()
        };
        if let Err(source) = write() {
            // If it cannot be removed either, the next start does it.
            drop(self.disk.unlink(&unfinished));
            return Err(SnapshotError::Disk { doing: "writing", source });
        }
        self.disk
            .rename(&unfinished, &name)
            .and_then(|()| self.disk.sync_directory())
            .map_err(|source| SnapshotError::Disk { doing: "naming", source })?;
        let (position, received) = (self.position, self.received);
        Ok(Written(Kept { position, received, length: SECTOR as u64 + head.length }))
    }
}

impl<D: Disk> Journal<D> {
    /// What writes the snapshot that knows everything up to this position. The segment that is written ends here, if it is
    /// old.
    ///
    /// # Errors
    /// If that much is not committed, or the disk fails.
    pub fn snapshot_at(&mut self, position: Position) -> Result<SnapshotWriter<D>, SnapshotError> {
        if position > self.committed {
            return Err(SnapshotError::Ahead { position, committed: self.committed });
        }
        self.end_old_segment().map_err(SnapshotError::Poisoned)?;
        Ok(SnapshotWriter { disk: self.disk.clone(), position, received: self.given.received })
    }

    /// Takes over a snapshot that was written, and frees what it frees.
    ///
    /// # Errors
    /// If the disk fails. The snapshot is kept, and the next one frees what this one did not.
    pub fn keep(&mut self, written: Written) -> Result<(), SnapshotError> {
        let Written(kept) = written;
        self.snapshots.retain(|known| known.position != kept.position);
        let place = self.snapshots.partition_point(|known| known.position < kept.position);
        self.snapshots.insert(place, kept);
        self.free()
    }

    /// Writes a snapshot and takes it over.
    ///
    /// # Errors
    /// If the position is not committed, or the disk is full or fails.
    pub fn snapshot(&mut self, position: Position, bytes: &[u8]) -> Result<(), SnapshotError> {
        let written = self.snapshot_at(position)?.write(bytes)?;
        self.keep(written)
    }

    /// Says that every sink has all up to this position, and frees what that frees. Where nothing but snapshots is made
    /// of the records it is said once, of `Position(u64::MAX)`.
    ///
    /// # Errors
    /// If the disk fails. What could not be freed is freed the next time.
    pub fn release(&mut self, sinks: Position) -> Result<(), SnapshotError> {
        self.sinks = self.sinks.max(sinks);
        self.free()
    }

    /// Removes copies of damaged and torn parts that were made before a time: they hold records, too.
    ///
    /// # Errors
    /// If the disk fails. What could not be removed is removed the next time.
    pub fn remove_aside(&self, before: UnixNanos) -> Result<(), SnapshotError> {
        let removing = |source| SnapshotError::Disk { doing: "removing what was set aside before", source };
        for (name, _) in self.disk.list().map_err(removing)? {
            if !names::is_aside(&name) {
                continue;
            }
            let removed = match self.disk.written(&name) {
                Ok(written) if written < before => self.disk.unlink(&name),
                written => written.map(drop),
            };
            // Somebody else may have removed it meanwhile.
            removed
                .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
                .map_err(removing)?;
        }
        Ok(())
    }

    fn free(&mut self) -> Result<(), SnapshotError> {
        let mut spares = Vec::new();
        let freed = self.free_into(&mut spares);
        if freed.is_err() {
            // Their new names may not be on the disk: they are not used again, and cleared with the next.
            spares.iter_mut().for_each(|spare| spare.since = Some(UnixNanos(0)));
        }
        // Only now: were their old names to come back, so would what they held.
        self.spares.append(&mut spares);
        freed
            .and_then(|()| self.renew_old_spares())
            .map_err(|source| SnapshotError::Disk { doing: "freeing what stands before", source })
    }

    fn free_into(&mut self, spares: &mut Vec<Spare<D::File>>) -> io::Result<()> {
        let mut freed = false;
        while self.snapshots.len() > caps::SNAPSHOTS_KEPT
            && let Some(oldest) = self.snapshots.front()
        {
            self.disk.unlink(&names::snapshot(oldest.position))?;
            self.snapshots.pop_front();
            freed = true;
        }
        let oldest = self.snapshots.front().filter(|_| self.snapshots.len() == caps::SNAPSHOTS_KEPT);
        let bound = oldest.map_or(Position(0), |oldest| oldest.position.min(self.sinks));
        let is_read = Arc::strong_count(&self.reading) > 1;
        while let Some(front) = self.sealed.front()
            && !is_read
            && front.last <= bound
            && (self.sealed.len() > 1 || self.current.is_some())
        {
            let name = names::segment(front.segment);
            let (length, since) = (front.length, front.since);
            let wanted = length == self.settings.segment_bytes
                && (!is_old(since, self.now()) || spares.is_empty() && !self.has_spare())
                && self.settings.durability != Durability::None
                && self.spares.len() + spares.len() < caps::SPARES;
            // What was written once is overwritten most cheaply.
            if wanted {
                let spare = self.next_spare();
                self.disk.rename(&name, &spare)?;
                self.sealed.pop_front();
                // One that cannot be opened is of no use, and holds what should be gone.
                let file = self.disk.open(&spare).inspect_err(|_| drop(self.disk.unlink(&spare)))?;
                spares.push(Spare { name: spare, file, length, since: Some(since) });
            } else {
                self.disk.unlink(&name)?;
                self.sealed.pop_front();
            }
            freed = true;
        }
        if freed {
            self.no_room = None;
            self.disk.sync_directory()?;
        }
        Ok(())
    }
}
