//! Layer four: requests in the order of their arrival.
//!
//! Blocks are made one after another, and only as far as needed: nothing of a block is sent before its first
//! slot, so everything due before the next block's first slot is complete. Memory is bounded by the world's
//! rate times its longest horizon and delay.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use authstitch_model::UnixNanos;
use authstitch_model::truth::TruthLine;
use authstitch_otlp::Signal;

use crate::block::{Share, Simulation};
use crate::caps::{BLOCK_ATTEMPTS, REQUEST_RECORDS};
use crate::emission::{Emission, Exporter};
use crate::request::Request;

/// The requests of a range of attempts, in the order in which they are sent.
#[derive(Debug)]
pub struct Schedule {
    simulation: Simulation,
    attempts: Range<u64>,
    share: Share,
    request_records: usize,
    next_block: u64,
    pending: BTreeMap<Due, Vec<Emission>>,
    ready: VecDeque<Request>,
    truth: VecDeque<TruthLine>,
}

/// When a request is sent, and which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: UnixNanos,
    logs: bool,
    /// The batch it is; `None` behind a gateway, which gathers whatever came in its window.
    batch: Option<(Exporter, UnixNanos, u8)>,
}

impl Schedule {
    /// The requests of these attempts.
    #[must_use]
    pub fn new(simulation: Simulation, attempts: Range<u64>) -> Self {
        let next_block = attempts.start / BLOCK_ATTEMPTS;
        Self {
            simulation,
            attempts,
            share: Share::WHOLE,
            request_records: REQUEST_RECORDS,
            next_block,
            pending: BTreeMap::new(),
            ready: VecDeque::new(),
            truth: VecDeque::new(),
        }
    }

    /// Only those of one of several senders.
    #[must_use]
    pub const fn of_share(mut self, share: Share) -> Self {
        self.share = share;
        self
    }

    /// At most so many records in a request, instead of [`REQUEST_RECORDS`].
    #[must_use]
    pub const fn in_requests_of(mut self, records: usize) -> Self {
        self.request_records = records;
        self
    }

    /// The truth of the attempts whose blocks were made since the last call, in the order of attempts.
    pub fn drain_truth(&mut self) -> impl Iterator<Item = TruthLine> + '_ {
        self.truth.drain(..)
    }

    /// Records that were made and not yet sent.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.values().map(Vec::len).sum()
    }

    fn more_blocks(&self) -> bool {
        self.next_block * BLOCK_ATTEMPTS < self.attempts.end
    }

    fn make_block(&mut self) {
        if !self.share.has(self.next_block) {
            self.next_block += 1;
            return;
        }
        let block = self.simulation.block(self.next_block);
        self.next_block += 1;
        let attempts = self.attempts.clone();
        self.truth.extend(block.attempts.into_iter().filter(|line| attempts.contains(&line.attempt)));
        for emission in block.emissions.into_iter().filter(|emission| attempts.contains(&emission.attempt)) {
            self.pending.entry(self.due(&emission)).or_default().push(emission);
        }
    }

    fn due(&self, emission: &Emission) -> Due {
        let logs = emission.content.signal() == Signal::Logs;
        match self.simulation.world().telemetry.batching.gateway {
            Some(window) => {
                let at = UnixNanos(emission.arrives.0.div_ceil(window.nanos()) * window.nanos());
                Due { at, logs, batch: None }
            }
            None => {
                let batch = Some((emission.exporter, emission.sent, emission.copy));
                Due { at: emission.arrives, logs, batch }
            }
        }
    }

    /// Before this moment everything that is due is known.
    fn known_until(&self) -> UnixNanos {
        if self.more_blocks() {
            self.simulation.slot(self.next_block * BLOCK_ATTEMPTS)
        } else {
            UnixNanos(u64::MAX)
        }
    }

    /// Moves the next requests that are complete to `ready`; false if there is nothing left.
    fn fill(&mut self) -> bool {
        loop {
            let known_until = self.known_until();
            let complete = self.pending.first_entry().filter(|entry| entry.key().at < known_until);
            if let Some(entry) = complete {
                let (due, emissions) = entry.remove_entry();
                self.ready.extend(requests(due, emissions, self.request_records));
                return true;
            }
            if !self.more_blocks() {
                return false;
            }
            self.make_block();
        }
    }
}

fn requests(due: Due, mut emissions: Vec<Emission>, records: usize) -> Vec<Request> {
    emissions.sort_by_key(|one| (one.arrives, one.exporter, one.sent, one.copy, one.order));
    let signal = if due.logs { Signal::Logs } else { Signal::Traces };
    let mut requests = Vec::new();
    while !emissions.is_empty() {
        let rest = emissions.split_off(emissions.len().min(records));
        requests.push(Request::new(due.at, signal, std::mem::replace(&mut emissions, rest)));
    }
    requests
}

impl Iterator for Schedule {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        while self.ready.is_empty() {
            if !self.fill() {
                return None;
            }
        }
        self.ready.pop_front()
    }
}
