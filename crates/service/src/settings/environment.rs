//! `${env:NAME}` and `${env:NAME:-other}` in the texts of a configuration.
//!
//! A text that is nothing but one variable takes the type of its value (`4`, `true`, or a text); within a
//! longer text a variable is a piece of text.

use authstitch_model::document::{Problem, quoted};
use serde_json::Value;

const OPEN: &str = "${env:";

/// Puts the variables in, everywhere in a document. What is missing becomes null, and a problem.
pub(super) fn substitute(
    document: &mut Value,
    variable: &impl Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) {
    walk(document, "", variable, problems);
}

fn walk(
    value: &mut Value,
    path: &str,
    variable: &impl Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) {
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(item, &here, variable, problems);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(item, &format!("{path}[{index}]"), variable, problems);
            }
        }
        Value::String(text) if text.contains(OPEN) => {
            *value = replaced(text, variable).unwrap_or_else(|message| {
                problems.push(Problem::at(path, message));
                Value::Null
            });
        }
        _ => {}
    }
}

fn replaced(text: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<Value, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((inside, behind)) = after.split_once('}') else {
            return Err(format!("{} has a `{OPEN}` without a `}}`", quoted(text)));
        };
        let (name, other) = match inside.split_once(":-") {
            Some((name, other)) => (name, Some(other.to_owned())),
            None => (inside, None),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("{} is not the name of an environment variable", quoted(name)));
        }
        let value = variable(name).or(other).ok_or_else(|| {
            let instead = quoted(&format!("{OPEN}{name}:-other}}"));
            format!("the environment variable {} is not set; set it, or write {instead}", quoted(name))
        })?;
        if before.is_empty() && behind.is_empty() && out.is_empty() {
            return Ok(typed(value));
        }
        out += before;
        out += &value;
        rest = behind;
    }
    out += rest;
    Ok(Value::String(out))
}

/// A number or a flag if the text is one, else the text.
fn typed(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(scalar @ (Value::Number(_) | Value::Bool(_))) => scalar,
        _ => Value::String(text),
    }
}
