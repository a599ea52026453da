//! The convention in semconv/ says what the model says: the same events, the same codes, the same schema URL; and
//! every reference leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use authstitch_model::SCHEMA_URL;
use authstitch_model::vocabulary::{Attachment, EventName, Flow, Mediation, Method, Reason, Side};
use authstitch_tests::workspace;
use serde_json::Value;

/// What the convention takes from OpenTelemetry as it is.
const UPSTREAM: &[&str] = &[
    "browser.brands",
    "client.address",
    "deployment.environment.name",
    "device.model.identifier",
    "device.model.name",
    "error.type",
    "exception.message",
    "http.request.method",
    "http.route",
    "log.record.uid",
    "os.name",
    "os.version",
    "service.name",
    "service.version",
    "session.id",
    "url.domain",
    "user_agent.original",
    "user_agent.synthetic.type",
];

const LEVELS: &[&str] = &["required", "conditionally_required", "recommended", "opt_in"];

/// The parsed registry.
struct Registry {
    manifest: Value,
    /// Groups by id.
    groups: BTreeMap<String, Value>,
}

impl Registry {
    fn read() -> Self {
        let mut registry = Self { manifest: Value::Null, groups: BTreeMap::new() };
        for entry in fs::read_dir(workspace().join("semconv")).expect("semconv/ is there") {
            let path = entry.expect("a readable directory").path();
            let text = fs::read_to_string(&path).expect("a text");
            let document: Value =
                yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            if path.ends_with("manifest.yaml") {
                registry.manifest = document;
                continue;
            }
            for group in items(&document["groups"]) {
                let before = registry.groups.insert(text_of(&group["id"]).to_owned(), group.clone());
                assert!(before.is_none(), "group {} is there twice", group["id"]);
            }
        }
        registry
    }

    /// Attributes defined here, by id.
    fn attributes(&self) -> BTreeMap<&str, &Value> {
        let attributes = self.groups.values().flat_map(|group| items(&group["attributes"]));
        attributes.filter_map(|attribute| Some((attribute["id"].as_str()?, attribute))).collect()
    }

