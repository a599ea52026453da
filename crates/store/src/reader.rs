//! Reading beside the writer.

use std::path::Path;

use authstitch_model::line::JourneyLine;
use authstitch_model::{JourneyId, Judged, KeyHash, Position};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};

use crate::body;
use crate::caps;
use crate::error::{Doing, StoreError};
use crate::query::{Queries, Table};
use crate::schema::{self, Owner};
use crate::store::id_bytes;

#[cfg(test)]
mod tests;

/// The store of a data directory, open for reading. It sees every batch that was committed before the call,
/// and waits for no writer.
#[derive(Debug)]
pub struct Reader {
    lookups: Connection,
    queries: Queries,
    line: Line,
}

/// Makes the line of a journey: the words of its explanation are not stored.
pub type Line = fn(&Judged) -> JourneyLine;

impl Reader {
    /// Opens the store of a data directory, which a writer may hold open, too.
    ///
    /// # Errors
    /// If there is no database, or it is foreign, of another layout or broken.
    pub fn open(directory: &Path, line: Line) -> Result<Self, StoreError> {
        Ok(Self { lookups: connect(directory)?, queries: Queries::on(connect(directory)?, line)?, line })
    }

    /// The journey with this id, or the one that it became part of.
    ///
    /// # Errors
    /// If the database or the stored line cannot be read.
    pub fn journey(&self, id: JourneyId) -> Result<Option<JourneyLine>, StoreError> {
        let snapshot = self.snapshot()?;
        let mut wanted = id_bytes(id);
        for _ in 0..caps::MERGES_FOLLOWED {
            let found: Option<(Option<i64>, Option<[u8; 16]>)> = snapshot
                .prepare_cached("SELECT row, merged_into FROM ids WHERE journey = ?1")
                .and_then(|mut statement| {
                    statement.query_row([wanted], |row| Ok((row.get(0)?, row.get(1)?))).optional()
                })
                .doing("looking up a journey")?;
            match found {
                Some((Some(row), _)) => return Ok(judged_at(&snapshot, row)?.as_ref().map(self.line)),
                Some((None, Some(into))) => wanted = into,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The journeys that carry a key, the latest first, at most [`caps::KEY_JOURNEYS`].
    ///
    /// # Errors
    /// If the database or a stored line cannot be read.
    pub fn by_key(&self, key: KeyHash) -> Result<Vec<JourneyLine>, StoreError> {
        let snapshot = self.snapshot()?;
        let mut found = Vec::new();
        for table in key_tables(&snapshot)? {
            let limit = caps::KEY_JOURNEYS - found.len();
            if limit == 0 {
                break;
            }
            let sql = format!(
                "SELECT revisions.row, body FROM {table} AS keys JOIN revisions ON revisions.row = keys.row
                 WHERE key = ?1 ORDER BY keys.row DESC LIMIT ?2"
            );
            let rows = snapshot
                .prepare_cached(&sql)
                .and_then(|mut statement| {
                    let parameters = params![schema::stored_key(key), limit as i64];
                    statement.query_map(parameters, row_and_body)?.collect::<rusqlite::Result<Vec<_>>>()
                })
                .doing("looking up a key")?;
            for (row, body) in rows {
                let judged = body::read(row, &body)?;
                if judged.keys().contains(&key) {
                    found.push((self.line)(&judged));
                }
            }
        }
        found.sort_by_key(|line: &JourneyLine| std::cmp::Reverse((line.started_at, line.journey_id)));
        Ok(found)
    }

    /// Every journey, in the order in which the store learnt of its newest revision, as of this call.
    ///
    /// # Errors
    /// If the database cannot be read; a line that cannot be read is an error of its own.
    pub fn lines(&self) -> Result<Lines<'_>, StoreError> {
        Ok(Lines { snapshot: self.snapshot()?, line: self.line, after: -1, fetched: Vec::new().into_iter() })
    }

    /// Answers one SQL statement that only reads.
    ///
    /// # Errors
    /// If the statement does more than read, is not understood, or takes too much work.
    pub fn query(&self, sql: &str) -> Result<Table, StoreError> {
        self.queries.answer(sql)
    }

    /// The position up to which everything is applied.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn applied(&self) -> Result<Position, StoreError> {
        schema::state(&self.lookups, schema::APPLIED).map(Position)
    }

    /// One state of the database for several statements: a journey may move to another row between them.
    fn snapshot(&self) -> Result<Transaction<'_>, StoreError> {
        self.lookups.unchecked_transaction().doing("beginning to read")
    }
}

/// Every journey of a store. An error ends it.
#[derive(Debug)]
pub struct Lines<'r> {
    snapshot: Transaction<'r>,
    line: Line,
    after: i64,
    fetched: std::vec::IntoIter<(i64, Vec<u8>)>,
}

impl Lines<'_> {
    fn fetch(&self) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        self.snapshot
            .prepare_cached("SELECT row, body FROM revisions WHERE row > ?1 ORDER BY row LIMIT ?2")
            .and_then(|mut statement| {
                let parameters = params![self.after, caps::LINES_FETCHED as i64];
                statement.query_map(parameters, row_and_body)?.collect()
            })
            .doing("reading all journeys")
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<JourneyLine, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.fetched.as_slice().is_empty() {
            match self.fetch() {
                Ok(lines) => self.fetched = lines.into_iter(),
                Err(error) => {
                    self.after = i64::MAX;
                    return Some(Err(error));
                }
            }
        }
        let (row, body) = self.fetched.next()?;
        self.after = row;
        Some(body::read(row, &body).map(|judged| (self.line)(&judged)))
    }
}

pub(crate) fn connect(directory: &Path) -> Result<Connection, StoreError> {
    let path = schema::file(directory);
    let missing = || StoreError::Missing { path: path.clone() };
    if !path.exists() {
        return Err(missing());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).doing("opening the database")?;
    schema::configure(&connection)?;
    match schema::owner(&connection, &path)? {
        Owner::Us => Ok(connection),
        Owner::Nobody => Err(missing()),
    }
}

/// The tables of keys, the newest rows' first.
pub(crate) fn key_tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
    Ok(partitions(connection)?.into_iter().map(schema::keys_table).collect())
}

/// The partitions that have a table of keys, the newest first.
pub(crate) fn partitions(connection: &Connection) -> Result<Vec<u64>, StoreError> {
    let mut partitions: Vec<u64> = connection
        .prepare_cached("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'keys_*'")
        .and_then(|mut statement| {
            statement.query_map((), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()
        })
        .doing("listing the tables of keys")?
        .iter()
        .filter_map(|name| name.strip_prefix("keys_")?.parse().ok())
        .collect();
    partitions.sort_unstable_by(|a, b| b.cmp(a));
    Ok(partitions)
}

pub(crate) fn judged_at(connection: &Connection, row: i64) -> Result<Option<Judged>, StoreError> {
    let body: Option<Vec<u8>> = connection
        .prepare_cached("SELECT body FROM revisions WHERE row = ?1")
        .and_then(|mut statement| statement.query_row([row], |row| row.get(0)).optional())
        .doing("reading a journey")?;
    body.map(|body| body::read(row, &body)).transpose()
}

fn row_and_body(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Vec<u8>)> {
    Ok((row.get(0)?, row.get(1)?))
}
