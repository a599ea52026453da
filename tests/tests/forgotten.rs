//! What is forgotten is in no file of the data directory: while it is open, once it is stored, with a server and without
//! one, and after restarts; and when it is killed while it forgets. Everybody else's journeys stay.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use authstitch_model::{KeyKind, Secret};
use authstitch_tests::{Serve, authstitch, journeys, path, workspace};

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
        assert!(self.is_taken(&serve.http, steps), "a request is acknowledged");
    }

    /// Sends some of its steps to an address of OTLP over HTTP: whether they are acknowledged.
    fn is_taken(&self, http: &str, steps: std::ops::Range<usize>) -> bool {
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
        post(&format!("{http}/v1/traces"), &body).is_some()
    }

    /// Asks an address of the pages to forget it: whether it says that it is done.
    fn is_forgotten(&self, web: &str) -> bool {
        post(&format!("{web}/api/v1/forget"), &format!(r#"{{"key":"{}"}}"#, self.journey)).is_some()
    }

    /// What stands for it in files, as numbers: its trace, and the hash of its key under the secret of the directory.
    fn numbers(&self, data: &Path) -> [String; 2] {
        let secret = fs::read(data.join("secret")).expect("a directory has a secret");
        let secret = Secret::new(secret.try_into().expect("sixteen bytes"));
        let key = secret.key("default", KeyKind::Journey, &self.journey).expect("it is a key");
        [self.trace.clone(), format!("{:032x}", key.get())]
    }
}

/// Posts JSON by a plain socket; gives the body of the answer, if it is one of success that came whole.
fn post(url: &str, body: &str) -> Option<String> {
    let rest = url.strip_prefix("http://").expect("a plain URL");
    let (address, path) = rest.split_once('/').expect("a URL with a path");
    let mut stream = TcpStream::connect(address).ok()?;
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    (head.starts_with("http/1.1 200") && length == Some(body.len())).then(|| body.to_owned())
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

#[test]
fn a_guarded_server_forgets_for_who_shows_its_token_and_trusts_its_certificate() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let file = path(directory.path(), name);
        fs::write(&file, text).expect("it can be written");
        file
    };
    let certificate = |name: &str| workspace().join("tests/data/tls").join(name).display().to_string();
    let (ca, other_ca) = (certificate("ca.pem"), certificate("other_ca.pem"));
    let readers = file("readers", "# people\n\nthe-token-of-a-reader\nthe-next-token-of-a-reader\n");
    let senders = file("senders", "the-token-of-the-collectors\n");
    let config = file(
        "config.yaml",
        &format!(
            "{CONFIGURATION}listeners:\n  grpc: {{address: '127.0.0.1:4317', token_file: '{senders}'}}\n  \
             web: {{address: '127.0.0.1:4380', tls: {{cert: '{}', key: '{}'}}, token_file: '{readers}'}}\n",
            certificate("server.pem"),
            certificate("server.key"),
        ),
    );
    let data = directory.path().join("data");
    let data_dir = data.display().to_string();
    let serve = Serve::start(&data, &["--config", &config]);
    let [one, other] = [1, 2].map(Login::new);
    one.send(&serve, 0..2);
    other.send(&serve, 0..2);
    let endpoint = serve.web.replace("127.0.0.1", "localhost");
    assert!(endpoint.starts_with("https://"), "{endpoint}");

    let refused = |arguments: &[&str], status: i32, hint: &str| {
        let refused = forget(&one.journey, arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!((refused.status.code(), said.contains(hint)), (Some(status), true), "{said}");
        assert!(!said.contains("the-token-of"), "{said}");
    };
    let (at, trust, show) = ("--endpoint", "--tls-ca", "--token-file");
    refused(&[at, &endpoint, trust, &ca], 1, "--token-file FILE");
    refused(&[at, &endpoint, trust, &ca, show, &senders], 1, "does not accept the token");
    refused(&[at, &endpoint, show, &readers], 2, "--tls-ca FILE");
    refused(&[at, &endpoint, trust, &other_ca, show, &readers], 1, "as its certificate does");
    refused(&[at, &endpoint.replace("https", "http"), trust, &ca, show, &readers], 1, "cannot ask");
    refused(&[at, "http://192.0.2.1:4380", show, &readers], 2, "plain text");
    assert!(!holding(&data, &[], &[&one.trace]).is_empty(), "nothing was forgotten");

    let said = forgotten(&one.journey, &[at, &endpoint, trust, &ca, show, &readers]);
    assert!(said.contains("1 journeys"), "{said}");
    assert_eq!(holding(&data, &[], &[&one.trace]), Vec::<PathBuf>::new());
    // The address that it left in its directory is that of its certificate, too.
    let said = forgotten(&other.journey, &["--data-dir", &data_dir, trust, &ca, show, &readers]);
    assert!(said.contains("1 journeys"), "{said}");
    serve.stop();
}

/// What one life of a server heard and said, until it was killed.
#[derive(Default)]
struct Life {
    acknowledged: Vec<u64>,
    asked: Vec<u64>,
    forgotten: Vec<u64>,
}

/// Sends logins and has every third of them forgotten, until the server is killed in the midst of it.
fn live(serve: Serve, first: u64, kill_after: Duration) -> Life {
    let (http, web) = (serve.http.clone(), serve.web.clone());
    let (taken, to_forget) = mpsc::channel();
    let sender = thread::spawn(move || {
        let mut acknowledged = Vec::new();
        for nth in (first..).take_while(|nth| Login::new(*nth).is_taken(&http, 0..4)) {
            acknowledged.push(nth);
            // Who has logins forgotten may have met the end before.
            let _ = taken.send(nth);
        }
        acknowledged
    });
    let forgetter = thread::spawn(move || {
        let (mut asked, mut forgotten) = (Vec::new(), Vec::new());
        for nth in to_forget.iter().filter(|nth| nth % 3 == 0) {
            asked.push(nth);
            if !Login::new(nth).is_forgotten(&web) {
                break;
            }
            forgotten.push(nth);
        }
        (asked, forgotten)
    });
    thread::sleep(kill_after);
    serve.kill();
    let acknowledged = sender.join().expect("the sender does not panic");
    let (asked, forgotten) = forgetter.join().expect("nor does who has it forget");
    Life { acknowledged, asked, forgotten }
}

/// `AUTHSTITCH_KILL_ROUNDS` says how often it is killed.
#[test]
fn killed_while_it_forgets_it_holds_what_it_said_and_loses_nobody_else() {
    let rounds = std::env::var("AUTHSTITCH_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let directory = tempfile::tempdir().expect("a directory");
    let (data, config) = (directory.path().join("data"), path(directory.path(), "config.yaml"));
    fs::write(&config, CONFIGURATION).expect("it can be written");
    let gone = |logins: &[u64], when: &str| {
        let logins: Vec<_> = logins.iter().map(|nth| Login::new(*nth)).collect();
        let texts: Vec<_> = logins.iter().flat_map(|login| [&*login.journey, &*login.session]).collect();
        let numbers: Vec<_> = logins.iter().flat_map(|login| login.numbers(&data)).collect();
        let numbers: Vec<_> = numbers.iter().map(String::as_str).collect();
        assert_eq!(holding(&data, &texts, &numbers), Vec::<PathBuf>::new(), "{when}");
    };
    let mut all = Life::default();
    let mut round = 0;
    // On a slow machine it takes some more until there is enough to look at.
    while round < rounds.unwrap_or(4_u64)
        || round < 60 && (all.forgotten.len() <= 3 || all.acknowledged.len() <= 60)
    {
        round += 1;
        let serve = Serve::start(&data, &["--config", &config]);
        let Life { acknowledged, asked, forgotten } =
            live(serve, round * 1_000_000, Duration::from_millis(150 + round * 7919 % 900));
        gone(&forgotten, "right after the kill");
        all.acknowledged.extend(acknowledged);
        all.asked.extend(asked);
        all.forgotten.extend(forgotten);
    }
    let serve = Serve::start(&data, &["--config", &config]);
    let is_ready = (0..600).any(|_| {
        thread::sleep(Duration::from_millis(50));
        serve.get("/health/ready") == "ok\n"
    });
    assert!(is_ready, "what was begun is not finished in half a minute");
    gone(&all.forgotten, "once it is ready again");
    // What nobody heard the end of is asked for again.
    let unheard: Vec<_> = all.asked.iter().filter(|nth| !all.forgotten.contains(nth)).copied().collect();
    for nth in &unheard {
        assert!(Login::new(*nth).is_forgotten(&serve.web));
    }
    let kept: Vec<_> = all.acknowledged.iter().filter(|nth| !all.asked.contains(nth)).copied().collect();
    let lines = stored(&data, kept.len());
    gone(&all.asked, "once all of it was forgotten");
    serve.stop();
    println!(
        "killed {} times: {} logins acknowledged, {} forgotten, {} asked for again, {} kept",
        round,
        all.acknowledged.len(),
        all.forgotten.len(),
        unheard.len(),
        kept.len()
    );
    assert!(all.forgotten.len() > 3 && kept.len() > 20);
    let mut traces: Vec<_> = lines
        .iter()
        .map(|line| {
            let spans = line["spans"].as_array().expect("a journey has spans");
            assert_eq!(spans.len(), STEPS.len(), "it is whole");
            spans[0]["trace_id"].as_str().expect("an id").to_owned()
        })
        .collect();
    // What was sent and not acknowledged may be there, too.
    let count = traces.len();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), count, "none is double");
    let lost: Vec<_> = kept.iter().filter(|nth| !traces.contains(&Login::new(**nth).trace)).collect();
    assert_eq!(lost, Vec::<&u64>::new(), "lost");
}
