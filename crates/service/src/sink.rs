//! The store's thread: counts verdicts and writes them down, in transactions as large as what is waiting.
//!
//! A transaction that fails is tried again until it succeeds, while the health answer says so and clients are
//! asked to come again. Once the service stops, it is tried one last time; what is given up then is counted. With a
//! journal it is brought about again at the next start.
//!
//! Now and then it removes what is too old, a piece at a time between two transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use authstitch_engine::Effect;
use authstitch_model::{Forget, Millis, Position, UnixNanos};
use authstitch_store::{Change, Store};
use tokio::sync::oneshot;

use crate::caps;
use crate::clock::SystemClock;
use crate::counters::Counters;
use crate::health::Health;

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
    },
    /// Answer once everything before is stored, or given up: whether all of it is stored.
    Flush(oneshot::Sender<bool>),
    /// Add the journeys that are stored under the named ids and keys, once everything before is stored.
    Recall(Forget, oneshot::Sender<Result<Forget, String>>),
    /// Forget journeys, once everything before is stored; answer how many were.
    Forget(Arc<Forget>, oneshot::Sender<Result<u64, String>>),
}

/// Where effects end.
#[derive(Debug)]
pub(crate) struct Sink {
    /// None if journeys are only counted.
    pub store: Option<Store>,
    pub counters: Arc<Counters>,
    pub health: Arc<Health>,
    pub stopping: Arc<AtomicBool>,
    /// None where what is received has no age.
    pub retention: Option<Retention>,
}

/// How long journeys are kept, and when it is time to look for those that are too old.
#[derive(Debug)]
pub(crate) struct Retention {
    clock: SystemClock,
    kept: Millis,
    next: UnixNanos,
}

impl Retention {
    /// Journeys are kept so long after they were first heard of.
    pub(crate) fn of(kept: Millis) -> Self {
        let clock = SystemClock::start();
        Self { clock, kept, next: clock.now() }
    }

    /// How long it is until it is time.
    fn wait(&self) -> Duration {
        Duration::from_nanos(self.next.0.saturating_sub(self.clock.now().0))
    }

    /// Before when a journey is too old, if it is time to look.
    fn due(&self) -> Option<UnixNanos> {
        let now = self.clock.now();
        (self.next <= now).then(|| UnixNanos(now.0.saturating_sub(self.kept.0.saturating_mul(1_000_000))))
    }

    /// So many were removed: soon again if there may be more.
    fn removed(&mut self, count: usize) {
        let pause = if count < caps::RETIRED_AT_ONCE { caps::RETIRE_LOOK } else { caps::RETIRE_PAUSE };
        self.next = self.clock.now().plus(Millis(pause.as_millis() as u64));
    }
}

/// The store's name in the health answer.
const PART: &str = "store";

/// The removal of what is too old, in the health answer.
const RETENTION: &str = "retention";

impl Sink {
    /// Works until the engine is gone.
    pub(crate) fn run(mut self, deliveries: &Receiver<Delivery>) {
        let mut changes = Vec::new();
        let mut flushes = Vec::new();
        let mut position = Position::default();
        let mut all_stored = true;
        loop {
            self.retire();
            let wait = self.retention.as_ref().map_or(caps::RETIRE_LOOK, Retention::wait);
            let mut next = match deliveries.recv_timeout(wait) {
                Ok(delivery) => Some(delivery),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut question = None;
            while let Some(delivery) = next {
                match delivery {
                    Delivery::Effects { effects, position: here, again } => {
                        // Shards reach their positions each in its own time.
                        position = position.max(here);
                        changes.extend(effects.into_iter().filter_map(|effect| self.change(effect, again)));
                    }
                    Delivery::Flush(answer) => flushes.push(answer),
                    delivery @ (Delivery::Recall(..) | Delivery::Forget(..)) => {
                        question = Some(delivery);
                        break;
                    }
                }
                next = if changes.len() < caps::STORE_BATCH { deliveries.try_recv().ok() } else { None };
            }
            all_stored &= self.write(&changes, position);
            changes.clear();
            for answer in flushes.drain(..) {
                // Whoever asked may have gone; then nobody wants the answer.
                let _: Result<(), bool> = answer.send(all_stored);
            }
            match question {
                Some(Delivery::Recall(forget, answer)) => drop(answer.send(self.recall(forget))),
                Some(Delivery::Forget(forget, answer)) => drop(answer.send(self.forget(&forget))),
                _ => {}
            }
        }
    }

    fn recall(&self, mut forget: Forget) -> Result<Forget, String> {
        let recalled = self.store.as_ref().map_or(Ok(()), |store| store.recall(&mut forget));
        recalled.map(|()| forget).map_err(|error| error.to_string())
    }

    fn forget(&mut self, forget: &Forget) -> Result<u64, String> {
        let forgotten = self.store.as_mut().map_or(Ok(0), |store| store.forget(forget));
        forgotten.map_err(|error| error.to_string())
    }

    /// Removes some of what is too old, if it is time to look.
    fn retire(&mut self) {
        let (Some(store), Some(retention)) = (&mut self.store, &mut self.retention) else { return };
        let Some(before) = retention.due() else { return };
        match store.retire(before, caps::RETIRED_AT_ONCE) {
            Ok(count) => {
                self.counters.retired.add(count as u64);
                retention.removed(count);
                self.health.works(RETENTION);
            }
            Err(error) => {
                retention.removed(0);
                self.health.failing(RETENTION, error.to_string());
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
