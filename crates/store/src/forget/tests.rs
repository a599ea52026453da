use std::fs;
use std::path::Path;

use authstitch_model::event::testing::event;
use authstitch_model::{EventName, Judged, KeyHash, Millis, Position, Predecessor, TraceId, UnixNanos};
use tempfile::TempDir;

use super::*;
use crate::testing::{id, judged, put, remove, told};
use crate::{Change, Reader};

fn store(partition_rows: u64) -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open_partitioned(directory.path(), partition_rows).unwrap();
    (directory, store)
}

/// A key of the `nth` journey that looks like a hash.
fn key(nth: u64) -> u128 {
    let half = |seed: u64| u128::from((nth + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed << 17);
    half(1) << 64 | half(2)
}

/// The `nth` journey in a revision, with a key, a trace and an identity of its own, and the session of its ten.
fn own(nth: u64, revision: u32) -> Judged {
    let mut judged = judged(nth, revision, &[key(nth)]);
    let mut last = event(EventName::QrShown, UnixNanos(nth), nth);
    last.identity.0 = key(nth + (1 << 40));
    last.origin.trace_id = TraceId::from_bytes(&key(nth + (1 << 41)).to_be_bytes());
    last.keys.session = Some(KeyHash::new(key((1 << 42) + nth / 10)));
    judged.journey.events.last_mut().unwrap().event = last;
    if !nth.is_multiple_of(10) {
        judged.journey.previous = Some(Predecessor { journey: id(nth - 1), gap: Millis(1) });
    }
    judged
}

/// All that tells of the `nth` journey, as it may stand in a file.
fn traces_of(nth: u64) -> Vec<Vec<u8>> {
    let mut traces = vec![id(nth).to_string().into_bytes(), (key(nth) as i64).to_be_bytes().to_vec()];
    for number in [id(nth).as_u128(), key(nth), key(nth + (1 << 40)), key(nth + (1 << 41))] {
        traces.extend([number.to_be_bytes().to_vec(), number.to_le_bytes().to_vec()]);
    }
    traces
}

/// How often any of these stands in the files of a directory.
fn found(directory: &Path, traces: &[Vec<u8>]) -> usize {
    let mut by_start: BTreeMap<[u8; 8], Vec<&[u8]>> = BTreeMap::new();
    for trace in traces {
        by_start.entry(trace[..8].try_into().unwrap()).or_default().push(trace);
    }
    let files = fs::read_dir(directory).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
    let count = |bytes: Vec<u8>| {
        let starts = (0..bytes.len().saturating_sub(7)).filter(|at| {
            let known = by_start.get(&bytes[*at..at + 8]);
            known.is_some_and(|known| known.iter().any(|trace| bytes[*at..].starts_with(trace)))
        });
        starts.count()
    };
    files.map(count).sum()
}

fn named(nth: u64) -> Forget {
    Forget { named: [KeyHash::new(key(nth))].into(), ..Forget::default() }
}

fn forget(store: &mut Store, mut what: Forget) -> u64 {
    store.recall(&mut what).unwrap();
    store.forget(&what).unwrap()
}

/// Thousands come out of order, in several revisions each, so that entries have moved between pages and pages have
/// emptied; some of them merge.
fn busy(partition_rows: u64, journeys: u64) -> (TempDir, Store) {
    let (directory, mut store) = store(partition_rows);
    let shuffled = |nth: u64| nth * 7919 % journeys;
    let mut position = 0;
    for revision in 1..=3 {
        for batch in (0..journeys).collect::<Vec<_>>().chunks(500) {
            let again = batch.iter().map(|nth| shuffled(*nth)).filter(|nth| nth % u64::from(revision) == 0);
            let changes: Vec<_> = again.map(|nth| Change::Put(Box::new(own(nth, revision)))).collect();
            position += 1;
            store.apply(&changes, Position(position)).unwrap();
        }
    }
    (directory, store)
}

#[test]
fn nothing_of_it_is_in_any_file_and_the_others_are_as_they_were() {
    let (directory, mut store) = busy(1000, 6000);
    let reader = Reader::open(directory.path(), told).unwrap();
    for nth in (0..6000).step_by(379) {
        assert!(found(directory.path(), &traces_of(nth)) > 3);
        assert_eq!(forget(&mut store, named(nth)), 1);
        assert_eq!(found(directory.path(), &traces_of(nth)), 0, "{nth}");
        assert_eq!(reader.journey(id(nth)).unwrap(), None);
        assert_eq!(reader.by_key(KeyHash::new(key(nth))).unwrap(), []);
    }
    for nth in (0..6000).filter(|nth| nth % 379 != 0) {
        let found = reader.journey(id(nth)).unwrap().unwrap();
        let revision = (1..=3).rfind(|revision| nth % u64::from(*revision) == 0).unwrap();
        let mut expected = own(nth, revision);
        if nth % 379 == 1 {
            expected.journey.previous = None;
        }
        assert_eq!(found, told(&expected));
        assert_eq!(reader.by_key(KeyHash::new(key(nth))).unwrap(), [found]);
    }
}

#[test]
fn what_was_merged_into_it_goes_with_it_under_either_name() {
    for named in [1, 2, 3] {
        let (directory, mut store) = store(1000);
        store.apply(&[put(1, 1, &[]), put(2, 1, &[]), put(3, 1, &[]), put(4, 1, &[])], Position(1)).unwrap();
        store.apply(&[remove(2, 2, 1), remove(3, 2, 2)], Position(2)).unwrap();
        forget(&mut store, Forget { journeys: [id(named)].into(), ..Forget::default() });
        for nth in [1, 2, 3] {
            assert_eq!(
                found(directory.path(), &[id(nth).as_u128().to_be_bytes().to_vec()]),
                0,
                "{nth} of {named}"
            );
        }
        assert!(Reader::open(directory.path(), told).unwrap().journey(id(4)).unwrap().is_some());
    }
}

#[test]
fn links_to_a_journey_that_was_never_stored_are_cut_too() {
    let (directory, mut store) = store(1000);
    store.apply(&[Change::Put(Box::new(own(5, 1)))], Position(1)).unwrap();
    let mut what = Forget::default();
    what.add(id(4), own(4, 1).journey.events.iter().map(|event| &event.event));
    assert_eq!(store.forget(&what).unwrap(), 0);
    assert_eq!(found(directory.path(), &traces_of(4)), 0);
    let left = Reader::open(directory.path(), told).unwrap().journey(id(5)).unwrap().unwrap();
    assert_eq!(left.previous_journey, None);
}

#[test]
fn a_reader_in_the_way_is_an_error_and_doing_it_again_does_the_rest() {
    let (directory, mut store) = busy(1000, 50);
    store.connection.busy_timeout(std::time::Duration::from_millis(1)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    let mut lines = reader.lines().unwrap();
    assert!(lines.next().is_some());
    let mut what = named(7);
    store.recall(&mut what).unwrap();
    assert!(matches!(store.forget(&what), Err(StoreError::LogInUse)));
    assert!(found(directory.path(), &traces_of(7)) > 0);
    drop(lines);
    assert_eq!(store.forget(&what).unwrap(), 0);
    assert_eq!(found(directory.path(), &traces_of(7)), 0);
}

/// A store in which forgetting began: what is forgotten is committed to the log, and nothing is moved from there, for
/// somebody reads. Gives the database, the log before and the log behind.
fn begun(what: &Forget) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (directory, mut store) = busy(1000, 600);
    let [database, log] = ["authstitch.db", "authstitch.db-wal"].map(|name| directory.path().join(name));
    store.empty_log().unwrap();
    let last = [own(7, 9), own(601, 1)].map(|judged| Change::Put(Box::new(judged)));
    store.apply(&last, Position(100)).unwrap();
    let before = fs::read(&log).unwrap();
    store.connection.busy_timeout(std::time::Duration::from_millis(1)).unwrap();
    let reader = Reader::open(directory.path(), told).unwrap();
    let mut lines = reader.lines().unwrap();
    assert!(lines.next().is_some());
    assert!(matches!(store.forget(what), Err(StoreError::LogInUse)));
    (fs::read(&database).unwrap(), before, fs::read(&log).unwrap())
}

/// A directory as it was left when the process ended.
fn left(database: &[u8], log: &[u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("authstitch.db"), database).unwrap();
    fs::write(directory.path().join("authstitch.db-wal"), log).unwrap();
    directory
}

/// All but the seventh journey are there, as they were.
fn others_are_there(directory: &Path) {
    let reader = Reader::open(directory, told).unwrap();
    for nth in (0..600).chain([601]).filter(|nth| *nth != 7) {
        let found = reader.journey(id(nth)).unwrap().unwrap();
        assert_eq!(reader.by_key(KeyHash::new(key(nth))).unwrap(), [found]);
    }
}

/// What there is to forget of the seventh journey.
fn seventh() -> Forget {
    let mut what = named(7);
    busy(1000, 600).1.recall(&mut what).unwrap();
    what
}

#[test]
fn whenever_the_writing_breaks_off_it_was_not_begun_or_is_finished_at_the_next_start() {
    let what = seventh();
    let (database, before, behind) = begun(&what);
    assert!(found(left(&database, &behind).path(), &traces_of(7)) > 0);
    let (mut undone, mut done) = (0, 0);
    let ends = (before.len()..behind.len()).step_by((behind.len() - before.len()) / 40);
    for end in ends.chain([behind.len() - 1, behind.len()]) {
        let directory = left(&database, &behind[..end]);
        let mut store = Store::open(directory.path()).unwrap();
        match found(directory.path(), &traces_of(7)) {
            0 => done += 1,
            _ => {
                undone += 1;
                assert_eq!(store.forget(&what).unwrap(), 1);
                assert_eq!(found(directory.path(), &traces_of(7)), 0);
            }
        }
        others_are_there(directory.path());
    }
    assert!(undone > 30 && done > 0, "{undone} {done}");
}

#[test]
fn whenever_the_moving_from_the_log_breaks_off_the_next_start_finishes_it() {
    let what = seventh();
    let (database, _, log) = begun(&what);
    let whole = left(&database, &log);
    drop(Store::open(whole.path()).unwrap());
    let after = fs::read(whole.path().join("authstitch.db")).unwrap();
    for moved in (0..after.len()).step_by(after.len() / 20 / 4096 * 4096).chain([after.len()]) {
        let mut mixed = after[..moved].to_vec();
        mixed.extend(database.get(moved..).unwrap_or_default());
        let directory = left(&mixed, &log);
        assert!(found(directory.path(), &traces_of(7)) > 0);
        drop(Store::open(directory.path()).unwrap());
        assert_eq!(found(directory.path(), &traces_of(7)), 0, "{moved}");
        others_are_there(directory.path());
    }
}

#[test]
fn a_store_opens_though_somebody_reads_and_the_log_is_emptied_afterwards() {
    let what = seventh();
    let (database, _, log) = begun(&what);
    let directory = left(&database, &log);
    let reader = Reader::open(directory.path(), told).unwrap();
    let mut lines = reader.lines().unwrap();
    assert!(lines.next().is_some());
    let mut store = Store::open(directory.path()).unwrap();
    assert!(found(directory.path(), &traces_of(7)) > 0);
    drop(lines);
    store.retire(UnixNanos(0), 100).unwrap();
    assert_eq!(found(directory.path(), &traces_of(7)), 0);
}

#[test]
fn a_key_of_a_revision_that_was_replaced_goes_too() {
    let (directory, mut store) = store(2);
    store.apply(&[put(1, 1, &[key(1)]), put(2, 1, &[])], Position(1)).unwrap();
    store.apply(&[put(1, 2, &[key(1)])], Position(2)).unwrap();
    assert_eq!(forget(&mut store, named(1)), 1);
    assert_eq!(found(directory.path(), &traces_of(1)), 0);
}

#[test]
fn vacuum_clears_a_file_in_which_nothing_was_overwritten() {
    let (directory, store) = busy(1000, 600);
    // The last of its ten: nobody's link leads to it.
    let last = row_of(&store.connection.unchecked_transaction().unwrap(), id(9)).unwrap().unwrap();
    drop(store);
    let earlier = rusqlite::Connection::open(schema::file(directory.path())).unwrap();
    let keys: String = key_tables(&earlier)
        .unwrap()
        .iter()
        .map(|table| format!("DELETE FROM {table} WHERE key = {};", key(9) as i64))
        .collect();
    let delete = format!(
        "PRAGMA secure_delete = OFF; {keys} DELETE FROM revisions WHERE row = {last};
         DELETE FROM ids WHERE row = {last};"
    );
    earlier.execute_batch(&delete).unwrap();
    drop(earlier);
    assert!(found(directory.path(), &traces_of(9)) > 3);
    // As `sqlite3` does it.
    rusqlite::Connection::open(schema::file(directory.path())).unwrap().execute_batch("VACUUM").unwrap();
    assert_eq!(found(directory.path(), &traces_of(9)), 0);
    Store::open(directory.path()).unwrap();
    assert_eq!(Reader::open(directory.path(), told).unwrap().lines().unwrap().count(), 599);
}
