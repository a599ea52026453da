//! The rules of the journal, one a test.

use super::*;
use crate::disk::simulated::Crash;
use crate::head::names;
use crate::{Durability, OpenError, SnapshotError};

#[test]
fn a_clean_restart_finds_nothing_torn_even_in_files_that_were_used_before() {
    let disk = Simulated::new(1);
    let mut expected = Vec::new();
    let mut recycled = false;
    for life in 0..20 {
        let (mut journal, report, entries) = open(&disk, small());
        assert_eq!(report, crate::Report::default(), "life {life}");
        let after = entries.first().map_or(expected.len(), |entry| entry.position().0 as usize - 1);
        assert_eq!(entries, expected[after..]);
        for step in 0..10 + life {
            expected.push(append(&mut journal, setting(300 + 97 * step)).unwrap());
            let position = journal.commit().unwrap();
            journal.release(position).unwrap();
            journal.snapshot(Position(position.0 - 1), &[]).unwrap();
            recycled |= disk.names().iter().any(|name| names::is_spare(name));
        }
    }
    assert!(recycled && expected.len() > 300);
}

#[test]
fn a_segment_without_a_frame_is_at_its_end_even_in_a_file_that_was_used_before() {
    let mut clean = 0;
    for stop in 1..12 {
        let disk = Simulated::new(1);
        let mut journal = segments(&disk, 3);
        journal.release(Position(3)).unwrap();
        journal.snapshot(Position(2), &[]).unwrap();
        journal.snapshot(Position(3), &[]).unwrap();
        assert!(disk.names().iter().any(|name| names::is_spare(name)));
        append(&mut journal, setting(3000)).unwrap();
        disk.stop_after(stop);
        let is_over = journal.commit().is_ok();
        let disk = disk.restart(Crash::Killed);
        let is_begun = disk.names().contains(&names::segment(4));
        let (_, report, entries) = open(&disk, small());
        clean += u32::from(is_begun && !is_over && entries.is_empty() && report.torn.is_none());
    }
    assert!(clean > 0);
}

#[test]
fn a_write_that_broke_off_is_told_and_set_aside_and_nothing_is_damaged() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    let first = append(&mut journal, setting(100)).unwrap();
    journal.commit().unwrap();
    append(&mut journal, setting(1000)).unwrap();
    journal.commit().unwrap();
    drop(journal);
    // The header arrived, and of the rest the first sector.
    disk.damage(&names::segment(1), |bytes| bytes[1536..].fill(0));
    let (_, report, entries) = open(&disk, small());
    assert_eq!(entries, [first]);
    let torn = report.torn.unwrap();
    assert_eq!((torn.begin, report.damaged_parts, report.lost), (1024, 0, 0));
    assert_eq!(disk.content(&torn.aside.unwrap()).len() as u64, torn.bytes);
    let (_, report, _) = open(&disk, small());
    assert_eq!(report, crate::Report::default(), "what was cut off is not there the next time");
}

#[test]
fn at_its_bound_the_journal_refuses_and_the_batch_stays_as_it_was() {
    let disk = Simulated::new(1);
    let settings = Settings { disk_bytes: 3 * 4096, ..small() };
    let (mut journal, ..) = open(&disk, settings.clone());
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(append(&mut journal, setting(2000)).unwrap());
        journal.commit().unwrap();
    }
    taken.push(append(&mut journal, setting(500)).unwrap());
    let events = (0..40).map(|nth| testing::event(EventName::QrScanned, UnixNanos(0), nth)).collect();
    let record = Record { position: Position(0), received: UnixNanos(0), body: RecordBody::Events(events) };
    let refused = append(&mut journal, Entry::Record(record)).unwrap_err();
    assert!(matches!(refused, Refused::Full { needed: 16384, bound: 12288 }), "{refused}");
    assert!(!journal.has_room());
    assert!(journal.bytes() <= settings.disk_bytes);
    let position = journal.commit().unwrap();
    assert_eq!(position, taken.last().unwrap().position());
    journal.release(position).unwrap();
    journal.snapshot(Position(position.0 - 1), &[]).unwrap();
    journal.snapshot(position, &[]).unwrap();
    assert!(journal.has_room());
    assert_eq!(open(&disk.restart(Crash::Killed), settings.clone()).2, []);
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, settings);
    for _ in 0..40 {
        append(&mut journal, setting(2000)).expect("what is freed can be used again");
        let position = journal.commit().unwrap();
        journal.release(position).unwrap();
        journal.snapshot(position, &[]).unwrap();
    }
}

