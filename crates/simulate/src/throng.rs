//! The requests of a load made from a pool, in the order of their arrival.
//!
//! A gateway stands before the receiver: it gathers what arrives in its window and sends it at the window's
//! end, or as soon as it has enough for a request. What one SDK sent as a batch is never divided.
//!
//! Nothing is kept of attempts under way: each batch of the pool knows when its next instance arrives, so
//! memory does not grow with the load.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use authstitch_model::{Millis, UnixNanos};
use authstitch_otlp::Signal;

use crate::block::{Share, Simulation};
use crate::caps::BLOCK_ATTEMPTS;
use crate::pool::Pool;
use crate::template::fresh::Fresh;

/// The window of the gateway, where the world has none.
const WINDOW: Millis = Millis(200);

/// An encoded request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The scheduled moment.
    pub at: UnixNanos,
    /// Which signal.
    pub signal: Signal,
    /// Spans, or log records, in it.
    pub records: usize,
    /// OTLP in binary protobuf.
    pub bytes: Vec<u8>,
}

/// The requests of a range of attempts of a load, in the order in which they are sent.
#[derive(Debug)]
pub struct Throng {
    pool: Arc<Pool>,
    load: Simulation,
    attempts: Range<u64>,
    request_records: usize,
    window: u64,
    /// The next instance of every batch, earliest first.
    next: BinaryHeap<Reverse<Next>>,
    /// From an instance of a batch to its next: so many blocks.
    step: u64,
    window_ends: UnixNanos,
    traces: Building,
    logs: Building,
    ready: VecDeque<Packed>,
    /// Attempts before this one have begun to arrive.
    begun: u64,
}

/// When a batch arrives next, and in which block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    at: UnixNanos,
    block: u64,
    batch: u32,
}

/// A request that is being filled.
#[derive(Debug)]
struct Building {
    signal: Signal,
    records: usize,
    bytes: Vec<u8>,
    /// The records of each server process and scope; empty for those of the other signal.
    servers: Vec<Vec<u8>>,
}

impl Throng {
    /// The requests of these attempts, each of at most so many records unless one SDK's batch is larger.
    #[must_use]
    pub fn new(
        pool: Arc<Pool>,
        load: Simulation,
        attempts: Range<u64>,
        share: Share,
        request_records: usize,
    ) -> Self {
        let building = |signal| Building {
            signal,
            records: 0,
            bytes: Vec::new(),
            servers: vec![Vec::new(); pool.servers.len()],
        };
        let window = load.world().telemetry.batching.gateway.unwrap_or(WINDOW).nanos();
        let (traces, logs) = (building(Signal::Traces), building(Signal::Logs));
        let size = pool.blocks.len() as u64;
        let step = size / common_divisor(size, share.of) * share.of;
        let mut throng = Self {
            pool,
            load,
            attempts,
            request_records,
            window,
            next: BinaryHeap::new(),
            step,
            window_ends: UnixNanos(0),
            traces,
            logs,
            ready: VecDeque::new(),
            begun: 0,
        };
        throng.begin(share);
        throng
    }

    /// The same load long under way: nothing that arrives before this time is sent, so the rate is full from
    /// the beginning.
    #[must_use]
    pub fn joined_at(mut self, time: UnixNanos) -> Self {
        let first = std::mem::take(&mut self.next);
        let Self { pool, load, step, .. } = &self;
        let later = first.into_iter().map(|Reverse(first)| {
            let block = pool.block_for(first.block);
            let batch = &block.batches[first.batch as usize];
            let arrives = |steps: u64| block.arrives(batch, load, first.block + steps * step);
            let (mut low, mut high) = (0, 1);
            while arrives(high) < time {
                (low, high) = (high, high * 2);
            }
            while low < high {
                let middle = low + (high - low) / 2;
                if arrives(middle) < time { low = middle + 1 } else { high = middle }
            }
            Reverse(Next { at: arrives(low), block: first.block + low * step, batch: first.batch })
        });
        self.next = later.filter(|Reverse(next)| next.block * BLOCK_ATTEMPTS < self.attempts.end).collect();
        self
    }

