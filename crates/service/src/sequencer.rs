//! The one order of all records, and the one place that makes it.
//!
//! - A record gets the next position and a receipt time that never goes back, in one step with its place in
//!   the engine's queue.
//! - With the system's clock, order is the order of arrival here. With a schedule, it is the order of the
//!   sender's sequence: an early request waits until the ones before it have come. A sequence that was taken
//!   already is answered again and not taken twice. A request that is refused for good uses its sequence up;
//!   one that may come again does not.
//! - With a journal, its thread makes the order: a request waits for its commit, see `writer`.
//! - With the system's clock a full queue turns requests away; with a schedule the request waits, since its
//!   sender is this program's own.
//! - While nothing comes, a tick is made when a timer is due.

use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use authstitch_engine as engine;
use authstitch_model::{AuthEvent, Position, UnixNanos};
use http::HeaderMap;
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;

use crate::admission::Charge;
use crate::clock::{Clock, Stamp, SystemClock};
use crate::forgetting::{Forgetting, Forgotten, Wanted};
use crate::refusal::Refusal;
use crate::shards::{Gone, NoPlace, Places, Shards, Work};
use crate::writer::{Append, Job};

/// The one writer of records.
#[derive(Debug)]
pub(crate) struct Sequencer {
    source: Source,
    last: Mutex<Last>,
    shards: Arc<Shards>,
}

#[derive(Debug)]
enum Source {
    System(SystemClock),
    Journal(SystemClock, SyncSender<Job>),
    Schedule(watch::Sender<Turn>),
}

/// Whose turn it is on a schedule.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    next: u64,
    closed: bool,
}

/// The record before the next one.
#[derive(Debug, Default)]
struct Last {
    position: Position,
    received: UnixNanos,
}

impl Sequencer {
    /// A writer into queues. With a schedule, a queue must hold at least as many records as there may be
    /// requests in flight, so that early requests never keep the next one out.
    pub(crate) fn new(clock: Clock, shards: Arc<Shards>) -> Self {
        let source = match clock {
            Clock::System => Source::System(SystemClock::start()),
            Clock::Schedule => Source::Schedule(watch::Sender::default()),
        };
        Self { source, last: Mutex::default(), shards }
    }

    /// A writer by way of the journal's thread.
    pub(crate) fn journaled(clock: SystemClock, jobs: SyncSender<Job>, shards: Arc<Shards>) -> Self {
        Self { source: Source::Journal(clock, jobs), last: Mutex::default(), shards }
    }

    /// The stamp of a request, if this server believes one.
    pub(crate) fn stamp(&self, headers: &HeaderMap) -> Result<Option<Stamp>, Refusal> {
        match self.source {
            Source::System(_) | Source::Journal(..) => Ok(None),
            Source::Schedule(_) => Stamp::of(headers).map(Some),
        }
    }

    /// The clock by which records are received, where it is this machine's.
    pub(crate) fn clock(&self) -> Option<SystemClock> {
        match &self.source {
            Source::System(clock) | Source::Journal(clock, _) => Some(*clock),
            Source::Schedule(_) => None,
        }
    }

