//! The one writer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use authstitch_model::{JourneyId, Position};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::batch::Batch;
use crate::caps;
use crate::change::Change;
use crate::error::{Doing, StoreError};
use crate::schema::{self, Owner};
use crate::wipe;

#[cfg(test)]
mod tests;

/// The store of a data directory, open for writing.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    /// The page that retiring wipes next.
    pub(crate) wiped: u32,
    /// Whether pages can be wiped one by one.
    pub(crate) wipes: bool,
}

impl Store {
    /// Whether there is a store in a data directory.
    #[must_use]
    pub fn is_in(directory: &Path) -> bool {
        schema::file(directory).exists()
    }

    /// The database of a data directory. What SQLite keeps beside it has names that begin with this one.
    #[must_use]
    pub fn file(directory: &Path) -> PathBuf {
        schema::file(directory)
    }

    /// Opens the store of a data directory, and makes both if they are not there.
    ///
    /// # Errors
    /// If the directory cannot be made, or its database is foreign, of another layout or broken.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::open_partitioned(directory, caps::PARTITION_ROWS)
    }

    /// As [`Self::open`]; a new store gets partitions of this many rows.
    pub(crate) fn open_partitioned(directory: &Path, partition_rows: u64) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory)
            .map_err(|source| StoreError::Directory { path: directory.to_owned(), source })?;
        let path = schema::file(directory);
        let mut connection = Connection::open(&path).doing("opening the database")?;
        schema::configure(&connection)?;
        // Whose file it is comes first: a foreign file must stay as it is.
        schema::owner(&connection, &path)?;
        let settings = format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -{}; PRAGMA wal_autocheckpoint = {};",
            caps::WRITER_CACHE_KIB,
            caps::LOG_PAGES
        );
        connection.execute_batch(&settings).doing("setting the database's durability")?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .doing("locking the database")?;
        if matches!(schema::owner(&transaction, &path)?, Owner::Nobody) {
            schema::create_all(&transaction, partition_rows)?;
        }
        transaction.commit().doing("making the store")?;
        let wipes = wipe::is_built_in(&connection)?;
        let wiped = u32::try_from(schema::state(&connection, schema::NEXT_WIPED)?).unwrap_or_default();
        let store = Self { connection, wiped, wipes };
        // What was forgotten when the process ended may still be there.
        store.empty_log_unless_read();
        Ok(store)
    }

    /// Whether copies that SQLite leaves of what is deleted are wiped page by page; where SQLite was built without that,
    /// forgetting writes the whole file anew, and retiring leaves them.
    #[must_use]
    pub const fn wipes_pages(&self) -> bool {
        self.wipes
    }

    /// Applies changes in their order and notes the position that they bring the store to, in one transaction
    /// that is on disk at the return. A position never goes back. Gives how many changes were news: a journey whose
    /// revision is known as new or newer stays as it is.
    ///
    /// # Errors
    /// If the disk or the database fails; then nothing of the batch is stored.
    pub fn apply(&mut self, changes: &[Change], position: Position) -> Result<u64, StoreError> {
        let transaction = self.begin()?;
        let mut batch = Batch::begin(&transaction)?;
        let mut news = 0;
        for change in changes {
            news += u64::from(batch.apply(change)?);
        }
        batch.finish(position)?;
        transaction.commit().doing("committing a batch")?;
        Ok(news)
    }

    pub(crate) fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .doing("locking the database")
    }

    /// Moves the write-ahead log into the database and makes it empty.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        let busy: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))
            .doing("emptying the write-ahead log")?;
        if busy == 0 { Ok(()) } else { Err(StoreError::LogInUse) }
    }

    /// As [`Self::empty_log`], without waiting. Where a reader stands in the way, or the disk fails, what comes next tries
    /// again.
    pub(crate) fn empty_log_unless_read(&self) {
        let wait = |milliseconds| self.connection.busy_timeout(Duration::from_millis(milliseconds));
        if wait(0).is_ok() {
            let _: Result<(), StoreError> = self.empty_log();
        }
        let _: rusqlite::Result<()> = wait(caps::LOCK_WAIT_MS);
    }

    /// The position up to which everything is applied.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn applied(&self) -> Result<Position, StoreError> {
        schema::state(&self.connection, schema::APPLIED).map(Position)
    }

    #[cfg(test)]
    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// A journey's id as it stands in the table of ids: big-endian, so that ids sort by time.
pub(crate) fn id_bytes(journey: JourneyId) -> [u8; 16] {
    journey.as_u128().to_be_bytes()
}
