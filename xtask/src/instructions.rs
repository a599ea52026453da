//! Counts the instructions of each stage of the hot path, and compares them with those written down.
//!
//! `stage` runs a stage once and three times under callgrind; half the difference is one run without its
//! preparation. Instructions do not depend on what else the machine does, so a change of a few percent shows. They
//! say nothing of caches, which the criterion benches and the memory runs do.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Where the counts are written down, from the root.
const BASELINE: &str = "benches/instructions.toml";

/// A change beyond this is told as one; hashes of maps and addresses move counts by less.
const TOLERANCE: f64 = 0.03;

type Counts = BTreeMap<String, u64>;

/// Compares with the baseline, or writes it anew.
pub fn run(root: &Path, refresh: bool) -> Result<String, String> {
    let stage = build(root)?;
    let names = output(Command::new(&stage).arg("--list"))?;
    let mut counts = Counts::new();
    for name in names.lines() {
        let count = counted(&stage, name)?;
        println!("{name}: {count} instructions");
        counts.insert(name.to_owned(), count);
    }
    let path = root.join(BASELINE);
    if refresh {
        let head = "# Instructions for each element of a stage, as `cargo run -p authstitch-xtask -- instructions --refresh` counts them.\n";
        let lines = counts.iter().fold(head.to_owned(), |mut text, (name, count)| {
            writeln!(text, "{name} = {count}").expect("a string takes every line");
            text
        });
        std::fs::write(&path, lines).map_err(|error| format!("cannot write {BASELINE}: {error}"))?;
        return Ok(format!("{} stages written to {BASELINE}", counts.len()));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {BASELINE}: {error}"))?;
    let baseline: Counts = toml::from_str(&text).map_err(|error| format!("{BASELINE}: {error}"))?;
    compare(&counts, &baseline)
}

fn compare(counts: &Counts, baseline: &Counts) -> Result<String, String> {
    let mut changes = Vec::new();
    for (name, count) in counts {
        match baseline.get(name) {
            None => changes.push(format!("{name}: {count}, and not in {BASELINE}")),
            Some(known) => {
                let change = *count as f64 / *known as f64 - 1.0;
                if change.abs() > TOLERANCE {
                    changes.push(format!("{name}: {count} instead of {known} ({:+.1} %)", change * 100.0));
                }
            }
        }
    }
    changes.extend(
        baseline
            .keys()
            .filter(|name| !counts.contains_key(*name))
            .map(|name| format!("{name}: in {BASELINE}, and no stage any more")),
    );
    if changes.is_empty() {
        return Ok(format!("{} stages are within {} % of {BASELINE}", counts.len(), TOLERANCE * 100.0));
    }
    Err(format!(
        "{}\nif that is meant, write them down: cargo run -p authstitch-xtask -- instructions --refresh",
        changes.join("\n")
    ))
}

fn build(root: &Path) -> Result<std::path::PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root).args([
        "build",
        "--release",
        "--quiet",
        "--package",
        "authstitch-benches",
        "--bin",
        "stage",
    ]);
    output(&mut build)?;
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(root).no_deps().exec();
    let target = metadata.map_err(|error| format!("cargo metadata: {error}"))?.target_directory;
    Ok(target.join("release/stage").into())
}

/// Instructions for each element of one run of a stage.
fn counted(stage: &Path, name: &str) -> Result<u64, String> {
    let elements: u64 = {
        let said = output(Command::new(stage).args([name, "0"]))?;
        said.trim()
            .parse()
            .map_err(|_none| format!("stage {name} said {said:?}, not how many elements it has"))?
    };
    let once = collected(stage, name, "1")?;
    let thrice = collected(stage, name, "3")?;
    Ok(thrice.saturating_sub(once) / 2 / elements.max(1))
}

fn collected(stage: &Path, name: &str, repeats: &str) -> Result<u64, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(stage).args([name, repeats]);
    let ran = valgrind.output().map_err(|error| {
        format!("cannot run valgrind: {error}; install it, on Debian with `apt-get install valgrind`")
    })?;
    let said = String::from_utf8_lossy(&ran.stderr);
    let line = said.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim());
    let count = line.filter(|_| ran.status.success()).and_then(|count| count.parse().ok());
    count.ok_or_else(|| format!("valgrind on stage {name} failed:\n{said}"))
}

fn output(command: &mut Command) -> Result<String, String> {
    let ran = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if ran.status.success() {
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    } else {
        Err(format!("{command:?} failed:\n{}", String::from_utf8_lossy(&ran.stderr)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[(&str, u64)]) -> Counts {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn a_change_beyond_the_tolerance_and_a_stage_on_one_side_only_are_told() {
        let baseline = counts(&[("scan", 1000), ("stitch", 500)]);
        assert!(compare(&counts(&[("scan", 1029), ("stitch", 490)]), &baseline).is_ok());
        let told = compare(&counts(&[("scan", 1031), ("classify", 7)]), &baseline).unwrap_err();
        for part in ["scan: 1031 instead of 1000 (+3.1 %)", "classify: 7", "stitch: in"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
