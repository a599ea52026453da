//! How records become events: the realm, and the rules that rename what other software emits.
//!
//! - A rule for an event renames a record's name; a rule for an attribute renames its key, wherever it stands.
//! - Our own names always count; where a rule and our own name both fit, the rule wins.
//! - A rule of the document wins over a rule of a preset, and a later preset over an earlier one.
//! - A record that a preset renames was sent by the server, unless it says otherwise: presets are for what
//!   identity servers emit. A rule of the document says nothing of the side.

use std::collections::HashMap;

use authstitch_model::document::{self, Fields};
use authstitch_model::{EventName, Secret, Side};
use serde_json::Value;

use crate::attributes::Attr;
use crate::caps;
use crate::realm::RealmRule;

mod presets;
#[cfg(test)]
mod tests;

/// How records become events.
#[derive(Clone, Debug)]
pub struct Mapping {
    secret: Secret,
    realm: RealmRule,
    events: HashMap<String, EventRule>,
    attributes: HashMap<String, String>,
}

/// What a record's name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventRule {
    /// The event.
    pub(crate) name: EventName,
    /// Who sent it, where the rule knows.
    pub(crate) side: Option<Side>,
}

impl Mapping {
    /// The built-in mapping: our own names, one realm `default`.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self { secret, realm: RealmRule::default(), events: HashMap::new(), attributes: HashMap::new() }
    }

    /// Reads the mapping's part of a configuration document; mistakes are recorded in `fields`.
    ///
    /// ```yaml
    /// realm: {attributes: [deployment.environment.name], defaults: {deployment.environment.name: live}}
    /// presets: [ory_kratos]
    /// events: {SignInDone: auth.verification.succeeded}
    /// attributes: {LoginAttempt: auth.journey.id}
    /// ```
    #[must_use]
    pub fn read(fields: &Fields<'_>, secret: Secret) -> Self {
        let mut mapping = Self { realm: fields.map("realm", RealmRule::read), ..Self::new(secret) };
        for name in fields.texts("presets") {
            match presets::named(&name) {
                Some(preset) => mapping.add_preset(preset),
                None => {
                    let accepted: Vec<_> = presets::ALL.iter().map(|(known, _)| *known).collect();
                    let accepted = accepted.join(", ");
                    fields.problem("presets", format!("unknown preset `{name}`; accepted: {accepted}"));
                }
            }
        }
        mapping.add_rules(fields, None);
        mapping
    }

    /// The secret under which keys are hashed.
    #[must_use]
    pub const fn secret(&self) -> Secret {
        self.secret
    }

    /// The same rules under another secret.
    #[must_use]
    pub fn with_secret(self, secret: Secret) -> Self {
        Self { secret, ..self }
    }

    /// What a record of this name is, if it is an event.
    pub(crate) fn event(&self, name: &str) -> Option<EventRule> {
        let renamed = if self.events.is_empty() { None } else { self.events.get(name).copied() };
        renamed.or_else(|| {
            let own = name.starts_with("auth.").then(|| EventName::from_code(name)).flatten()?;
            Some(EventRule { name: own, side: None })
        })
    }

    /// The name under which an attribute is known.
    pub(crate) fn attribute<'k>(&'k self, key: &'k str) -> &'k str {
        if self.attributes.is_empty() { key } else { self.attributes.get(key).map_or(key, String::as_str) }
    }

    pub(crate) const fn realm_rule(&self) -> &RealmRule {
        &self.realm
    }

    fn add_preset(&mut self, preset: &Value) {
        document::read(preset, |fields| self.add_rules(fields, Some(Side::Server)))
            .expect("a test reads every shipped preset");
    }

    fn add_rules(&mut self, fields: &Fields<'_>, side: Option<Side>) {
        for (from, to) in renames(fields, "events") {
            match EventName::from_code(to) {
                Some(name) => {
                    self.events.insert(from.to_owned(), EventRule { name, side });
                }
                None => {
                    let accepted: Vec<_> = EventName::ALL.iter().map(|name| name.code()).collect();
                    let accepted = accepted.join(", ");
                    fields.problem(
                        &format!("events.{from}"),
                        format!("`{to}` is no event name; accepted: {accepted}"),
                    );
                }
            }
        }
        for (from, to) in renames(fields, "attributes") {
            if Attr::from_name(to).is_some() || self.realm.uses(to) {
                self.attributes.insert(from.to_owned(), to.to_owned());
            } else {
                let accepted: Vec<_> = Attr::ALL.iter().map(|attr| attr.name()).collect();
                let accepted = accepted.join(", ");
                fields.problem(
                    &format!("attributes.{from}"),
                    format!("`{to}` is no attribute that is looked at; accepted: {accepted}"),
                );
            }
        }
    }
}

/// A map from texts to texts.
pub(crate) fn renames<'a>(fields: &'a Fields<'_>, key: &'static str) -> Vec<(&'a str, &'a str)> {
    let map = match fields.get(key) {
        None => return Vec::new(),
        Some(Value::Object(map)) => map,
        Some(_) => {
            fields.problem(key, "a map from texts to texts is accepted");
            return Vec::new();
        }
    };
    if map.len() > caps::RULES {
        fields.problem(key, format!("{} entries; at most {} are accepted", map.len(), caps::RULES));
    }
    let entries = map.iter().take(caps::RULES).filter_map(|(from, to)| {
        if to.as_str().is_none() {
            fields.problem(&format!("{key}.{from}"), format!("`{to}` is not a text"));
        }
        Some((from.as_str(), to.as_str()?))
    });
    entries.collect()
}
