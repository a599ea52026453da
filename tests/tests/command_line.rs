//! The commands together, without a server and with one, as people and scripts call them.

use std::path::Path;

use authstitch_tests::{IN_MEMORY, Serve, authstitch, output, path, run, simulate};
use serde_json::{Value, json};

fn scorecard(truth: &str, journeys: &str) -> Value {
    let printed = run(authstitch().args(["evaluate", "--truth", truth, "--journeys", journeys, "--json"]));
    serde_json::from_str(&printed).expect("one JSON object")
}

#[test]
fn simulate_replay_evaluate() {
    let directory = tempfile::tempdir().expect("a directory");
    for world in ["baseline", "passkey_launch", "quick_retries"] {
        let (telemetry, truth) = simulate(directory.path(), world, "400", "otlp-json");
        let journeys = path(directory.path(), "journeys.jsonl");
        run(authstitch().args(["replay", &telemetry, "--out", &journeys]));
        let card = scorecard(&truth, &journeys);
        assert_eq!(card["attempts"], 400, "{world}");
        assert_eq!(card["honesty_violations"], 0, "{world}");
        let accuracy = card["outcome_accuracy"].as_f64().expect("a share");
        assert!(accuracy > 0.7, "{world}: outcome accuracy {accuracy}");
        let exact = card["stitching"]["exact"].as_f64().expect("a share");
        assert!(exact > 0.7, "{world}: exactly stitched {exact}");
        std::fs::remove_dir_all(directory.path().join("otlp-json")).expect("it can be removed");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_both_formats_the_same_journeys() {
    let first = tempfile::tempdir().expect("a directory");
    let second = tempfile::tempdir().expect("a directory");
    let (json, truth) = simulate(first.path(), "baseline", "120", "otlp-json");
    let (again, truth_again) = simulate(second.path(), "baseline", "120", "otlp-json");
    let read = |path: &str| std::fs::read(path).expect("it can be read");
    assert_eq!(read(&json), read(&again));
    assert_eq!(read(&truth), read(&truth_again));
    let (protobuf, _) = simulate(second.path(), "baseline", "120", "otlp-proto");
    let journeys = run(authstitch().args(["replay", &json]));
    assert!(journeys.lines().count() > 80);
    assert_eq!(journeys, run(authstitch().args(["replay", &protobuf])));
}

#[test]
fn a_part_of_a_world_is_the_same_as_in_the_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_, truth) = simulate(directory.path(), "quick_retries", "64", "otlp-proto");
    let whole = std::fs::read_to_string(&truth).expect("truth");
    std::fs::remove_dir_all(directory.path().join("otlp-proto")).expect("it can be removed");
    let (_, truth) = simulate(directory.path(), "quick_retries", "16..40", "otlp-proto");
    let part = std::fs::read_to_string(&truth).expect("truth");
    let expected: String = whole.lines().skip(16).take(24).map(|line| format!("{line}\n")).collect();
    assert_eq!(part, expected);
}

#[test]
fn demo_prints_the_scorecard_alone_and_repeats() {
    let demo = || {
        let printed = run(authstitch().args(["demo", "--attempts", "300", "--seed", "3", "--json"]));
        let mut card: Value = serde_json::from_str(&printed).expect("one JSON object and nothing else");
        assert!(card["elapsed_s"].take().as_f64().is_some_and(|seconds| seconds > 0.0));
        card
    };
    let card = demo();
    assert_eq!(card["attempts"], 300);
    assert_eq!(card["world"], "baseline");
    assert_eq!(card["seed"], 3);
    assert_eq!(card, demo());
}

#[test]
fn demo_for_a_person_fits_80_columns() {
    let page = run(authstitch().args(["demo", "--attempts", "300"]).env_remove("CLICOLOR_FORCE"));
    for part in ["Outcomes", "Top causes", "One journey explained", "Scorecard"] {
        assert!(page.contains(part), "`{part}` is missing:\n{page}");
    }
    assert!(!page.contains('\u{1b}'), "no colour in a pipe");
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "over 80 columns: {line}");
    }
}

#[test]
fn a_world_sent_to_a_running_server_can_be_asked_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let truth = path(directory.path(), "truth.jsonl");
    let data = directory.path().join("data");
    let data_dir = data.display().to_string();
    for (protocol, endpoint) in [("grpc", 0), ("http/protobuf", 1), ("http/json", 1)] {
        let _ = std::fs::remove_dir_all(&data);
        let serve = Serve::start_in_memory(&data);
        let endpoint = [&serve.grpc, &serve.http][endpoint].clone();
        // A thousand attempts a second and a slice of the world's time, so that the test ends in seconds: what
        // has not closed by then closes as shutdown.
        run(authstitch().args(["simulate", "--world", "baseline", "--attempts", "40", "--seed", "1"]).args(
            [
                "--load",
                "constant:1000",
                "--speed",
                "100",
                "--protocol",
                protocol,
                "--endpoint",
                &endpoint,
                "--truth",
                &truth,
            ],
        ));
        serve.stop();
        let count = run(authstitch().args([
            "query",
            "SELECT count(*) AS n FROM journeys",
            "--format",
            "json",
            "--data-dir",
            &data_dir,
        ]));
        let count: Value = serde_json::from_str(&count).expect("an array of objects");
        assert!(count[0]["n"].as_u64().is_some_and(|n| n >= 30), "{protocol}: {count}");
    }
    let id = run(authstitch().args([
        "query",
        "SELECT journey_id FROM journeys LIMIT 1",
        "--format",
        "csv",
        "--data-dir",
        &data_dir,
    ]));
    let id = id.lines().nth(1).expect("a row").to_owned();
    let page = run(authstitch().args(["explain", &id, "--data-dir", &data_dir]));
    assert!(page.contains(&id) && page.contains("timeline") && page.contains("phases"), "{page}");
}

