//! What end-to-end tests share: the built program, a running server, and commands run to their end.
//!
//! A test that cannot go on panics here, with what the program said.

mod external;
mod sink;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

pub use external::external;
pub use sink::{Posted, Sink, tls_before};

/// How long a server may take to say where it listens, or to stop: far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(20);

/// The program under test: the one that `AUTHSTITCH_BIN` names, else this workspace's own, built first.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn authstitch() -> Command {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    Command::new(BINARY.get_or_init(|| match std::env::var_os("AUTHSTITCH_BIN") {
        Some(path) => path.into(),
        None => build(),
    }))
}

/// Builds into the target directory and profile of the running test.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps");
    let target = profile.parent().expect("a profile's directory lies in the target directory");
    let name = profile.file_name().and_then(|name| name.to_str()).unwrap_or("debug");
    run(Command::new(env!("CARGO"))
        .current_dir(workspace())
        .args(["build", "--quiet", "--package", "authstitch", "--profile"])
        .arg(if name == "debug" { "dev" } else { name })
        .arg("--target-dir")
        .arg(target));
    profile.join(format!("authstitch{}", std::env::consts::EXE_SUFFIX))
}

/// The root of the repository.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the workspace")
}

/// Runs a command to its end and gives its standard output.
///
/// # Panics
/// If it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n--- stdout\n{}\n--- stderr\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs the program with these arguments, whatever comes of it.
///
/// # Panics
/// If it does not start.
#[must_use]
pub fn output(arguments: &[&str]) -> Output {
    authstitch().args(arguments).output().expect("the program starts")
}

/// A file in a directory, as an argument.
#[must_use]
pub fn path(directory: &Path, name: &str) -> String {
    directory.join(name).display().to_string()
}

/// Simulates a world into files; gives the telemetry's and the truth's path.
///
/// # Panics
/// If they are not written.
#[must_use]
pub fn simulate(directory: &Path, world: &str, attempts: &str, format: &str) -> (String, String) {
    let (out, truth) = (path(directory, format), path(directory, "truth.jsonl"));
    run(authstitch()
        .args(["simulate", "--world", world, "--attempts", attempts, "--seed", "7"])
        .args(["--out", &out, "--format", format, "--truth", &truth]));
    let mut files = std::fs::read_dir(&out).expect("the directory was made");
    let file = files.next().expect("a file was written").expect("it can be listed").path();
    assert!(files.next().is_none(), "one file holds both signals, in the order of arrival");
    (file.display().to_string(), truth)
}

/// Every journey line of a data directory, earliest first.
///
/// # Panics
/// If `authstitch query` fails or prints something else than the lines.
#[must_use]
pub fn journeys(data_dir: &Path) -> Vec<serde_json::Value> {
    // An answer has ten thousand rows at most.
    const PAGE: usize = 5000;
    let mut lines = Vec::new();
    loop {
        let from = lines.len();
        let sql =
            format!("SELECT line FROM journeys ORDER BY started_at, journey_id LIMIT {PAGE} OFFSET {from}");
        let rows = run(authstitch().args(["query", &sql, "--format", "json", "--data-dir"]).arg(data_dir));
        let rows: Vec<serde_json::Value> = serde_json::from_str(&rows)
            .unwrap_or_else(|error| panic!("`query --format json` is no array of objects: {error}\n{rows}"));
        let count = rows.len();
        lines.extend(rows.into_iter().map(|row| match &row["line"] {
            serde_json::Value::String(text) => serde_json::from_str(text).expect("a stored line is JSON"),
            object => object.clone(),
        }));
        if count < PAGE {
            return lines;
        }
    }
}

/// A running `authstitch serve` on free ports.
#[derive(Debug)]
pub struct Serve {
    child: Child,
    log: Receiver<String>,
    printed: Receiver<String>,
    /// `http://ADDRESS` of OTLP/gRPC.
    pub grpc: String,
    /// `http://ADDRESS` of OTLP/HTTP.
    pub http: String,
    /// `http://ADDRESS` of the pages and the query interface.
    pub web: String,
}

/// A line of configuration: open journeys are closed and stored when the server stops.
pub const IN_MEMORY: &str = "journal: {durability: none}\n";

impl Serve {
    /// Starts it so that open journeys are closed and stored when it stops.
    ///
    /// # Panics
    /// If it ends before, or does not say where it listens.
    #[must_use]
    pub fn start_in_memory(data_dir: &Path) -> Self {
        let configuration = data_dir.with_extension("yaml");
        std::fs::write(&configuration, IN_MEMORY).expect("the configuration can be written");
        Self::start(data_dir, &["--config", &configuration.display().to_string()])
    }

