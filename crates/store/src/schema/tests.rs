use expect_test::{Expect, expect};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::testing::told;
use crate::{Reader, Store};

/// A data directory whose database was made by these statements.
fn with(sql: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    Connection::open(super::file(directory.path())).unwrap().execute_batch(sql).unwrap();
    directory
}

/// What writer and reader say of a directory, with its name left out.
fn refused(directory: &TempDir, expected: &Expect) {
    let name = directory.path().display().to_string();
    let said = |error: crate::StoreError| error.to_string().replace(&name, "DIR");
    let writer = said(Store::open(directory.path()).map(drop).unwrap_err());
    let reader = said(Reader::open(directory.path(), told).map(drop).unwrap_err());
    assert_eq!(writer, reader);
    expected.assert_eq(&writer);
}

#[test]
fn a_foreign_database_is_refused_and_left_as_it_is() {
    let directory = with("CREATE TABLE theirs (value)");
    let before = std::fs::read(super::file(directory.path())).unwrap();
    refused(
        &directory,
        &expect![
            "DIR/authstitch.db is not a database of authstitch; choose another data directory, or move the file away"
        ],
    );
    assert_eq!(std::fs::read(super::file(directory.path())).unwrap(), before);
}

#[test]
fn the_database_of_another_program_is_refused() {
    let directory = with("PRAGMA application_id = 1; PRAGMA user_version = 1;");
    refused(
        &directory,
        &expect![
            "DIR/authstitch.db is not a database of authstitch; choose another data directory, or move the file away"
        ],
    );
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(super::file(directory.path()), "a letter, not a database. ".repeat(100)).unwrap();
    refused(
        &directory,
        &expect![
            "DIR/authstitch.db is not a database of authstitch; choose another data directory, or move the file away"
        ],
    );
}

#[test]
fn another_layout_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path()).unwrap());
    let connection = Connection::open(super::file(directory.path())).unwrap();
    connection.pragma_update(None, "user_version", super::LAYOUT + 1).unwrap();
    refused(
        &directory,
        &expect![
            "DIR/authstitch.db has layout 3, this version of authstitch knows layout 2; use the version that wrote the file, or another data directory"
        ],
    );
}

#[test]
fn a_reader_without_a_database_says_so_and_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let said = Reader::open(directory.path(), told).map(drop).unwrap_err().to_string();
    let said = said.replace(&directory.path().display().to_string(), "DIR");
    expect![
        "there is no database at DIR/authstitch.db; `authstitch serve` with this data directory makes one"
    ]
    .assert_eq(&said);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn the_data_directory_is_made_with_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let nested = directory.path().join("a/b");
    drop(Store::open(&nested).unwrap());
    Reader::open(&nested, told).unwrap();
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = Store::open(&file.join("data")).map(drop).unwrap_err().to_string();
    assert!(said.starts_with("the data directory ") && said.contains("file/data"), "{said}");
}

#[test]
fn commits_are_durable_and_the_log_is_written_ahead() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let read = |pragma| store.connection().pragma_query_value(None, pragma, |row| row.get::<_, String>(0));
    assert_eq!(read("journal_mode").unwrap(), "wal");
    let full = store.connection().pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0));
    assert_eq!(full.unwrap(), 2);
}