#[test]
fn exit_codes_and_hints() {
    let directory = tempfile::tempdir().expect("a directory");
    let none = path(directory.path(), "none");
    for (arguments, code, said) in [
        (vec!["--version"], 0, ""),
        (vec!["nonsense"], 2, "unrecognized subcommand"),
        (vec!["demo", "--world", "nowhere"], 2, "shipped worlds: baseline"),
        (vec!["demo", "--attempts", "0"], 2, "attempts"),
        (vec!["replay", &none], 1, "No such file"),
        (vec!["query", "SELECT 1", "--data-dir", &none], 1, "hint:"),
        (vec!["explain", "0123456789abcdef", "--data-dir", &none], 1, "hint:"),
        (vec!["evaluate", "--truth", &none, "--journeys", &none], 1, "none"),
        (vec!["evaluate", "--truth", &none], 2, "--journeys"),
        (vec!["evaluate"], 2, "--suite"),
        (vec!["evaluate", "--suite", "--truth", &none, "--journeys", &none], 2, "--suite"),
        (vec!["evaluate", "--truth", &none, "--journeys", &none, "--seed", "1"], 2, "--seed"),
        (vec!["evaluate", "--suite", "--journeys", &none], 2, "--suite"),
        (vec!["evaluate", "--suite", "--tables", &none], 1, "No such file"),
        (
            vec!["simulate", "--world", "baseline", "--seed", "1", "--attempts", "x..y", "--out", &none],
            2,
            "x..y",
        ),
    ] {
        let output = output(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?} should say `{said}`: {stderr}");
    }
}

#[test]
fn configuration_mistakes_are_shown_all_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = path(directory.path(), "config.yaml");
    std::fs::write(&file, run(authstitch().args(["config", "default"]))).expect("it can be written");
    run(authstitch().args(["config", "check", &file]));
    std::fs::write(&file, "grcp: 1\nhttp: nowhere\nstore: maybe\n").expect("it can be written");
    let output = output(&["config", "check", &file]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for key in ["grcp", "http", "store"] {
        assert!(stderr.contains(&format!("\n{key}")), "`{key}` is not named: {stderr}");
    }
    // The files that it names are opened, too.
    let token_file = path(directory.path(), "tokens");
    let text =
        format!("shards: 0\nlisteners: {{web: {{token_file: '{token_file}'}}}}\ntables: {token_file}\n");
    std::fs::write(&file, text).expect("it can be written");
    let stderr =
        String::from_utf8_lossy(&authstitch_tests::output(&["config", "check", &file]).stderr).into_owned();
    let unreadable = format!("{token_file} cannot be read: No such file");
    for said in ["shards: `0`", &format!("listeners.web.token_file: {unreadable}"), "tables: "] {
        assert!(stderr.contains(&format!("\n{said}")), "`{said}` is not said: {stderr}");
    }
    let schema = run(authstitch().args(["config", "schema"]));
    assert!(serde_json::from_str::<Value>(&schema).is_ok_and(|schema| schema.is_object()));
}

#[test]
fn a_suite_holds_the_pool_and_every_world_and_repeats() {
    let suite =
        || run(authstitch().args(["evaluate", "--suite", "--attempts", "200", "--seed", "3", "--json"]));
    let printed = suite();
    let object: Value = serde_json::from_str(&printed).expect("one JSON object and nothing else");
    let keys: Vec<_> = object.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["pooled", "worlds"]);
    let worlds = object["worlds"].as_object().expect("an object");
    for (world, inside) in [("baseline", true), ("passkey_launch", true), ("shifted_priors", false)] {
        assert_eq!(worlds[world]["in_mixture"], inside, "{world}");
    }
    for (world, card) in worlds {
        assert!(card["in_mixture"].is_boolean(), "{world}");
        assert_eq!(card["world"], world.as_str());
        assert_eq!((&card["attempts"], &card["seed"]), (&200.into(), &3.into()), "{world}");
        assert_eq!(card["honesty_violations"], 0, "{world}");
    }
    let inside = worlds.values().filter(|card| card["in_mixture"] == true);
    let scored: u64 = inside.filter_map(|card| card["scored"].as_u64()).sum();
    let pooled = &object["pooled"];
    assert_eq!(pooled["scored"], scored);
    for key in ["outcome_accuracy", "cause_top1", "ece", "credible_coverage_randomised", "credible_mass"] {
        assert!(pooled[key].is_number(), "{key}");
    }
    assert_eq!(printed, suite());
}

