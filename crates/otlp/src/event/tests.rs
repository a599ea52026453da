use authstitch_model::{Flow, KeyKind, Secret, Side, TraceId};
use expect_test::expect;

use crate::testing::{
    NOW, attribute, event, event_of, event_of_log, events, log, logs, mapped_logs, plain, span, span_event,
    texts,
};
use crate::wire::{Span, Value};

#[test]
fn the_side_is_found_by_the_first_rule_that_applies() {
    let backend = [("telemetry.sdk.language", "java"), ("service.name", "shop")];
    let page = [("telemetry.sdk.language", "webjs")];
    let app = [("telemetry.sdk.language", "java"), ("os.name", "Android")];
    let side = |resource: &[(&str, &str)], name: &str, attributes: &[(&str, &str)]| {
        event_of(resource, name, attributes).side
    };
    let sent = [("auth.side", "authenticator")];
    assert_eq!(side(&backend, "auth.session.established", &sent), Side::Authenticator, "as sent");
    assert_eq!(side(&[], "auth.qr.shown", &[("auth.side", "elsewhere")]), Side::Initiator, "no side");
    assert_eq!(side(&backend, "auth.session.established", &[]), Side::Server, "a backend");
    assert_eq!(side(&page, "auth.session.established", &[]), Side::Initiator, "a page");
    assert_eq!(side(&app, "auth.session.established", &[]), Side::Initiator, "an app is no backend");
    assert_eq!(side(&[], "auth.session.established", &[]), Side::Initiator, "not clearly a backend");
    assert_eq!(side(&backend, "auth.qr.shown", &[]), Side::Initiator, "the usual side");
    assert_eq!(side(&page, "auth.error", &[]), Side::Initiator, "a browser");
    assert_eq!(side(&[("browser.platform", "Windows")], "auth.error", &[]), Side::Initiator, "a browser");
    assert_eq!(side(&app, "auth.error", &[]), Side::Authenticator, "a phone's app");
    assert_eq!(side(&[], "auth.error", &[]), Side::Server, "else");

    let in_server_span = |name: &str| {
        let span = Span { kind: 2, ..span(name, &[("auth.journey.id", "journey-0001")]) };
        events(&page, vec![span])[0].side
    };
    assert_eq!(in_server_span("auth.session.established"), Side::Server);
    assert_eq!(in_server_span("auth.error"), Side::Server);
    assert_eq!(in_server_span("auth.qr.shown"), Side::Initiator);
}

#[test]
fn the_flow_as_sent_is_kept_and_unknown_says_nothing() {
    assert_eq!(event("auth.qr.shown", &[("auth.flow", "magic_link")]).flow, Some(Flow::MagicLink));
    assert_eq!(event("auth.qr.shown", &[("auth.flow", "unknown")]).flow, None);
    assert_eq!(event("auth.qr.shown", &[("auth.flow", "carrier_pigeon")]).flow, None);
}

#[test]
fn keys_are_texts_or_numbers() {
    let keys = |value: Value| {
        let span =
            Span { attributes: vec![attribute("auth.journey.id", value)], ..span("auth.qr.shown", &[]) };
        events(&[], vec![span]).remove(0).keys
    };
    let number = Secret::PUBLIC.key("default", KeyKind::Journey, "12345678");
    assert!(number.is_some());
    assert_eq!(keys(Value::String(" 12345678 ".into())).journey, number);
    assert_eq!(keys(Value::Int(12_345_678)).journey, number);
    assert_eq!(keys(Value::Double(12_345_678.0)).journey, number);
    for other in
        [Value::Bool(true), Value::Double(f64::NAN), Value::Bytes(vec![1; 16]), Value::String("short".into())]
    {
        assert_eq!(keys(other.clone()).journey, None, "{other:?}");
    }
}

#[test]
fn every_kind_of_key_is_read() {
    let event = event(
        "auth.qr.shown",
        &[
            ("auth.challenge.id", "dGhlLWNoYWxsZW5nZQ"),
            ("auth.code.id", "code-0001"),
            ("auth.flow.id", "flow-0001"),
            ("session.id", "session-0001"),
        ],
    );
    let key = |kind, value| Secret::PUBLIC.key("default", kind, value);
    assert_eq!(event.keys.journey, key(KeyKind::Journey, "journey-0001"));
    assert_eq!(event.keys.challenge, key(KeyKind::Challenge, "dGhlLWNoYWxsZW5nZQ"));
    assert_eq!(event.keys.code, key(KeyKind::Code, "code-0001"));
    assert_eq!(event.keys.flow, key(KeyKind::Flow, "flow-0001"));
    assert_eq!(event.keys.session, key(KeyKind::Session, "session-0001"));
    assert_eq!(
        event.keys.trace,
        TraceId::from_bytes(&[0x11; 16]).map(|id| Secret::PUBLIC.of_realm("default").trace_key(id))
    );
}

#[test]
fn the_uid_of_a_log_record_is_its_identity() {
    let of = |uid: &str, time: u64| {
        let mut record = log("auth.qr.shown", &[("log.record.uid", uid)]);
        record.time_unix_nano = time;
        event_of_log(record)
    };
    assert_eq!(of("01J0000000", NOW).identity, of("01J0000000", NOW + 1).identity);
    assert_ne!(of("01J0000000", NOW).identity, of("01J0000001", NOW).identity);
    assert_eq!(of("01J0000000", NOW).event_id.unwrap().as_str(), "01J0000000");
}