    /// Keeps a place in the engines' queues; with a journal its thread looks for room.
    pub(crate) async fn reserve(&self) -> Result<Option<Places<'_>>, Refusal> {
        let places = match self.source {
            Source::Journal(..) => return Ok(None),
            Source::System(_) => self.shards.try_reserve().map_err(|error| match error {
                NoPlace::Full => Refusal::Overloaded("the engine's queue is full; send again".into()),
                NoPlace::Gone => Refusal::stopping(),
            }),
            Source::Schedule(_) => self.shards.reserve().await.map_err(|Gone| Refusal::stopping()),
        };
        places.map(Some)
    }

    /// Puts a request's events into their places. Without events nothing is recorded, but a scheduled request
    /// has had its turn.
    pub(crate) async fn put(
        &self,
        places: Option<Places<'_>>,
        stamp: Option<Stamp>,
        events: Vec<AuthEvent>,
        charge: Charge,
    ) -> Result<(), Refusal> {
        match (&self.source, places) {
            (Source::Journal(_, jobs), _) => return self.append(jobs, events, charge).await,
            (_, None) => return Err(Refusal::Failed),
            (Source::System(clock), Some(places)) => {
                self.send(&mut self.last(), clock.now(), places, events, charge);
            }
            (Source::Schedule(turns), Some(places)) => {
                let Some(stamp) = stamp else { return Err(Refusal::Failed) };
                let mut waiting = turns.subscribe();
                let reached = |turn: &Turn| turn.closed || turn.next >= stamp.sequence;
                if waiting.wait_for(reached).await.is_ok_and(|turn| turn.closed) {
                    return Err(Refusal::stopping());
                }
                let mut last = self.last();
                // Two copies of one request may both have waited: the first one here is taken.
                if turns.borrow().next == stamp.sequence {
                    self.send(&mut last, stamp.received, places, events, charge);
                    turns.send_modify(|turn| turn.next += 1);
                }
            }
        }
        Ok(())
    }

    /// Has the journal's thread write a request's events down, and waits until it has.
    async fn append(
        &self,
        jobs: &SyncSender<Job>,
        events: Vec<AuthEvent>,
        charge: Charge,
    ) -> Result<(), Refusal> {
        if events.is_empty() {
            return Ok(());
        }
        let (answer, committed) = oneshot::channel();
        let ticket = self.shards.lines().journal.enter(size_of_val(events.as_slice()) as u64);
        jobs.try_send(Job::Append(Append { events, charge, answer, ticket })).map_err(
            |error| match error {
                TrySendError::Full(_) => {
                    Refusal::Overloaded("the journal's queue is full; send again".into())
                }
                TrySendError::Disconnected(_) => Refusal::stopping(),
            },
        )?;
        committed.await.unwrap_or_else(|_gone| Err(Refusal::stopping()))
    }

    fn send(
        &self,
        last: &mut Last,
        received: UnixNanos,
        places: Places<'_>,
        events: Vec<AuthEvent>,
        charge: Charge,
    ) {
        if !events.is_empty() {
            let (position, received) = last.next(received);
            self.shards.put(places, position, received, events, charge);
        }
    }

    /// Makes a tick if a timer is due; a full queue needs none, since its records bring the time along.
    pub(crate) fn tick(&self) {
        let Some(clock) = self.clock() else { return };
        if !self.shards.is_due(clock.now()) {
            return;
        }
        if let Source::Journal(_, jobs) = &self.source {
            // A full queue needs none.
            let _ = jobs.try_send(Job::Tick);
            return;
        }
        if let Ok(places) = self.shards.try_reserve() {
            let mut last = self.last();
            let (position, received) = last.next(clock.now());
            places.tick(position, received);
        }
    }

    /// Lets time run on, from deadline to deadline, until nothing is left that would happen by itself.
    pub(crate) async fn run_out(&self) -> Result<(), Gone> {
        while let Some(deadline) = self.shards.ask(Work::NextDeadline).await?.into_iter().flatten().min() {
            let places = self.shards.reserve().await?;
            let mut last = self.last();
            let (position, received) = last.next(deadline);
            places.tick(position, received);
        }
        Ok(())
    }

    /// Has everything after judged by these settings, which differ in their tables.
    pub(crate) async fn set_tables(&self, settings: engine::Settings) -> Result<(), Refusal> {
        if let Source::Journal(_, jobs) = &self.source {
            let (answer, done) = oneshot::channel();
            let asked = ask(jobs, Job::Settings(settings, answer)).await;
            return match asked {
                true => done.await.unwrap_or_else(|_gone| Err(Refusal::stopping())),
                false => Err(Refusal::stopping()),
            };
        }
        let told = self.shards.tell(|| Work::Tables(Arc::clone(&settings.tables))).await;
        told.map_err(|Gone| Refusal::stopping())
    }

    /// Has what is known under a key forgotten everywhere.
    ///
    /// # Errors
    /// Why not, or not yet, or not everywhere, for a person.
    pub(crate) async fn forget(&self, forgetting: &Forgetting, wanted: Wanted) -> Result<Forgotten, String> {
        let done = self.forget_at_work(forgetting, wanted).await?;
        let left = |what: String| format!("forgotten, but not everywhere: {what}");
        forgetting.unreached.check().map_err(left)?;
        Ok(done)
    }

    /// Has what is known under a key forgotten by all that works.
    async fn forget_at_work(&self, forgetting: &Forgetting, wanted: Wanted) -> Result<Forgotten, String> {
        let cut_off = || "authstitch is stopping; forget again".to_owned();
        if let Source::Journal(_, jobs) = &self.source {
            let (answer, done) = oneshot::channel();
            return match ask(jobs, Job::Forget(wanted, answer)).await {
                true => done.await.unwrap_or_else(|_gone| Err(cut_off())),
                false => Err(cut_off()),
            };
        }
        let forgetting = forgetting.clone();
        let forget = move || {
            let found = Arc::new(forgetting.find(&wanted)?);
            let stored = forgetting.forget(&found)?;
            Ok(Forgotten { journeys: found.journeys.len() as u64, stored, events: 0 })
        };
        spawn_blocking(forget).await.unwrap_or_else(|_panic| Err(cut_off()))
    }

    /// Waits until everything before is judged and stored, or given up.
    pub(crate) async fn flush(&self) -> Result<(), Gone> {
        self.shards.ask(Work::Flush).await.map(drop)
    }

    /// Turns away whoever waits for a turn: the gap before it will not be filled any more.
    pub(crate) fn close(&self) {
        if let Source::Schedule(turns) = &self.source {
            turns.send_modify(|turn| turn.closed = true);
        }
    }

    /// Asks the engines to end after everything before; without a journal they close all journeys.
    ///
    /// # Errors
    /// Why the journal has no snapshot of them, for a person.
    pub(crate) async fn stop(&self) -> Result<(), String> {
        if let Source::Journal(_, jobs) = &self.source {
            let (answer, stopped) = oneshot::channel();
            // A writer that is gone shows in the health answer.
            if ask(jobs, Job::Stop(answer)).await
                && let Ok(stopped) = stopped.await
            {
                return stopped;
            }
        }
        // An engine that is gone has stopped already.
        let _ = self.shards.tell(|| Work::Stop).await;
        Ok(())
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        // Nothing inside can be left half done by a panic.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the journal's thread a job, however full its queue is; false if it is gone.
async fn ask(jobs: &SyncSender<Job>, job: Job) -> bool {
    let jobs = jobs.clone();
    spawn_blocking(move || jobs.send(job).is_ok()).await.unwrap_or(false)
}

impl Last {
    fn next(&mut self, received: UnixNanos) -> (Position, UnixNanos) {
        self.position = Position(self.position.0 + 1);
        self.received = self.received.max(received);
        (self.position, self.received)
    }
}

#[cfg(test)]
mod tests;
