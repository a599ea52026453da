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
