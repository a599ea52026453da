//! The clock of a replay. A file holds no receipt times, so the clock is moved by what its events say.
//!
//! 1. Only events of the server move it: a phone's clock may lie.
//! 2. Until the first event of the server, observed times move it.
//! 3. It never goes back.
//! 4. A jump of over an hour is ignored until an event of a second trace confirms it. The events since the
//!    jump wait for that: confirmed, they are received after it; refuted by an event without a jump, or by
//!    the file's end, before it.
//! 5. Events before the first time that may move the clock wait, too, and are received at that time. A file
//!    without any such time is received at the time of its first event.

use std::collections::VecDeque;

use authstitch_model::{AuthEvent, Millis, Side, TraceId, UnixNanos};

use crate::caps;

/// A jump longer than this wants a second witness.
const JUMP: Millis = Millis::from_mins(60);

/// The clock of one input: events in, events with their receipt times out, in the same order.
#[derive(Debug, Default)]
pub struct ReplayClock {
    now: Option<UnixNanos>,
    server_seen: bool,
    jump: Option<Jump>,
    waiting: VecDeque<AuthEvent>,
}

/// A jump with one witness.
#[derive(Clone, Copy, Debug)]
struct Jump {
    to: UnixNanos,
    trace: Option<TraceId>,
}

/// An event and when it is received.
pub type Received = (AuthEvent, UnixNanos);

impl ReplayClock {
    /// Takes the next event and appends those whose receipt time is settled by it.
    pub fn take(&mut self, event: AuthEvent, settled: &mut VecDeque<Received>) {
        let witness = self.witness(&event);
        let trace = event.origin.trace_id;
        self.server_seen |= event.side == Side::Server;
        self.waiting.push_back(event);
        match (self.now, witness) {
            (None, Some(time)) => self.settle(time, settled),
            (Some(now), Some(time)) if time <= now.plus(JUMP) => self.settle(now.max(time), settled),
            (Some(now), Some(time)) => match self.jump {
                // The two witnesses need not agree to the second: the earlier of them is safe.
                Some(jump) if jump.trace != trace => self.settle(now.max(jump.to.min(time)), settled),
                Some(_) => {}
                None => self.jump = Some(Jump { to: time, trace }),
            },
            (Some(now), None) if self.jump.is_none() => self.settle(now, settled),
            (_, None) => {}
        }
        if self.waiting.len() > caps::REPLAY_WAITING_EVENTS {
            self.finish(settled);
        }
    }

    /// Settles what still waits at the file's end.
    pub fn finish(&mut self, settled: &mut VecDeque<Received>) {
        let now = self.now.or_else(|| self.waiting.front().map(|event| event.time));
        self.settle(now.unwrap_or_default(), settled);
    }

    fn settle(&mut self, now: UnixNanos, settled: &mut VecDeque<Received>) {
        self.now = Some(now);
        self.jump = None;
        settled.extend(self.waiting.drain(..).map(|event| (event, now)));
    }

    /// The time by which an event may move the clock.
    fn witness(&self, event: &AuthEvent) -> Option<UnixNanos> {
        match event.side {
            Side::Server => Some(event.time),
            _ if !self.server_seen => event.observed,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
