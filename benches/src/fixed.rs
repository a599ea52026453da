//! Requests of a fixed shape, to compare receivers on: spans of about 489 bytes with ten attributes, five of one
//! trace, each trace a login by QR code that succeeds.

use authstitch_otlp::wire::{
    AnyValue, KeyValue, Resource, ResourceSpans, Scope, ScopeSpans, Span, TracesRequest, Value,
};
use prost::Message;

/// Spans of one login.
pub const SPANS_PER_LOGIN: usize = 5;

/// 2026-01-01T00:00:00Z, when the first login begins.
pub const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

const MILLISECOND: u64 = 1_000_000;

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(Value::String(value.into())) }) }
}

/// A number that looks like chance and is none.
fn mixed(number: u64, salt: u64) -> u64 {
    let mut word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xd6e8_feb8_6659_fd93);
    word ^= word >> 32;
    word = word.wrapping_mul(0xd6e8_feb8_6659_fd93);
    word ^ word >> 32
}

/// Side, name, and milliseconds after the beginning, of each span of a login.
const STEPS: [(usize, &str, u64); SPANS_PER_LOGIN] = [
    (0, "auth.challenge.created", 0),
    (1, "auth.qr.shown", 300),
    (2, "auth.qr.scanned", 6_000),
    (2, "auth.confirmation.completed", 9_000),
    (0, "auth.session.established", 9_500),
];

const ADDRESSES: [&str; 3] = ["auth.example.com", "login.example.com", "app.example.com"];

/// One span of a login; `foreign` gives it a name and keys that mean nothing to anybody.
fn span(login: u64, step: usize, foreign: bool) -> Span {
    let (side, name, after) = STEPS[step];
    let start = EPOCH_NS + login * MILLISECOND + after * MILLISECOND;
    let mut trace_id = mixed(login, 1).to_be_bytes().to_vec();
    trace_id.extend(mixed(login, 2).to_be_bytes());
    let attributes = vec![
        text(if foreign { "shop.cart" } else { "auth.flow" }, "app_qr"),
        text(
            if foreign { "shop.order.number" } else { "auth.journey.id" },
            format!("{:016x}-{login:016x}", mixed(login, 3)),
        ),
        text("session.id", format!("{:016x}{side:x}{:015x}", mixed(login, 4), login)),
        text("http.request.method", "POST"),
        text("url.path", "/api/v2/authentication/step"),
        text("server.address", ADDRESSES[side]),
        text("user_agent.original", "Mozilla/5.0 (Macintosh) Safari/605.1.15"),
        text("network.protocol.version", "1.1"),
        text("client.address", "203.0.113.24"),
        text("http.route", "/api/v2/authentication/{step}"),
    ];
    Span {
        trace_id,
        span_id: mixed(login, 10 + step as u64).to_be_bytes().to_vec(),
        name: if foreign { "shop.checkout.completed".into() } else { name.into() },
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 40 * MILLISECOND,
        attributes,
        ..Span::default()
    }
}

fn resource(side: usize) -> Resource {
    let language = ["java", "webjs", "swift"][side];
    Resource {
        attributes: vec![
            text("service.name", ["auth-server", "login-web", "mobile-app"][side]),
            text("service.version", "3.14.1"),
            text("telemetry.sdk.language", language),
            text("telemetry.sdk.name", "opentelemetry"),
            text("deployment.environment.name", "production"),
        ],
    }
}

/// A request with whole logins from `first` on, a resource for each side. Of every hundred logins `foreign_percent`
/// are no logins at all.
#[must_use]
pub fn request(first: u64, logins: u64, foreign_percent: u64) -> Vec<u8> {
    let mut spans: [Vec<Span>; 3] = Default::default();
    for login in first..first + logins {
        for (step, (side, ..)) in STEPS.iter().enumerate() {
            spans[*side].push(span(login, step, login * 37 % 100 < foreign_percent));
        }
    }
    let of_side = |(side, spans)| ResourceSpans {
        resource: Some(resource(side)),
        scope_spans: vec![ScopeSpans {
            scope: Some(Scope { name: "login".into(), version: "1.0.0".into() }),
            spans,
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    };
    TracesRequest { resource_spans: spans.into_iter().enumerate().map(of_side).collect() }.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_about_489_bytes_and_ten_attributes() {
        let request = TracesRequest::decode(&*request(0, 20, 0)).unwrap();
        let spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans[0].spans);
        let sizes: Vec<usize> = spans.clone().map(Message::encoded_len).collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((480..500).contains(&mean), "{mean}");
        assert!(spans.clone().all(|span| span.attributes.len() == 10));
        assert_eq!(sizes.len(), 100);
    }
}