    /// Starts it with a data directory and waits until it listens.
    ///
    /// # Panics
    /// If it ends before, or does not say where it listens.
    #[must_use]
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        let free = "127.0.0.1:0";
        let mut child = authstitch()
            .args(["serve", "--grpc", free, "--http", free, "--web", free, "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`authstitch serve` starts");
        let log = lines(child.stderr.take().expect("stderr is piped"), |line| eprintln!("{line}"));
        let printed = lines(child.stdout.take().expect("stdout is piped"), |_| {});
        let [grpc, http, web] = ["OTLP/gRPC", "OTLP/HTTP", "web"].map(|what| address(&printed, what));
        Self { child, log, printed, grpc, http, web }
    }

    /// `http://ADDRESS` of the listener for browsers and phones.
    ///
    /// # Panics
    /// If its configuration has none, or this is asked twice.
    #[must_use]
    pub fn public(&mut self) -> String {
        address(&self.printed, "public OTLP")
    }

    /// What the web listener answers to a GET without a token.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> String {
        let host = self.web.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in text");
        answer.split_once("\r\n\r\n").expect("an answer has a head").1.to_owned()
    }

    /// Sends it so many attempts of `baseline`, faster than they happen.
    ///
    /// # Panics
    /// If they are not taken.
    pub fn receive_logins(&self, attempts: &str) {
        run(authstitch()
            .args(["simulate", "--world", "baseline", "--attempts", attempts, "--seed", "1"])
            .args(["--load", "constant:1000", "--speed", "100", "--endpoint", &self.grpc]));
    }

    /// The greatest memory that it has had so far, as the system counts it.
    ///
    /// # Panics
    /// If the system does not say.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the system says how its processes are");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("and how large");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("in kibibytes");
        kib << 10
    }

    /// Asks it to read its files again, as an operator does.
    ///
    /// # Panics
    /// If it cannot be asked.
    pub fn hang_up(&mut self) {
        run(Command::new("kill").args(["-s", "HUP", &self.child.id().to_string()]));
    }

    /// Waits until a line of its log holds this text; false if it does not come.
    pub fn said(&mut self, text: &str) -> bool {
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            if line.contains(text) {
                return true;
            }
        }
        false
    }

    /// Kills it, as the system may.
    ///
    /// # Panics
    /// If it has ended before.
    pub fn kill(mut self) {
        assert_eq!(
            self.child.try_wait().expect("the server is our child"),
            None,
            "it runs until it is killed"
        );
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }

    /// Asks it to stop, as an operator does, and waits until it has.
    ///
    /// # Panics
    /// If it does not stop, or not cleanly.
    pub fn stop(mut self) {
        self.terminate();
        let status = self.ended();
        assert!(status.success(), "`authstitch serve` ended with {status}");
    }

    /// Asks it to stop.
    ///
    /// # Panics
    /// If it cannot be asked.
    pub fn terminate(&mut self) {
        run(Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]));
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// If it does not end.
    #[must_use]
    pub fn ended(mut self) -> ExitStatus {
        for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
            if let Some(status) = self.child.try_wait().expect("the server is our child") {
                return status;
            }
            thread::sleep(STEP);
        }
        panic!("`authstitch serve` did not stop within {PATIENCE:?}");
    }
}

impl Drop for Serve {
    /// A failed test leaves no server behind. A server that has ended cannot be killed, which is fine.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines to the end, whether anyone takes them or not, so that the writer never blocks; `pass_on` sees
/// each.
fn lines(output: impl Read + Send + 'static, pass_on: fn(&str)) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            pass_on(&line);
            let _ = sender.send(line);
        }
    });
    receiver
}

/// The URL of the next line `listening: WHAT ADDRESS`.
fn address(lines: &Receiver<String>, what: &str) -> String {
    let prefix = format!("listening: {what} ");
    loop {
        let line = lines
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("`authstitch serve` did not print `{prefix}ADDRESS`"));
        if let Some(address) = line.strip_prefix(&prefix) {
            return match address.contains("://") {
                true => address.to_owned(),
                false => format!("http://{address}"),
            };
        }
    }
}

/// Starts every command, then waits for all.
///
/// # Panics
/// If one cannot be started or does not succeed.
pub fn run_together(commands: &mut [Command]) {
    let children: Vec<Child> = commands
        .iter_mut()
        .map(|command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts"))
        .collect();
    for (command, child) in commands.iter().zip(children) {
        let Output { status, stderr, .. } = child.wait_with_output().expect("it is our child");
        assert!(status.success(), "{command:?} ended with {status}\n{}", String::from_utf8_lossy(&stderr));
    }
}
