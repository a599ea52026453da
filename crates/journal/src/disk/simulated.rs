//! A disk in memory that forgets what was not synced, in whatever way disks do.
//!
//! - What was written since a file's last sync is lost or not, sector by sector: each is what it was, or what it became,
//!   or zeros where it was never on the disk. So is a file's length.
//! - What happened to names since the directory's last sync is undone or not, step by step.
//! - After a sync that failed the system believes that all is written, and reads give it; the disk has of it what it
//!   has, and never gets the rest.
//! - Every step can be the last, done in part; and writing can find the disk full.
//!
//! It belongs to tests, and panics where a test names a file that is not there.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use authstitch_model::UnixNanos;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Disk, File};
use crate::frame::SECTOR;

/// What happens to those that are not synced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Crash {
    /// The process ends: the system keeps everything.
    Killed,
    /// All is lost.
    Lost,
    /// What was written first is kept.
    Prefix,
    /// Each sector, each name, by chance.
    Mixed,
}

impl Crash {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Killed, Self::Lost, Self::Prefix, Self::Mixed];
}

#[derive(Clone, Debug, Default)]
struct Inode {
    /// What reads give.
    now: Vec<u8>,
    /// What the disk has.
    durable: Vec<u8>,
    /// Sectors written since the last sync, in order.
    dirty: Vec<usize>,
    /// When it was last written to.
    written: UnixNanos,
}

#[derive(Clone, Debug)]
enum Naming {
    Created(String, usize),
    Renamed(String, String),
    Unlinked(String),
}

#[derive(Debug)]
struct State {
    chance: ChaCha8Rng,
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    namings: Vec<Naming>,
    /// Steps until the machine stops.
    steps_left: Option<u64>,
    /// Syncs until one fails.
    syncs_left: Option<u64>,
    /// Bytes that all files may have.
    room: usize,
    /// What its clock shows.
    time: UnixNanos,
    /// How often it was started: a file opened before is of no use.
    life: u64,
    steps: u64,
    /// Whether a sync has failed in this life.
    failed: bool,
}

/// A disk in memory.
#[derive(Clone, Debug)]
pub struct Simulated {
    state: Arc<Mutex<State>>,
    life: u64,
}

/// A file of it.
#[derive(Debug)]
pub struct SimulatedFile {
    disk: Simulated,
    inode: usize,
}

impl Simulated {
    /// A disk without files, whose chances follow from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State {
            chance: ChaCha8Rng::seed_from_u64(seed),
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            namings: Vec::new(),
            steps_left: None,
            syncs_left: None,
            room: usize::MAX,
            time: UnixNanos(0),
            life: 0,
            steps: 0,
            failed: false,
        };
        Self { state: Arc::new(Mutex::new(state)), life: 0 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test goes on after a panic")
    }

    /// The machine stops after so many steps, in the middle of the last.
    pub fn stop_after(&self, steps: u64) {
        self.state().steps_left = Some(steps);
    }

    /// So many syncs succeed, the next fails.
    pub fn fail_sync_after(&self, syncs: u64) {
        self.state().syncs_left = Some(syncs);
    }

    /// All files together may have so many bytes.
    pub fn set_room(&self, room: usize) {
        self.state().room = room;
    }

    /// What is written from now on is written at this time.
    pub fn set_time(&self, time: UnixNanos) {
        self.state().time = time;
    }

    /// Steps so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Whether it has stopped, or a sync has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let state = self.state();
        state.failed || state.steps_left == Some(0)
    }

    /// Whether the machine has stopped.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.state().steps_left == Some(0)
    }

    /// Another part of the same machine takes a step; `true` if it is the one in whose middle the machine stops.
    ///
    /// # Errors
    /// If the machine has stopped.
    pub fn step_elsewhere(&self) -> io::Result<bool> {
        self.state().step(self.life)
    }

    /// What somebody would find who took the disk out now: a disk of its own with what reads give.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new(0);
        let state = self.state();
        let mut copied = copy.state();
        (copied.inodes, copied.names) = (state.inodes.clone(), state.names.clone());
        copied.durable_names = state.names.clone();
        drop(copied);
        copy
    }

    /// Starts again after a crash.
    #[must_use]
    pub fn restart(&self, crash: Crash) -> Self {
        let mut state = self.state();
        if crash != Crash::Killed {
            state.crash(crash);
        }
        (state.steps_left, state.syncs_left, state.room) = (None, None, usize::MAX);
        state.failed = false;
        state.life += 1;
        Self { state: Arc::clone(&self.state), life: state.life }
    }

    /// The bytes of a file, for those who damage them.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let inode = state.names[name];
        let inode = &mut state.inodes[inode];
        change(&mut inode.now);
        inode.durable = inode.now.clone();
    }

    /// Removes a file as if it had never been.
    pub fn lose(&self, name: &str) {
        let mut state = self.state();
        state.names.remove(name);
        state.durable_names.remove(name);
    }

    /// What a file holds.
    #[must_use]
    pub fn content(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.inodes[state.names[name]].now.clone()
    }

    /// The names of all files.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }
}

