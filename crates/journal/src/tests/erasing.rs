//! What is erased is in no file, and nothing else is gone.

use authstitch_model::AuthEvent;

use super::*;
use crate::disk::simulated::Crash;
use crate::head::names;

const SECRET: u128 = 0xfeed_face_dead_beef_0123_4567_89ab_cdef;

/// Of the settings that say what is to be erased.
const KIND: &str = "forget";

fn is_secret(event: &AuthEvent) -> bool {
    event.keys.session == Some(KeyHash::new(SECRET))
}

fn event(nth: u64, secret: bool) -> AuthEvent {
    let mut event = testing::event(EventName::QrShown, UnixNanos(nth), nth);
    event.keys.session = secret.then(|| KeyHash::new(SECRET));
    event
}

/// A journal in which every third record has a secret among its events, in files that were used before, and the last one
/// says that it is to be erased.
fn journal(disk: &Simulated) -> (Journal<Simulated>, Vec<Entry>) {
    let (mut journal, ..) = open(disk, small());
    let mut committed = Vec::new();
    for nth in 0..60 {
        let events = vec![event(nth, false), event(nth + 100, nth % 3 == 0), event(nth + 200, false)];
        let (position, received) = (Position(0), UnixNanos(nth));
        let record = Entry::Record(Record { position, received, body: RecordBody::Events(events) });
        committed.push(append(&mut journal, record).unwrap());
        committed.push(append(&mut journal, setting(700)).unwrap());
        let position = journal.commit().unwrap();
        if nth < 40 {
            journal.snapshot(position, &SECRET.to_le_bytes()).unwrap();
            journal.release(position).unwrap();
        }
    }
    let (position, received, kind) = (Position(0), UnixNanos(60), Text::from(KIND));
    let bytes = SECRET.to_le_bytes().into();
    committed
        .push(append(&mut journal, Entry::Setting(Setting { position, received, kind, bytes })).unwrap());
    journal.commit().unwrap();
    (journal, committed)
}

/// Whether it still says what is to be erased.
fn is_unfinished(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| {
        matches!(entry, Entry::Setting(Setting { kind, bytes, .. }) if kind.as_str() == KIND && !bytes.is_empty())
    })
}

fn forgotten(entry: &Entry) -> Entry {
    let mut entry = entry.clone();
    match &mut entry {
        Entry::Record(Record { body: RecordBody::Events(events), .. }) => {
            events.retain(|event| !is_secret(event));
        }
        Entry::Setting(Setting { kind, bytes, .. }) if kind.as_str() == KIND => *bytes = Box::default(),
        _ => {}
    }
    entry
}

/// The files in which the secret stands.
fn files_with_secret(disk: &Simulated) -> Vec<String> {
    let secret = SECRET.to_le_bytes();
    let has = |name: &String| disk.content(name).windows(secret.len()).any(|bytes| bytes == secret);
    disk.names().into_iter().filter(has).collect()
}

#[test]
fn what_is_erased_is_in_no_file_and_the_rest_is_as_it_was() {
    let disk = Simulated::new(1);
    let (mut journal, mut committed) = journal(&disk);
    assert!(files_with_secret(&disk).len() > 3);
    journal.release(Position(100)).unwrap();
    for position in [90, 99] {
        journal.snapshot(Position(position), b"the engine has forgotten").unwrap();
    }
    assert!(disk.names().iter().any(|name| names::is_spare(name)), "a file waits for its next use");
    let erased = journal.erase(is_secret, KIND).unwrap();
    assert!(erased.events >= 5 && erased.unreadable == 0, "{erased:?}");
    assert_eq!(files_with_secret(&disk), Vec::<String>::new());
    committed.push(append(&mut journal, setting(10)).unwrap());
    journal.commit().unwrap();
    drop(journal);
    let (_, report, entries) = open(&disk.restart(Crash::Lost), small());
    assert_eq!(report, crate::Report::default());
    assert_eq!(entries, committed[99..].iter().map(forgotten).collect::<Vec<_>>());
}

#[test]
fn damaged_parts_and_their_copies_go_too_and_stay_counted() {
    let disk = Simulated::new(1);
    let (journal, committed) = journal(&disk);
    drop(journal);
    let segment = disk.names().into_iter().rfind(|name| name.starts_with("segment-")).unwrap();
    disk.damage(&segment, |bytes| bytes[600] ^= 1);
    let (mut journal, report, entries) = open(&disk, small());
    assert_eq!((report.damaged_parts, report.lost), (1, 2));
    assert!(files_with_secret(&disk).iter().any(|name| name.starts_with("aside-")));
    journal.snapshot(Position(80), &[]).unwrap();
    journal.erase(is_secret, KIND).unwrap();
    assert_eq!(files_with_secret(&disk), Vec::<String>::new());
    let (_, report, left) = open(&disk, small());
    assert_eq!((report.damaged_parts, report.lost), (0, 2));
    assert_eq!(left, entries.iter().map(forgotten).collect::<Vec<_>>());
    assert_eq!(left.last().map(Entry::position), committed.last().map(Entry::position));
}

#[test]
fn erasing_can_break_off_anywhere_and_be_done_again() {
    let mut stop = 0;
    loop {
        stop += 1;
        let disk = Simulated::new(stop);
        let (mut journal, committed) = journal(&disk);
        disk.stop_after(stop);
        let is_done = journal.erase(is_secret, KIND).is_ok();
        let disk = disk.restart(Crash::ALL[stop as usize % Crash::ALL.len()]);
        let (mut journal, report, entries) = open(&disk, small());
        assert_eq!((&report.damaged, report.lost), (&Vec::new(), 0));
        let committed = &committed[committed.len() - entries.len()..];
        assert!(entries.len() >= 40, "all behind the snapshot");
        for (entry, before) in entries.iter().zip(committed) {
            assert!(entry == before || *entry == forgotten(before), "stop {stop}");
        }
        // The newest snapshot is another's to see to.
        let mut left = files_with_secret(&disk);
        left.retain(|name| *name != names::snapshot(Position(80)));
        assert!(
            left.is_empty() || is_unfinished(&entries),
            "stop {stop}: nothing tells of what is left: {left:?}"
        );
        journal.snapshot(Position(80), &[]).unwrap();
        journal.erase(is_secret, KIND).unwrap();
        assert_eq!(files_with_secret(&disk), Vec::<String>::new(), "stop {stop}");
        let left = open(&disk, small()).2;
        let expected: Vec<_> = committed.iter().map(forgotten).collect();
        assert_eq!(left, expected[expected.len() - left.len()..], "stop {stop}");
        if is_done {
            break;
        }
    }
    assert!(stop > 30, "{stop}");
}
