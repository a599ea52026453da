//! Rule 8: two journeys that turn out to be one. Rule 9: clocks.

use expect_test::expect;

use super::check;

#[test]
fn the_older_journey_survives() {
    check(
        "0 phone qr.scanned code=K
         1 server challenge.created journey=A
         2 desktop qr.shown journey=A code=K
         3 desktop cancelled journey=A",
        expect![[r#"
            13 a1 terminal: challenge.created 1, qr.shown 2, qr.scanned 2, cancelled 3; phone off by -2
            journeys_merged 1
        "#]],
    );
}

#[test]
fn a_journey_that_was_told_of_gets_a_final_revision() {
    check(
        "0 server challenge.created journey=A
         1 phone confirmation.declined code=K
         20 desktop qr.shown journey=A code=K",
        expect![[r#"
            11 b1 terminal: confirmation.declined 1
            20 b2 merged into a
            20 a1 terminal: challenge.created 0, confirmation.declined 1, qr.shown 20
            journeys_merged 1
        "#]],
    );
}

#[test]
fn a_closed_survivor_opens_again_with_what_was_open() {
    check(
        "0 phone qr.scanned code=K
         1 phone page.hidden code=K ttl=1
         2 server challenge.created journey=A as=magic_link
         250 desktop method.offered journey=A
         300 desktop qr.shown journey=A code=K
         310 desktop cancelled journey=A",
        expect![[r#"
            241 a1 idle: qr.scanned 0, page.hidden 1
            320 a2 terminal: challenge.created 2, method.offered 250, qr.shown 300, qr.scanned 300, page.hidden 301, cancelled 310; phone off by -300
            journeys_merged 1; journeys_revised 1
        "#]],
    );
}

#[test]
fn an_open_journey_that_takes_over_an_end_of_long_ago_closes_at_once() {
    check(
        "0 server challenge.created journey=A
         1 phone confirmation.declined code=K
         30 desktop qr.shown journey=A code=K
         31 desktop page.hidden journey=A",
        expect![[r#"
            11 b1 terminal: confirmation.declined 1
            30 b2 merged into a
            30 a1 terminal: challenge.created 0, confirmation.declined 1, qr.shown 30
            31 a2 terminal: challenge.created 0, confirmation.declined 1, qr.shown 30, page.hidden 31
            journeys_merged 1; journeys_revised 1
        "#]],
    );
}

#[test]
fn two_closed_journeys_make_a_closed_one() {
    check(
        "0 server challenge.created journey=A
         1 desktop cancelled journey=A
         2 phone confirmation.declined code=K
         30 desktop qr.shown journey=A code=K",
        expect![[r#"
            11 a1 terminal: challenge.created 0, cancelled 1
            12 b1 terminal: confirmation.declined 2
            30 b2 merged into a
            30 a2 terminal: challenge.created 0, cancelled 1, confirmation.declined 2, qr.shown 30
            journeys_merged 1; journeys_revised 1
        "#]],
    );
}

#[test]
fn one_event_can_join_three() {
    check(
        "0 phone qr.scanned code=K
         1 desktop webauthn.started challenge=C
         2 server challenge.created journey=A
         3 desktop qr.shown journey=A challenge=C code=K",
        expect![[r#"
            363 a1 idle: challenge.created 2, webauthn.started 2, qr.shown 4, qr.scanned 4; desktop off by -1; phone off by -4
            journeys_merged 2
        "#]],
    );
}

#[test]
fn a_strong_journey_absorbs_what_its_trace_founded() {
    check(
        "0 server challenge.created trace=1
         3 desktop page.hidden trace=1
         10 desktop webauthn.started challenge=C trace=1
         12 desktop page.visible trace=1",
        expect![[r#"
            372 a1 idle: ~challenge.created 0, ~page.hidden 3, webauthn.started 10, ~page.visible 12
            journeys_merged 1
        "#]],
    );
}

#[test]
fn even_what_has_closed_already() {
    check(
        "0 server challenge.created trace=1
         3 desktop cancelled trace=1
         2@20 desktop webauthn.started challenge=C trace=1",
        expect![[r#"
            13 a1 terminal: ~challenge.created 0, ~cancelled 3
            20 a2 terminal: ~challenge.created 0, webauthn.started 2, ~cancelled 3
            journeys_merged 1; journeys_revised 1
        "#]],
    );
}

#[test]
fn but_not_another_login_of_the_same_trace() {
    check(
        "0 server challenge.created trace=1
         3 desktop cancelled trace=1
         60 desktop webauthn.started challenge=C trace=1",
        expect![[r#"
            13 a1 terminal: ~challenge.created 0, ~cancelled 3
            420 b1 idle: webauthn.started 60
        "#]],
    );
}

#[test]
fn the_clock_that_is_wrong_is_part_of_the_journey() {
    check(
        "0 server challenge.created journey=A code=K
         1 desktop qr.shown journey=A code=K
         3605@5 phone qr.scanned code=K
         3607@7 phone confirmation.completed code=K
         8 server verification.succeeded journey=A
         9 desktop session.established journey=A",
        expect![[r#"
            19 a1 terminal: challenge.created 0, qr.shown 1, qr.scanned 6, confirmation.completed 8, verification.succeeded 8, session.established 9; phone off by 3599
        "#]],
    );
}
