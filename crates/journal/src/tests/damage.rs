//! Disks that change what they were given: exactly what is damaged is missing, told and set aside; all else is read.

use std::collections::BTreeSet;
use std::ops::Range;

use rand::SeedableRng;

use super::*;
use crate::disk::simulated::Crash;
use crate::frame::{HEADER, SECTOR};
use crate::head::names;
use crate::walk::walk;
use crate::{OpenError, Recovery};

/// A journal of many small segments, some of them used before, and everything that was committed.
fn journal(seed: u64) -> (Simulated, Vec<Entry>) {
    let (disk, mut chance) = (Simulated::new(seed), ChaCha8Rng::seed_from_u64(seed));
    let (mut journal, _, _) = open(&disk, small());
    let mut committed = Vec::new();
    for step in 0..chance.random_range(20..60) {
        for _ in 0..chance.random_range(1..4) {
            committed.push(append(&mut journal, some_entry(&mut chance)).unwrap());
        }
        let position = journal.commit().unwrap();
        if step % 7 == 3 {
            journal.release(Position(u64::MAX)).unwrap();
            journal.snapshot(position, b"what the engine knows").unwrap();
        }
    }
    drop(journal);
    (disk.restart(Crash::Killed), committed)
}

fn segments(disk: &Simulated) -> Vec<String> {
    disk.names().into_iter().filter(|name| names::segment_number(name).is_some()).collect()
}

fn snapshots(disk: &Simulated) -> Vec<String> {
    disk.names().into_iter().filter(|name| names::snapshot_position(name).is_some()).collect()
}

/// The positions in frames of a whole segment that a change of these bytes destroys.
fn destroyed(bytes: &[u8], name: &str, changed: &Range<usize>) -> BTreeSet<u64> {
    let walk = walk(bytes, names::segment_number(name).unwrap(), Position(0), None);
    assert_eq!((&walk.damaged, &walk.torn), (&Vec::new(), &None));
    let hit = |entries: &Range<usize>| entries.start - HEADER < changed.end && changed.start < entries.end;
    let positions = |first: Position, last: Position| first.0..=last.0;
    let frames = walk.frames.iter().filter(|(_, entries)| hit(entries));
    frames.flat_map(|(header, _)| positions(header.first, header.last())).collect()
}

/// Opens, and gives what is read with the report.
fn read(disk: &Simulated) -> (Option<Position>, Vec<Entry>, crate::Report) {
    let (_, recovery) = Journal::open(disk.clone(), small(), Stamp::default()).unwrap();
    let Recovery { snapshot, entries, report } = recovery;
    (snapshot.map(|snapshot| snapshot.position), entries.map(Result::unwrap).collect(), report)
}

#[test]
fn a_disk_that_goes_bad_is_told_in_part_and_does_not_fill_itself() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    for at in 0..400 {
        tick(&mut journal, at).unwrap();
        journal.commit().unwrap();
    }
    drop(journal);
    let mut damaged = 0;
    let mut full = segments(&disk);
    full.pop();
    for name in full {
        let bytes = disk.content(&name).len();
        // Every other frame, each in a sector behind that of the head; the last stays whole.
        for sector in (1..bytes / SECTOR - 1).step_by(2) {
            disk.damage(&name, |bytes| bytes[sector * SECTOR + HEADER + 1] ^= 1);
            damaged += 1;
        }
    }
    let (_, entries, report) = read(&disk);
    assert!(damaged > caps::FLAWS_LISTED as u64, "{damaged}");
    assert_eq!((report.damaged.len(), report.damaged_parts), (caps::FLAWS_LISTED, damaged));
    assert_eq!(entries.len() as u64, 400 - damaged, "all else is read");
    let copies = disk.names().into_iter().filter(|name| names::is_aside(name));
    let copied: usize = copies.map(|name| disk.content(&name).len()).sum();
    assert!(copied as u64 <= caps::ASIDE_BYTES && copied as u64 + 512 > caps::ASIDE_BYTES);
    assert!(report.damaged.iter().any(|part| part.aside.is_none()), "there was no room for a copy");
}

#[test]
fn exactly_what_is_damaged_is_missing() {
    for seed in 0..1500 {
        let (disk, committed) = journal(seed);
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let segments = segments(&disk);
        let name = &segments[chance.random_range(0..segments.len())];
        let before = disk.content(name);
        let begin = chance.random_range(0..before.len());
        let length = if chance.random() { 1 } else { chance.random_range(1..1500) };
        let changed = begin..(begin + length).min(before.len());
        let gone = destroyed(&before, name, &changed);
        disk.damage(name, |bytes| bytes[changed.clone()].iter_mut().for_each(|byte| *byte ^= 0x55));

        let (from, entries, report) = read(&disk);
        let from = from.unwrap_or_default();
        let expected = committed.iter().filter(|entry| entry.position() > from);
        let expected: Vec<_> = expected.filter(|entry| !gone.contains(&entry.position().0)).collect();
        assert!(entries.iter().eq(expected), "seed {seed}");

        let missing = gone.iter().filter(|position| **position > from.0).count() as u64;
        if report.torn.is_none() {
            assert_eq!(report.lost, missing, "seed {seed}");
        } else {
            let last = name == segments.last().unwrap();
            assert!(last && report.lost <= missing, "seed {seed}: only the end can pass for torn");
        }
        let told = report.damaged.len() + usize::from(report.torn.is_some());
        assert!(gone.is_empty() || told > 0, "seed {seed}");
        for part in report.damaged.iter().chain(&report.torn) {
            let aside = disk.content(part.aside.as_ref().unwrap());
            assert_eq!(aside.len() as u64, part.bytes, "seed {seed}");
            let part = part.begin as usize..(part.begin + part.bytes) as usize;
            let both = changed.start.max(part.start)..changed.end.min(part.end);
            let place = both.start - part.start;
            let wrong: Vec<u8> = before[both].iter().map(|byte| byte ^ 0x55).collect();
            assert_eq!(aside[place..place + wrong.len()], wrong, "seed {seed}");
        }
    }
}

