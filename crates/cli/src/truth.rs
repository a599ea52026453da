//! Truth files: one truth line an attempt.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use authstitch_model::truth::TruthLine;

use crate::failure::{Failure, While};

/// Every line of a truth file.
pub fn read(path: &Path) -> Result<Vec<TruthLine>, Failure> {
    let file = File::open(path).cannot(format!("read {}", path.display()))?;
    authstitch_evaluate::read_truth(BufReader::new(file)).cannot(format!("read {}", path.display()))
}