#[test]
fn at_its_bound_a_large_snapshot_does_not_keep_the_next_from_its_tick() {
    let disk = Simulated::new(1);
    let settings = Settings { disk_bytes: 4 * 4096, ..small() };
    let (mut journal, ..) = open(&disk, settings);
    while append(&mut journal, Entry::Record(large_record())).is_ok() {
        journal.commit().unwrap();
    }
    journal.commit().unwrap();
    for at in 0..2 {
        tick(&mut journal, at).expect("no tick, no snapshot at another place");
        let position = journal.commit().unwrap();
        journal.snapshot(position, &vec![0; 2 * caps::TICK_BYTES as usize]).unwrap();
        journal.release(position).unwrap();
    }
    assert_eq!(journal.segments(), 1);
}

/// A record that takes a segment.
fn large_record() -> Record {
    let events = (0..40).map(|nth| testing::event(EventName::QrShown, UnixNanos(nth << 40), nth)).collect();
    Record { position: Position(0), received: UnixNanos(0), body: RecordBody::Events(events) }
}

#[test]
fn a_full_disk_refuses_before_anything_is_written() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    let mut taken = vec![append(&mut journal, setting(1000)).unwrap()];
    disk.set_room(4096);
    taken.push(append(&mut journal, setting(1000)).unwrap());
    let refused = append(&mut journal, setting(9000)).unwrap_err();
    assert!(matches!(refused, Refused::Disk { .. }), "{refused}");
    taken.push(append(&mut journal, setting(100)).unwrap());
    journal.commit().unwrap();
    assert!(matches!(append(&mut journal, setting(3000)), Err(Refused::Disk { .. })));
    assert!(!journal.has_room());
    drop(journal);
    assert_eq!(open(&disk.restart(Crash::Lost), small()).2, taken);
}

#[test]
fn a_setting_is_taken_beyond_the_bound_once_and_not_again_and_again() {
    let disk = Simulated::new(1);
    let settings = Settings { disk_bytes: 3 * 4096, ..small() };
    let (mut journal, ..) = open(&disk, settings.clone());
    let large = 2 * caps::TICK_BYTES as usize;
    let mut taken = Vec::new();
    while let Ok(entry) = append(&mut journal, setting(large)) {
        taken.push(entry);
        journal.commit().unwrap();
        assert!(taken.len() < 10, "it is bounded");
    }
    assert!(!taken.is_empty());
    assert!(journal.bytes() < settings.disk_bytes + 2 * caps::TICK_BYTES + large as u64);
    drop(journal);
    assert_eq!(open(&disk, settings).2, taken);
}

#[test]
fn what_is_too_large_is_refused_and_a_full_batch_wants_a_commit() {
    let disk = Simulated::new(1);
    let settings = Settings { disk_bytes: 1 << 30, ..small() };
    let (mut journal, ..) = open(&disk, settings);
    let refused = append(&mut journal, setting(caps::SETTING_BYTES + 1)).unwrap_err();
    assert!(matches!(refused, Refused::TooLarge { .. }), "{refused}");
    let large = append(&mut journal, setting(caps::BATCH_BYTES)).unwrap();
    let refused = append(&mut journal, setting(0)).unwrap_err();
    assert!(matches!(refused, Refused::Batch), "{refused}");
    journal.commit().unwrap();
    let small_one = append(&mut journal, setting(0)).unwrap();
    journal.commit().unwrap();
    assert_eq!(open(&disk, small()).2, [large, small_one]);
}

