//! A pool of attempts made in advance, from which a load of any size is made.
//!
//! 1. The pool holds whole blocks of the world, made one by one at the world's own pace, so chains of retries
//!    stay whole. Block `b` of the load repeats block `b` modulo the pool's size.
//! 2. An attempt of the load has the truth of the attempt that it repeats, under its own number, with its own
//!    ids and times: all times of a chain move by how much later its first slot is.
//! 3. What an SDK of a page or a phone sent as one batch stays one resource entry. Records of a server process
//!    stand together in one, whichever attempts they belong to, as in the batches of a busy server.
//!
//! What repeats with the pool: who comes, what happens, how long it takes, what is lost. Codes are fresh for
//! every attempt, also in worlds that use them again.

use std::collections::BTreeMap;
use std::ops::Range;

use authstitch_model::line::SpanLine;
use authstitch_model::truth::TruthLine;
use authstitch_model::{EventId, SpanId, TraceId, UnixNanos};
use authstitch_otlp::Signal;
use authstitch_otlp::wire::{Resource, Scope};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, message};

use crate::block::{Block, Share, Simulation};
use crate::caps::BLOCK_ATTEMPTS;
use crate::emission::{Emission, Exporter};
use crate::request::{Body, Request};
use crate::template::fresh::Fresh;
use crate::template::{Ids, Level, NoTemplate, Template};

/// Attempts made in advance, as templates.
#[derive(Clone, Debug)]
pub struct Pool {
    pub(crate) seed: u64,
    pub(crate) blocks: Vec<PooledBlock>,
    /// The servers' processes, each with one of its scopes.
    pub(crate) servers: Vec<Server>,
}

/// One block of the pool.
#[derive(Clone, Debug)]
pub(crate) struct PooledBlock {
    ids: Ids,
    pub(crate) batches: Vec<Batch>,
    attempts: Vec<TruthLine>,
    /// By attempt: the first of its chain.
    first: Vec<usize>,
    /// By attempt: its slot in the pool.
    slots: Vec<UnixNanos>,
}

/// What one attempt sends in one batch of one exporter.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) signal: Signal,
    /// Which attempt of its block.
    pub(crate) attempt: usize,
    /// It arrives so many nanoseconds after the slot of its chain's first attempt.
    pub(crate) after: u64,
    pub(crate) parts: Vec<Part>,
}

/// Records of one exporter and, if it is a server, of one scope.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) template: Template,
    pub(crate) records: usize,
    /// Among whose records it stands; nothing if it is a resource entry of its own.
    pub(crate) server: Option<usize>,
}

/// What stands around the records of one scope of one server process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) signal: Signal,
    /// The resource, with its field number.
    resource: Vec<u8>,
    /// The scope, with its field number.
    scope: Vec<u8>,
    /// The schema's URL, with its field number.
    schema: Vec<u8>,
}

