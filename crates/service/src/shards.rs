//! The queues of the engines: a shard is a set of realms, with one engine and one thread.
//!
//! - A record's events go to the shards of their realms, all with the record's one position and receipt time. A
//!   realm's events are in one shard, so its journeys do not depend on how many there are.
//! - A request keeps a place in every queue before it is decoded, for nobody knows yet which realms it has.
//! - A tick goes to every shard; what is asked or told, too.
//! - The journal's thread keeps no places: it alone puts records in, and what there is room for when it looks is
//!   there when it needs it, or soon.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use authstitch_engine::Tables;
use authstitch_model::{AuthEvent, Forget, Position, Realm, Record, RecordBody, UnixNanos};
use tokio::sync::{mpsc, oneshot};

use crate::admission::Charge;
use crate::engines::spread;
use crate::lag::{Line, Lines, Ticket};
use crate::sink::Delivery;

/// What an engine's thread is given to do, in order.
#[derive(Debug)]
pub(crate) enum Work {
    /// The next record, and what it holds until the engine has taken it; a tick holds nothing.
    Record(Record, Option<Held>),
    /// Judge by these tables from here on.
    Tables(Arc<Tables>),
    /// Say when something happens without another event, once everything before is judged.
    NextDeadline(oneshot::Sender<Option<UnixNanos>>),
    /// Answer once everything before is judged and stored, or given up: whether all of it is stored.
    Flush(oneshot::Sender<bool>),
    /// Give the engine's bytes, and answer once everything before is stored, or given up.
    Snapshot(oneshot::Sender<Vec<u8>>, oneshot::Sender<bool>),
    /// Say the realms of which anything is known.
    Realms(oneshot::Sender<Vec<Realm>>),
    /// Add what is known of the journeys that are named, once everything before is handed to the store.
    Recall(Forget, oneshot::Sender<Forget>),
    /// Forget journeys for good.
    Forget(Arc<Forget>, oneshot::Sender<()>),
    /// Hand this to the store, behind everything before.
    Deliver(Delivery),
    /// End.
    Stop,
}

/// What a record holds while it waits for an engine.
#[derive(Debug)]
pub(crate) struct Held {
    /// Ends once every engine has taken its part.
    _charge: Arc<Charge>,
    _ticket: Ticket,
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

/// Every engine was asked for its bytes.
#[derive(Debug)]
pub(crate) struct Asked(Vec<(oneshot::Receiver<Vec<u8>>, oneshot::Receiver<bool>)>);

impl Asked {
    /// Waits for the bytes of each, and until what was brought about before is stored.
    ///
    /// # Errors
    /// Why there is no snapshot, for a person.
    pub(crate) fn wait(self) -> Result<Vec<Vec<u8>>, String> {
        let wait = |(bytes, stored): (oneshot::Receiver<Vec<u8>>, oneshot::Receiver<bool>)| {
            let bytes = bytes.blocking_recv().map_err(|_gone| "an engine is gone")?;
            match stored.blocking_recv() {
                Ok(true) => Ok(bytes),
                Ok(false) => Err("the store has given changes up; the journal keeps them"),
                Err(_gone) => Err("the store's writer is gone"),
            }
        };
        self.0.into_iter().map(wait).collect::<Result<_, &str>>().map_err(str::to_owned)
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
    lines: Arc<Lines>,
    count: NonZero<u32>,
}

/// A place in the queue of every shard, kept for one request.
#[derive(Debug)]
pub(crate) struct Places<'a>(Vec<(mpsc::Permit<'a, Work>, &'a Arc<Line>)>);

impl Shards {
    /// So many shards, with so many places in the queue of each.
    pub(crate) fn new(count: NonZero<u32>, places: usize, lines: Arc<Lines>) -> (Self, Vec<Shard>) {
        let (mut queues, mut deadlines, mut shards) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count.get() {
            let (sender, queue) = mpsc::channel(places);
            let deadline = Arc::new(NextDeadline::default());
            queues.push(sender);
            deadlines.push(Arc::clone(&deadline));
            shards.push(Shard { queue, deadline });
        }
        (Self { queues: queues.into(), deadlines: deadlines.into(), lines, count }, shards)
    }

    /// Keeps a place in every queue, if there is one.
    pub(crate) fn try_reserve(&self) -> Result<Places<'_>, NoPlace> {
        let places = self.queues.iter().zip(&self.lines.engines).map(|(queue, line)| {
            queue.try_reserve().map(|place| (place, line)).map_err(|error| match error {
                mpsc::error::TrySendError::Full(()) => NoPlace::Full,
                mpsc::error::TrySendError::Closed(()) => NoPlace::Gone,
            })
        });
        places.collect::<Result<_, _>>().map(Places)
    }

