//! Scenarios as text, one line an event:
//!
//! ```text
//! TIME[@RECEIVED] SIDE EVENT [KEY=NAME…] [FACT=VALUE…]
//! 12.5@14 phone qr.scanned code=K trace=2 realm=eu
//! 300 tick
//! 310 shutdown
//! ```
//!
//! Times are seconds by the emitter's clock; the receipt time is the same where none is given. Two lines that
//! differ in nothing but the receipt time are copies of one event.

use std::fmt::{self, Write};
use std::sync::Arc;

use authstitch_model::event::{Named, testing};
use authstitch_model::{
    AuthEvent, Browser, Environment, EventKeys, EventName, Flow, JoinedBy, Journey, JourneyId, KeyHash,
    KeyKind, Millis, Realm, Secret, Side, UnixNanos,
};
use authstitch_stitch::{Change, Counters, Settings, Stitcher};

/// Where the seconds of a scenario begin, in milliseconds.
const BEGIN: i64 = 1_700_000_000_000;

/// One line of a scenario.
#[derive(Clone, PartialEq)]
pub struct Line {
    /// Milliseconds from the beginning.
    pub time: i64,
    pub received: i64,
    pub what: What,
}

#[derive(Clone, PartialEq)]
pub enum What {
    Event(Told),
    Tick,
    Shutdown,
}

/// What the text says of an event.
#[derive(Clone, PartialEq)]
pub struct Told {
    pub side: Side,
    pub name: EventName,
    pub keys: Vec<(KeyKind, String)>,
    pub realm: String,
    pub flow: Option<Flow>,
    pub ttl: Option<Millis>,
    pub timeout: Option<Millis>,
    pub browser: Option<Browser>,
}

impl Told {
    pub fn new(side: Side, name: EventName) -> Self {
        let realm = "default".into();
        Self { side, name, keys: Vec::new(), realm, flow: None, ttl: None, timeout: None, browser: None }
    }
}

impl Line {
    pub fn received(&self) -> UnixNanos {
        nanos(self.received)
    }

    /// The event that the line tells of.
    pub fn event(&self) -> Option<AuthEvent> {
        self.event_under(Secret::PUBLIC)
    }

    /// The same where another secret makes its identity and keys. Its ids are what they are.
    pub fn event_under(&self, secret: Secret) -> Option<AuthEvent> {
        let What::Event(told) = &self.what else { return None };
        let text = format!("{} {told}", self.time);
        let identity = |secret: Secret| secret.of_realm(&told.realm).identity("line", &[text.as_bytes()]);
        let mut keys = EventKeys::default();
        for (kind, name) in &told.keys {
            let key = KeyHash::new(secret.of_realm(&told.realm).identity(kind.code(), &[name.as_bytes()]).0);
            *match kind {
                KeyKind::Journey => &mut keys.journey,
                KeyKind::Challenge => &mut keys.challenge,
                KeyKind::Code => &mut keys.code,
                KeyKind::Flow => &mut keys.flow,
                KeyKind::Session => &mut keys.session,
                KeyKind::Trace => &mut keys.trace,
            } = Some(key);
        }
        let mut event = testing::event(told.name, nanos(self.time), identity(Secret::PUBLIC).0 as u64 | 1);
        event.realm = Realm::bounded(&told.realm);
        event.side = told.side;
        event.flow = told.flow;
        event.identity = identity(secret);
        event.keys = keys;
        event.facts.code_ttl = told.ttl;
        event.facts.webauthn_timeout = told.timeout;
        if let Some(kind) = told.browser {
            let browser = Some(Named { kind, name: kind.code().into() });
            event.environment = Arc::new(Environment { browser, ..Environment::default() });
        }
        Some(event)
    }
}

fn nanos(millis: i64) -> UnixNanos {
    let nanos = (i128::from(BEGIN) + i128::from(millis)) * 1_000_000;
    UnixNanos(nanos.clamp(0, i128::from(u64::MAX)) as u64)
}

/// Reads a scenario; a line that says nothing that is known is a mistake of the test.
pub fn parse(text: &str) -> Vec<Line> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(parse_line).collect()
}