    /// What a group refers to, by attribute, with what it inherits.
    fn references(&self, group: &str) -> BTreeSet<&str> {
        let group = &self.groups[group];
        let mut references: BTreeSet<_> =
            items(&group["attributes"]).iter().filter_map(|attribute| attribute["ref"].as_str()).collect();
        if let Some(parent) = group["extends"].as_str() {
            references.extend(self.references(parent));
        }
        references
    }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[test]
fn the_registry_carries_the_schema_url_of_the_model() {
    assert_eq!(Registry::read().manifest["schema_url"], SCHEMA_URL);
}

#[test]
fn the_events_are_those_of_the_model() {
    let registry = Registry::read();
    let events: BTreeMap<_, _> = registry
        .groups
        .iter()
        .filter(|(_, group)| group["type"] == "event")
        .map(|(id, group)| (text_of(&group["name"]), (id.as_str(), group)))
        .collect();
    let names: BTreeSet<_> = EventName::ALL.iter().map(|name| name.code()).collect();
    assert_eq!(events.keys().copied().collect::<BTreeSet<_>>(), names);
    for (name, (id, group)) in events {
        assert_eq!(id, format!("event.{name}"));
        assert_eq!(group["stability"], "development", "{name}");
        assert!(!text_of(&group["brief"]).is_empty(), "{name} has a brief");
        assert!(registry.references(id).contains("auth.challenge.id"), "{name} can carry keys");
    }
}

#[test]
fn each_event_stands_in_the_file_of_its_usual_side() {
    for (side, file) in [
        (Some(Side::Initiator), "events-initiator.yaml"),
        (Some(Side::Authenticator), "events-authenticator.yaml"),
        (Some(Side::Server), "events-server.yaml"),
        (None, "events-any.yaml"),
    ] {
        let text = fs::read_to_string(workspace().join("semconv").join(file)).expect("the file is there");
        let document: Value = yaml_serde::from_str(&text).expect("YAML");
        let written: BTreeSet<_> =
            items(&document["groups"]).iter().map(|group| text_of(&group["name"]).to_owned()).collect();
        let usual = EventName::ALL.iter().filter(|name| name.usual_side() == side);
        assert_eq!(written, usual.map(|name| name.code().to_owned()).collect(), "{file}");
    }
}

/// The codes of one or more of the model's enums, in order, each once.
macro_rules! codes {
    ($($name:ident),+) => {{
        let mut codes: Vec<&str> = Vec::new();
        $(for value in $name::ALL {
            if !codes.contains(&value.code()) { codes.push(value.code()); }
        })+
        codes
    }};
}

#[test]
fn the_members_of_every_enum_are_the_codes_of_the_model() {
    let registry = Registry::read();
    let expected = BTreeMap::from([
        ("auth.event", codes!(EventName)),
        ("auth.flow", codes!(Flow)),
        ("auth.side", codes!(Side)),
        ("auth.webauthn.mediation", codes!(Mediation)),
        ("auth.webauthn.authenticator_attachment", codes!(Attachment)),
        ("auth.reason", codes!(Reason, Method)),
    ]);
    let enums = registry.attributes().into_iter().filter_map(|(id, attribute)| {
        let members = attribute["type"]["members"].as_array()?;
        Some((id, members.iter().map(|member| text_of(&member["value"])).collect()))
    });
    assert_eq!(enums.collect::<BTreeMap<_, Vec<_>>>(), expected);
}

#[test]
fn every_attribute_is_described() {
    for (id, attribute) in Registry::read().attributes() {
        assert!(id.starts_with("auth."), "{id} is ours to define");
        assert_eq!(attribute["stability"], "development", "{id}");
        assert!(!text_of(&attribute["brief"]).is_empty(), "{id} has a brief");
        let needs_example = attribute["type"].as_str().is_some_and(|kind| kind != "boolean");
        assert_eq!(needs_example, !items(&attribute["examples"]).is_empty(), "{id}: examples");
    }
}

#[test]
fn every_reference_leads_to_an_attribute_and_says_how_much_it_is_needed() {
    let registry = Registry::read();
    let defined = registry.attributes();
    let mut upstream = BTreeSet::new();
    for (id, group) in &registry.groups {
        for reference in items(&group["attributes"]).iter().filter(|attribute| attribute["ref"].is_string()) {
            let name = text_of(&reference["ref"]);
            if !defined.contains_key(name) {
                upstream.insert(name);
            }
            let level = &reference["requirement_level"];
            let level = level.as_str().or_else(|| Some(level.as_object()?.keys().next()?.as_str()));
            assert!(
                level.is_some_and(|level| LEVELS.contains(&level)),
                "{id}: {name} has no requirement level"
            );
        }
    }
    assert_eq!(upstream, UPSTREAM.iter().copied().collect());
}

/// The mapping reads attributes by name. A name that it reads and the convention lacks, or the other way round, is
/// a mistake in one of the two.
#[test]
fn the_mapping_reads_every_attribute_and_no_other() {
    let registry = Registry::read();
    let defined: BTreeSet<String> = registry.attributes().into_keys().map(str::to_owned).collect();
    let events: BTreeSet<&str> = EventName::ALL.iter().map(|name| name.code()).collect();
    let mut read = BTreeSet::new();
    for path in sources(&workspace().join("crates/otlp/src")) {
        let text = fs::read_to_string(&path).expect("a text");
        let names = text.split('"').filter(|literal| {
            literal.starts_with("auth.")
                && literal.len() > "auth.".len()
                && literal.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'))
        });
        read.extend(names.filter(|name| !events.contains(name)).map(str::to_owned));
    }
    assert_eq!(read, defined);
}

/// The Rust files below a directory, without tests.
fn sources(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory is there") {
        let path = entry.expect("a readable directory").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "tests" {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}
