//! `explain`: one journey's two-sided timeline with its evidence.

use std::path::Path;

use authstitch_model::line::JourneyLine;

use crate::args;
use crate::asking::ask;
use crate::failure::{Failure, Outcome, While};
use crate::journeys;
use crate::output::{Style, say, timeline};

pub fn run(args: &args::Explain) -> Outcome {
    let (found, place) = match &args.endpoint {
        Some(endpoint) => (from_server(endpoint, args)?, endpoint.clone()),
        None => {
            let dir = journeys::data_dir(args.data_dir.as_deref());
            (from_store(&dir, &args.key)?, dir.display().to_string())
        }
    };
    if found.is_empty() {
        return Err(Failure::new(format!("no journey in {place} has this key"))
            .hint("a journey is stored once it has closed; a key is a journey id, or the raw correlation id, challenge, code, flow id or session id"));
    }
    let style = Style::of_stdout();
    let pages: Vec<_> = found.iter().map(|line| timeline(line, style)).collect();
    say(&pages.join("\n"))
}

fn from_store(dir: &Path, key: &str) -> Result<Vec<JourneyLine>, Failure> {
    let reader = journeys::open_store(dir)?;
    authstitch_service::find(&reader, dir, key).cannot(format!("look the key up in {}", dir.display()))
}

fn from_server(endpoint: &str, args: &args::Explain) -> Result<Vec<JourneyLine>, Failure> {
    #[derive(serde::Deserialize)]
    struct Answer {
        journeys: Vec<JourneyLine>,
    }
    let question = serde_json::json!({ "key": args.key });
    let answer: Answer = ask(endpoint, "/api/v1/explain", &question, &args.access)?;
    Ok(answer.journeys)
}