    /// Waits for a place in every queue.
    pub(crate) async fn reserve(&self) -> Result<Places<'_>, Gone> {
        let mut places = Vec::with_capacity(self.queues.len());
        for (queue, line) in self.queues.iter().zip(&self.lines.engines) {
            places.push((queue.reserve().await.map_err(|_closed| Gone)?, line));
        }
        Ok(Places(places))
    }

    /// What waits for each part.
    pub(crate) fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Whether a timer is due in any shard.
    pub(crate) fn is_due(&self, now: UnixNanos) -> bool {
        self.deadlines.iter().any(|deadline| deadline.is_due(now))
    }

    /// Tells every shard, also if one is gone.
    pub(crate) async fn tell(&self, work: impl Fn() -> Work) -> Result<(), Gone> {
        let mut told = Ok(());
        for queue in &self.queues {
            told = queue.send(work()).await.map_err(|_closed| Gone).and(told);
        }
        told
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

    /// How many records have room in every queue.
    pub(crate) fn room(&self) -> usize {
        self.queues.iter().map(mpsc::Sender::capacity).min().unwrap_or(0)
    }

    /// As [`Self::put`], from a thread that may wait.
    pub(crate) fn put_blocking(
        &self,
        position: Position,
        received: UnixNanos,
        events: Vec<AuthEvent>,
        charge: Charge,
    ) -> Result<(), Gone> {
        let charge = Arc::new(charge);
        let lines = self.queues.iter().zip(&self.lines.engines);
        for ((queue, line), events) in lines.zip(spread(events, self.count)) {
            if !events.is_empty() {
                let work = record(position, received, events, &charge, line);
                queue.blocking_send(work).map_err(|_closed| Gone)?;
            }
        }
        Ok(())
    }

    /// Tells every shard that it is so late, from a thread that may wait.
    pub(crate) fn tick_blocking(&self, position: Position, received: UnixNanos) -> Result<(), Gone> {
        self.tell_blocking(|| Work::Record(Record { position, received, body: RecordBody::Tick }, None))
    }

    /// As [`Self::tell`], from a thread that may wait.
    pub(crate) fn tell_blocking(&self, work: impl Fn() -> Work) -> Result<(), Gone> {
        let tell = |queue: &mpsc::Sender<Work>| queue.blocking_send(work()).map_err(|_closed| Gone);
        self.queues.iter().map(tell).fold(Ok(()), Result::and)
    }

    /// As [`Self::ask`], from a thread that may wait.
    pub(crate) fn ask_blocking<T>(
        &self,
        question: impl Fn(oneshot::Sender<T>) -> Work,
    ) -> Result<Vec<T>, Gone> {
        let mut waits = Vec::with_capacity(self.queues.len());
        for queue in &self.queues {
            let (answer, wait) = oneshot::channel();
            queue.blocking_send(question(answer)).map_err(|_closed| Gone)?;
            waits.push(wait);
        }
        waits.into_iter().map(|wait| wait.blocking_recv().map_err(|_closed| Gone)).collect()
    }

    /// Asks the store by way of an engine, behind all that this one brought about, and waits for the answer.
    pub(crate) fn deliver_blocking<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Delivery,
    ) -> Result<T, Gone> {
        let (answer, wait) = oneshot::channel();
        let [queue, ..] = &*self.queues else { return Err(Gone) };
        queue.blocking_send(Work::Deliver(question(answer))).map_err(|_closed| Gone)?;
        wait.blocking_recv().map_err(|_closed| Gone)
    }

    /// Asks every engine for its bytes, from a thread that may wait.
    pub(crate) fn snapshot_blocking(&self) -> Result<Asked, Gone> {
        let mut asked = Vec::with_capacity(self.queues.len());
        for queue in &self.queues {
            let ((give, bytes), (say, stored)) = (oneshot::channel(), oneshot::channel());
            queue.blocking_send(Work::Snapshot(give, say)).map_err(|_closed| Gone)?;
            asked.push((bytes, stored));
        }
        Ok(Asked(asked))
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
        for ((place, line), events) in places.0.into_iter().zip(spread(events, self.count)) {
            if !events.is_empty() {
                place.send(record(position, received, events, &charge, line));
            }
        }
    }
}

impl Places<'_> {
    /// Tells every shard that it is so late.
    pub(crate) fn tick(self, position: Position, received: UnixNanos) {
        for (place, _) in self.0 {
            place.send(Work::Record(Record { position, received, body: RecordBody::Tick }, None));
        }
    }
}

/// A record for one engine, which waits from now on.
fn record(
    position: Position,
    received: UnixNanos,
    events: Vec<AuthEvent>,
    charge: &Arc<Charge>,
    line: &Arc<Line>,
) -> Work {
    let ticket = line.enter(size_of_val(events.as_slice()) as u64);
    let held = Held { _charge: Arc::clone(charge), _ticket: ticket };
    Work::Record(Record { position, received, body: RecordBody::Events(events) }, Some(held))
}
