//! `config`: check a configuration, show the example, show the schema.

use authstitch_service::Settings;

use crate::args::{self, ConfigAction};
use crate::failure::{Failure, Outcome, While};
use crate::output::say;

pub fn run(args: &args::Config) -> Outcome {
    match &args.action {
        ConfigAction::Check { file } => {
            read(file)?;
            say(&format!("{}: no mistakes\n", file.display()))
        }
        ConfigAction::Default => say(Settings::default_yaml()),
        ConfigAction::Schema => say(&format!("{}\n", Settings::schema().trim_end())),
    }
}

/// Reads a configuration file; all its mistakes are told at once.
pub fn read(file: &std::path::Path) -> Result<Settings, Failure> {
    let text = std::fs::read_to_string(file).cannot(format!("read {}", file.display()))?;
    Settings::from_yaml(&text).map_err(|problems| {
        Failure::new(format!("{} has mistakes\n{problems}", file.display()))
            .hint("`authstitch config default` prints a commented example with every key")
    })
}
