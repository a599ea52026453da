//! `packaging/` fits the program: every file parses, its configurations are accepted, its command lines are understood,
//! its ports and paths are those of the code; and the programs that read these files accept them, where they are
//! installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use authstitch_tests::{authstitch, external, run, workspace};
use serde_json::Value;

fn packaging() -> PathBuf {
    workspace().join("packaging")
}

fn text(name: &str) -> String {
    fs::read_to_string(packaging().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Value {
    yaml_serde::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every file below a folder with this ending.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|end| end == ending) {
            found.push(path);
        }
    }
}

/// A configuration with its files of tokens put where the test has them.
fn check(configuration: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let here = directory.path().display().to_string();
    for (file, token) in [("tokens", "a-token-of-a-collector\n"), ("readers", "a-token-of-a-person\n")] {
        fs::write(directory.path().join(file), token).expect("it can be written");
    }
    let file = directory.path().join("authstitch.yaml");
    fs::write(&file, configuration.replace("/run/secrets/authstitch", &here)).expect("it can be written");
    run(authstitch().args(["config", "check"]).arg(&file));
}

/// The configuration of the Kubernetes manifests.
fn of_kubernetes() -> String {
    let map = yaml("kubernetes/configmap.yaml");
    map["data"]["authstitch.yaml"].as_str().expect("it holds the configuration").to_owned()
}

/// Has `serve` say that it knows these options, and that each has the value that it wants.
fn understands(arguments: &[&str]) {
    let (command, options) = arguments.split_first().expect("a command");
    assert_eq!(*command, "serve");
    // Help comes last: what stands before it has been read by then.
    run(authstitch().arg(command).args(options).arg("--help"));
}

#[test]
fn every_file_parses() {
    let mut found = Vec::new();
    files(&packaging(), "yaml", &mut found);
    assert!(found.len() >= 10, "{found:?}");
    for file in found {
        let text = fs::read_to_string(&file).expect("it can be read");
        let read = yaml_serde::from_str::<Value>(&text);
        assert!(read.is_ok_and(|value| value.is_object()), "{} is no map in YAML", file.display());
    }
}

#[test]
fn every_configuration_is_accepted() {
    for configuration in [text("systemd/authstitch.yaml"), text("docker.yaml"), of_kubernetes()] {
        check(&configuration);
    }
}

#[test]
fn the_unit_and_the_image_and_the_pod_start_what_there_is() {
    let unit = text("systemd/authstitch.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/authstitch "));
    understands(&start.expect("the unit starts it").split(' ').collect::<Vec<_>>());
    let dockerfile = text("Dockerfile");
    let command = dockerfile.lines().find_map(|line| line.strip_prefix("CMD ")).expect("the image starts it");
    let command: Vec<String> = serde_json::from_str(command).expect("a list of words");
    understands(&command.iter().map(String::as_str).collect::<Vec<_>>());
    let set = yaml("kubernetes/statefulset.yaml");
    let arguments = &set["spec"]["template"]["spec"]["containers"][0]["args"];
    let arguments: Vec<String> = serde_json::from_value(arguments.clone()).expect("a list of words");
    understands(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(arguments, command, "the image's own");
}

#[test]
fn ports_and_paths_are_those_of_the_program() {
    let usual: Value =
        yaml_serde::from_str(&run(authstitch().args(["config", "default"]))).expect("it is YAML");
    let port = |of: &Value| of.as_str().and_then(|at| at.rsplit_once(':')).map(|(_, port)| port.to_owned());
    let ports = ["grpc", "http", "web"].map(|name| port(&usual["listeners"][name]).expect("it has a port"));
    let served = |configuration: &str| {
        let read: Value = yaml_serde::from_str(configuration).expect("it is YAML");
        ["grpc", "http", "web"].map(|name| {
            let listener = &read["listeners"][name];
            port(listener).or_else(|| port(&listener["address"])).expect("it has a port")
        })
    };
    for configuration in [text("systemd/authstitch.yaml"), text("docker.yaml"), of_kubernetes()] {
        assert_eq!(served(&configuration), ports);
    }
    assert!(text("Dockerfile").contains(&format!("EXPOSE {}", ports.join(" "))));
    let numbers = |list: &Value, key: &str| -> Vec<String> {
        list.as_array().expect("a list of ports").iter().map(|port| port[key].to_string()).collect()
    };
    let set = yaml("kubernetes/statefulset.yaml");
    let pod = &set["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(numbers(&container["ports"], "containerPort"), ports);
    assert_eq!(numbers(&yaml("kubernetes/service.yaml")["spec"]["ports"], "port"), ports);
    let data_dir = &yaml("docker.yaml")["data_dir"];
    assert_eq!(&container["volumeMounts"][0]["mountPath"], data_dir);
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().expect("it asks by HTTP");
        assert!(["/health/live", "/health/ready"].contains(&path), "{path}");
    }
    // Long enough to stop in order: a request under way may take so long.
    let request_s = usual["limits"]["request_s"].as_u64().expect("a number");
    let grace = pod["terminationGracePeriodSeconds"].as_u64().expect("a number");
    let unit = text("systemd/authstitch.service");
    let stop = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")?.strip_suffix('s'));
    let stop: u64 = stop.and_then(|seconds| seconds.parse().ok()).expect("seconds");
    assert!(grace > request_s && stop > request_s);
}

#[test]
fn systemd_accepts_the_unit_and_finds_it_well_enclosed() {
    let Some(analyze) = external("AUTHSTITCH_SYSTEMD_ANALYZE", &["systemd-analyze"]) else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let unit = directory.path().join("authstitch.service");
    // The program need not be installed where it will be.
    let program = text("systemd/authstitch.service").replace("/usr/bin/authstitch", "/bin/true");
    fs::write(&unit, program).expect("it can be written");
    let output = Command::new(&analyze).arg("verify").arg(&unit).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("authstitch.service"), "{said}");
    // Exposure in tenths: up to 2.0 is what systemd calls OK.
    run(Command::new(&analyze)
        .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
        .arg(&unit));
}

#[test]
fn kubectl_puts_the_manifests_together() {
    let Some(kubectl) = external("AUTHSTITCH_KUBECTL", &["kubectl"]) else { return };
    let all = run(Command::new(kubectl).arg("kustomize").arg(packaging().join("kubernetes")));
    let manifests = fs::read_dir(packaging().join("kubernetes")).expect("it can be listed").count() - 1;
    let kinds = all.lines().filter(|line| line.starts_with("kind: ")).count();
    assert_eq!(kinds, manifests, "one of each file but the list of them");
}

#[test]
fn a_collector_accepts_its_configurations() {
    // It is large and not packaged everywhere: the benches beside the peers build one.
    let Some(collector) = std::env::var_os("AUTHSTITCH_COLLECTOR") else {
        println!("left out: AUTHSTITCH_COLLECTOR names no Collector");
        return;
    };
    for name in ["gateway.yaml", "sidecar.yaml"] {
        let file = packaging().join("collector").join(name);
        run(Command::new(&collector)
            .env("AUTHSTITCH_TOKEN", "a-token-of-a-collector")
            .arg("validate")
            .arg(format!("--config={}", file.display())));
    }
}
