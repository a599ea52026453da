use std::path::Path;

use authstitch_model::{KeyHash, Position};
use tempfile::TempDir;

use super::Store;
use crate::Reader;
use crate::testing::{id, line, put, remove, told};

fn store() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

fn revision(directory: &Path, nth: u64) -> Option<u32> {
    Reader::open(directory, told).unwrap().journey(id(nth)).unwrap().map(|line| line.revision)
}

fn rows(directory: &Path) -> usize {
    Reader::open(directory, told).unwrap().lines().unwrap().map(Result::unwrap).count()
}

#[test]
fn a_journey_reads_back_as_it_was_written() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 1, &[])], Position(1)).unwrap();
    assert_eq!(Reader::open(directory.path(), told).unwrap().journey(id(1)).unwrap(), Some(line(1, 1, &[])));
}

#[test]
fn a_newer_revision_replaces_the_older_one() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 1, &[7])], Position(1)).unwrap();
    store.apply(&[put(1, 2, &[7, 8])], Position(2)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    assert_eq!(reader.by_key(KeyHash::new(7)).unwrap(), [line(1, 2, &[7, 8])]);
    assert_eq!(reader.by_key(KeyHash::new(8)).unwrap(), [line(1, 2, &[7, 8])]);
    assert_eq!(rows(directory.path()), 1);
}

#[test]
fn a_key_that_a_newer_revision_does_not_carry_finds_it_no_more() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 1, &[7])], Position(1)).unwrap();
    store.apply(&[put(1, 2, &[8])], Position(2)).unwrap();
    assert_eq!(Reader::open(directory.path(), told).unwrap().by_key(KeyHash::new(7)).unwrap(), []);
}

#[test]
fn a_key_finds_no_journey_that_has_only_half_of_it() {
    let (directory, mut store) = store();
    let (one, other) = (7, 1 << 64 | 7);
    store.apply(&[put(1, 1, &[one]), put(2, 1, &[other])], Position(1)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    assert_eq!(reader.by_key(KeyHash::new(one)).unwrap(), [line(1, 1, &[one])]);
    assert_eq!(reader.by_key(KeyHash::new(other)).unwrap(), [line(2, 1, &[other])]);
}

#[test]
fn an_older_revision_changes_nothing() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 3, &[]), put(1, 2, &[9])], Position(1)).unwrap();
    assert_eq!(revision(directory.path(), 1), Some(3));
    assert_eq!(Reader::open(directory.path(), told).unwrap().by_key(KeyHash::new(9)).unwrap(), []);
}

#[test]
fn revisions_of_one_batch_are_applied_in_order() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 1, &[7]), put(1, 2, &[7]), put(1, 3, &[7])], Position(1)).unwrap();
    assert_eq!(revision(directory.path(), 1), Some(3));
    assert_eq!(rows(directory.path()), 1);
}

#[test]
fn a_removed_journey_is_gone_and_its_id_finds_the_one_that_took_its_place() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 1, &[7]), put(2, 1, &[8])], Position(1)).unwrap();
    store.apply(&[remove(2, 2, 1), put(1, 2, &[7, 8])], Position(2)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    assert_eq!(reader.journey(id(2)).unwrap(), Some(line(1, 2, &[7, 8])));
    assert_eq!(reader.by_key(KeyHash::new(8)).unwrap(), [line(1, 2, &[7, 8])]);
    assert_eq!(rows(directory.path()), 1);
}

#[test]
fn a_merge_of_a_merge_is_followed_to_its_end() {
    let (directory, mut store) = store();
    let merges = [put(3, 1, &[]), remove(3, 2, 2), put(2, 1, &[]), remove(2, 2, 1), put(1, 1, &[])];
    store.apply(&merges, Position(1)).unwrap();
    let found = Reader::open(directory.path(), told).unwrap().journey(id(3)).unwrap();
    assert_eq!(found, Some(line(1, 1, &[])));
}

#[test]
fn journeys_merged_in_a_circle_are_found_by_nobody() {
    let (directory, mut store) = store();
    store.apply(&[remove(1, 1, 2), remove(2, 1, 1)], Position(1)).unwrap();
    assert_eq!(revision(directory.path(), 1), None);
}

