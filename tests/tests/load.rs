//! `simulate` as a load generator: loads from templates, several senders in concert, captures played again, what
//! is measured, and the search for a receiver's limit.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use authstitch_tests::{
    Serve, Sink, authstitch, output, path, run, run_together, simulate, tls_before, workspace,
};
use serde_json::Value;

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).expect("one JSON object")
}

/// Runs `simulate` on 1,000 attempts a second, a hundred times as fast, into an endpoint.
fn send(endpoint: &str, arguments: &[&str]) -> String {
    run(authstitch()
        .args(["simulate", "--world", "baseline", "--seed", "1", "--load", "constant:1000", "--speed", "100"])
        .args(["--endpoint", endpoint])
        .args(arguments))
}

/// Every value of a key anywhere in OTLP JSON lines, and of an attribute with a text.
fn values(telemetry: &str, key: &str) -> Vec<String> {
    fn walk(value: &Value, key: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if object.get("key").is_some_and(|name| name == key) {
                    found.extend(object["value"]["stringValue"].as_str().map(str::to_owned));
                }
                if let Some(Value::String(text)) = object.get(key) {
                    found.push(text.clone());
                }
                object.values().for_each(|inner| walk(inner, key, found));
            }
            Value::Array(array) => array.iter().for_each(|inner| walk(inner, key, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for line in telemetry.lines() {
        walk(&serde_json::from_str(line).expect("JSON"), key, &mut found);
    }
    found
}

#[test]
fn attempts_made_from_templates_are_judged_as_their_truth_says() {
    let directory = tempfile::tempdir().expect("a directory");
    let make = |name: &str, format: &str| {
        let (out, truth) =
            (path(directory.path(), name), path(directory.path(), &format!("{name}.truth.jsonl")));
        run(authstitch()
            .args([
                "simulate",
                "--world",
                "baseline",
                "--attempts",
                "1000",
                "--seed",
                "7",
                "--templates",
                "200",
            ])
            .args(["--out", &out, "--format", format, "--truth", &truth]));
        let name = if format == "otlp-json" { "telemetry.jsonl" } else { "telemetry.binpb" };
        (path(Path::new(&out), name), truth)
    };
    let ((first, truth), (again, _)) = (make("first", "otlp-proto"), make("again", "otlp-proto"));
    assert!(std::fs::read(&first).expect("a file") == std::fs::read(&again).expect("a file"));
    let journeys = path(directory.path(), "journeys.jsonl");
    run(authstitch().args(["replay", &first, "--out", &journeys]));
    let as_json = run(authstitch().args(["replay", &make("json", "otlp-json").0]));
    assert_eq!(as_json, read(&journeys));
    let card = run(authstitch().args(["evaluate", "--truth", &truth, "--journeys", &journeys, "--json"]));
    let card: Value = serde_json::from_str(&card).expect("one JSON object");
    assert_eq!((&card["attempts"], &card["honesty_violations"]), (&1000.into(), &0.into()));
    assert!(card["outcome_accuracy"].as_f64().is_some_and(|share| share > 0.8), "{card}");
    let exact = card["stitching"]["exact_connected"].as_f64().expect("a share");
    assert!(exact > 0.98, "exactly stitched: {exact}");
}

#[test]
fn senders_in_concert_make_together_what_one_makes_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    for templates in [&[][..], &["--templates", "64"]] {
        let truth = |name: &str, share: &[&str]| {
            let (out, truth) = (path(directory.path(), "out"), path(directory.path(), name));
            run(authstitch()
                .args([
                    "simulate",
                    "--world",
                    "baseline",
                    "--attempts",
                    "13..200",
                    "--seed",
                    "3",
                    "--out",
                    &out,
                ])
                .args(["--start-at", "2027-03-01T00:00:00Z", "--load", "constant:50", "--truth", &truth])
                .args(share)
                .args(templates));
            read(&truth).lines().map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let whole = truth("whole", &[]);
        let parts = ["1/3", "2/3", "3/3"].map(|share| truth(&share[..1], &["--shard", share]));
        assert_eq!(whole.len(), 187);
        assert!(parts.iter().all(|part| part.len() > 40));
        assert_eq!(parts.iter().map(BTreeSet::len).sum::<usize>(), 187);
        assert_eq!(whole, parts.into_iter().flatten().collect());
        assert!(whole.iter().all(|line| line.contains(r#""started_at":"2027-03-01T00:0"#)));
    }
}

#[test]
fn two_senders_report_and_their_reports_and_latency_logs_add_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let serve = Serve::start_in_memory(&directory.path().join("data"));
    let file = |name: &str| path(directory.path(), name);
    let mut senders = ["1/2", "2/2"].map(|share| {
        let mut command = authstitch();
        command
            .args([
                "simulate",
                "--world",
                "baseline",
                "--seed",
                "1",
                "--attempts",
                "400",
                "--templates",
                "100",
            ])
            .args(["--load", "constant:1000", "--speed", "100", "--endpoint", &serve.grpc, "--shard", share])
            .args(["--report", &file(&format!("{}.json", &share[..1]))])
            .args(["--hdr", &file(&format!("{}.hlog", &share[..1]))]);
        command
    });
    run_together(&mut senders);
    let (sum, log) = (file("sum.json"), file("sum.hlog"));
    let inputs = ["1.json", "2.json", "1.hlog", "2.hlog"].map(file);
    let page = run(authstitch().arg("merge").args(&inputs).args(["--report", &sum, "--hdr", &log]));
    assert!(page.contains("2 senders together") && page.contains("CPU-second"), "{page}");
    let (first, second, sum) = (json(&inputs[0]), json(&inputs[1]), json(&sum));
    for (part, keys) in [
        ("records", &["sent", "delivered", "rejected", "failed"][..]),
        ("requests", &["answered", "failed", "sent_again", "bytes"]),
    ] {
        for key in keys {
            let count = |report: &Value| report[part][key].as_u64().expect("a count");
            assert_eq!(count(&first) + count(&second), count(&sum), "{part} {key}");
        }
    }
    assert!(first["records"]["delivered"].as_u64() > Some(1000));
    assert_eq!(sum["records"]["delivered"], sum["records"]["sent"]);
    for report in [&first, &sum] {
        assert!(report["cpu_s"].as_f64() > Some(0.0) && report["elapsed_s"].as_f64() > Some(0.0));
        assert!(report["latency_ms"]["p99"].as_f64() >= report["latency_ms"]["p50"].as_f64());
        assert!(report["rates"]["delivered_per_s"].as_f64() > Some(0.0));
    }
    assert!(read(&log).lines().filter(|line| line.contains("HIST")).count() > 0);
    // The merged log holds as many latencies as there were requests: merging it again says so.
    let again = file("again.hlog");
    run(authstitch().args(["merge", &log, "--hdr", &again]));
    let histograms = |path: &str| {
        let lines: Vec<_> =
            read(path).lines().filter(|line| line.contains("HIST")).map(str::to_owned).collect();
        lines
    };
    assert_eq!(histograms(&again), histograms(&log));
    let wrong = output(&["merge", &log, "--report", &again]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("no report among the files"));
    serve.stop();
}

#[test]
fn every_request_has_the_headers_and_no_more_records_than_asked_for() {
    let sink = Sink::start(|_| 200);
    for templates in [&[][..], &["--templates", "100"]] {
        let arguments = ["--attempts", "200", "--protocol", "http/json", "--batch", "40", "--in-flight", "3"];
        let headers = ["--header", "authorization=Bearer let-me-in", "--header", "x-scope=load"];
        send(&sink.url, &[&arguments[..], &headers, templates].concat());
        let requests = sink.requests();
        assert!(requests.len() > 40);
        for request in &requests {
            let head = request.head.to_ascii_lowercase();
            assert!(
                head.contains("authorization: bearer let-me-in") && head.contains("x-scope: load"),
                "{head}"
            );
            assert!((1..=40).contains(&request.records()), "{} records", request.records());
        }
    }
    assert!(sink.most_at_once() <= 3, "{} at once", sink.most_at_once());
}

#[test]
fn a_capture_is_played_again_with_fresh_ids_and_times() {
    let directory = tempfile::tempdir().expect("a directory");
    let (captured, _) = simulate(directory.path(), "baseline", "60", "otlp-json");
    let (as_protobuf, _) = simulate(directory.path(), "baseline", "60", "otlp-proto");
    let out = path(directory.path(), "again");
    let play = |file: &str, more: &[&str]| {
        run(authstitch()
            .args(["simulate", "--from", file, "--seed", "5", "--start-at", "1900000000", "--out", &out])
            .args(more));
        read(&path(Path::new(&out), "telemetry.jsonl"))
    };
    let (old, new) = (read(&captured), play(&captured, &[]));
    assert_eq!(new, play(&as_protobuf, &[]));
    assert_eq!(old.lines().count(), new.lines().count());
    for key in ["traceId", "spanId", "auth.journey.id", "auth.code.id", "session.id", "log.record.uid"] {
        let (old, new) = (values(&old, key), values(&new, key));
        assert!(!old.is_empty() && old.len() == new.len(), "{key}");
        let mut became = HashMap::new();
        for (old, new) in old.iter().zip(&new) {
            assert!(old != new && old.len() == new.len(), "{key}: {old} became {new}");
            assert_eq!(*became.entry(old).or_insert(new), new, "{key}");
        }
    }
    assert_eq!(values(&old, "auth.relying_party.id"), values(&new, "auth.relying_party.id"));
    assert_eq!(values(&old, "name"), values(&new, "name"));
    // Most clocks are right.
    let times = values(&new, "startTimeUnixNano");
    let now = times.iter().filter(|time| time.starts_with("19000000")).count();
    assert!(now * 10 > times.len() * 9, "{now} of {}", times.len());
    let journeys = |file: &str| run(authstitch().args(["replay", file])).lines().count();
    assert_eq!(journeys(&captured), journeys(&path(Path::new(&out), "telemetry.jsonl")));
    // Played over and over, every pass has ids of its own.
    let longer = play(&captured, &["--duration", "1h"]);
    let distinct = |text: &str| values(text, "traceId").into_iter().collect::<BTreeSet<_>>().len();
    assert!(longer.lines().count() > 2 * new.lines().count());
    assert!(distinct(&longer) > 2 * distinct(&new));
}

#[test]
fn a_capture_is_taken_by_a_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let (captured, _) = simulate(directory.path(), "baseline", "60", "otlp-proto");
    let data = directory.path().join("data");
    let serve = Serve::start_in_memory(&data);
    let play = || {
        run(authstitch().args([
            "simulate",
            "--from",
            &captured,
            "--speed",
            "1000",
            "--endpoint",
            &serve.grpc,
        ]))
    };
    assert!(play().contains("CPU-second"));
    play();
    serve.stop();
    let journeys = authstitch_tests::journeys(&data).len();
    assert!((100..=140).contains(&journeys), "{journeys} journeys of twice 60 attempts");
}

#[test]
fn the_limit_of_a_receiver_is_found() {
    // What comes in a window of the gateway grows with the rate, and this receiver refuses more than 500.
    for refusal in [429, 503] {
        let sink = Sink::start(move |request| if request.records() > 500 { refusal } else { 200 });
        let directory = tempfile::tempdir().expect("a directory");
        let report = path(directory.path(), "limit.json");
        let page = run(authstitch()
            .args(["simulate", "--world", "baseline", "--seed", "1", "--find-limit", "--probe", "500ms"])
            .args(["--latency-bound", "20s", "--templates", "80", "--load", "constant:40"])
            .args(["--protocol", "http/json", "--endpoint", &sink.url, "--report", &report]));
        assert!(
            page.contains("highest rate without loss: ") && page.contains("refused: HTTP status"),
            "{page}"
        );
        let found = json(&report);
        assert_eq!(found["limited_by"], "receiver", "{page}");
        let rate = found["attempts_per_s"].as_f64().expect("a rate");
        assert!((100.0..400.0).contains(&rate), "{rate}: {page}");
        for tried in found["tries"].as_array().expect("tries") {
            let tried_rate = tried["attempts_per_s"].as_f64().expect("a rate");
            assert_eq!(tried["taken"] == true, tried_rate <= rate, "{page}");
        }
    }
}

#[test]
fn a_receiver_that_takes_nothing_has_no_limit() {
    let sink = Sink::start(|_| 503);
    let output = output(&[
        "simulate",
        "--world",
        "baseline",
        "--seed",
        "1",
        "--find-limit",
        "--probe",
        "300ms",
        "--load",
        "constant:4",
        "--templates",
        "8",
        "--protocol",
        "http/protobuf",
        "--endpoint",
        &sink.url,
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no load at all"));
}

#[test]
fn over_tls_only_a_trusted_receiver_is_sent_to() {
    let directory = tempfile::tempdir().expect("a directory");
    let serve = Serve::start_in_memory(&directory.path().join("data"));
    let certificate = |name: &str| workspace().join("tests/data/tls").join(name).display().to_string();
    for (plain, protocol) in [(&serve.grpc, "grpc"), (&serve.http, "http/protobuf")] {
        let secured = tls_before(plain);
        let sent =
            send(&secured, &["--attempts", "16", "--protocol", protocol, "--tls-ca", &certificate("ca.pem")]);
        assert!(sent.contains("sent "), "{sent}");
        for (arguments, code, said) in [
            (vec!["--tls-ca".to_owned(), certificate("other_ca.pem")], 1, "certificate"),
            (vec!["--tls-ca".to_owned(), certificate("README.md")], 1, "holds no certificate"),
            (vec![], 2, "--tls-ca FILE"),
        ] {
            let mut command = authstitch();
            command
                .args([
                    "simulate",
                    "--world",
                    "baseline",
                    "--seed",
                    "1",
                    "--attempts",
                    "1",
                    "--speed",
                    "1000",
                ])
                .args(["--protocol", protocol, "--endpoint", &secured])
                .args(&arguments);
            let output = command.output().expect("it starts");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{protocol} {arguments:?}: {stderr}");
            assert!(stderr.contains(said), "{protocol} {arguments:?} should say `{said}`: {stderr}");
        }
    }
    serve.stop();
}

#[test]
fn a_load_may_be_a_file_of_points() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = path(directory.path(), "load.txt");
    let (out, truth) = (path(directory.path(), "out"), path(directory.path(), "truth.jsonl"));
    std::fs::write(&file, "# seconds, attempts a second\n0 10\n20 10\n20 100\n").expect("it can be written");
    run(authstitch()
        .args(["simulate", "--world", "baseline", "--seed", "1", "--duration", "30s", "--load", &file])
        .args(["--out", &out, "--truth", &truth]));
    assert_eq!(read(&truth).lines().count(), 200 + 1000);
}

#[test]
fn wrong_options_say_what_is_accepted() {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, none) = (path(directory.path(), "file"), path(directory.path(), "none"));
    std::fs::write(&file, "0 10\n5 x\n").expect("it can be written");
    for (arguments, code, said) in [
        (vec!["--attempts", "8", "--load", "sine:3"], 2, "`seconds rate`"),
        (vec!["--attempts", "8", "--load", &file], 2, "line 2: `5 x`"),
        (vec!["--attempts", "8", "--shard", "3/2"], 2, "I from 1 to N"),
        (vec!["--attempts", "8", "--start-at", "noon"], 2, "2026-01-31T08:00:00Z"),
        (vec!["--attempts", "8", "--templates", "0"], 2, "--templates"),
        (vec!["--attempts", "8", "--batch", "0"], 2, "--batch"),
        (vec!["--attempts", "8", "--report", "x"], 2, "--out"),
        (vec!["--attempts", "8", "--header", "a=b"], 2, "--out"),
        (vec!["--find-limit"], 2, "--out"),
        (vec!["--probe", "1s", "--attempts", "8"], 2, "--probe"),
        (vec![], 2, "--attempts"),
    ] {
        let start = ["simulate", "--world", "baseline", "--seed", "1", "--out", &none];
        let output = output(&[&start[..], &arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?} should say `{said}`: {stderr}");
    }
    for (arguments, code, said) in [
        (vec!["--header", "nonsense", "--attempts", "1"], 2, "NAME=VALUE"),
        (vec!["--find-limit", "--load", "ramp:1..2/1m"], 2, "the rate to begin with"),
        (vec!["--attempts", "1"], 1, "authstitch serve"),
    ] {
        let start = ["simulate", "--world", "baseline", "--seed", "1", "--endpoint", "http://127.0.0.1:9"];
        let output = output(&[&start[..], &arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?} should say `{said}`: {stderr}");
    }
    for (text, said) in [("", "no traces and no logs"), ("nonsense", "cut off")] {
        std::fs::write(&file, text).expect("it can be written");
        let output = output(&["simulate", "--from", &file, "--out", &none]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && stderr.contains(said), "{text:?}: {stderr}");
    }
}
