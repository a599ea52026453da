//! Opening the journal: the engines become what they were, and what they bring about again reaches the store again.
//!
//! - The engines are restored from the newest whole snapshot and fed with the entries behind it, before anything new is
//!   taken. The store knows which revisions of which journeys it has, and takes none twice; if it does not take what is
//!   brought about again, the service does not start.
//! - What decided then decides again; what decides now is written down behind it, if it differs.
//! - What was to be forgotten is forgotten again; the journal's thread then does what is left of it.
//! - A record on which an engine panics ends that engine, and the health answer says so. If it panics again here, that
//!   engine's part of it is passed over, counted and told: reading begins anew without it, up to [`caps::QUARANTINED`]
//!   times. What the record has for the realms of other shards is taken.
//! - Damage that the journal set aside is told and does not keep the service from starting.
//! - Time goes on from where it was, whatever this machine's clock says now.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::mpsc::SyncSender;

use authstitch_engine::{self as engine, Effect};
use authstitch_journal::{
    self as journal, Body, Disk, Entry, Journal, ReadError, Recovery, Refused, Setting, Stamp,
};
use authstitch_model::ids::Text;
use authstitch_model::{Forget, Position, UnixNanos};
use tokio::sync::oneshot;

use crate::caps;
use crate::clock::SystemClock;
use crate::engines::{Engines, Unusable};
use crate::error::StartError;
use crate::forgetting::FORGET;
use crate::shards::Gone;
use crate::sink::Delivery;
use crate::writer::SETTINGS;

/// The shards that pass a record over.
type Quarantine = BTreeSet<(Position, u32)>;

/// Where what is brought about again goes.
pub(crate) trait Onward {
    /// Hands it on.
    fn hand_on(&mut self, effects: Vec<Effect>, position: Position) -> Result<(), Gone>;

    /// Waits until all of it is stored, or given up: whether all of it is stored.
    fn settle(&mut self) -> Result<bool, Gone>;
}

impl Onward for SyncSender<Delivery> {
    fn hand_on(&mut self, effects: Vec<Effect>, position: Position) -> Result<(), Gone> {
        self.send(Delivery::Effects { effects, position, again: true, ticket: None }).map_err(|_closed| Gone)
    }

    fn settle(&mut self) -> Result<bool, Gone> {
        let (answer, stored) = oneshot::channel();
        self.send(Delivery::Flush(answer)).map_err(|_closed| Gone)?;
        Ok(stored.blocking_recv().unwrap_or(false))
    }
}

/// What decides from now on, in how many engines.
#[derive(Clone, Debug)]
pub(crate) struct Decides {
    pub settings: engine::Settings,
    pub shards: NonZero<u32>,
}

/// A journal that was read, and the engines that it makes.
pub(crate) struct Recovered<D: Disk> {
    pub journal: Journal<D>,
    pub engines: Engines,
    pub clock: SystemClock,
    /// What was found, a line each, for a person.
    pub told: Vec<String>,
    /// Parts of records passed over.
    pub quarantined: u64,
    /// Damaged parts of the journal.
    pub damaged: u64,
    /// What was to be forgotten, and may not be everywhere yet.
    pub unfinished: Option<Forget>,
}

/// Opens the journal on a disk, at the time that a clock shows. `applied` is what the store has seen. Where nothing new decides,
/// what the journal says goes on to.
pub(crate) fn recover<D: Disk>(
    disk: &D,
    settings: &journal::Settings,
    decides: Option<Decides>,
    applied: Position,
    clock: SystemClock,
    onward: &mut impl Onward,
) -> Result<Recovered<D>, StartError> {
    let seen = Stamp { position: applied, received: UnixNanos(0) };
    let mut quarantine = Quarantine::new();
    loop {
        let opened = Journal::open(disk.clone(), settings.clone(), seen);
        let (journal, recovery) = opened.map_err(StartError::Journal)?;
        let mut told = report(&recovery.report);
        let damaged = recovery.report.damaged_parts;
        match replay(recovery, decides.as_ref(), onward, &quarantine, &mut told)? {
            Replay::Done { engines, latest, known, unfinished } => {
                let mut recovered = Recovered {
                    journal,
                    engines: *engines,
                    clock: clock.after(latest),
                    told,
                    quarantined: quarantine.len() as u64,
                    damaged,
                    unfinished,
                };
                if let Some(Decides { settings, .. }) = decides {
                    recovered.decide(settings, known)?;
                }
                return Ok(recovered);
            }
            Replay::Panicked(position, shard) => {
                quarantine.insert((position, shard));
                if quarantine.len() > caps::QUARANTINED {
                    return Err(StartError::Replay { position, quarantined: caps::QUARANTINED });
                }
            }
        }
    }
}

/// How reading the entries ended.
enum Replay {
    /// With engines that know all of them, and the time of the last; and whether the journal says what decides.
    Done { engines: Box<Engines>, latest: UnixNanos, known: bool, unfinished: Option<Forget> },
    /// With a panic on this record, in the engine of this shard.
    Panicked(Position, u32),
}

