//! From events to wire records, in the style in which the stack is instrumented.
//!
//! A span reports a result at its end and anything else at its start. An event of another span stands in a
//! span of a request or a view. A log record outside a span carries an id of its own.

use std::sync::Arc;

use authstitch_model::line::{KeyLabel, SpanLine};
use authstitch_model::{EventId, EventName, KeyKind, SCHEMA_URL, Side, SpanId, TraceId, UnixNanos};
use authstitch_otlp::wire::{self, KeyValue};

use super::attributes::text;
use super::event::{Asker, Event, Span};
use super::{Gone, Outgoing, Scene, devices};
use crate::emission::{Content, Exporter, Scope};
use crate::random::{Dice, after};
use crate::world::{Form, SideStyle};

/// `SPAN_KIND_SERVER`.
pub(super) const SERVER_KIND: i32 = 2;
/// `SPAN_KIND_INTERNAL`.
pub(super) const INTERNAL_KIND: i32 = 1;
/// `STATUS_CODE_ERROR`.
const ERROR_STATUS: i32 = 2;
/// `SEVERITY_NUMBER_INFO` and `SEVERITY_NUMBER_ERROR`.
const INFO: i32 = 9;
const ERROR: i32 = 17;

/// The schema URL of the convention, for those scopes that state it.
pub(crate) const fn schema_url(scope: Scope) -> &'static str {
    match scope {
        Scope::LoginWithSchema => SCHEMA_URL,
        Scope::Login | Scope::Other => "",
    }
}

pub(super) fn records(scene: &Scene<'_>, events: &[Event], gone: Gone, dice: &mut Dice) -> Vec<Outgoing> {
    let mut former = Former {
        page: Arc::new(devices::page(scene)),
        phone: Arc::new(devices::phone(scene)),
        server: scene_server(scene, dice),
        last_span: [None; 3],
        traces: Vec::new(),
        scene,
        gone,
        dice,
    };
    let instrumented = |event: &&Event| scene.visit.style.sides.of(event.emitter).form != Form::Nothing;
    events.iter().filter(instrumented).map(|event| former.form(event)).collect()
}

type Process = (Exporter, Arc<wire::Resource>);

/// The page's requests and the phone's requests each stay with one server process.
fn scene_server(scene: &Scene<'_>, dice: &mut Dice) -> [Process; 2] {
    [(); 2].map(|()| {
        let (exporter, process) = server_exporter(scene, dice);
        (exporter, Arc::new(devices::server(scene, process)))
    })
}

/// One of the relying party's server processes.
fn server_exporter(scene: &Scene<'_>, dice: &mut Dice) -> (Exporter, u64) {
    let process = dice.below(scene.world.telemetry.server_processes);
    (Exporter::Server { relying_party: scene.visit.relying_party, process }, process)
}

struct Former<'a> {
    scene: &'a Scene<'a>,
    gone: Gone,
    dice: &'a mut Dice,
    page: Arc<wire::Resource>,
    phone: Arc<wire::Resource>,
    server: [Process; 2],
    /// The span last made for page and phone, the parent of what the server does for them.
    last_span: [Option<[u8; 8]>; 3],
    traces: Vec<[u8; 16]>,
}

/// The ids of a record.
struct Ids {
    trace: [u8; 16],
    span: [u8; 8],
    parent: Option<[u8; 8]>,
}

