//! Reading a document that a person wrote (a world, the configuration, a mapping): every error at once, each
//! with its path, what stands there, what is accepted; an unknown key is an error.
//!
//! The caller parses YAML or JSON into a [`Value`], YAML by way of [`value()`]; [`read`] walks it. Each getter names a key,
//! remembers that it is known, and on a mistake records a [`Problem`] and gives the default, so that reading goes on.
//!
//! A problem is as short whatever stands in the document: what it quotes is cut, and a `…` says so.

mod value;

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::caps;

pub use value::value;

/// One mistake in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as `listeners.grpc` or `steps[2].median_s`.
    pub path: String,
    /// What stands there, what is accepted, what to do.
    pub message: String,
}

impl Problem {
    /// A mistake at a place.
    #[must_use]
    pub fn at(path: &str, message: impl Into<String>) -> Self {
        Self { path: cut(path, caps::PATH_CHARS), message: message.into() }
    }
}

/// A text as a problem quotes it: so many characters, then `…`.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("`{}`", cut(text, caps::QUOTED_CHARS))
}

/// What another library says of a document, or a file's reader: it may quote what it likes.
#[must_use]
pub fn remark(said: impl fmt::Display) -> String {
    cut(&said.to_string(), caps::REMARK_CHARS)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// All mistakes of one document, in the order of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().take(caps::DOCUMENT_PROBLEMS).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}: {}", problem.path, problem.message)?;
        }
        let hidden = self.0.len().saturating_sub(caps::DOCUMENT_PROBLEMS);
        if hidden > 0 { write!(f, "\n… and {hidden} more") } else { Ok(()) }
    }
}

impl std::error::Error for Problems {}