#[test]
fn a_report_is_written_beside_the_scores() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = path(directory.path(), "report.html");
    let page = run(authstitch().args(["evaluate", "--suite", "--attempts", "48", "--html", &report]));
    assert!(page.contains("the mixture together") && page.contains("baseline"), "{page}");
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "over 80 columns: {line}");
    }
    let read = || std::fs::read_to_string(&report).expect("a report");
    assert!(read().starts_with("<!doctype html>") && read().contains("quick_retries"));
    let (telemetry, truth) = simulate(directory.path(), "baseline", "48", "otlp-json");
    let journeys = path(directory.path(), "journeys.jsonl");
    run(authstitch().args(["replay", &telemetry, "--out", &journeys]));
    run(authstitch().args(["evaluate", "--truth", &truth, "--journeys", &journeys, "--html", &report]));
    assert!(read().contains("How baseline was judged"));
}

#[test]
fn an_empty_truth_is_refused_with_a_hint() {
    let directory = tempfile::tempdir().expect("a directory");
    let empty = path(directory.path(), "empty.jsonl");
    std::fs::write(&empty, "\n").expect("it can be written");
    let output = output(&["evaluate", "--truth", &empty, "--journeys", &empty]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("empty.jsonl") && stderr.contains("hint:"), "{stderr}");
    assert!(output.stdout.is_empty());
}

/// Tables that know hardly more than their version.
fn write_tables(directory: &Path, version: &str) -> String {
    let file = path(directory, "tables.json");
    let flows = ["app_qr", "passkey_cda", "magic_link", "unknown"].map(|flow| (flow, json!({"prior": {}})));
    let flows: serde_json::Map<_, _> =
        flows.into_iter().map(|(flow, table)| (flow.to_owned(), table)).collect();
    let tables = json!({"version": version, "flows": flows});
    std::fs::write(&file, tables.to_string()).expect("it can be written");
    file
}

#[test]
fn other_tables_judge_in_replay_demo_and_suite_and_bad_ones_are_refused_with_all_mistakes() {
    let directory = tempfile::tempdir().expect("a directory");
    let tables = write_tables(directory.path(), "plain");
    let (telemetry, _) = simulate(directory.path(), "baseline", "24", "otlp-json");
    let by_tables = |lines: String| {
        let versions: Vec<_> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a line")["tables"].clone())
            .collect();
        assert!(!versions.is_empty());
        versions.iter().all(|version| version == "plain")
    };
    assert!(!by_tables(run(authstitch().args(["replay", &telemetry]))));
    assert!(by_tables(run(authstitch().args(["replay", &telemetry, "--tables", &tables]))));
    let config = path(directory.path(), "config.yaml");
    std::fs::write(&config, format!("{IN_MEMORY}tables: {tables}\n")).expect("it can be written");
    assert!(by_tables(run(authstitch().args(["replay", &telemetry, "--config", &config]))));
    let score = |command: &[&str], tables: &[&str]| {
        let printed = run(authstitch().args(command).args(["--attempts", "48", "--json"]).args(tables));
        let card: Value = serde_json::from_str(&printed).expect("one JSON object");
        card.get("pooled").unwrap_or(&card)["log_loss"].clone()
    };
    for command in [&["demo"][..], &["evaluate", "--suite"]] {
        assert_ne!(score(command, &[]), score(command, &["--tables", &tables]), "{command:?}");
    }
    std::fs::write(&tables, r#"{"floor": 2, "typo": 1}"#).expect("it can be written");
    for command in [vec!["replay", &telemetry], vec!["demo"], vec!["evaluate", "--suite"]] {
        let output = output(&[command.as_slice(), &["--tables", &tables]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        for part in ["tables.json", "version: ", "floor: ", "typo: "] {
            assert!(stderr.contains(part), "{command:?} should say `{part}`: {stderr}");
        }
    }
}

#[test]
fn a_running_server_reads_its_tables_again_at_sighup_and_keeps_them_if_they_are_bad() {
    let directory = tempfile::tempdir().expect("a directory");
    let tables = write_tables(directory.path(), "before");
    let config = path(directory.path(), "config.yaml");
    std::fs::write(&config, format!("{IN_MEMORY}tables: {tables}\n")).expect("it can be written");
    let data = directory.path().join("data");
    let mut serve = Serve::start(&data, &["--config", &config]);
    write_tables(directory.path(), "after");
    serve.hang_up();
    assert!(serve.said("`after`"));
    std::fs::write(&tables, r#"{"floor": 2}"#).expect("it can be written");
    serve.hang_up();
    assert!(serve.said("floor: "));
    serve.receive_logins("8");
    serve.stop();
    let lines = authstitch_tests::journeys(&data);
    assert!(!lines.is_empty() && lines.iter().all(|line| line["tables"] == "after"), "{lines:#?}");
}