impl Former<'_> {
    fn form(&mut self, event: &Event) -> Outgoing {
        let style = self.scene.visit.style.sides.of(event.emitter).clone();
        let (exporter, resource) = self.emitter(event);
        let gone_at = match event.emitter {
            Side::Initiator => self.gone.page,
            Side::Authenticator => self.gone.phone,
            Side::Server => None,
        };
        let (start, end) = self.span_times(event, gone_at);
        let ids = self.ids(event, style.form);
        let (attributes, mut keys) = self.attributes(event, &style);
        let scope = if self.scene.visit.style.schema_url { Scope::LoginWithSchema } else { Scope::Login };
        let in_trace = style.form != Form::Log;
        if in_trace {
            keys.push(KeyLabel { kind: KeyKind::Trace, number: self.trace_label(ids.trace) });
        }
        let mut event_id = None;
        let content = match style.form {
            Form::Span => {
                Content::Span { span: own_span(event, &style, &ids, (start, end), attributes), scope }
            }
            Form::SpanEvent | Form::Nothing => {
                Content::Span { span: carrier(event, &ids, (start, end), attributes), scope }
            }
            Form::Log | Form::LogInSpan => {
                let uid = self.dice.token(26);
                let record = log_record(event, in_trace.then_some(&ids), &uid, attributes);
                event_id = Some(EventId::new(&uid));
                Content::Log { record, scope }
            }
        };
        let ready_at = match content {
            Content::Span { .. } => (event.span != Span::Open).then_some(end),
            Content::Log { .. } => Some(event.at),
        };
        let truth = SpanLine {
            trace_id: in_trace.then(|| TraceId::from_bytes(&ids.trace)).flatten(),
            span_id: in_trace.then(|| SpanId::from_bytes(&ids.span)).flatten(),
            event_id,
            side: event.side,
            event: event.name,
            joined_by: None,
            at: None,
            detail: None,
            keys: Some(keys),
        };
        let trace = truth.trace_id;
        Outgoing {
            exporter,
            ready_at,
            gone_at,
            trace,
            failed: event.failed,
            content,
            resource,
            truth: Some(truth),
        }
    }

    fn emitter(&self, event: &Event) -> Process {
        match (event.emitter, event.asked_by) {
            (Side::Initiator, _) => (Exporter::Page(self.scene.visit.page), self.page.clone()),
            (Side::Authenticator, _) => (Exporter::Phone(self.scene.visit.phone), self.phone.clone()),
            (Side::Server, Asker::Page) => self.server[0].clone(),
            (Side::Server, Asker::Phone | Asker::Scanner) => self.server[1].clone(),
        }
    }

    /// Start and end of the span: a result stands at its end, anything else at its start. A short span that
    /// the page's end would cut is cut there; a long one stays open and is lost.
    fn span_times(&mut self, event: &Event, gone_at: Option<UnixNanos>) -> (UnixNanos, UnixNanos) {
        let length = self.dice.between(0.001, 0.04);
        let cut = |end: UnixNanos| gone_at.filter(|gone| event.at <= *gone).map_or(end, |gone| end.min(gone));
        match event.span {
            Span::Since(since) if event.name.is_result() => (since.min(event.at), event.at),
            Span::Until(until) => (event.at, until.max(event.at)),
            _ if event.name.is_result() => {
                (UnixNanos(event.at.0.saturating_sub((length * 1e9) as u64)), event.at)
            }
            _ => (event.at, cut(after(event.at, length))),
        }
    }

    fn ids(&mut self, event: &Event, form: Form) -> Ids {
        let span: [u8; 8] = self.dice.bytes();
        let propagated = self.scene.visit.style.propagated;
        let (trace, asker) = match (event.emitter, event.asked_by) {
            (Side::Initiator, _) | (Side::Server, Asker::Page) => (self.scene.visit.page_trace, 0),
            (Side::Authenticator, _) | (Side::Server, Asker::Phone) => (self.scene.visit.phone_trace, 1),
            (Side::Server, Asker::Scanner) => (self.dice.bytes(), 2),
        };
        let own_trace = event.emitter == Side::Server && !propagated && event.asked_by != Asker::Scanner;
        if own_trace {
            return Ids { trace: self.dice.bytes(), span, parent: None };
        }
        let parent = if event.emitter == Side::Server { self.last_span[asker] } else { None };
        if event.emitter != Side::Server && form != Form::Log {
            self.last_span[asker] = Some(span);
        }
        Ids { trace, span, parent }
    }

    /// Which of the attempt's traces this is, by first appearance.
    fn trace_label(&mut self, trace: [u8; 16]) -> u32 {
        let place = self.traces.iter().position(|known| *known == trace).unwrap_or_else(|| {
            self.traces.push(trace);
            self.traces.len() - 1
        });
        place as u32 + 1
    }

    fn attributes(&self, event: &Event, style: &SideStyle) -> (Vec<KeyValue>, Vec<KeyLabel>) {
        let visit = self.scene.visit;
        let mut attributes = Vec::with_capacity(event.details.len() + 8);
        if style.named_by_attribute && style.form == Form::Span {
            attributes.push(text("auth.event", event.name.code()));
        }
        if visit.style.flow {
            attributes.push(text("auth.flow", self.scene.story.flow.code()));
        }
        if style.side {
            attributes.push(text("auth.side", event.side.code()));
        }
        let labels = visit.keys.of_event(event, style, &mut attributes);
        if event.emitter == Side::Server {
            let (address, country) = match event.asked_by {
                Asker::Page => (self.scene.person.initiator.address, &*self.scene.person.initiator.country),
                Asker::Phone => (self.scene.person.phone.address, &*self.scene.person.phone.country),
                Asker::Scanner => ([52, 36, 88, 7], "US"),
            };
            let [a, b, c, d] = address;
            attributes.push(text("client.address", format!("{a}.{b}.{c}.{d}")));
            attributes.push(text("geo.country.iso_code", country));
        }
        attributes.extend(event.details.iter().cloned());
        (attributes, labels)
    }
}

