//! How a world's login stack is instrumented, and how its telemetry fails on the way.

use std::sync::Arc;

use authstitch_model::document::{Fields, quoted};
use authstitch_model::{KeyKind, Millis, Side};

use super::law::{Law, share};
use super::mix::{Mix, listed};
use crate::caps;

/// Instrumentation and the faults of the telemetry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Telemetry {
    /// The styles in which stacks are instrumented.
    pub(crate) styles: Mix<Arc<Style>>,
    /// Share of mishaps that page, app or server reports as an error.
    pub(crate) errors_reported: f64,
    /// Share of unknown faults that leave an error at all.
    pub(crate) unknown_reported: f64,
    /// Share of passkey logins whose phone emits anything.
    pub(crate) phone_emits_in_passkey: f64,
    /// Server processes of each relying party.
    pub(crate) server_processes: u64,
    /// Share of export batches that are lost, by side.
    pub(crate) loss: BySide<f64>,
    /// Share of batches that are lost when they are sent while the page goes away, beside the loss of the side.
    pub(crate) unload_loss: f64,
    /// Share of batches that are sent twice.
    pub(crate) duplicated: f64,
    /// From sending a batch to sending it again.
    pub(crate) duplicate_after: Law,
    /// From sending to arriving.
    pub(crate) latency: Law,
    /// Share of batches that are delayed.
    pub(crate) delayed: f64,
    /// By how much.
    pub(crate) delay: Law,
    /// Share of batches whose records stand in no order.
    pub(crate) shuffled: f64,
    /// Which traces are kept.
    pub(crate) sampling: Sampling,
    /// How records are gathered.
    pub(crate) batching: Batching,
    /// How far clocks are off, by side.
    pub(crate) clock: BySide<Vec<Band>>,
    /// Unrelated spans of an attempt on each side, on average.
    pub(crate) unrelated: BySide<f64>,
}

/// One value for each side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BySide<T> {
    initiator: T,
    authenticator: T,
    server: T,
}

/// Which traces a sampler keeps. Log records are not sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampling {
    /// Share of traces that are kept at their head.
    pub(crate) head: f64,
    /// Whether spans carry the threshold in their trace state.
    pub(crate) announced: bool,
    /// Whether only traces with an error are kept at their end.
    pub(crate) errors_only: bool,
}

/// How records are gathered into requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Batching {
    /// An SDK sends its spans this often.
    pub(crate) spans: Millis,
    /// An SDK sends its log records this often.
    pub(crate) logs: Millis,
    /// A Collector in between gathers what arrives in so much time; `None` if there is none.
    pub(crate) gateway: Option<Millis>,
}

/// A share of the clocks, and how far these are off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    /// The share.
    pub(crate) share: f64,
    /// At least so far, in either direction.
    pub(crate) from_s: f64,
    /// At most so far.
    pub(crate) to_s: f64,
    /// The share of these clocks that are behind.
    pub(crate) behind: f64,
}

/// One way of instrumenting a login.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Style {
    /// Whether records carry the schema URL of the convention.
    pub(crate) schema_url: bool,
    /// Whether records carry `auth.flow`.
    pub(crate) flow: bool,
    /// Whether the page's trace goes on in the server.
    pub(crate) propagated: bool,
    /// Whether a ceremony's start is one span as long as the ceremony, which is lost if the page goes first.
    pub(crate) long_spans: bool,
    /// Whether the page tells which methods it offers and which is chosen, before the login has an id.
    pub(crate) choices: bool,
    /// How its traces are sampled, where not as the world's.
    pub(crate) sampling: Option<Sampling>,
    /// What each side does.
    pub(crate) sides: BySide<SideStyle>,
}

/// What one side does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SideStyle {
    /// How its events come.
    pub(crate) form: Form,
    /// Whether its records carry `auth.side`.
    pub(crate) side: bool,
    /// The keys it knows and sends.
    pub(crate) keys: Vec<KeyKind>,
    /// Whether it sends challenges and codes as digests.
    pub(crate) hashed: bool,
    /// Whether its spans have a name of their own and the event's name as an attribute.
    pub(crate) named_by_attribute: bool,
}

/// How an event comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a span.
    Span,
    /// As an event of another span.
    SpanEvent,
    /// As a log record with an id of its own, outside any span.
    Log,
    /// As a log record within a span.
    LogInSpan,
    /// Not at all: the side is not instrumented.
    Nothing,
}

impl<T> BySide<T> {
    pub(crate) const fn of(&self, side: Side) -> &T {
        match side {
            Side::Initiator => &self.initiator,
            Side::Authenticator => &self.authenticator,
            Side::Server => &self.server,
        }
    }

    fn read(fields: &Fields<'_>, key: &'static str, read: impl Fn(&Fields<'_>, &'static str) -> T) -> Self {
        fields.map(key, |sides| Self {
            initiator: read(sides, Side::Initiator.code()),
            authenticator: read(sides, Side::Authenticator.code()),
            server: read(sides, Side::Server.code()),
        })
    }
}