#[test]
fn a_journey_removed_before_it_was_ever_stored_stays_away() {
    let (directory, mut store) = store();
    store.apply(&[remove(2, 2, 1), put(2, 1, &[]), put(1, 1, &[])], Position(1)).unwrap();
    assert_eq!(rows(directory.path()), 1);
}

#[test]
fn applying_a_batch_again_changes_nothing() {
    let (directory, mut store) = store();
    let batch = [put(1, 1, &[7]), put(2, 1, &[7]), put(1, 2, &[7]), remove(2, 2, 1)];
    store.apply(&batch, Position(5)).unwrap();
    let contents = |directory: &Path| {
        let reader = Reader::open(directory, told).unwrap();
        let tables = ["revisions", "ids", "keys_0", "state"];
        tables.map(|table| reader.query(&format!("SELECT * FROM {table}")).unwrap())
    };
    let before = contents(directory.path());
    store.apply(&batch, Position(5)).unwrap();
    store.apply(&batch, Position(4)).unwrap();
    assert_eq!(contents(directory.path()), before);
    assert_eq!(store.applied().unwrap(), Position(5));
}

#[test]
fn position_and_journeys_survive_a_restart_together() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 1, &[])], Position(41)).unwrap();
    drop(store);
    let mut store = Store::open(directory.path()).unwrap();
    assert_eq!(store.applied().unwrap(), Position(41));
    store.apply(&[put(2, 1, &[])], Position(42)).unwrap();
    assert_eq!(rows(directory.path()), 2);
}

#[test]
fn a_batch_that_fails_leaves_nothing_behind() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 1, &[])], Position(1)).unwrap();
    store.connection.execute_batch("DROP TABLE ids").unwrap();
    store.apply(&[put(2, 1, &[])], Position(2)).unwrap_err();
    assert_eq!(store.applied().unwrap(), Position(1));
    assert_eq!(rows(directory.path()), 1);
}

#[test]
fn keys_lie_in_the_partition_of_their_row_and_every_partition_is_probed() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open_partitioned(directory.path(), 3).unwrap();
    let batch: Vec<_> = (0..7).map(|nth| put(nth, 1, &[100, u128::from(nth) + 1])).collect();
    store.apply(&batch, Position(1)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    let counts = reader.query(
        "SELECT (SELECT count(*) FROM keys_0), (SELECT count(*) FROM keys_1), (SELECT count(*) FROM keys_2)",
    );
    assert_eq!(counts.unwrap().rows, [[6, 6, 2]]);
    let latest_first: Vec<_> =
        reader.by_key(KeyHash::new(100)).unwrap().iter().map(|line| line.duration_ms).collect();
    assert_eq!(latest_first, [6, 5, 4, 3, 2, 1, 0]);
    for nth in 0..7 {
        assert_eq!(
            reader.by_key(KeyHash::new(u128::from(nth) + 1)).unwrap(),
            [line(nth, 1, &[100, u128::from(nth) + 1])]
        );
    }
}

#[test]
fn a_store_keeps_the_partition_size_it_was_made_with() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open_partitioned(directory.path(), 2).unwrap());
    let mut store = Store::open(directory.path()).unwrap();
    store.apply(&[put(1, 1, &[7]), put(2, 1, &[7]), put(3, 1, &[7])], Position(1)).unwrap();
    let second = Reader::open(directory.path(), told).unwrap().query("SELECT row FROM keys_1").unwrap();
    assert_eq!(second.rows, [[2]]);
}

#[test]
fn a_row_number_is_never_used_twice() {
    let (directory, mut store) = store();
    store.apply(&[put(1, 1, &[7])], Position(1)).unwrap();
    store.apply(&[remove(1, 2, 9)], Position(2)).unwrap();
    drop(store);
    Store::open(directory.path()).unwrap().apply(&[put(2, 1, &[])], Position(3)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    assert_eq!(reader.by_key(KeyHash::new(7)).unwrap(), []);
    assert_eq!(reader.query("SELECT row FROM journeys").unwrap().rows, [[1]]);
}
