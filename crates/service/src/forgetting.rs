//! Forgetting: what is known under a key leaves engines, store, snapshots and journal.
//!
//! - First it is found out what is known: open journeys and those that take late events in the engines, the others in the
//!   store; a raw value as every kind of key in every realm that either knows, as a look-up does.
//! - What was found is written to the journal: the record says all that is to be erased. Then the engines forget it, then
//!   the store; then a snapshot is made of engines that know nothing of it; then the events leave the journal, and at the
//!   very end the record loses what it says.
//! - The snapshot stands at the position before the record. So whatever breaks off, the next start reads the record, has its
//!   engines forget again, which changes nothing, and the rest is done once more. Until all of it is done no other snapshot
//!   is made, and nobody is told that it is. Another one follows, as this one lets go nothing.
//! - Requests wait meanwhile: for a snapshot, for the journal to be written anew and the store's pages to be looked through.
//! - Without a journal engines and store forget, and nothing has to be done again.
//! - Where files are left with which the server does not work, it says that it is not forgotten there, see `unreached`.

use std::path::PathBuf;
use std::sync::Arc;

use authstitch_engine::line;
use authstitch_journal::{Body, Disk};
use authstitch_model::ids::Text;
use authstitch_model::{Forget, JourneyId, Position, Realm, Secret};
use authstitch_store::Reader;

use crate::counters::Counters;
use crate::engines::snapshot;
use crate::find;
use crate::shards::{Gone, Shards, Work};
use crate::sink::{Delivery, Question};
use crate::unreached::Unreached;
use crate::writer::Writer;

mod without_server;

pub use without_server::forget;

/// The kind of the journal's records that say what is forgotten.
pub(crate) const FORGET: &str = "forget";

/// Its name in the health answer.
pub(crate) const PART: &str = "forgetting";

/// What somebody wants forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// A journey id, or the raw value of any key.
    pub key: String,
    /// The realm of the value, if it is named.
    pub realm: Option<String>,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Journeys, with those that had become part of another.
    pub journeys: u64,
    /// How many of them were stored.
    pub stored: u64,
    /// Events that left the journal.
    pub events: u64,
}

impl Forgotten {
    /// Whether nothing was there under the key.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.journeys == 0 && self.events == 0
    }
}

/// What it takes to find and to forget, beside the journal.
#[derive(Clone, Debug)]
pub(crate) struct Forgetting {
    pub shards: Arc<Shards>,
    pub secret: Secret,
    /// The directory of the store, if there is one.
    pub store: Option<PathBuf>,
    pub counters: Arc<Counters>,
    pub unreached: Unreached,
}

impl Forgetting {
    /// What is known under a key. What nobody knows under the named ids is left out; keys stay, as events that are in no
    /// journey may carry them.
    pub(crate) fn find(&self, wanted: &Wanted) -> Result<Forget, String> {
        let key = wanted.key.trim();
        if let Some(id) = JourneyId::parse(key) {
            let named = Forget { journeys: [id].into(), ..Forget::default() };
            let known = self.recall(named)?;
            // An id that became part of another is known by that alone.
            if !known.events.is_empty() || known.journeys.len() > 1 {
                return Ok(known);
            }
        }
        let realms = match &wanted.realm {
            Some(realm) => vec![realm.clone()],
            None => self.realms()?,
        };
        let named = realms.iter().flat_map(|realm| find::hashes(&self.secret, realm, key)).collect();
        self.recall(Forget { named, ..Forget::default() })
    }

    /// The realms that the engines or the store know.
    fn realms(&self) -> Result<Vec<String>, String> {
        let open: Vec<Vec<Realm>> = self.shards.ask_blocking(Work::Realms).map_err(gone)?;
        let mut realms: Vec<_> = open.into_iter().flatten().map(|realm| realm.as_str().to_owned()).collect();
        if let Some(store) = &self.store {
            let stored = Reader::open(store, line).and_then(|reader| find::realms(&reader));
            realms.extend(stored.map_err(|error| error.to_string())?);
        }
        realms.sort_unstable();
        realms.dedup();
        Ok(realms)
    }

    /// Adds all that engines and store know; the store comes between, for it knows which journey took the place of which.
    fn recall(&self, mut forget: Forget) -> Result<Forget, String> {
        let known = self.shards.ask_blocking(|answer| Work::Recall(forget.clone(), answer)).map_err(gone)?;
        known.into_iter().for_each(|known| forget.extend(known));
        let stored = self
            .shards
            .deliver_blocking(|answer| Delivery::Question(Question::Recall(forget.clone(), answer)));
        forget.extend(stored.map_err(gone)??);
        let known = self.shards.ask_blocking(|answer| Work::Recall(forget.clone(), answer)).map_err(gone)?;
        known.into_iter().for_each(|known| forget.extend(known));
        Ok(forget)
    }