fn own_span(
    event: &Event,
    style: &SideStyle,
    ids: &Ids,
    (start, end): (UnixNanos, UnixNanos),
    attributes: Vec<KeyValue>,
) -> wire::Span {
    let name = if style.named_by_attribute { carrier_name(event) } else { event.name.code() };
    span(event, name, ids, (start, end), attributes)
}

/// A span of a request or a view, with the event inside.
fn carrier(
    event: &Event,
    ids: &Ids,
    (start, end): (UnixNanos, UnixNanos),
    attributes: Vec<KeyValue>,
) -> wire::Span {
    let mut carrier = span(event, carrier_name(event), ids, (start, end), Vec::new());
    carrier.events.push(wire::SpanEvent {
        time_unix_nano: event.at.0,
        name: event.name.code().to_owned(),
        attributes,
    });
    carrier
}

const fn carrier_name(event: &Event) -> &'static str {
    match (event.emitter, event.name) {
        (Side::Server, EventName::LinkOpened) => "GET /login/link/{token}",
        (Side::Server, _) => "POST /login",
        (Side::Initiator, _) => "login.view",
        (Side::Authenticator, _) => "confirm.view",
    }
}

fn span(
    event: &Event,
    name: &str,
    ids: &Ids,
    (start, end): (UnixNanos, UnixNanos),
    attributes: Vec<KeyValue>,
) -> wire::Span {
    wire::Span {
        trace_id: ids.trace.to_vec(),
        span_id: ids.span.to_vec(),
        trace_state: String::new(),
        parent_span_id: ids.parent.map(|parent| parent.to_vec()).unwrap_or_default(),
        name: name.to_owned(),
        kind: if event.emitter == Side::Server { SERVER_KIND } else { INTERNAL_KIND },
        start_time_unix_nano: start.0,
        end_time_unix_nano: end.0,
        attributes,
        events: Vec::new(),
        status: event.failed.then(|| wire::Status { message: String::new(), code: ERROR_STATUS }),
    }
}

fn log_record(event: &Event, ids: Option<&Ids>, uid: &str, mut attributes: Vec<KeyValue>) -> wire::LogRecord {
    attributes.push(text("log.record.uid", uid));
    wire::LogRecord {
        time_unix_nano: event.at.0,
        severity_number: if event.failed { ERROR } else { INFO },
        body: None,
        attributes,
        trace_id: ids.map(|ids| ids.trace.to_vec()).unwrap_or_default(),
        span_id: ids.map(|ids| ids.span.to_vec()).unwrap_or_default(),
        observed_time_unix_nano: event.at.0 + 40_000,
        event_name: event.name.code().to_owned(),
    }
}
