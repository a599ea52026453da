//! One batch of changes inside its transaction.

use authstitch_model::line::JourneyLine;
use authstitch_model::{JourneyId, KeyHash, Position};
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{OptionalExtension, Transaction, params, params_from_iter};

use crate::change::Change;
use crate::error::{Doing, StoreError};
use crate::schema;
use crate::store::id_bytes;

/// The changes applied so far, and the keys still to be written.
pub(crate) struct Batch<'t> {
    transaction: &'t Transaction<'t>,
    insert_journey: String,
    next_row: u64,
    partition_rows: u64,
    keys: Vec<(KeyHash, u64)>,
}

/// Where the newest revision of a journey stands.
struct Newest {
    revision: u32,
    /// Its row; `None` if it removed the journey.
    row: Option<i64>,
}

impl<'t> Batch<'t> {
    pub(crate) fn begin(transaction: &'t Transaction<'t>) -> Result<Self, StoreError> {
        Ok(Self {
            transaction,
            insert_journey: schema::insert_journey(),
            next_row: schema::state(transaction, schema::NEXT_ROW)?,
            partition_rows: schema::state(transaction, schema::PARTITION_ROWS)?.max(1),
            keys: Vec::new(),
        })
    }

    /// Applies one change, unless the store knows a revision as new or newer.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), StoreError> {
        let (journey, revision) = match change {
            Change::Put { line, .. } => (line.journey_id, line.revision),
            Change::Remove { journey, revision, .. } => (*journey, *revision),
        };
        let newest = self.newest(journey)?;
        if newest.as_ref().is_some_and(|newest| newest.revision >= revision) {
            return Ok(());
        }
        if let Some(row) = newest.and_then(|newest| newest.row) {
            self.delete(row)?;
        }
        match change {
            Change::Put { line, keys } => {
                let row = self.insert(line)?;
                self.keys.extend(keys.iter().map(|key| (*key, row)));
                self.remember(journey, revision, Some(row), None)
            }
            Change::Remove { into, .. } => self.remember(journey, revision, None, Some(*into)),
        }
    }

    /// Writes the keys, each partition's in order, and the numbers of the store.
    pub(crate) fn finish(mut self, position: Position) -> Result<(), StoreError> {
        let partition_rows = self.partition_rows;
        self.keys.sort_unstable_by_key(|(key, row)| (row / partition_rows, *key, *row));
        for keys in self.keys.chunk_by(|a, b| a.1 / partition_rows == b.1 / partition_rows) {
            self.insert_keys(keys[0].1 / partition_rows, keys)?;
        }
        self.set(schema::NEXT_ROW, self.next_row)?;
        self.set(schema::APPLIED, position.0)
    }

    fn newest(&self, journey: JourneyId) -> Result<Option<Newest>, StoreError> {
        self.transaction
            .prepare_cached("SELECT revision, row FROM ids WHERE journey = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([id_bytes(journey)], |row| {
                        Ok(Newest { revision: row.get(0)?, row: row.get(1)? })
                    })
                    .optional()
            })
            .doing("looking up a journey")
    }

    fn delete(&self, row: i64) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("DELETE FROM journeys WHERE row = ?1")
            .and_then(|mut statement| statement.execute([row]))
            .map(drop)
            .doing("deleting an old revision")
    }

    fn insert(&mut self, line: &JourneyLine) -> Result<u64, StoreError> {
        let body = serde_json::to_string(line)
            .map_err(|source| StoreError::Line { journey: line.journey_id, source })?;
        let row = self.next_row;
        self.next_row += 1;
        let row_value = std::iter::once(ToSqlOutput::Owned(Value::Integer(row.cast_signed())));
        let columns = schema::COLUMNS.iter().map(|(_, _, value)| value(line));
        let body_value = std::iter::once(ToSqlOutput::Owned(Value::Text(body)));
        self.transaction
            .prepare_cached(&self.insert_journey)
            .and_then(|mut statement| {
                statement.execute(params_from_iter(row_value.chain(columns).chain(body_value)))
            })
            .doing("storing a journey")?;
        Ok(row)
    }

    fn remember(
        &self,
        journey: JourneyId,
        revision: u32,
        row: Option<u64>,
        into: Option<JourneyId>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO ids (journey, revision, row, merged_into) VALUES (?1, ?2, ?3, ?4)";
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut statement| {
                let row = row.map(u64::cast_signed);
                statement.execute(params![id_bytes(journey), revision, row, into.map(id_bytes)])
            })
            .map(drop)
            .doing("noting a journey's revision")
    }

    fn insert_keys(&self, partition: u64, keys: &[(KeyHash, u64)]) -> Result<(), StoreError> {
        schema::create_keys(self.transaction, partition)?;
        let sql =
            format!("INSERT OR IGNORE INTO {} (key, row) VALUES (?1, ?2)", schema::keys_table(partition));
        self.transaction
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                keys.iter().try_for_each(|(key, row)| {
                    statement.execute(params![key.0.to_be_bytes(), row.cast_signed()]).map(drop)
                })
            })
            .doing("storing keys")
    }

    fn set(&self, name: &str, value: u64) -> Result<(), StoreError> {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.transaction
            .prepare_cached("UPDATE state SET value = max(value, ?2) WHERE name = ?1")
            .and_then(|mut statement| statement.execute(params![name, value]))
            .map(drop)
            .doing("noting the position")
    }
}
