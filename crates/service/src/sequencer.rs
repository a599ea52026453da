//! The one order of all records, and the one place that makes it.
//!
//! - A record gets the next position and a receipt time that never goes back, in one step with its place in
//!   the engine's queue.
//! - With the system's clock, order is the order of arrival here. With a schedule, it is the order of the
//!   sender's sequence: an early request waits until the ones before it have come. A sequence that was taken
//!   already is answered again and not taken twice. A request that is refused for good uses its sequence up;
//!   one that may come again does not.
//! - With the system's clock a full queue turns requests away; with a schedule the request waits, since its
//!   sender is this program's own.
//! - While nothing comes, a tick is made when a timer is due.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use authstitch_engine::Tables;
use authstitch_model::{AuthEvent, Position, Record, RecordBody, UnixNanos};
use http::HeaderMap;
use tokio::sync::{mpsc, oneshot, watch};

use crate::admission::Charge;
use crate::clock::{Clock, Stamp, SystemClock};
use crate::refusal::Refusal;

/// What the engine's thread is given to do, in order.
#[derive(Debug)]
pub(crate) enum Work {
    /// The next record; its charge ends once the engine has taken it.
    Record(Record, Option<Charge>),
    /// Judge by these tables from here on.
    Tables(Arc<Tables>),
    /// Say when something happens without another event, once everything before is judged.
    NextDeadline(oneshot::Sender<Option<UnixNanos>>),
    /// Answer once everything before is judged and stored.
    Flush(oneshot::Sender<()>),
    /// Close all journeys and end.
    Stop,
}

/// What the engine says of itself between two batches.
#[derive(Debug)]
pub(crate) struct NextDeadline(AtomicU64);

impl Default for NextDeadline {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl NextDeadline {
    /// Says when something happens without another event.
    pub(crate) fn set(&self, deadline: Option<UnixNanos>) {
        self.0.store(deadline.map_or(u64::MAX, |time| time.0), Ordering::Relaxed);
    }

    fn is_due(&self, now: UnixNanos) -> bool {
        self.0.load(Ordering::Relaxed) <= now.0
    }
}

/// The engine's thread is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// The one writer of records.
#[derive(Debug)]
pub(crate) struct Sequencer {
    source: Source,
    last: Mutex<Last>,
    queue: mpsc::Sender<Work>,
}

#[derive(Debug)]
enum Source {
    System(SystemClock),
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

/// A place in the engine's queue, kept for one request.
pub(crate) type Place<'a> = mpsc::Permit<'a, Work>;

impl Sequencer {
    /// A writer into a queue. With a schedule, the queue must hold at least as many records as there may be
    /// requests in flight, so that early requests never keep the next one out.
    pub(crate) fn new(clock: Clock, queue: mpsc::Sender<Work>) -> Self {
        let source = match clock {
            Clock::System => Source::System(SystemClock::start()),
            Clock::Schedule => Source::Schedule(watch::Sender::default()),
        };
        Self { source, last: Mutex::default(), queue }
    }

    /// The stamp of a request, if this server believes one.
    pub(crate) fn stamp(&self, headers: &HeaderMap) -> Result<Option<Stamp>, Refusal> {
        match self.source {
            Source::System(_) => Ok(None),
            Source::Schedule(_) => Stamp::of(headers).map(Some),
        }
    }

    /// The clock by which records are received, where it is this machine's.
    pub(crate) fn clock(&self) -> Option<SystemClock> {
        match &self.source {
            Source::System(clock) => Some(*clock),
            Source::Schedule(_) => None,
        }
    }

    /// Keeps a place in the engine's queue.
    pub(crate) async fn reserve(&self) -> Result<Place<'_>, Refusal> {
        match self.source {
            Source::System(_) => self.queue.try_reserve().map_err(|error| match error {
                mpsc::error::TrySendError::Full(()) => {
                    Refusal::Overloaded("the engine's queue is full; send again".into())
                }
                mpsc::error::TrySendError::Closed(()) => Refusal::stopping(),
            }),
            Source::Schedule(_) => self.queue.reserve().await.map_err(|_closed| Refusal::stopping()),
        }
    }

