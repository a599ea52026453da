//! The sans-IO composition of stitching and classifying: one record in, effects out.
//!
//! The engine reads no clock and draws no chance. The same records in the same order give the same effects,
//! byte for byte; that is what makes a replay, a test and a crash recovery agree.
//!
//! Several engines share the work by realm, see [`shard_of`]: no event of one realm ever meets a journey of
//! another, so a realm's effects are the same whether its engine has it alone or with others, as long as no bound
//! of the engine is reached.

use std::num::NonZero;
use std::sync::Arc;

use authstitch_classify::{classify, explain};
use authstitch_model::line::JourneyLine;
use authstitch_model::{Completeness, Forget, JourneyId, Realm, Record, RecordBody, UnixNanos, fnv1a};
use authstitch_stitch::{Change, Stitcher};

mod settings;
mod snapshot;
#[cfg(test)]
mod tests;

pub use authstitch_classify::Tables;
pub use authstitch_model::Judged;
pub use authstitch_stitch::{Counters, Settings as StitchSettings, SnapshotError};
pub use settings::Settings;

/// What the outside has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A journey was judged, for the first time or anew: replace what was known under its id.
    Judged(Box<Judged>),
    /// A journey told of before is part of another: remove it.
    Merged {
        /// The one that is no more.
        journey: JourneyId,
        /// Its final revision.
        revision: u32,
        /// The one that took its place.
        into: JourneyId,
    },
}

/// The journey line, with its explanation.
#[must_use]
pub fn line(judged: &Judged) -> JourneyLine {
    let Judged { journey, verdict, tables } = judged;
    JourneyLine::new(journey, verdict, tables, explain(journey, verdict))
}

/// Which of so many shards has a realm: by a hash that never changes, so that a restart and another machine agree.
#[must_use]
pub fn shard_of(realm: &Realm, shards: NonZero<u32>) -> u32 {
    let hash = fnv1a(realm.as_str().as_bytes());
    let mixed = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((u128::from(mixed) * u128::from(shards.get())) >> 64) as u32
}

/// The engine of one shard.
#[derive(Debug)]
pub struct Engine {
    stitcher: Stitcher,
    completeness: Completeness,
    tables: Arc<Tables>,
    tables_version: Arc<str>,
    changes: Vec<Change>,
    now: UnixNanos,
}

impl Engine {
    /// An engine without journeys.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            stitcher: Stitcher::new(settings.stitch),
            completeness: settings.completeness,
            tables_version: settings.tables.version().into(),
            tables: settings.tables,
            changes: Vec::new(),
            now: UnixNanos(0),
        }
    }

    /// Takes the next record: timers due at or before its receipt time fire first, then its events are
    /// stitched in their order.
    pub fn step(&mut self, record: Record, effects: &mut Vec<Effect>) {
        debug_assert!(record.received >= self.now, "receipt time never goes back");
        self.now = record.received;
        self.stitcher.advance(record.received, &mut self.changes);
        match record.body {
            RecordBody::Events(events) => {
                self.stitcher.look_ahead(&events);
                for event in &events {
                    self.stitcher.accept(record.received, event, &mut self.changes);
                }
            }
            RecordBody::Tick => {}
        }
        self.judge(effects);
    }

    /// Judges by other tables from here on. What was judged stays as it is until it is judged anew.
    pub fn set_tables(&mut self, tables: Arc<Tables>) {
        self.tables_version = tables.version().into();
        self.tables = tables;
    }

    /// Adds every journey known under the ids and keys that are named, with its events.
    pub fn recall(&mut self, forget: &mut Forget) {
        self.stitcher.recall(forget);
    }

    /// The realms of which anything is open, waits or takes late events, each once, in order.
    #[must_use]
    pub fn realms(&self) -> Vec<Realm> {
        self.stitcher.realms()
    }

    /// Forgets journeys for good, and whatever leads to them; no effect tells of it.
    pub fn forget(&mut self, forget: &Forget) {
        self.stitcher.erase(forget);
    }

    /// Closes the oldest open journeys as `shutdown`, for a service without a journal. Says whether more are open:
    /// whoever asks hands on the effects before it asks again, so that never all of them are in memory at once.
    pub fn shut_down(&mut self, effects: &mut Vec<Effect>) -> bool {
        /// As many as keep their memory in the cache.
        const AT_ONCE: usize = 64;
        let more = self.stitcher.shut_down(self.now, AT_ONCE, &mut self.changes);
        self.judge(effects);
        more
    }

    /// The earliest time at which something happens without another event.
    #[must_use]
    pub fn next_deadline(&self) -> Option<UnixNanos> {
        self.stitcher.next_deadline()
    }

    /// How often each thing happened in stitching.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.stitcher.counters()
    }

    fn judge(&mut self, effects: &mut Vec<Effect>) {
        effects.extend(self.changes.drain(..).map(|change| match change {
            Change::Closed(journey) => {
                let verdict = classify(&journey, &self.completeness, &self.tables);
                let tables = Arc::clone(&self.tables_version);
                Effect::Judged(Box::new(Judged { journey: *journey, verdict, tables }))
            }
            Change::Merged { journey, revision, into } => Effect::Merged { journey, revision, into },
        }));
    }
}
