use authstitch_model::{AuthEvent, EventName, KeyKind, Secret, Side, document};
use expect_test::expect;
use serde_json::json;

use super::*;
use crate::testing::{events, log, logs, mapped, mapped_logs, span, span_event, texts, traces};

fn read(document: &Value) -> Result<Mapping, document::Problems> {
    document::read(document, |fields| Mapping::read(fields, Secret::PUBLIC))
}

fn preset(name: &str) -> Mapping {
    read(&json!({"presets": [name]})).unwrap()
}

/// The events of a server span that holds one span event.
fn within(mapping: &Mapping, name: &str, attributes: &[(&str, &str)]) -> Vec<AuthEvent> {
    let mut span = span("POST", &[]);
    span.events.push(span_event(name, attributes));
    mapped(mapping, &traces(&[], vec![span])).0
}

#[test]
fn a_rule_renames_a_record_and_its_attributes() {
    let mapping = read(&json!({
        "events": {"SignInDone": "auth.verification.succeeded", "qr-on-screen": "auth.qr.shown"},
        "attributes": {"LoginAttempt": "auth.journey.id"}
    }))
    .unwrap();
    let done = within(&mapping, "SignInDone", &[("LoginAttempt", "attempt-0001")]).remove(0);
    assert_eq!((done.name, done.side), (EventName::VerificationSucceeded, Side::Server));
    assert_eq!(done.keys.journey, Secret::PUBLIC.key("default", KeyKind::Journey, "attempt-0001"));
    let shown = within(&mapping, "qr-on-screen", &[("LoginAttempt", "attempt-0001")]).remove(0);
    assert_eq!(shown.side, Side::Initiator, "a rule of the document says nothing of the side");
    let own = within(&mapping, "auth.qr.shown", &[("auth.journey.id", "attempt-0001")]).remove(0);
    assert_eq!(own.keys.journey, done.keys.journey, "our own names always count");
}

#[test]
fn a_renamed_record_counts_as_ours_only_with_a_key() {
    assert!(within(&preset("ory_kratos"), "LoginSucceeded", &[("IdentityID", "somebody-0001")]).is_empty());
    assert_eq!(within(&preset("ory_kratos"), "LoginSucceeded", &[("FlowID", "flow-0001")]).len(), 1);
}

#[test]
fn a_rule_wins_over_our_own_name_and_the_document_over_a_preset() {
    let mapping = read(&json!({
        "presets": ["ory_kratos"],
        "events": {"LoginFailed": "auth.error", "auth.qr.shown": "auth.qr.refreshed"}
    }))
    .unwrap();
    assert_eq!(within(&mapping, "LoginFailed", &[("FlowID", "flow-0001")])[0].name, EventName::Error);
    let shown = within(&mapping, "auth.qr.shown", &[("FlowID", "flow-0001")]);
    assert_eq!(shown[0].name, EventName::QrRefreshed);
}

#[test]
fn what_a_preset_renames_was_sent_by_the_server_unless_it_says_otherwise() {
    let kratos = preset("ory_kratos");
    let offered = within(&kratos, "LoginInitiated", &[("FlowID", "flow-0001")]).remove(0);
    assert_eq!((offered.name, offered.side), (EventName::MethodOffered, Side::Server));
    let said = within(&kratos, "LoginInitiated", &[("FlowID", "flow-0001"), ("auth.side", "initiator")]);
    assert_eq!(said[0].side, Side::Initiator);
}

#[test]
fn every_preset_is_read_and_gives_events() {
    for (name, from, key, meant) in [
        ("ory_kratos", "LoginFailed", "FlowID", EventName::VerificationFailed),
        ("ory_hydra", "OAuth2ConsentAccepted", "OAuth2ConsentRequestID", EventName::ConfirmationCompleted),
        ("keycloak", "OAUTH2_DEVICE_AUTH", "kc.authenticationSessionId", EventName::ChallengeCreated),
        ("hanko", "login_success", "details.flow_id", EventName::SessionEstablished),
    ] {
        let event = within(&preset(name), from, &[(key, "flow-0001")]).remove(0);
        assert_eq!((event.name, event.side), (meant, Side::Server), "{name}");
        assert_eq!(event.keys.flow, Secret::PUBLIC.key("default", KeyKind::Flow, "flow-0001"), "{name}");
    }
    assert_eq!(presets::ALL.len(), 4, "each stands in the list above");
}

