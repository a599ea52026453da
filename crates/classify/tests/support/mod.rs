//! Journeys as text, for tests: one line an event.
//!
//! ```text
//! flow passkey_cda
//! on initiator Windows Chrome
//! 0.0 auth.challenge.created timeout=60000
//! 181.2 auth.webauthn.failed error=not_allowed elapsed=180300
//! next 12 passkey_cda
//! close idle
//! ```
//!
//! `clock 3600` sets the phone's clock ahead by so many seconds: its events are stamped so, and the journey knows
//! it. A line `cause wrong_account` says what happened, and `phones never-report` that no phone of the realm is
//! instrumented; [`journey`] leaves both to the test.
//! An event's line is its time in seconds, its side where it is not the usual one, its name, and facts as
//! `key=value`.

use std::sync::Arc;

use authstitch_model::event::{Named, Transports, testing};
use authstitch_model::{
    Attachment, AuthEvent, Browser, ClockOffsets, CloseReason, Environment, ErrorClass, EventName, Flow,
    HttpMethod, JoinedBy, Journey, JourneyEvent, JourneyId, KeyKind, Mediation, Method, Millis, Os, Realm,
    Reason, Secret, Side, Successor, Synthetic, UnixNanos,
};

/// 2026-01-01T00:00:00Z, where every journey of a test begins.
const EPOCH: UnixNanos = UnixNanos(1_767_225_600_000_000_000);

/// Reads a journey; panics with the line that is wrong.
pub fn journey(text: &str) -> Journey {
    let id = JourneyId::new(EPOCH, testing::event(EventName::ChallengeCreated, EPOCH, 0).identity);
    let mut journey = Journey {
        id,
        revision: 1,
        realm: Realm::bounded("default"),
        flow: Flow::AppQr,
        events: Vec::new(),
        offsets: ClockOffsets::default(),
        close_reason: CloseReason::Idle,
        previous: None,
        next: None,
    };
    let mut environments: [Arc<Environment>; Side::COUNT] = Default::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            ["flow", flow] => journey.flow = known(Flow::from_code(flow), line),
            ["on", side, names @ ..] => {
                let side = known(Side::from_code(side), line);
                environments[side.index()] = Arc::new(environment(names));
            }
            ["next", seconds, flow] => {
                let (gap, flow) = (Millis(at(seconds, line) / 1_000_000), known(Flow::from_code(flow), line));
                journey.next = Some(Successor { journey: id, gap, flow });
            }
            ["cause", ..] => {}
            ["close", reason] => journey.close_reason = known(CloseReason::from_code(reason), line),
            ["clock", "known"] => journey.offsets.authenticator = Some(0),
            ["clock", seconds] => {
                let ahead = known(seconds.parse::<i64>().ok(), line);
                journey.offsets.authenticator = Some(ahead * 1_000_000_000);
            }
            ["revision", number] => journey.revision = known(number.parse().ok(), line),
            ["phones", "never-report"] => {}
            [seconds, rest @ ..] => {
                let time = UnixNanos(EPOCH.0 + at(seconds, line));
                let mut event = read_event(rest, time, journey.events.len() as u64 + 1, line);
                if event.side == Side::Authenticator {
                    event.time = time.shifted(journey.offsets.of(event.side));
                }
                event.environment = Arc::clone(&environments[event.side.index()]);
                journey.events.push(JourneyEvent { event, corrected: time, joined_by: JoinedBy::Strong });
            }
            [] => {}
        }
    }
    journey
}

fn known<T>(value: Option<T>, line: &str) -> T {
    value.unwrap_or_else(|| panic!("not understood: {line}"))
}

fn at(seconds: &str, line: &str) -> u64 {
    (known(seconds.parse::<f64>().ok(), line) * 1e9) as u64
}

fn environment(names: &[&str]) -> Environment {
    let mut environment = Environment::default();
    for name in names {
        if let Some(kind) = Os::from_code(name) {
            environment.os = Some(Named { kind, name: (*name).into() });
        } else {
            let kind = Browser::from_code(name).unwrap_or(Browser::Other);
            environment.browser = Some(Named { kind, name: (*name).into() });
        }
    }
    environment
}

fn read_event(words: &[&str], time: UnixNanos, nth: u64, line: &str) -> AuthEvent {
    let (side, words) = match Side::from_code(words[0]) {
        Some(side) => (Some(side), &words[1..]),
        None => (None, words),
    };
    let mut event = testing::event(known(EventName::from_code(words[0]), line), time, nth);
    event.side = side.unwrap_or(event.side);
    for fact in &words[1..] {
        let (key, value) = known(fact.split_once('='), line);
        set(&mut event, key, value, line);
    }
    event
}

fn set(event: &mut AuthEvent, key: &str, value: &str, line: &str) {
    let facts = &mut event.facts;
    let millis = || Some(Millis(known(value.parse().ok(), line)));
    match key {
        "error" => facts.error = Some(known(ErrorClass::from_code(value), line)),
        "reason" => facts.reason = Some(known(Reason::from_code(value), line)),
        "method" => facts.method = Some(known(Method::from_code(value), line)),
        "ttl" => facts.code_ttl = millis(),
        "timeout" => facts.webauthn_timeout = millis(),
        "elapsed" => facts.webauthn_elapsed = millis(),
        "duration" => facts.duration = millis(),
        "mediation" => facts.mediation = Some(known(Mediation::from_code(value), line)),
        "attachment" => facts.attachment = Some(known(Attachment::from_code(value), line)),
        "transports" => {
            facts.transports = value.split(',').fold(facts.transports, Transports::with);
        }
        "hybrid" => facts.hybrid_capability = Some(value == "yes"),
        "backup" => facts.backup_eligible = Some(value == "yes"),
        "http" => facts.http_method = Some(known(HttpMethod::from_code(value), line)),
        "agent" => facts.synthetic = Some(known(Synthetic::from_code(value), line)),
        "network" => facts.network = value.parse().ok(),
        "country" => facts.country = value.as_bytes().try_into().ok(),
        "sampled" => facts.sampled = value.parse().ok(),
        "code" => event.keys.code = Secret::PUBLIC.key("default", KeyKind::Code, value),
        _ => panic!("no such fact `{key}`: {line}"),
    }
}
