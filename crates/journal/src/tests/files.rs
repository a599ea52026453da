//! A real directory, and files that earlier versions wrote.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::{Directory, Durability};

fn opened(path: &Path) -> (Journal<Directory>, crate::Recovery<Directory>) {
    Journal::open(Directory::open(path, small().durability).unwrap(), small(), Stamp::default()).unwrap()
}

/// What is in the files of version 1.
fn fill(journal: &mut Journal<Directory>) {
    let mut event = testing::event(EventName::QrScanned, UnixNanos(1_800_000_000_000_000_000), 3);
    event.keys.journey = Some(KeyHash::new(0x1234_5678_9abc_def0));
    event.facts.country = Some(*b"DE");
    let later = testing::event(EventName::SessionEstablished, UnixNanos(1_800_000_000_500_000_000), 4);
    let at = |millis: u64| UnixNanos(1_800_000_001_000_000_000 + millis * 1_000_000);
    journal.append(at(0), Body::Setting { kind: &Text::from("tables"), bytes: b"{}" }).unwrap();
    journal.append(at(1), Body::Events(&[event.clone(), later.clone()])).unwrap();
    journal.commit().unwrap();
    journal.snapshot(Position(1), b"what the engine knew").unwrap();
    journal.append(at(2), Body::Tick).unwrap();
    journal.append(at(3), Body::Events(&[later, event])).unwrap();
    journal.commit().unwrap();
}

#[test]
fn what_is_committed_is_in_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (mut journal, _) = opened(directory.path());
    journal.make_ready().unwrap();
    fill(&mut journal);
    assert_eq!(journal.bytes(), directory_bytes(directory.path()));
    drop(journal);
    let (_, recovery) = opened(directory.path());
    assert_eq!(recovery.snapshot.unwrap().bytes, b"what the engine knew");
    assert_eq!(recovery.entries.map(|entry| entry.unwrap().position().0).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(recovery.report, crate::Report::default());
}

fn directory_bytes(path: &Path) -> u64 {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn a_directory_has_one_journal() {
    let directory = tempfile::tempdir().unwrap();
    let first = Directory::open(directory.path(), Durability::Fsync).unwrap();
    let refused = Directory::open(directory.path(), Durability::Fsync).unwrap_err();
    assert!(refused.to_string().contains("open in another process"), "{refused}");
    drop(first);
    Directory::open(directory.path(), Durability::Fsync).unwrap();
}

fn version_1() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/v1")
}

/// Written once, by the first version, with `cargo test -p authstitch-journal -- --ignored`.
#[test]
#[ignore = "it writes the files that the test below reads"]
fn files_of_this_version_are_written() {
    let directory = tempfile::tempdir().unwrap();
    let (mut journal, _) = opened(directory.path());
    fill(&mut journal);
    drop(journal);
    // Opened once more they are cut to what they hold.
    drop(opened(directory.path()));
    fs::create_dir_all(version_1()).unwrap();
    for name in ["segment-0000000000000001", "snapshot-0000000000000001"] {
        fs::copy(directory.path().join(name), version_1().join(name)).unwrap();
    }
}

#[test]
fn files_of_version_1_are_read() {
    let directory = tempfile::tempdir().unwrap();
    for file in fs::read_dir(version_1()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
    }
    let (_, recovery) = opened(directory.path());
    assert_eq!(recovery.report, crate::Report::default());
    let entries: Vec<_> = recovery.entries.map(Result::unwrap).collect();
    expect_test::expect_file!["v1.txt"].assert_eq(&format!("{:#?}\n{entries:#?}\n", recovery.snapshot));
}
