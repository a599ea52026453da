//! One statement that only reads, for people and scripts.
//!
//! Three locks lie on it. The file is open for reading only. SQLite asks an authorizer about everything that a
//! statement would do, and the authorizer allows reading and nothing else. A statement that returns no columns
//! is refused. Work, rows and bytes are bounded by counting, not by the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ErrorCode};
use serde_json::Value;

use crate::caps;
use crate::error::{Doing, StoreError};
use crate::reader::Line;
use crate::{body, schema};

#[cfg(test)]
mod tests;

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with one value a column. Numbers, texts and nulls are themselves, bytes are lowercase
    /// hex.
    pub rows: Vec<Vec<Value>>,
    /// What to tell the reader if rows were left out.
    pub note: Option<String>,
}

/// Pragmas that describe the tables. Each is only allowed with what it describes, or nothing.
const PRAGMAS: &[&str] =
    &["table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "user_version"];

/// SQLite's view of the file's pages, by which the writer wipes them.
const PAGES: &str = "sqlite_dbpage";

/// A connection that answers queries.
#[derive(Debug)]
pub(crate) struct Queries {
    connection: Connection,
    steps_left: Arc<AtomicU64>,
}

impl Queries {
    /// Puts the locks on a connection that is open for reading only.
    pub(crate) fn on(mut connection: Connection, line: Line) -> Result<Self, StoreError> {
        let doing = "preparing for queries";
        let steps_left = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps_left);
        let tell = move |context: &mut Context<'_>| {
            // Where nothing is left, the next look ends the query.
            let _ = counted.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_sub(caps::STEPS_OF_LINE))
            });
            line_of(context, line)
        };
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        connection.create_scalar_function(schema::LINE, 2, flags, tell).doing(doing)?;
        let settings =
            format!("PRAGMA temp_store = MEMORY; {}; PRAGMA query_only = TRUE;", schema::journeys());
        connection.execute_batch(&settings).doing(doing)?;
        for (limit, value) in [
            (Limit::SQLITE_LIMIT_LENGTH, caps::VALUE_BYTES),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, caps::SQL_BYTES),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
        ] {
            connection.set_limit(limit, value).doing(doing)?;
        }
        connection.authorizer(Some(authorize)).doing(doing)?;
        let counted = Arc::clone(&steps_left);
        let stop = move || {
            let look = u64::from(caps::STEPS_PER_LOOK.unsigned_abs());
            counted.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(look)).is_err()
        };
        connection.progress_handler(caps::STEPS_PER_LOOK, Some(stop)).doing(doing)?;
        Ok(Self { connection, steps_left })
    }

    /// Answers one statement.
    pub(crate) fn answer(&self, sql: &str) -> Result<Table, StoreError> {
        self.answer_within(sql, caps::QUERY_STEPS)
    }

    fn answer_within(&self, sql: &str, steps: u64) -> Result<Table, StoreError> {
        self.steps_left.store(steps, Ordering::Relaxed);
        let mut statement = self.connection.prepare(sql).map_err(explained)?;
        if statement.column_count() == 0 {
            return Err(StoreError::NotOneRead { found: "a statement that returns nothing".into() });
        }
        let columns = statement.column_names().map(str::to_owned).collect();
        let mut table = Table { columns, ..Table::default() };
        let mut bytes = 0;
        let mut rows = statement.query(()).map_err(explained)?;
        while let Some(row) = rows.next().map_err(explained)? {
            if table.rows.len() == caps::QUERY_ROWS || bytes > caps::QUERY_BYTES {
                table.note = Some(format!(
                    "only the first {} rows are shown; narrow the query or page with LIMIT and OFFSET",
                    table.rows.len()
                ));
                break;
            }
            let mut values = Vec::with_capacity(table.columns.len());
            for column in 0..table.columns.len() {
                let value = json(row.get_ref(column).map_err(explained)?);
                bytes += size_of::<Value>() + value.as_str().map_or(0, str::len);
                values.push(value);
            }
            table.rows.push(values);
        }
        Ok(table)
    }
}

/// The line of the journey whose row and body are given, as JSON.
fn line_of(context: &Context<'_>, line: Line) -> rusqlite::Result<String> {
    let body = context.get_raw(1).as_blob().map_err(|error| Error::UserFunctionError(error.into()))?;
    let judged = body::read(context.get(0)?, body).map_err(|error| Error::UserFunctionError(error.into()))?;
    serde_json::to_string(&line(&judged)).map_err(|error| Error::UserFunctionError(error.into()))
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    let reads = match context.action {
        AuthAction::Read { table_name: PAGES, .. } => false,
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let describes = PRAGMAS.iter().any(|known| known.eq_ignore_ascii_case(pragma_name));
            let sets = pragma_name.eq_ignore_ascii_case("user_version") && pragma_value.is_some();
            describes && !sets
        }
        _ => false,
    };
    if reads { Authorization::Allow } else { Authorization::Deny }
}

/// SQLite's error as the reader of the answer needs it.
fn explained(error: Error) -> StoreError {
    match (error.sqlite_error_code(), error) {
        (_, Error::MultipleStatement) => StoreError::NotOneRead { found: "more than one statement".into() },
        (Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly), _) => {
            StoreError::NotOneRead { found: "a statement that writes or reaches outside".into() }
        }
        // A view is refused before the authorizer is asked.
        (_, Error::SqlInputError { msg, .. } | Error::SqliteFailure(_, Some(msg)))
            if msg.starts_with("cannot modify") =>
        {
            StoreError::NotOneRead { found: "a statement that writes or reaches outside".into() }
        }
        (Some(ErrorCode::OperationInterrupted), _) => StoreError::TooMuchWork,
        (_, Error::SqlInputError { msg, .. } | Error::SqliteFailure(_, Some(msg))) => {
            StoreError::Query { message: msg }
        }
        (_, error) => StoreError::Query { message: error.to_string() },
    }
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    }
}
