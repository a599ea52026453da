//! What should be stored: engines that were never interrupted, fed with what the journal ever held.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;

use authstitch_engine::{self as engine, Effect, line};
use authstitch_journal::{Entry, Setting};
use authstitch_model::line::JourneyLine;
use authstitch_model::{JourneyId, Judged, Position, Record, RecordBody, UnixNanos};

use crate::engines::Engines;

/// The engines, and what they brought about.
pub(super) struct Oracle {
    engines: Engines,
    last: Position,
    received: UnixNanos,
    /// The identities of events, with how often the journal held them.
    pub events: BTreeMap<u128, u64>,
    /// The newest revision of each journey; none of one that became part of another.
    journeys: BTreeMap<JourneyId, (u32, Option<Box<Judged>>)>,
}

impl Oracle {
    pub fn new(settings: engine::Settings, shards: NonZero<u32>) -> Self {
        Self {
            engines: Engines::new(settings, shards),
            last: Position(0),
            received: UnixNanos(0),
            events: BTreeMap::new(),
            journeys: BTreeMap::new(),
        }
    }

    /// Takes what a journal holds; what it took before is passed over.
    pub fn learn(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if entry.position() <= self.last {
                continue;
            }
            self.last = entry.position();
            assert!(entry.received() >= self.received, "receipt time never goes back");
            self.received = entry.received();
            match entry {
                Entry::Setting(Setting { bytes, .. }) => {
                    self.engines.change(engine::Settings::from_bytes(&bytes).unwrap()).unwrap();
                }
                Entry::Record(record) => self.step(record),
            }
        }
    }

    fn step(&mut self, record: Record) {
        if let RecordBody::Events(events) = &record.body {
            for event in events {
                *self.events.entry(event.identity.0).or_default() += 1;
            }
        }
        let mut effects = Vec::new();
        self.engines.step(record, |_| false, &mut effects).unwrap();
        for effect in effects {
            let (journey, revision, judged) = match effect {
                Effect::Judged(judged) => (judged.journey.id, judged.journey.revision, Some(judged)),
                Effect::Merged { journey, revision, .. } => (journey, revision, None),
            };
            let known = self.journeys.entry(journey).or_default();
            if known.0 < revision {
                *known = (revision, judged);
            }
        }
    }

    /// The place of the last record.
    pub const fn last(&self) -> Position {
        self.last
    }

    /// The time of the last record.
    pub const fn received(&self) -> UnixNanos {
        self.received
    }

    /// Whether these are the lines that should be stored.
    pub fn check(&self, stored: &[JourneyLine]) {
        let there: BTreeSet<_> = stored.iter().map(|line| line.journey_id).collect();
        assert_eq!(there.len(), stored.len(), "a journey is double");
        let judged = self.journeys.values().filter_map(|(_, judged)| judged.as_deref());
        let mut lost = 0;
        let expected: BTreeMap<_, _> = judged
            .map(|judged| {
                lost += u64::from(!there.contains(&judged.journey.id));
                (judged.journey.id, judged)
            })
            .collect();
        assert_eq!(lost, 0, "of {} journeys are lost", expected.len());
        for found in stored {
            let expected = expected.get(&found.journey_id).expect("nothing is stored that was not received");
            assert_eq!(*found, line(expected));
        }
    }

    /// How many journeys should be stored, and how many became part of others.
    pub fn counts(&self) -> (u64, u64) {
        let live = self.journeys.values().filter(|(_, judged)| judged.is_some()).count() as u64;
        (live, self.journeys.len() as u64 - live)
    }
}
