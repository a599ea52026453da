//! `config`: check a configuration, show the example, show the schema.

use authstitch_service::Settings;

use crate::args::{self, ConfigAction};
use crate::failure::{Failure, Outcome, While};

pub fn run(args: &args::Config) -> Outcome {
    match &args.action {
        ConfigAction::Check { file } => {
            read(file)?;
            println!("{}: no mistakes", file.display());
        }
        ConfigAction::Default => print!("{}", Settings::default_yaml()),
        ConfigAction::Schema => println!("{}", Settings::schema().trim_end()),
    }
    Ok(())
}

/// Reads a configuration file; all its mistakes are told at once.
pub fn read(file: &std::path::Path) -> Result<Settings, Failure> {
    let text = std::fs::read_to_string(file).cannot(format!("read {}", file.display()))?;
    Settings::from_yaml(&text).map_err(|problems| {
        Failure::new(format!("{} has mistakes\n{problems}", file.display()))
            .hint("`authstitch config default` prints a commented example with every key")
    })
}
