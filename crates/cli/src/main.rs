//! The one binary: reads the command line, runs one command, answers with an exit code.

mod args;
mod asking;
mod caps;
mod commands;
mod failure;
mod in_process;
mod journeys;
mod otlp_files;
mod output;
mod quantity;
mod sender;
mod tables;
mod telemetry;
mod threads;
mod truth;
mod worlds;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Serve(args) => commands::serve::run(&args),
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Merge(args) => commands::merge::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Forget(args) => commands::forget::run(&args),
        Command::Train(args) => commands::train::run(&args),
        Command::Query(args) => commands::query::run(&args),
        Command::Config(args) => commands::config::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}
