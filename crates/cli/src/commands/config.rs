//! `config`: check a configuration, show the example, show the schema.

use std::path::Path;

use authstitch_model::document::Problems;
use authstitch_service::Settings;

use crate::args::{self, ConfigAction};
use crate::failure::{Failure, Outcome, While};
use crate::output::say;

pub fn run(args: &args::Config) -> Outcome {
    match &args.action {
        ConfigAction::Check { file } => {
            Settings::check(&text(file)?).map_err(|problems| mistaken(file, &problems))?;
            say(&format!("{}: no mistakes\n", file.display()))
        }
        ConfigAction::Default => say(Settings::default_yaml()),
        ConfigAction::Schema => say(&format!("{}\n", Settings::schema().trim_end())),
    }
}

/// Reads a configuration file; all its mistakes are told at once. The files that it names are opened by whoever needs
/// them.
pub fn read(file: &Path) -> Result<Settings, Failure> {
    Settings::from_yaml(&text(file)?).map_err(|problems| mistaken(file, &problems))
}

fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).cannot(format!("read {}", file.display()))
}

fn mistaken(file: &Path, problems: &Problems) -> Failure {
    Failure::new(format!("{} has mistakes\n{problems}", file.display()))
        .hint("`authstitch config default` prints a commented example with every key")
}