impl Pool {
    /// The pool of the first attempts of a world; at least one block of them.
    #[must_use]
    pub fn new(simulation: &Simulation, attempts: u64) -> Self {
        let simulation = simulation.at_own_pace();
        let mut pool = Self { seed: simulation.seed(), blocks: Vec::new(), servers: Vec::new() };
        for number in 0..attempts.div_ceil(BLOCK_ATTEMPTS).max(1) {
            let block = pool.block(&simulation, number, simulation.block(number));
            #[expect(
                clippy::expect_used,
                reason = "the bytes were encoded a moment ago, and a block has some kilobytes"
            )]
            pool.blocks.push(block.expect("what was just encoded can be read"));
        }
        pool
    }

    fn block(
        &mut self,
        simulation: &Simulation,
        number: u64,
        block: Block,
    ) -> Result<PooledBlock, NoTemplate> {
        let slots: Vec<_> = block.attempts.iter().map(|line| simulation.slot(line.attempt)).collect();
        let place = |attempt: u64| (attempt - number * BLOCK_ATTEMPTS) as usize;
        let mut first: Vec<usize> = Vec::with_capacity(slots.len());
        for line in &block.attempts {
            first.push(line.previous_attempt.map_or(place(line.attempt), |previous| first[place(previous)]));
        }
        let mut sent = BTreeMap::<_, Vec<Emission>>::new();
        for one in block.emissions {
            let logs = one.content.signal() == Signal::Logs;
            sent.entry((one.arrives, logs, one.exporter, one.sent, one.copy, one.attempt))
                .or_default()
                .push(one);
        }
        let mut encoded = Vec::new();
        for ((arrives, _, exporter, _, _, attempt), mut emissions) in sent {
            emissions.sort_by_key(|one| one.order);
            let attempt = place(attempt);
            let signal = emissions[0].content.signal();
            let after = arrives.0.saturating_sub(slots[first[attempt]].0);
            let request = Request::new(arrives, signal, emissions);
            encoded.push((signal, attempt, after, self.parts(exporter, &request)));
        }
        let mut ids = Ids::default();
        for (_, _, _, parts) in &encoded {
            parts.iter().try_for_each(|part| ids.note(part.level, &part.bytes))?;
        }
        ids.settle();
        let mut batches = Vec::with_capacity(encoded.len());
        for (signal, attempt, after, parts) in encoded {
            let part = |part: Encoded| {
                let template = ids.template(part.level, part.bytes)?;
                Ok(Part { template, records: part.records, server: part.server })
            };
            let parts = parts.into_iter().map(part).collect::<Result<_, _>>()?;
            batches.push(Batch { signal, attempt, after, parts });
        }
        Ok(PooledBlock { ids, batches, attempts: block.attempts, first, slots })
    }

    /// A batch as it goes into requests.
    fn parts(&mut self, exporter: Exporter, request: &Request) -> Vec<Encoded> {
        let signal = request.signal();
        if !matches!(exporter, Exporter::Server { .. }) {
            let bytes = request.encode_protobuf();
            return vec![Encoded {
                level: Level::Request(signal),
                bytes,
                records: request.records,
                server: None,
            }];
        }
        let mut parts = Vec::new();
        match &request.body {
            Body::Traces(traces) => {
                for entry in &traces.resource_spans {
                    for scope in &entry.scope_spans {
                        let server = Server::new(
                            signal,
                            entry.resource.as_ref(),
                            scope.scope.as_ref(),
                            &scope.schema_url,
                        );
                        let mut bytes = Vec::new();
                        message::encode_repeated(2, &scope.spans, &mut bytes);
                        parts.push(self.part(server, bytes, scope.spans.len()));
                    }
                }
            }
            Body::Logs(logs) => {
                for entry in &logs.resource_logs {
                    for scope in &entry.scope_logs {
                        let server = Server::new(
                            signal,
                            entry.resource.as_ref(),
                            scope.scope.as_ref(),
                            &scope.schema_url,
                        );
                        let mut bytes = Vec::new();
                        message::encode_repeated(2, &scope.log_records, &mut bytes);
                        parts.push(self.part(server, bytes, scope.log_records.len()));
                    }
                }
            }
        }
        parts
    }

    fn part(&mut self, server: Server, bytes: Vec<u8>, records: usize) -> Encoded {
        let level = Level::Records(server.signal);
        let place = self.servers.iter().position(|known| *known == server).unwrap_or_else(|| {
            self.servers.push(server);
            self.servers.len() - 1
        });
        Encoded { level, bytes, records, server: Some(place) }
    }

    /// The truth of one attempt of a load.
    #[must_use]
    pub fn truth(&self, load: &Simulation, attempt: u64) -> TruthLine {
        let number = attempt / BLOCK_ATTEMPTS;
        let block = self.block_for(number);
        let place = (attempt % BLOCK_ATTEMPTS) as usize;
        let fresh = Fresh::new(self.seed, number);
        let moved_by = block.moved_by(load, number, place);
        let old = &block.attempts[place];
        let mut line = old.clone();
        line.attempt = attempt;
        line.previous_attempt = old.previous_attempt.map(|previous| attempt - (old.attempt - previous));
        line.started_at = line.started_at.shifted(moved_by);
        line.phases.iter_mut().for_each(|phase| phase.at = phase.at.shifted(moved_by));
        line.spans.iter_mut().chain(&mut line.lost).for_each(|span| block.freshen(span, fresh));
        line
    }

    /// The truth of the attempts of a share of a load.
    pub fn truths(
        &self,
        load: &Simulation,
        attempts: Range<u64>,
        share: Share,
    ) -> impl Iterator<Item = TruthLine> {
        let of_share = attempts.filter(move |attempt| share.has(attempt / BLOCK_ATTEMPTS));
        of_share.map(|attempt| self.truth(load, attempt))
    }

    /// The block of the pool that a block of a load repeats.
    pub(crate) fn block_for(&self, number: u64) -> &PooledBlock {
        &self.blocks[(number % self.blocks.len() as u64) as usize]
    }
}