    /// How many attempts have begun to arrive.
    #[must_use]
    pub const fn begun(&self) -> u64 {
        self.begun
    }

    /// The first instance of every batch.
    fn begin(&mut self, share: Share) {
        let from = self.attempts.start / BLOCK_ATTEMPTS;
        let to = self.attempts.end.div_ceil(BLOCK_ATTEMPTS).min(from + self.step);
        for number in (from..to).filter(|number| share.has(*number)) {
            let block = self.pool.block_for(number);
            for (place, batch) in block.batches.iter().enumerate() {
                let at = block.arrives(batch, &self.load, number);
                self.next.push(Reverse(Next { at, block: number, batch: place as u32 }));
            }
        }
    }

    /// Fills requests until one is ready; false if there is nothing left.
    fn fill(&mut self) -> bool {
        while self.ready.is_empty() {
            let Some(mut entry) = self.next.peek_mut() else {
                self.send(Signal::Traces, self.window_ends);
                self.send(Signal::Logs, self.window_ends);
                return !self.ready.is_empty();
            };
            let Reverse(next) = *entry;
            if next.at >= self.window_ends {
                drop(entry);
                self.send(Signal::Traces, self.window_ends);
                self.send(Signal::Logs, self.window_ends);
                self.window_ends = UnixNanos((next.at.0 / self.window + 1) * self.window);
                continue;
            }
            let later = next.block + self.step;
            if later * BLOCK_ATTEMPTS < self.attempts.end {
                let block = self.pool.block_for(later);
                let at = block.arrives(&block.batches[next.batch as usize], &self.load, later);
                *entry = Reverse(Next { at, block: later, batch: next.batch });
                drop(entry);
            } else {
                std::collections::binary_heap::PeekMut::pop(entry);
            }
            self.add(next);
        }
        true
    }

    fn add(&mut self, next: Next) {
        self.begun =
            self.begun.max(((next.block + 1) * BLOCK_ATTEMPTS).min(self.attempts.end) - self.attempts.start);
        let pool = Arc::clone(&self.pool);
        let block = pool.block_for(next.block);
        let batch = &block.batches[next.batch as usize];
        if !self.attempts.contains(&(next.block * BLOCK_ATTEMPTS + batch.attempt as u64)) {
            return;
        }
        let records: usize = batch.parts.iter().map(|part| part.records).sum();
        let full = self.building(batch.signal).records + records > self.request_records;
        if full {
            self.send(batch.signal, next.at);
        }
        let fresh = Fresh::new(pool.seed, next.block);
        let moved_by = block.moved_by(&self.load, next.block, batch.attempt);
        let building = self.building(batch.signal);
        building.records += records;
        for part in &batch.parts {
            let out = match part.server {
                Some(server) => &mut building.servers[server],
                None => &mut building.bytes,
            };
            block.instance(part, fresh, moved_by, out);
        }
    }

    const fn building(&mut self, signal: Signal) -> &mut Building {
        match signal {
            Signal::Traces => &mut self.traces,
            Signal::Logs => &mut self.logs,
        }
    }

    /// Sends what has been gathered of a signal, if anything has.
    fn send(&mut self, signal: Signal, at: UnixNanos) {
        let pool = Arc::clone(&self.pool);
        let packed = self.building(signal).pack(&pool, at);
        self.ready.extend(packed);
    }
}

impl Building {
    fn pack(&mut self, pool: &Pool, at: UnixNanos) -> Option<Packed> {
        if self.records == 0 {
            return None;
        }
        for (server, records) in pool.servers.iter().zip(&mut self.servers) {
            if !records.is_empty() {
                server.wrap(records, &mut self.bytes);
                records.clear();
            }
        }
        let room = Vec::with_capacity(self.bytes.len() + self.bytes.len() / 8);
        let bytes = std::mem::replace(&mut self.bytes, room);
        Some(Packed { at, signal: self.signal, records: std::mem::take(&mut self.records), bytes })
    }
}

const fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

impl Iterator for Throng {
    type Item = Packed;

    fn next(&mut self) -> Option<Packed> {
        if self.ready.is_empty() && !self.fill() {
            return None;
        }
        self.ready.pop_front()
    }
}
