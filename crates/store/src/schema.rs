//! The file: its name, its mark, its tables; and `journeys`, as which queries see what is stored.

use std::path::{Path, PathBuf};
use std::time::Duration;

use authstitch_model::ids::Text;
use authstitch_model::{Environment, Judged, KeyHash, Phase, Side, UnixNanos};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};

use crate::caps;
use crate::error::{Doing, StoreError};

#[cfg(test)]
mod tests;

const FILE: &str = "authstitch.db";

/// The mark in the file's header that says whose it is: `auth` in ASCII.
const APPLICATION_ID: i64 = 0x6175_7468;

/// The layout below; a file of another layout is refused.
const LAYOUT: i64 = 2;

/// The position up to which everything is applied.
pub(crate) const APPLIED: &str = "applied_position";
/// The row that the next revision gets.
pub(crate) const NEXT_ROW: &str = "next_row";
/// When the journey of the partition's first row was first heard of, in milliseconds since 1970. A file that an earlier
/// version wrote has no such number, so its partition ends with the next row.
pub(crate) const PARTITION_BEGAN: &str = "partition_began";
/// The page that retiring wipes next.
pub(crate) const NEXT_WIPED: &str = "next_wiped_page";
/// How many rows share one table of keys; fixed when the file is made.
pub(crate) const PARTITION_ROWS: &str = "partition_rows";

