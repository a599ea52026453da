//! The way of one request, whatever brought it: let in, read, decoded, put into the one order, answered.
//!
//! - A request is turned away before it is read, while it is read, or before it is decoded; never after it
//!   has its place in the order.
//! - The answer follows the place in the order; with a journal the answer follows its
//!   commit, without one what follows the answer is lost if the process dies.
//! - A mistake of ours while decoding fails that request alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use authstitch_model::AuthEvent;
use authstitch_otlp::{Encoding, Malformed, Mapping, Signal, Tally};
use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::admission::{Admission, Charge, Slot};
use crate::body;
use crate::caps;
use crate::claims;
use crate::clock::Stopwatch;
use crate::counters::Counters;
use crate::door::{Door, Guest};
use crate::grpc;
use crate::refusal::Refusal;
use crate::sequencer::Sequencer;
use crate::unpack::Packing;

/// What is known of a request from its head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub signal: Signal,
    pub encoding: Encoding,
    /// How its body is packed, or the message in its frame may be.
    pub packing: Option<Packing>,
    /// Whether the body is one gRPC frame.
    pub framed: bool,
}

/// Where requests of both protocols go.
#[derive(Debug)]
pub(crate) struct Intake {
    pub sequencer: Arc<Sequencer>,
    pub admission: Arc<Admission>,
    pub mapping: Arc<Mapping>,
    pub counters: Arc<Counters>,
    pub request_bytes: usize,
    pub request_time: Duration,
}

/// An intake, and the door through which its requests come.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub intake: Arc<Intake>,
    pub door: Arc<Door>,
}

/// What is said of a signal that is not taken.
pub(crate) fn no_such_signal(signal: &str) -> String {
    format!(
        "authstitch takes traces and logs, and no {signal}; send {signal} where yours are kept, by an exporter or a \
         Collector pipeline of their own"
    )
}

/// A decoded request, not yet in the order.
struct Decoded {
    tally: Tally,
    events: Vec<AuthEvent>,
    charge: Charge,
    bytes: usize,
}

impl Intake {
    /// Takes a request, or says why not. That of a guest is bounded by its share, and no server's claim in it is
    /// believed.
    pub(crate) async fn take(
        &self,
        head: Head,
        guest: Option<Guest>,
        request: Request<Incoming>,
    ) -> Result<Tally, Refusal> {
        let seconds = self.request_time.as_secs_f32();
        let begun = Stopwatch::start();
        let outcome =
            timeout(self.request_time, self.admit(head, guest, request)).await.unwrap_or_else(|_late| {
                Err(Refusal::Unavailable(format!(
                    "the request was not complete after {seconds} s; send again"
                )))
            });
        if outcome.is_ok() {
            self.counters.acknowledged.record(begun.elapsed());
        }
        self.count(head.signal, &outcome);
        outcome
    }

    async fn admit(
        &self,
        head: Head,
        guest: Option<Guest>,
        request: Request<Incoming>,
    ) -> Result<Tally, Refusal> {
        let stamp = self.sequencer.stamp(request.headers())?;
        let bound = guest.as_ref().map_or(self.request_bytes, |guest| guest.request_bytes);
        let is_guest = guest.is_some();
        let slot = self.admission.enter_with(guest.map(|guest| guest.party))?;
        let place = self.sequencer.reserve().await?;
        match self.decode(head, request, bound, &slot).await {
            Ok(Decoded { mut tally, mut events, charge, bytes }) => {
                if is_guest {
                    let claims = claims::remove(head.signal, &mut events, &mut tally);
                    self.counters.server_claims.add(claims);
                }
                self.sequencer.put(place, stamp, events, charge).await?;
                self.counters.request_bytes.add(bytes as u64);
                Ok(tally)
            }
            Err(refusal) if refusal.is_retryable() => Err(refusal),
            Err(refusal) => {
                self.sequencer.put(place, stamp, Vec::new(), slot.charge()).await?;
                Err(refusal)
            }
        }
    }

    async fn decode(
        &self,
        head: Head,
        request: Request<Incoming>,
        bound: usize,
        slot: &Slot,
    ) -> Result<Decoded, Refusal> {
        let mut charge = slot.charge();
        let frame = if head.framed { grpc::FRAME_HEAD } else { 0 };
        let body = body::read(request, bound.saturating_add(frame), &mut charge).await?;
        let (body, packing) =
            if head.framed { grpc::unframe(&body, head.packing)? } else { (body, head.packing) };
        let mapping = Arc::clone(&self.mapping);
        let work = body.len() * if packing.is_some() { caps::UNPACK_GUESS } else { 1 };
        contained(work, move || decode(head, &body, packing, bound, &mapping, charge)).await
    }

    fn count(&self, signal: Signal, outcome: &Result<Tally, Refusal>) {
        let counters = &*self.counters;
        counters.requests.add(1);
        match outcome {
            Ok(tally) => {
                match signal {
                    Signal::Traces => counters.spans.add(tally.records),
                    Signal::Logs => counters.log_records.add(tally.records),
                }
                counters.events.add(tally.events);
                counters.rejected.add(tally.rejected);
                for (count, more) in counters.rejections.iter().zip(tally.reasons) {
                    count.add(more);
                }
            }
            Err(
                Refusal::Malformed(_)
                | Refusal::TooLarge(_)
                | Refusal::Unauthenticated
                | Refusal::Forbidden(_),
            ) => counters.malformed.add(1),
            Err(Refusal::Overloaded(_) | Refusal::Unavailable(_)) => counters.turned_away.add(1),
            Err(Refusal::Failed) => counters.failed.add(1),
        }
    }
}

/// Does a job here, or off the receiving threads if it is much work; a panic in it is its own failure alone.
async fn contained<T: Send + 'static>(
    work: usize,
    job: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    if work > caps::DECODE_INLINE_BYTES {
        spawn_blocking(job).await.unwrap_or(Err(Refusal::Failed))
    } else {
        catch_unwind(AssertUnwindSafe(job)).unwrap_or(Err(Refusal::Failed))
    }
}

fn decode(
    head: Head,
    body: &Bytes,
    packing: Option<Packing>,
    bound: usize,
    mapping: &Mapping,
    mut charge: Charge,
) -> Result<Decoded, Refusal> {
    let unpacked = match packing {
        Some(packing) => packing.unpack(body, bound, &mut charge)?,
        None => body.clone(),
    };
    let mut events = Vec::new();
    let tally = authstitch_otlp::decode(head.signal, head.encoding, &unpacked, mapping, &mut events)
        .map_err(|Malformed(why)| Refusal::Malformed(why))?;
    charge.settle(events.len() * size_of::<AuthEvent>());
    Ok(Decoded { tally, events, charge, bytes: unpacked.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_fails_its_own_request_alone() {
        for work in [0, usize::MAX] {
            let failed = contained(work, || -> Result<(), Refusal> { panic!("a mistake of ours") }).await;
            assert_eq!(failed, Err(Refusal::Failed));
            assert_eq!(contained(work, || Ok(7)).await, Ok(7));
        }
    }
}