#[test]
fn damage_is_told_again_and_copied_once_and_the_journal_goes_on() {
    let (disk, committed) = journal(3);
    let segments = segments(&disk);
    disk.damage(&segments[0], |bytes| bytes[SECTOR + HEADER + 1] ^= 1);
    let (first, second) = (read(&disk), read(&disk));
    assert_eq!(first, second);
    assert_eq!(first.2.damaged_parts, 1);
    assert_eq!(disk.names().iter().filter(|name| names::is_aside(name)).count(), 1);
    let (mut journal, _, mut before) = open(&disk, small());
    before.push(append(&mut journal, setting(100)).unwrap());
    assert_eq!(before.last().unwrap().position().0, committed.len() as u64 + 1);
    journal.commit().unwrap();
    assert_eq!(read(&disk).1, before);
}

#[test]
fn a_damaged_snapshot_is_set_aside_and_the_one_before_it_taken() {
    let (disk, committed) = journal(4);
    let snapshots = snapshots(&disk);
    let [older, newest] = snapshots.as_slice() else { panic!("{snapshots:?}") };
    disk.damage(newest, |bytes| bytes[SECTOR + 3] ^= 4);
    let (from, entries, report) = read(&disk);
    assert_eq!(from, names::snapshot_position(older));
    assert!(entries.iter().eq(committed.iter().filter(|entry| Some(entry.position()) > from)));
    assert_eq!(report.damaged[0].file, *newest);
    assert!(disk.names().contains(report.damaged[0].aside.as_ref().unwrap()));
    assert_eq!(report.lost, 0);
}

#[test]
fn without_any_snapshot_what_is_left_is_read_and_the_rest_counted() {
    let (disk, committed) = journal(4);
    for name in snapshots(&disk) {
        disk.damage(&name, |bytes| bytes.truncate(520));
    }
    let (from, entries, report) = read(&disk);
    assert_eq!((from, report.damaged_parts), (None, 2));
    assert_eq!(report.lost + entries.len() as u64, committed.len() as u64);
    assert!(entries.iter().eq(&committed[report.lost as usize..]));
}

#[test]
fn a_segment_that_is_gone_is_counted() {
    let (disk, committed) = journal(5);
    let segments = segments(&disk);
    assert!(segments.len() > 2);
    let name = &segments[segments.len() - 2];
    let whole = disk.content(name);
    let gone = destroyed(&whole, name, &(0..whole.len()));
    disk.lose(name);
    let (from, entries, report) = read(&disk);
    let from = from.unwrap_or_default();
    let expected = committed.iter().filter(|entry| entry.position() > from);
    assert!(entries.iter().eq(expected.filter(|entry| !gone.contains(&entry.position().0))));
    assert_eq!(report.lost, gone.iter().filter(|position| **position > from.0).count() as u64);
}

#[test]
fn a_disk_without_room_for_copies_opens_and_keeps_what_is_torn_where_it_is() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    append(&mut journal, setting(1000)).unwrap();
    journal.commit().unwrap();
    drop(journal);
    let disk = disk.restart(Crash::Killed);
    let name = names::segment(1);
    disk.damage(&name, |bytes| bytes[700] ^= 1);
    let before = disk.content(&name);
    disk.set_room(0);
    let (_, entries, report) = read(&disk);
    assert_eq!((entries.len(), report.torn.unwrap().aside), (0, None));
    assert_eq!(disk.content(&name), before);
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    for of_a_segment in [true, false] {
        let (disk, _) = journal(6);
        let name = if of_a_segment { segments(&disk).remove(0) } else { snapshots(&disk).pop().unwrap() };
        disk.damage(&name, |bytes| {
            bytes[8] = 2;
            let mut checksum = crc32fast::Hasher::new();
            checksum.update(&bytes[..12]);
            checksum.update(&bytes[16..SECTOR]);
            bytes[12..16].copy_from_slice(&checksum.finalize().to_le_bytes());
        });
        let error = Journal::open(disk, small(), Stamp::default()).unwrap_err();
        assert!(matches!(&error, OpenError::Version { file, found: 2 } if *file == name), "{error}");
        assert!(error.to_string().contains("reads up to 1"), "{error}");
    }
}

#[test]
fn what_a_file_held_before_is_never_taken_for_its_own() {
    let (disk, _) = journal(7);
    let name = segments(&disk).pop().unwrap();
    let bytes = disk.content(&name);
    let segment = names::segment_number(&name).unwrap();
    assert!(!walk(&bytes, segment, Position(0), None).frames.is_empty());
    assert!(walk(&bytes, segment + 1, Position(0), None).frames.is_empty());
}

#[test]
fn any_bytes_are_opened() {
    for seed in 0..1000 {
        let (disk, _) = journal(seed % 10);
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        for name in disk.names() {
            disk.damage(&name, |bytes| {
                for _ in 0..chance.random_range(0..40) {
                    let at = chance.random_range(0..bytes.len());
                    bytes[at] = chance.random();
                }
                if chance.random_ratio(1, 4) {
                    bytes.truncate(chance.random_range(0..bytes.len()));
                }
            });
        }
        match Journal::open(disk, small(), Stamp::default()) {
            Ok((mut journal, recovery)) => {
                recovery.entries.for_each(drop);
                append(&mut journal, setting(10)).unwrap();
                journal.commit().unwrap();
            }
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
}