/// A part before it becomes a template.
struct Encoded {
    level: Level,
    bytes: Vec<u8>,
    records: usize,
    server: Option<usize>,
}

/// A field of bytes; nothing if they are empty, as proto3 writes it.
fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut field = Vec::with_capacity(bytes.len() + 6);
    if !bytes.is_empty() {
        encode_key(number, WireType::LengthDelimited, &mut field);
        encode_varint(bytes.len() as u64, &mut field);
        field.extend_from_slice(bytes);
    }
    field
}

impl Server {
    fn new(signal: Signal, resource: Option<&Resource>, scope: Option<&Scope>, schema_url: &str) -> Self {
        let resource = field(1, &resource.map(Message::encode_to_vec).unwrap_or_default());
        let scope = field(1, &scope.map(Message::encode_to_vec).unwrap_or_default());
        Self { signal, resource, scope, schema: field(3, schema_url.as_bytes()) }
    }

    /// Appends a resource entry with these records.
    pub(crate) fn wrap(&self, records: &[u8], out: &mut Vec<u8>) {
        let scope = self.scope.len() + records.len() + self.schema.len();
        let head = |number, length: usize, out: &mut Vec<u8>| {
            encode_key(number, WireType::LengthDelimited, out);
            encode_varint(length as u64, out);
        };
        let key = 1 + prost::encoding::encoded_len_varint(scope as u64);
        head(1, self.resource.len() + key + scope, out);
        out.extend_from_slice(&self.resource);
        head(2, scope, out);
        out.extend_from_slice(&self.scope);
        out.extend_from_slice(records);
        out.extend_from_slice(&self.schema);
    }
}

impl PooledBlock {
    /// How much later an attempt of a load is than the one that it repeats.
    pub(crate) fn moved_by(&self, load: &Simulation, number: u64, place: usize) -> i64 {
        let first = self.first[place];
        load.slot(number * BLOCK_ATTEMPTS + first as u64).signed_since(self.slots[first])
    }

    /// When a batch arrives in a load.
    pub(crate) fn arrives(&self, batch: &Batch, load: &Simulation, number: u64) -> UnixNanos {
        let first = self.first[batch.attempt] as u64;
        UnixNanos(load.slot(number * BLOCK_ATTEMPTS + first).0.saturating_add(batch.after))
    }

    /// Appends an instance of a part.
    pub(crate) fn instance(&self, part: &Part, fresh: Fresh, moved_by: i64, out: &mut Vec<u8>) {
        part.template.instance(&self.ids, fresh, moved_by, out);
    }

    fn freshen(&self, span: &mut SpanLine, fresh: Fresh) {
        let trace = span.trace_id.map(|old| self.ids.fresh_trace(fresh, old.bytes()));
        let id = span.span_id.map(|old| self.ids.fresh_span(fresh, old.bytes()));
        span.trace_id = trace.and_then(|trace| TraceId::from_bytes(&trace));
        span.span_id = id.and_then(|id| SpanId::from_bytes(&id));
        span.event_id =
            span.event_id.take().map(|old| EventId::new(&self.ids.fresh_uid(fresh, old.as_str())));
    }
}