fn parse_line(line: &str) -> Line {
    let seconds = |text: &str| (text.parse::<f64>().expect(line) * 1000.0).round() as i64;
    let millis = |text: &str| Some(Millis(seconds(text) as u64));
    let mut words = line.split_whitespace();
    let when = words.next().expect(line);
    let (time, received) = when.split_once('@').unwrap_or((when, when));
    let (time, received) = (seconds(time), seconds(received));
    let what = match words.next().expect(line) {
        "tick" => What::Tick,
        "shutdown" => What::Shutdown,
        side => {
            let side = SIDES.iter().find(|(_, word)| *word == side).expect(line).0;
            let name = EventName::from_code(&format!("auth.{}", words.next().expect(line))).expect(line);
            let mut told = Told::new(side, name);
            for word in words {
                let (field, value) = word.split_once('=').expect(line);
                match field {
                    "realm" => told.realm = value.into(),
                    "as" => told.flow = Some(Flow::from_code(value).expect(line)),
                    "ttl" => told.ttl = millis(value),
                    "timeout" => told.timeout = millis(value),
                    "browser" => told.browser = Some(Browser::from_code(value).expect(line)),
                    kind => told.keys.push((KeyKind::from_code(kind).expect(line), value.into())),
                }
            }
            What::Event(told)
        }
    };
    Line { time, received, what }
}

const SIDES: [(Side, &str); 3] =
    [(Side::Server, "server"), (Side::Initiator, "desktop"), (Side::Authenticator, "phone")];

fn side_word(side: Side) -> &'static str {
    SIDES.iter().find(|(known, _)| *known == side).expect("every side has a word").1
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", side_word(self.side), short(self.name))?;
        for (kind, name) in &self.keys {
            write!(f, " {}={name}", kind.code())?;
        }
        if self.realm != "default" {
            write!(f, " realm={}", self.realm)?;
        }
        if let Some(flow) = self.flow {
            write!(f, " as={}", flow.code())?;
        }
        if let Some(ttl) = self.ttl {
            write!(f, " ttl={}", Seconds(ttl.0 as i64))?;
        }
        if let Some(timeout) = self.timeout {
            write!(f, " timeout={}", Seconds(timeout.0 as i64))?;
        }
        if let Some(browser) = self.browser {
            write!(f, " browser={}", browser.code())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} ", Seconds(self.time), Seconds(self.received))?;
        match &self.what {
            What::Event(told) => write!(f, "{told}"),
            What::Tick => f.write_str("tick"),
            What::Shutdown => f.write_str("shutdown"),
        }
    }
}

/// Milliseconds, shown as seconds without idle zeros.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 as f64 / 1000.0)
    }
}

impl Seconds {
    fn of(time: UnixNanos) -> Self {
        Self((time.0 as i64) / 1_000_000 - BEGIN)
    }
}

fn short(name: EventName) -> &'static str {
    name.code().trim_start_matches("auth.")
}

/// Something that takes events as the stitcher does.
pub trait Stitching {
    fn advance(&mut self, now: UnixNanos, changes: &mut Vec<Change>);
    fn accept(&mut self, received: UnixNanos, event: &AuthEvent, changes: &mut Vec<Change>);
    fn shut_down(&mut self, now: UnixNanos, changes: &mut Vec<Change>);
    fn counters(&self) -> Counters;
}

impl Stitching for Stitcher {
    fn advance(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        self.advance(now, changes);
    }
    fn accept(&mut self, received: UnixNanos, event: &AuthEvent, changes: &mut Vec<Change>) {
        self.accept(received, event, changes);
    }
    fn shut_down(&mut self, now: UnixNanos, changes: &mut Vec<Change>) {
        while self.shut_down(now, 3, changes) {}
    }
    fn counters(&self) -> Counters {
        self.counters()
    }
}

/// Feeds one line.
pub fn feed(stitching: &mut impl Stitching, line: &Line, changes: &mut Vec<Change>) {
    stitching.advance(line.received(), changes);
    match (&line.what, line.event()) {
        (What::Shutdown, _) => stitching.shut_down(line.received(), changes),
        (_, Some(event)) => stitching.accept(line.received(), &event, changes),
        (_, None) => {}
    }
}

/// Feeds all lines and lets every timer fire.
pub fn run(settings: Settings, lines: &[Line]) -> (Vec<Change>, Counters) {
    let mut stitcher = Stitcher::new(settings);
    let mut changes = Vec::new();
    for line in lines {
        feed(&mut stitcher, line, &mut changes);
    }
    while let Some(deadline) = stitcher.next_deadline() {
        stitcher.advance(deadline, &mut changes);
    }
    (changes, stitcher.counters())
}

