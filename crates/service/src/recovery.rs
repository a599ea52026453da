//! Opening the journal: the engines become what they were, and what they bring about again reaches the store again.
//!
//! - The engines are restored from the newest whole snapshot and fed with the entries behind it, before anything new is
//!   taken. The store knows which revisions of which journeys it has, and takes none twice; if it does not take what is
//!   brought about again, the service does not start.
//! - What decided then decides again; what decides now is written down behind it, if it differs.
//! - What was to be forgotten is forgotten again; the journal's thread then does what is left of it.
//! - A record on which an engine panics ends that engine, and the health answer says so. If it panics again here, it is passed over, counted
//!   and told: reading begins anew without it, up to [`caps::QUARANTINED`] times.
//! - Damage that the journal set aside is told and does not keep the service from starting.
//! - Time goes on from where it was, whatever this machine's clock says now.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::SyncSender;

use authstitch_engine::{self as engine, Effect};
use authstitch_journal::{
    self as journal, Body, Directory, Entry, Journal, ReadError, Recovery, Setting, Stamp,
};
use authstitch_model::ids::Text;
use authstitch_model::{Forget, Position, UnixNanos};
use tokio::sync::oneshot;

use crate::caps;
use crate::clock::SystemClock;
use crate::engines::{Engines, Unusable};
use crate::error::StartError;
use crate::forgetting::FORGET;
use crate::sink::Delivery;
use crate::writer::SETTINGS;

/// What decides from now on, in how many engines.
#[derive(Clone, Debug)]
pub(crate) struct Decides {
    pub settings: engine::Settings,
    pub shards: NonZero<u32>,
}

/// A journal that was read, and the engines that it makes.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub journal: Journal<Directory>,
    pub engines: Engines,
    pub clock: SystemClock,
    /// What was found, a line each, for a person.
    pub told: Vec<String>,
    /// Records passed over.
    pub quarantined: u64,
    /// What was to be forgotten, and may not be everywhere yet.
    pub unfinished: Option<Forget>,
}

/// Opens the journal in a directory. `applied` is what the store has seen. Where nothing new decides, what the journal says
/// goes on to.
pub(crate) fn recover(
    directory: &Path,
    settings: &journal::Settings,
    decides: Option<Decides>,
    applied: Position,
    sink: &SyncSender<Delivery>,
) -> Result<Recovered, StartError> {
    let seen = Stamp { position: applied, received: UnixNanos(0) };
    let open = || -> Result<(Journal<Directory>, Recovery<Directory>), StartError> {
        let disk = Directory::open(directory).map_err(|source| StartError::DataDir {
            path: directory.to_owned(),
            doing: "opening",
            source,
        })?;
        Journal::open(disk, settings.clone(), seen).map_err(StartError::Journal)
    };
    let mut quarantine = BTreeSet::new();
    loop {
        let (journal, recovery) = open()?;
        let mut told = report(&recovery.report);
        match replay(recovery, decides.as_ref(), sink, &quarantine, &mut told)? {
            Replay::Done { engines, latest, known, unfinished } => {
                let clock = SystemClock::start_after(latest);
                let mut recovered = Recovered {
                    journal,
                    engines: *engines,
                    clock,
                    told,
                    quarantined: quarantine.len() as u64,
                    unfinished,
                };
                if let Some(Decides { settings, .. }) = decides {
                    recovered.decide(settings, known)?;
                }
                return Ok(recovered);
            }
            Replay::Panicked(position) => {
                quarantine.insert(position);
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
    /// With a panic on this record.
    Panicked(Position),
}

fn replay(
    recovery: Recovery<Directory>,
    decides: Option<&Decides>,
    sink: &SyncSender<Delivery>,
    quarantine: &BTreeSet<Position>,
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
        if quarantine.contains(&position) {
            told.push(format!(
                "journal: record {} makes the engine panic and is passed over; please report it",
                position.0
            ));
            continue;
        }
        match entry {
            Entry::Record(record) => {
                let stepped = catch_unwind(AssertUnwindSafe(|| engines.step(record, &mut effects)));
                if stepped.is_err() {
                    return Ok(Replay::Panicked(position));
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
            hand_on(&mut effects, position, sink)?;
        }
    }
    hand_on(&mut effects, Position(0), sink)?;
    let (answer, stored) = oneshot::channel();
    sink.send(Delivery::Flush(answer)).map_err(|_gone| StartError::StoreGone)?;
    if !stored.blocking_recv().unwrap_or(false) {
        return Err(StartError::StoreFails);
    }
    Ok(Replay::Done { engines: Box::new(engines), latest, known, unfinished })
}

fn hand_on(
    effects: &mut Vec<Effect>,
    position: Position,
    sink: &SyncSender<Delivery>,
) -> Result<(), StartError> {
    if effects.is_empty() {
        return Ok(());
    }
    let effects = std::mem::take(effects);
    sink.send(Delivery::Effects { effects, position, again: true }).map_err(|_gone| StartError::StoreGone)
}

fn unusable_snapshot(unusable: Unusable, shards: NonZero<u32>) -> StartError {
    match unusable {
        Unusable::Shards(found) => StartError::Shards { found, wanted: shards.get() },
        Unusable::Bytes(why) => StartError::Snapshot(why),
    }
}

impl Recovered {
    /// Writes down what decides now, if it is not what decided last, or nothing did.
    fn decide(&mut self, decides: engine::Settings, known: bool) -> Result<(), StartError> {
        let bytes = decides.to_bytes();
        if known && bytes == self.engines.settings().to_bytes() {
            return Ok(());
        }
        let kind = Text::bounded(SETTINGS);
        let body = Body::Setting { kind: &kind, bytes: &bytes };
        self.journal
            .append(self.clock.now(), body)
            .map_err(|refused| StartError::Refused(refused.to_string()))?;
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