/// The database of a data directory.
pub(crate) fn file(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// One column, its type, and where its value comes from.
type Column = (&'static str, &'static str, for<'a> fn(&'a Judged) -> ToSqlOutput<'a>);

/// The scalar fields of a journey line that are stored as columns: those that queries choose and group by. Times are
/// RFC 3339 in UTC of one width, so they sort as text and SQLite's date functions read them.
pub(crate) const COLUMNS: &[Column] = &[
    ("journey_id", "TEXT NOT NULL", |it| owned(it.journey.id.to_string())),
    ("revision", "INTEGER NOT NULL", |it| number(it.journey.revision.into())),
    ("realm", "TEXT NOT NULL", |it| text(it.journey.realm.as_str())),
    ("flow", "TEXT NOT NULL", |it| text(it.journey.flow.code())),
    ("started_at", "TEXT NOT NULL", |it| time(it.journey.started_at())),
    ("ended_at", "TEXT NOT NULL", |it| time(it.journey.ended_at())),
    ("duration_ms", "INTEGER NOT NULL", |it| number(it.journey.duration().0)),
    ("outcome", "TEXT NOT NULL", |it| text(it.verdict.outcome().code())),
    ("cause", "TEXT", |it| optional(it.verdict.cause().map(|cause| text(cause.code())))),
    ("failing_phase", "TEXT", |it| optional(it.verdict.failing_phase().map(Phase::code).map(text))),
    ("end_act", "TEXT NOT NULL", |it| text(it.verdict.end_act.code())),
    ("relay_suspected", "INTEGER NOT NULL", |it| number(it.verdict.relay_suspected.into())),
    ("transport", "TEXT", |it| optional(it.verdict.transport.map(|transport| text(transport.value.code())))),
    ("initiator_os", "TEXT", |it| found(it, Side::Initiator, |on| on.os.as_ref().map(|os| &os.name))),
    ("initiator_browser", "TEXT", |it| {
        found(it, Side::Initiator, |on| on.browser.as_ref().map(|browser| &browser.name))
    }),
    ("authenticator_os", "TEXT", |it| found(it, Side::Authenticator, |on| on.os.as_ref().map(|os| &os.name))),
    ("authenticator_device", "TEXT", |it| found(it, Side::Authenticator, |on| on.device.as_ref())),
    ("close_reason", "TEXT NOT NULL", |it| text(it.journey.close_reason.code())),
    ("tables", "TEXT NOT NULL", |it| text(&it.tables)),
];

/// The function that makes a journey's line of its stored body.
pub(crate) const LINE: &str = "journey_line";

/// `journeys`, one row a journey: its row, then the scalar fields of its line. What is no column of the table is read
/// out of the line, which is made when it is asked for.
const JOURNEYS: &[(&str, Option<&str>)] = &[
    ("journey_id", None),
    ("revision", None),
    ("merged_into", Some("$.merged_into")),
    ("realm", None),
    ("flow", None),
    ("started_at", None),
    ("ended_at", None),
    ("duration_ms", None),
    ("outcome", None),
    ("cause", None),
    ("failing_phase", None),
    ("end_act", None),
    ("relay_suspected", None),
    ("transport", None),
    ("transport_probability", Some("$.transport.probability")),
    ("transport_basis", Some("$.transport.basis")),
    ("initiator_os", None),
    ("initiator_browser", None),
    ("initiator_browser_version", Some("$.environment.initiator.browser_version.value")),
    ("initiator_device", Some("$.environment.initiator.device.value")),
    ("initiator_app_version", Some("$.environment.initiator.app_version.value")),
    ("authenticator_os", None),
    ("authenticator_browser", Some("$.environment.authenticator.browser.value")),
    ("authenticator_browser_version", Some("$.environment.authenticator.browser_version.value")),
    ("authenticator_device", None),
    ("authenticator_app_version", Some("$.environment.authenticator.app_version.value")),
    ("previous_journey", Some("$.previous_journey")),
    ("retried_after_ms", Some("$.retried_after_ms")),
    ("close_reason", None),
    ("tables", None),
    ("remedy", Some("$.remedy.action")),
    ("clock_offset_initiator_ms", Some("$.clock_offset_ms.initiator")),
    ("clock_offset_authenticator_ms", Some("$.clock_offset_ms.authenticator")),
    ("clock_offset_server_ms", Some("$.clock_offset_ms.server")),
    ("explanation", Some("$.explanation")),
];

/// The statement that lets a connection see `journeys`; it must know the function [`LINE`].
pub(crate) fn journeys() -> String {
    let columns = JOURNEYS.iter().map(|(name, path)| match path {
        None => (*name).to_owned(),
        Some(path) => format!("{LINE}(row, body) ->> '{path}' AS {name}"),
    });
    let columns: Vec<_> = columns.collect();
    format!(
        "CREATE TEMP VIEW journeys AS SELECT row, {}, {LINE}(row, body) AS line FROM revisions",
        columns.join(", ")
    )
}

/// The first that a side's events say of what they ran on.
fn found(judged: &Judged, side: Side, value: fn(&Environment) -> Option<&Text>) -> ToSqlOutput<'_> {
    let found = judged.journey.environments(side).find_map(|environment| value(environment));
    optional(found.map(|found| text(found.as_str())))
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

fn optional(value: Option<ToSqlOutput<'_>>) -> ToSqlOutput<'_> {
    value.unwrap_or(ToSqlOutput::Owned(Value::Null))
}

/// The statement that stores one revision: its row, its columns in order, and its body.
pub(crate) fn insert_revision() -> String {
    let names: Vec<_> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let places = vec!["?"; COLUMNS.len() + 2].join(", ");
    format!("INSERT INTO revisions (row, {}, body) VALUES ({places})", names.join(", "))
}

/// The half of a key that stands in its table. A number is found faster than bytes, and the journey that it leads to
/// says whether it has the whole key.
pub(crate) const fn stored_key(key: KeyHash) -> i64 {
    key.get() as i64
}

/// The table that holds the keys of a partition's rows.
pub(crate) fn keys_table(partition: u64) -> String {
    format!("keys_{partition}")
}

/// Makes the table of a partition's keys, if it is not there.
pub(crate) fn create_keys(transaction: &Transaction<'_>, partition: u64) -> Result<(), StoreError> {
    create(transaction, &keys_table(partition), KEYS)
}

/// The columns of a table of keys.
pub(crate) const KEYS: &str = "key INTEGER, row INTEGER, PRIMARY KEY (key, row)";
/// The columns of the table of ids.
pub(crate) const IDS: &str =
    "journey BLOB PRIMARY KEY, revision INTEGER NOT NULL, row INTEGER, merged_into BLOB";

/// Makes a table in the order of its primary key, if it is not there.
pub(crate) fn create(transaction: &Transaction<'_>, table: &str, columns: &str) -> Result<(), StoreError> {
    let sql = format!("CREATE TABLE IF NOT EXISTS {table} ({columns}) WITHOUT ROWID");
    transaction.execute_batch(&sql).doing("making a table")
}

/// Makes an empty file into a store, and leaves a store as it is.
pub(crate) fn create_all(transaction: &Transaction<'_>, partition_rows: u64) -> Result<(), StoreError> {
    let columns: Vec<_> = COLUMNS.iter().map(|(name, kind, _)| format!("{name} {kind}")).collect();
    let sql = format!(
        "CREATE TABLE revisions (row INTEGER PRIMARY KEY, {}, body BLOB NOT NULL);
         CREATE TABLE ids ({IDS}) WITHOUT ROWID;
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

/// Notes a number of the store itself.
pub(crate) fn set_state(connection: &Connection, name: &str, value: u64) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO state VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")
        .and_then(|mut statement| statement.execute(params![name, value.cast_signed()]))
        .map(drop)
        .doing("noting the state of the store")
}

/// Settings that every connection shares.
pub(crate) fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_millis(caps::LOCK_WAIT_MS)).doing("setting the lock's wait")?;
    connection.set_prepared_statement_cache_capacity(caps::STATEMENTS_KEPT);
    Ok(())
}
