//! One test a rule.

use authstitch_model::UnixNanos;
use authstitch_model::event::testing::event;

use super::*;

fn at(name: EventName, seconds: f64) -> AuthEvent {
    event(name, UnixNanos(1_000_000_000_000 + (seconds * 1e9) as u64), name as u64 + 1)
}

fn offsets(events: &[AuthEvent]) -> [Option<f64>; 3] {
    let offsets = estimate(&events.iter());
    [offsets.server, offsets.initiator, offsets.authenticator]
        .map(|side| side.map(|nanos| nanos as f64 / 1e9))
}

#[test]
fn the_server_is_the_common_clock_else_the_initiator() {
    assert_eq!(offsets(&[at(ChallengeCreated, 0.0), at(QrShown, 1.0)]), [Some(0.0), Some(0.0), None]);
    assert_eq!(offsets(&[at(QrShown, 1.0), at(QrScanned, 9.0)]), [None, Some(0.0), Some(0.0)]);
}

#[test]
fn the_smallest_shift_that_keeps_the_bounds() {
    // The phone is a minute ahead: it confirmed before the server verified, and scanned after the page showed.
    let ahead = [
        at(ChallengeCreated, 0.0),
        at(QrShown, 1.0),
        at(QrScanned, 69.0),
        at(ConfirmationCompleted, 73.5),
        at(VerificationSucceeded, 14.0),
    ];
    assert_eq!(offsets(&ahead), [Some(0.0), Some(0.0), Some(59.5)]);
    let behind = [
        at(ChallengeCreated, 60.0),
        at(QrShown, 61.0),
        at(QrScanned, 5.0),
        at(ConfirmationCompleted, 9.0),
        at(VerificationSucceeded, 74.0),
    ];
    assert_eq!(offsets(&behind), [Some(0.0), Some(0.0), Some(-56.0)]);
}

#[test]
fn contradicting_bounds_meet_in_the_middle() {
    let events = [
        at(ChallengeCreated, 100.0),
        at(QrScanned, 90.0),
        at(ConfirmationCompleted, 130.0),
        at(VerificationSucceeded, 101.0),
    ];
    assert_eq!(offsets(&events)[2], Some(9.5));
}

#[test]
fn a_side_that_nothing_bounds_has_no_offset() {
    assert_eq!(
        offsets(&[at(ChallengeCreated, 0.0), at(EventName::PageHidden, 500.0)]),
        [Some(0.0), None, None]
    );
}

#[test]
fn a_parent_begins_before_its_child() {
    let parent = at(ConfirmationShown, 400.0);
    let mut child = at(ChallengeCreated, 100.0);
    child.origin.parent_span_id = parent.origin.span_id;
    assert_eq!(offsets(&[parent, child]), [Some(0.0), None, Some(300.0)]);
}

#[test]
fn the_corrected_initiator_bounds_the_phone() {
    // The desktop is 100 s ahead; the phone is right.
    let events = [
        at(QrShown, 101.0),
        at(QrScanned, 9.0),
        at(VerificationSucceeded, 14.0),
        at(CallbackReceived, 114.5),
        at(WebauthnCompleted, 113.0),
    ];
    let [_, initiator, phone] = offsets(&events);
    assert_eq!(initiator, Some(99.0));
    assert_eq!(phone, Some(0.0));
}

#[test]
fn clocks_of_another_century_do_not_overflow() {
    let dead = event(QrScanned, UnixNanos(1), 1);
    let far = event(ConfirmationCompleted, UnixNanos(u64::MAX), 2);
    let offsets = estimate(&[at(QrShown, 0.0), dead, far, at(VerificationSucceeded, 5.0)].iter());
    assert!(offsets.authenticator.is_some());
}
