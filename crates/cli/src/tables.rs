//! Model tables by the file that a command was given.

use std::path::Path;
use std::sync::Arc;

use authstitch_classify::Tables;
use authstitch_service::read_tables;

use crate::failure::Failure;

/// The tables of a file; without one, those that are part of the program.
pub fn of_file(file: Option<&Path>) -> Result<Arc<Tables>, Failure> {
    match file {
        Some(path) => read_tables(path).map_err(|error| Failure::new(error.to_string())),
        None => Ok(Tables::shipped()),
    }
}