impl Telemetry {
    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        let styles = fields
            .list("styles", |style| (Arc::new(Style::read(style)), style.number("weight", 0.0..=1e6, 1.0)));
        if styles.len() > caps::LIST_ITEMS {
            fields.problem("styles", format!("more than {} styles", caps::LIST_ITEMS));
        }
        Self {
            styles: Mix::new(styles).unwrap_or_else(|| Mix::only(Arc::new(Style::full()))),
            errors_reported: share(fields, "errors_reported", 1.0),
            unknown_reported: share(fields, "unknown_reported", 0.5),
            phone_emits_in_passkey: share(fields, "phone_emits_in_passkey", 0.0),
            server_processes: fields.integer("server_processes", 1..=1000, 2),
            loss: BySide::read(fields, "loss", |sides, side| share(sides, side, 0.0)),
            unload_loss: share(fields, "unload_loss", 0.0),
            duplicated: share(fields, "duplicated", 0.0),
            duplicate_after: Law::read(fields, "duplicate_after", Law::new(5.0, 30.0)),
            latency: Law::read(fields, "latency", Law::new(0.06, 0.4)),
            delayed: share(fields, "delayed", 0.0),
            delay: Law::read(fields, "delay", Law::new(8.0, 40.0)),
            shuffled: share(fields, "shuffled", 0.0),
            sampling: fields.map("sampling", Sampling::read),
            batching: fields.map("batching", |batching| Batching {
                spans: Millis((batching.number("spans_s", 0.05..=300.0, 5.0) * 1e3) as u64),
                logs: Millis((batching.number("logs_s", 0.05..=300.0, 1.0) * 1e3) as u64),
                gateway: match batching.integer("gateway_ms", 0..=60_000, 200) {
                    0 => None,
                    millis => Some(Millis(millis)),
                },
            }),
            clock: BySide::read(fields, "clock", read_bands),
            unrelated: BySide::read(fields, "unrelated", |sides, side| sides.number(side, 0.0..=1000.0, 0.0)),
        }
    }
}

impl Sampling {
    fn read(fields: &Fields<'_>) -> Self {
        Self {
            head: share(fields, "head", 1.0),
            announced: fields.flag("announced", false),
            errors_only: fields.flag("errors_only", false),
        }
    }
}

fn read_bands(fields: &Fields<'_>, side: &'static str) -> Vec<Band> {
    let bands = fields.list(side, |band| {
        let from_s = band.number("from_s", 0.0..=caps::CLOCK_OFF_S, 0.0);
        let to_s = band.number("to_s", 0.0..=caps::CLOCK_OFF_S, from_s);
        if to_s < from_s {
            band.problem("to_s", format!("{to_s} lies below from_s, which is {from_s}"));
        }
        Band { share: share(band, "share", 0.0), from_s, to_s, behind: share(band, "behind", 0.5) }
    });
    let sum: f64 = bands.iter().map(|band| band.share).sum();
    if sum > 1.0 + 1e-9 {
        fields.problem(side, format!("the shares sum to {sum}; at most 1 is possible, the rest is exact"));
    }
    bands
}

impl Style {
    /// Every event is a span with every key.
    fn full() -> Self {
        let side = SideStyle {
            form: Form::Span,
            side: true,
            keys: vec![KeyKind::Journey, KeyKind::Challenge, KeyKind::Code, KeyKind::Session],
            hashed: true,
            named_by_attribute: false,
        };
        Self {
            schema_url: true,
            flow: true,
            propagated: true,
            long_spans: false,
            choices: false,
            sampling: None,
            sides: BySide { initiator: side.clone(), authenticator: side.clone(), server: side },
        }
    }

    fn read(fields: &Fields<'_>) -> Self {
        let default = Self::full();
        let _ = fields.text("about");
        let schema_url = fields.flag("schema_url", default.schema_url);
        let flow = fields.flag("flow", default.flow);
        if !schema_url && !flow {
            fields.problem("flow", "without schema_url and flow a record without keys would not be ours");
        }
        let side = |key: &'static str| fields.map(key, SideStyle::read);
        Self {
            schema_url,
            flow,
            propagated: fields.flag("propagated", default.propagated),
            long_spans: fields.flag("long_spans", default.long_spans),
            choices: fields.flag("choices", default.choices),
            sampling: fields.has("sampling").then(|| fields.map("sampling", Sampling::read)),
            sides: BySide {
                initiator: side("initiator"),
                authenticator: side("authenticator"),
                server: side("server"),
            },
        }
    }
}

impl SideStyle {
    fn read(fields: &Fields<'_>) -> Self {
        let default = Style::full().sides.initiator;
        let keys = if fields.has("keys") { read_keys(fields) } else { default.keys };
        Self {
            form: fields.parsed(
                "form",
                "span, span_event, log, log_in_span, nothing",
                default.form,
                |text| match text {
                    "span" => Some(Form::Span),
                    "span_event" => Some(Form::SpanEvent),
                    "log" => Some(Form::Log),
                    "log_in_span" => Some(Form::LogInSpan),
                    "nothing" => Some(Form::Nothing),
                    _ => None,
                },
            ),
            side: fields.flag("side", default.side),
            keys,
            hashed: fields.flag("hashed", default.hashed),
            named_by_attribute: fields.flag("named_by_attribute", default.named_by_attribute),
        }
    }
}

fn read_keys(fields: &Fields<'_>) -> Vec<KeyKind> {
    let sent = |kind: &KeyKind| *kind != KeyKind::Trace;
    let mut keys = Vec::new();
    for code in fields.texts("keys") {
        match KeyKind::from_code(&code).filter(sent) {
            Some(kind) => keys.push(kind),
            None => {
                let accepted = listed(KeyKind::ALL.iter().filter(|kind| sent(kind)).map(|kind| kind.code()));
                fields.problem("keys", format!("{} is no kind of key; accepted: {accepted}", quoted(&code)));
            }
        }
    }
    keys
}