#[test]
fn the_uid_of_a_span_is_not_that_of_its_events() {
    let mut span =
        span("POST /login", &[("auth.journey.id", "journey-0001"), ("log.record.uid", "01J0000000")]);
    span.events = vec![span_event("auth.challenge.created", &[]), span_event("auth.qr.shown", &[])];
    let events = events(&[], vec![span]);
    assert_ne!(events[0].identity, events[1].identity);
}

#[test]
fn with_ids_the_identity_is_trace_span_name_and_time() {
    let of = |change: fn(&mut Span)| {
        let mut span = span("auth.qr.shown", &[("auth.journey.id", "journey-0001")]);
        change(&mut span);
        let event = events(&[], vec![span]).remove(0);
        assert_eq!(event.event_id, None);
        event.identity
    };
    let base = of(|_| ());
    assert_eq!(base, of(|span| span.attributes.extend(texts(&[("a", "b")]))));
    assert_ne!(base, of(|span| span.trace_id[0] = 9));
    assert_ne!(base, of(|span| span.span_id[0] = 9));
    assert_ne!(base, of(|span| span.name = "auth.qr.refreshed".into()));
    assert_ne!(base, of(|span| span.start_time_unix_nano += 1));
}

#[test]
fn without_ids_the_identity_is_the_content_whatever_its_order() {
    let of = |resource: &[(&str, &str)], attributes: &[(&str, &str)], time: u64| {
        let mut record = log("auth.qr.shown", attributes);
        record.time_unix_nano = time;
        mapped_logs(&plain(), &logs(resource, vec![record])).0.remove(0)
    };
    let own = [("auth.journey.id", "journey-0001"), ("a", "b")];
    let turned = [("a", "b"), ("auth.journey.id", "journey-0001")];
    let service = [("service.name", "shop")];
    let base = of(&service, &own, NOW);
    assert_eq!(base.identity, of(&service, &turned, NOW).identity);
    assert_eq!(base.event_id.unwrap().as_str(), format!("{:032x}", base.identity.0));
    assert_ne!(base.identity, of(&service, &own, NOW + 1).identity);
    assert_ne!(base.identity, of(&service, &own[..1], NOW).identity);
    assert_ne!(base.identity, of(&[], &own, NOW).identity);
}

#[test]
fn one_whole_event() {
    let mut record = span(
        "auth.webauthn.completed",
        &[
            ("auth.flow", "passkey_cda"),
            ("auth.challenge.id", "dGhlLWNoYWxsZW5nZQ"),
            ("error.type", "NotAllowedError"),
            ("exception.message", "Operation failed."),
            ("auth.webauthn.elapsed_ms", "1999.6"),
            ("client.address", "203.0.113.7"),
            ("geo.country.iso_code", "de"),
            ("auth.entry_point", "checkout"),
        ],
    );
    record.trace_state = "ot=th:c".into();
    record.parent_span_id = vec![0x33; 8];
    let resource = [
        ("service.name", "web"),
        (
            "user_agent.original",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
        ),
    ];
    expect![[r#"
        AuthEvent {
            realm: "default",
            name: WebauthnFailed,
            side: Initiator,
            flow: Some(
                PasskeyCda,
            ),
            time: UnixNanos(
                1769846402000000000,
            ),
            observed: None,
            origin: Origin {
                trace_id: Some(
                    11111111111111111111111111111111,
                ),
                span_id: Some(
                    2222222222222222,
                ),
                parent_span_id: Some(
                    3333333333333333,
                ),
            },
            event_id: None,
            identity: Identity(
                70926065014217466605198930929598438868,
            ),
            keys: EventKeys {
                journey: None,
                challenge: Some(
                    b2e7f3133733cd9e32437102e36145af,
                ),
                code: None,
                flow: None,
                session: None,
                trace: Some(
                    009a97b54ca695b9dc7a5613b8d65960,
                ),
            },
            facts: Facts {
                duration: Some(
                    Millis(
                        2000,
                    ),
                ),
                code_ttl: None,
                webauthn_timeout: None,
                webauthn_elapsed: Some(
                    Millis(
                        2000,
                    ),
                ),
                mediation: None,
                attachment: None,
                hybrid_capability: None,
                aaguid: None,
                transports: Transports(
                    0,
                ),
                backup_eligible: None,
                backup_state: None,
                reason: None,
                method: None,
                error: Some(
                    OperationFailed,
                ),
                http_method: None,
                network: Some(
                    5352014770982242349,
                ),
                country: Some(
                    [
                        68,
                        69,
                    ],
                ),
                synthetic: None,
                sampled: Some(
                    16384,
                ),
            },
            environment: Environment {
                os: Some(
                    Named {
                        kind: MacOs,
                        name: "macOS",
                    },
                ),
                browser: Some(
                    Named {
                        kind: Safari,
                        name: "Safari",
                    },
                ),
                browser_version: Some(
                    "17.5",
                ),
                device: None,
                app_version: None,
                service: Some(
                    "web",
                ),
                entry_point: Some(
                    "checkout",
                ),
            },
        }
    "#]]
    .assert_debug_eq(&events(&resource, vec![record])[0]);
}
