//! When a snapshot is made for the age of those that are kept.

use super::*;

const NOW: UnixNanos = UnixNanos(1_800_000_000_000_000_000);

/// Whether another is due when those that are kept, oldest first, have these ages in hours.
fn is_due(snapshots: &Snapshots, hours: &[u64]) -> bool {
    let kept = hours
        .iter()
        .map(|hours| Stamp { position: Position(1), received: NOW.minus(Millis::from_mins(hours * 60)) });
    snapshots.are_old(kept, NOW)
}

fn idle() -> Snapshots {
    Snapshots { wanted: false, ..Snapshots::every(1) }
}

#[test]
fn the_newest_becomes_a_day_old_and_the_one_before_it_two() {
    for (hours, due) in [
        (&[][..], false),
        (&[23], false),
        (&[24], true),
        (&[25, 0], false),
        (&[47, 23], false),
        (&[30, 24], true),
        (&[48, 0], true),
        // What stands before the two that are kept goes with the next.
        (&[1000, 47, 23], false),
    ] {
        assert_eq!(is_due(&idle(), hours), due, "{hours:?}");
    }
}

#[test]
fn after_a_start_one_is_made_without_waiting_for_a_day() {
    assert!(Snapshots::every(1).wanted);
}

#[test]
fn while_one_is_made_or_has_failed_no_other_is_due() {
    let (_done, under_way) = sync_channel(1);
    assert!(!is_due(&Snapshots { under_way: Some(under_way), ..idle() }, &[24]));
    assert!(!is_due(&Snapshots { failed: Some(NOW), ..idle() }, &[24]));
}

#[test]
fn one_that_changed_nothing_is_not_made_again_at_once() {
    let mut snapshots = idle();
    snapshots.begin(NOW);
    assert!(!is_due(&snapshots, &[24]));
    snapshots.begin(NOW.minus(caps::SNAPSHOT_PAUSE));
    assert!(is_due(&snapshots, &[24]));
}