/// Reads a whole document with `reader`, which sees its top-level map.
///
/// # Errors
/// All problems found, if there is any.
pub fn read<T>(document: &Value, reader: impl FnOnce(&Fields<'_>) -> T) -> Result<T, Problems> {
    let (value, problems) = read_through(document, reader)?;
    if problems.is_empty() { Ok(value) } else { Err(Problems(problems)) }
}

/// As [`read`], and gives what was read beside the problems, with the defaults in their places.
///
/// # Errors
/// If the document is no map at all.
pub fn read_through<T>(
    document: &Value,
    reader: impl FnOnce(&Fields<'_>) -> T,
) -> Result<(T, Vec<Problem>), Problems> {
    let problems = RefCell::new(Vec::new());
    let empty = Map::new();
    let map = match document {
        Value::Object(map) => map,
        Value::Null => &empty,
        other => {
            let message = format!("the document is {}; a map of keys is accepted", kind(other));
            return Err(Problems(vec![Problem::at("(top)", message)]));
        }
    };
    let fields = Fields { path: String::new(), map, known: RefCell::default(), problems: &problems };
    let value = reader(&fields);
    fields.finish();
    Ok((value, problems.into_inner()))
}

/// One map of a document, while it is read.
pub struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
    known: RefCell<Vec<&'static str>>,
    problems: &'a RefCell<Vec<Problem>>,
}

impl Fields<'_> {
    /// Records a mistake at a key of this map.
    pub fn problem(&self, key: &str, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::at(&self.at(key), message));
    }

    /// Whether the key is there and not null.
    #[must_use]
    pub fn has(&self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    /// The value of a key, for a reader of its own; the key counts as known from here on.
    #[must_use]
    pub fn get(&self, key: &'static str) -> Option<&Value> {
        self.known.borrow_mut().push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A number within a range, or the default if the key is missing.
    #[must_use]
    pub fn number(&self, key: &'static str, accepted: RangeInclusive<f64>, default: f64) -> f64 {
        let Some(value) = self.get(key) else { return default };
        match value.as_f64().filter(|number| accepted.contains(number)) {
            Some(number) => number,
            None => {
                self.problem(
                    key,
                    format!(
                        "{} is not a number from {} to {}",
                        shown(value),
                        accepted.start(),
                        accepted.end()
                    ),
                );
                default
            }
        }
    }

    /// A whole number within a range, or the default if the key is missing.
    #[must_use]
    pub fn integer(&self, key: &'static str, accepted: RangeInclusive<u64>, default: u64) -> u64 {
        let Some(value) = self.get(key) else { return default };
        match value.as_u64().filter(|number| accepted.contains(number)) {
            Some(number) => number,
            None => {
                self.problem(
                    key,
                    format!(
                        "{} is not a whole number from {} to {}",
                        shown(value),
                        accepted.start(),
                        accepted.end()
                    ),
                );
                default
            }
        }
    }

    /// True or false, or the default if the key is missing.
    #[must_use]
    pub fn flag(&self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.get(key) else { return default };
        value.as_bool().unwrap_or_else(|| {
            self.problem(key, format!("{} is not `true` or `false`", shown(value)));
            default
        })
    }

    /// A text, or `None` if the key is missing.
    #[must_use]
    pub fn text(&self, key: &'static str) -> Option<&str> {
        let value = self.get(key)?;
        if value.as_str().is_none() {
            self.problem(key, format!("{} is not a text", shown(value)));
        }
        value.as_str()
    }

    /// A text that `parse` understands, or the default if the key is missing. `accepted` says what it takes.
    #[must_use]
    pub fn parsed<T>(
        &self,
        key: &'static str,
        accepted: &str,
        default: T,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some(text) = self.text(key) else { return default };
        parse(text).unwrap_or_else(|| {
            self.problem(key, format!("{} is not accepted here; accepted: {accepted}", quoted(text)));
            default
        })
    }

    /// A list of texts; empty if the key is missing.
    #[must_use]
    pub fn texts(&self, key: &'static str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let texts = value
            .as_array()
            .and_then(|list| list.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        texts.unwrap_or_else(|| {
            self.problem(key, format!("{} is not a list of texts", shown(value)));
            Vec::new()
        })
    }

    /// Reads a map inside this one; a missing one is read as empty, so that its defaults apply.
    pub fn map<T>(&self, key: &'static str, reader: impl FnOnce(&Fields<'_>) -> T) -> T {
        let empty = Value::Object(Map::new());
        let value = self.get(key).unwrap_or(&empty);
        self.nested(self.at(key), value, reader)
    }

    /// Reads each map of a list; a missing list is empty.
    pub fn list<T>(&self, key: &'static str, mut reader: impl FnMut(&Fields<'_>) -> T) -> Vec<T> {
        match self.get(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.nested(format!("{}[{index}]", self.at(key)), item, &mut reader))
                .collect(),
            Some(other) => {
                self.problem(key, format!("{} is not a list", shown(other)));
                Vec::new()
            }
        }
    }

    /// Reads each map of a map whose keys are the writer's own; a missing one is empty.
    pub fn entries<T>(&self, key: &'static str, mut reader: impl FnMut(&str, &Fields<'_>) -> T) -> Vec<T> {
        match self.get(key) {
            None => Vec::new(),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(name, item)| {
                    self.nested(format!("{}.{name}", self.at(key)), item, |fields| reader(name, fields))
                })
                .collect(),
            Some(other) => {
                self.problem(key, format!("{} is not a map", shown(other)));
                Vec::new()
            }
        }
    }

    /// A map from codes to numbers within a range, such as weights by cause; unknown codes are problems.
    pub fn weights<K>(
        &self,
        key: &'static str,
        accepted: RangeInclusive<f64>,
        codes: &str,
        parse: impl Fn(&str) -> Option<K>,
    ) -> Vec<(K, f64)> {
        let mut weights = Vec::new();
        match self.get(key) {
            None => {}
            Some(Value::Object(map)) => {
                for (name, value) in map {
                    let here = format!("{key}.{name}");
                    match (parse(name), value.as_f64().filter(|number| accepted.contains(number))) {
                        (Some(code), Some(number)) => weights.push((code, number)),
                        (None, _) => self.problem(&here, format!("unknown code; accepted: {codes}")),
                        (_, None) => self.problem(
                            &here,
                            format!(
                                "{} is not a number from {} to {}",
                                shown(value),
                                accepted.start(),
                                accepted.end()
                            ),
                        ),
                    }
                }
            }
            Some(other) => self.problem(key, format!("{} is not a map of numbers", shown(other))),
        }
        weights
    }

    fn nested<T>(&self, path: String, value: &Value, reader: impl FnOnce(&Fields<'_>) -> T) -> T {
        let empty = Map::new();
        let map = value.as_object().unwrap_or_else(|| {
            let message = format!("{} is not a map of keys", shown(value));
            self.problems.borrow_mut().push(Problem::at(&path, message));
            &empty
        });
        let fields = Fields { path, map, known: RefCell::default(), problems: self.problems };
        let read = reader(&fields);
        fields.finish();
        read
    }

    fn finish(&self) {
        let known = self.known.borrow();
        for key in self.map.keys().filter(|key| !known.contains(&key.as_str())) {
            let mut accepted = known.clone();
            accepted.sort_unstable();
            accepted.dedup();
            self.problem(key, format!("unknown key; accepted here: {}", accepted.join(", ")));
        }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        scalar => quoted(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn all_problems_are_shown_at_once_each_with_its_path() {
        let document = json!({
            "name": 3, "rate": 2.0, "lost": {"share": "many", "typo": 1}, "steps": [{"median": -1}], "weights": {"x": 1, "a": "b"}
        });
        let problems = read(&document, |top| {
            let _ = top.text("name");
            let _ = top.number("rate", 0.0..=1.0, 0.5);
            top.map("lost", |lost| lost.number("share", 0.0..=1.0, 0.0));
            top.list("steps", |step| step.integer("median", 0..=10, 1));
            top.weights("weights", 0.0..=1.0, "a", |code| (code == "a").then_some(()));
        });
        expect![[r#"
            name: `3` is not a text
            rate: `2.0` is not a number from 0 to 1
            lost.share: `"many"` is not a number from 0 to 1
            lost.typo: unknown key; accepted here: share
            steps[0].median: `-1` is not a whole number from 0 to 10
            weights.a: `"b"` is not a number from 0 to 1
            weights.x: unknown code; accepted: a"#]]
        .assert_eq(&problems.unwrap_err().to_string());
    }

    #[test]
    fn what_is_quoted_is_cut_so_that_a_problem_is_as_short_whatever_stands_there() {
        let long = "\u{e9}".repeat(100_000);
        let document = json!({
            "text": [long.clone()], "number": long.clone(), "parsed": long.clone(), "weights": {long.clone(): 1},
            "entries": {long.clone(): {"typo": 1}}, long.clone(): 1
        });
        let problems = read(&document, |top| {
            let _ = (top.text("text"), top.number("number", 0.0..=1.0, 0.0), top.flag("number", true));
            let _ = (top.integer("number", 0..=1, 0), top.texts("number"));
            let _: u8 = top.parsed("parsed", "a, b", 0, |_| None);
            let _ = top.weights("weights", 0.0..=1.0, "a", |_| None::<()>);
            top.entries("entries", |_, _| ());
        });
        let Problems(problems) = problems.unwrap_err();
        assert_eq!(problems.len(), 9);
        for Problem { path, message } in &problems {
            assert!(path.chars().count() <= caps::PATH_CHARS + 1, "{path}");
            assert!(message.chars().count() <= caps::QUOTED_CHARS + 100, "{message}");
        }
        assert_eq!(quoted("as it is"), "`as it is`");
        assert_eq!(quoted(&long), format!("`{}…`", "\u{e9}".repeat(caps::QUOTED_CHARS)));
    }

    #[test]
    fn a_missing_key_gives_its_default() {
        assert_eq!(read(&json!({}), |top| (top.integer("n", 0..=9, 4), top.flag("on", true))), Ok((4, true)));
        assert_eq!(read(&Value::Null, |top| top.texts("list")), Ok(Vec::new()));
    }
}