#[test]
fn a_disk_without_room_is_not_asked_at_every_refusal() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    disk.set_room(0);
    let steps = |journal: &mut Journal<Simulated>, at: u64| {
        let before = disk.steps();
        for _ in 0..100 {
            assert!(matches!(tick(journal, at * 1_000_000), Err(Refused::Disk { .. })));
        }
        disk.steps() - before
    };
    let once = steps(&mut journal, 1000);
    assert!((1..10).contains(&once), "{once}");
    assert_eq!(steps(&mut journal, 999 + caps::PROBE_PAUSE.0), 0);
    assert_eq!(steps(&mut journal, 1000 + caps::PROBE_PAUSE.0), once, "it is asked again");
    disk.set_room(usize::MAX);
    journal.make_ready().expect("whoever has time may ask");
    tick(&mut journal, 1).unwrap();
}

#[test]
fn a_record_beyond_its_bound_is_refused_and_the_next_is_taken() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, Settings { disk_bytes: 1 << 30, ..small() });
    let events =
        |count: u64| (0..count).map(|nth| testing::event(EventName::QrShown, UnixNanos(nth << 40), nth));
    let many: Vec<_> = events(caps::RECORD_BYTES as u64 / 32).collect();
    let refused = journal.append(UnixNanos(1), Body::Events(&many)).unwrap_err();
    assert!(
        matches!(refused, Refused::TooLarge { bytes, most: caps::RECORD_BYTES } if bytes > caps::RECORD_BYTES),
        "{refused}"
    );
    assert_eq!(journal.waiting_bytes(), 0);
    journal.append(UnixNanos(1), Body::Events(&many[..10])).unwrap();
    journal.commit().unwrap();
    assert_eq!(open(&disk, small()).2.len(), 1);
}

#[test]
fn a_sync_that_fails_ends_it() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    let first = append(&mut journal, setting(10)).unwrap();
    journal.commit().unwrap();
    append(&mut journal, setting(10)).unwrap();
    disk.fail_sync_after(0);
    let poisoned = journal.commit().unwrap_err();
    assert_eq!(poisoned.doing, "syncing");
    assert!(journal.poisoned().is_some());
    assert!(journal.commit().is_err());
    assert!(matches!(append(&mut journal, setting(10)), Err(Refused::Poisoned(_))));
    assert_eq!(journal.committed(), first.position());
}

#[test]
fn receipt_time_never_goes_back_and_positions_grow_by_one() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    let stamps = [5, 3, 9].map(|at| tick(&mut journal, at).unwrap());
    assert_eq!(stamps.map(|stamp| (stamp.position.0, stamp.received.0)), [(1, 5), (2, 5), (3, 9)]);
    journal.commit().unwrap();
    drop(journal);
    let (mut journal, ..) = open(&disk, small());
    let stamp = tick(&mut journal, 1).unwrap();
    assert_eq!((stamp.position.0, stamp.received.0), (4, 9));
}

#[test]
fn what_a_sink_has_seen_is_never_given_again() {
    let disk = Simulated::new(1);
    for (position, received) in [(0, 0), (40, 7), (60, 3)] {
        let seen = Stamp { position: Position(position), received: UnixNanos(received) };
        let (mut journal, _) = Journal::open(disk.clone(), small(), seen).unwrap();
        let stamp = tick(&mut journal, 1).unwrap();
        let latest = if position == 60 { 7 } else { received.max(1) };
        assert_eq!((stamp.position.0, stamp.received.0), (position + 1, latest));
        journal.commit().unwrap();
    }
    let (_, report, entries) = open(&disk, small());
    assert_eq!(entries.iter().map(|entry| entry.position().0).collect::<Vec<_>>(), [1, 41, 61]);
    assert_eq!(report.lost, 0, "what was never given is not lost");
}

