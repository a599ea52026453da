use authstitch_model::Position;

use super::*;
use crate::Store;
use crate::testing::put;

/// A page of a table with two entries, of which the first begins at 20, and something between.
fn page() -> Vec<u8> {
    let mut page = vec![7; 32];
    page[..8].copy_from_slice(&[13, 0, 0, 0, 2, 0, 20, 0]);
    page
}

#[test]
fn what_lies_between_the_list_of_entries_and_the_first_is_wiped_and_nothing_else() {
    let mut expected = page();
    expected[12..20].fill(0);
    assert_eq!(wiped(&page(), 9), Some(expected));
}

#[test]
fn a_page_that_has_nothing_there_stays() {
    assert_eq!(wiped(&wiped(&page(), 9).unwrap(), 9), None);
}

#[test]
fn a_page_of_no_table_stays() {
    for kind in [0, 1, 3, 14] {
        let mut page = page();
        page[0] = kind;
        assert_eq!(wiped(&page, 9), None, "{kind}");
    }
}

#[test]
fn a_page_that_cannot_be_stays() {
    let mut page = page();
    page[5..7].copy_from_slice(&[0, 33]);
    assert_eq!(wiped(&page, 9), None);
    page[5..7].copy_from_slice(&[0, 9]);
    assert_eq!(wiped(&page, 9), None);
    assert_eq!(wiped(&page[..4], 9), None);
    assert_eq!(wiped(&[], 9), None);
}

#[test]
fn a_page_that_may_begin_with_the_number_of_another_stays() {
    let number = u32::from_be_bytes(*page().first_chunk().unwrap());
    assert!(wiped(&page(), number - 1).is_some());
    assert_eq!(wiped(&page(), number), None);
}

#[test]
fn only_the_pages_that_are_asked_for_are_wiped_and_with_the_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let changes: Vec<_> = (0..40).map(|nth| put(nth, 1, &[])).collect();
    store.apply(&changes, Position(1)).unwrap();
    store.apply(&(0..40).map(|nth| put(nth, 2, &[])).collect::<Vec<_>>(), Position(2)).unwrap();
    let unclear = |transaction: &Transaction<'_>| -> Vec<u32> {
        let mut statement =
            transaction.prepare("SELECT pgno, data FROM sqlite_dbpage WHERE pgno > 1").unwrap();
        let pages = statement.query_map((), |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
        let pages = pages.map(Result::unwrap).filter(|(_, page)| wiped(page, 9).is_some());
        pages.map(|(number, _)| number).collect()
    };
    let transaction = store.begin().unwrap();
    let before = unclear(&transaction);
    assert!(before.len() > 1);
    wipe(&transaction, 0..before[0] + 1).unwrap();
    assert_eq!(unclear(&transaction), before[1..]);
    transaction.rollback().unwrap();
    let transaction = store.begin().unwrap();
    assert_eq!(unclear(&transaction), before);
    wipe(&transaction, before[1]..u32::MAX).unwrap();
    assert_eq!(unclear(&transaction), before[..1]);
}
