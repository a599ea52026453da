use authstitch_model::Position;
use expect_test::{Expect, expect};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::Queries;
use crate::reader::connect;
use crate::testing::{id, put, told};
use crate::{Reader, Store, StoreError, caps};

fn three_journeys() -> (TempDir, Reader) {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    store.apply(&[put(1, 1, &[7]), put(2, 1, &[8]), put(3, 1, &[9])], Position(1)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    (directory, reader)
}

fn says(sql: &str, expected: &Expect) {
    let (_directory, reader) = three_journeys();
    expected.assert_eq(&reader.query(sql).unwrap_err().to_string());
}

#[test]
fn the_columns_of_journeys_are_the_scalar_fields_of_the_line() {
    let (_directory, reader) = three_journeys();
    let table = reader.query("SELECT * FROM journeys ORDER BY started_at LIMIT 1").unwrap();
    let shown: Vec<_> = table
        .columns
        .iter()
        .zip(&table.rows[0])
        .filter(|(column, _)| *column != "line")
        .map(|(column, value)| format!("{column} = {value}\n"))
        .collect();
    expect![[r#"
        row = 0
        journey_id = "01KDVDNAZ80000000000000001"
        revision = 1
        merged_into = null
        realm = "default"
        flow = "passkey_cda"
        started_at = "2026-01-01T00:00:01.000000000Z"
        ended_at = "2026-01-01T00:00:01.001000000Z"
        duration_ms = 1
        outcome = "technical_failure"
        cause = "proximity_failed"
        failing_phase = "proximity"
        end_act = "timed_out"
        relay_suspected = 0
        transport = "hybrid_qr"
        transport_probability = 0.8
        transport_basis = "inferred"
        initiator_os = "Windows"
        initiator_browser = null
        initiator_browser_version = null
        initiator_device = null
        initiator_app_version = null
        authenticator_os = null
        authenticator_browser = null
        authenticator_browser_version = null
        authenticator_device = null
        authenticator_app_version = null
        previous_journey = null
        retried_after_ms = null
        close_reason = "idle"
        tables = "first"
        remedy = "Guide people to hold the phone near, let them retry, fall back to the app's QR code."
        clock_offset_initiator_ms = null
        clock_offset_authenticator_ms = 12
        clock_offset_server_ms = null
        explanation = "It timed out."
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn a_value_is_a_number_a_text_a_null_or_hex() {
    let (_directory, reader) = three_journeys();
    let table =
        reader.query("SELECT 1 AS a, 0.5 AS b, 'x' AS c, NULL AS d, x'00ff' AS e, 9e999 AS f").unwrap();
    assert_eq!(table.columns, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(table.rows, [[json!(1), json!(0.5), json!("x"), json!(null), json!("00ff"), json!(null)]]);
    assert_eq!(table.note, None);
}

#[test]
fn what_reads_is_answered() {
    let (_directory, reader) = three_journeys();
    for (sql, rows) in [
        ("SELECT count(*) FROM journeys", 1),
        ("SELECT outcome, count(*) FROM journeys GROUP BY outcome", 1),
        ("WITH late AS (SELECT * FROM journeys WHERE duration_ms > 1) SELECT * FROM late", 2),
        ("WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x FROM n", 5),
        ("SELECT value FROM journeys, json_each(line, '$.hiccups')", 3),
        ("SELECT line ->> '$.causes[0].cause' FROM journeys;", 3),
        ("SELECT * FROM journeys WHERE julianday(started_at) > julianday('2026-01-01')", 3),
        ("SELECT a.journey_id FROM journeys a JOIN journeys b USING (realm) ORDER BY 1", 9),
        ("PRAGMA user_version", 1),
        ("SELECT * FROM pragma_table_info('ids')", 4),
    ] {
        assert_eq!(reader.query(sql).unwrap().rows.len(), rows, "{sql}");
    }
    assert!(!reader.query("PRAGMA table_info(journeys)").unwrap().rows.is_empty());
    assert!(!reader.query("EXPLAIN QUERY PLAN SELECT * FROM journeys").unwrap().rows.is_empty());
}

#[test]
fn what_writes_or_reaches_outside_is_refused_and_changes_nothing() {
    let (directory, reader) = three_journeys();
    let elsewhere = directory.path().join("elsewhere.db");
    let before = std::fs::read(crate::schema::file(directory.path())).unwrap();
    for sql in [
        "INSERT INTO state VALUES ('x', 1)",
        "INSERT INTO state VALUES ('x', 1) RETURNING name",
        "REPLACE INTO state VALUES ('x', 1)",
        "UPDATE revisions SET realm = 'x' RETURNING row",
        "DELETE FROM revisions",
        "UPDATE journeys SET realm = 'x'",
        "UPDATE journeys SET realm = 'x' RETURNING row",
        "DELETE FROM journeys",
        "DELETE FROM journeys RETURNING row",
        "WITH all_rows AS (SELECT row FROM journeys) DELETE FROM journeys WHERE row IN all_rows RETURNING row",
        "WITH one AS (SELECT 1) INSERT INTO state SELECT 'x', 1 FROM one RETURNING name",
        "CREATE TABLE t (x)",
        "CREATE TEMP TABLE t (x)",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE t USING fts5 (x)",
        "DROP TABLE journeys",
        "ALTER TABLE revisions ADD COLUMN x",
        "REINDEX",
        "ANALYZE",
        "VACUUM",
        &format!("VACUUM INTO '{}'", elsewhere.display()),
        &format!("ATTACH '{}' AS other", elsewhere.display()),
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "BEGIN",
        "BEGIN IMMEDIATE",
        "SAVEPOINT s",
        "COMMIT",
        "PRAGMA query_only = 0",
        "PRAGMA user_version = 7",
        "PRAGMA application_id = 7",
        "PRAGMA writable_schema = 1",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA synchronous = OFF",
        "PRAGMA temp_store_directory = '/'",
        "PRAGMA database_list",
        "PRAGMA optimize",
        "EXPLAIN DELETE FROM journeys",
        "SELECT data FROM sqlite_dbpage",
        "SELECT length(DATA) FROM SQLITE_DBPAGE",
        "SELECT 1; DELETE FROM journeys",
        "SELECT 1; SELECT 2",
        "",
        "-- nothing",
    ] {
        let error = reader.query(sql).map(|table| table.rows).unwrap_err();
        assert!(matches!(error, StoreError::NotOneRead { .. }), "{sql}: {error}");
    }
    // A function that is not allowed is SQLite's general error, not its refusal.
    assert!(reader.query("SELECT load_extension('x')").is_err());
    assert!(!elsewhere.exists());
    assert_eq!(std::fs::read(crate::schema::file(directory.path())).unwrap(), before);
    assert!(reader.journey(id(3)).unwrap().is_some());
}

#[test]
fn a_reader_cannot_write_even_without_the_authorizer() {
    let (directory, _) = three_journeys();
    let Queries { mut connection, .. } = Queries::on(connect(directory.path()).unwrap(), told).unwrap();
    connection.authorizer(None::<fn(rusqlite::hooks::AuthContext<'_>) -> _>).unwrap();
    let error = connection.execute("DELETE FROM revisions", ()).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ReadOnly));
}

#[test]
fn errors_say_what_to_do() {
    says(
        "DELETE FROM journeys",
        &expect![
            "a statement that writes or reaches outside is refused: a query is one statement that only reads; SELECT, WITH … SELECT, EXPLAIN and PRAGMA table_xinfo(…) are accepted"
        ],
    );
    says(
        "SELECT 1; SELECT 2",
        &expect![
            "more than one statement is refused: a query is one statement that only reads; SELECT, WITH … SELECT, EXPLAIN and PRAGMA table_xinfo(…) are accepted"
        ],
    );
    says(
        "",
        &expect![
            "a statement that returns nothing is refused: a query is one statement that only reads; SELECT, WITH … SELECT, EXPLAIN and PRAGMA table_xinfo(…) are accepted"
        ],
    );
    says(
        "SELECT caus FROM journeys",
        &expect![
            "the query failed: no such column: caus; `PRAGMA table_xinfo(journeys)` lists the columns of `journeys`"
        ],
    );
    says(
        "SELEC 1",
        &expect![[
            r#"the query failed: near "SELEC": syntax error; `PRAGMA table_xinfo(journeys)` lists the columns of `journeys`"#
        ]],
    );
    says(
        "SELECT ?1",
        &expect![
            "the query failed: Wrong number of parameters passed to query. Got 0, needed 1; `PRAGMA table_xinfo(journeys)` lists the columns of `journeys`"
        ],
    );
}

#[test]
fn an_endless_query_is_stopped_by_its_steps_and_the_next_one_is_answered() {
    let (directory, _) = three_journeys();
    let queries = Queries::on(connect(directory.path()).unwrap(), told).unwrap();
    let endless = "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    let error = queries.answer_within(endless, 1_000_000).unwrap_err();
    assert!(matches!(error, StoreError::TooMuchWork));
    assert_eq!(queries.answer("SELECT count(*) FROM journeys").unwrap().rows, [[3]]);
}

#[test]
fn a_line_that_a_query_reads_counts_as_the_work_it_is() {
    let (directory, _) = three_journeys();
    let queries = Queries::on(connect(directory.path()).unwrap(), told).unwrap();
    let each = |value: &str| {
        format!(
            "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 1000)
             SELECT count({value}) FROM n, journeys"
        )
    };
    assert_eq!(queries.answer_within(&each("outcome"), 1_000_000).unwrap().rows, [[3000]]);
    let error = queries.answer_within(&each("explanation"), 1_000_000).unwrap_err();
    assert!(matches!(error, StoreError::TooMuchWork));
}

#[test]
fn an_answer_is_cut_at_its_rows_and_says_so() {
    let (_directory, reader) = three_journeys();
    let numbers = |count: usize| {
        format!(
            "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < {count}) SELECT x FROM n"
        )
    };
    let whole = reader.query(&numbers(caps::QUERY_ROWS)).unwrap();
    assert_eq!((whole.rows.len(), whole.note), (caps::QUERY_ROWS, None));
    let cut = reader.query(&numbers(caps::QUERY_ROWS + 1)).unwrap();
    assert_eq!(cut.rows.len(), caps::QUERY_ROWS);
    expect!["only the first 10000 rows are shown; narrow the query or page with LIMIT and OFFSET"]
        .assert_eq(&cut.note.unwrap());
}

#[test]
fn an_answer_is_cut_at_its_bytes_and_a_value_has_a_bound_of_its_own() {
    let (_directory, reader) = three_journeys();
    let wide = "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 100)
                SELECT printf('%.*c', 1000000, 'x') FROM n";
    let cut = reader.query(wide).unwrap();
    assert!(cut.rows.len() < 40 && cut.note.is_some());
    assert!(reader.query("SELECT length(zeroblob(1000000000))").is_err());
}

#[test]
fn queries_wait_for_no_writer() {
    let (directory, reader) = three_journeys();
    let writer = Connection::open(crate::schema::file(directory.path())).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM revisions;").unwrap();
    assert_eq!(reader.query("SELECT count(*) FROM journeys").unwrap().rows, [[3]]);
}
