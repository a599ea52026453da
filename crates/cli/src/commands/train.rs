//! `train`: tables from labelled telemetry, simulated or a team's own; with `--adapt` from unlabelled telemetry the
//! priors alone.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use authstitch_classify::Tables;
use authstitch_classify::train::{Example, Label, Provenance, Unlabelled, features, train};
use authstitch_engine::{Judged, Settings, StitchSettings};
use authstitch_model::truth::TruthLine;
use authstitch_model::{Cause, Completeness, EventId, EventName, SpanId, TraceId};
use authstitch_simulate::{Simulation, World, mixture};

use super::replay;
use crate::failure::{Failure, Outcome, While};
use crate::output::say;
use crate::{args, in_process, journeys, tables, threads, truth, worlds};

/// The name of the training mixture among worlds.
const MIXTURE: &str = "mixture";

pub fn run(args: &args::Train) -> Outcome {
    let tables = if args.adapt {
        adapted(args)?
    } else if let Some(path) = &args.truth {
        labelled(args, path)?
    } else if !args.inputs.is_empty() {
        return Err(Failure::usage("it is not known what happened in these files")
            .hint("name --truth FILE with a truth line an attempt, or --adapt to learn from them without"));
    } else {
        simulated(args)?
    };
    std::fs::write(&args.out, tables.to_json()).cannot(format!("write {}", args.out.display()))?;
    say(&format!("wrote tables `{}` to {}\n", tables.version(), args.out.display()))
}

/// Fits to simulated worlds, each with its weight.
fn simulated(args: &args::Train) -> Result<Tables, Failure> {
    let worlds = weighted(&args.worlds)?;
    let fingerprint = fingerprint(&args.worlds, &worlds, args.attempts, args.seed)?;
    let all = simulated_examples(&worlds, args.attempts, args.seed)?;
    let made_by = format!(
        "authstitch train --worlds {} --attempts {} --seed {}",
        args.worlds, args.attempts, args.seed
    );
    Ok(train(&all, &Completeness::default(), named(&args.worlds.replace(',', "+"), made_by, fingerprint)))
}

/// The examples that worlds make, each world counting by its weight, however many attempts it has.
fn simulated_examples(worlds: &[(String, f64)], attempts: u64, seed: u64) -> Result<Vec<Example>, Failure> {
    // Stitching alone is asked; tables of other features than the program's could not be read.
    let nothing = train(&[], &Completeness::default(), named("nothing", String::new(), String::new()));
    let settings = Settings {
        stitch: StitchSettings::default(),
        completeness: Completeness::default(),
        tables: Arc::new(nothing),
    };
    let parts = threads::each(worlds, |(name, weight)| {
        let simulation = Simulation::new(worlds::load(name)?, seed);
        let found = in_process::run(simulation, 0..attempts, settings.clone())?;
        Ok(examples(&found.truth, &found.journeys, &Completeness::default(), weight * worlds.len() as f64))
    })?;
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

/// The worlds named, with weights that sum to one.
fn weighted(names: &str) -> Result<Vec<(String, f64)>, Failure> {
    if names == MIXTURE {
        return Ok(mixture().into_iter().map(|(name, weight)| (name.to_owned(), weight)).collect());
    }
    let names: Vec<_> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(Failure::usage("no world to train on")
            .hint("name --worlds mixture, or worlds with commas between"));
    }
    let share = 1.0 / names.len() as f64;
    Ok(names.into_iter().map(|name| (name.to_owned(), share)).collect())
}

/// So many attempts of each world stand in the fingerprint.
const ATTEMPTS_PRINTED: u64 = 200;

/// Changes when the features, the worlds, the amount, or what becomes of the first attempts of each world change:
/// tables with another fingerprint are stale.
fn fingerprint(names: &str, worlds: &[(String, f64)], attempts: u64, seed: u64) -> Result<String, Failure> {
    let mut text = format!("{names} {attempts} {seed}\n{}", features());
    for (name, weight) in worlds {
        text.push_str(&format!("{name} {weight}\n"));
        text.push_str(World::shipped(name).unwrap_or_default());
    }
    for example in simulated_examples(worlds, attempts.min(ATTEMPTS_PRINTED), seed)? {
        text.push_str(&format!("{example:?}\n"));
    }
    Ok(tables::fingerprint(&text))
}

fn named(name: &str, made_by: String, fingerprint: String) -> Provenance {
    Provenance { version: format!("{name}-{fingerprint}"), made_by, fingerprint }
}