impl State {
    /// Counts a step; `true` if it is the one in whose middle the machine stops.
    fn step(&mut self, life: u64) -> io::Result<bool> {
        if life != self.life || self.steps_left == Some(0) {
            return Err(io::Error::other("the machine has stopped"));
        }
        self.steps += 1;
        if let Some(left) = &mut self.steps_left {
            *left -= 1;
        }
        Ok(self.steps_left == Some(0))
    }

    fn used(&self) -> usize {
        self.names.values().map(|inode| self.inodes[*inode].now.len()).sum()
    }

    fn crash(&mut self, crash: Crash) {
        let Self { chance, inodes, .. } = self;
        for inode in inodes.iter_mut() {
            let kept = match crash {
                Crash::Lost | Crash::Killed => 0,
                Crash::Prefix | Crash::Mixed => chance.random_range(0..=inode.dirty.len()),
            };
            let old = inode.durable.clone();
            let length = if crash != Crash::Lost && chance.random() { inode.now.len() } else { old.len() };
            let mut after = old.clone();
            after.resize(length, 0);
            for (order, sector) in inode.dirty.iter().enumerate() {
                let is_kept = match crash {
                    Crash::Lost | Crash::Killed => false,
                    Crash::Prefix => order < kept,
                    Crash::Mixed => chance.random(),
                };
                let begin = (sector * SECTOR).min(length);
                let end = (begin + SECTOR).min(length).min(inode.now.len());
                if is_kept && begin < end {
                    after[begin..end].copy_from_slice(&inode.now[begin..end]);
                }
            }
            let written = inode.written;
            *inode = Inode { now: after.clone(), durable: after, written, ..Inode::default() };
        }
        let mut names = self.durable_names.clone();
        let prefix = self.chance.random_range(0..=self.namings.len());
        for (order, naming) in std::mem::take(&mut self.namings).into_iter().enumerate() {
            let is_kept = match crash {
                Crash::Lost | Crash::Killed => false,
                Crash::Prefix => order < prefix,
                Crash::Mixed => self.chance.random(),
            };
            if is_kept {
                naming.apply(&mut names);
            }
        }
        self.names = names.clone();
        self.durable_names = names;
    }

    fn name(&mut self, naming: Naming) {
        naming.clone().apply(&mut self.names);
        self.namings.push(naming);
    }
}

