//! Rule 1: strong keys. Rule 5: duplicates.

use authstitch_stitch::Stitcher;
use expect_test::expect;

use super::check;
use crate::dsl::parse;

#[test]
fn events_that_share_a_strong_key_belong_to_one_journey() {
    check(
        "0 server challenge.created journey=A
         1 desktop qr.shown journey=A challenge=C
         2 phone qr.scanned challenge=C code=K
         3 phone confirmation.completed code=K
         3 server challenge.created journey=B",
        expect![[r#"
            243 a1 idle: challenge.created 0, qr.shown 1, qr.scanned 2, confirmation.completed 3
            363 b1 idle: challenge.created 3
        "#]],
    );
}

#[test]
fn the_same_value_of_another_kind_is_another_key() {
    check(
        "0 server challenge.created journey=A
         1 server challenge.created challenge=A
         2 server challenge.created code=A",
        expect![[r#"
            360 a1 idle: challenge.created 0
            361 b1 idle: challenge.created 1
            362 c1 idle: challenge.created 2
        "#]],
    );
}

#[test]
fn a_journey_key_goes_before_a_challenge() {
    check(
        "0 server challenge.created journey=A challenge=C
         1 server challenge.created journey=B challenge=D
         2 desktop webauthn.started journey=A challenge=D",
        expect![[r#"
            361 b1 idle: challenge.created 1
            362 a1 idle: challenge.created 0, webauthn.started 2
            key_conflicts 1
        "#]],
    );
}

#[test]
fn a_challenge_goes_before_a_code() {
    check(
        "0 server challenge.created journey=A challenge=C
         1 server challenge.created journey=B code=K
         2 desktop qr.shown challenge=C code=K",
        expect![[r#"
            242 a1 idle: challenge.created 0, qr.shown 2
            361 b1 idle: challenge.created 1
            key_conflicts 1
        "#]],
    );
}

#[test]
fn two_journey_keys_never_meet_whatever_else_they_share() {
    check(
        "0 server challenge.created journey=A challenge=C code=K flow=F session=S trace=1
         1 desktop qr.shown journey=B challenge=C code=K flow=F session=S trace=1
         2 desktop qr.shown journey=B challenge=C
         3 phone qr.scanned code=K",
        expect![[r#"
            242 b1 idle: qr.shown 1, qr.shown 2; 0 s after a
            243 a1 idle: challenge.created 0, qr.scanned 3; 0 s before b (app_qr)
            key_conflicts 2
        "#]],
    );
}

#[test]
fn where_the_highest_key_conflicts_the_next_one_leads() {
    check(
        "0 server challenge.created journey=A challenge=C
         1 phone qr.scanned code=K
         2 desktop qr.shown journey=B challenge=C code=K",
        expect![[r#"
            242 b1 idle: qr.shown 2, qr.scanned 2; phone off by -1
            360 a1 idle: challenge.created 0
            key_conflicts 1
        "#]],
    );
}

#[test]
fn a_conflict_counts_once_for_each_journey_and_key() {
    check(
        "0 server challenge.created journey=A code=K
         1 server challenge.created journey=B
         2 desktop qr.shown journey=B code=K
         3 desktop qr.refreshed journey=B code=K",
        expect![[r#"
            243 b1 idle: challenge.created 1, qr.shown 2, qr.refreshed 3
            360 a1 idle: challenge.created 0
            key_conflicts 1
        "#]],
    );
}

#[test]
fn a_conflicting_key_that_its_journey_leaves_behind_is_free_again() {
    check(
        "0 server challenge.created journey=A code=K
         1 server challenge.created journey=B code=K
         2 desktop cancelled journey=A
         139 desktop qr.refreshed journey=B code=K
         140 phone qr.scanned code=K",
        expect![[r#"
            12 a1 terminal: challenge.created 0, cancelled 2
            380 b1 idle: challenge.created 1, qr.refreshed 139, qr.scanned 140
            key_conflicts 1
        "#]],
    );
}

#[test]
fn realms_never_meet() {
    check(
        "0 server challenge.created journey=A code=K trace=1 session=S
         1 server challenge.created journey=A code=K trace=1 session=S realm=eu
         2 phone page.hidden trace=1 session=S realm=eu",
        expect![[r#"
            360 a1 idle: challenge.created 0
            362 b1 idle: challenge.created 1, ~page.hidden 2
        "#]],
    );
}

#[test]
fn a_copy_of_an_event_is_dropped() {
    check(
        "0 server challenge.created journey=A
         0@3 server challenge.created journey=A
         1 desktop page.hidden trace=1
         1@4 desktop page.hidden trace=1
         2 desktop cancelled journey=A
         0@100 server challenge.created journey=A",
        expect![[r#"
            12 a1 terminal: challenge.created 0, cancelled 2
            duplicates 3; orphaned 1
        "#]],
    );
}

#[test]
fn an_event_without_keys_is_counted() {
    check(
        "0 server challenge.created",
        expect![[r#"
        keyless 1
    "#]],
    );
}

#[test]
fn a_journey_to_which_two_of_its_own_keys_lead_is_not_merged_with_itself() {
    let line = &parse("0 server challenge.created journey=A challenge=C")[0];
    let mut event = line.event().expect("the line tells of one");
    event.keys.challenge = event.keys.journey;
    let mut stitcher = Stitcher::default();
    stitcher.accept(line.received(), &event, &mut Vec::new());
    let counters = stitcher.counters();
    assert_eq!((counters.open, counters.joined, counters.merged), (1, 1, 0));
}
