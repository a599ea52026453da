//! Which population a record belongs to. Logins of different realms never meet.
//!
//! - Without configured attributes there is one realm, `default`.
//! - With them, the realm is their values joined by `/`, looked up as any attribute is: own, span's, resource's.
//! - A missing value is filled from the configured defaults, else it is `default`.
//! - `/` and `%` within a value are escaped, and a name beyond the bound of a text ends in its hash, so that
//!   two realms never become one.

use authstitch_model::document::Fields;
use authstitch_model::{Realm, caps};

use crate::mapping::{Mapping, renames};
use crate::wire::KeyValue;

#[cfg(test)]
mod tests;

/// A record's attributes: its own, its span's, its resource's.
pub(crate) type Levels<'a> = [&'a [KeyValue]; 3];

const DEFAULT: &str = "default";

/// How the realm of a record is found.
#[derive(Clone, Debug)]
pub(crate) struct RealmRule {
    attributes: Vec<String>,
    defaults: Vec<(String, String)>,
    only: Realm,
}

impl Default for RealmRule {
    fn default() -> Self {
        Self { attributes: Vec::new(), defaults: Vec::new(), only: Realm::bounded(DEFAULT) }
    }
}

impl RealmRule {
    /// Reads `attributes`, a list of names, and `defaults`, a map from those names to values.
    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        let attributes = fields.texts("attributes");
        let mut defaults = Vec::new();
        for (name, value) in renames(fields, "defaults") {
            if !attributes.iter().any(|known| known == name) {
                let accepted = attributes.join(", ");
                let message = format!("not one of the realm's attributes; accepted here: {accepted}");
                fields.problem(&format!("defaults.{name}"), message);
            }
            defaults.push((name.to_owned(), value.to_owned()));
        }
        Self { attributes, defaults, ..Self::default() }
    }

    /// Whether an attribute of this name is one of them.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.attributes.iter().any(|known| known == name)
    }

    fn name_of(&self, levels: &Levels<'_>, mapping: &Mapping) -> String {
        let mut realm = String::new();
        for (index, attribute) in self.attributes.iter().enumerate() {
            if index > 0 {
                realm.push('/');
            }
            match find(levels, attribute, mapping) {
                Some(value) => push_escaped(&mut realm, &value),
                None => {
                    let default = self.defaults.iter().find(|(name, _)| name == attribute);
                    push_escaped(&mut realm, default.map_or(DEFAULT, |(_, value)| value));
                }
            }
        }
        realm
    }
}

/// The realm of record after record: neighbours mostly share it.
pub(crate) struct Realms<'m> {
    mapping: &'m Mapping,
    last: Option<(String, Realm)>,
}

impl<'m> Realms<'m> {
    pub(crate) const fn new(mapping: &'m Mapping) -> Self {
        Self { mapping, last: None }
    }

    /// The realm of a record with these attributes.
    pub(crate) fn of(&mut self, levels: &Levels<'_>) -> Realm {
        let rule = self.mapping.realm_rule();
        if rule.attributes.is_empty() {
            return rule.only.clone();
        }
        let name = rule.name_of(levels, self.mapping);
        match &self.last {
            Some((last, realm)) if *last == name => realm.clone(),
            _ => {
                let realm = self.bounded(&name);
                self.last = Some((name, realm.clone()));
                realm
            }
        }
    }

    fn bounded(&self, name: &str) -> Realm {
        if name.len() <= caps::TEXT_BYTES {
            return Realm::bounded(name);
        }
        const HASH_CHARS: usize = 17;
        let mut kept = caps::TEXT_BYTES - HASH_CHARS;
        while !name.is_char_boundary(kept) {
            kept -= 1;
        }
        let hash = self.mapping.secret().short_hash("", "realm", name.as_bytes());
        Realm::bounded(&format!("{}~{hash:016x}", &name[..kept]))
    }
}

fn find(levels: &Levels<'_>, name: &str, mapping: &Mapping) -> Option<String> {
    let mut attributes = levels.iter().flat_map(|level| level.iter());
    attributes.find_map(|attribute| {
        let value = (mapping.attribute(&attribute.key) == name).then(|| attribute.present()).flatten()?;
        value.decimal().map(std::borrow::Cow::into_owned)
    })
}

fn push_escaped(realm: &mut String, value: &str) {
    for char in value.trim().chars() {
        match char {
            '/' => realm.push_str("%2F"),
            '%' => realm.push_str("%25"),
            other => realm.push(other),
        }
    }
}
