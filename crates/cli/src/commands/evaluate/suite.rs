//! `evaluate --suite`: every world that is part of the program, simulated and judged in process.
//!
//! Worlds share nothing, so they run beside each other, and the scores are the same on any number of threads.

use std::sync::Arc;

use authstitch_engine::{Judged, Settings};
use authstitch_evaluate::{Assessment, Member, Meta, Suite};
use authstitch_simulate::{Simulation, World, mixture};
use indicatif::{ProgressBar, ProgressStyle};

use super::report;
use crate::failure::{Failure, Outcome};
use crate::output::Style;
use crate::{args, in_process, tables, threads, worlds};

pub fn run(args: &args::Evaluate) -> Outcome {
    let settings = Settings { tables: tables::of_file(args.tables.as_deref())?, ..Settings::default() };
    let suite = Suite::new(members(args, &settings)?);
    report(args, || suite.to_html())?;
    if args.json {
        println!("{}", serde_json::json!(suite));
    } else {
        let style = Style::of_stdout();
        print!("{}", suite.to_text(style.width(), style.has_colour()));
    }
    Ok(())
}

/// Every world with what was made of it, in the order of their names' lists.
fn members(args: &args::Evaluate, settings: &Settings) -> Result<Vec<Member>, Failure> {
    let worlds = worlds::all()?;
    let bar = ProgressBar::new(worlds.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("  {bar:30} {pos:>3} of {len} worlds judged") {
        bar.set_style(style.progress_chars("━━ "));
    }
    let assessments = threads::each(&worlds, |world| {
        let assessment = assess(world, args, settings);
        bar.inc(1);
        assessment
    })?;
    bar.finish_and_clear();
    let mixture = mixture();
    let share = |name: &str| mixture.iter().find(|(world, _)| *world == name).map(|(_, share)| *share);
    worlds
        .iter()
        .zip(assessments)
        .map(|(world, assessment)| Ok(Member { assessment: assessment?, share: share(world.name()) }))
        .collect()
}

fn assess(world: &Arc<World>, args: &args::Evaluate, settings: &Settings) -> Result<Assessment, Failure> {
    let simulation = Simulation::new(Arc::clone(world), args.seed).with_ceilings();
    let found = in_process::run(simulation, 0..args.attempts, settings.clone())?;
    let lines: Vec<_> = found.journeys.iter().map(Judged::line).collect();
    let meta = Meta { world: world.name().to_owned(), seed: Some(args.seed) };
    Ok(Assessment::new(meta, &found.truth, &lines))
}