    /// Has engines and store forget, and counts it; gives how many journeys were stored.
    pub(crate) fn forget(&self, forget: &Arc<Forget>) -> Result<u64, String> {
        self.shards.ask_blocking(|answer| Work::Forget(Arc::clone(forget), answer)).map_err(gone)?;
        if forget.journeys.is_empty() && forget.named.is_empty() {
            return Ok(0);
        }
        let question = |answer| Delivery::Question(Question::Forget(Arc::clone(forget), answer));
        let stored = self.shards.deliver_blocking(question).map_err(gone)??;
        self.counters.forgotten.add(forget.journeys.len() as u64);
        Ok(stored)
    }
}

fn gone(Gone: Gone) -> String {
    "the engine or the store's writer is gone; start authstitch again".to_owned()
}

impl<D: Disk<File: Send> + Send + 'static> Writer<D> {
    /// Forgets what is known under a key, everywhere.
    pub(crate) fn forget(&mut self, wanted: &Wanted) -> Result<Forgotten, String> {
        // One that was begun before would bring back what is forgotten.
        self.wait_for_snapshot();
        let found = self.forgetting.find(wanted)?;
        if found.is_empty() {
            return Ok(Forgotten::default());
        }
        let journeys = found.journeys.len() as u64;
        let mut wanted = self.unfinished.clone().unwrap_or_default();
        wanted.extend(found);
        let wanted = Arc::new(wanted);
        // What could not even be written down is as if nobody had asked.
        let before = self.note(&wanted)?;
        self.unfinished = Some(Forget::clone(&wanted));
        let done = self.carry_out(before, &wanted)?;
        Ok(Forgotten { journeys, ..done })
    }

    /// Does all that is left to be done of what was to be forgotten.
    pub(crate) fn finish_forgetting(&mut self) -> Result<Forgotten, String> {
        let Some(forget) = &self.unfinished else { return Ok(Forgotten::default()) };
        let forget = Arc::new(forget.clone());
        self.wait_for_snapshot();
        let before = self.note(&forget);
        if let Err(why) = &before {
            self.not_finished(why);
        }
        self.carry_out(before?, &forget)
    }

    /// Erases what is written down.
    fn carry_out(&mut self, before: Position, forget: &Arc<Forget>) -> Result<Forgotten, String> {
        let done = self.erase(before, forget);
        match &done {
            Ok(_) => {
                self.unfinished = None;
                // Only the next lets go what stands before this one.
                self.snapshots.wanted = true;
                self.health.works(PART);
            }
            Err(why) => self.not_finished(why),
        }
        done
    }

    fn not_finished(&mut self, why: &str) {
        self.health.failing(PART, format!("not finished, and tried again: {why}"));
        self.snapshots.failed = Some(self.clock.now());
    }

    /// Writes down what is to be forgotten, unless it stands there as the last record; gives the position before that.
    fn note(&mut self, forget: &Forget) -> Result<Position, String> {
        if self.gone {
            return Err(gone(Gone));
        }
        let before = self.journal.committed();
        if self.noted == Some(before) && self.unfinished.as_ref() == Some(forget) {
            return Ok(Position(before.0 - 1));
        }
        let (kind, bytes) = (Text::bounded(FORGET), forget.to_bytes());
        let body = Body::Setting { kind: &kind, bytes: &bytes };
        self.journal.append(self.clock.now(), body).map_err(|refused| refused.to_string())?;
        self.sync().map_err(|poisoned| poisoned.to_string())?;
        self.noted = Some(self.journal.committed());
        Ok(before)
    }

    fn erase(&mut self, before: Position, forget: &Arc<Forget>) -> Result<Forgotten, String> {
        let stored = self.forgetting.forget(forget)?;
        let engines = self.shards.snapshot_blocking().map_err(gone)?.wait()?;
        let bytes = snapshot(&self.settings, &engines);
        let kept = self.journal.snapshot(before, &bytes).and_then(|()| self.journal.release(before));
        kept.map_err(|error| error.to_string())?;
        self.counters.snapshots.add(1);
        self.snapshots.begin(self.clock.now());
        let erased =
            self.journal.erase(|event| forget.takes(event), FORGET).map_err(|error| error.to_string())?;
        Ok(Forgotten { journeys: forget.journeys.len() as u64, stored, events: erased.events })
    }
}
