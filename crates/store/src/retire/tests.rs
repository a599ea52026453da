use std::fs;
use std::path::Path;

use authstitch_model::{KeyHash, Position};
use tempfile::TempDir;

use super::*;
use crate::testing::{began, id, put, remove, told};
use crate::{Change, Reader};

/// A store of so many journeys, one a second, in partitions of ten rows.
fn store(journeys: u64) -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open_partitioned(directory.path(), 10).unwrap();
    store.apply(&some(0..journeys), Position(1)).unwrap();
    (directory, store)
}

fn some(nths: std::ops::Range<u64>) -> Vec<Change> {
    nths.map(|nth| put(nth, 1, &[key(nth)])).collect()
}

fn key(nth: u64) -> u128 {
    u128::from((nth + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Journeys come every second: so many until a partition is old.
const LONG: u64 = caps::PARTITION_MS / 1000;

fn there(store: &Store) -> Vec<u64> {
    partitions(&store.connection).unwrap()
}

fn rows(store: &Store) -> Vec<u64> {
    let mut statement = store.connection.prepare("SELECT row FROM revisions ORDER BY row").unwrap();
    let rows = statement.query_map((), |row| row.get(0)).unwrap();
    rows.map(|row: Result<i64, _>| row.unwrap().cast_unsigned()).collect()
}

fn kept(directory: &Path) -> Vec<JourneyId> {
    let reader = Reader::open(directory, told).unwrap();
    reader.lines().unwrap().map(|line| line.unwrap().journey_id).collect()
}

fn ids(nths: impl IntoIterator<Item = u64>) -> Vec<JourneyId> {
    nths.into_iter().map(id).collect()
}

#[test]
fn the_oldest_go_so_many_at_a_time_until_none_is_too_old() {
    let (directory, mut store) = store(50);
    assert_eq!(store.retire(began(25), 10).unwrap(), 10);
    assert_eq!(kept(directory.path()), ids(10..50));
    assert_eq!(store.retire(began(25), 100).unwrap(), 15);
    assert_eq!(kept(directory.path()), ids(25..50));
    assert_eq!(store.retire(began(25), 100).unwrap(), 0);
    let reader = Reader::open(directory.path(), told).unwrap();
    assert_eq!(reader.by_key(KeyHash::new(key(24))).unwrap(), []);
    assert_eq!(reader.by_key(KeyHash::new(key(25))).unwrap().len(), 1);
}

#[test]
fn a_later_revision_makes_none_younger() {
    let (directory, mut store) = store(3);
    store.apply(&[put(0, 2, &[])], Position(2)).unwrap();
    store.retire(began(1), 100).unwrap();
    assert_eq!(kept(directory.path()), ids([1, 2]));
}

#[test]
fn what_became_part_of_another_goes_at_its_own_age() {
    let (directory, mut store) = store(3);
    store.apply(&[remove(1, 2, 0)], Position(2)).unwrap();
    assert_eq!(store.retire(began(2), 100).unwrap(), 2);
    assert_eq!(Reader::open(directory.path(), told).unwrap().journey(id(1)).unwrap(), None);
}

#[test]
fn a_table_of_keys_goes_once_no_row_of_its_partition_is_left() {
    let (directory, mut store) = store(35);
    assert_eq!(there(&store), [3, 2, 1, 0]);
    store.retire(began(19), 100).unwrap();
    assert_eq!(there(&store), [3, 2, 1], "one row of the second is left");
    store.retire(began(20), 100).unwrap();
    assert_eq!(there(&store), [3, 2]);
    store.retire(began(100), 100).unwrap();
    assert_eq!(there(&store), [0u64; 0]);
    store.apply(&some(35..36), Position(2)).unwrap();
    assert_eq!(there(&store), [3]);
    assert_eq!(Reader::open(directory.path(), told).unwrap().by_key(KeyHash::new(key(35))).unwrap().len(), 1);
}

#[test]
fn a_table_of_which_the_rows_left_otherwise_goes_too() {
    let (_directory, mut store) = store(15);
    let moved: Vec<_> = (0..10).map(|nth| put(nth, 2, &[key(nth)])).collect();
    store.apply(&moved, Position(2)).unwrap();
    assert_eq!(there(&store), [2, 1, 0]);
    assert_eq!(store.retire(began(0), 100).unwrap(), 0);
    assert_eq!(there(&store), [2, 1]);
}

#[test]
fn a_partition_ends_by_age_too() {
    let (_directory, mut store) = store(1);
    store.apply(&some(LONG..LONG + 1), Position(2)).unwrap();
    assert_eq!((there(&store), rows(&store)), (vec![0], vec![0, 1]), "not yet");
    store.apply(&some(LONG + 1..LONG + 3), Position(3)).unwrap();
    assert_eq!((there(&store), rows(&store)), (vec![1, 0], vec![0, 1, 10, 11]));
    store.apply(&some(2 * LONG + 1..2 * LONG + 3), Position(4)).unwrap();
    assert_eq!(rows(&store), [0, 1, 10, 11, 12, 20], "the age is that of the partition's first row");
}

#[test]
fn the_beginning_of_a_partition_outlives_a_restart() {
    let (directory, store) = store(1);
    drop(store);
    let mut store = Store::open(directory.path()).unwrap();
    store.apply(&some(1..2), Position(2)).unwrap();
    drop(store);
    let mut store = Store::open(directory.path()).unwrap();
    store.apply(&some(LONG + 1..LONG + 2), Position(3)).unwrap();
    assert_eq!(rows(&store), [0, 1, 10]);
}

#[test]
fn a_change_that_is_no_news_ends_no_partition() {
    let (_directory, mut store) = store(1);
    store.apply(&[remove(LONG + 5, 2, 0)], Position(2)).unwrap();
    store.apply(&[put(LONG + 5, 1, &[])], Position(3)).unwrap();
    store.apply(&some(1..2), Position(4)).unwrap();
    assert_eq!(rows(&store), [0, 1]);
}

#[test]
fn an_old_journey_that_is_revised_ends_no_partition_and_begins_none_earlier() {
    let (_directory, mut store) = store(9);
    store.apply(&some(2 * LONG..2 * LONG + 9), Position(2)).unwrap();
    assert_eq!(rows(&store).len(), 18);
    // The twentieth row is an old one's, and the first of its partition.
    store.apply(&[put(2 * LONG, 2, &[]), put(0, 2, &[]), put(2 * LONG + 9, 1, &[])], Position(3)).unwrap();
    assert_eq!(rows(&store)[16..], [19, 20, 21]);
}

#[test]
fn keys_leave_at_most_the_age_of_a_partition_after_their_journey() {
    let hour = 3600;
    let (directory, mut store) = store(0);
    let retention = 30 * 24 * hour;
    for nth in (0..80 * 24 * hour).step_by(7 * hour as usize) {
        store.apply(&some(nth..nth + 1), Position(nth)).unwrap();
        while store.retire(began(nth.saturating_sub(retention)), 100).unwrap() > 0 {}
        let keys: Vec<i64> = there(&store)
            .into_iter()
            .flat_map(|partition| {
                let sql = format!("SELECT key FROM {}", schema::keys_table(partition));
                let mut statement = store.connection.prepare(&sql).unwrap();
                statement.query_map((), |row| row.get(0)).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
            })
            .collect();
        let oldest = nth.saturating_sub(retention + LONG);
        for old in (0..oldest).step_by(7 * hour as usize) {
            assert!(!keys.contains(&schema::stored_key(KeyHash::new(key(old)))), "{old} at {nth}");
        }
    }
    assert_eq!(kept(directory.path()).len(), 103);
    assert!(there(&store).len() <= 12);
}

#[test]
fn a_file_of_an_earlier_version_goes_on_in_a_new_partition() {
    let (directory, store) = store(5);
    store.connection.execute("DELETE FROM state WHERE name = ?1", [schema::PARTITION_BEGAN]).unwrap();
    drop(store);
    let mut store = Store::open(directory.path()).unwrap();
    store.apply(&some(5..7), Position(2)).unwrap();
    store.apply(&some(7..8), Position(3)).unwrap();
    assert_eq!(rows(&store), [0, 1, 2, 3, 4, 10, 11, 12]);
    assert_eq!(kept(directory.path()), ids(0..8));
    store.retire(began(5), 100).unwrap();
    assert_eq!(there(&store), [1]);
}

#[test]
fn where_as_many_come_as_go_the_file_grows_no_more() {
    let (directory, mut store) = store(2000);
    let size = || fs::metadata(schema::file(directory.path())).unwrap().len();
    let mut sizes = Vec::new();
    for round in 1..=8 {
        while store.retire(began(round * 1000), 100).unwrap() > 0 {}
        let from = 1000 + round * 1000;
        store.apply(&some(from..from + 1000), Position(round + 1)).unwrap();
        store.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        sizes.push(size());
    }
    assert_eq!(kept(directory.path()).len(), 2000);
    assert!(sizes[7] <= sizes[1] + (64 << 10), "{sizes:?}");
}
