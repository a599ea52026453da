//! The parts of the service from a start to a crash, each a turn at a time.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use authstitch_engine::Effect;
use authstitch_journal::disk::simulated::Simulated;
use authstitch_model::{Forget, Position, UnixNanos};
use authstitch_store::{Change, Store, StoreError};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::sync::{mpsc, oneshot};

use crate::judge::Judge;
use crate::recovery::Onward;
use crate::refusal::Refusal;
use crate::shards::{Asked, Gone, Work};
use crate::sink::{Delivery, Keep, Sink};
use crate::writer::{After, Job, Writer};

/// Deliveries and jobs that may wait: more than ever do.
pub(super) const MANY: usize = 10_000;

/// The store of a machine. Its transactions are whole or not at all, whenever the machine stops.
#[derive(Debug)]
pub(super) struct OnMachine {
    pub store: Arc<Mutex<Store>>,
    pub disk: Simulated,
    pub chance: ChaCha8Rng,
    /// So many transactions fail.
    pub fails: u32,
}

impl Keep for OnMachine {
    fn keep(&mut self, changes: &[Change], position: Position) -> Result<u64, StoreError> {
        let failed = StoreError::Sqlite { doing: "a test", source: rusqlite::Error::InvalidQuery };
        if self.fails > 0 {
            self.fails -= 1;
            return Err(failed);
        }
        let mut store = self.store.lock().unwrap();
        match self.disk.step_elsewhere() {
            Err(_) => Err(failed),
            Ok(false) => store.apply(changes, position),
            Ok(true) => {
                // Before it, or after it and before anybody knows.
                if self.chance.random() {
                    store.apply(changes, position)?;
                }
                Err(failed)
            }
        }
    }

    fn recall(&self, forget: &mut Forget) -> Result<(), StoreError> {
        self.store.lock().unwrap().recall(forget)
    }

    fn forget(&mut self, forget: &Forget) -> Result<u64, StoreError> {
        self.store.lock().unwrap().forget(forget)
    }

    fn retire(&mut self, before: UnixNanos, most: usize) -> Result<usize, StoreError> {
        self.store.lock().unwrap().retire(before, most)
    }
}

/// The way to the store during a recovery.
pub(super) struct Direct<'a>(pub &'a mut Sink<OnMachine>);

impl Onward for Direct<'_> {
    fn hand_on(&mut self, effects: Vec<Effect>, position: Position) -> Result<(), Gone> {
        self.0.take(Delivery::Effects { effects, position, again: true, ticket: None });
        self.0.write();
        Ok(())
    }

    fn settle(&mut self) -> Result<bool, Gone> {
        let (answer, mut stored) = oneshot::channel();
        self.0.take(Delivery::Flush(answer));
        self.0.write();
        stored.try_recv().map_err(|_| Gone)
    }
}

/// A request under way, and its answer.
pub(super) type Answer = (u64, oneshot::Receiver<Result<(), Refusal>>);

/// All parts, between two turns.
pub(super) struct Life {
    pub writer: Writer<Simulated>,
    pub jobs: SyncSender<Job>,
    pub waiting: Receiver<Job>,
    /// None that died.
    pub engines: Vec<Option<(Judge, mpsc::Receiver<Work>)>>,
    pub sink: Sink<OnMachine>,
    pub deliveries: Receiver<Delivery>,
    /// What a thread would write.
    pub snapshot: Option<Box<dyn FnOnce() + Send>>,
    pub answers: Vec<Answer>,
}

impl Life {
    /// The writer does what waits for it.
    pub fn write(&mut self) {
        self.writer.look_for_snapshot();
        let Ok(job) = self.waiting.try_recv() else { return };
        match self.writer.turn(job, &self.waiting) {
            After::Go => {}
            After::Snapshot(write) => self.snapshot = Some(write),
            After::Stop(_) => unreachable!("stopping is no turn"),
        }
    }

    /// An engine does so many pieces of work.
    pub fn judge(&mut self, number: usize, most: usize) {
        let Some((judge, queue)) = &mut self.engines[number] else { return };
        let mut batch: Vec<_> = std::iter::from_fn(|| queue.try_recv().ok()).take(most).collect();
        judge.turn(&mut batch).unwrap();
    }

    /// The store's writer takes so many deliveries, and tries to write.
    pub fn store(&mut self, most: usize) -> bool {
        for delivery in self.deliveries.try_iter().take(most) {
            self.sink.take(delivery);
        }
        self.sink.write()
    }

    /// Engines and store do all that waits; false if the machine stopped meanwhile.
    pub fn settle(&mut self) -> bool {
        for number in 0..self.engines.len() {
            self.judge(number, MANY);
        }
        while !self.store(MANY) {
            if self.writer_has_stopped() {
                return false;
            }
        }
        true
    }

    /// The thread of the snapshot ends its work, once engines and store have done what it waits for.
    pub fn end_snapshot(&mut self) {
        if self.snapshot.is_some()
            && self.settle()
            && let Some(write) = self.snapshot.take()
        {
            write();
        }
    }

    /// Ends in order; false if the machine stopped meanwhile.
    pub fn stop(&mut self) -> bool {
        self.end_snapshot();
        self.writer.look_for_snapshot();
        if !self.settle() {
            return false;
        }
        let asked = self.writer.ask_last();
        if !self.settle() {
            return false;
        }
        let is_last = self.writer.stop(asked.and_then(Asked::wait)).is_ok();
        is_last && self.settle()
    }

    fn writer_has_stopped(&self) -> bool {
        self.sink.store.as_ref().is_some_and(|store| store.disk.has_stopped())
    }
}

/// A queue of jobs.
pub(super) fn jobs() -> (SyncSender<Job>, Receiver<Job>) {
    sync_channel(MANY)
}
