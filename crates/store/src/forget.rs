//! Forgetting: journeys leave the store, and their bytes the files.
//!
//! - What is deleted is overwritten with zeros, where it stood (`secure_delete`) and wherever SQLite left a copy of it: all
//!   pages are wiped, see `wipe.rs`.
//! - Keys go from every table that has them under a row that is gone: the forgotten journeys', and those of revisions that
//!   were replaced.
//! - Links of others that lead to a forgotten journey are cut where they stand. It is the one case in which a row is
//!   written anew; its revision stays what it was.
//! - All of this is one transaction, but for the file that is written anew where pages cannot be wiped. The log is emptied behind it; should a reader stand in the way, that is an error, and
//!   forgetting again does the rest. Should the process end before, opening the store empties the log.

use std::collections::{BTreeMap, BTreeSet};

use authstitch_model::{Forget, JourneyId, KeyHash};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::error::{Doing, StoreError};
use crate::reader::{judged_at, key_tables};
use crate::store::{Store, id_bytes};
use crate::{body, schema, wipe};

/// What its statements do, where one fails.
const FORGETTING: &str = "forgetting";

#[cfg(test)]
mod gone;
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
        let wipes = self.wipes;
        let transaction = self.begin()?;
        let mut rows = BTreeSet::new();
        for journey in &forget.journeys {
            rows.extend(row_of(&transaction, *journey)?);
            execute(&transaction, "DELETE FROM ids WHERE journey = ?1", [id_bytes(*journey)], FORGETTING)?;
        }
        cut_links(&transaction, forget)?;
        for row in &rows {
            execute(&transaction, "DELETE FROM revisions WHERE row = ?1", [row], FORGETTING)?;
        }
        for table in key_tables(&transaction)? {
            let sql = format!(
                "DELETE FROM {table} WHERE key = ?1
                 AND NOT EXISTS (SELECT 1 FROM revisions WHERE revisions.row = {table}.row)"
            );
            for key in forget.keys.iter().chain(&forget.shared).chain(&forget.named) {
                execute(&transaction, &sql, [schema::stored_key(*key)], FORGETTING)?;
            }
        }
        if wipes {
            wipe::wipe(&transaction, 0..u32::MAX)?;
        }
        transaction.commit().doing("committing what is forgotten")?;
        if !wipes {
            // What stays is copied aside meanwhile, which may be more than there is memory.
            let anew = "PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY";
            self.connection.execute_batch(anew).doing("writing the database anew")?;
        }
        self.empty_log()?;
        Ok(rows.len() as u64)
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

/// Cuts the links of stored journeys that lead to forgotten ones.
fn cut_links(transaction: &Transaction<'_>, forget: &Forget) -> Result<(), StoreError> {
    let mut around = BTreeSet::new();
    for table in key_tables(transaction)? {
        for key in forget.shared.union(&forget.named) {
            around.extend(rows_of(transaction, &table, *key)?);
        }
    }
    let mut bytes = Vec::new();
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
        }
    }
    Ok(())
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
