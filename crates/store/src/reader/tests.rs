use authstitch_model::{KeyHash, Position};

use super::Reader;
use crate::testing::{id, put, told};
use crate::{Store, caps};

#[test]
fn a_reader_sees_what_was_committed_before_its_call() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    assert_eq!(reader.journey(id(1)).unwrap(), None);
    for nth in 1..=5 {
        store.apply(&[put(nth, 1, &[])], Position(nth)).unwrap();
        assert!(reader.journey(id(nth)).unwrap().is_some());
        assert_eq!(reader.applied().unwrap(), Position(nth));
    }
}

#[test]
fn readers_and_the_writer_do_not_hinder_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let reader = Reader::open(directory.path(), told).unwrap();
            let mut seen = 0;
            while seen < 400 {
                let stored = reader.lines().unwrap().map(Result::unwrap).count();
                // Batches of four are whole or not there, and none goes away.
                assert!(stored % 4 == 0 && stored >= seen);
                let found = reader.by_key(KeyHash::new(7)).unwrap().len();
                assert!(found == 1 || (found, stored) == (0, 0));
                seen = stored;
            }
        });
        for batch in 0..100 {
            // The journey under the key is revised with each batch, and so moves to another row.
            let mut changes = vec![put(0, batch + 1, &[7])];
            let first = u64::from(batch) * 4 + 1;
            let last = if batch == 0 { 3 } else { 4 };
            changes.extend((0..last).map(|nth| put(first + nth, 1, &[])));
            store.apply(&changes, Position(first)).unwrap();
        }
        reading.join().unwrap();
    });
}

#[test]
fn lines_are_those_of_one_moment() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let count = caps::LINES_FETCHED as u64 + 10;
    let batch: Vec<_> = (0..count).map(|nth| put(nth, 1, &[])).collect();
    store.apply(&batch, Position(1)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    let mut lines = reader.lines().unwrap();
    let first = lines.next().unwrap().unwrap();
    store.apply(&[put(0, 2, &[]), put(count, 1, &[])], Position(2)).unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert_eq!(first.revision, 1);
    assert_eq!(rest.len() as u64 + 1, count);
    assert!(rest.iter().all(|line| line.journey_id != id(0)));
}

#[test]
fn a_key_finds_a_bounded_number_of_the_latest_journeys() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open_partitioned(directory.path(), 50).unwrap();
    let batch: Vec<_> = (0..200).map(|nth| put(nth, 1, &[7])).collect();
    store.apply(&batch, Position(1)).unwrap();
    let found = Reader::open(directory.path(), told).unwrap().by_key(KeyHash::new(7)).unwrap();
    assert_eq!(found.len(), caps::KEY_JOURNEYS);
    assert_eq!(found[0].journey_id, id(199));
    assert_eq!(found[caps::KEY_JOURNEYS - 1].journey_id, id(200 - caps::KEY_JOURNEYS as u64));
}

#[test]
fn a_broken_journey_is_an_error_that_names_its_row() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    store.apply(&[put(1, 1, &[]), put(2, 1, &[])], Position(1)).unwrap();
    let connection = rusqlite::Connection::open(crate::schema::file(directory.path())).unwrap();
    connection.execute("UPDATE revisions SET body = x'01' WHERE row = 0", ()).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    let error = reader.journey(id(1)).unwrap_err().to_string();
    assert!(error.starts_with("the journey in row 0 cannot be read: "), "{error}");
    assert!(reader.journey(id(2)).unwrap().is_some());
}

#[test]
fn what_a_killed_writer_left_behind_is_read() {
    let (alive, dead) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = Store::open(alive.path()).unwrap();
    store.apply(&[put(1, 1, &[])], Position(1)).unwrap();
    // The file and its log as they stand, without the clean-up of a proper end.
    for name in ["authstitch.db", "authstitch.db-wal"] {
        std::fs::copy(alive.path().join(name), dead.path().join(name)).unwrap();
    }
    assert!(Reader::open(dead.path(), told).unwrap().journey(id(1)).unwrap().is_some());
    assert_eq!(Store::open(dead.path()).unwrap().applied().unwrap(), Position(1));
}
