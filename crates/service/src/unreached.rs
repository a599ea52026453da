//! What an earlier server left in the data directory and this one does not work with.
//!
//! - A server without a store does not reach a store that is there, one without a journal no journal: nothing in them gets
//!   too old for them, and nothing is forgotten in them.
//! - Such a server says so at its start, with the file and the next step.
//! - It forgets what it knows and then answers that it is not forgotten everywhere, as long as the file is there.

use std::fs;
use std::path::{Path, PathBuf};

use authstitch_journal::Directory;
use authstitch_store::Store;

use crate::log::{Log, LogLevel};

/// The files of a data directory that a server would work with if it were set so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unreached {
    store: Option<PathBuf>,
    journal: Option<PathBuf>,
}

impl Unreached {
    /// What a server leaves alone that works with a store, or not, and with a journal, or not.
    pub(crate) fn of(directory: Option<&Path>, has_store: bool, has_journal: bool) -> Self {
        Self {
            store: directory.filter(|_| !has_store).map(Store::file),
            journal: directory.filter(|_| !has_journal).map(|directory| directory.join("journal")),
        }
    }

    /// Tells what is there.
    pub(crate) fn tell(&self, log: &Log) {
        for (file, sentence) in self.there() {
            let sentence = format!("unreached: {sentence}");
            log.tell(LogLevel::Warn, "unreached", &sentence, &[("file", file.display().to_string().into())]);
        }
    }

    /// Whether all that may be there is worked with.
    ///
    /// # Errors
    /// What is there and not worked with, for a person.
    pub(crate) fn check(&self) -> Result<(), String> {
        let sentences: Vec<_> = self.there().map(|(_, sentence)| sentence).collect();
        if sentences.is_empty() { Ok(()) } else { Err(sentences.join("; ")) }
    }

    fn there(&self) -> impl Iterator<Item = (&Path, String)> {
        let store = self.store.as_deref().filter(|file| is_there(file)).map(|file| {
            let why = "holds journeys, and this server works without a store: neither retention nor forgetting reaches \
                       them; remove it with the files beside it whose names begin with its own, or start with \
                       `store: true` and without `--no-store`";
            (file, format!("{} {why}", file.display()))
        });
        let journal = self.journal.as_deref().filter(|file| Directory::holds_files(file)).map(|file| {
            let why = "holds events, and this server works without a journal: neither retention nor forgetting reaches \
                       them; remove it, or start with `durability: fsync` or `os`";
            (file, format!("{} {why}", file.display()))
        });
        store.into_iter().chain(journal)
    }
}

/// Whether a file is there, or one whose name begins with its own.
fn is_there(file: &Path) -> bool {
    let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else { return false };
    let mut files = fs::read_dir(directory).into_iter().flatten().flatten();
    files.any(|file| file.file_name().as_encoded_bytes().starts_with(name.as_encoded_bytes()))
}
