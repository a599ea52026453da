//! Repository chores: `cargo run -p authstitch-xtask -- CHORE`.

mod instructions;
mod licences;
mod spdx;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo run -p authstitch-xtask -- CHORE

chores:
  licences                   every dependency has a licence on the list of deny.toml and comes from crates.io
  instructions [--refresh]   the stages of the hot path take as many instructions as written down";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["licences"] => licences::check(root),
        ["instructions"] => instructions::run(root, false),
        ["instructions", "--refresh"] => instructions::run(root, true),
        ["--help" | "-h"] => Ok(USAGE.to_owned()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
