//! Requests of a world, generated on a thread of their own so that sending never waits for generating.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use authstitch_model::truth::TruthLine;
use authstitch_otlp::{encode_logs, encode_traces};
use authstitch_simulate::{Body, Request, Schedule, Simulation};

use crate::caps;
use crate::sender::Outgoing;

/// How a request is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    Protobuf,
    Json,
}

impl Encoded {
    /// The bytes of a request.
    pub fn bytes(self, request: &Request) -> Vec<u8> {
        match (self, &request.body) {
            (Self::Protobuf, _) => request.encode_protobuf(),
            (Self::Json, Body::Traces(traces)) => encode_traces(traces).into_bytes(),
            (Self::Json, Body::Logs(logs)) => encode_logs(logs).into_bytes(),
        }
    }
}

/// Requests on their way to the sender, and the truth that comes after them.
pub struct Generation {
    pub requests: mpsc::Receiver<Outgoing>,
    /// Attempts whose telemetry has begun to leave.
    pub attempts_begun: Arc<AtomicU64>,
    truth: JoinHandle<Vec<TruthLine>>,
}

impl Generation {
    /// Begins to generate.
    pub fn start(simulation: Simulation, attempts: Range<u64>, encoded: Encoded) -> Self {
        let (sender, requests) = mpsc::channel(caps::GENERATED_AHEAD);
        let attempts_begun = Arc::new(AtomicU64::new(0));
        let begun = Arc::clone(&attempts_begun);
        let truth = std::thread::spawn(move || {
            let mut schedule = Schedule::new(simulation, attempts);
            let mut truth = Vec::new();
            while let Some(request) = schedule.next() {
                truth.extend(schedule.drain_truth());
                begun.store(truth.len() as u64, Ordering::Relaxed);
                let outgoing = Outgoing {
                    due: request.at,
                    signal: request.signal(),
                    records: request.records as u64,
                    body: encoded.bytes(&request).into(),
                };
                if sender.blocking_send(outgoing).is_err() {
                    break;
                }
            }
            truth.extend(schedule.drain_truth());
            truth
        });
        Self { requests, attempts_begun, truth }
    }

    /// The truth of all attempts, once every request was taken.
    pub fn into_truth(self) -> Vec<TruthLine> {
        drop(self.requests);
        self.truth.join().unwrap_or_default()
    }
}
