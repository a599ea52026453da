//! Rule 2: containers.

use expect_test::expect;

use super::check;

#[test]
fn a_new_challenge_in_a_container_starts_the_next_attempt() {
    check(
        "0 server challenge.created challenge=C flow=F
         5 desktop webauthn.started challenge=C flow=F
         30 server challenge.created challenge=D flow=F
         31 desktop webauthn.started challenge=D flow=F
         32 desktop webauthn.failed challenge=D",
        expect![[r#"
            42 b1 terminal: challenge.created 30, webauthn.started 31, webauthn.failed 32; 25 s after a
            365 a1 idle: challenge.created 0, webauthn.started 5; 25 s before b (passkey_cda)
        "#]],
    );
}

#[test]
fn a_new_journey_key_in_a_container_starts_the_next_attempt() {
    check(
        "0 server challenge.created journey=A flow=F
         3 server challenge.created journey=B flow=F",
        expect![[r#"
            360 a1 idle: challenge.created 0; 3 s before b (unknown)
            363 b1 idle: challenge.created 3; 3 s after a
        "#]],
    );
}

#[test]
fn an_event_with_its_container_alone_waits_and_goes_to_the_latest_attempt_started_by_then() {
    check(
        "0 server challenge.created challenge=C flow=F
         20 server challenge.created challenge=D flow=F
         19@21 desktop page.hidden flow=F
         20.5@22 desktop page.visible flow=F",
        expect![[r#"
            381 a1 idle: challenge.created 0, page.hidden 19; 1 s before b (unknown)
            382 b1 idle: challenge.created 20, page.visible 20.5; 1 s after a
        "#]],
    );
}

#[test]
fn containers_assign_by_corrected_time() {
    // The desktop is a minute behind: it showed the ceremony "before" the server made the challenge.
    check(
        "0 server challenge.created challenge=C flow=F
         20 server challenge.created challenge=D flow=F
         -39@21 desktop webauthn.started challenge=D
         -30@30 desktop page.hidden flow=F",
        expect![[r#"
            360 a1 idle: challenge.created 0; 20 s before b (passkey_cda)
            390 b1 idle: challenge.created 20, webauthn.started 20, page.hidden 29; desktop off by -59; 20 s after a
        "#]],
    );
}

#[test]
fn an_event_before_all_attempts_goes_to_the_next_to_start() {
    check(
        "0 desktop method.selected flow=F
         1 server challenge.created challenge=C flow=F",
        expect![[r#"
            361 a1 idle: method.selected 0, challenge.created 1
        "#]],
    );
}

#[test]
fn a_container_alone_makes_an_attempt() {
    check(
        "0 desktop method.selected flow=F
         8 server verification.succeeded flow=F
         8.5 desktop session.established flow=F",
        expect![[r#"
            18.5 a1 terminal: method.selected 0, verification.succeeded 8, session.established 8.5
        "#]],
    );
}

#[test]
fn the_first_strong_key_of_a_container_continues_the_attempt_that_had_none() {
    check(
        "0 desktop method.selected flow=F
         20 server challenge.created challenge=C flow=F
         21 desktop webauthn.started challenge=C",
        expect![[r#"
            381 a1 idle: method.selected 0, challenge.created 20, webauthn.started 21
        "#]],
    );
}

#[test]
fn so_does_a_journey_that_turns_out_to_be_of_the_container() {
    check(
        "0 desktop method.selected flow=F
         20 server challenge.created challenge=C
         21 desktop webauthn.started challenge=C flow=F",
        expect![[r#"
            381 a1 idle: method.selected 0, challenge.created 20, webauthn.started 21
            journeys_merged 1
        "#]],
    );
}

#[test]
fn but_not_an_attempt_that_is_over() {
    check(
        "0 desktop method.selected flow=F
         5 server verification.failed flow=F
         20 server challenge.created challenge=C flow=F",
        expect![[r#"
            15 a1 terminal: method.selected 0, verification.failed 5
            20 a2 terminal: method.selected 0, verification.failed 5; 15 s before b (unknown)
            380 b1 idle: challenge.created 20; 15 s after a
            journeys_revised 1
        "#]],
    );
}

#[test]
fn a_result_after_a_failed_result_starts_the_next() {
    check(
        "0 desktop webauthn.started flow=F
         2 server verification.failed flow=F
         4 server verification.failed flow=F
         7 server verification.succeeded flow=F
         7.5 desktop session.established flow=F",
        expect![[r#"
            12 a1 terminal: webauthn.started 0, verification.failed 2; 2 s before b (unknown)
            14 b1 terminal: verification.failed 4; 2 s after a; 3 s before c (unknown)
            17.5 c1 terminal: verification.succeeded 7, session.established 7.5; 3 s after b
        "#]],
    );
}

#[test]
fn a_session_after_a_failed_result_starts_the_next() {
    check(
        "0 desktop webauthn.started flow=F
         2 server verification.failed flow=F
         7.5 desktop session.established flow=F",
        expect![[r#"
            12 a1 terminal: webauthn.started 0, verification.failed 2
            13.5 a2 terminal: webauthn.started 0, verification.failed 2; 5.5 s before b (unknown)
            17.5 b1 terminal: session.established 7.5; 5.5 s after a
            journeys_revised 1
        "#]],
    );
}

#[test]
fn within_the_grace_what_is_no_result_is_of_the_attempt_that_ended() {
    check(
        "0 desktop webauthn.started flow=F
         2 desktop webauthn.failed flow=F
         12 desktop error flow=F
         12.5 desktop error flow=F",
        expect![[r#"
            12 a1 terminal: webauthn.started 0, webauthn.failed 2
            18 a2 terminal: webauthn.started 0, webauthn.failed 2, error 12
            18.5 a3 terminal: webauthn.started 0, webauthn.failed 2, error 12; 0.5 s before b (unknown)
            372.5 b1 idle: error 12.5; 0.5 s after a
            journeys_revised 2
        "#]],
    );
}

#[test]
fn a_beginning_is_of_the_next_attempt_as_soon_as_the_last_one_ended() {
    check(
        "0 desktop webauthn.started flow=F
         2 desktop webauthn.failed flow=F
         3 desktop method.offered flow=F
         4 desktop webauthn.started flow=F",
        expect![[r#"
            12 a1 terminal: webauthn.started 0, webauthn.failed 2; 1 s before b (passkey_cda)
            364 b1 idle: method.offered 3, webauthn.started 4; 1 s after a
        "#]],
    );
}

#[test]
fn or_as_soon_as_its_page_went_away() {
    check(
        "0 desktop webauthn.started flow=F
         2 desktop page.unloaded flow=F
         3 desktop page.visible flow=F
         4 desktop webauthn.started flow=F",
        expect![[r#"
            63 a1 idle: webauthn.started 0, page.unloaded 2, page.visible 3; 1 s before b (passkey_cda)
            364 b1 idle: webauthn.started 4; 1 s after a
        "#]],
    );
}

#[test]
fn what_comes_over_10_s_after_a_terminal_event_goes_to_the_attempt_about_to_start() {
    check(
        "0 server challenge.created challenge=C flow=F
         2 desktop cancelled challenge=C flow=F
         13 desktop error flow=F
         14 server challenge.created challenge=D flow=F",
        expect![[r#"
            12 a1 terminal: challenge.created 0, cancelled 2
            14 a2 terminal: challenge.created 0, cancelled 2; 12 s before b (unknown)
            374 b1 idle: error 13, challenge.created 14; 11 s after a
            journeys_revised 1
        "#]],
    );
}

#[test]
fn a_page_begins_no_attempt_by_itself() {
    check(
        "0 server challenge.created challenge=C flow=F
         2 desktop cancelled challenge=C flow=F
         15 desktop page.unloaded flow=F
         30 desktop page.hidden flow=G",
        expect![[r#"
            12 a1 terminal: challenge.created 0, cancelled 2
            orphaned 2
        "#]],
    );
}

#[test]
fn attempts_of_a_container_that_arrive_in_reverse_stay_apart() {
    check(
        "20@20 server challenge.created challenge=D flow=F
         22@22 server verification.succeeded flow=F
         0@24 server challenge.created challenge=C flow=F
         3@25 server verification.failed flow=F",
        expect![[r#"
            35 b1 terminal: challenge.created 0, verification.failed 3; 17 s before a (unknown)
            382 a1 idle: challenge.created 20, verification.succeeded 22; 17 s after b
        "#]],
    );
}

#[test]
fn a_container_without_attempts_follows_its_session_or_trace() {
    check(
        "0 server challenge.created journey=A trace=1
         1 desktop method.selected flow=F trace=1
         9 desktop qr.shown flow=F",
        expect![[r#"
            249 a1 idle: challenge.created 0, ~method.selected 1, qr.shown 9
        "#]],
    );
}

#[test]
fn a_container_never_joins_two_journey_keys() {
    check(
        "0 server challenge.created journey=A flow=F
         1 server challenge.created journey=B
         2 desktop qr.shown journey=B flow=F",
        expect![[r#"
            242 b1 idle: challenge.created 1, qr.shown 2; 1 s after a
            360 a1 idle: challenge.created 0; 1 s before b (app_qr)
        "#]],
    );
}
