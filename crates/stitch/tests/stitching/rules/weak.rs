//! Rule 4: weak keys.

use std::fmt::Write;

use expect_test::expect;

use super::check;

#[test]
fn a_weak_event_waits_6_s_for_its_journey() {
    check(
        "0 desktop page.hidden session=S
         0.5@5.9 server challenge.created journey=A session=S",
        expect![[r#"
            365.9 a1 idle: ~page.hidden 0, challenge.created 0.5
        "#]],
    );
}

#[test]
fn and_no_longer() {
    check(
        "0 desktop page.hidden session=S
         0.5@6 server challenge.created journey=A session=S",
        expect![[r#"
            366 a1 idle: challenge.created 0.5
            orphaned 1
        "#]],
    );
}

#[test]
fn it_is_found_by_any_of_its_weak_keys() {
    check(
        "0 server challenge.created journey=A trace=1
         1 server challenge.created journey=B session=T
         2 desktop page.hidden session=S trace=1
         3 desktop page.visible session=T trace=2",
        expect![[r#"
            362 a1 idle: challenge.created 0, ~page.hidden 2
            363 b1 idle: challenge.created 1, ~page.visible 3
        "#]],
    );
}

#[test]
fn a_journey_spans_from_2_s_before_its_start() {
    check(
        "10 server challenge.created journey=A session=S
         8@10 desktop method.selected session=S
         7.9@10 desktop method.offered session=S",
        expect![[r#"
            370 a1 idle: ~method.selected 8, challenge.created 10
            orphaned 1
        "#]],
    );
}

#[test]
fn to_its_last_event_and_the_idle_time() {
    check(
        "0 desktop qr.shown journey=A session=S
         240@1 desktop page.hidden session=S
         500@2 desktop page.visible session=S",
        expect![[r#"
            241 a1 idle: qr.shown 0, ~page.hidden 240
            orphaned 1
        "#]],
    );
}

#[test]
fn but_at_most_10_s_after_a_terminal_event() {
    check(
        "0 desktop qr.shown journey=A session=S
         3 desktop cancelled journey=A
         13@4 desktop page.hidden session=S
         13.1@4 desktop page.unloaded session=S",
        expect![[r#"
            13 a1 terminal: qr.shown 0, cancelled 3, ~page.hidden 13
            orphaned 1
        "#]],
    );
}

#[test]
fn a_beginning_is_of_the_next_attempt_as_soon_as_the_last_one_ended() {
    check(
        "0 desktop qr.shown journey=A session=S
         3 desktop cancelled journey=A
         4 desktop method.selected session=S
         5 server challenge.created journey=B session=S",
        expect![[r#"
            13 a1 terminal: qr.shown 0, cancelled 3; 2 s before b (unknown)
            365 b1 idle: ~method.selected 4, challenge.created 5; 2 s after a
        "#]],
    );
}

#[test]
fn times_are_corrected_by_the_candidates_own_offset() {
    // The phone of A is an hour ahead, that of B is right.
    check(
        "0 server challenge.created journey=A session=S
         3605@5 phone confirmation.completed journey=A session=S
         5 server verification.succeeded journey=A
         20 server challenge.created journey=B session=S
         25 phone qr.scanned journey=B
         3607@26 phone page.hidden session=S
         27 phone page.visible session=S",
        expect![[r#"
            266 a1 idle: challenge.created 0, confirmation.completed 5, verification.succeeded 5, ~page.hidden 7; phone off by 3600; 13 s before b (app_qr)
            267 b1 idle: challenge.created 20, qr.scanned 25, ~page.visible 27; 13 s after a
        "#]],
    );
}

#[test]
fn the_latest_start_before_it_is_chosen() {
    check(
        "0 server challenge.created journey=A session=S
         10 server challenge.created journey=B session=S
         9.9 desktop page.hidden session=S
         10.1 desktop page.visible session=S",
        expect![[r#"
            369.9 a1 idle: challenge.created 0, ~page.hidden 9.9; 0.1 s before b (unknown)
            370.1 b1 idle: challenge.created 10, ~page.visible 10.1; 0.1 s after a
        "#]],
    );
}

#[test]
fn else_the_next_to_start() {
    check(
        "10 server challenge.created journey=A session=S
         20 server challenge.created journey=B session=S
         9@21 desktop page.hidden session=S",
        expect![[r#"
            380 b1 idle: challenge.created 20; 10 s after a
            381 a1 idle: ~page.hidden 9, challenge.created 10; 10 s before b (unknown)
        "#]],
    );
}

#[test]
fn where_another_started_within_2_s_it_joins_neither() {
    check(
        "0 server challenge.created journey=A session=S
         1.9 server challenge.created journey=B session=S
         5 desktop page.hidden session=S",
        expect![[r#"
            360 a1 idle: challenge.created 0; 1.9 s before b (unknown)
            361.9 b1 idle: challenge.created 1.9; 1.9 s after a
            ambiguous 1
        "#]],
    );
}

#[test]
fn two_seconds_apart_are_enough() {
    check(
        "0 server challenge.created journey=A session=S
         2 server challenge.created journey=B session=S
         5 desktop page.hidden session=S",
        expect![[r#"
            360 a1 idle: challenge.created 0; 2 s before b (unknown)
            365 b1 idle: challenge.created 2, ~page.hidden 5; 2 s after a
        "#]],
    );
}

#[test]
fn what_nothing_binds_is_an_orphan() {
    check(
        "0 desktop page.hidden session=S trace=1
         1 desktop method.selected session=T
         2 server challenge.created session=U",
        expect![[r#"
            orphaned 3
        "#]],
    );
}

#[test]
fn a_weak_event_does_not_lend_its_keys_to_the_journey_it_joined() {
    check(
        "0 server challenge.created journey=A session=S
         1 desktop page.hidden session=S trace=1
         8 desktop page.visible trace=1",
        expect![[r#"
            361 a1 idle: challenge.created 0, ~page.hidden 1
            orphaned 1
        "#]],
    );
}

#[test]
fn a_trace_with_a_challenge_makes_a_journey_of_its_own() {
    check(
        "0 desktop method.selected trace=1
         3 server challenge.created trace=1
         9 phone page.hidden trace=1
         20 desktop session.established trace=1",
        expect![[r#"
            30 a1 terminal: ~method.selected 0, ~challenge.created 3, ~page.hidden 9, ~session.established 20
        "#]],
    );
}

#[test]
fn so_does_one_with_a_ceremony_a_code_shown_a_result_or_an_end() {
    check(
        "0 desktop webauthn.started trace=1
         1 desktop qr.shown trace=2
         2 server verification.succeeded trace=3
         3 server verification.failed trace=4
         4 desktop cancelled trace=5
         5 phone qr.scanned trace=6",
        expect![[r#"
            13 d1 terminal: ~verification.failed 3
            14 e1 terminal: ~cancelled 4
            241 b1 idle: ~qr.shown 1
            360 a1 idle: ~webauthn.started 0
            362 c1 idle: ~verification.succeeded 2
            orphaned 1
        "#]],
    );
}

#[test]
fn a_link_that_was_sent_makes_none() {
    check(
        "0 server link.sent trace=1
         1 phone link.opened trace=1",
        expect![[r#"
            orphaned 2
        "#]],
    );
}

#[test]
fn a_session_makes_none() {
    check(
        "0 server challenge.created session=S",
        expect![[r#"
        orphaned 1
    "#]],
    );
}

#[test]
fn a_trace_makes_one_journey_in_whichever_order_its_events_come() {
    check(
        "20@20 desktop session.established trace=1
         0@30 server challenge.created trace=1
         10@40 server verification.succeeded trace=1",
        expect![[r#"
            30 a1 terminal: ~session.established 20
            36 a2 terminal: ~challenge.created 0, ~session.established 20
            46 a3 terminal: ~challenge.created 0, ~verification.succeeded 10, ~session.established 20
            journeys_merged 1; journeys_revised 2
        "#]],
    );
}

#[test]
fn a_trace_makes_a_journey_for_each_of_its_logins() {
    check(
        "0 server challenge.created trace=1
         5 desktop cancelled trace=1
         60 server challenge.created trace=1
         65 desktop session.established trace=1",
        expect![[r#"
            15 a1 terminal: ~challenge.created 0, ~cancelled 5
            75 b1 terminal: ~challenge.created 60, ~session.established 65
        "#]],
    );
}

/// So many open journeys in one session, ten seconds apart, and an event of the page in the last of them.
fn open_in_one_session(journeys: usize) -> String {
    let mut text = String::new();
    for nth in 0..journeys {
        writeln!(text, "{} server challenge.created journey=X{nth} session=S", nth * 10)
            .expect("text takes text");
    }
    text + "100 desktop page.hidden session=S"
}

#[test]
fn a_session_with_eight_open_journeys_still_says_something() {
    check(
        &open_in_one_session(8),
        expect![[r#"
        360 a1 idle: challenge.created 0; 10 s before b (unknown)
        370 b1 idle: challenge.created 10; 10 s after a; 10 s before c (unknown)
        380 c1 idle: challenge.created 20; 10 s after b; 10 s before d (unknown)
        390 d1 idle: challenge.created 30; 10 s after c; 10 s before e (unknown)
        400 e1 idle: challenge.created 40; 10 s after d; 10 s before f (unknown)
        410 f1 idle: challenge.created 50; 10 s after e; 10 s before g (unknown)
        420 g1 idle: challenge.created 60; 10 s after f; 10 s before h (unknown)
        460 h1 idle: challenge.created 70, ~page.hidden 100; 10 s after g
    "#]],
    );
}

#[test]
fn a_session_with_more_open_journeys_says_nothing() {
    check(
        &open_in_one_session(9),
        expect![[r#"
        360 a1 idle: challenge.created 0; 10 s before b (unknown)
        370 b1 idle: challenge.created 10; 10 s after a; 10 s before c (unknown)
        380 c1 idle: challenge.created 20; 10 s after b; 10 s before d (unknown)
        390 d1 idle: challenge.created 30; 10 s after c; 10 s before e (unknown)
        400 e1 idle: challenge.created 40; 10 s after d; 10 s before f (unknown)
        410 f1 idle: challenge.created 50; 10 s after e; 10 s before g (unknown)
        420 g1 idle: challenge.created 60; 10 s after f; 10 s before h (unknown)
        430 h1 idle: challenge.created 70; 10 s after g; 10 s before i (unknown)
        440 i1 idle: challenge.created 80; 10 s after h
        orphaned 1
    "#]],
    );
}
