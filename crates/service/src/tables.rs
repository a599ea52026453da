//! Model tables from a file, in the place of the shipped ones.
//!
//! - A file with a mistake is refused whole, and all its mistakes are told at once.
//! - A running service reads its file again when it is asked to; journeys judged from then on are judged by the
//!   new tables. If the file is refused, the old tables stay.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authstitch_engine::Tables;
use authstitch_model::document::Problems;

use crate::caps;

/// Why tables cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum TablesError {
    /// The settings name no file.
    NotNamed,
    /// The service does not take them now, and why.
    NotTaken(String),
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is larger than any tables are.
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file has mistakes.
    Wrong {
        /// The file.
        path: PathBuf,
        /// All of them.
        problems: Problems,
    },
}

impl fmt::Display for TablesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNamed => f.write_str(
                "no file of tables is named; name one with `tables: FILE` in the configuration and start again",
            ),
            Self::NotTaken(why) => write!(f, "the tables are not taken: {why}"),
            Self::Unreadable { path, source } => {
                write!(f, "the tables in {} cannot be read: {source}", path.display())
            }
            Self::TooLong { path } => write!(
                f,
                "{} has more than {} bytes; a file of tables has far less",
                path.display(),
                caps::TABLES_BYTES
            ),
            Self::Wrong { path, problems } => {
                write!(f, "the tables in {} have mistakes\n{problems}", path.display())
            }
        }
    }
}

impl std::error::Error for TablesError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::NotNamed | Self::NotTaken(_) | Self::TooLong { .. } | Self::Wrong { .. } => None,
        }
    }
}

/// Reads a file of tables.
///
/// # Errors
/// If it cannot be read, or with all its mistakes at once.
pub fn read_tables(path: &Path) -> Result<Arc<Tables>, TablesError> {
    let unreadable = |source| TablesError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(caps::TABLES_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > caps::TABLES_BYTES {
        return Err(TablesError::TooLong { path: path.to_owned() });
    }
    let tables = Tables::from_json(&text);
    tables.map(Arc::new).map_err(|problems| TablesError::Wrong { path: path.to_owned(), problems })
}
