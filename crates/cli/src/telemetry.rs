//! Requests of a world, generated on a thread of their own so that sending never waits for generating.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use prost::Message as _;
use tokio::sync::mpsc;

use authstitch_model::UnixNanos;
use authstitch_model::truth::TruthLine;
use authstitch_otlp::wire::{LogsRequest, TracesRequest};
use authstitch_otlp::{Signal, encode_logs, encode_traces};
use authstitch_simulate::{Body, Capture, Packed, Pool, Request, Schedule, Share, Simulation, Throng};

use crate::caps;
use crate::failure::{Failure, Outcome, While};
use crate::sender::Outgoing;

/// How a request is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    Protobuf,
    Json,
}

impl Encoded {
    /// The bytes of a request.
    pub fn request(self, request: &Request) -> Vec<u8> {
        match (self, &request.body) {
            (Self::Protobuf, _) => request.encode_protobuf(),
            (Self::Json, Body::Traces(traces)) => encode_traces(traces).into_bytes(),
            (Self::Json, Body::Logs(logs)) => encode_logs(logs).into_bytes(),
        }
    }

    fn packed(self, packed: Packed) -> Vec<u8> {
        let json = match (self, packed.signal) {
            (Self::Protobuf, _) => return packed.bytes,
            (Self::Json, Signal::Traces) => {
                TracesRequest::decode(&*packed.bytes).map(|request| encode_traces(&request))
            }
            (Self::Json, Signal::Logs) => {
                LogsRequest::decode(&*packed.bytes).map(|request| encode_logs(&request))
            }
        };
        #[expect(clippy::expect_used, reason = "the simulator walks through these bytes as protobuf itself")]
        json.expect("packed bytes are a request").into_bytes()
    }
}

/// Where requests come from.
pub enum Source {
    /// Every attempt lives its own life.
    Exact(Box<Schedule>),
    /// Attempts repeat those of a pool.
    Templates(Box<Templates>),
    /// Requests without truth.
    Packed(Box<dyn Iterator<Item = Packed> + Send>),
}

/// A load from a pool, and whose truth it has.
pub struct Templates {
    throng: Throng,
    pool: Arc<Pool>,
    load: Simulation,
    attempts: Range<u64>,
    share: Share,
}

impl Source {
    /// The attempts of a world, each with a life of its own.
    pub fn exact(simulation: Simulation, attempts: Range<u64>, share: Share, records: usize) -> Self {
        Self::Exact(Box::new(Schedule::new(simulation, attempts).of_share(share).in_requests_of(records)))
    }

    /// The attempts of a load that repeat those of a pool.
    pub fn templates(
        pool: Arc<Pool>,
        load: Simulation,
        attempts: Range<u64>,
        share: Share,
        records: usize,
    ) -> Self {
        let throng = Throng::new(Arc::clone(&pool), load.clone(), attempts.clone(), share, records);
        Self::Templates(Box::new(Templates { throng, pool, load, attempts, share }))
    }

    /// The attempts of a load that repeat those of a pool, long under way: what arrives within this time.
    pub fn under_way(
        pool: Arc<Pool>,
        load: Simulation,
        attempts: Range<u64>,
        records: usize,
        within: Range<UnixNanos>,
    ) -> Self {
        let throng = Throng::new(pool, load, attempts, Share::WHOLE, records).joined_at(within.start);
        Self::Packed(Box::new(throng.take_while(move |packed| packed.at <= within.end)))
    }

    /// A capture, played from this time on, once or until `end`.
    pub fn captured(capture: Capture, seed: u64, start: UnixNanos, end: Option<UnixNanos>) -> Self {
        Self::Packed(Box::new(capture.play(seed, start, end)))
    }

