//! The file: its name, its mark, its tables, and the columns of `journeys`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use authstitch_model::line::{DeviceLine, JourneyLine, Known};
use authstitch_model::{Phase, UnixNanos};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction};

use crate::caps;
use crate::error::{Doing, StoreError};

#[cfg(test)]
mod tests;

const FILE: &str = "authstitch.db";

/// The mark in the file's header that says whose it is: `auth` in ASCII.
const APPLICATION_ID: i64 = 0x6175_7468;

/// The layout below; a file of another layout is refused.
const LAYOUT: i64 = 1;

/// The position up to which everything is applied.
pub(crate) const APPLIED: &str = "applied_position";
/// The row that the next revision gets.
pub(crate) const NEXT_ROW: &str = "next_row";
/// How many rows share one table of keys; fixed when the file is made.
pub(crate) const PARTITION_ROWS: &str = "partition_rows";

/// The database of a data directory.
pub(crate) fn file(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// One column of `journeys`, its type, and where its value comes from.
type Column = (&'static str, &'static str, for<'a> fn(&'a JourneyLine) -> ToSqlOutput<'a>);

/// The scalar fields of a journey line. Times are RFC 3339 in UTC of one width, so they sort as text and
/// SQLite's date functions read them.
pub(crate) const COLUMNS: &[Column] = &[
    ("journey_id", "TEXT NOT NULL", |line| owned(line.journey_id.to_string())),
    ("revision", "INTEGER NOT NULL", |line| number(line.revision.into())),
    ("merged_into", "TEXT", |line| optional(line.merged_into.map(|id| owned(id.to_string())))),
    ("realm", "TEXT NOT NULL", |line| text(line.realm.as_str())),
    ("flow", "TEXT NOT NULL", |line| text(line.flow.code())),
    ("started_at", "TEXT NOT NULL", |line| time(line.started_at)),
    ("ended_at", "TEXT NOT NULL", |line| time(line.ended_at)),
    ("duration_ms", "INTEGER NOT NULL", |line| number(line.duration_ms)),
    ("outcome", "TEXT NOT NULL", |line| text(line.outcome.code())),
    ("cause", "TEXT", |line| optional(line.cause.map(|cause| text(cause.code())))),
    ("failing_phase", "TEXT", |line| optional(line.failing_phase.map(Phase::code).map(text))),
    ("end_act", "TEXT NOT NULL", |line| text(line.end_act.code())),
    ("relay_suspected", "INTEGER NOT NULL", |line| number(line.relay_suspected.into())),
    ("transport", "TEXT", |line| optional(line.transport.map(|transport| text(transport.value.code())))),
    ("transport_probability", "REAL", |line| optional(line.transport.map(|it| share(it.probability)))),
    ("transport_basis", "TEXT", |line| optional(line.transport.map(|it| text(it.basis.code())))),
    ("initiator_os", "TEXT", |line| known(initiator(line).os.as_ref())),
    ("initiator_browser", "TEXT", |line| known(initiator(line).browser.as_ref())),
    ("initiator_browser_version", "TEXT", |line| known(initiator(line).browser_version.as_ref())),
    ("initiator_device", "TEXT", |line| known(initiator(line).device.as_ref())),
    ("initiator_app_version", "TEXT", |line| known(initiator(line).app_version.as_ref())),
    ("authenticator_os", "TEXT", |line| known(authenticator(line).os.as_ref())),
    ("authenticator_browser", "TEXT", |line| known(authenticator(line).browser.as_ref())),
    ("authenticator_browser_version", "TEXT", |line| known(authenticator(line).browser_version.as_ref())),
    ("authenticator_device", "TEXT", |line| known(authenticator(line).device.as_ref())),
    ("authenticator_app_version", "TEXT", |line| known(authenticator(line).app_version.as_ref())),
    ("previous_journey", "TEXT", |line| optional(line.previous_journey.map(|id| owned(id.to_string())))),
    ("retried_after_ms", "INTEGER", |line| optional(line.retried_after_ms.map(number))),
    ("close_reason", "TEXT NOT NULL", |line| text(line.close_reason.code())),
    ("tables", "TEXT NOT NULL", |line| text(&line.tables)),
];

/// Fields that are read out of the line when asked for: too long to be stored twice, or seldom wanted.
const READ_FROM_LINE: &[(&str, &str)] = &[
    ("remedy", "$.remedy.action"),
    ("clock_offset_initiator_ms", "$.clock_offset_ms.initiator"),
    ("clock_offset_authenticator_ms", "$.clock_offset_ms.authenticator"),
    ("clock_offset_server_ms", "$.clock_offset_ms.server"),
    ("explanation", "$.explanation"),
];

fn initiator(line: &JourneyLine) -> &DeviceLine {
    &line.environment.initiator
}

fn authenticator(line: &JourneyLine) -> &DeviceLine {
    &line.environment.authenticator
}

fn text(text: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
}

fn owned<'a>(text: String) -> ToSqlOutput<'a> {
    ToSqlOutput::Owned(Value::Text(text))
}

fn time<'a>(time: UnixNanos) -> ToSqlOutput<'a> {
    owned(time.to_string())
}

fn number<'a>(number: u64) -> ToSqlOutput<'a> {
    ToSqlOutput::Owned(Value::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn share<'a>(share: f64) -> ToSqlOutput<'a> {
    ToSqlOutput::Owned(Value::Real(share))
}

fn optional(value: Option<ToSqlOutput<'_>>) -> ToSqlOutput<'_> {
    value.unwrap_or(ToSqlOutput::Owned(Value::Null))
}

fn known(known: Option<&Known>) -> ToSqlOutput<'_> {
    optional(known.map(|known| text(known.value.as_str())))
}

/// The statement that stores one revision: its row, its columns in order, and the line.
pub(crate) fn insert_journey() -> String {
    let names: Vec<_> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let places = vec!["?"; COLUMNS.len() + 2].join(", ");
    format!("INSERT INTO journeys (row, {}, line) VALUES ({places})", names.join(", "))
}

/// The table that holds the keys of a partition's rows.
pub(crate) fn keys_table(partition: u64) -> String {
    format!("keys_{partition}")
}

/// Makes the table of a partition's keys, if it is not there.
pub(crate) fn create_keys(transaction: &Transaction<'_>, partition: u64) -> Result<(), StoreError> {
    let table = keys_table(partition);
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {table} (key BLOB, row INTEGER, PRIMARY KEY (key, row)) WITHOUT ROWID"
    );
    transaction.execute_batch(&sql).doing("making a table of keys")
}

/// Makes an empty file into a store, and leaves a store as it is.
pub(crate) fn create(transaction: &Transaction<'_>, partition_rows: u64) -> Result<(), StoreError> {
    let stored = COLUMNS.iter().map(|(name, kind, _)| format!("{name} {kind}"));
    let read = READ_FROM_LINE
        .iter()
        .map(|(name, path)| format!("{name} GENERATED ALWAYS AS (line ->> '{path}') VIRTUAL"));
    let columns: Vec<_> = stored.chain(read).collect();
    let sql = format!(
        "CREATE TABLE journeys (row INTEGER PRIMARY KEY, {}, line TEXT NOT NULL);
         CREATE TABLE ids (journey BLOB PRIMARY KEY, revision INTEGER NOT NULL, row INTEGER, merged_into BLOB)
             WITHOUT ROWID;
         CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
         INSERT INTO state VALUES ('{APPLIED}', 0), ('{NEXT_ROW}', 0), ('{PARTITION_ROWS}', {partition_rows});
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {LAYOUT};",
        columns.join(", ")
    );
    transaction.execute_batch(&sql).doing("making the tables")
}

/// Whose file this is.
pub(crate) enum Owner {
    /// Nobody's: it is empty.
    Nobody,
    /// Ours, in the layout that we know.
    Us,
}

/// Reads whose file this is, and refuses one that is not ours or has another layout.
pub(crate) fn owner(connection: &Connection, path: &Path) -> Result<Owner, StoreError> {
    let foreign = || StoreError::Foreign { path: path.to_owned() };
    let read = |sql: &str| {
        connection.query_row(sql, (), |row| row.get::<_, i64>(0)).map_err(|error| {
            match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => foreign(),
                _ => StoreError::Sqlite { doing: "reading the header of the database", source: error },
            }
        })
    };
    let objects = read("SELECT count(*) FROM sqlite_schema")?;
    match (read("PRAGMA application_id")?, read("PRAGMA user_version")?, objects) {
        (0, 0, 0) => Ok(Owner::Nobody),
        (APPLICATION_ID, LAYOUT, _) => Ok(Owner::Us),
        (APPLICATION_ID, found, _) => Err(StoreError::Layout { path: path.to_owned(), found, known: LAYOUT }),
        _ => Err(foreign()),
    }
}

/// A number of the store itself.
pub(crate) fn state(connection: &Connection, name: &str) -> Result<u64, StoreError> {
    let value: Option<i64> = connection
        .prepare_cached("SELECT value FROM state WHERE name = ?1")
        .and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional())
        .doing("reading the state of the store")?;
    Ok(value.unwrap_or(0).max(0).cast_unsigned())
}

/// Settings that every connection shares.
pub(crate) fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_millis(caps::LOCK_WAIT_MS)).doing("setting the lock's wait")?;
    connection.set_prepared_statement_cache_capacity(caps::STATEMENTS_KEPT);
    Ok(())
}
