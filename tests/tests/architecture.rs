//! The shape of the workspace: who may use whom, who may touch files, sockets and clocks, and what every package
//! inherits. A failure names each arrow or file that breaks a rule, all at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use authstitch_tests::workspace;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// The arrows: each package of ours with those of ours that it may use. Whoever adds a package, or needs an arrow,
/// decides it here.
const ALLOWED: &[(&str, &[&str])] = &[
    ("authstitch-model", &[]),
    ("authstitch-otlp", &["authstitch-model"]),
    ("authstitch-stitch", &["authstitch-model"]),
    ("authstitch-classify", &["authstitch-model"]),
    (
        "authstitch-engine",
        &["authstitch-model", "authstitch-otlp", "authstitch-stitch", "authstitch-classify"],
    ),
    ("authstitch-journal", &["authstitch-model"]),
    ("authstitch-store", &["authstitch-model"]),
    (
        "authstitch-service",
        &[
            "authstitch-journal",
            "authstitch-model",
            "authstitch-otlp",
            "authstitch-engine",
            "authstitch-store",
        ],
    ),
    ("authstitch-simulate", &["authstitch-model", "authstitch-otlp"]),
    ("authstitch-evaluate", &["authstitch-model"]),
    ("authstitch", LIBRARIES),
    ("authstitch-benches", LIBRARIES),
    ("authstitch-tests", LIBRARIES),
    ("authstitch-xtask", LIBRARIES),
];

const LIBRARIES: &[&str] = &[
    "authstitch-model",
    "authstitch-otlp",
    "authstitch-stitch",
    "authstitch-classify",
    "authstitch-engine",
    "authstitch-journal",
    "authstitch-store",
    "authstitch-service",
    "authstitch-simulate",
    "authstitch-evaluate",
];

/// Pairs that never meet, by whatever way: otherwise the ground truth silently becomes the implementation.
const NEVER: &[(&str, &str)] = &[
    ("authstitch-simulate", "authstitch-stitch"),
    ("authstitch-simulate", "authstitch-classify"),
    ("authstitch-evaluate", "authstitch-stitch"),
    ("authstitch-evaluate", "authstitch-classify"),
    ("authstitch-stitch", "authstitch-classify"),
    ("authstitch-classify", "authstitch-stitch"),
];

/// Crates that bring sockets, timers or files with them.
const WORLDLY: &[&str] = &["hyper", "mio", "reqwest", "rusqlite", "tokio", "tonic"];

/// Our packages that know no sockets and no runtime, with the worldly crates they may reach all the same.
const SECLUDED: &[(&str, &[&str])] = &[
    ("authstitch-model", &[]),
    ("authstitch-otlp", &[]),
    ("authstitch-stitch", &[]),
    ("authstitch-classify", &[]),
    ("authstitch-engine", &[]),
    ("authstitch-simulate", &[]),
    ("authstitch-evaluate", &[]),
    ("authstitch-journal", &[]),
    ("authstitch-store", &["rusqlite"]),
];

/// Packages in which a clock may be read, each place with its reason.
const CLOCKED: &[&str] = &["crates/service", "crates/cli", "benches", "tests"];

/// Lines after which a source file has too many jobs.
const LONGEST_FILE: usize = 600;

