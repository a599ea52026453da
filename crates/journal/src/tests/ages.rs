//! How long a record stays, where snapshots are made often enough: its bytes leave all files.

use rand::SeedableRng;

use super::*;
use crate::Durability;
use crate::disk::simulated::Crash;
use crate::head::names;

const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;

/// Something no other event has, and where it shows in a file.
fn mark(nth: u64) -> u128 {
    u128::from_le_bytes([0xa7; 16]) ^ u128::from(nth)
}

/// Commits an event that is received at a time.
fn event(journal: &mut Journal<Simulated>, received: u64, nth: u64) {
    let mut event = testing::event(EventName::QrShown, UnixNanos(received), nth);
    event.keys.session = Some(KeyHash::new(mark(nth)));
    journal.append(UnixNanos(received), Body::Events(&[event])).unwrap();
    journal.commit().unwrap();
}

/// A snapshot at a tick of its own, as of a time.
fn snapshot(journal: &mut Journal<Simulated>, at: u64) {
    tick(journal, at).unwrap();
    let position = journal.commit().unwrap();
    journal.snapshot(position, &[]).unwrap();
    journal.release(position).unwrap();
}

/// The files in which an event stands.
fn files_with(disk: &Simulated, nth: u64) -> Vec<String> {
    let mark = mark(nth).to_le_bytes();
    let has = |name: &String| disk.content(name).windows(mark.len()).any(|bytes| bytes == mark);
    disk.names().into_iter().filter(has).collect()
}

fn large() -> Settings {
    Settings { segment_bytes: 64 << 10, ..small() }
}

#[test]
fn the_second_snapshot_after_a_record_lets_it_go_however_little_comes() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, large());
    for day in 1..10 {
        event(&mut journal, day * DAY, day);
        snapshot(&mut journal, day * DAY + 2 * HOUR);
        assert_eq!(files_with(&disk, day).len(), 1);
        assert_eq!(files_with(&disk, day - 1), Vec::<String>::new(), "day {day}");
    }
}

#[test]
fn with_nothing_but_ticks_it_goes_as_well() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, large());
    event(&mut journal, DAY, 1);
    snapshot(&mut journal, 2 * DAY);
    assert_eq!(files_with(&disk, 1).len(), 1);
    snapshot(&mut journal, 3 * DAY);
    assert_eq!(files_with(&disk, 1), Vec::<String>::new());
}

#[test]
fn a_segment_is_written_on_while_it_is_young() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, large());
    event(&mut journal, DAY, 1);
    for minute in 1..60 {
        snapshot(&mut journal, DAY + minute * HOUR / 60);
        assert_eq!(journal.segments(), 1, "minute {minute}");
    }
    let length = || disk.content(&names::segment(1)).len() as u64;
    assert_eq!(length(), large().segment_bytes);
    snapshot(&mut journal, DAY + HOUR);
    assert!(length() < large().segment_bytes, "it is cut off at its end");
    event(&mut journal, DAY + HOUR, 2);
    assert_eq!(journal.segments(), 2);
}

#[test]
fn what_files_hold_from_an_earlier_use_goes_too() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    for nth in 0..300 {
        event(&mut journal, DAY + nth, nth);
        if nth % 20 == 19 {
            snapshot(&mut journal, DAY + nth);
        }
    }
    let spares = |disk: &Simulated| disk.names().iter().filter(|name| names::is_spare(name)).count();
    assert!(spares(&disk) > 1, "files wait for their next use");
    for day in 2..5 {
        snapshot(&mut journal, day * DAY);
    }
    assert!(spares(&disk) < 2);
    for nth in 0..300 {
        assert_eq!(files_with(&disk, nth), Vec::<String>::new(), "event {nth}");
    }
}

#[test]
fn what_waits_for_its_next_use_beside_younger_ones_goes_with_the_next_snapshot() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    // The first files are used twice, those beside them once, and then they all wait.
    for (at, events) in [(DAY, 0..22), (DAY + 50 * HOUR / 60, 22..70)] {
        events.for_each(|nth| event(&mut journal, at, nth));
        snapshot(&mut journal, at);
        snapshot(&mut journal, at);
    }
    let spares = |disk: &Simulated| disk.names().iter().filter(|name| names::is_spare(name)).count();
    let before = spares(&disk);
    snapshot(&mut journal, DAY + 70 * HOUR / 60);
    let after = spares(&disk);
    assert!(after > 0 && after + 2 <= before, "{before} {after}");
}

#[test]
fn a_disk_without_room_for_the_next_segment_keeps_the_one_it_has() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, large());
    event(&mut journal, DAY, 1);
    disk.set_room(70 << 10);
    snapshot(&mut journal, 2 * DAY);
    for nth in 2..100 {
        event(&mut journal, 2 * DAY, nth);
    }
    assert_eq!(journal.segments(), 1);
    disk.set_room(usize::MAX);
    snapshot(&mut journal, 3 * DAY);
    snapshot(&mut journal, 4 * DAY);
    assert_eq!(files_with(&disk, 1), Vec::<String>::new());
}

