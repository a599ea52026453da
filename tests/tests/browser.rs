//! A real browser, across origins: a page sends OTLP straight to the public listener of the running program, and the
//! browser lets it, or does not.
//!
//! Chromium is the program that `AUTHSTITCH_CHROMIUM` names, or one of its usual names on PATH.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use authstitch_tests::{IN_MEMORY, Serve, external, path, workspace};
use serde_json::{Value, json};

/// How long a browser may take to start and to run a page on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the page sends.
const SENT: [&str; 5] =
    ["traces in JSON", "traces in protobuf", "logs in JSON", "logs in protobuf", "a claim of a server"];

/// A site: it shows one page and takes what that page tells.
struct Site {
    origin: String,
    told: Receiver<Value>,
    page: Sender<String>,
}

impl Site {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let ((page, shown), (tell, told)) = (channel(), channel());
        thread::spawn(move || {
            let page: String = shown.recv().expect("the test says what to show");
            for stream in listener.incoming().map_while(Result::ok) {
                let (page, tell) = (page.clone(), tell.clone());
                thread::spawn(move || answer(stream, &page, &tell));
            }
        });
        Self { origin, told, page }
    }

    /// Opens the page in a browser, has it send to this receiver, and gives what became of that.
    fn visit(&self, chromium: &Path, receiver: &str) -> Value {
        let page = workspace().join("tests/data/browser/page.html");
        let page = std::fs::read_to_string(page).expect("the page is there").replace("RECEIVER", receiver);
        self.page.send(page).expect("the site is open");
        let profile = tempfile::tempdir().expect("a directory");
        let log = profile.path().join("log");
        let browser = Command::new(chromium)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--no-proxy-server", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("--enable-logging=stderr")
            .arg(&self.origin)
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("it can be written"))
            .spawn();
        let browser = Ended(browser.expect("the browser starts"));
        let told = self.told.recv_timeout(PATIENCE);
        drop(browser);
        told.unwrap_or_else(|error| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("the page does not tell what became of its requests: {error}\n{log}")
        })
    }
}

/// A browser that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Answers one request of the browser.
fn answer(stream: TcpStream, page: &str, tell: &Sender<Value>) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    if input.read_line(&mut first).is_err() {
        return;
    }
    for line in input.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    if input.read_exact(&mut body).is_err() {
        return;
    }
    if first.starts_with("POST /results ") {
        // After the test has ended nobody listens.
        let _ = tell.send(serde_json::from_slice(&body).unwrap_or(Value::Null));
    }
    let found = if first.starts_with("GET / ") { page } else { "" };
    let head = format!("content-type: text/html\r\ncontent-length: {}\r\nconnection: close", found.len());
    // Whoever went away misses nothing.
    let _ = out.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{found}").as_bytes());
}

/// A metric of the running program.
fn metric(serve: &Serve, name: &str) -> u64 {
    let metrics = serve.get("/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

#[test]
fn a_page_of_a_listed_origin_may_send_and_one_of_another_may_not() {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let Some(chromium) = external("AUTHSTITCH_CHROMIUM", &names) else { return };
    let (ours, foreign) = (Site::open(), Site::open());
    let directory = tempfile::tempdir().expect("a directory");
    let file = path(directory.path(), "config.yaml");
    let public = format!("{{address: '127.0.0.1:0', origins: ['{}']}}", ours.origin);
    std::fs::write(&file, format!("{IN_MEMORY}listeners: {{public: {public}}}\n"))
        .expect("it can be written");
    let mut serve = Serve::start(&directory.path().join("data"), &["--config", &file]);
    let receiver = serve.public();

    let results = ours.visit(&chromium, &receiver);
    for what in SENT {
        assert_eq!(results[what]["status"], 200, "{what}: {results:#}");
    }
    for what in &SENT[..4] {
        let whole = if what.ends_with("JSON") { json!({}) } else { json!(0) };
        assert_eq!(results[what]["said"], whole, "{what}: nothing of it is rejected");
    }
    let partial = &results[SENT[4]]["said"]["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "1", "a server's claim is not believed: {results:#}");
    assert!(partial["errorMessage"].as_str().is_some_and(|why| why.contains("public listener")), "{partial}");
    assert_eq!(metric(&serve, "authstitch_events_total"), 5, "the claim's neighbour is taken");
    assert_eq!(metric(&serve, "authstitch_server_claims_total"), 1);
    assert_eq!(metric(&serve, "authstitch_foreign_origins_total"), 0);

    let results = foreign.visit(&chromium, &receiver);
    for what in SENT {
        assert_eq!(results[what]["blocked"], "TypeError", "{what}: the browser keeps it from the page");
    }
    assert_eq!(
        metric(&serve, "authstitch_foreign_origins_total"),
        SENT.len() as u64,
        "a preflight each, and no more"
    );
    assert_eq!(metric(&serve, "authstitch_events_total"), 5, "nothing more was taken");
    serve.stop();
}
