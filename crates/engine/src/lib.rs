//! The sans-IO composition of stitching and classifying: one record in, effects out.
//!
//! The engine reads no clock and draws no chance. The same records in the same order give the same effects,
//! byte for byte; that is what makes a replay, a test and a crash recovery agree.

use std::sync::Arc;

use authstitch_classify::{classify, explain};
use authstitch_model::line::JourneyLine;
use authstitch_model::{Completeness, Journey, JourneyId, KeyHash, Record, RecordBody, UnixNanos, Verdict};
use authstitch_stitch::{Change, Stitcher};

pub use authstitch_classify::Tables;
pub use authstitch_stitch::{Counters, Settings as StitchSettings};

#[cfg(test)]
mod tests;

/// Everything that decides beside the records.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How events become journeys.
    pub stitch: StitchSettings,
    /// How much telemetry arrives.
    pub completeness: Completeness,
    /// Likelihoods and priors.
    pub tables: Arc<Tables>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stitch: StitchSettings::default(),
            completeness: Completeness::default(),
            tables: Tables::shipped(),
        }
    }
}

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

/// A journey with its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What was stitched.
    pub journey: Journey,
    /// What it means.
    pub verdict: Verdict,
    /// The version of the tables that said so.
    pub tables: Arc<str>,
}

impl Judged {
    /// The journey line, with its explanation.
    #[must_use]
    pub fn line(&self) -> JourneyLine {
        JourneyLine::new(&self.journey, &self.verdict, &self.tables, explain(&self.journey, &self.verdict))
    }

    /// Every key under which the journey can be looked up, without repetition, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyHash> {
        let events = self.journey.events.iter();
        let mut keys: Vec<_> = events
            .flat_map(|event| {
                let keys = &event.event.keys;
                keys.strong().map(|(_, key)| key).chain(keys.flow).chain(keys.session).collect::<Vec<_>>()
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
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
                for event in events {
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

    /// Closes every open journey as `shutdown`, for a service without a journal.
    pub fn shut_down(&mut self, effects: &mut Vec<Effect>) {
        self.stitcher.shut_down(self.now, &mut self.changes);
        self.judge(effects);
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
