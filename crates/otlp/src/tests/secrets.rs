//! Raw codes, challenges, tokens, messages and addresses end in this crate.

use crate::attributes::Attr;
use crate::testing::{log, logs, mapped, mapped_logs, plain, span, span_event, texts, traces};
use crate::wire::{AnyValue, Status, Value};

const SECRETS: &[&str] = &["s3cr3t", "203.0.113.77", "anna@example.com"];

/// What is kept as text on purpose: names and versions that people read, and the id of a log record.
const KEPT: &[Attr] = &[
    Attr::EntryPoint,
    Attr::LogRecordUid,
    Attr::OsName,
    Attr::OsType,
    Attr::UserAgentName,
    Attr::UserAgentOsName,
    Attr::BrowserPlatform,
    Attr::BrowserBrands,
    Attr::DeviceModelName,
    Attr::DeviceModelIdentifier,
    Attr::AppVersion,
    Attr::ServiceName,
    Attr::ServiceVersion,
];

fn secret_attributes(salt: &str) -> Vec<(String, String)> {
    let secret = format!("s3cr3t-{salt}-anna@example.com-203.0.113.77");
    let known = Attr::ALL.iter().filter(|attr| !KEPT.contains(attr)).map(|attr| attr.name());
    let others =
        ["url.full", "http.request.header.cookie", "user.email", "auth.token", "s3cr3t", "anna@example.com"];
    known.chain(others).map(|key| (key.to_owned(), secret.clone())).collect()
}

#[test]
fn none_is_left_in_an_event() {
    let address = [("client.address".to_owned(), "203.0.113.77".to_owned())];
    let mut found = Vec::new();
    for name in authstitch_model::EventName::ALL {
        let of = |salt: &str| {
            let pairs = address.iter().cloned().chain(secret_attributes(salt)).collect::<Vec<_>>();
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            texts(&pairs)
        };
        let mut span = span(name.code(), &[]);
        span.attributes = of("span");
        span.trace_state = "ot=th:8;s3cr3t=anna@example.com".into();
        span.status = Some(Status { message: "s3cr3t of anna@example.com".into(), code: 2 });
        let mut inner = span_event(name.code(), &[]);
        inner.attributes = of("event");
        span.events = vec![inner, span_event("exception", &[("exception.message", "s3cr3t")])];
        let mut request = traces(&[], vec![span]);
        request.resource_spans[0].resource.as_mut().unwrap().attributes = of("resource");
        found.extend(mapped(&plain(), &request).0);

        let mut record = log(name.code(), &[]);
        record.attributes = of("log");
        record.body = Some(AnyValue { value: Some(Value::String("s3cr3t".into())) });
        found.extend(mapped_logs(&plain(), &logs(&[], vec![record])).0);
    }
    assert_eq!(found.len(), 3 * authstitch_model::EventName::COUNT);
    for event in found {
        let shown = format!("{event:?}");
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}

#[test]
fn none_is_left_in_the_messages_about_a_request() {
    let mut bad = span("auth.qr.shown", &[("auth.code.id", "s3cr3t-code")]);
    bad.start_time_unix_nano = 0;
    let (_, tally) = mapped(&plain(), &traces(&[("client.address", "203.0.113.77")], vec![bad]));
    let message = tally.message.unwrap();
    assert!(SECRETS.iter().all(|secret| !message.contains(secret)), "{message}");
}