#[test]
fn a_disk_without_room_for_another_file_gets_zeros_into_an_old_one() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    for nth in 0..40 {
        event(&mut journal, DAY, nth);
    }
    let segments = journal.segments();
    assert!(segments > 3);
    let used: usize = disk.names().iter().map(|name| disk.content(name).len()).sum();
    for day in 2..7 {
        // So much as two snapshots take.
        disk.set_room(used + 2048);
        snapshot(&mut journal, day * DAY);
    }
    for nth in 0..40 {
        assert_eq!(files_with(&disk, nth), Vec::<String>::new(), "event {nth}");
    }
}

#[test]
fn the_snapshots_that_are_kept_say_from_when_they_are_after_a_restart_too() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, small());
    assert_eq!(journal.snapshots().count(), 0);
    for day in 1..4 {
        snapshot(&mut journal, day * DAY);
    }
    let stamp = |position, day| Stamp { position: Position(position), received: UnixNanos(day * DAY) };
    assert_eq!(journal.snapshots().collect::<Vec<_>>(), [stamp(2, 2), stamp(3, 3)]);
    drop(journal);
    let (journal, ..) = open(&disk, small());
    assert_eq!(journal.snapshots().collect::<Vec<_>>(), [stamp(2, 2), stamp(3, 3)]);
    drop(journal);
    disk.damage(&names::snapshot(Position(2)), |bytes| bytes[20] ^= 1);
    let (journal, ..) = open(&disk, small());
    assert_eq!(journal.snapshots().next(), Some(stamp(2, 0)), "what cannot be read is from long ago");
}

#[test]
fn copies_of_damaged_parts_go_when_they_are_too_old() {
    let disk = Simulated::new(1);
    let (mut journal, ..) = open(&disk, large());
    event(&mut journal, DAY, 1);
    event(&mut journal, DAY, 2);
    drop(journal);
    disk.damage(&names::segment(1), |bytes| bytes[600] ^= 1);
    disk.set_time(UnixNanos(DAY));
    let (mut journal, report, _) = open(&disk, large());
    assert_eq!(report.damaged_parts, 1);
    for day in 2..4 {
        snapshot(&mut journal, day * DAY);
    }
    assert_eq!(files_with(&disk, 1).len(), 1, "only the copy is left");
    journal.remove_aside(UnixNanos(DAY)).unwrap();
    assert_eq!(files_with(&disk, 1).len(), 1);
    journal.remove_aside(UnixNanos(DAY + 1)).unwrap();
    assert_eq!(files_with(&disk, 1), Vec::<String>::new());
}

/// Records in bursts, at whatever pauses, with snapshots at least once a day, and a snapshot soon after each start.
#[test]
fn nothing_stays_for_longer_than_two_days_and_an_hour() {
    for seed in 0..50 {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut disk = Simulated::new(seed);
        let durability = [Durability::Fsync, Durability::Os][usize::from(chance.random_ratio(1, 4))];
        let settings = Settings { durability, segment_bytes: chance.random_range(8..64) * 512, ..small() };
        let (mut journal, ..) = open(&disk, settings.clone());
        let (mut now, mut latest) = (DAY, DAY);
        // When each event was received, and how many of them are looked for no more.
        let (mut received, mut gone) = (Vec::new(), 0);
        for step in 0..60 {
            for _ in 0..chance.random_range(0..40) {
                event(&mut journal, now, received.len() as u64);
                received.push(now);
                let longest = [1000, HOUR / 40][usize::from(chance.random_ratio(1, 4))];
                now = (now + chance.random_range(0..longest)).min(latest + DAY);
            }
            now = (now + chance.random_range(0..DAY)).min(latest + DAY);
            if chance.random_ratio(1, 6) {
                drop(journal);
                disk =
                    disk.restart([Crash::Killed, Crash::Lost][usize::from(durability == Durability::Fsync)]);
                journal = open(&disk, settings.clone()).0;
            } else if now < latest + DAY && chance.random() {
                continue;
            }
            snapshot(&mut journal, now);
            latest = now;
            let bound = now.saturating_sub(2 * DAY + caps::FILE_AGE.nanos());
            let old = received.partition_point(|received| *received < bound);
            for nth in gone..old {
                let files = files_with(&disk, nth as u64);
                assert_eq!(files, Vec::<String>::new(), "seed {seed}, step {step}, event {nth}");
            }
            gone = received.partition_point(|received| received + 2 * DAY < bound);
        }
        assert!(gone > 20, "seed {seed}: {gone}");
    }
}
