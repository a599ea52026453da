use authstitch_model::{EventName, SCHEMA_URL, Side, UnixNanos};

use crate::caps;
use crate::testing::{
    NOW, attribute, event_of_log, events, log, logs, mapped, mapped_logs, plain, span, span_event, traces,
};
use crate::wire::{Span, Value};

fn names(spans: Vec<Span>) -> Vec<EventName> {
    events(&[], spans).iter().map(|event| event.name).collect()
}

#[test]
fn a_span_is_an_event_by_its_name_or_its_attribute() {
    let by_name = span("auth.qr.shown", &[("auth.flow", "app_qr")]);
    let by_attribute = span("render", &[("auth.flow", "app_qr"), ("auth.event", "auth.qr.shown")]);
    let both = span("auth.qr.refreshed", &[("auth.flow", "app_qr"), ("auth.event", "auth.qr.shown")]);
    let neither = span("render", &[("auth.flow", "app_qr"), ("auth.event", "auth.qr.painted")]);
    assert_eq!(
        names(vec![by_name, by_attribute, both, neither]),
        [EventName::QrShown, EventName::QrShown, EventName::QrRefreshed]
    );
}

#[test]
fn a_span_may_be_an_event_and_carry_events() {
    let mut login = span("auth.webauthn.started", &[("auth.challenge.id", "challenge-0001")]);
    login.events = vec![
        span_event("auth.page.hidden", &[]),
        span_event("an unrelated note", &[]),
        span_event("auth.page.visible", &[("auth.side", "authenticator")]),
    ];
    let events = events(&[("session.id", "session-0001")], vec![login]);
    let found: Vec<_> = events.iter().map(|event| (event.name, event.side)).collect();
    assert_eq!(
        found,
        [
            (EventName::WebauthnStarted, Side::Initiator),
            (EventName::PageHidden, Side::Initiator),
            (EventName::PageVisible, Side::Authenticator),
        ]
    );
    assert!(events.iter().all(|event| event.keys == events[0].keys), "keys of the span and the resource");
}

#[test]
fn the_own_attribute_wins_then_the_spans_then_the_resources() {
    let session = |own: &[(&str, &str)], spans: &[(&str, &str)]| {
        let mut span = span("POST", spans);
        span.attributes.extend(crate::testing::texts(&[("auth.flow", "app_qr")]));
        span.events.push(span_event("auth.qr.shown", own));
        events(&[("session.id", "resource-0001")], vec![span])[0].keys.session
    };
    let direct = |id: &str| session(&[("session.id", id)], &[]);
    assert_eq!(
        session(&[("session.id", "own-000001")], &[("session.id", "span-000001")]),
        direct("own-000001")
    );
    assert_eq!(session(&[], &[("session.id", "span-000001")]), direct("span-000001"));
    assert_eq!(session(&[], &[]), direct("resource-0001"));
    assert_eq!(
        session(&[("session.id", " ")], &[]),
        direct("resource-0001"),
        "an empty text counts as absent"
    );
    let twice = [("session.id", "own-000001"), ("session.id", "own-000002")];
    assert_eq!(session(&twice, &[]), direct("own-000001"), "the first counts");
}

#[test]
fn a_record_is_ours_by_schema_url_flow_or_id() {
    let ours = |attributes: &[(&str, &str)]| !names(vec![span("auth.error", attributes)]).is_empty();
    assert!(ours(&[("auth.flow", "app_qr")]));
    assert!(ours(&[("auth.journey.id", "journey-0001")]));
    assert!(ours(&[("auth.relying_party.id", "shop.example")]));
    assert!(!ours(&[]));
    assert!(!ours(&[
        ("auth.id", "x"),
        ("author.book.id", "y"),
        ("auth.journey.id", ""),
        ("enduser.id", "z")
    ]));

    let by_url = |scope: bool, url: &str| {
        let mut request = traces(&[], vec![span("auth.error", &[])]);
        let resource = &mut request.resource_spans[0];
        *(if scope { &mut resource.scope_spans[0].schema_url } else { &mut resource.schema_url }) =
            url.into();
        mapped(&plain(), &request).0.len()
    };
    assert_eq!((by_url(true, SCHEMA_URL), by_url(false, SCHEMA_URL)), (1, 1));
    assert_eq!(by_url(true, "https://opentelemetry.io/schemas/1.44.0"), 0);
}

