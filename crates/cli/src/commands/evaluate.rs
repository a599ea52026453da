//! `evaluate`: truth × journeys → scorecard.

mod suite;

use std::path::Path;

use authstitch_evaluate::{Assessment, Meta};

use crate::args;
use crate::failure::{Failure, Outcome, While};
use crate::output::{Style, say};
use crate::{journeys, truth};

pub fn run(args: &args::Evaluate) -> Outcome {
    match &args.truth {
        Some(file) => one(args, file),
        None => suite::run(args),
    }
}

/// Scores one file of journeys, or one store.
fn one(args: &args::Evaluate, file: &Path) -> Outcome {
    let truth = truth::read(file)?;
    let Some(first) = truth.first() else {
        return Err(Failure::new(format!("{} holds no truth line: nothing can be scored", file.display()))
            .hint("`authstitch simulate … --truth FILE` writes one line an attempt"));
    };
    let judged = match (&args.journeys, &args.data_dir) {
        (Some(file), _) => journeys::from_file(file)?,
        (None, Some(dir)) => journeys::from_store(dir)?,
        (None, None) => {
            return Err(Failure::usage("no journeys").hint("name --journeys FILE or --data-dir DIR"));
        }
    };
    let meta = Meta { world: first.world.clone(), seed: None };
    let assessment = Assessment::new(meta, &truth, &judged);
    let scorecard = assessment.scorecard();
    report(args, || assessment.to_html())?;
    if args.json {
        say(&format!("{}\n", serde_json::json!(scorecard)))
    } else {
        let style = Style::of_stdout();
        say(&scorecard.to_text(style.width(), style.has_colour()))
    }
}

/// Writes the report, if one was asked for.
fn report(args: &args::Evaluate, html: impl FnOnce() -> String) -> Outcome {
    let Some(path) = &args.html else { return Ok(()) };
    std::fs::write(path, html()).cannot(format!("write {}", path.display()))
}
