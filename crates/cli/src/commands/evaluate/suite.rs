//! `evaluate --suite`: every world that is part of the program, simulated and judged in process.
//!
//! Worlds share nothing, so they run beside each other, and the scores are the same on any number of threads.
//! One world of other priors comes twice: judged by the tables as they are, and by tables adapted to the
//! unlabelled journeys of as many other attempts.

use std::sync::Arc;

use authstitch_engine::{Settings, line};
use authstitch_evaluate::{Assessment, Member, Meta, Suite};
use authstitch_simulate::{Simulation, World, mixture};
use indicatif::{ProgressBar, ProgressStyle};

use super::report;
use crate::failure::{Failure, Outcome};
use crate::output::{Style, say};
use crate::{args, in_process, tables, threads, worlds};

/// The variant with other priors than the mixture's.
const SHIFTED: &str = "shifted_priors";

pub fn run(args: &args::Evaluate) -> Outcome {
    let settings = Settings { tables: tables::of_file(args.tables.as_deref())?, ..Settings::default() };
    let suite = Suite::new(members(args, &settings)?);
    report(args, || suite.to_html())?;
    if args.json {
        say(&format!("{}\n", serde_json::json!(suite)))
    } else {
        let style = Style::of_stdout();
        say(&suite.to_text(style.width(), style.has_colour()))
    }
}

/// Every world with what was made of it, in the order of their names' lists.
fn members(args: &args::Evaluate, settings: &Settings) -> Result<Vec<Member>, Failure> {
    let worlds = worlds::all()?;
    let shifted = worlds.iter().find(|world| world.name() == SHIFTED).cloned();
    let runs: Vec<_> = worlds
        .iter()
        .map(|world| (world.clone(), world.name().to_owned(), false))
        .chain(shifted.map(|world| (world, format!("{SHIFTED}_adapted"), true)))
        .collect();
    let bar = ProgressBar::new(runs.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("  {bar:30} {pos:>3} of {len} worlds judged") {
        bar.set_style(style.progress_chars("━━ "));
    }
    let assessments = threads::each(&runs, |(world, name, adapts)| {
        let settings = if *adapts { adapted(world, args, settings)? } else { settings.clone() };
        let assessment = assess(world, name, args, settings);
        bar.inc(1);
        assessment
    })?;
    bar.finish_and_clear();
    let mixture = mixture();
    let share = |name: &str| mixture.iter().find(|(world, _)| *world == name).map(|(_, share)| *share);
    runs.iter()
        .zip(assessments)
        .map(|((_, name, _), assessment)| Ok(Member { assessment: assessment?, share: share(name) }))
        .collect()
}

/// The settings with tables adapted to this world, by attempts that are not scored.
fn adapted(world: &Arc<World>, args: &args::Evaluate, settings: &Settings) -> Result<Settings, Failure> {
    let simulation = Simulation::new(Arc::clone(world), args.seed.wrapping_add(1));
    let found = in_process::run(simulation, 0..args.attempts, settings.clone())?;
    let journeys = tables::unlabelled(&settings.tables, &found.journeys, &settings.completeness);
    let tables = tables::adapted(&settings.tables, &journeys, "authstitch evaluate --suite".to_owned());
    Ok(Settings { tables: tables.map_or_else(|| settings.tables.clone(), Arc::new), ..settings.clone() })
}

fn assess(
    world: &Arc<World>,
    name: &str,
    args: &args::Evaluate,
    settings: Settings,
) -> Result<Assessment, Failure> {
    let simulation = Simulation::new(Arc::clone(world), args.seed).with_ceilings();
    let found = in_process::run(simulation, 0..args.attempts, settings)?;
    let lines: Vec<_> = found.journeys.iter().map(line).collect();
    let meta = Meta { world: name.to_owned(), seed: Some(args.seed) };
    Ok(Assessment::new(meta, &found.truth, &lines))
}
