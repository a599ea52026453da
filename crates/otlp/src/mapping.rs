//! How records become events: the realm, and the rules that rename what other software emits.
//!
//! - A rule for an event renames a record's name; a rule for an attribute renames its key, wherever it stands.
//! - Our own names always count; where a rule and our own name both fit, the rule wins.
//! - A rule of the document wins over a rule of a preset, and a later preset over an earlier one.
//! - A record that a preset renames was sent by the server, unless it says otherwise: presets are for what
//!   identity servers emit. A rule of the document says nothing of the side.

use std::collections::HashMap;
use std::sync::Arc;

use authstitch_model::document::{self, Fields, quoted};
use authstitch_model::{EventName, Secret, Side};
use serde_json::Value;

use crate::attributes::{Attr, Meaning, marks_ours};
use crate::caps;
use crate::dictionary::{Dictionary, Name};
use crate::emitters::Emitters;
use crate::realm::RealmRule;

mod presets;
#[cfg(test)]
mod tests;

/// How records become events.
#[derive(Clone, Debug)]
pub struct Mapping {
    secret: Secret,
    realm: RealmRule,
    names: Dictionary<EventRule>,
    keys: Dictionary<Meaning>,
    /// Shared by all copies of the rules, which make the same of an emitter.
    emitters: Arc<Emitters>,
    /// The lengths of the keys of each attribute, as bits; the highest stands for all lengths from 63 on.
    key_lengths: [u64; Attr::COUNT],
}

/// The rules while they are read: what each name and each key stands for.
#[derive(Debug, Default)]
struct Renames {
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
        Self::compiled(secret, RealmRule::default(), &Renames::default())
    }

    /// Every name and key that means something, so that a request is read without asking any rule.
    fn compiled(secret: Secret, realm: RealmRule, renames: &Renames) -> Self {
        let own = EventName::ALL.iter().map(|name| (name.code(), EventRule { name: *name, side: None }));
        let renamed = renames.events.iter().map(|(name, rule)| (name.as_str(), *rule));
        let names = Dictionary::new(own.chain(renamed));
        let own = Attr::ALL.iter().map(|attr| attr.name()).chain(realm.attributes().map(String::as_str));
        let own = own.map(|name| (name, name));
        let renamed = renames.attributes.iter().map(|(key, name)| (key.as_str(), name.as_str()));
        let meaning = |name: &str| Meaning::of(name, realm.place(name));
        let keys: Vec<_> = own.chain(renamed).map(|(key, name)| (key, meaning(name))).collect();
        let mut key_lengths = [0; Attr::COUNT];
        for (key, Meaning { attr, .. }) in &keys {
            if let Some(attr) = attr {
                key_lengths[*attr as usize] |= 1 << key.len().min(63);
            }
        }
        Self { secret, names, keys: Dictionary::new(keys), key_lengths, realm, emitters: Arc::default() }
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
        let realm = fields.map("realm", RealmRule::read);
        let mut rules = Renames::default();
        for name in fields.texts("presets") {
            match presets::named(&name) {
                Some(preset) => rules.add_preset(preset, &realm),
                None => {
                    let accepted: Vec<_> = presets::ALL.iter().map(|(known, _)| *known).collect();
                    let accepted = accepted.join(", ");
                    fields.problem(
                        "presets",
                        format!("unknown preset {}; accepted: {accepted}", quoted(&name)),
                    );
                }
            }
        }
        rules.add(fields, &realm, None);
        Self::compiled(secret, realm, &rules)
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
    pub(crate) fn event(&self, name: &[u8]) -> Option<EventRule> {
        self.names.get(Name::of(name)).copied()
    }

    /// What an attribute's key means, if anything.
    #[inline]
    pub(crate) fn meaning(&self, key: Name<'_>) -> Option<&Meaning> {
        self.keys.get(key).or_else(|| marks_ours(key.bytes()).then_some(&Meaning::OURS))
    }

    /// The lengths that a key of this attribute can have, as bits; the highest stands for all from 63 on.
    pub(crate) const fn key_lengths(&self, attr: Attr) -> u64 {
        self.key_lengths[attr as usize]
    }

    /// Whether an attribute's key means this attribute.
    #[inline]
    pub(crate) fn is(&self, key: Name<'_>, attr: Attr) -> bool {
        self.keys.get(key).is_some_and(|meaning| meaning.attr == Some(attr))
    }

    /// What was made of the emitters met so far.
    pub(crate) fn emitters(&self) -> &Emitters {
        &self.emitters
    }

    pub(crate) const fn realm_rule(&self) -> &RealmRule {
        &self.realm
    }
}

impl Renames {
    fn add_preset(&mut self, preset: &Value, realm: &RealmRule) {
        document::read(preset, |fields| self.add(fields, realm, Some(Side::Server)))
            .expect("a test reads every shipped preset");
    }

    fn add(&mut self, fields: &Fields<'_>, realm: &RealmRule, side: Option<Side>) {
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
                        format!("{} is no event name; accepted: {accepted}", quoted(to)),
                    );
                }
            }
        }
        for (from, to) in renames(fields, "attributes") {
            if Attr::from_name(to).is_some() || realm.place(to).is_some() {
                self.attributes.insert(from.to_owned(), to.to_owned());
            } else {
                let accepted: Vec<_> = Attr::ALL.iter().map(|attr| attr.name()).collect();
                let accepted = accepted.join(", ");
                fields.problem(
                    &format!("attributes.{from}"),
                    format!("{} is no attribute that is looked at; accepted: {accepted}", quoted(to)),
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
            fields.problem(&format!("{key}.{from}"), format!("{} is not a text", quoted(&to.to_string())));
        }
        Some((from.as_str(), to.as_str()?))
    });
    entries.collect()
}
