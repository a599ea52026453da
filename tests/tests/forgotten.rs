//! What is forgotten is in no file of the data directory: while it is open, once it is stored, with a server and without
//! one, and after restarts. Everybody else's journeys stay.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

use authstitch_tests::{Serve, authstitch, journeys, path};

/// Journeys close at once when they end; segments and snapshots are small, so that there are several.
const CONFIGURATION: &str = "
stitch: {grace_s: 1, reopen_window_s: 1}
journal: {segment_bytes: 65536, snapshot_bytes: 8192, disk_bytes: 67108864}
";

const STEPS: [(&str, &str); 4] = [
    ("auth.qr.shown", "initiator"),
    ("auth.qr.scanned", "authenticator"),
    ("auth.verification.succeeded", "server"),
    ("auth.session.established", "initiator"),
];

/// One person's login: what stands in its telemetry.
struct Login {
    trace: String,
    journey: String,
    session: String,
}

impl Login {
    fn new(nth: u64) -> Self {
        let trace =
            format!("{:016x}{:016x}", nth.wrapping_mul(0x9e37_79b9_7f4a_7c15), nth + 0xabcd_0000_1234);
        Self { trace, journey: format!("journey-of-{nth:08}"), session: format!("session-of-{nth:08}") }
    }

    /// Sends some of its steps.
    fn send(&self, serve: &Serve, steps: std::ops::Range<usize>) {
        let mut spans = String::new();
        for step in steps {
            let (name, side) = STEPS[step];
            let comma = if spans.is_empty() { "" } else { "," };
            let start = 1_767_225_600_000_000_000 + step as u64 * 1_000_000_000;
            let attribute =
                |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
            write!(
                spans,
                r#"{comma}{{"traceId":"{}","spanId":"{:016x}","name":"{name}","startTimeUnixNano":"{start}","endTimeUnixNano":"{start}","attributes":[{},{},{},{}]}}"#,
                self.trace,
                step + 1,
                attribute("auth.flow", "app_qr"),
                attribute("auth.side", side),
                attribute("auth.journey.id", &self.journey),
                attribute("session.id", &self.session),
            )
            .expect("a string takes every line");
        }
        let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
        post(&format!("{}/v1/traces", serve.http), &body);
    }
}