fn replay<D: Disk>(
    recovery: Recovery<D>,
    decides: Option<&Decides>,
    onward: &mut impl Onward,
    quarantine: &Quarantine,
    told: &mut Vec<String>,
) -> Result<Replay, StartError> {
    let Recovery { snapshot, entries, .. } = recovery;
    let mut latest = UnixNanos(0);
    let mut known = snapshot.is_some();
    let mut engines = match snapshot {
        None => {
            let Decides { settings, shards } = decides.cloned().ok_or(StartError::NoSnapshot)?;
            Engines::new(settings, shards)
        }
        Some(snapshot) => {
            latest = snapshot.received;
            let wanted = decides.map(|decides| decides.shards);
            Engines::restore(&snapshot.bytes, wanted)
                .map_err(|unusable| unusable_snapshot(unusable, wanted.unwrap_or(NonZero::<u32>::MIN)))?
        }
    };
    let shards = engines.shards();
    let mut unfinished: Option<Forget> = None;
    let mut effects = Vec::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error @ ReadError::Disk { .. }) => return Err(StartError::Refused(error.to_string())),
            Err(error) => {
                told.push(format!("journal: {error}"));
                continue;
            }
        };
        latest = latest.max(entry.received());
        let position = entry.position();
        for (_, shard) in quarantine.range((position, 0)..=(position, u32::MAX)) {
            told.push(format!(
                "journal: record {} makes the engine of shard {shard} panic, which passes it over; please report it",
                position.0
            ));
        }
        match entry {
            Entry::Record(record) => {
                let passes_over = |shard| quarantine.contains(&(position, shard));
                if let Err(shard) = engines.step(record, passes_over, &mut effects) {
                    return Ok(Replay::Panicked(position, shard));
                }
            }
            Entry::Setting(Setting { kind, bytes, .. }) if kind.as_str() == SETTINGS => {
                known = true;
                let settings = engine::Settings::from_bytes(&bytes).map_err(StartError::Snapshot)?;
                engines.change(settings).map_err(|unusable| unusable_snapshot(unusable, shards))?;
            }
            Entry::Setting(Setting { kind, bytes, .. }) if kind.as_str() == FORGET && bytes.is_empty() => {}
            Entry::Setting(Setting { kind, bytes, .. }) if kind.as_str() == FORGET => {
                // The store has to have all that was brought about before it forgets, too.
                let forget = Forget::from_bytes(&bytes).ok_or(StartError::Forget(position))?;
                engines.forget(&forget);
                unfinished.get_or_insert_default().extend(forget);
            }
            Entry::Setting(setting) => {
                told.push(format!(
                    "journal: `{}` is a setting of a later version, and is ignored",
                    setting.kind
                ));
            }
        }
        if effects.len() >= caps::EFFECTS_BATCH {
            let effects = std::mem::take(&mut effects);
            onward.hand_on(effects, position).map_err(|Gone| StartError::StoreGone)?;
        }
    }
    if !effects.is_empty() {
        onward.hand_on(effects, Position(0)).map_err(|Gone| StartError::StoreGone)?;
    }
    if !onward.settle().map_err(|Gone| StartError::StoreGone)? {
        return Err(StartError::StoreFails);
    }
    Ok(Replay::Done { engines: Box::new(engines), latest, known, unfinished })
}

fn unusable_snapshot(unusable: Unusable, shards: NonZero<u32>) -> StartError {
    match unusable {
        Unusable::Shards(found) => StartError::Shards { found, wanted: shards.get() },
        Unusable::Bytes(why) => StartError::Snapshot(why),
    }
}

impl<D: Disk> Recovered<D> {
    /// Writes down what decides now, if it is not what decided last, or nothing did.
    fn decide(&mut self, decides: engine::Settings, known: bool) -> Result<(), StartError> {
        let bytes = decides.to_bytes();
        if known && bytes == self.engines.settings().to_bytes() {
            return Ok(());
        }
        let kind = Text::bounded(SETTINGS);
        let body = Body::Setting { kind: &kind, bytes: &bytes };
        let refused = |refused: Refused| StartError::Refused(refused.to_string());
        self.journal.append(self.clock.now(), body).map_err(refused)?;
        self.journal.commit().map_err(|poisoned| StartError::Refused(poisoned.to_string()))?;
        self.engines.change(decides).map_err(|unusable| match unusable {
            Unusable::Bytes(why) => StartError::Snapshot(why),
            Unusable::Shards(found) => StartError::Snapshot(format!("{found} shards")),
        })
    }
}

/// What the journal found when it was opened, a line each.
fn report(report: &journal::Report) -> Vec<String> {
    let mut told = Vec::new();
    let place = |part: &journal::Part| match &part.aside {
        Some(aside) => {
            format!("{} bytes of {} from {} on; a copy is in {aside}", part.bytes, part.file, part.begin)
        }
        None => format!(
            "{} bytes of {} from {} on; there was no room for a copy",
            part.bytes, part.file, part.begin
        ),
    };
    if let Some(torn) = &report.torn {
        told.push(format!(
            "journal: a write had broken off, and nothing of it was promised: {}",
            place(torn)
        ));
    }
    for part in &report.damaged {
        told.push(format!("journal: damaged: {}", place(part)));
    }
    let listed = report.damaged.len() as u64;
    if report.damaged_parts > listed {
        told.push(format!("journal: {} more damaged parts", report.damaged_parts - listed));
    }
    if report.lost > 0 {
        told.push(format!("journal: {} records are lost to the damage", report.lost));
    }
    told
}
