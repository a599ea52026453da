//! The whole state of a stitcher as bytes, and back: what is restored goes on as what was written would have.
//!
//! Settings are not in it; whoever restores gives them, and gives others to change them. What follows from
//! the journeys is not in it either:
//!
//! - Timers: an open journey is due when its events and the settings say, and never closes at another time. Its timer
//!   may have been armed for an earlier one, which changes nothing but where [`Stitcher::next_deadline`] begins to ask.
//! - The numbers of waiting events, which only say who came first: they come anew, in their turn.
//! - The queue of closed journeys, the oldest one, the kinds of keys that tie a journey, spans, look-up tables.
//!
//! **Same state, same bytes.** No byte depends on a slab's place, a hash map's order or on whether the state was
//! restored before. Journeys stand by id. Environments and realms have numbers in the order of first use there, and
//! stand behind them. Waiting events stand in their turn, tombstones by (expiry, key), poisoned keys in the order in
//! which they were found out. Under a session, trace or container the journeys stand in the order in which they
//! came to it, as the bound drops the first: where that is not the order of their ids, it is written down.
//!
//! ```text
//! "stitcher" 8 | format 2
//! count of journeys, each: see [`journey`]
//! an environment for each number | a realm for each number, by serde
//! count of orders, each: fingerprint 4 | count of journeys, the place of each among all
//! counters, waiting events, tombstones, poisoned keys: see [`remembered`]
//! CRC-32 of everything before it 4
//! ```
//!
//! Numbers take seven bits a byte, the lowest first; those with a length behind their name stand little-endian.
//! serde writes by postcard. Packed events stand as in memory, see [`crate::pack`]: whoever changes that, a code's
//! place or a type that serde writes changes the format.
//!
//! **Reading is total.** Any bytes give a stitcher or an error. Behind the checksum everything is checked that is
//! ever taken for granted, packed events to their last byte; and nothing is allocated for more things than there
//! are bytes for. What is over a bound of these settings goes as the bound has it.

use std::fmt;
use std::sync::Arc;

use authstitch_model::{Environment, Realm, UnixNanos};

use crate::fingerprints::{Fingerprints, entry_of, fingerprint_of};
use crate::index::{STONE, Slot};
use crate::journeys::Journeys;
use crate::live::State;
use crate::settings::Settings;
use crate::stitcher::{Stitcher, WAITING};
use bytes::{Put, Read, Reader};
use shared::{Numbers, Users};

pub mod bytes;
mod journey;
mod order;
mod remembered;
mod shared;

/// What a snapshot begins with.
const MAGIC: &[u8; 8] = b"stitcher";

/// The format that is written, and the only one that is read.
const FORMAT: u16 = 1;

/// Bytes of the checksum.
const CHECKSUM: usize = 4;

/// Why a snapshot cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It does not begin as one does.
    NoSnapshot,
    /// Another build wrote it.
    Format {
        /// Its format.
        found: u16,
        /// The one that is read.
        read: u16,
    },
    /// Its bytes are not those that were written.
    Damaged {
        /// The byte at which that showed.
        at: usize,
        /// What was found there.
        what: &'static str,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSnapshot => f.write_str("these bytes are no snapshot: restore from a file that is one"),
            Self::Format { found, read } => write!(
                f,
                "the snapshot has format {found}, this build reads format {read}: restore it with the build that \
                 wrote it"
            ),
            Self::Damaged { at, what } => {
                write!(f, "the snapshot is damaged at byte {at}: {what}; restore from the one before it")
            }
        }
    }
}

impl std::error::Error for SnapshotError {}

impl Stitcher {
    /// Writes everything that is open, waits, or is remembered.
    pub fn snapshot(&self, out: &mut Vec<u8>) {
        let begin = out.len();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        self.write_journeys(out);
        remembered::write_counters(&self.counters, out);
        remembered::write_waiting(&self.waiting, out);
        remembered::write_tombstones(&self.index, out);
        let checksum = crc32fast::hash(&out[begin..]);
        out.extend_from_slice(&checksum.to_le_bytes());
    }

    fn write_journeys(&self, out: &mut Vec<u8>) {
        let Journeys { lives, keys, blocks, environments, realms, .. } = &self.journeys;
        let there = lives.iter().filter(|(_, live)| live.state != State::Gone);
        let mut by_id: Vec<_> = there.map(|(slot, live)| (live.id, slot)).collect();
        by_id.sort_unstable();
        let (mut environment_numbers, mut realm_numbers) = (Numbers::default(), Numbers::default());
        let (mut packed, mut numbered) = (Vec::new(), Vec::new());
        let mut numbers = Numbers::default();
        out.number(by_id.len() as u64);
        for (_, slot) in by_id {
            numbers.of(slot);
            let live = &lives[slot];
            journey::write(live, keys, &self.journeys.linked_of(live), realm_numbers.of(live.realm), out);
            let number = |place| environment_numbers.of(place);
            journey::write_events(live, blocks, (&mut packed, &mut numbered), number, out);
        }
        for place in environment_numbers.places {
            out.serde(&**environments.value(place));
        }
        for place in realm_numbers.places {
            out.serde(realms.value(place));
        }
        order::write(&self.index.places, |slot| numbers.known(slot), out);
    }