/// What the stitcher makes of a scenario, as text.
pub fn stitched(text: &str) -> String {
    stitched_with(Settings::default(), text)
}

/// The same with other settings. Changes stand under the time at which they came.
pub fn stitched_with(settings: Settings, text: &str) -> String {
    let mut stitcher = Stitcher::new(settings);
    let mut log: Vec<(UnixNanos, Change)> = Vec::new();
    let mut changes = Vec::new();
    for line in parse(text) {
        while let Some(deadline) = stitcher.next_deadline().filter(|deadline| *deadline <= line.received()) {
            stitcher.advance(deadline, &mut changes);
            log.extend(changes.drain(..).map(|change| (deadline, change)));
        }
        feed(&mut stitcher, &line, &mut changes);
        log.extend(changes.drain(..).map(|change| (line.received(), change)));
    }
    while let Some(deadline) = stitcher.next_deadline() {
        stitcher.advance(deadline, &mut changes);
        log.extend(changes.drain(..).map(|change| (deadline, change)));
    }
    let mut out = shown(&log);
    print_counters(&mut out, &stitcher.counters());
    out
}

/// Changes as text. Journeys are called by letters, the oldest `a`.
pub fn shown(log: &[(UnixNanos, Change)]) -> String {
    let mut names: Vec<JourneyId> = log
        .iter()
        .flat_map(|(_, change)| match change {
            Change::Closed(journey) => vec![journey.id],
            Change::Merged { journey, into, .. } => vec![*journey, *into],
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let name = |id: JourneyId| match names.binary_search(&id) {
        Ok(place) if place < 26 => char::from(b'a' + place as u8).to_string(),
        Ok(place) => format!("j{place}"),
        Err(_) => "?".into(),
    };
    let mut out = String::new();
    for (at, change) in log {
        let at = Seconds::of(*at);
        match change {
            Change::Closed(journey) => print_journey(&mut out, &at, journey, name),
            Change::Merged { journey, revision, into } => {
                let _ = writeln!(out, "{at} {}{revision} merged into {}", name(*journey), name(*into));
            }
        }
    }
    out
}

fn print_journey(out: &mut String, at: &Seconds, journey: &Journey, name: impl Fn(JourneyId) -> String) {
    let mut line = format!("{at} {}{} {}:", name(journey.id), journey.revision, journey.close_reason.code());
    for event in &journey.events {
        let weak = if event.joined_by == JoinedBy::Weak { "~" } else { "" };
        let _ = write!(line, " {weak}{} {},", short(event.event.name), Seconds::of(event.corrected));
    }
    line.pop();
    let offsets = [("desktop", journey.offsets.initiator), ("phone", journey.offsets.authenticator)];
    for (side, offset) in offsets {
        if let Some(offset) = offset.filter(|offset| *offset != 0) {
            let _ = write!(line, "; {side} off by {}", Seconds(offset / 1_000_000));
        }
    }
    if let Some(previous) = journey.previous {
        let _ = write!(line, "; {} s after {}", Seconds(previous.gap.0 as i64), name(previous.journey));
    }
    if let Some(next) = journey.next {
        let gap = Seconds(next.gap.0 as i64);
        let _ = write!(line, "; {gap} s before {} ({})", name(next.journey), next.flow.code());
    }
    out.push_str(&line);
    out.push('\n');
}

fn print_counters(out: &mut String, counters: &Counters) {
    let mut parts: Vec<String> = counters
        .totals()
        .into_iter()
        .filter(|(name, count)| *count > 0 && !matches!(*name, "events_joined" | "journeys_closed"))
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    for (side, word) in SIDES {
        let late = counters.too_late[side.index()];
        if late.events > 0 {
            let (sum, max) = (Seconds(late.lag_sum.0 as i64), Seconds(late.lag_max.0 as i64));
            parts.push(format!("too_late of {word} {}, lag {sum} s, at most {max} s", late.events));
        }
    }
    if !parts.is_empty() {
        out.push_str(&parts.join("; "));
        out.push('\n');
    }
}

#[test]
fn a_line_reads_back_as_it_is_shown() {
    let text =
        "12.5@14 phone qr.scanned code=K trace=2 realm=eu as=app_qr ttl=60 timeout=90.5 browser=Chrome";
    assert_eq!(format!("{:?}", parse_line(text)), text);
}
