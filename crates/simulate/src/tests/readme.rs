//! The documentation of the world files names every key that a world can have.

use std::collections::BTreeSet;

use authstitch_model::document::Problems;

use crate::{SHIPPED, VARIANTS, World};

const README: &str = include_str!("../../worlds/README.md");

/// The keys that are accepted where an unknown one stands.
fn accepted(yaml: &str) -> Vec<String> {
    let Problems(problems) = World::from_yaml(yaml).unwrap_err();
    let unknown = problems.iter().find_map(|problem| problem.message.split_once("accepted here: ")).unwrap();
    unknown.1.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_key_is_documented() {
    let mut keys = BTreeSet::new();
    for place in [
        "{name: w, x: 0}",
        "{name: w, pace: {x: 0}}",
        "{name: w, pace: {day: {x: 0}}}",
        "{name: w, realms: {x: 0}}",
        "{name: w, timing: {x: 0}}",
        "{name: w, segments: [{x: 0}]}",
        "{name: w, flows: {app_qr: {x: 0}}}",
        "{name: w, flows: {app_qr: {codes: {x: 0}}}}",
        "{name: w, flows: {app_qr: {steps: {scanned: {x: 0}}}}}",
        "{name: w, flows: {app_qr: {steps: {scanned: {time: {x: 0}}}}}}",
        "{name: w, flows: {app_qr: {steps: {scanned: {time: {sometimes: {x: 0}}}}}}}",
        "{name: w, flows: {passkey_cda: {x: 0}}}",
        "{name: w, flows: {passkey_cda: {ceremony: {x: 0}}}}",
        "{name: w, flows: {magic_link: {link: {x: 0}}}}",
        "{name: w, people: {x: 0}}",
        "{name: w, people: {retry: {x: 0}}}",
        "{name: w, telemetry: {x: 0}}",
        "{name: w, telemetry: {styles: [{x: 0}]}}",
        "{name: w, telemetry: {styles: [{server: {x: 0}}]}}",
        "{name: w, telemetry: {sampling: {x: 0}}}",
        "{name: w, telemetry: {styles: [{sampling: {x: 0}}]}}",
        "{name: w, telemetry: {batching: {x: 0}}}",
        "{name: w, telemetry: {clock: {server: [{x: 0}]}}}",
    ] {
        keys.extend(accepted(place));
    }
    let missing: Vec<_> = keys.iter().filter(|key| !README.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "worlds/README.md does not name {missing:?}");
}

#[test]
fn every_shipped_world_and_variant_is_listed() {
    for (name, _) in SHIPPED.iter().chain(VARIANTS) {
        assert!(README.contains(&format!("`{name}`")), "worlds/README.md does not name {name}");
    }
}
