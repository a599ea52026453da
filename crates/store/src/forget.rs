//! Forgetting: journeys leave the store, and their bytes the files.
//!
//! - What is deleted is overwritten with zeros, where it stood and in whole pages that are given back (`secure_delete`).
//!   That leaves one gap: SQLite moves entries between pages when a page is full, and where an entry stood in the page
//!   before nothing is cleared. So the tables whose entries move are written anew, in order, which moves none: the ids, and
//!   the keys of each partition that has any of these. Rows only come at the end and move only to a neighbouring page when
//!   others leave; those around a forgotten one are taken out and put back, which clears their pages.
//! - Links of others that lead to a forgotten journey are cut where they stand. It is the one case in which a row is
//!   written anew; its revision stays what it was.
//! - All of this is one transaction. The log is emptied behind it; should a reader stand in the way, that is an error, and
//!   forgetting again does the rest.

use std::collections::{BTreeMap, BTreeSet};

use authstitch_model::{Forget, JourneyId, KeyHash};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::error::{Doing, StoreError};
use crate::reader::{judged_at, key_tables};
use crate::store::{Store, id_bytes};
use crate::{body, caps, schema};

/// What its statements do, where one fails.
const FORGETTING: &str = "forgetting";

#[cfg(test)]
mod tests;

impl Store {
    /// Adds every stored journey with a named id or key, with its events; and the ids of those that it took the place of.
    ///
    /// # Errors
    /// If the database or a stored journey cannot be read.
    pub fn recall(&self, forget: &mut Forget) -> Result<(), StoreError> {
        let snapshot = self.connection.unchecked_transaction().doing("beginning to read")?;
        for table in key_tables(&snapshot)? {
            for key in forget.named.clone() {
                for row in rows_of(&snapshot, &table, key)? {
                    if let Some(judged) =
                        judged_at(&snapshot, row)?.filter(|judged| judged.keys().contains(&key))
                    {
                        forget.journeys.insert(judged.journey.id);
                    }
                }
            }
        }
        let merged = merged(&snapshot)?;
        loop {
            let before = forget.journeys.len();
            for (journey, into) in &merged {
                if forget.journeys.contains(journey) || forget.journeys.contains(into) {
                    forget.journeys.extend([*journey, *into]);
                }
            }
            if forget.journeys.len() == before {
                break;
            }
        }
        for journey in forget.journeys.clone() {
            if let Some(row) = row_of(&snapshot, journey)?
                && let Some(judged) = judged_at(&snapshot, row)?
            {
                forget.add(journey, judged.journey.events.iter().map(|event| &event.event));
            }
        }
        Ok(())
    }

    /// Forgets journeys, and gives how many of them were stored. Nothing of them is in the files at the return.
    ///
    /// # Errors
    /// If the database fails, or a reader keeps its log; then it is to be done again.
    pub fn forget(&mut self, forget: &Forget) -> Result<u64, StoreError> {
        let transaction = self.begin()?;
        let mut rows = BTreeSet::new();
        for journey in &forget.journeys {
            rows.extend(row_of(&transaction, *journey)?);
            execute(&transaction, "DELETE FROM ids WHERE journey = ?1", [id_bytes(*journey)], FORGETTING)?;
        }
        let cut = cut_links(&transaction, forget)?;
        for row in &rows {
            execute(&transaction, "DELETE FROM revisions WHERE row = ?1", [row], FORGETTING)?;
        }
        clear_pages(&transaction, rows.union(&cut))?;
        for table in key_tables(&transaction)? {
            if knows(&transaction, &table, forget)? {
                // Keys whose rows are gone go with them.
                let those = "WHERE row IN (SELECT row FROM revisions) ORDER BY key, row";
                write_anew(&transaction, &table, schema::KEYS, those)?;
            }
        }
        write_anew(&transaction, "ids", schema::IDS, "ORDER BY journey")?;
        transaction.commit().doing("committing what is forgotten")?;
        self.empty_log()?;
        Ok(rows.len() as u64)
    }

    /// Moves the write-ahead log into the database and makes it empty.
    fn empty_log(&self) -> Result<(), StoreError> {
        let busy: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))
            .doing("emptying the write-ahead log")?;
        if busy == 0 { Ok(()) } else { Err(StoreError::LogInUse) }
    }
}

/// The rows that stand under a key, or under one that is half like it.
fn rows_of(transaction: &Transaction<'_>, table: &str, key: KeyHash) -> Result<Vec<i64>, StoreError> {
    transaction
        .prepare_cached(&format!("SELECT row FROM {table} WHERE key = ?1"))
        .and_then(|mut statement| statement.query_map([schema::stored_key(key)], |row| row.get(0))?.collect())
        .doing("looking up a key")
}

