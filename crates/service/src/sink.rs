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
use authstitch_store::{Change, Store, StoreError};
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

/// What changes are written down in.
pub(crate) trait Keep {
    /// Writes changes and the position that they bring it to, all or nothing; gives how many were news.
    fn keep(&mut self, changes: &[Change], position: Position) -> Result<u64, StoreError>;
}

impl Keep for Store {
    fn keep(&mut self, changes: &[Change], position: Position) -> Result<u64, StoreError> {
        self.apply(changes, position)
    }
}

/// Where effects end.
#[derive(Debug)]
pub(crate) struct Sink<S> {
    /// None if journeys are only counted.
    pub store: Option<S>,
    pub counters: Arc<Counters>,
    pub health: Arc<Health>,
    pub stopping: Arc<AtomicBool>,
    pub waiting: Waiting,
}

/// What the next transaction writes, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    changes: Vec<Change>,
    position: Position,
    flushes: Vec<oneshot::Sender<bool>>,
    tickets: Vec<Ticket>,
    /// Something was given up.
    given_up: bool,
}

/// The store's name in the health answer.
const PART: &str = "store";

impl<S: Keep> Sink<S> {
    /// Works until the engine is gone.
    pub(crate) fn run(mut self, deliveries: &Receiver<Delivery>) {
        while let Ok(delivery) = deliveries.recv() {
            self.take(delivery);
            while self.waiting.changes.len() < caps::STORE_BATCH
                && let Ok(delivery) = deliveries.try_recv()
            {
                self.take(delivery);
            }
            while !self.write() {
                std::thread::park_timeout(caps::STORE_RETRY);
            }
        }
    }

    /// Takes what the next transaction is to write.
    pub(crate) fn take(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Effects { effects, position, again, ticket } => {
                self.waiting.tickets.extend(ticket);
                // Shards reach their positions each in its own time.
                self.waiting.position = self.waiting.position.max(position);
                for effect in effects {
                    let change = self.change(effect, again);
                    self.waiting.changes.extend(change);
                }
            }
            Delivery::Flush(answer) => self.waiting.flushes.push(answer),
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

    /// Tries to write what was taken, and answers who waits for it; false if it is to be tried again.
    pub(crate) fn write(&mut self) -> bool {
        let Waiting { changes, position, flushes, tickets, given_up } = &mut self.waiting;
        if let Some(store) = self.store.as_mut().filter(|_| !changes.is_empty()) {
            let last_try = self.stopping.load(Ordering::Acquire);
            self.health.begins(PART);
            match store.keep(changes, *position) {
                Ok(news) => {
                    self.counters.stored.add(news);
                    self.health.works(PART);
                }
                Err(error) => {
                    self.counters.store_failures.add(1);
                    self.health.failing(PART, error.to_string());
                    if !last_try {
                        return false;
                    }
                    self.counters.lost.add(changes.len() as u64);
                    *given_up = true;
                }
            }
        }
        changes.clear();
        tickets.clear();
        for answer in flushes.drain(..) {
            // Whoever asked may have gone; then nobody wants the answer.
            let _: Result<(), bool> = answer.send(!*given_up);
        }
        true
    }
}
