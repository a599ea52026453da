//! Retention: what was received too long ago leaves the store, a piece at a time.
//!
//! - A journey's age is that of its first event's receipt, which its id begins with; so the oldest stand first among the
//!   ids, and nobody's clock but this machine's decides. A later revision makes a journey no younger.
//! - A piece is one transaction of so many journeys, short beside a batch of new ones.
//! - A table of keys goes whole once no row of its partition is left, and with it the keys of revisions that were replaced.
//!   As a partition ends by age, too (see `batch.rs`), keys leave at most [`caps::PARTITION_MS`] after their journey; those
//!   of a journey that was open when the partition began, later by as long as it had been open.
//! - Each piece wipes some pages, see `wipe.rs`, and goes round the file, across restarts; and when nothing is too old any more the log is
//!   emptied, unless somebody reads. So nothing of a retired journey outlives it by more than a round.
//! - The pages that this frees are zeros, and the next journeys are written there: the file stays as large as it ever was,
//!   and grows no more where as many come as go.

use authstitch_model::{Identity, JourneyId, UnixNanos};
use rusqlite::{Transaction, params};

use crate::error::{Doing, StoreError};
use crate::forget::execute;
use crate::reader::partitions;
use crate::store::{Store, id_bytes};
use crate::{caps, schema, wipe};

/// What its statements do, where one fails.
const RETIRING: &str = "retiring old journeys";

#[cfg(test)]
mod tests;

/// The id of a journey and its row, unless it became part of another.
type Old = ([u8; 16], Option<i64>);

impl Store {
    /// Removes the oldest journeys that were first heard of before a time, so many at most, and gives how many.
    ///
    /// # Errors
    /// If the database fails; then none is removed.
    pub fn retire(&mut self, before: UnixNanos, most: usize) -> Result<usize, StoreError> {
        let (from, wipes) = (self.wiped, self.wipes);
        let transaction = self.begin()?;
        let old = oldest(&transaction, before, most)?;
        for (journey, row) in &old {
            if let Some(row) = row {
                execute(&transaction, "DELETE FROM revisions WHERE row = ?1", params![row], RETIRING)?;
            }
            execute(&transaction, "DELETE FROM ids WHERE journey = ?1", params![journey], RETIRING)?;
        }
        drop_empty_partitions(&transaction)?;
        let to = from + caps::PAGES_WIPED;
        let next = if to > wipe::pages(&transaction)? { 0 } else { to };
        if wipes {
            wipe::wipe(&transaction, from..to)?;
        }
        if next != from {
            schema::set_state(&transaction, schema::NEXT_WIPED, next.into())?;
        }
        transaction.commit().doing("committing what was retired")?;
        self.wiped = next;
        if old.len() < most {
            self.empty_log_unless_read();
        }
        Ok(old.len())
    }
}

fn oldest(transaction: &Transaction<'_>, before: UnixNanos, most: usize) -> Result<Vec<Old>, StoreError> {
    let first_kept = id_bytes(JourneyId::new(before, Identity(0)));
    transaction
        .prepare_cached("SELECT journey, row FROM ids WHERE journey < ?1 ORDER BY journey LIMIT ?2")
        .and_then(|mut statement| {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows =
                statement.query_map(params![first_kept, most], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })
        .doing("looking for the oldest journeys")
}

/// Drops the tables of keys of which no row is left.
fn drop_empty_partitions(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let rows = schema::state(transaction, schema::PARTITION_ROWS)?.max(1);
    for partition in partitions(transaction)? {
        let first = partition * rows;
        let is_needed = transaction
            .prepare_cached("SELECT 1 FROM revisions WHERE row BETWEEN ?1 AND ?2")
            .and_then(|mut statement| statement.exists([first, first + rows - 1].map(u64::cast_signed)))
            .doing("looking for a partition's rows")?;
        if !is_needed {
            let sql = format!("DROP TABLE {}", schema::keys_table(partition));
            transaction.execute_batch(&sql).doing("dropping a table of keys")?;
        }
    }
    Ok(())
}