impl Naming {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Created(name, inode) => {
                names.insert(name, inode);
            }
            Self::Renamed(from, to) => {
                if let Some(inode) = names.remove(&from) {
                    names.insert(to, inode);
                }
            }
            Self::Unlinked(name) => {
                names.remove(&name);
            }
        }
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for Simulated {
    type File = SimulatedFile;

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut state = self.state();
        state.step(self.life)?;
        let length = |inode: &usize| state.inodes[*inode].now.len() as u64;
        Ok(state.names.iter().map(|(name, inode)| (name.clone(), length(inode))).collect())
    }

    fn written(&self, name: &str) -> io::Result<UnixNanos> {
        let mut state = self.state();
        state.step(self.life)?;
        let inode = *state.names.get(name).ok_or_else(missing)?;
        Ok(state.inodes[inode].written)
    }

    fn open(&self, name: &str) -> io::Result<SimulatedFile> {
        let mut state = self.state();
        state.step(self.life)?;
        let inode = *state.names.get(name).ok_or_else(missing)?;
        Ok(SimulatedFile { disk: self.clone(), inode })
    }

    fn create(&self, name: &str, length: u64) -> io::Result<SimulatedFile> {
        let mut state = self.state();
        let stops = state.step(self.life)?;
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.name(Naming::Created(name.to_owned(), inode));
        drop(state);
        let file = SimulatedFile { disk: self.clone(), inode };
        if stops {
            return Err(io::Error::other("the machine has stopped"));
        }
        if length > 0 {
            file.write_at(0, &vec![0; length as usize])?;
        }
        Ok(file)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let stops = state.step(self.life)?;
        if !state.names.contains_key(from) {
            return Err(missing());
        }
        if !stops || state.chance.random() {
            state.name(Naming::Renamed(from.to_owned(), to.to_owned()));
        }
        if stops { Err(io::Error::other("the machine has stopped")) } else { Ok(()) }
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let stops = state.step(self.life)?;
        if !state.names.contains_key(name) {
            return Err(missing());
        }
        if !stops || state.chance.random() {
            state.name(Naming::Unlinked(name.to_owned()));
        }
        if stops { Err(io::Error::other("the machine has stopped")) } else { Ok(()) }
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.state();
        let stops = state.step(self.life)?;
        if stops {
            return Err(io::Error::other("the machine has stopped"));
        }
        state.namings.clear();
        state.durable_names = state.names.clone();
        Ok(())
    }
}

impl File for SimulatedFile {
    fn read(&self) -> io::Result<Vec<u8>> {
        self.read_first(usize::MAX)
    }

    fn read_first(&self, length: usize) -> io::Result<Vec<u8>> {
        let mut state = self.disk.state();
        state.step(self.disk.life)?;
        let now = &state.inodes[self.inode].now;
        Ok(now[..length.min(now.len())].to_vec())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let stops = state.step(self.disk.life)?;
        let begin = offset as usize;
        let grows = (begin + bytes.len()).saturating_sub(state.inodes[self.inode].now.len());
        let full = grows > 0 && state.used() + grows > state.room;
        let part = if stops || full { state.chance.random_range(0..=bytes.len()) } else { bytes.len() };
        let part = if full { part.min(bytes.len() - grows) } else { part };
        let time = state.time;
        let inode = &mut state.inodes[self.inode];
        inode.written = time;
        let end = begin + part;
        if inode.now.len() < end {
            inode.now.resize(end, 0);
        }
        inode.now[begin..end].copy_from_slice(&bytes[..part]);
        inode.dirty.extend(begin / SECTOR..end.div_ceil(SECTOR));
        match (stops, full) {
            (true, _) => Err(io::Error::other("the machine has stopped")),
            (_, true) => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let stops = state.step(self.disk.life)?;
        state.inodes[self.inode].now.resize(length as usize, 0);
        if stops { Err(io::Error::other("the machine has stopped")) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let stops = state.step(self.disk.life)?;
        let fails = state.syncs_left == Some(0);
        if let Some(left) = &mut state.syncs_left {
            *left = left.saturating_sub(1);
        }
        state.failed |= fails;
        let keeps: Vec<bool> = {
            let dirty = state.inodes[self.inode].dirty.len();
            (0..dirty).map(|_| state.chance.random()).collect()
        };
        let inode = &mut state.inodes[self.inode];
        let dirty = std::mem::take(&mut inode.dirty);
        if !stops && !fails {
            // What a failed sync left behind is not looked at again.
            inode.durable.resize(inode.now.len(), 0);
            for sector in dirty {
                let begin = (sector * SECTOR).min(inode.now.len());
                let end = (begin + SECTOR).min(inode.now.len());
                inode.durable[begin..end].copy_from_slice(&inode.now[begin..end]);
            }
            return Ok(());
        }
        for (sector, keeps) in dirty.into_iter().zip(keeps) {
            let begin = (sector * SECTOR).min(inode.now.len());
            let end = (begin + SECTOR).min(inode.now.len());
            if keeps {
                inode.durable.resize(inode.durable.len().max(end), 0);
                inode.durable[begin..end].copy_from_slice(&inode.now[begin..end]);
            }
        }
        Err(io::Error::other(if stops { "the machine has stopped" } else { "the sync failed" }))
    }
}