    /// The next request, and how many attempts have begun to leave.
    pub fn next(&mut self, encoded: Encoded, truth: &mut Truth) -> Result<Option<(Outgoing, u64)>, Failure> {
        let outgoing = |due, signal, records: usize, body: Vec<u8>| Outgoing {
            due,
            signal,
            records: records as u64,
            body: body.into(),
        };
        let packed =
            |packed: Packed| outgoing(packed.at, packed.signal, packed.records, encoded.packed(packed));
        Ok(match self {
            Self::Exact(schedule) => {
                let next = schedule.next();
                truth.take(schedule.drain_truth())?;
                next.map(|next| {
                    let body = encoded.request(&next);
                    (outgoing(next.at, next.signal(), next.records, body), truth.taken)
                })
            }
            Self::Templates(templates) => match templates.throng.next() {
                Some(next) => Some((packed(next), templates.throng.begun())),
                None => {
                    let Templates { pool, load, attempts, share, .. } = &**templates;
                    truth.take(pool.truths(load, attempts.clone(), *share))?;
                    None
                }
            },
            Self::Packed(requests) => requests.next().map(|next| (packed(next), 0)),
        })
    }
}

/// Where the truth goes.
pub struct Truth {
    to: TruthTo,
    taken: u64,
}

enum TruthTo {
    Nowhere,
    Memory(Vec<TruthLine>),
    File { out: BufWriter<File>, what: String },
}

impl Truth {
    /// Into a file, if there is one to be.
    pub fn into_file(path: Option<&Path>) -> Result<Self, Failure> {
        let to = match path {
            Some(path) => {
                let what = format!("write {}", path.display());
                TruthTo::File { out: BufWriter::new(File::create(path).cannot(&what)?), what }
            }
            None => TruthTo::Nowhere,
        };
        Ok(Self { to, taken: 0 })
    }

    /// Into memory, for whoever scores it.
    pub const fn into_memory() -> Self {
        Self { to: TruthTo::Memory(Vec::new()), taken: 0 }
    }

    fn take(&mut self, lines: impl Iterator<Item = TruthLine>) -> Outcome {
        match &mut self.to {
            // Where lines are made one by one, those that nobody wants are not made.
            TruthTo::Nowhere => self.taken += lines.size_hint().1.unwrap_or_default() as u64,
            TruthTo::Memory(all) => {
                all.extend(lines);
                self.taken = all.len() as u64;
            }
            TruthTo::File { out, what } => {
                for line in lines {
                    serde_json::to_writer(&mut *out, &line).cannot(&*what)?;
                    out.write_all(b"\n").cannot(&*what)?;
                    self.taken += 1;
                }
            }
        }
        Ok(())
    }

    /// Everything is written.
    pub fn finish(self) -> Result<Vec<TruthLine>, Failure> {
        match self.to {
            TruthTo::Nowhere => Ok(Vec::new()),
            TruthTo::Memory(all) => Ok(all),
            TruthTo::File { mut out, what } => out.flush().cannot(what).map(|()| Vec::new()),
        }
    }
}

/// Requests on their way to the sender, and the truth that comes after them.
pub struct Generation {
    pub requests: mpsc::Receiver<Outgoing>,
    /// Attempts whose telemetry has begun to leave.
    pub attempts_begun: Arc<AtomicU64>,
    truth: JoinHandle<Result<Vec<TruthLine>, Failure>>,
}

impl Generation {
    /// Begins to generate requests of about so many records.
    pub fn start(mut source: Source, encoded: Encoded, mut truth: Truth, records: usize) -> Self {
        let ahead = (caps::RECORDS_AHEAD / records).clamp(4, caps::GENERATED_AHEAD);
        let (sender, requests) = mpsc::channel(ahead);
        let attempts_begun = Arc::new(AtomicU64::new(0));
        let begun = Arc::clone(&attempts_begun);
        let truth = std::thread::spawn(move || {
            while let Some((outgoing, attempts)) = source.next(encoded, &mut truth)? {
                begun.store(attempts, Ordering::Relaxed);
                if sender.blocking_send(outgoing).is_err() {
                    break;
                }
            }
            truth.finish()
        });
        Self { requests, attempts_begun, truth }
    }

    /// The truth that is kept in memory, once every request was taken.
    pub fn into_truth(self) -> Result<Vec<TruthLine>, Failure> {
        drop(self.requests);
        let panicked = |_| Err(Failure::new("the thread that makes the requests panicked"));
        self.truth.join().unwrap_or_else(panicked)
    }
}