#[test]
fn a_result_reports_at_its_end_and_anything_else_at_its_start() {
    for name in EventName::ALL {
        let event = &events(&[], vec![span(name.code(), &[("auth.flow", "app_qr")])])[0];
        let expected = if name.is_result() { NOW + 2_000_000_000 } else { NOW };
        assert_eq!(event.time, UnixNanos(expected), "{name}");
    }
}

#[test]
fn a_log_record_is_an_event_by_its_event_name_or_its_attributes() {
    for (event_name, attributes) in [
        ("auth.qr.shown", vec![]),
        ("", vec![("event.name", "auth.qr.shown")]),
        ("", vec![("auth.event", "auth.qr.shown")]),
        ("something else", vec![("event.name", "unknown"), ("auth.event", "auth.qr.shown")]),
    ] {
        assert_eq!(event_of_log(log(event_name, &attributes)).name, EventName::QrShown);
    }
    let (none, tally) = mapped_logs(&plain(), &logs(&[], vec![log("auth.qr.shown", &[])]));
    assert!(none.is_empty() && tally.records == 1 && tally.rejected == 0);
}

#[test]
fn a_log_record_without_a_time_has_the_time_when_it_was_observed() {
    let mut record = log("auth.qr.shown", &[]);
    let observed = Some(UnixNanos(NOW + 5_000_000_000));
    let event = event_of_log(record.clone());
    assert_eq!((event.time, event.observed), (UnixNanos(NOW), observed));
    record.time_unix_nano = 0;
    let event = event_of_log(record);
    assert_eq!((Some(event.time), event.observed), (observed, observed));
}

#[test]
fn unrelated_records_are_counted_and_never_checked() {
    let broken =
        Span { trace_id: vec![1], start_time_unix_nano: 0, ..span("GET /", &[("auth.flow", "app_qr")]) };
    let not_ours = Span { trace_id: vec![1], ..span("auth.error", &[("a", "b")]) };
    let (events, tally) = mapped(&plain(), &traces(&[], vec![broken, not_ours]));
    assert!(events.is_empty());
    assert_eq!((tally.records, tally.events, tally.rejected, tally.message), (2, 0, 0, None));
}

#[test]
fn a_broken_record_is_rejected_alone_and_counts_once() {
    let good = span("auth.qr.shown", &[("auth.flow", "app_qr")]);
    let mut bad = span("auth.qr.shown", &[("auth.flow", "app_qr")]);
    bad.start_time_unix_nano = 0;
    let early = |name| crate::wire::SpanEvent { time_unix_nano: 0, ..span_event(name, &[]) };
    bad.events =
        vec![early("auth.qr.scanned"), span_event("auth.mobile.opened", &[]), early("auth.cancelled")];
    let (events, tally) = mapped(&plain(), &traces(&[], vec![good, bad]));
    let names: Vec<_> = events.iter().map(|event| event.name).collect();
    assert_eq!(names, [EventName::QrShown, EventName::MobileOpened], "the good events of a span stay");
    assert_eq!((tally.records, tally.events, tally.rejected), (2, 2, 1));
}

#[test]
fn a_span_has_a_bound_of_events() {
    let mut login = span("POST", &[("auth.flow", "app_qr")]);
    login.events = vec![span_event("auth.page.hidden", &[]); caps::EVENTS_PER_SPAN + 2];
    let (events, tally) = mapped(&plain(), &traces(&[], vec![login]));
    assert_eq!((events.len(), tally.rejected), (caps::EVENTS_PER_SPAN, 1));
    assert!(tally.message.unwrap().contains("events[1024] (auth.page.hidden): more than 1024"));
}

#[test]
fn a_mark_of_any_kind_makes_a_record_ours() {
    for value in [Value::Bool(true), Value::Int(1), Value::Bytes(vec![1])] {
        let span = Span { attributes: vec![attribute("auth.journey.id", value)], ..span("auth.error", &[]) };
        assert_eq!(names(vec![span]), [EventName::Error]);
    }
}
