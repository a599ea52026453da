//! Rule 7: events after the closing.

use expect_test::expect;

use super::check;

#[test]
fn a_late_event_gives_a_new_revision() {
    check(
        "0 server challenge.created journey=A
         5 desktop cancelled journey=A
         4@134.9 phone qr.scanned journey=A",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            134.9 a2 terminal: challenge.created 0, qr.scanned 4, cancelled 5
            journeys_revised 1
        "#]],
    );
}

#[test]
fn a_weak_event_can_be_late_too() {
    check(
        "0 server challenge.created journey=A session=S
         5 desktop cancelled journey=A
         4@60 desktop page.hidden session=S",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            66 a2 terminal: challenge.created 0, ~page.hidden 4, cancelled 5
            journeys_revised 1
        "#]],
    );
}

#[test]
fn the_window_counts_from_the_closing() {
    check(
        "0 server challenge.created journey=A
         5 desktop cancelled journey=A
         4@130 phone qr.scanned journey=A
         4@140 phone mobile.opened journey=A",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            130 a2 terminal: challenge.created 0, qr.scanned 4, cancelled 5
            journeys_revised 1; too_late of phone 1, lag 125 s, at most 125 s
        "#]],
    );
}

#[test]
fn after_the_window_it_is_too_late_and_counted_by_side_with_its_lag() {
    check(
        "0 server challenge.created journey=A challenge=C code=K
         5 desktop cancelled journey=A
         4@135.1 phone qr.scanned code=K
         4@200 phone mobile.opened challenge=C
         4@300 desktop page.hidden journey=A",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            too_late of desktop 1, lag 285 s, at most 285 s; too_late of phone 2, lag 305.1 s, at most 185 s
        "#]],
    );
}

#[test]
fn a_start_event_on_a_tombstone_begins_a_new_journey() {
    check(
        "0 server challenge.created journey=A challenge=C
         5 desktop cancelled journey=A
         200 server challenge.created journey=A challenge=D
         205 desktop cancelled journey=A",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            215 b1 terminal: challenge.created 200, cancelled 205
        "#]],
    );
}

#[test]
fn a_key_that_leads_to_a_journey_goes_before_one_that_is_remembered() {
    check(
        "0 server challenge.created journey=A challenge=C
         5 desktop cancelled journey=A
         200 server challenge.created challenge=D
         201 desktop webauthn.completed journey=A challenge=D",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            561 b1 idle: challenge.created 200, webauthn.completed 201
        "#]],
    );
}

#[test]
fn a_new_key_beside_a_remembered_one_makes_no_ghost() {
    check(
        "0 server challenge.created challenge=C
         5 desktop cancelled challenge=C
         4@200 phone confirmation.shown journey=A challenge=C",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            too_late of phone 1, lag 185 s, at most 185 s
        "#]],
    );
}

#[test]
fn journey_and_challenge_are_remembered_for_a_day() {
    check(
        "0 server challenge.created journey=A challenge=C
         5 desktop cancelled journey=A
         86414 phone mobile.opened journey=A
         86416 phone mobile.opened challenge=C",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            86656 b1 idle: mobile.opened 86416
            too_late of phone 1, lag 86399 s, at most 86399 s
        "#]],
    );
}

#[test]
fn a_code_is_remembered_for_its_lifetime_and_10_minutes() {
    check(
        "0 server challenge.created journey=A code=K ttl=60
         5 desktop cancelled journey=A
         664 phone qr.scanned code=K
         666 phone qr.scanned code=K",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            906 b1 idle: qr.scanned 666
            too_late of phone 1, lag 649 s, at most 649 s
        "#]],
    );
}

#[test]
fn without_an_announced_lifetime_for_5_and_10_minutes() {
    check(
        "0 server challenge.created journey=A code=K
         5 desktop cancelled journey=A
         904 phone qr.scanned code=K
         906 phone qr.scanned code=K",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5
            1146 b1 idle: qr.scanned 906
            too_late of phone 1, lag 889 s, at most 889 s
        "#]],
    );
}

#[test]
fn a_code_whose_lifetime_ended_before_the_window_leaves_no_tombstone() {
    check(
        "0 server link.sent journey=A code=K ttl=1
         1100 phone link.opened code=K
         1101 phone link.opened journey=A",
        expect![[r#"
            960 a1 idle: link.sent 0
            2060 b1 idle: link.opened 1100
            too_late of phone 1, lag 141 s, at most 141 s
        "#]],
    );
}

#[test]
fn a_remembered_code_beside_a_new_journey_key_is_a_value_that_came_again() {
    check(
        "
        0 desktop qr.shown journey=J1 code=K
        5 desktop cancelled journey=J1
        150 phone qr.scanned journey=J2 code=K
        ",
        expect![[r#"
            15 a1 terminal: qr.shown 0, cancelled 5
            390 b1 idle: qr.scanned 150
        "#]],
    );
}