    /// Puts a request's events into its place. Without events nothing is recorded, but a scheduled request
    /// has had its turn.
    pub(crate) async fn put(
        &self,
        place: Place<'_>,
        stamp: Option<Stamp>,
        events: Vec<AuthEvent>,
        charge: Charge,
    ) -> Result<(), Refusal> {
        match &self.source {
            Source::System(clock) => self.send(&mut self.last(), clock.now(), place, events, charge),
            Source::Schedule(turns) => {
                let Some(stamp) = stamp else { return Err(Refusal::Failed) };
                let mut waiting = turns.subscribe();
                let reached = |turn: &Turn| turn.closed || turn.next >= stamp.sequence;
                if waiting.wait_for(reached).await.is_ok_and(|turn| turn.closed) {
                    return Err(Refusal::stopping());
                }
                let mut last = self.last();
                // Two copies of one request may both have waited: the first one here is taken.
                if turns.borrow().next == stamp.sequence {
                    self.send(&mut last, stamp.received, place, events, charge);
                    turns.send_modify(|turn| turn.next += 1);
                }
            }
        }
        Ok(())
    }

    fn send(
        &self,
        last: &mut Last,
        received: UnixNanos,
        place: Place<'_>,
        events: Vec<AuthEvent>,
        charge: Charge,
    ) {
        if !events.is_empty() {
            place.send(Work::Record(last.next(received, RecordBody::Events(events)), Some(charge)));
        }
    }

    /// Makes a tick if a timer is due; a full queue needs none, since its records bring the time along.
    pub(crate) fn tick(&self, deadline: &NextDeadline) {
        let Source::System(clock) = &self.source else { return };
        if !deadline.is_due(clock.now()) {
            return;
        }
        if let Ok(place) = self.queue.try_reserve() {
            let mut last = self.last();
            place.send(Work::Record(last.next(clock.now(), RecordBody::Tick), None));
        }
    }

    /// Lets time run on, from deadline to deadline, until nothing is left that would happen by itself.
    pub(crate) async fn run_out(&self) -> Result<(), Gone> {
        while let Some(deadline) = self.ask(Work::NextDeadline).await? {
            let place = self.queue.reserve().await.map_err(|_closed| Gone)?;
            let mut last = self.last();
            place.send(Work::Record(last.next(deadline, RecordBody::Tick), None));
        }
        Ok(())
    }

    /// Has everything after judged by these tables.
    pub(crate) async fn set_tables(&self, tables: Arc<Tables>) -> Result<(), Gone> {
        self.queue.send(Work::Tables(tables)).await.map_err(|_closed| Gone)
    }

    /// Waits until everything before is judged and stored.
    pub(crate) async fn flush(&self) -> Result<(), Gone> {
        self.ask(Work::Flush).await
    }

    /// Turns away whoever waits for a turn: the gap before it will not be filled any more.
    pub(crate) fn close(&self) {
        if let Source::Schedule(turns) = &self.source {
            turns.send_modify(|turn| turn.closed = true);
        }
    }

    /// Asks the engine to close all journeys, after everything before.
    pub(crate) async fn stop(&self) {
        // An engine that is gone has stopped already.
        let _ = self.queue.send(Work::Stop).await;
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Work) -> Result<T, Gone> {
        let (answer, wait) = oneshot::channel();
        self.queue.send(question(answer)).await.map_err(|_closed| Gone)?;
        wait.await.map_err(|_closed| Gone)
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        // Nothing inside can be left half done by a panic.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn next(&mut self, received: UnixNanos, body: RecordBody) -> Record {
        self.position = Position(self.position.0 + 1);
        self.received = self.received.max(received);
        Record { position: self.position, received: self.received, body }
    }
}

#[cfg(test)]
mod tests;