#[test]
fn a_snapshot_cannot_know_more_than_is_committed() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    tick(&mut journal, 1).unwrap();
    let refused = journal.snapshot(Position(1), &[]).unwrap_err();
    assert!(matches!(refused, SnapshotError::Ahead { position: Position(1), committed: Position(0) }));
    journal.commit().unwrap();
    journal.snapshot(Position(1), &[]).unwrap();
}

/// A journal of so many segments with one record each.
fn segments(disk: &Simulated, count: u64) -> Journal<Simulated> {
    let (mut journal, ..) = open(disk, small());
    for _ in 0..count {
        append(&mut journal, setting(3000)).unwrap();
        journal.commit().unwrap();
    }
    assert_eq!(journal.segments() as u64, count);
    journal
}

#[test]
fn a_segment_goes_when_the_kept_snapshots_and_every_sink_are_past_it() {
    let disk = Simulated::new(1);
    let mut journal = segments(&disk, 6);
    let left = |journal: &mut Journal<Simulated>, snapshot: u64, sinks: u64| {
        journal.snapshot(Position(snapshot), &[]).unwrap();
        journal.release(Position(sinks)).unwrap();
        (journal.oldest().0, journal.segments())
    };
    assert_eq!(left(&mut journal, 3, 6), (1, 6), "one snapshot frees nothing");
    assert_eq!(left(&mut journal, 4, 6), (4, 3), "the older of two does");
    assert_eq!(left(&mut journal, 6, 6), (5, 2));
    assert_eq!(disk.names().iter().filter(|name| names::snapshot_position(name).is_some()).count(), 2);

    let disk = Simulated::new(1);
    let mut journal = segments(&disk, 6);
    journal.snapshot(Position(5), &[]).unwrap();
    assert_eq!(left(&mut journal, 6, 2), (3, 4), "the sinks hold the rest");
    assert_eq!(left(&mut journal, 6, 6), (6, 1));
}

#[test]
fn what_is_read_is_not_freed() {
    let disk = Simulated::new(1);
    drop(segments(&disk, 4));
    let (mut journal, recovery) = Journal::open(disk, small(), Stamp::default()).unwrap();
    journal.snapshot(Position(3), &[]).unwrap();
    journal.snapshot(Position(4), &[]).unwrap();
    journal.release(Position(4)).unwrap();
    assert_eq!(journal.segments(), 4);
    assert_eq!(recovery.entries.map(|entry| entry.unwrap().position().0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    journal.release(Position(4)).unwrap();
    assert_eq!(journal.segments(), 1, "the last one knows how far the log has come");
}

#[test]
fn what_is_not_synced_outlives_the_process_and_not_the_power() {
    let settings = Settings { durability: Durability::Os, ..small() };
    for (crash, left) in [(Crash::Killed, 2), (Crash::Lost, 0)] {
        let disk = Simulated::new(1);
        let (mut journal, ..) = open(&disk, settings.clone());
        for _ in 0..2 {
            append(&mut journal, setting(10)).unwrap();
            journal.commit().unwrap();
        }
        assert_eq!(open(&disk.restart(crash), settings.clone()).2.len(), left);
    }
}

#[test]
fn without_durability_no_file_is_written() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, Settings { durability: Durability::None, ..small() });
    journal.make_ready().unwrap();
    assert_eq!(append(&mut journal, setting(10)).unwrap().position(), Position(1));
    assert_eq!(append(&mut journal, setting(10)).unwrap().position(), Position(2));
    assert_eq!(journal.commit().unwrap(), Position(2));
    assert_eq!((disk.names().len(), journal.bytes()), (0, 0));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for (segment_bytes, disk_bytes, name) in [(512, 1 << 20, "segment_bytes"), (4096, 8192, "disk_bytes")] {
        let settings = Settings { segment_bytes, disk_bytes, ..small() };
        let error = Journal::open(Simulated::new(1), settings, Stamp::default()).unwrap_err();
        assert!(matches!(&error, OpenError::Setting { name: found, .. } if *found == name), "{error}");
    }
}
