//! One OTLP request, as it is sent.

use std::sync::Arc;

use authstitch_model::UnixNanos;
use authstitch_otlp::{Signal, wire};
use prost::Message as _;

use crate::emission::{Content, Emission, Exporter, Scope};
use crate::stack::schema_url;

/// One request and when it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The scheduled moment.
    pub at: UnixNanos,
    /// What it carries.
    pub body: Body,
    /// Spans, or log records, in it.
    pub records: usize,
}

/// What a request carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Spans.
    Traces(wire::TracesRequest),
    /// Log records.
    Logs(wire::LogsRequest),
}

impl Request {
    /// The request of these records, which stand batch by batch: one resource entry a batch, and in it one
    /// scope entry each time the instrumentation changes.
    pub(crate) fn new(at: UnixNanos, signal: Signal, emissions: Vec<Emission>) -> Self {
        let records = emissions.len();
        let body = match signal {
            Signal::Traces => Body::Traces(traces(emissions)),
            Signal::Logs => Body::Logs(logs(emissions)),
        };
        Self { at, body, records }
    }

    /// Which signal it carries.
    #[must_use]
    pub const fn signal(&self) -> Signal {
        match self.body {
            Body::Traces(_) => Signal::Traces,
            Body::Logs(_) => Signal::Logs,
        }
    }

    /// As OTLP in binary protobuf.
    #[must_use]
    pub fn encode_protobuf(&self) -> Vec<u8> {
        match &self.body {
            Body::Traces(request) => request.encode_to_vec(),
            Body::Logs(request) => request.encode_to_vec(),
        }
    }
}

/// What keeps records together: their batch, and in it their instrumentation.
type Place = ((Exporter, UnixNanos, u8), Scope);

/// Where a record goes: whether it begins a new resource entry, and whether a new scope entry.
fn turn(last: &mut Option<Place>, next: Place) -> (bool, bool) {
    let last = last.replace(next);
    let new_batch = last.is_none_or(|(batch, _)| batch != next.0);
    (new_batch, new_batch || last.is_none_or(|(_, scope)| scope != next.1))
}

fn scope_of(scope: Scope) -> Option<wire::Scope> {
    let (name, version) = match scope {
        Scope::LoginWithSchema | Scope::Login => ("login", "1.0.0"),
        Scope::Other => ("io.opentelemetry.contrib", "2.4.0"),
    };
    Some(wire::Scope { name: name.into(), version: version.into() })
}

fn traces(emissions: Vec<Emission>) -> wire::TracesRequest {
    let mut resource_spans: Vec<wire::ResourceSpans> = Vec::new();
    let mut last = None;
    for emission in emissions {
        let Emission { exporter, sent, copy, content: Content::Span { span, scope }, resource, .. } =
            emission
        else {
            continue;
        };
        let (new_batch, new_scope) = turn(&mut last, ((exporter, sent, copy), scope));
        if new_batch {
            let resource = Some(Arc::unwrap_or_clone(resource));
            resource_spans.push(wire::ResourceSpans { resource, ..wire::ResourceSpans::default() });
        }
        let Some(entry) = resource_spans.last_mut() else { continue };
        if new_scope {
            let schema_url = schema_url(scope).to_owned();
            entry.scope_spans.push(wire::ScopeSpans {
                scope: scope_of(scope),
                spans: Vec::new(),
                schema_url,
            });
        }
        if let Some(entry) = entry.scope_spans.last_mut() {
            entry.spans.push(span);
        }
    }
    wire::TracesRequest { resource_spans }
}

fn logs(emissions: Vec<Emission>) -> wire::LogsRequest {
    let mut resource_logs: Vec<wire::ResourceLogs> = Vec::new();
    let mut last = None;
    for emission in emissions {
        let Emission { exporter, sent, copy, content: Content::Log { record, scope }, resource, .. } =
            emission
        else {
            continue;
        };
        let (new_batch, new_scope) = turn(&mut last, ((exporter, sent, copy), scope));
        if new_batch {
            let resource = Some(Arc::unwrap_or_clone(resource));
            resource_logs.push(wire::ResourceLogs { resource, ..wire::ResourceLogs::default() });
        }
        let Some(entry) = resource_logs.last_mut() else { continue };
        if new_scope {
            let schema_url = schema_url(scope).to_owned();
            entry.scope_logs.push(wire::ScopeLogs {
                scope: scope_of(scope),
                log_records: Vec::new(),
                schema_url,
            });
        }
        if let Some(entry) = entry.scope_logs.last_mut() {
            entry.log_records.push(record);
        }
    }
    wire::LogsRequest { resource_logs }
}
