//! What can go wrong with the store, said so that the reader knows what to do next.

use std::fmt;
use std::path::PathBuf;

use authstitch_model::JourneyId;

use crate::caps;

/// Why the store could not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no database to read.
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is not authstitch's.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a version of authstitch with another layout.
    Layout {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The layout that this version reads and writes.
        known: i64,
    },
    /// The data directory cannot be made.
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A statement that does more than read, or more than one statement.
    NotOneRead {
        /// What was asked for.
        found: String,
    },
    /// A query that SQLite does not understand.
    Query {
        /// What SQLite says.
        message: String,
    },
    /// A query that takes too much work.
    TooMuchWork,
    /// A stored journey that cannot be read.
    Body {
        /// Its row.
        row: i64,
        /// What is wrong with it.
        source: postcard::Error,
    },
    /// A journey that cannot be written.
    Unwritable {
        /// The journey.
        journey: JourneyId,
        /// What is wrong with it.
        source: postcard::Error,
    },
    /// A reader keeps the write-ahead log from being emptied.
    LogInUse,
    /// SQLite failed at something.
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(
                f,
                "there is no database at {}; `authstitch serve` with this data directory makes one",
                path.display()
            ),
            Self::Foreign { path } => write!(
                f,
                "{} is not a database of authstitch; choose another data directory, or move the file away",
                path.display()
            ),
            Self::Layout { path, found, known } => write!(
                f,
                "{} has layout {found}, this version of authstitch knows layout {known}; use the version that \
                 wrote the file, or another data directory",
                path.display()
            ),
            Self::Directory { path, source } => {
                write!(f, "the data directory {} cannot be made: {source}", path.display())
            }
            Self::NotOneRead { found } => write!(
                f,
                "{found} is refused: a query is one statement that only reads; SELECT, WITH … SELECT, EXPLAIN \
                 and PRAGMA table_xinfo(…) are accepted"
            ),
            Self::Query { message } => write!(
                f,
                "the query failed: {message}; `PRAGMA table_xinfo(journeys)` lists the columns of `journeys`"
            ),
            Self::TooMuchWork => write!(
                f,
                "the query was stopped after {} steps; narrow it, for example by `started_at`",
                caps::QUERY_STEPS
            ),
            Self::Body { row, source } => write!(f, "the journey in row {row} cannot be read: {source}"),
            Self::Unwritable { journey, source } => {
                write!(f, "journey {journey} cannot be written: {source}")
            }
            Self::LogInUse => f.write_str(
                "what is forgotten is still in the write-ahead log of the store, for a reader holds it; end long queries \
                 and forget again",
            ),
            Self::Sqlite { doing, source } => write!(f, "{doing} failed: {source}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Directory { source, .. } => Some(source),
            Self::Body { source, .. } | Self::Unwritable { source, .. } => Some(source),
            Self::Sqlite { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Names what was being done when SQLite failed.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { doing, source })
    }
}