/// Posts JSON by a plain socket.
fn post(url: &str, body: &str) {
    let rest = url.strip_prefix("http://").expect("a plain URL");
    let (address, path) = rest.split_once('/').expect("a URL with a path");
    let mut stream = std::net::TcpStream::connect(address).expect("the server listens");
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).expect("it is taken");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// `forget` with the key on standard input.
fn forget(key: &str, arguments: &[&str]) -> Output {
    let mut child = authstitch()
        .args(["forget", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("it is piped").write_all(key.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn forgotten(key: &str, arguments: &[&str]) -> String {
    let output = forget(key, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

/// The files in which anything of these stands: texts as they are, numbers in hex in either order of bytes.
fn holding(directory: &Path, texts: &[&str], numbers: &[&str]) -> Vec<PathBuf> {
    let mut wanted: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    for number in numbers {
        let number = u128::from_str_radix(number, 16).expect("hex");
        wanted.extend([number.to_be_bytes().to_vec(), number.to_le_bytes().to_vec()]);
        wanted.push(format!("{number:032x}").into_bytes());
    }
    let holds = |file: &PathBuf| {
        let bytes = fs::read(file).unwrap_or_default();
        wanted.iter().any(|wanted| bytes.windows(wanted.len()).any(|window| window == wanted))
    };
    files(directory).into_iter().filter(holds).collect()
}

/// The number that 26 characters of base 32 are, in hex.
fn number(id: &str) -> String {
    let digit = |char| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".find(char).expect("a digit") as u128;
    format!("{:032x}", id.chars().fold(0, |value, char| value << 5 | digit(char)))
}

/// The stored journeys, once there are so many.
fn stored(data: &Path, count: usize) -> Vec<serde_json::Value> {
    for _ in 0..300 {
        let journeys = if data.join("authstitch.db").exists() { journeys(data) } else { Vec::new() };
        if journeys.len() >= count {
            return journeys;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{count} journeys are not stored in half a minute");
}

fn is_explained(data: &str, key: &str) -> bool {
    let explained = authstitch().args(["explain", key, "--data-dir", data]).output().expect("it starts");
    explained.status.success()
}

#[test]
fn what_is_forgotten_is_in_no_file_and_the_others_are_still_explained() {
    let directory = tempfile::tempdir().expect("a directory");
    let (data, config) = (directory.path().join("data"), path(directory.path(), "config.yaml"));
    let data_dir = data.display().to_string();
    fs::write(&config, CONFIGURATION).expect("it can be written");
    let [stored_one, stored_other, open_one, open_other, offline] = [1, 2, 3, 4, 5].map(Login::new);

    let serve = Serve::start(&data, &["--config", &config]);
    for nth in 100..160 {
        Login::new(nth).send(&serve, 0..4);
    }
    stored_one.send(&serve, 0..4);
    stored_other.send(&serve, 0..4);
    open_one.send(&serve, 0..2);
    open_other.send(&serve, 0..2);
    offline.send(&serve, 0..2);
    let lines = stored(&data, 62);
    let of_trace = |trace: &str| {
        let line = lines.iter().find(|line| line.to_string().contains(trace)).expect("it is stored");
        line["journey_id"].as_str().expect("an id").to_owned()
    };
    let id = of_trace(&stored_one.trace);
    assert!(
        !holding(&data, &[], &[&stored_one.trace, &number(&id)]).is_empty(),
        "the search finds what is there"
    );
    assert!(!holding(&data, &[], &[&open_one.trace]).is_empty());

    // Asked by way of the server, whose address stands in the directory, or is named.
    let said = forgotten(&stored_one.journey, &["--data-dir", &data_dir]);
    assert!(said.contains("1 journeys, 1 of them stored"), "{said}");
    let said = forgotten(&open_one.session, &["--endpoint", &serve.web]);
    assert!(said.contains("1 journeys, 0 of them stored"), "{said}");
    let nothing = forget(&open_one.journey, &["--data-dir", &data_dir]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("has this key"));
    let gone = |when: &str| {
        let numbers = [&*stored_one.trace, &open_one.trace, &number(&id)];
        let texts = [&*id, &stored_one.journey, &open_one.journey, &stored_one.session, &open_one.session];
        assert_eq!(holding(&data, &texts, &numbers), Vec::<PathBuf>::new(), "{when}");
        assert!(!is_explained(&data_dir, &stored_one.journey) && !is_explained(&data_dir, &id), "{when}");
        assert!(is_explained(&data_dir, &stored_other.journey), "{when}");
    };
    gone("while it runs");
    serve.kill();
    gone("after a kill");
    let serve = Serve::start(&data, &["--config", &config]);
    gone("after a restart");
    serve.stop();
    gone("after a stop");

    // Without a server.
    let said = forgotten(&offline.journey, &["--data-dir", &data_dir]);
    assert!(said.contains("1 journeys, 0 of them stored"), "{said}");
    let texts = [&*offline.journey, &offline.session];
    assert_eq!(holding(&data, &texts, &[&offline.trace]), Vec::<PathBuf>::new());

    // What was open beside it goes on.
    let serve = Serve::start(&data, &["--config", &config]);
    open_other.send(&serve, 2..4);
    let lines = stored(&data, 62);
    let line = lines.iter().find(|line| line.to_string().contains(&open_other.trace)).expect("it is stored");
    assert_eq!(line["spans"].as_array().map(Vec::len), Some(4));
    serve.stop();
    gone("at the end");
}

#[test]
fn a_directory_that_is_none_is_not_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let none = path(directory.path(), "none");
    let refused = forget("whatever-key", &["--data-dir", &none]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(!Path::new(&none).exists());
    assert_eq!(forget(" ", &["--data-dir", &none]).status.code(), Some(2), "no key at all");
}
