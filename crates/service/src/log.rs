//! The log: one line an event, for a person or for a program.
//!
//! - As text a line is the event's sentence. As JSON it is an object: `timestamp`, `level`, `event` (a code that does
//!   not change), `message` (the sentence), and the event's own fields.
//! - Events are about the service, never about a login: no name, key, address or body that somebody sent is in a
//!   sentence or a field. What is refused is told in sums, see `refused`.
//! - A writer that fails loses its lines, and harms nothing.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use authstitch_model::UnixNanos;
use serde_json::Value;

use crate::clock::SystemClock;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A sentence.
    #[default]
    Text,
    /// An object.
    Json,
}

/// How grave an event is; the gravest comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// A part has stopped, or something is lost.
    Error,
    /// Something fails or is refused.
    Warn,
    /// The service's life.
    #[default]
    Info,
    /// Its housekeeping.
    Debug,
}

impl LogLevel {
    /// By its name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug].into_iter().find(|level| level.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// Where events are told. A clone tells them to the same place.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Told>>);

struct Told {
    format: LogFormat,
    level: LogLevel,
    out: Mutex<Box<dyn Write + Send>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.0.as_ref().map(|told| (told.format, told.level));
        f.debug_tuple("Log").field(&told).finish()
    }
}

impl Log {
    /// A log that tells nobody.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A log into a writer, of events of this level and graver ones.
    #[must_use]
    pub fn new(format: LogFormat, level: LogLevel, out: Box<dyn Write + Send>) -> Self {
        Self(Some(Arc::new(Told { format, level, out: Mutex::new(out) })))
    }

    /// Tells an event: its code, its sentence, and its fields.
    pub fn tell(&self, level: LogLevel, event: &'static str, sentence: &str, fields: &[(&str, Value)]) {
        let Some(told) = self.0.as_ref().filter(|told| level <= told.level) else { return };
        let line = match told.format {
            LogFormat::Text => format!("{sentence}\n"),
            LogFormat::Json => json(SystemClock::start().now(), level, event, sentence, fields),
        };
        let mut out = told.out.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever reads the log may be gone.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

fn json(time: UnixNanos, level: LogLevel, event: &str, sentence: &str, fields: &[(&str, Value)]) -> String {
    let mut line = format!(
        "{{\"timestamp\":\"{time}\",\"level\":\"{}\",\"event\":\"{event}\",\"message\":{}",
        level.name(),
        Value::from(sentence)
    );
    for (name, value) in fields {
        line += &format!(",{}:{value}", Value::from(*name));
    }
    line + "}\n"
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::tests::Lines;

    #[test]
    fn an_event_is_a_line_of_text_or_an_object() {
        let (lines, fields) = (Lines::default(), [("part", "store".into()), ("lag_ms", 3.into())]);
        let log = lines.log(LogFormat::Text, LogLevel::Info);
        log.tell(LogLevel::Warn, "part_failing", "store: disk full", &fields);
        assert_eq!(lines.text(), "store: disk full\n");
        let time = UnixNanos(1_767_225_600_000_000_001);
        expect![[r#"
            {"timestamp":"2026-01-01T00:00:00.000000001Z","level":"warn","event":"part_failing","message":"a \"b\"\nc","part":"store","lag_ms":3}
        "#]]
        .assert_eq(&json(time, LogLevel::Warn, "part_failing", "a \"b\"\nc", &fields));
        let lines = Lines::default();
        lines.log(LogFormat::Json, LogLevel::Info).tell(LogLevel::Info, "started", "x", &fields);
        let line: Value = serde_json::from_str(&lines.text()).unwrap();
        assert_eq!((line["event"].as_str(), line["lag_ms"].as_u64()), (Some("started"), Some(3)));
    }

    #[test]
    fn less_grave_events_are_left_out() {
        let lines = Lines::default();
        let log = lines.log(LogFormat::Text, LogLevel::Warn);
        for level in [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug] {
            log.tell(level, "x", level.name(), &[]);
            assert_eq!(LogLevel::parse(level.name()), Some(level));
        }
        assert_eq!(lines.text(), "error\nwarn\n");
        Log::none().tell(LogLevel::Error, "x", "nobody hears it", &[]);
    }
}
