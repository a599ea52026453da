//! One batch of changes inside its transaction.
//!
//! A row gets the number behind the last. It begins a partition of keys where the one before is full, and where its journey
//! was first heard of too long after that of the partition's first row: then the numbers left of that partition are passed
//! over.

use authstitch_model::{JourneyId, Judged, Position};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Params, Transaction, params, params_from_iter};

use crate::body;
use crate::caps;
use crate::change::Change;
use crate::error::{Doing, StoreError};
use crate::schema;
use crate::store::id_bytes;

/// The changes applied so far, and the keys still to be written.
pub(crate) struct Batch<'t> {
    transaction: &'t Transaction<'t>,
    insert_revision: String,
    next_row: u64,
    partition_rows: u64,
    partition_began: u64,
    keys: Vec<(i64, u64)>,
    body: Vec<u8>,
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
            insert_revision: schema::insert_revision(),
            next_row: schema::state(transaction, schema::NEXT_ROW)?,
            partition_rows: schema::state(transaction, schema::PARTITION_ROWS)?.max(1),
            partition_began: schema::state(transaction, schema::PARTITION_BEGAN)?,
            keys: Vec::new(),
            body: Vec::new(),
        })
    }

    /// Applies one change, unless the store knows a revision as new or newer; says whether it did.
    pub(crate) fn apply(&mut self, change: &Change) -> Result<bool, StoreError> {
        match change {
            Change::Put(judged) => {
                let journey = &judged.journey;
                let row = self.row_for(journey.id);
                let is_news = self.supersede(journey.id, journey.revision, Some(row), None)?;
                if is_news {
                    self.insert(judged, row)?;
                }
                Ok(is_news)
            }
            Change::Remove { journey, revision, into } => {
                self.supersede(*journey, *revision, None, Some(*into))
            }
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
        self.set(schema::PARTITION_BEGAN, self.partition_began)?;
        self.set(schema::APPLIED, position.0)
    }

    /// The row of a journey's next revision.
    fn row_for(&self, journey: JourneyId) -> u64 {
        let begun = !self.next_row.is_multiple_of(self.partition_rows);
        match begun && heard_of(journey) > self.partition_began.saturating_add(caps::PARTITION_MS) {
            true => self.next_row.next_multiple_of(self.partition_rows),
            false => self.next_row,
        }
    }

    /// Notes the newest revision of a journey and takes the one before it away; false if the store knows one as
    /// new or newer. Most journeys are new, and one statement says so.
    fn supersede(
        &self,
        journey: JourneyId,
        revision: u32,
        row: Option<u64>,
        into: Option<JourneyId>,
    ) -> Result<bool, StoreError> {
        let id = id_bytes(journey);
        let row = row.map(u64::cast_signed);
        let into = into.map(id_bytes);
        let new = self.execute(
            "INSERT INTO ids (journey, revision, row, merged_into) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (journey) DO NOTHING",
            params![id, revision, row, into],
        )?;
        if new > 0 {
            return Ok(true);
        }
        let newest: Newest = self
            .transaction
            .prepare_cached("SELECT revision, row FROM ids WHERE journey = ?1")
            .and_then(|mut statement| {
                statement.query_row([id], |row| Ok(Newest { revision: row.get(0)?, row: row.get(1)? }))
            })
            .doing("looking up a journey")?;
        if newest.revision >= revision {
            return Ok(false);
        }
        if let Some(old) = newest.row {
            self.execute("DELETE FROM revisions WHERE row = ?1", [old])?;
        }
        self.execute(
            "UPDATE ids SET revision = ?2, row = ?3, merged_into = ?4 WHERE journey = ?1",
            params![id, revision, row, into],
        )?;
        Ok(true)
    }

    fn execute(&self, sql: &str, parameters: impl Params) -> Result<usize, StoreError> {
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .doing("changing what is stored")
    }

    fn insert(&mut self, judged: &Judged, row: u64) -> Result<(), StoreError> {
        if row.is_multiple_of(self.partition_rows) {
            self.partition_began = self.partition_began.max(heard_of(judged.journey.id));
        }
        self.next_row = row + 1;
        self.keys.extend(judged.keys().into_iter().map(|key| (schema::stored_key(key), row)));
        body::write(judged, &mut self.body)?;
        let row_value = std::iter::once(ToSqlOutput::Owned(Value::Integer(row.cast_signed())));
        let columns = schema::COLUMNS.iter().map(|(_, _, value)| value(judged));
        let body = std::iter::once(ToSqlOutput::Borrowed(ValueRef::Blob(&self.body)));
        self.transaction
            .prepare_cached(&self.insert_revision)
            .and_then(|mut statement| {
                statement.execute(params_from_iter(row_value.chain(columns).chain(body)))
            })
            .map(drop)
            .doing("storing a journey")
    }

    fn insert_keys(&self, partition: u64, keys: &[(i64, u64)]) -> Result<(), StoreError> {
        schema::create_keys(self.transaction, partition)?;
        let sql =
            format!("INSERT OR REPLACE INTO {} (key, row) VALUES (?1, ?2)", schema::keys_table(partition));
        self.transaction
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                keys.iter().try_for_each(|(key, row)| statement.execute([*key, row.cast_signed()]).map(drop))
            })
            .doing("storing keys")
    }

    /// Notes a number; none of them ever goes back.
    fn set(&self, name: &str, value: u64) -> Result<(), StoreError> {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.execute(
            "INSERT INTO state VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = max(value, ?2)",
            params![name, value],
        )
        .map(drop)
    }
}

/// When a journey was first heard of, in milliseconds since 1970: its id begins with it.
const fn heard_of(journey: JourneyId) -> u64 {
    (journey.as_u128() >> 80) as u64
}
