//! The engine's thread: takes work in order, hands effects on in order.
//!
//! It waits while the store is behind; then its queue fills, and clients are asked to come again. When the
//! queue is closed or asks to stop, every open journey is closed as `shutdown`, unless a journal keeps them.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use authstitch_engine::{Effect, Engine};
use authstitch_model::{Position, Record, RecordBody};
use tokio::sync::mpsc::Receiver;

use crate::caps;
use crate::clock::SystemClock;
use crate::counters::Counters;
use crate::engines::step;
use crate::lag::Line;
use crate::shards::{Gone, NextDeadline, Work};
use crate::sink::Delivery;

/// The engine and where its effects go.
#[derive(Debug)]
pub(crate) struct Judge {
    pub engine: Engine,
    /// Which shard's it is.
    pub number: usize,
    pub deadline: Arc<NextDeadline>,
    /// Whether open journeys end with the service.
    pub closes: bool,
    pub counters: Arc<Counters>,
    /// By which the way to the verdict is measured; none on a schedule, whose receipt times are not of this world.
    pub clock: Option<SystemClock>,
    pub sink: SyncSender<Delivery>,
    /// What waits for the store.
    pub store: Arc<Line>,
    /// What was brought about and not handed on yet, and up to where.
    pub unsent: Unsent,
}

/// Effects up to a position.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    effects: Vec<Effect>,
    position: Position,
}

impl Judge {
    /// Works until the queue ends, or nobody takes the effects any more.
    pub(crate) fn run(mut self, mut queue: Receiver<Work>) {
        let mut batch = Vec::with_capacity(caps::ENGINE_BATCH);
        self.publish();
        let mut working = true;
        while working && queue.blocking_recv_many(&mut batch, caps::ENGINE_BATCH) > 0 {
            match self.turn(&mut batch) {
                Ok(more) => working = more,
                Err(Gone) => return,
            }
        }
        while self.closes && self.engine.shut_down(&mut self.unsent.effects) {
            if self.hand_on().is_err() {
                return;
            }
        }
        self.publish();
        // A sink that is gone has said so by itself.
        let _ = self.hand_on();
    }

    /// Does some pieces of work, and hands on what they brought about; false if the last was among them.
    pub(crate) fn turn(&mut self, batch: &mut Vec<Work>) -> Result<bool, Gone> {
        let mut more = true;
        let mut received = Vec::with_capacity(batch.len());
        for work in batch.drain(..) {
            if let Work::Record(Record { received: at, body: RecordBody::Events(_), .. }, _) = &work {
                received.push(*at);
            }
            more &= self.take(work)?;
        }
        self.publish();
        self.hand_on()?;
        if let Some(clock) = self.clock {
            received.iter().for_each(|received| self.counters.judged.record(clock.since(*received)));
        }
        Ok(more)
    }

    /// Does one piece of work; false if it was the last.
    fn take(&mut self, work: Work) -> Result<bool, Gone> {
        match work {
            Work::Record(record, _held) => {
                let here = record.position;
                step(&mut self.engine, record, &mut self.unsent.effects);
                self.unsent.position = here;
                if self.unsent.effects.len() >= caps::EFFECTS_BATCH {
                    self.hand_on()?;
                }
            }
            Work::Tables(tables) => self.engine.set_tables(tables),
            // Whoever asked may have gone; then nobody wants the answer.
            Work::NextDeadline(answer) => drop(answer.send(self.engine.next_deadline())),
            Work::Flush(answer) => {
                self.hand_on()?;
                self.sink.send(Delivery::Flush(answer)).map_err(|_closed| Gone)?;
            }
            Work::Snapshot(give, stored) => {
                self.hand_on()?;
                self.sink.send(Delivery::Flush(stored)).map_err(|_closed| Gone)?;
                // Whoever asked may have gone; then nobody wants the bytes.
                let _ = give.send(self.engine.snapshot());
            }
            // Whoever asked may have gone here and below.
            Work::Realms(answer) => drop(answer.send(self.engine.realms())),
            Work::Recall(mut forget, answer) => {
                self.hand_on()?;
                self.engine.recall(&mut forget);
                let _ = answer.send(forget);
            }
            Work::Forget(forget, answer) => {
                self.hand_on()?;
                self.engine.forget(&forget);
                let _ = answer.send(());
            }
            Work::Deliver(delivery) => {
                self.hand_on()?;
                self.sink.send(delivery).map_err(|_closed| Gone)?;
            }
            Work::Stop => return Ok(false),
        }
        Ok(true)
    }

    fn hand_on(&mut self) -> Result<(), Gone> {
        let Unsent { effects, position } = &mut self.unsent;
        if effects.is_empty() {
            return Ok(());
        }
        let (effects, position) = (std::mem::take(effects), *position);
        let ticket = Some(self.store.enter(effects.len() as u64));
        self.sink.send(Delivery::Effects { effects, position, again: false, ticket }).map_err(|_closed| Gone)
    }

    fn publish(&self) {
        self.deadline.set(self.engine.next_deadline());
        self.counters.of_shard(self.number, self.engine.counters());
    }
}
