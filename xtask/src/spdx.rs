//! Reads SPDX licence expressions, as far as crates use them: `OR`, `AND`, `WITH`, parentheses, and the old `/`.
//!
//! `AND` binds closer than `OR`. `A / B` is read as `A OR B`. `A WITH B` is a licence of its own: that `A` is
//! accepted does not make it accepted.

use std::fmt;

/// A licence expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// One licence, with its exception if it has one.
    Licence(String),
    /// All of them hold together.
    All(Vec<Self>),
    /// The user picks one.
    Any(Vec<Self>),
}

/// What an expression cannot be read for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// Where it stops being one.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut words = words.as_slice();
        let expression = any(&mut words)?;
        match words {
            [] => Ok(expression),
            [word, ..] => Err(Unreadable(format!("`{word}` is not expected there"))),
        }
    }

    /// Whether the accepted licences suffice.
    pub fn satisfied(&self, accepted: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Licence(name) => accepted(name),
            Self::All(parts) => parts.iter().all(|part| part.satisfied(accepted)),
            Self::Any(parts) => parts.iter().any(|part| part.satisfied(accepted)),
        }
    }
}

fn any(words: &mut &[&str]) -> Result<Expression, Unreadable> {
    Ok(joined(list(words, "OR", all)?, Expression::Any))
}

fn all(words: &mut &[&str]) -> Result<Expression, Unreadable> {
    Ok(joined(list(words, "AND", licence)?, Expression::All))
}

fn joined(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

fn list(
    words: &mut &[&str],
    separator: &str,
    item: fn(&mut &[&str]) -> Result<Expression, Unreadable>,
) -> Result<Vec<Expression>, Unreadable> {
    let mut parts = vec![item(words)?];
    while words.first() == Some(&separator) {
        *words = &words[1..];
        parts.push(item(words)?);
    }
    Ok(parts)
}

fn licence(words: &mut &[&str]) -> Result<Expression, Unreadable> {
    match **words {
        ["(", ref rest @ ..] => {
            *words = rest;
            let inner = any(words)?;
            let [")", rest @ ..] = *words else { return Err(Unreadable("a `)` is missing".into())) };
            *words = rest;
            Ok(inner)
        }
        [")" | "OR" | "AND" | "WITH", ..] | [] => Err(Unreadable("a licence is missing".into())),
        [name, "WITH", exception, ref rest @ ..] => {
            *words = rest;
            Ok(Expression::Licence(format!("{name} WITH {exception}")))
        }
        [name, ref rest @ ..] => {
            *words = rest;
            Ok(Expression::Licence(name.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Expression;

    fn accepted(expression: &str) -> bool {
        let list = ["MIT", "Apache-2.0", "Unicode-3.0"];
        Expression::parse(expression).expect(expression).satisfied(&|name| list.contains(&name))
    }

    #[test]
    fn one_of_several_suffices() {
        assert!(accepted("MIT OR GPL-3.0"));
        assert!(accepted("GPL-3.0 OR LGPL-2.1-or-later OR MIT"));
        assert!(!accepted("GPL-3.0 OR MPL-2.0"));
    }

    #[test]
    fn all_that_hold_together_are_needed() {
        assert!(accepted("MIT AND Apache-2.0"));
        assert!(!accepted("MIT AND GPL-3.0"));
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert!(accepted("MIT OR GPL-3.0 AND MPL-2.0"));
        assert!(!accepted("(MIT OR GPL-3.0) AND MPL-2.0"));
        assert!(accepted("(MIT OR Apache-2.0) AND Unicode-3.0"));
    }

    #[test]
    fn the_old_slash_is_an_or() {
        assert!(accepted("GPL-3.0/MIT"));
        assert!(accepted("GPL-3.0 / MIT"));
    }

    #[test]
    fn a_licence_with_an_exception_is_one_of_its_own() {
        assert!(!accepted("Apache-2.0 WITH LLVM-exception"));
        assert!(accepted("Apache-2.0 WITH LLVM-exception OR MIT"));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["", "OR MIT", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0", "MIT WITH", "()"] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
