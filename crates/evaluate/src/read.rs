//! Reading truth lines and journey lines: one JSON object a line, empty lines skipped.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, Read};

use authstitch_model::line::JourneyLine;
use authstitch_model::truth::TruthLine;
use authstitch_model::{Cause, Outcome};
use serde::de::DeserializeOwned;

use crate::caps;

#[cfg(test)]
mod tests;

/// Why a file of lines cannot be read.
#[derive(Debug)]
pub struct ReadError {
    /// What kind of line it should be.
    kind: &'static str,
    /// Its number, from 1.
    line: usize,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Io(std::io::Error),
    Json(serde_json::Error),
    TooLong,
    /// The line is well-formed and contradicts itself or another.
    Wrong(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.problem {
            Problem::Io(source) => write!(f, "{source}"),
            Problem::Json(source) if source.line() <= 1 => {
                // The parser counts lines from this one; its own number would only confuse.
                let message = source.to_string();
                let message =
                    message.rsplit_once(" at line").map_or(message.as_str(), |(message, _)| message);
                write!(f, "not a {}: {message} (column {})", self.kind, source.column())
            }
            Problem::Json(source) => write!(f, "not a {}: {source}", self.kind),
            Problem::TooLong => {
                write!(
                    f,
                    "longer than {} bytes; a {} stands on one line of its own",
                    caps::LINE_BYTES,
                    self.kind
                )
            }
            Problem::Wrong(message) => write!(f, "{message}"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Io(source) => Some(source),
            Problem::Json(source) => Some(source),
            Problem::TooLong | Problem::Wrong(_) => None,
        }
    }
}

/// Reads truth lines of one world, in their order.
///
/// # Errors
/// At the first line that is no truth line, whose outcome does not follow from its cause, or whose attempt
/// stood on an earlier line.
pub fn read_truth(input: impl BufRead) -> Result<Vec<TruthLine>, ReadError> {
    let mut seen = HashMap::new();
    lines(input, "truth line", |line: &TruthLine, number| {
        let follows = line.cause.unwrap_or(Cause::None).outcome();
        if line.outcome != follows || line.outcome == Outcome::Undetermined {
            return Err(format!(
                "attempt {}: outcome `{}` does not follow from cause `{}`, which is `{follows}`",
                line.attempt,
                line.outcome,
                line.cause.unwrap_or(Cause::None),
            ));
        }
        match seen.insert(line.attempt, number) {
            None => Ok(()),
            Some(earlier) => Err(format!(
                "attempt {} stands on line {earlier} already; score one world and one seed at a time",
                line.attempt
            )),
        }
    })
}

/// Reads journey lines, in their order.
///
/// # Errors
/// At the first line that is no journey line.
pub fn read_journeys(input: impl BufRead) -> Result<Vec<JourneyLine>, ReadError> {
    lines(input, "journey line", |_: &JourneyLine, _| Ok(()))
}

fn lines<T: DeserializeOwned>(
    mut input: impl BufRead,
    kind: &'static str,
    mut check: impl FnMut(&T, usize) -> Result<(), String>,
) -> Result<Vec<T>, ReadError> {
    let mut parsed = Vec::new();
    let mut bytes = Vec::new();
    for number in 1.. {
        let failed = |problem| ReadError { kind, line: number, problem };
        bytes.clear();
        let mut bounded = input.by_ref().take(caps::LINE_BYTES + 1);
        let read = bounded.read_until(b'\n', &mut bytes).map_err(|source| failed(Problem::Io(source)))?;
        if read == 0 {
            break;
        }
        if read as u64 > caps::LINE_BYTES {
            return Err(failed(Problem::TooLong));
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let line = serde_json::from_slice(&bytes).map_err(|source| failed(Problem::Json(source)))?;
        check(&line, number).map_err(|message| failed(Problem::Wrong(message)))?;
        parsed.push(line);
    }
    Ok(parsed)
}
