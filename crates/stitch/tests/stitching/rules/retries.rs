//! Rule 10: attempts that follow each other.

use expect_test::expect;

use super::check;

#[test]
fn attempts_of_a_session_are_linked_and_the_earlier_one_is_told_of_again() {
    check(
        "0 server challenge.created journey=A session=S
         4 desktop cancelled journey=A
         20 desktop qr.shown journey=B session=S
         30 desktop cancelled journey=B",
        expect![[r#"
            14 a1 terminal: challenge.created 0, cancelled 4
            20 a2 terminal: challenge.created 0, cancelled 4; 16 s before b (app_qr)
            40 b1 terminal: qr.shown 20, cancelled 30; 16 s after a
            journeys_revised 1
        "#]],
    );
}

#[test]
fn an_earlier_one_that_is_open_says_it_when_it_closes() {
    check(
        "0 desktop qr.shown journey=A session=S
         10 desktop webauthn.started journey=B session=S
         15 desktop webauthn.failed journey=B",
        expect![[r#"
            25 b1 terminal: webauthn.started 10, webauthn.failed 15; 10 s after a
            240 a1 idle: qr.shown 0; 10 s before b (passkey_cda)
        "#]],
    );
}

#[test]
fn attempts_of_a_container_are_linked() {
    check(
        "0 server challenge.created challenge=C flow=F
         4 desktop cancelled challenge=C
         5 server challenge.created challenge=D flow=F
         9 desktop cancelled challenge=D",
        expect![[r#"
            14 a1 terminal: challenge.created 0, cancelled 4; 1 s before b (unknown)
            19 b1 terminal: challenge.created 5, cancelled 9; 1 s after a
        "#]],
    );
}

#[test]
fn attempts_of_a_trace_are_not() {
    check(
        "0 server challenge.created challenge=C trace=1
         4 desktop cancelled challenge=C
         5 server challenge.created challenge=D trace=1
         9 desktop cancelled challenge=D",
        expect![[r#"
            14 a1 terminal: challenge.created 0, cancelled 4
            19 b1 terminal: challenge.created 5, cancelled 9
        "#]],
    );
}

#[test]
fn each_is_linked_to_those_beside_it() {
    check(
        "0 server challenge.created journey=A session=S
         1 desktop cancelled journey=A
         5 server challenge.created journey=B session=S
         6 desktop cancelled journey=B
         9 server challenge.created journey=C session=S
         10 desktop cancelled journey=C",
        expect![[r#"
            11 a1 terminal: challenge.created 0, cancelled 1; 4 s before b (unknown)
            16 b1 terminal: challenge.created 5, cancelled 6; 4 s after a; 3 s before c (unknown)
            20 c1 terminal: challenge.created 9, cancelled 10; 3 s after b
        "#]],
    );
}

#[test]
fn one_that_is_heard_of_later_comes_between() {
    check(
        "0 server challenge.created journey=A session=S
         1 desktop cancelled journey=A
         9 server challenge.created journey=C session=S
         10 desktop cancelled journey=C
         5@30 server challenge.created journey=B session=S
         6@31 desktop cancelled journey=B",
        expect![[r#"
            11 a1 terminal: challenge.created 0, cancelled 1; 8 s before b (unknown)
            20 b1 terminal: challenge.created 9, cancelled 10; 8 s after a
            30 a2 terminal: challenge.created 0, cancelled 1; 4 s before c (unknown)
            30 b2 terminal: challenge.created 9, cancelled 10; 4 s after c
            41 c1 terminal: challenge.created 5, cancelled 6; 4 s after a; 3 s before b (unknown)
            journeys_revised 2
        "#]],
    );
}

#[test]
fn the_earlier_one_is_told_of_again_when_the_later_turns_out_to_be_another_flow() {
    check(
        "0 desktop qr.shown journey=A session=S
         1 desktop cancelled journey=A
         20 server challenge.created journey=B session=S
         22 desktop webauthn.started journey=B
         23 desktop webauthn.failed journey=B",
        expect![[r#"
            11 a1 terminal: qr.shown 0, cancelled 1
            20 a2 terminal: qr.shown 0, cancelled 1; 19 s before b (unknown)
            22 a3 terminal: qr.shown 0, cancelled 1; 19 s before b (passkey_cda)
            33 b1 terminal: challenge.created 20, webauthn.started 22, webauthn.failed 23; 19 s after a
            journeys_revised 2
        "#]],
    );
}

#[test]
fn a_predecessor_that_is_forgotten_stays_the_predecessor() {
    check(
        "0 server link.sent journey=A session=S
         5 server challenge.created journey=B session=S
         6 desktop cancelled journey=B
         100 desktop qr.shown journey=C session=S
         200 desktop cancelled journey=C",
        expect![[r#"
            16 b1 terminal: challenge.created 5, cancelled 6; 5 s after a
            100 b2 terminal: challenge.created 5, cancelled 6; 5 s after a; 94 s before c (app_qr)
            210 c1 terminal: qr.shown 100, cancelled 200; 94 s after b
            960 a1 idle: link.sent 0; 5 s before b (unknown)
            journeys_revised 1
        "#]],
    );
}

#[test]
fn links_follow_a_merge() {
    check(
        "0 server challenge.created journey=A session=S
         1 desktop cancelled journey=A
         2 server challenge.created journey=C
         20 phone qr.scanned code=K session=S
         30 phone confirmation.declined code=K
         50 desktop qr.shown journey=C code=K",
        expect![[r#"
            11 a1 terminal: challenge.created 0, cancelled 1
            20 a2 terminal: challenge.created 0, cancelled 1; 19 s before c (app_qr)
            40 c1 terminal: qr.scanned 20, confirmation.declined 30; 19 s after a
            50 c2 merged into b
            50 a3 terminal: challenge.created 0, cancelled 1; 1 s before b (app_qr)
            50 b1 terminal: challenge.created 2, qr.shown 50, qr.scanned 50, confirmation.declined 60; phone off by -30; 1 s after a
            journeys_merged 1; journeys_revised 2
        "#]],
    );
}