    /// A stitcher that goes on where the one went on that was written, by these settings: the same changes and counters
    /// at the same times. [`Self::next_deadline`] can be another time, as it may be too early; it is never too late.
    ///
    /// Above a bound of journeys that is less than what was written it stays until enough have been forgotten.
    ///
    /// # Errors
    ///
    /// If the bytes are not those of a snapshot of this format.
    pub fn restore(settings: Settings, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let head = bytes.split_first_chunk().filter(|(magic, _)| *magic == MAGIC);
        let (format, _) =
            head.and_then(|(_, rest)| rest.split_first_chunk()).ok_or(SnapshotError::NoSnapshot)?;
        let found = u16::from_le_bytes(*format);
        if found != FORMAT {
            return Err(SnapshotError::Format { found, read: FORMAT });
        }
        let begin = MAGIC.len() + format.len();
        let end = bytes.len().saturating_sub(CHECKSUM).max(begin);
        let mut checksum = Reader::new(&bytes[end..], bytes.len());
        let right = u32::from_le_bytes(checksum.array()?) == crc32fast::hash(&bytes[..end]);
        checksum.ensure(right, "the checksum is another")?;
        let mut stitcher = Self::new(settings);
        stitcher.read(&mut Reader::new(&bytes[begin..end], end))?;
        Ok(stitcher)
    }

    fn read(&mut self, bytes: &mut Reader<'_>) -> Read<()> {
        let (mut identities, mut places) = (Vec::new(), Vec::new());
        self.journeys.read(bytes, &mut identities, &mut places)?;
        places.sort_unstable();
        order::read(bytes, &mut places)?;
        self.counters = remembered::read_counters(bytes)?;
        self.waiting = remembered::read_waiting(bytes, &self.settings, &mut identities)?;
        self.index.tombstones = remembered::read_tombstones(bytes, &mut places)?;
        remembered::read_poisoned(bytes, &mut self.index)?;
        bytes.ensure(bytes.is_empty(), "more bytes than a snapshot has")?;
        // Those of one fingerprint keep their order: journeys, then tombstones.
        places.sort_by_key(|entry| fingerprint_of(*entry));
        self.index.places = Fingerprints::of_sorted(&places);
        identities.sort_unstable();
        self.identities = Fingerprints::of_sorted(&identities);
        self.index.expire(UnixNanos(0));
        self.queue();
        Ok(())
    }

    /// Queues every journey as its state has it.
    fn queue(&mut self) {
        let mut closed = Vec::new();
        for slot in 0..self.journeys.lives.len() as Slot {
            match self.live(slot).state {
                State::Closed { at, .. } => closed.push((at, self.live(slot).id, slot)),
                _ => {
                    self.enter_open(slot);
                    let (deadline, _) = self.closing(slot);
                    self.timers.arm(&mut self.journeys.lives, slot, deadline);
                }
            }
        }
        closed.sort_unstable();
        for (.., slot) in closed {
            self.closed.push(&mut self.journeys.lives, slot);
        }
    }
}

impl Journeys {
    /// Reads all journeys, each to the place of its number, as nothing was in these before. Adds where each identity
    /// and each key that leads there is found.
    fn read(&mut self, bytes: &mut Reader<'_>, identities: &mut Vec<u64>, places: &mut Vec<u64>) -> Read<()> {
        let (mut environments, mut realms) = (Users::default(), Users::default());
        let (mut kinds, mut before) = (Vec::new(), None);
        for _ in 0..bytes.count(journey::LEAST)? {
            let (mut live, linked) = journey::read(bytes, &mut self.keys, &mut kinds)?;
            bytes.ensure(before <= Some(live.id), "a journey out of its order")?;
            before = Some(live.id);
            bytes.ensure(realms.add(live.realm), "a realm out of its order")?;
            let slot = self.lives.len() as Slot;
            bytes.ensure(slot < STONE.min(WAITING), "more journeys than there can be")?;
            journey::read_events(bytes, &mut live, (&kinds, &mut self.blocks), |identity, environment| {
                identities.push(entry_of(identity.0, slot));
                environments.add(environment)
            })?;
            let leading = live.keys.iter(&self.keys).filter(|key| key.leads());
            places.extend(leading.map(|key| entry_of(key.value(), slot)));
            self.lives.insert(live);
            self.set_linked(slot, linked);
        }
        self.environments = environments.read(bytes, Arc::<Environment>::new)?;
        self.realms = realms.read(bytes, |realm: Realm| realm)?;
        Ok(())
    }
}
