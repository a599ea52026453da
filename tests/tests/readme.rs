//! What the README and the other pages tell people to type still exists: every `authstitch` command line in
//! them names a command, and only options that the command's help knows.

use authstitch_model::remedy::remedy;
use authstitch_model::{Cause, Phase};
use authstitch_tests::{authstitch, run, workspace};

const PAGES: &[&str] = &["README.md", "docs/deploying.md"];

/// The words after `authstitch` of every command line in the code blocks of a page.
fn command_lines(page: &str) -> Vec<Vec<String>> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside
            && let Some((_, words)) =
                line.split_once("authstitch ").or_else(|| line.split_once("--release -- "))
        {
            let is_command = line.trim_start_matches("$ ").starts_with("authstitch ")
                || line.contains("cargo run --release -- ");
            if is_command {
                found.push(words.split_whitespace().map(str::to_owned).collect());
            }
        }
    }
    found
}

#[test]
fn every_command_line_of_the_pages_is_understood() {
    let mut seen = 0;
    for page in PAGES {
        let text = std::fs::read_to_string(workspace().join(page)).expect("the page exists");
        for words in command_lines(&text) {
            let command = words.first().expect("a command line has a word").as_str();
            if command.starts_with("--") {
                continue;
            }
            let help = run(authstitch().args([command, "--help"]));
            for option in words.iter().filter(|word| word.starts_with("--")) {
                let option = option.split('=').next().unwrap_or(option);
                assert!(
                    help.contains(option),
                    "{page}: `authstitch {}`: `{option}` is not in its help",
                    words.join(" ")
                );
            }
            seen += 1;
        }
    }
    assert!(seen >= 8, "only {seen} command lines were found in {PAGES:?}");
}

/// The table of causes as the README shows it.
fn table_of_causes() -> String {
    let mut table = String::from("| cause | stops | outcome | first remedy to test |\n|---|---|---|---|\n");
    for cause in Cause::ALL {
        let stops: Vec<_> = cause.stops().iter().map(|phase| phase.code()).collect();
        let stops = match stops.len() {
            0 => "-".to_owned(),
            all if all == Phase::COUNT => "any".to_owned(),
            _ => stops.join(" / "),
        };
        table.push_str(&format!(
            "| `{cause}` | {stops} | {} | {} |\n",
            cause.outcome(),
            remedy(*cause).unwrap_or("-")
        ));
    }
    table
}

#[test]
fn the_table_of_causes_is_that_of_the_model() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).expect("the page exists");
    let table = table_of_causes();
    assert!(readme.contains(&table), "README.md should hold this table:\n{table}");
}
