//! One test a rule.

use authstitch_model::EventName::{ChallengeCreated, QrScanned, QrShown};
use authstitch_model::event::testing::event;

use super::*;

const BASE: u64 = 1_800_000_000;

fn at(seconds: u64) -> UnixNanos {
    UnixNanos((BASE + seconds) * 1_000_000_000)
}

fn server(seconds: u64, trace: u64) -> AuthEvent {
    event(ChallengeCreated, at(seconds), trace)
}

fn phone(seconds: u64) -> AuthEvent {
    event(QrScanned, at(seconds), 900 + seconds)
}

fn observed(seconds: u64) -> AuthEvent {
    AuthEvent { observed: Some(at(seconds)), ..event(QrShown, at(0), seconds) }
}

/// The receipt times of a file's events, in seconds.
fn received(events: impl IntoIterator<Item = AuthEvent>) -> Vec<u64> {
    let (mut clock, mut settled) = (ReplayClock::default(), VecDeque::new());
    for event in events {
        clock.take(event, &mut settled);
    }
    clock.finish(&mut settled);
    settled.iter().map(|(_, time)| time.0 / 1_000_000_000 - BASE).collect()
}

#[test]
fn only_the_server_moves_it_and_never_back() {
    assert_eq!(received([server(10, 1), phone(50), server(30, 2), server(20, 3)]), [10, 10, 30, 30]);
}

#[test]
fn observed_times_move_it_until_the_server_speaks() {
    assert_eq!(received([observed(5), observed(7), server(8, 1), observed(600)]), [5, 7, 8, 8]);
}

#[test]
fn a_long_jump_is_ignored_without_a_second_trace() {
    let events = [server(0, 1), server(90_000, 2), server(90_001, 2), server(20, 3)];
    assert_eq!(received(events), [0, 20, 20, 20], "an event without a jump refutes it");
    assert_eq!(received([server(0, 1), server(90_000, 2), phone(1)]), [0, 0, 0], "so does the end");
}

#[test]
fn a_second_trace_confirms_a_jump_for_the_events_since() {
    let events = [server(0, 1), server(90_000, 2), phone(90_001), server(90_002, 3), phone(5)];
    assert_eq!(received(events), [0, 90_000, 90_000, 90_000, 90_000]);
}

#[test]
fn events_before_the_first_witness_are_received_at_its_time() {
    assert_eq!(received([phone(1_000_000), server(5, 1)]), [5, 5]);
}

#[test]
fn a_file_without_witness_is_received_at_its_first_event() {
    assert_eq!(received([phone(3), phone(1)]), [3, 3]);
}