#[test]
fn an_audit_line_of_hanko_names_its_event_by_an_attribute() {
    let line = log("", &[("type", "login_failure"), ("flow_id", "flow-0001"), ("source_ip", "203.0.113.7")]);
    let (events, _) = mapped_logs(&preset("hanko"), &logs(&[], vec![line]));
    assert_eq!(events[0].name, EventName::VerificationFailed);
    assert!(events[0].facts.network.is_some());
}

#[test]
fn a_reason_under_another_name_is_reduced_like_ours() {
    let failed = [("kc.authenticationSessionId", "flow-0001"), ("kc.eventError", "expired_code")];
    let event = within(&preset("keycloak"), "LOGIN_ERROR", &failed).remove(0);
    assert_eq!(event.facts.reason, Some(authstitch_model::Reason::TokenExpired));
}

#[test]
fn without_a_mapping_foreign_names_are_no_events() {
    let mut login = span("LoginSucceeded", &[("FlowID", "flow-0001"), ("auth.flow", "app_qr")]);
    login.attributes.extend(texts(&[("auth.journey.id", "journey-0001")]));
    assert!(events(&[], vec![login]).is_empty());
}

#[test]
fn all_mistakes_of_a_document_are_shown_at_once() {
    let problems = read(&json!({
        "presets": ["ory_kratos", "auth0"],
        "events": {"LoginSucceeded": "auth.login.succeeded", "LoginFailed": 3},
        "attributes": ["FlowID"],
        "realm": {"attributes": ["tenant"], "defaults": {"tenent": "a"}, "default": "b"},
    }));
    expect![[r#"
        realm.defaults.tenent: not one of the realm's attributes; accepted here: `tenant`
        realm.default: unknown key; accepted here: attributes, defaults
        presets: unknown preset `auth0`; accepted: ory_kratos, ory_hydra, keycloak, hanko
        events.LoginFailed: `3` is not a text
        events.LoginSucceeded: `auth.login.succeeded` is no event name; accepted: auth.method.offered, auth.method.selected, auth.method.switched, auth.qr.shown, auth.qr.refreshed, auth.qr.scanned, auth.mobile.opened, auth.confirmation.shown, auth.confirmation.completed, auth.confirmation.declined, auth.callback.received, auth.session.established, auth.challenge.created, auth.webauthn.started, auth.webauthn.completed, auth.webauthn.failed, auth.verification.succeeded, auth.verification.failed, auth.link.sent, auth.link.opened, auth.cancelled, auth.page.hidden, auth.page.visible, auth.page.unloaded, auth.user_verification.failed, auth.credential.unknown, auth.error
        attributes: a map from texts to texts is accepted"#]].assert_eq(&problems.unwrap_err().to_string());
    let problems = read(&json!({"attributes": {"FlowID": "auth.flow_id"}})).unwrap_err().to_string();
    assert!(
        problems.starts_with(
            "attributes.FlowID: `auth.flow_id` is no attribute that is looked at; accepted: auth.event, "
        ),
        "{problems}"
    );
}

#[test]
fn an_attribute_of_the_realm_can_be_renamed_to() {
    let mapping =
        read(&json!({"realm": {"attributes": ["tenant"]}, "attributes": {"org": "tenant"}})).unwrap();
    let event =
        within(&mapping, "auth.qr.shown", &[("auth.journey.id", "journey-0001"), ("org", "acme")]).remove(0);
    assert_eq!(event.realm.as_str(), "acme");
}
