//! Ready-made rules for identity servers that already emit traces or logs: a file each, beside this one.
//!
//! Their names were read from the projects' own sources. Only what carries a key is renamed: an event that
//! nothing could tie to a login would only be counted as an orphan.

use std::sync::LazyLock;

use serde_json::Value;

/// A preset's rules, parsed when first used.
pub(crate) type Preset = LazyLock<Value>;

/// The names of the presets, with their rules.
pub(crate) static ALL: [(&str, Preset); 4] = [
    ("ory_kratos", LazyLock::new(|| parsed(include_str!("presets/ory_kratos.json")))),
    ("ory_hydra", LazyLock::new(|| parsed(include_str!("presets/ory_hydra.json")))),
    ("keycloak", LazyLock::new(|| parsed(include_str!("presets/keycloak.json")))),
    ("hanko", LazyLock::new(|| parsed(include_str!("presets/hanko.json")))),
];

/// The rules of a preset.
pub(crate) fn named(name: &str) -> Option<&'static Value> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, preset)| &**preset)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("a test reads every shipped preset")
}
