//! The queues of the engines: a shard is a set of realms, with one engine and one thread.
//!
//! - A record's events go to the shards of their realms, all with the record's one position and receipt time. A
//!   realm's events are in one shard, so its journeys do not depend on how many there are.
//! - A request keeps a place in every queue before it is decoded, for nobody knows yet which realms it has.
//! - A tick goes to every shard; what is asked or told, too.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use authstitch_engine::{Tables, shard_of};
use authstitch_model::{AuthEvent, Position, Record, RecordBody, UnixNanos};
use tokio::sync::{mpsc, oneshot};

use crate::admission::Charge;

/// What an engine's thread is given to do, in order.
#[derive(Debug)]
pub(crate) enum Work {
    /// The next record; its charge ends once every engine has taken its part.
    Record(Record, Option<Arc<Charge>>),
    /// Judge by these tables from here on.
    Tables(Arc<Tables>),
    /// Say when something happens without another event, once everything before is judged.
    NextDeadline(oneshot::Sender<Option<UnixNanos>>),
    /// Answer once everything before is judged and stored.
    Flush(oneshot::Sender<()>),
    /// Close all journeys and end.
    Stop,
}

/// What an engine says of itself between two batches.
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

/// An engine's thread is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Why a request gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// A queue is full.
    Full,
    /// An engine is gone.
    Gone,
}

/// Where an engine takes its work from.
#[derive(Debug)]
pub(crate) struct Shard {
    /// Its work, in order.
    pub queue: mpsc::Receiver<Work>,
    /// When something happens in it by itself.
    pub deadline: Arc<NextDeadline>,
}

/// The queues of all shards.
#[derive(Debug)]
pub(crate) struct Shards {
    queues: Box<[mpsc::Sender<Work>]>,
    deadlines: Box<[Arc<NextDeadline>]>,
    count: NonZero<u32>,
}

/// A place in the queue of every shard, kept for one request.
#[derive(Debug)]
pub(crate) struct Places<'a>(Vec<mpsc::Permit<'a, Work>>);

impl Shards {
    /// So many shards, with so many places in the queue of each.
    pub(crate) fn new(count: NonZero<u32>, places: usize) -> (Self, Vec<Shard>) {
        let (mut queues, mut deadlines, mut shards) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count.get() {
            let (sender, queue) = mpsc::channel(places);
            let deadline = Arc::new(NextDeadline::default());
            queues.push(sender);
            deadlines.push(Arc::clone(&deadline));
            shards.push(Shard { queue, deadline });
        }
        (Self { queues: queues.into(), deadlines: deadlines.into(), count }, shards)
    }

    /// Keeps a place in every queue, if there is one.
    pub(crate) fn try_reserve(&self) -> Result<Places<'_>, NoPlace> {
        let places = self.queues.iter().map(|queue| {
            queue.try_reserve().map_err(|error| match error {
                mpsc::error::TrySendError::Full(()) => NoPlace::Full,
                mpsc::error::TrySendError::Closed(()) => NoPlace::Gone,
            })
        });
        places.collect::<Result<_, _>>().map(Places)
    }

    /// Waits for a place in every queue.
    pub(crate) async fn reserve(&self) -> Result<Places<'_>, Gone> {
        let mut places = Vec::with_capacity(self.queues.len());
        for queue in &self.queues {
            places.push(queue.reserve().await.map_err(|_closed| Gone)?);
        }
        Ok(Places(places))
    }

    /// Whether a timer is due in any shard.
    pub(crate) fn is_due(&self, now: UnixNanos) -> bool {
        self.deadlines.iter().any(|deadline| deadline.is_due(now))
    }

    /// Tells every shard.
    pub(crate) async fn tell(&self, work: impl Fn() -> Work) -> Result<(), Gone> {
        for queue in &self.queues {
            queue.send(work()).await.map_err(|_closed| Gone)?;
        }
        Ok(())
    }

    /// Asks every shard, and waits for all answers.
    pub(crate) async fn ask<T>(&self, question: impl Fn(oneshot::Sender<T>) -> Work) -> Result<Vec<T>, Gone> {
        let mut waits = Vec::with_capacity(self.queues.len());
        for queue in &self.queues {
            let (answer, wait) = oneshot::channel();
            queue.send(question(answer)).await.map_err(|_closed| Gone)?;
            waits.push(wait);
        }
        let mut answers = Vec::with_capacity(waits.len());
        for wait in waits {
            answers.push(wait.await.map_err(|_closed| Gone)?);
        }
        Ok(answers)
    }

    /// Puts the events of one record into the shards of their realms.
    pub(crate) fn put(
        &self,
        places: Places<'_>,
        position: Position,
        received: UnixNanos,
        events: Vec<AuthEvent>,
        charge: Charge,
    ) {
        let charge = Arc::new(charge);
        let mut parts: Vec<Vec<AuthEvent>> = places.0.iter().map(|_| Vec::new()).collect();
        match parts.as_mut_slice() {
            [only] => *only = events,
            parts => {
                for event in events {
                    parts[shard_of(&event.realm, self.count) as usize].push(event);
                }
            }
        }
        for (place, events) in places.0.into_iter().zip(parts) {
            if !events.is_empty() {
                let record = Record { position, received, body: RecordBody::Events(events) };
                place.send(Work::Record(record, Some(Arc::clone(&charge))));
            }
        }
    }
}

impl Places<'_> {
    /// Tells every shard that it is so late.
    pub(crate) fn tick(self, position: Position, received: UnixNanos) {
        for place in self.0 {
            place.send(Work::Record(Record { position, received, body: RecordBody::Tick }, None));
        }
    }
}
