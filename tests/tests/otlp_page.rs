//! `docs/otlp.md` promises nothing that no test holds: the last column of each of its rows names a test by crate and
//! function, and that test exists.

use std::fs;
use std::path::Path;

use authstitch_tests::workspace;

/// The rows of every table of the page, without their heads.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let mut rows = Vec::new();
    let mut in_body = false;
    for line in page.lines() {
        match line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) {
            Some(cells) if in_body => rows.push(cells.split(" | ").map(str::trim).collect()),
            Some(cells) => in_body = cells.starts_with("---"),
            None => in_body = false,
        }
    }
    rows
}

/// The names of all tests below a folder, with the file's name before them: `encodings_agree::on_traces`.
fn tests_below(folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            tests_below(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("a source is text");
            let file = path.file_stem().expect("a file has a name").to_string_lossy();
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            for two in lines.windows(2) {
                let signature = two[1].trim_start_matches("async ").strip_prefix("fn ");
                if let (true, Some(signature)) = (two[0].ends_with("test]"), signature) {
                    let name = signature.split('(').next().unwrap_or_default();
                    names.push(format!("{file}::{name}"));
                }
            }
        }
    }
}

fn tests_of(package: &str) -> Vec<String> {
    let root = workspace();
    let folder =
        if package == "tests" { root.join("tests/tests") } else { root.join("crates").join(package) };
    let mut names = Vec::new();
    tests_below(&folder, &mut names);
    names
}

#[test]
fn every_row_names_a_test_that_exists() {
    let page = fs::read_to_string(workspace().join("docs/otlp.md")).expect("the page exists");
    let packages = ["otlp", "service", "tests"].map(|package| (package, tests_of(package)));
    let rows = rows(&page);
    let mut wrong = Vec::new();
    for row in &rows {
        let named = row.last().copied().unwrap_or_default();
        let known = match named.split('`').collect::<Vec<_>>()[..] {
            ["", package, " ", name, ""] => {
                let tests = packages.iter().find(|(known, _)| *known == package).map(|(_, tests)| tests);
                let is_it = |test: &String| test == name || test.ends_with(&format!("::{name}"));
                tests.is_some_and(|tests| tests.iter().any(is_it))
            }
            _ => false,
        };
        if row.len() != 3 || !known {
            wrong.push(format!("{named}: {}", row.join(" | ")));
        }
    }
    assert!(wrong.is_empty(), "rows without their test:\n{}", wrong.join("\n"));
    assert!(rows.len() >= 40, "only {} rows were found", rows.len());
    let names: Vec<_> = rows.iter().filter_map(|row| row.last()).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "a test is named by two rows");
}
