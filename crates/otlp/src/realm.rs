//! Which population a record belongs to. Logins of different realms never meet.
//!
//! - Without configured attributes there is one realm, `default`.
//! - With them, the realm is their values joined by `/`, looked up as any attribute is: own, span's, resource's.
//! - A missing value is filled from the configured defaults, else it is `default`.
//! - `/` and `%` within a value are escaped, and a name beyond the bound of a text ends in its hash, so that
//!   two realms never become one.

use authstitch_model::document::{Fields, quoted};
use authstitch_model::{Realm, caps};

use crate::dictionary::Name;
use crate::mapping::{Mapping, renames};
use crate::scan::{Row, Scan, attribute};

#[cfg(test)]
mod tests;

/// A record's attributes as they lie: its own, its span's, its resource's.
pub(crate) type Levels<'a> = [Row<'a>; 3];

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
                let accepted = quoted(&attributes.join(", "));
                let message = format!("not one of the realm's attributes; accepted here: {accepted}");
                fields.problem(&format!("defaults.{name}"), message);
            }
            defaults.push((name.to_owned(), value.to_owned()));
        }
        Self { attributes, defaults, ..Self::default() }
    }

    /// The realm of an installation that has one.
    pub(crate) const fn only(&self) -> &Realm {
        &self.only
    }

    /// The names of its attributes.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &String> {
        self.attributes.iter()
    }

    /// Which of them has this name.
    pub(crate) fn place(&self, name: &str) -> Option<u16> {
        (0..).zip(&self.attributes).find_map(|(place, known)| (known == name).then_some(place))
    }

    fn name_of(&self, levels: &Levels<'_>, mapping: &Mapping) -> Scan<String> {
        let mut realm = String::new();
        for (place, attribute) in (0..).zip(&self.attributes) {
            if place > 0 {
                realm.push('/');
            }
            match find(levels, place, mapping)? {
                Some(value) => push_escaped(&mut realm, &value),
                None => {
                    let default = self.defaults.iter().find(|(name, _)| name == attribute);
                    push_escaped(&mut realm, default.map_or(DEFAULT, |(_, value)| value));
                }
            }
        }
        Ok(realm)
    }
}

/// The realm of record after record: neighbours mostly share it.
pub(crate) struct Realms<'m> {
    mapping: &'m Mapping,
    /// That of the resource at hand, for the records that say nothing of their own.
    resource: Option<Realm>,
    last: Option<(String, Realm)>,
}

impl<'m> Realms<'m> {
    pub(crate) const fn new(mapping: &'m Mapping) -> Self {
        Self { mapping, resource: None, last: None }
    }

    /// What follows is of another resource.
    pub(crate) fn leave_resource(&mut self) {
        self.resource = None;
    }

    /// The realm of a record with these attributes. `own` says whether anything but the resource takes part.
    pub(crate) fn of(&mut self, levels: &Levels<'_>, own: bool) -> Scan<Realm> {
        let rule = self.mapping.realm_rule();
        if rule.attributes.is_empty() {
            return Ok(rule.only.clone());
        }
        if let Some(realm) = self.resource.as_ref().filter(|_| !own) {
            return Ok(realm.clone());
        }
        let name = rule.name_of(levels, self.mapping)?;
        let realm = match &self.last {
            Some((last, realm)) if *last == name => realm.clone(),
            _ => {
                let realm = self.bounded(&name);
                self.last = Some((name, realm.clone()));
                realm
            }
        };
        if !own {
            self.resource = Some(realm.clone());
        }
        Ok(realm)
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
        let hash = self.mapping.secret().of_realm(name).name();
        Realm::bounded(&format!("{}~{hash:016x}", &name[..kept]))
    }
}

/// The value of one of the realm's attributes; the first that is a text or a number counts.
fn find(levels: &Levels<'_>, place: u16, mapping: &Mapping) -> Scan<Option<String>> {
    for attribute in levels.iter().flat_map(|level| *level) {
        let (key, value) = attribute::split(attribute)?;
        let wanted = mapping.meaning(Name::of(key)).is_some_and(|meaning| meaning.of_realm == Some(place));
        let Some(value) = value.filter(|_| wanted) else { continue };
        let value = attribute::value(value)?.filter(|value| !value.is_blank());
        if let Some(value) = value.and_then(|value| value.decimal()) {
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
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
