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
}

impl Judge {
    /// Works until the queue ends, or nobody takes the effects any more.
    pub(crate) fn run(mut self, mut queue: Receiver<Work>) {
        let mut position = Position::default();
        let mut effects = Vec::new();
        let mut batch = Vec::with_capacity(caps::ENGINE_BATCH);
        let mut received = Vec::with_capacity(caps::ENGINE_BATCH);
        let mut working = true;
        self.publish();
        while working && queue.blocking_recv_many(&mut batch, caps::ENGINE_BATCH) > 0 {
            for work in batch.drain(..) {
                if let Work::Record(Record { received: at, body: RecordBody::Events(_), .. }, _) = &work {
                    received.push(*at);
                }
                match self.take(work, &mut position, &mut effects) {
                    Ok(true) => {}
                    Ok(false) => working = false,
                    Err(Gone) => return,
                }
            }
            self.publish();
            if self.hand_on(position, &mut effects).is_err() {
                return;
            }
            if let Some(clock) = self.clock {
                received.iter().for_each(|received| self.counters.judged.record(clock.since(*received)));
            }
            received.clear();
        }
        while self.closes && self.engine.shut_down(&mut effects) {
            if self.hand_on(position, &mut effects).is_err() {
                return;
            }
        }
        self.publish();
        // A sink that is gone has said so by itself.
        let _ = self.hand_on(position, &mut effects);
    }

    /// Does one piece of work; false if it was the last.
    fn take(&mut self, work: Work, position: &mut Position, effects: &mut Vec<Effect>) -> Result<bool, Gone> {
        match work {
            Work::Record(record, _charge) => {
                let here = record.position;
                self.engine.step(record, effects);
                *position = here;
                if effects.len() >= caps::EFFECTS_BATCH {
                    self.hand_on(*position, effects)?;
                }
            }
            Work::Tables(tables) => self.engine.set_tables(tables),
            // Whoever asked may have gone; then nobody wants the answer.
            Work::NextDeadline(answer) => drop(answer.send(self.engine.next_deadline())),
            Work::Flush(answer) => {
                self.hand_on(*position, effects)?;
                self.sink.send(Delivery::Flush(answer)).map_err(|_closed| Gone)?;
            }
            Work::Snapshot(give, stored) => {
                self.hand_on(*position, effects)?;
                self.sink.send(Delivery::Flush(stored)).map_err(|_closed| Gone)?;
                // Whoever asked may have gone; then nobody wants the bytes.
                let _ = give.send(self.engine.snapshot());
            }
            // Whoever asked may have gone here and below.
            Work::Realms(answer) => drop(answer.send(self.engine.realms())),
            Work::Recall(mut forget, answer) => {
                self.hand_on(*position, effects)?;
                self.engine.recall(&mut forget);
                let _ = answer.send(forget);
            }
            Work::Forget(forget, answer) => {
                self.hand_on(*position, effects)?;
                self.engine.forget(&forget);
                let _ = answer.send(());
            }
            Work::Deliver(delivery) => {
                self.hand_on(*position, effects)?;
                self.sink.send(delivery).map_err(|_closed| Gone)?;
            }
            Work::Stop => return Ok(false),
        }
        Ok(true)
    }

    fn hand_on(&self, position: Position, effects: &mut Vec<Effect>) -> Result<(), Gone> {
        if effects.is_empty() {
            return Ok(());
        }
        let effects = std::mem::take(effects);
        self.sink.send(Delivery::Effects { effects, position, again: false }).map_err(|_closed| Gone)
    }

    fn publish(&self) {
        self.deadline.set(self.engine.next_deadline());
        self.counters.of_shard(self.number, self.engine.counters());
    }
}
