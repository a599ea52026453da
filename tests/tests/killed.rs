//! `kill -9` at any moment under load: what was acknowledged is in the store once the service has come back, whole and
//! once. `AUTHSTITCH_KILL_ROUNDS` says how often it is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use authstitch_tests::{Serve, authstitch, journeys, path, run};

const SENDERS: u64 = 4;

/// Journeys close within seconds, segments and snapshots are small, so that every round meets all that can be
/// interrupted.
const CONFIGURATION: &str = "
stitch:
  idle_s: {app_qr: 1, passkey_cda: 1, magic_link: 1}
  idle_margin_s: 1
  grace_s: 1
  hold_s: 1
  reopen_window_s: 1
journal: {segment_bytes: 262144, snapshot_bytes: 131072, disk_bytes: 67108864}
";

/// Span ids of each trace.
type Spans = BTreeMap<String, BTreeSet<String>>;

/// What one sender sent, and what of it was acknowledged.
#[derive(Default)]
struct Sent {
    tried: Spans,
    acknowledged: Spans,
}

impl Sent {
    /// Sends logins, every other one in two requests, until the server is gone.
    fn send(&mut self, address: &str, round: u64, sender: u64) {
        let Ok(stream) = TcpStream::connect(address) else { return };
        let mut connection = BufReader::new(stream);
        for number in 0.. {
            thread::sleep(Duration::from_millis(2));
            let trace = format!("{:016x}{:016x}", round << 8 | sender, number + 1);
            let parts: &[&[usize]] =
                if number % 2 == 0 { &[&[0, 1, 2, 3, 4]] } else { &[&[0, 1], &[2, 3, 4]] };
            for part in parts {
                let ids: Vec<_> = part.iter().map(|step| format!("{:016x}", *step as u64 + 1)).collect();
                self.tried.entry(trace.clone()).or_default().extend(ids.iter().cloned());
                match post(&mut connection, &request(&trace, part)) {
                    Some(200) => self.acknowledged.entry(trace.clone()).or_default().extend(ids),
                    Some(_) => {}
                    None => return,
                }
            }
        }
    }
}

const STEPS: [(&str, &str); 5] = [
    ("auth.qr.shown", "initiator"),
    ("auth.qr.scanned", "authenticator"),
    ("auth.confirmation.completed", "authenticator"),
    ("auth.verification.succeeded", "server"),
    ("auth.session.established", "initiator"),
];

/// Some steps of a login as OTLP JSON.
fn request(trace: &str, steps: &[usize]) -> String {
    let mut spans = String::new();
    for step in steps {
        let (name, side) = STEPS[*step];
        let start = 1_767_225_600_000_000_000 + *step as u64 * 1_000_000_000;
        let comma = if spans.is_empty() { "" } else { "," };
        let attribute =
            |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
        write!(
            spans,
            r#"{comma}{{"traceId":"{trace}","spanId":"{:016x}","name":"{name}","startTimeUnixNano":"{start}","endTimeUnixNano":"{}","attributes":[{},{},{}]}}"#,
            step + 1,
            start + 1_000_000,
            attribute("auth.flow", "app_qr"),
            attribute("auth.side", side),
            attribute("auth.journey.id", &format!("journey-{trace}")),
        )
        .expect("a string takes every line");
    }
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#)
}

/// The status of the answer; none if the connection broke.
fn post(connection: &mut BufReader<TcpStream>, body: &str) -> Option<u16> {
    let length = body.len();
    let request = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    connection.get_mut().write_all(request.as_bytes()).ok()?;
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().to_ascii_lowercase().split_once([' ', ':']) {
            Some(("http/1.1", code)) => status = code.split(' ').next().and_then(|code| code.parse().ok()),
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            _ if line.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).ok()?;
    status
}

/// What is stored: the span ids of each trace, and in how many journeys it is.
fn stored(data: &Path) -> BTreeMap<String, (BTreeSet<String>, usize)> {
    let mut stored: BTreeMap<String, (BTreeSet<String>, usize)> = BTreeMap::new();
    for journey in journeys(data) {
        let mut traces = Spans::new();
        for span in journey["spans"].as_array().expect("a journey has spans") {
            let text = |key: &str| span[key].as_str().unwrap_or_default().to_owned();
            traces.entry(text("trace_id")).or_default().insert(text("span_id"));
        }
        for (trace, spans) in traces {
            let known = stored.entry(trace).or_default();
            known.0.extend(spans);
            known.1 += 1;
        }
    }
    stored
}

/// How many journeys are stored.
fn count_of(data: &Path) -> usize {
    let sql = "SELECT count(*) AS n FROM journeys";
    let rows = run(authstitch().args(["query", sql, "--format", "json", "--data-dir"]).arg(data));
    let rows: serde_json::Value = serde_json::from_str(&rows).expect("rows are JSON");
    rows[0]["n"].as_u64().expect("a count") as usize
}

#[test]
fn what_was_acknowledged_outlives_kill_9_once_and_whole() {
    let rounds: u64 =
        std::env::var("AUTHSTITCH_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3);
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let file = path(directory.path(), "config.yaml");
    fs::write(&file, CONFIGURATION).expect("it can be written");
    let (mut tried, mut acknowledged) = (Spans::new(), Spans::new());
    for round in 1..=rounds {
        let serve = Serve::start(&data, &["--config", &file]);
        let address = serve.http.trim_start_matches("http://").to_owned();
        let senders: Vec<_> = (1..=SENDERS)
            .map(|sender| {
                let address = address.clone();
                thread::spawn(move || {
                    let mut sent = Sent::default();
                    sent.send(&address, round, sender);
                    sent
                })
            })
            .collect();
        // From a moment after the start to some snapshots later.
        thread::sleep(Duration::from_millis(40 + round * 7919 % 700));
        serve.kill();
        for sender in senders {
            let sent = sender.join().expect("no sender panics");
            tried.extend(sent.tried);
            acknowledged.extend(sent.acknowledged);
        }
    }
    let serve = Serve::start(&data, &["--config", &file]);
    // All that is open closes within some seconds; the rest is patience with a busy machine.
    let mut count = 0;
    for _ in 0..60 {
        thread::sleep(Duration::from_secs(3));
        let before = std::mem::replace(&mut count, count_of(&data));
        if count == before && count >= acknowledged.len() {
            break;
        }
    }
    let found = stored(&data);
    serve.stop();
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|(trace, spans)| found.get(*trace).is_none_or(|(stored, _)| !spans.is_subset(stored)))
        .collect();
    let double: Vec<_> = found.iter().filter(|(_, (_, journeys))| *journeys > 1).collect();
    let invented: Vec<_> = found
        .iter()
        .filter(|(trace, (stored, _))| tried.get(*trace).is_none_or(|spans| !stored.is_subset(spans)))
        .collect();
    println!(
        "killed {rounds} times: {} logins acknowledged, {} stored, {} lost, {} double",
        acknowledged.len(),
        found.len(),
        lost.len(),
        double.len()
    );
    assert!(acknowledged.len() as u64 > rounds * 20, "{} logins were acknowledged", acknowledged.len());
    assert!(lost.is_empty(), "lost: {:?}", &lost[..lost.len().min(5)]);
    assert!(double.is_empty(), "double: {:?}", &double[..double.len().min(5)]);
    assert!(invented.is_empty(), "never sent: {:?}", &invented[..invented.len().min(5)]);
}
