//! The two kinds of login that the stream consists of: five spans each, ten attributes a span.
//!
//! Three in four are QR logins that succeed; one in four is a passkey ceremony that the phone never joined.
//! Each ends with an event that closes its journey. The phone of a QR login knows code and challenge, but not
//! the journey, so it is the keys that bring the devices together.

use authstitch_otlp::wire::{AnyValue, KeyValue, Span, Value};

use crate::marks::{Mark, Marks};

/// Spans of one login, which is one trace.
pub const SPANS: usize = 5;

type Attributes = &'static [(&'static str, &'static str)];
type Keys = &'static [(&'static str, Mark)];

/// One span of a login: its event, who sends it, the keys it carries, what else describes it.
struct Step(&'static str, &'static Sender, Keys, Attributes);

/// Who sends a span.
struct Sender {
    side: &'static str,
    /// `SpanKind`.
    kind: i32,
    described: Attributes,
}

const SERVER: Sender = Sender {
    side: "server",
    kind: 2,
    described: &[
        ("http.request.method", "POST"),
        ("http.route", "/v2/tenants/{tenant}/logins/{purpose}/challenges"),
        ("url.domain", "login.shop.example.com"),
        ("client.address", "203.0.113.47"),
        ("service.instance.id", "login-7f9c5d8b6-x2kqv"),
    ],
};

const PAGE: Sender = Sender {
    side: "initiator",
    kind: 3,
    described: &[
        ("os.name", "Windows"),
        ("user_agent.name", "Chrome"),
        ("user_agent.version", "142.0.0.0"),
        ("url.full", "https://login.shop.example.com/checkout/sign-in?step=2"),
        ("browser.language", "en-GB"),
    ],
};

const PHONE: Sender = Sender {
    side: "authenticator",
    kind: 3,
    described: &[
        ("os.name", "iOS"),
        ("os.description", "iOS 19.1.2 (23B85)"),
        ("app.version", "7.12.0"),
        ("device.model.identifier", "iPhone17,3"),
        ("app.installation.id", "9f1b7c02-55d1-4f0e-b0a7-0d3f5f2c6d11"),
    ],
};

const JOURNEY: (&str, Mark) = ("auth.journey.id", Mark::Journey);
const CHALLENGE: (&str, Mark) = ("auth.challenge.id", Mark::Challenge);
const CODE: (&str, Mark) = ("auth.code.id", Mark::Code);
const SESSION: (&str, Mark) = ("session.id", Mark::Session);
const RELYING_PARTY: (&str, &str) = ("auth.relying_party.id", "shop.example.com");

const APP_QR: [Step; SPANS] = [
    Step("auth.challenge.created", &SERVER, &[JOURNEY, CHALLENGE, CODE], &[]),
    Step("auth.qr.shown", &PAGE, &[JOURNEY, CODE, SESSION], &[]),
    Step("auth.qr.scanned", &PHONE, &[CODE, CHALLENGE], &[RELYING_PARTY]),
    Step("auth.confirmation.completed", &PHONE, &[CODE, CHALLENGE], &[RELYING_PARTY]),
    Step("auth.session.established", &PAGE, &[JOURNEY, CHALLENGE, SESSION], &[]),
];

const PASSKEY: [Step; SPANS] = [
    Step("auth.challenge.created", &SERVER, &[JOURNEY, CHALLENGE], &[RELYING_PARTY]),
    Step("auth.webauthn.started", &PAGE, &[JOURNEY, CHALLENGE, SESSION], &[]),
    Step("auth.page.hidden", &PAGE, &[JOURNEY, CHALLENGE, SESSION], &[]),
    Step("auth.page.visible", &PAGE, &[JOURNEY, CHALLENGE, SESSION], &[]),
    Step("auth.webauthn.failed", &PAGE, &[JOURNEY, CHALLENGE], &[("error.type", "NotAllowedError")]),
];

/// One span of the login that stands at a place among the logins of its request.
pub fn span(place: usize, number: usize, marks: &Marks) -> Span {
    let (flow, steps) = if place % 4 == 3 { ("passkey_cda", &PASSKEY) } else { ("app_qr", &APP_QR) };
    let Step(name, sender, keys, more) = &steps[number];
    let mut attributes = vec![text("auth.flow", flow), text("auth.side", sender.side)];
    attributes.extend(keys.iter().map(|(key, mark)| text(key, marks.text(*mark))));
    attributes.extend(sender.described.iter().chain(*more).map(|(key, value)| text(key, value)));
    let parent = if number == 0 { &[] } else { marks.bytes(Mark::Span(0)) };
    Span {
        trace_id: marks.bytes(Mark::Trace).to_vec(),
        span_id: marks.bytes(Mark::Span(number)).to_vec(),
        parent_span_id: parent.to_vec(),
        name: (*name).into(),
        kind: sender.kind,
        start_time_unix_nano: marks.time(Mark::Start(number)),
        end_time_unix_nano: marks.time(Mark::End(number)),
        attributes,
        ..Span::default()
    }
}

/// An attribute of text.
pub fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::String(value.into())) }) }
}
