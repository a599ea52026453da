//! The store's thread: counts verdicts and writes them down, in transactions as large as what is waiting.
//!
//! A transaction that fails is tried again until it succeeds, while the health answer says so and clients are
//! asked to come again. Once the service stops, it is tried one last time; what is given up then is counted. With a
//! journal it is brought about again at the next start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use authstitch_engine::Effect;
use authstitch_model::Position;
use authstitch_store::{Change, Store};
use tokio::sync::oneshot;

use crate::caps;
use crate::counters::Counters;
use crate::health::Health;
use crate::lag::Ticket;

/// What the sink is given, in order.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// Effects, and the position they bring the store to.
    Effects {
        /// In their order.
        effects: Vec<Effect>,
        /// Everything up to here is in them or in what came before.
        position: Position,
        /// They were brought about by records that were read from the journal again, and may have been counted.
        again: bool,
        /// Held until they are stored, or given up; what is read again at a start holds none.
        ticket: Option<Ticket>,
    },
    /// Answer once everything before is stored, or given up: whether all of it is stored.
    Flush(oneshot::Sender<bool>),
}

/// Where effects end.
#[derive(Debug)]
pub(crate) struct Sink {
    /// None if journeys are only counted.
    pub store: Option<Store>,
    pub counters: Arc<Counters>,
    pub health: Arc<Health>,
    pub stopping: Arc<AtomicBool>,
}

/// The store's name in the health answer.
const PART: &str = "store";

impl Sink {
    /// Works until the engine is gone.
    pub(crate) fn run(mut self, deliveries: &Receiver<Delivery>) {
        let mut changes = Vec::new();
        let mut flushes = Vec::new();
        let mut tickets = Vec::new();
        let mut position = Position::default();
        let mut all_stored = true;
        while let Ok(delivery) = deliveries.recv() {
            let mut next = Some(delivery);
            while let Some(delivery) = next {
                match delivery {
                    Delivery::Effects { effects, position: here, again, ticket } => {
                        tickets.extend(ticket);
                        // Shards reach their positions each in its own time.
                        position = position.max(here);
                        changes.extend(effects.into_iter().filter_map(|effect| self.change(effect, again)));
                    }
                    Delivery::Flush(answer) => flushes.push(answer),
                }
                next = if changes.len() < caps::STORE_BATCH { deliveries.try_recv().ok() } else { None };
            }
            all_stored &= self.write(&changes, position);
            changes.clear();
            tickets.clear();
            for answer in flushes.drain(..) {
                // Whoever asked may have gone; then nobody wants the answer.
                let _: Result<(), bool> = answer.send(all_stored);
            }
        }
    }

    /// Counts an effect, unless it may have been, and makes it a change if there is a store.
    fn change(&self, effect: Effect, again: bool) -> Option<Change> {
        match effect {
            Effect::Judged(judged) => {
                if !again {
                    self.counters.verdict(judged.journey.flow, judged.journey.revision, &judged.verdict);
                }
                self.store.is_some().then_some(Change::Put(judged))
            }
            Effect::Merged { journey, revision, into } => {
                self.counters.merged.add(u64::from(!again));
                self.store.is_some().then_some(Change::Remove { journey, revision, into })
            }
        }
    }

    /// Stores changes; false if they had to be given up.
    fn write(&mut self, changes: &[Change], position: Position) -> bool {
        let Some(store) = self.store.as_mut().filter(|_| !changes.is_empty()) else { return true };
        loop {
            let last_try = self.stopping.load(Ordering::Acquire);
            match store.apply(changes, position) {
                Ok(()) => {
                    self.counters.stored.add(changes.len() as u64);
                    self.health.works(PART);
                    return true;
                }
                Err(error) => {
                    self.counters.store_failures.add(1);
                    self.health.failing(PART, error.to_string());
                }
            }
            if last_try {
                self.counters.lost.add(changes.len() as u64);
                return false;
            }
            std::thread::park_timeout(caps::STORE_RETRY);
        }
    }
}
