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
fn tables_of_keys_go_whole_and_the_one_that_is_written_stays() {
    let (_directory, mut store) = store(35);
    let there = |store: &Store| partitions(&store.connection).unwrap();
    assert_eq!(there(&store), [3, 2, 1, 0]);
    store.retire(began(19), 100).unwrap();
    assert_eq!(there(&store), [3, 2, 1], "one row of the second is left");
    store.retire(began(20), 100).unwrap();
    assert_eq!(there(&store), [3, 2]);
    store.retire(began(100), 100).unwrap();
    assert_eq!(there(&store), [3]);
    store.apply(&some(35..36), Position(2)).unwrap();
    assert_eq!(there(&store), [3]);
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