fn row_of(transaction: &Transaction<'_>, journey: JourneyId) -> Result<Option<i64>, StoreError> {
    let row: Option<Option<i64>> = transaction
        .prepare_cached("SELECT row FROM ids WHERE journey = ?1")
        .and_then(|mut statement| statement.query_row([id_bytes(journey)], |row| row.get(0)).optional())
        .doing("looking up a journey")?;
    Ok(row.flatten())
}

/// The journeys that became part of another, and of which.
fn merged(transaction: &Transaction<'_>) -> Result<BTreeMap<JourneyId, JourneyId>, StoreError> {
    let id = |bytes| JourneyId::from_u128(u128::from_be_bytes(bytes));
    transaction
        .prepare("SELECT journey, merged_into FROM ids WHERE merged_into IS NOT NULL")
        .and_then(|mut statement| {
            statement.query_map((), |row| Ok((id(row.get(0)?), id(row.get(1)?))))?.collect()
        })
        .doing("looking for merged journeys")
}

/// Cuts the links of stored journeys that lead to forgotten ones; gives their rows.
fn cut_links(transaction: &Transaction<'_>, forget: &Forget) -> Result<BTreeSet<i64>, StoreError> {
    let mut around = BTreeSet::new();
    for table in key_tables(transaction)? {
        for key in forget.shared.union(&forget.named) {
            around.extend(rows_of(transaction, &table, *key)?);
        }
    }
    let (mut cut, mut bytes) = (BTreeSet::new(), Vec::new());
    for row in around {
        let Some(mut judged) = judged_at(transaction, row)? else { continue };
        let journey = &mut judged.journey;
        let links = (journey.previous, journey.next);
        journey.previous = journey.previous.filter(|previous| !forget.journeys.contains(&previous.journey));
        journey.next = journey.next.filter(|next| !forget.journeys.contains(&next.journey));
        if (journey.previous, journey.next) != links {
            body::write(&judged, &mut bytes)?;
            execute(
                transaction,
                "UPDATE revisions SET body = ?2 WHERE row = ?1",
                params![row, bytes],
                FORGETTING,
            )?;
            cut.insert(row);
        }
    }
    Ok(cut)
}

/// Takes the rows around these out and puts them back: a page that is given back is cleared.
fn clear_pages<'a>(
    transaction: &Transaction<'_>,
    rows: impl Iterator<Item = &'a i64>,
) -> Result<(), StoreError> {
    let mut done = i64::MIN;
    for row in rows {
        let (from, to) = (done.max(row - caps::ROWS_CLEARED_AROUND), row + caps::ROWS_CLEARED_AROUND);
        done = to + 1;
        let batch = format!(
            "CREATE TEMP TABLE around AS SELECT * FROM revisions WHERE row BETWEEN {from} AND {to};
             DELETE FROM revisions WHERE row BETWEEN {from} AND {to};
             INSERT INTO revisions SELECT * FROM around ORDER BY row;
             DROP TABLE around;"
        );
        transaction.execute_batch(&batch).doing("clearing pages")?;
    }
    Ok(())
}

/// Whether a table has keys of a forgotten journey, with or without its row.
fn knows(transaction: &Transaction<'_>, table: &str, forget: &Forget) -> Result<bool, StoreError> {
    for key in forget.keys.iter().chain(&forget.shared).chain(&forget.named) {
        let is_there = format!(
            "SELECT 1 FROM {table} AS keys WHERE key = ?1
             AND NOT EXISTS (SELECT 1 FROM revisions WHERE revisions.row = keys.row)"
        );
        let found = transaction
            .prepare_cached(&is_there)
            .and_then(|mut statement| statement.exists([schema::stored_key(*key)]))
            .doing("looking up a key")?;
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes a table anew from its own entries.
fn write_anew(
    transaction: &Transaction<'_>,
    table: &str,
    columns: &str,
    those: &str,
) -> Result<(), StoreError> {
    schema::create(transaction, "anew", columns)?;
    let batch = format!(
        "INSERT INTO anew SELECT * FROM {table} {those};
         DROP TABLE {table};
         ALTER TABLE anew RENAME TO {table};"
    );
    transaction.execute_batch(&batch).doing("writing a table anew")
}

/// Runs one statement.
pub(crate) fn execute(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: impl rusqlite::Params,
    doing: &'static str,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(parameters))
        .map(drop)
        .doing(doing)
}