/// Fits to a team's own telemetry, with its truth.
fn labelled(args: &args::Train, path: &Path) -> Result<Tables, Failure> {
    let lines = truth::read(path)?;
    let (journeys, completeness) = replay::judge(&args.inputs, args.config.as_deref(), None)?;
    let examples = examples(&lines, &journeys, &completeness, 1.0);
    if examples.is_empty() {
        return Err(Failure::new(format!(
            "no journey shares a span with the {} attempts of {}",
            lines.len(),
            path.display()
        ))
        .hint("the truth's trace_id, span_id and event_id must be those of the telemetry"));
    }
    let shown: String = examples.iter().map(|example| format!("{example:?}\n")).collect();
    let fingerprint = tables::fingerprint(&shown);
    let made_by = command(args, &format!("--truth {}", path.display()));
    Ok(train(&examples, &completeness, named("labelled", made_by, fingerprint)))
}

/// The command that makes tables from these inputs, but for where they are written.
fn command(args: &args::Train, how: &str) -> String {
    let inputs: String = args.inputs.iter().map(|input| format!("{} ", input.display())).collect();
    let config = args.config.as_ref().map(|file| format!(" --config {}", file.display()));
    format!("authstitch train {inputs}{how}{}", config.unwrap_or_default())
}

/// Leaves the weights and re-estimates how often each cause occurs.
fn adapted(args: &args::Train) -> Result<Tables, Failure> {
    let old = tables::of_file(args.tables.as_deref())?;
    let unlabelled = match (&args.data_dir, args.inputs.as_slice()) {
        (Some(dir), _) => stored(dir, &old)?,
        (None, []) => {
            return Err(Failure::usage("no journeys to adapt to")
                .hint("name files of telemetry, or --data-dir DIR with a store"));
        }
        (None, inputs) => {
            let (journeys, completeness) =
                replay::judge(inputs, args.config.as_deref(), args.tables.as_deref())?;
            tables::unlabelled(&old, &journeys, &completeness)
        }
    };
    let from = args.data_dir.as_ref().map(|dir| format!(" --data-dir {}", dir.display()));
    let made_by = command(args, &format!("--adapt{}", from.unwrap_or_default()));
    tables::adapted(&old, &unlabelled, made_by)
        .ok_or_else(|| Failure::new("not one finished journey to learn from"))
}

/// The journeys of a store that these tables judged: another prior cannot be taken out of a verdict.
fn stored(dir: &Path, tables: &Tables) -> Result<Vec<Unlabelled>, Failure> {
    let lines = journeys::from_store(dir)?;
    let (own, others): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.tables.as_str() == tables.version());
    if own.is_empty()
        && let Some(other) = others.first()
    {
        return Err(Failure::new(format!(
            "the tables `{}` judged none of the {} journeys in {}",
            tables.version(),
            others.len(),
            dir.display()
        ))
        .hint(format!("name the file of `{}` with --tables", other.tables)));
    }
    Ok(own.iter().filter_map(tables::of_line).collect())
}

/// What tells one event from another.
type Identity = (Option<TraceId>, Option<SpanId>, Option<EventId>, EventName);

/// The journeys with the truth of the attempt with which each shares most events.
fn examples(
    truth: &[TruthLine],
    journeys: &[Judged],
    completeness: &Completeness,
    weight: f64,
) -> Vec<Example> {
    let mut attempts: HashMap<Identity, usize> = HashMap::new();
    for (nth, line) in truth.iter().enumerate() {
        for span in &line.spans {
            attempts.insert((span.trace_id, span.span_id, span.event_id.clone(), span.event), nth);
        }
    }
    let label = |judged: &Judged| {
        let mut shared: Vec<(usize, u32)> = Vec::new();
        for seen in &judged.journey.events {
            let event = &seen.event;
            let identity = (event.origin.trace_id, event.origin.span_id, event.event_id.clone(), event.name);
            let Some(attempt) = attempts.get(&identity) else { continue };
            match shared.iter_mut().find(|(known, _)| known == attempt) {
                Some((_, count)) => *count += 1,
                None => shared.push((*attempt, 1)),
            }
        }
        let (attempt, _) =
            shared.into_iter().max_by_key(|(attempt, count)| (*count, std::cmp::Reverse(*attempt)))?;
        let line = &truth[attempt];
        let (cause, halted) = (line.cause.unwrap_or(Cause::None), line.failing_phase);
        Some(Label { cause, halted, transport: line.transport, weight })
    };
    let example = |judged: &Judged| Example::new(&judged.journey, completeness, label(judged)?);
    journeys.iter().filter_map(example).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// The shipped tables are those that the stated command makes.
    #[test]
    fn the_shipped_tables_are_not_stale() {
        let arguments = args::Arguments::parse_from(["authstitch", "train", "--out", "tables.json"]);
        let args::Command::Train(args) = arguments.command else { panic!("not the command that was typed") };
        let worlds = weighted(&args.worlds).unwrap();
        let expected = fingerprint(&args.worlds, &worlds, args.attempts, args.seed).unwrap();
        assert_eq!(
            Tables::shipped().fingerprint(),
            expected,
            "run `cargo run --release -- train --out crates/classify/model/tables.json`"
        );
    }
}
