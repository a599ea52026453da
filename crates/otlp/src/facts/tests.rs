use authstitch_model::vocabulary::{Attachment, HttpMethod, Mediation, Method, Reason, Synthetic};
use authstitch_model::{Facts, Millis};

use crate::testing::{attribute, event, events, span};
use crate::wire::{AnyValue, ArrayValue, Span, Value};

fn facts(name: &str, key: &str, value: &str) -> Facts {
    event(name, &[(key, value)]).facts
}

fn facts_of(key: &str, value: Value) -> Facts {
    let mut span: Span = span("auth.qr.shown", &[("auth.journey.id", "journey-0001")]);
    span.attributes.push(attribute(key, value));
    events(&[], vec![span]).remove(0).facts
}

#[test]
fn lengths_come_as_any_number_and_unbelievable_ones_are_dropped() {
    let ttl = |value| facts_of("auth.code.ttl_ms", value).code_ttl;
    assert_eq!(ttl(Value::Int(300_000)), Some(Millis(300_000)));
    assert_eq!(ttl(Value::Double(299_999.6)), Some(Millis(300_000)));
    assert_eq!(ttl(Value::String(" 300000 ".into())), Some(Millis(300_000)));
    for wrong in [
        Value::Int(-1),
        Value::Int(i64::MAX),
        Value::Double(f64::NAN),
        Value::Double(f64::INFINITY),
        Value::String("long".into()),
        Value::Bool(true),
    ] {
        assert_eq!(ttl(wrong.clone()), None, "{wrong:?}");
    }
    let timeout = facts("auth.webauthn.started", "auth.webauthn.timeout_ms", "60000");
    assert_eq!(timeout.webauthn_timeout, Some(Millis(60_000)));
    let elapsed = facts("auth.webauthn.failed", "auth.webauthn.elapsed_ms", "61000");
    assert_eq!(elapsed.webauthn_elapsed, Some(Millis(61_000)));
}

#[test]
fn the_length_of_a_span_is_a_fact_of_its_own_event() {
    assert_eq!(event("auth.qr.shown", &[]).facts.duration, Some(Millis(2000)));
    let backwards = Span { end_time_unix_nano: 5, ..span("auth.qr.shown", &[("auth.flow", "app_qr")]) };
    assert_eq!(events(&[], vec![backwards])[0].facts.duration, None);
}

#[test]
fn words_of_the_ceremony() {
    let mediation = facts("auth.webauthn.started", "auth.webauthn.mediation", "conditional");
    assert_eq!(mediation.mediation, Some(Mediation::Conditional));
    let attachment =
        facts("auth.webauthn.completed", "auth.webauthn.authenticator_attachment", "cross-platform");
    assert_eq!(attachment.attachment, Some(Attachment::CrossPlatform));
    assert_eq!(facts("auth.webauthn.started", "auth.webauthn.mediation", "magic").mediation, None);
}

#[test]
fn flags_come_as_flags_texts_or_numbers() {
    let flag = |value| facts_of("auth.capability.hybrid", value).hybrid_capability;
    assert_eq!(flag(Value::Bool(false)), Some(false));
    assert_eq!(flag(Value::String("TRUE".into())), Some(true));
    assert_eq!(flag(Value::Int(0)), Some(false));
    assert_eq!(flag(Value::Int(7)), None);
    assert_eq!(
        facts("auth.webauthn.completed", "auth.credential.backup_state", "true").backup_state,
        Some(true)
    );
    let eligible = facts("auth.webauthn.completed", "auth.credential.backup_eligible", "false");
    assert_eq!(eligible.backup_eligible, Some(false));
}

#[test]
fn an_aaguid_comes_as_text_or_bytes_and_zeros_tell_nothing() {
    let of = |value| facts_of("auth.credential.aaguid", value).aaguid;
    let first = Some(0xadce_0002_35bc_c60a);
    assert_eq!(of(Value::String("adce0002-35bc-c60a-648b-0b25f1f05503".into())), first);
    assert_eq!(of(Value::String("ADCE000235BCC60A648B0B25F1F05503".into())), first);
    let bytes = [0xad, 0xce, 0, 2, 0x35, 0xbc, 0xc6, 0x0a, 1, 1, 1, 1, 1, 1, 1, 1];
    assert_eq!(of(Value::Bytes(bytes.to_vec())), first);
    assert_eq!(of(Value::String("00000000-0000-0000-0000-000000000000".into())), None);
    assert_eq!(of(Value::String("adce".into())), None);
}

#[test]
fn transports_come_as_a_list_or_one_text() {
    let of = |value| facts_of("auth.credential.transports", value).transports;
    let list =
        ["cable", "internal", "telepathy"].map(|text| AnyValue { value: Some(Value::String(text.into())) });
    let listed = of(Value::Array(ArrayValue { values: list.to_vec() }));
    assert!(listed.has("hybrid") && listed.has("internal") && !listed.has("usb"));
    assert_eq!(of(Value::String("internal, hybrid".into())), listed);
    assert!(of(Value::Int(3)).is_empty());
}

#[test]
fn a_reason_is_a_method_on_events_of_methods() {
    let switched = facts("auth.method.switched", "auth.reason", "password");
    assert_eq!((switched.method, switched.reason), (Some(Method::Password), None));
    let failed = facts("auth.verification.failed", "auth.reason", "token_expired");
    assert_eq!((failed.method, failed.reason), (None, Some(Reason::TokenExpired)));
    assert_eq!(facts("auth.verification.failed", "auth.reason", "free text").reason, Some(Reason::Other));
}

#[test]
fn methods_countries_and_bots() {
    assert_eq!(facts("auth.link.opened", "http.request.method", "head").http_method, Some(HttpMethod::Head));
    assert_eq!(
        facts("auth.link.opened", "http.request.method", "PURGE").http_method,
        Some(HttpMethod::Other)
    );
    assert_eq!(facts("auth.qr.shown", "geo.country.iso_code", "de").country, Some(*b"DE"));
    assert_eq!(facts("auth.qr.shown", "geo.country.iso_code", "DEU").country, None);
    assert_eq!(
        facts("auth.link.opened", "user_agent.original", "curl/8.7.1").synthetic,
        Some(Synthetic::Bot)
    );
    let said = event(
        "auth.link.opened",
        &[("user_agent.original", "curl/8.7.1"), ("user_agent.synthetic.type", "test")],
    );
    assert_eq!(said.facts.synthetic, Some(Synthetic::Test));
}
