//! Rule 3: codes that rotate, and keys that are constants.

use std::fmt::Write;

use expect_test::expect;

use super::check;

#[test]
fn a_rotated_code_stays_in_its_journey() {
    check(
        "0 server challenge.created journey=A code=K1
         20 desktop qr.refreshed journey=A code=K2
         40 desktop qr.refreshed journey=A code=K3
         45 phone qr.scanned code=K3
         46 phone mobile.opened code=K1",
        expect![[r#"
            286 a1 idle: challenge.created 0, qr.refreshed 20, qr.refreshed 40, qr.scanned 45, mobile.opened 46
        "#]],
    );
}

#[test]
fn a_challenge_binds_a_code_too() {
    check(
        "0 server challenge.created challenge=C
         20 desktop qr.refreshed challenge=C code=K
         25 phone qr.scanned code=K",
        expect![[r#"
            265 a1 idle: challenge.created 0, qr.refreshed 20, qr.scanned 25
        "#]],
    );
}

#[test]
fn a_container_binds_a_code_to_its_attempt_of_that_time() {
    check(
        "0 server challenge.created challenge=C flow=F
         1 desktop qr.shown flow=F code=K1
         30 server challenge.created challenge=D flow=F
         31 desktop qr.shown flow=F code=K2
         45 phone qr.scanned code=K1
         46 phone qr.scanned code=K2",
        expect![[r#"
            285 a1 idle: challenge.created 0, qr.shown 1, qr.scanned 45; 0 s before b (app_qr)
            286 b1 idle: challenge.created 30, qr.shown 31, qr.scanned 46; 0 s after a
        "#]],
    );
}

#[test]
fn a_code_that_the_phone_told_first_is_bound_when_its_journey_tells_it() {
    check(
        "5 phone qr.scanned code=K
         6 phone mobile.opened code=K
         0@8 server challenge.created journey=A
         1@9 desktop qr.shown journey=A code=K",
        expect![[r#"
            249 a1 idle: challenge.created 0, qr.shown 1, qr.scanned 5, mobile.opened 6
            journeys_merged 1
        "#]],
    );
}

#[test]
fn a_code_that_the_phone_told_first_is_bound_by_its_container() {
    check(
        "0 server challenge.created challenge=C flow=F
         1 desktop qr.shown flow=F code=K
         5 phone qr.scanned code=K",
        expect![[r#"
            245 a1 idle: challenge.created 0, qr.shown 1, qr.scanned 5
            journeys_merged 1
        "#]],
    );
}

#[test]
fn a_code_of_another_attempt_goes_before_the_container() {
    check(
        "0 server challenge.created challenge=C flow=F
         1 server challenge.created journey=A code=K
         2 desktop qr.shown flow=F code=K",
        expect![[r#"
            242 b1 idle: challenge.created 1, qr.shown 2; 1 s after a
            360 a1 idle: challenge.created 0; 1 s before b (app_qr)
        "#]],
    );
}

#[test]
fn a_code_that_is_used_after_its_lifetime_is_still_of_its_journey() {
    check(
        "0 server challenge.created journey=A code=K ttl=30
         100 phone qr.scanned code=K",
        expect![[r#"
            340 a1 idle: challenge.created 0, qr.scanned 100
        "#]],
    );
}

/// So many attempts, each with a key of its own and all with one code, then one phone that knows the code alone.
fn attempts_with_one_code(kind: &str, attempts: usize) -> String {
    let mut text = String::new();
    for nth in 0..attempts {
        writeln!(text, "{nth} server challenge.created {kind}=X{nth} code=constant")
            .expect("text takes text");
    }
    text + "60 phone qr.scanned code=constant trace=1"
}

#[test]
fn a_code_can_link_eight_journeys() {
    check(
        &attempts_with_one_code("journey", 8),
        expect![[r#"
        300 a1 idle: challenge.created 0, qr.scanned 60
        361 b1 idle: challenge.created 1
        362 c1 idle: challenge.created 2
        363 d1 idle: challenge.created 3
        364 e1 idle: challenge.created 4
        365 f1 idle: challenge.created 5
        366 g1 idle: challenge.created 6
        367 h1 idle: challenge.created 7
        key_conflicts 7
    "#]],
    );
}

#[test]
fn a_code_that_would_link_more_is_no_key_any_more() {
    check(
        &attempts_with_one_code("journey", 9),
        expect![[r#"
        360 a1 idle: challenge.created 0
        361 b1 idle: challenge.created 1
        362 c1 idle: challenge.created 2
        363 d1 idle: challenge.created 3
        364 e1 idle: challenge.created 4
        365 f1 idle: challenge.created 5
        366 g1 idle: challenge.created 6
        367 h1 idle: challenge.created 7
        368 i1 idle: challenge.created 8
        orphaned 1; key_conflicts 8; poisoned_keys 1
    "#]],
    );
}

#[test]
fn a_code_that_would_make_one_journey_of_more_than_eight_challenges_is_no_key_any_more() {
    check(
        &attempts_with_one_code("challenge", 10),
        expect![[r#"
        367 a1 idle: challenge.created 0, challenge.created 1, challenge.created 2, challenge.created 3, challenge.created 4, challenge.created 5, challenge.created 6, challenge.created 7
        368 b1 idle: challenge.created 8
        369 c1 idle: challenge.created 9
        orphaned 1; poisoned_keys 1
    "#]],
    );
}

#[test]
fn an_event_whose_only_strong_key_is_poisoned_falls_back_to_its_weaker_keys() {
    let attempts = attempts_with_one_code("journey", 9);
    check(
        &(attempts
            + "
            61 server challenge.created journey=Y trace=2 flow=F
            62 phone qr.scanned code=constant trace=2
            63 phone mobile.opened code=constant flow=F
            64 phone mobile.opened code=constant"),
        expect![[r#"
            303 j1 idle: challenge.created 61, ~qr.scanned 62, mobile.opened 63
            360 a1 idle: challenge.created 0
            361 b1 idle: challenge.created 1
            362 c1 idle: challenge.created 2
            363 d1 idle: challenge.created 3
            364 e1 idle: challenge.created 4
            365 f1 idle: challenge.created 5
            366 g1 idle: challenge.created 6
            367 h1 idle: challenge.created 7
            368 i1 idle: challenge.created 8
            orphaned 1; keyless 1; key_conflicts 8; poisoned_keys 1
        "#]],
    );
}
