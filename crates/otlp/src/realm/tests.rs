use authstitch_model::document;
use serde_json::{Value, json};

use crate::Mapping;
use crate::testing::{mapped, plain, span, traces};

fn mapping(realm: &Value) -> Mapping {
    let secret = plain().secret();
    document::read(&json!({"realm": realm}), |fields| Mapping::read(fields, secret)).unwrap()
}

/// The realm of a span with these attributes and these of its resource.
fn realm(mapping: &Mapping, resource: &[(&str, &str)], own: &[(&str, &str)]) -> String {
    let mut own = own.to_vec();
    own.push(("auth.journey.id", "journey-0001"));
    mapped(mapping, &traces(resource, vec![span("auth.qr.shown", &own)])).0[0].realm.to_string()
}

fn two() -> Mapping {
    mapping(&json!({
        "attributes": ["deployment.environment.name", "auth.relying_party.id"],
        "defaults": {"deployment.environment.name": "live"}
    }))
}

#[test]
fn without_configured_attributes_there_is_one_realm() {
    assert_eq!(realm(&plain(), &[("deployment.environment.name", "test")], &[]), "default");
}

#[test]
fn the_realm_is_the_values_joined_own_first() {
    let resource = [("deployment.environment.name", "test"), ("auth.relying_party.id", "a.example")];
    assert_eq!(realm(&two(), &resource, &[]), "test/a.example");
    assert_eq!(realm(&two(), &resource, &[("auth.relying_party.id", "b.example")]), "test/b.example");
}

#[test]
fn a_missing_value_is_filled_from_the_defaults() {
    assert_eq!(realm(&two(), &[], &[]), "live/default");
    assert_eq!(realm(&two(), &[("deployment.environment.name", "")], &[]), "live/default");
}

#[test]
fn two_realms_never_become_one() {
    let of = |environment: &str, party: &str| {
        let resource = [("deployment.environment.name", environment), ("auth.relying_party.id", party)];
        realm(&two(), &resource, &[])
    };
    assert_ne!(of("a/b", "c"), of("a", "b/c"));
    assert_ne!(of("a%2Fb", "c"), of("a/b", "c"));
    let long = "long-name-".repeat(20);
    assert_ne!(of(&long, "a"), of(&long, "b"));
    assert!(of(&long, "é").len() <= authstitch_model::caps::TEXT_BYTES);
}

#[test]
fn keys_of_two_realms_differ() {
    let mapping = two();
    let key = |party: &str| {
        let span =
            span("auth.qr.shown", &[("auth.journey.id", "journey-0001"), ("auth.relying_party.id", party)]);
        let event = mapped(&mapping, &traces(&[], vec![span])).0.remove(0);
        (event.keys, event.identity)
    };
    let ((keys, identity), (other_keys, other_identity)) = (key("a.example"), key("b.example"));
    assert_ne!(keys.journey, other_keys.journey);
    assert_ne!(keys.trace, other_keys.trace);
    assert_ne!(identity, other_identity);
}
