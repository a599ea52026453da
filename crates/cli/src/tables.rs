//! Model tables by the file that a command was given.

use std::path::Path;
use std::sync::Arc;

use authstitch_classify::Tables;
use authstitch_classify::train::{Provenance, Unlabelled, adapt};
use authstitch_engine::Judged;
use authstitch_model::key::code_digest;
use authstitch_model::line::JourneyLine;
use authstitch_model::{CloseReason, Completeness, Outcome};
use authstitch_service::read_tables;

use crate::failure::Failure;

/// The tables of a file; without one, those that are part of the program.
pub fn of_file(file: Option<&Path>) -> Result<Arc<Tables>, Failure> {
    match file {
        Some(path) => read_tables(path).map_err(|error| Failure::new(error.to_string())),
        None => Ok(Tables::shipped()),
    }
}

/// What finished journeys say of each cause.
pub fn unlabelled(tables: &Tables, journeys: &[Judged], completeness: &Completeness) -> Vec<Unlabelled> {
    journeys.iter().filter_map(|judged| Unlabelled::new(&judged.journey, completeness, tables)).collect()
}

/// What a finished journey of a store says of each cause.
pub fn of_line(line: &JourneyLine) -> Option<Unlabelled> {
    let cut_off =
        matches!(line.close_reason, CloseReason::Shutdown | CloseReason::Evicted | CloseReason::Age);
    if cut_off && line.outcome == Outcome::Undetermined {
        return None;
    }
    let shares = line.causes.iter().map(|share| (share.cause, share.probability as f32));
    Some(Unlabelled::of(line.flow, shares))
}

/// The same tables with the priors that journeys without labels show; `None` where there are none.
pub fn adapted(old: &Tables, journeys: &[Unlabelled], made_by: String) -> Option<Tables> {
    if journeys.is_empty() {
        return None;
    }
    let provenance =
        |version: String, made_by: String, fingerprint: String| Provenance { version, made_by, fingerprint };
    let nameless = adapt(old, journeys, provenance(String::new(), String::new(), String::new()));
    let fingerprint = fingerprint(&nameless.to_json());
    let version = format!("{}-adapted-{fingerprint}", old.version());
    Some(adapt(old, journeys, provenance(version, made_by, fingerprint)))
}

/// Twelve digits that stand for a text.
pub fn fingerprint(text: &str) -> String {
    code_digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