#[test]
fn no_package_uses_another_without_an_arrow() {
    let graph = Graph::read();
    let allowed: BTreeMap<_, BTreeSet<_>> =
        ALLOWED.iter().map(|(name, targets)| (*name, targets.iter().copied().collect())).collect();
    let mut broken = Vec::new();
    for package in graph.members() {
        let name = package.name.as_str();
        let Some(allowed) = allowed.get(name) else {
            broken.push(format!("{name} is not in the table of arrows"));
            continue;
        };
        let ours = package.dependencies.iter().filter(|used| used.path.is_some());
        let used: BTreeSet<_> = ours
            .filter(|used| used.kind != DependencyKind::Development)
            .map(|used| used.name.as_str())
            .collect();
        broken.extend(used.difference(allowed).map(|target| format!("{name} → {target} is no arrow")));
    }
    let members: BTreeSet<_> = graph.members().map(|package| package.name.as_str()).collect();
    broken.extend(
        allowed.keys().filter(|name| !members.contains(**name)).map(|name| format!("no package {name}")),
    );
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_ground_truth_never_meets_the_implementation() {
    let graph = Graph::read();
    let broken: Vec<_> = NEVER
        .iter()
        .filter(|(from, to)| graph.reach(from, Tests::Included).contains(*to))
        .map(|(from, to)| format!("{from} reaches {to}"))
        .collect();
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn only_the_outer_packages_reach_files_and_sockets() {
    let graph = Graph::read();
    let mut broken = Vec::new();
    for (name, tolerated) in SECLUDED {
        let reached = graph.reach(name, Tests::Left);
        let worldly = WORLDLY.iter().filter(|known| reached.contains(**known) && !tolerated.contains(known));
        broken.extend(worldly.map(|known| format!("{name} reaches {known}")));
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_graph_is_not_blind() {
    let graph = Graph::read();
    assert!(graph.reach("authstitch", Tests::Left).contains("tokio"), "the program runs on tokio");
    assert!(graph.reach("authstitch-engine", Tests::Left).contains("authstitch-stitch"));
}

#[test]
fn every_package_inherits_the_lints() {
    let root = manifest(&workspace().join("Cargo.toml"));
    assert_eq!(root["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    let without: Vec<_> = Graph::read()
        .members()
        .filter(|package| {
            let manifest = manifest(package.manifest_path.as_std_path());
            let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
            inherits.and_then(toml::Value::as_bool) != Some(true)
        })
        .map(|package| package.name.to_string())
        .collect();
    assert_eq!(without, Vec::<String>::new(), "`[lints] workspace = true` is missing");
}

#[test]
fn clippy_forbids_the_clocks() {
    let clippy = manifest(&workspace().join("clippy.toml"));
    let methods = clippy["disallowed-methods"].as_array().expect("a list");
    let paths: BTreeSet<_> = methods.iter().filter_map(|method| method["path"].as_str()).collect();
    assert!(paths.is_superset(&BTreeSet::from(["std::time::Instant::now", "std::time::SystemTime::now"])));
}

#[test]
fn only_the_outer_packages_read_a_clock() {
    let excused = sources().into_iter().filter(|path| {
        let inside = CLOCKED.iter().any(|package| path.starts_with(package));
        !inside && text(path).contains("disallowed_methods")
    });
    assert_eq!(excused.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

#[test]
fn no_source_file_is_too_long() {
    let long = sources()
        .into_iter()
        .map(|path| (text(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE);
    assert_eq!(long.collect::<Vec<_>>(), Vec::<(usize, PathBuf)>::new());
}

/// Whether what a package's own tests use counts as reached.
#[derive(Clone, Copy, PartialEq)]
enum Tests {
    Included,
    Left,
}

/// The packages and who uses whom, as cargo resolved it for every feature of the workspace.
struct Graph {
    metadata: Metadata,
}

impl Graph {
    fn read() -> Self {
        let manifest = workspace().join("Cargo.toml");
        let metadata =
            MetadataCommand::new().manifest_path(manifest).exec().expect("`cargo metadata` answers");
        Self { metadata }
    }

    fn members(&self) -> impl Iterator<Item = &Package> {
        self.metadata.workspace_packages().into_iter()
    }

    /// The names of all packages that one package uses, or is built with, directly or through others.
    fn reach(&self, name: &str, tests: Tests) -> BTreeSet<String> {
        let resolve = self.metadata.resolve.as_ref().expect("`cargo metadata` resolves");
        let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
        let root = self.members().find(|package| package.name == name);
        let root = &root.unwrap_or_else(|| panic!("no package {name}")).id;
        let mut seen = BTreeSet::from([root]);
        let mut waiting: Vec<&PackageId> = vec![root];
        while let Some(id) = waiting.pop() {
            let with_tests = tests == Tests::Included && id == root;
            for used in &nodes[id].deps {
                let counts = used.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
                if (counts || with_tests) && seen.insert(&used.pkg) {
                    waiting.push(&used.pkg);
                }
            }
        }
        seen.into_iter().filter(|id| *id != root).map(|id| self.metadata[id].name.to_string()).collect()
    }
}

fn manifest(path: &Path) -> toml::Table {
    fs::read_to_string(path).expect("a readable file").parse().expect("TOML")
}

fn text(path: &Path) -> String {
    fs::read_to_string(workspace().join(path)).expect("a readable file")
}

/// Every Rust file of the workspace, relative to its root.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = ["crates", "benches", "tests", "xtask"].map(PathBuf::from).to_vec();
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(workspace().join(&directory)).expect("a readable directory") {
            let entry = entry.expect("a readable entry");
            let path = directory.join(entry.file_name());
            if entry.path().is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "the sources were found");
    found
}
