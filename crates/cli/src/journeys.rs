//! Where journey lines come from: a file, or a store.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use authstitch_model::line::JourneyLine;
use authstitch_store::Reader;

use crate::failure::{Failure, While};

/// The data directory used where none is named.
pub const DEFAULT_DATA_DIR: &str = "authstitch-data";

/// The data directory that a command was given, else the usual one.
pub fn data_dir(named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| PathBuf::from(DEFAULT_DATA_DIR), Path::to_owned)
}

/// Opens the store of a data directory for reading.
pub fn open_store(dir: &Path) -> Result<Reader, Failure> {
    Reader::open(dir, authstitch_engine::line).map_err(|error| {
        Failure::new(error.to_string())
            .hint("`authstitch serve --data-dir DIR` makes a store; name the same directory with --data-dir")
    })
}

/// Every journey of a store.
pub fn from_store(dir: &Path) -> Result<Vec<JourneyLine>, Failure> {
    let what = format!("read the journeys in {}", dir.display());
    let reader = open_store(dir)?;
    reader.lines().cannot(&what)?.collect::<Result<_, _>>().cannot(&what)
}

/// Every journey of a file of journey lines.
pub fn from_file(path: &Path) -> Result<Vec<JourneyLine>, Failure> {
    let file = File::open(path).cannot(format!("read {}", path.display()))?;
    authstitch_evaluate::read_journeys(BufReader::new(file)).cannot(format!("read {}", path.display()))
}
