//! `evaluate`: truth × journeys → scorecard.

use authstitch_evaluate::{Meta, score};

use crate::args;
use crate::failure::{Failure, Outcome};
use crate::output::Style;
use crate::{journeys, truth};

pub fn run(args: &args::Evaluate) -> Outcome {
    let truth = truth::read(&args.truth)?;
    let judged = match (&args.journeys, &args.data_dir) {
        (Some(file), _) => journeys::from_file(file)?,
        (None, Some(dir)) => journeys::from_store(dir)?,
        (None, None) => {
            return Err(Failure::usage("no journeys").hint("name --journeys FILE or --data-dir DIR"));
        }
    };
    let world = truth.first().map_or_else(String::new, |line| line.world.clone());
    let scorecard = score(Meta { world, seed: None }, &truth, &judged);
    if args.json {
        println!("{}", serde_json::json!(scorecard));
    } else {
        let style = Style::of_stdout();
        print!("{}", scorecard.to_text(style.width(), style.has_colour()));
    }
    Ok(())
}
