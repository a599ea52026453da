//! `train`: tables from labelled telemetry, and priors from journeys without labels, of files and of a store.

use std::path::Path;

use authstitch_tests::{Serve, authstitch, output, path, run, simulate};
use serde_json::Value;

/// The tables of a file.
fn tables(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).expect("tables")).expect("one JSON object")
}

fn version(tables: &Value) -> &str {
    tables["version"].as_str().unwrap_or_default()
}

/// How often logins succeed, by the prior of a flow.
fn success(tables: &Value) -> f64 {
    tables["flows"]["app_qr"]["prior"]["none"].as_f64().unwrap_or_default()
}

/// Of the journeys replayed with these tables, all carry their version.
fn judges(telemetry: &str, file: &str) {
    let version = version(&tables(file)).to_owned();
    let lines = run(authstitch().args(["replay", telemetry, "--tables", file]));
    assert!(lines.lines().count() > 10);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("a line");
        assert_eq!(line["tables"], version.as_str());
    }
}

#[test]
fn labelled_telemetry_gives_tables_that_judge() {
    let directory = tempfile::tempdir().expect("a directory");
    let (telemetry, truth) = simulate(directory.path(), "kiosk", "160", "otlp-json");
    let out = path(directory.path(), "tables.json");
    run(authstitch().args(["train", &telemetry, "--truth", &truth, "--out", &out]));
    assert!(version(&tables(&out)).starts_with("labelled-"), "{}", version(&tables(&out)));
    judges(&telemetry, &out);
}

#[test]
fn unlabelled_telemetry_moves_the_priors_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let (telemetry, _) = simulate(directory.path(), "shifted_priors", "400", "otlp-json");
    let (before, after) = (path(directory.path(), "before.json"), path(directory.path(), "after.json"));
    run(authstitch().args(["train", "--worlds", "baseline", "--attempts", "400", "--out", &before]));
    run(authstitch().args(["train", "--adapt", &telemetry, "--tables", &before, "--out", &after]));
    let (old, new) = (tables(&before), tables(&after));
    assert!(version(&new).starts_with(version(&old)) && version(&new).contains("-adapted-"));
    assert_ne!(success(&old), success(&new));
    for key in ["weights", "emission"] {
        assert_eq!(old["flows"]["app_qr"][key], new["flows"]["app_qr"][key], "{key}");
    }
    judges(&telemetry, &after);
}

#[test]
fn the_journeys_of_a_store_adapt_the_tables_that_judged_them_and_no_others() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let serve = Serve::start_in_memory(&data);
    serve.receive_logins("48");
    serve.stop();
    let (out, store) = (path(directory.path(), "tables.json"), data.display().to_string());
    run(authstitch().args(["train", "--adapt", "--data-dir", &store, "--out", &out]));
    assert!(version(&tables(&out)).contains("-adapted-"));
    let refused = output(&["train", "--adapt", "--data-dir", &store, "--tables", &out, "--out", &out]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr.contains("judged none") && stderr.contains("hint:"), "{stderr}");
}

#[test]
fn what_there_is_nothing_to_learn_from_is_refused_with_a_hint() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = path(directory.path(), "tables.json");
    for command in [&["train", "telemetry.jsonl", "--out", &out][..], &["train", "--adapt", "--out", &out]] {
        let output = output(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {stderr}");
        assert!(stderr.contains("hint:"), "{command:?}: {stderr}");
    }
    assert!(!Path::new(&out).exists());
}
