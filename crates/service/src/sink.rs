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
use authstitch_store::{Change, Store, StoreError};
use tokio::sync::oneshot;

use crate::caps;
use crate::clock::SystemClock;
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
    /// What is asked of the store, once everything before is stored.
    Question(Question),
}

/// What the store is asked.
#[derive(Debug)]
pub(crate) enum Question {
    /// Add the journeys that are stored under the named ids and keys.
    Recall(Forget, oneshot::Sender<Result<Forget, String>>),
    /// Forget journeys; answer how many were.
    Forget(Arc<Forget>, oneshot::Sender<Result<u64, String>>),
}

/// What changes are written down in.
pub(crate) trait Keep {
    /// Writes changes and the position that they bring it to, all or nothing; gives how many were news.
    fn keep(&mut self, changes: &[Change], position: Position) -> Result<u64, StoreError>;

    /// Adds what is known of the named ids and keys.
    fn recall(&self, forget: &mut Forget) -> Result<(), StoreError>;

    /// Forgets journeys; gives how many there were.
    fn forget(&mut self, forget: &Forget) -> Result<u64, StoreError>;

    /// Removes journeys from before a time, so many at most; gives how many.
    fn retire(&mut self, before: UnixNanos, most: usize) -> Result<usize, StoreError>;
}

impl Keep for Store {
    fn keep(&mut self, changes: &[Change], position: Position) -> Result<u64, StoreError> {
        self.apply(changes, position)
    }

    fn recall(&self, forget: &mut Forget) -> Result<(), StoreError> {
        self.recall(forget)
    }

    fn forget(&mut self, forget: &Forget) -> Result<u64, StoreError> {
        self.forget(forget)
    }

    fn retire(&mut self, before: UnixNanos, most: usize) -> Result<usize, StoreError> {
        self.retire(before, most)
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
    /// None where what is received has no age.
    pub retention: Option<Retention>,
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

impl<S: Keep> Sink<S> {
    /// Works until the engine is gone.
    pub(crate) fn run(mut self, deliveries: &Receiver<Delivery>) {
        loop {
            self.retire();
            let mut question = match deliveries.recv_timeout(self.wait()) {
                Ok(delivery) => self.take(delivery),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while question.is_none()
                && self.waiting.changes.len() < caps::STORE_BATCH
                && let Ok(delivery) = deliveries.try_recv()
            {
                question = self.take(delivery);
            }
            while !self.write() {
                std::thread::park_timeout(caps::STORE_RETRY);
            }
            if let Some(question) = question {
                self.answer(question);
            }
        }
    }

    /// How long it may sleep before it looks for what is too old; without a store nothing ever is.
    fn wait(&self) -> Duration {
        let retention = self.retention.as_ref().filter(|_| self.store.is_some());
        retention.map_or(caps::RETIRE_LOOK, Retention::wait)
    }

    /// Takes what the next transaction is to write; gives back what is to be answered behind it.
    pub(crate) fn take(&mut self, delivery: Delivery) -> Option<Question> {
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
            Delivery::Question(question) => return Some(question),
        }
        None
    }

    /// Answers a question; whoever asked may have gone.
    fn answer(&mut self, question: Question) {
        match question {
            Question::Recall(mut forget, answer) => {
                let recalled = self.store.as_ref().map_or(Ok(()), |store| store.recall(&mut forget));
                drop(answer.send(recalled.map(|()| forget).map_err(|error| error.to_string())));
            }
            Question::Forget(forget, answer) => {
                let forgotten = self.store.as_mut().map_or(Ok(0), |store| store.forget(&forget));
                drop(answer.send(forgotten.map_err(|error| error.to_string())));
            }
        }
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

    /// Tries to write what was taken, and answers who waits for it; false if it is to be tried again.
    pub(crate) fn write(&mut self) -> bool {
        let Waiting { changes, position, flushes, tickets, given_up } = &mut self.waiting;
        if let Some(store) = self.store.as_mut().filter(|_| !changes.is_empty()) {
            let last_try = self.stopping.load(Ordering::Acquire);
            self.health.begins(PART, caps::STORE_HANGS);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sleeps_until_something_may_be_too_old_and_without_a_store_nothing_is() {
        let sink = |store| Sink {
            store,
            counters: Arc::default(),
            health: Arc::default(),
            stopping: Arc::default(),
            waiting: Waiting::default(),
            retention: Some(Retention::of(Millis(1000))),
        };
        let directory = tempfile::tempdir().unwrap();
        let mut with = sink(Some(Store::open(directory.path()).unwrap()));
        assert_eq!(with.wait(), Duration::ZERO);
        with.retire();
        assert!(!with.wait().is_zero() && with.wait() <= caps::RETIRE_LOOK);
        assert_eq!(sink(None).wait(), caps::RETIRE_LOOK);
    }
}
