//! One test a sentence of the rules.

use authstitch_stitch::Settings;
use expect_test::{Expect, expect};

use crate::dsl::{stitched, stitched_with};

#[expect(clippy::needless_pass_by_value, reason = "`expect![…]` reads best in the call")]
fn check(scenario: &str, said: Expect) {
    said.assert_eq(&stitched(scenario));
}

#[test]
fn rule_1_events_that_share_a_strong_key_are_one_journey() {
    check(
        "
        0 server challenge.created journey=J challenge=C trace=1
        1 desktop qr.shown journey=J code=K
        9 phone qr.scanned code=K trace=2
        12 server verification.succeeded challenge=C trace=2
        13 desktop session.established journey=J
        ",
        expect![[r#"
            23 a1 terminal: challenge.created 0, qr.shown 1, qr.scanned 9, verification.succeeded 12, session.established 13
        "#]],
    );
}

#[test]
fn rule_1_two_journey_keys_never_meet_whatever_they_share() {
    check(
        "
        0 server challenge.created journey=J1 code=K
        1 server challenge.created journey=J2 code=K
        2 phone qr.scanned code=K
        3 desktop session.established journey=J1
        4 desktop session.established journey=J2
        ",
        expect![[r#"
            13 a1 terminal: challenge.created 0, qr.scanned 2, session.established 3
            14 b1 terminal: challenge.created 1, session.established 4
            key_conflicts 1
        "#]],
    );
}

#[test]
fn rule_1_an_event_follows_its_key_of_highest_precedence() {
    check(
        "
        0 server challenge.created journey=J1
        0 server challenge.created challenge=C
        1 desktop qr.shown journey=J2
        2 desktop callback.received journey=J2 challenge=C
        ",
        expect![[r#"
            242 a1 idle: challenge.created 0, qr.shown 1, callback.received 2
            360 b1 idle: challenge.created 0
            journeys_merged 1
        "#]],
    );
}

#[test]
fn rule_2_a_challenge_new_to_a_container_starts_the_next_attempt_though_the_first_goes_on() {
    check(
        "
        0 server challenge.created flow=F challenge=C1
        1 desktop webauthn.started challenge=C1
        5 server challenge.created flow=F challenge=C2
        6 desktop webauthn.failed challenge=C1
        9 server verification.succeeded challenge=C2
        ",
        expect![[r#"
            16 a1 terminal: challenge.created 0, webauthn.started 1, webauthn.failed 6; 0 s before b (unknown)
            369 b1 idle: challenge.created 5, verification.succeeded 9; 0 s after a
        "#]],
    );
}

#[test]
fn rule_2_container_events_go_to_the_attempt_of_their_time_not_of_their_arrival() {
    check(
        "
        0 server challenge.created flow=F challenge=C1
        20 server challenge.created flow=F challenge=C2
        3@21 desktop page.hidden flow=F
        23 desktop page.hidden flow=F
        ",
        expect![[r#"
            381 a1 idle: challenge.created 0, page.hidden 3; 17 s before b (unknown)
            383 b1 idle: challenge.created 20, page.hidden 23; 17 s after a
        "#]],
    );
}

#[test]
fn rule_2_a_container_event_before_the_first_attempt_goes_to_the_next_to_start() {
    check(
        "
        0 server method.selected flow=F
        2 server challenge.created flow=F challenge=C1
        ",
        expect![[r#"
            362 a1 idle: method.selected 0, challenge.created 2
        "#]],
    );
}

#[test]
fn rule_2_a_container_alone_founds_an_attempt() {
    check(
        "
        0 server challenge.created flow=F
        30 server verification.succeeded flow=F
        ",
        expect![[r#"
            390 a1 idle: challenge.created 0, verification.succeeded 30
        "#]],
    );
}

#[test]
fn rule_2_a_result_after_a_failed_result_starts_the_next_attempt() {
    check(
        "
        0 server challenge.created flow=F
        10 server verification.failed flow=F
        15 server verification.succeeded flow=F
        ",
        expect![[r#"
            20 a1 terminal: challenge.created 0, verification.failed 10
            21 a2 terminal: challenge.created 0, verification.failed 10; 5 s before b (unknown)
            375 b1 idle: verification.succeeded 15; 5 s after a
            journeys_revised 1
        "#]],
    );
}

#[test]
fn rule_2_anything_over_ten_seconds_after_a_terminal_event_starts_the_next_attempt() {
    check(
        "
        0 server challenge.created flow=F
        5 server verification.failed flow=F
        14 desktop callback.received flow=F
        16 desktop method.selected flow=F
        ",
        expect![[r#"
            15 a1 terminal: challenge.created 0, verification.failed 5
            20 a2 terminal: challenge.created 0, verification.failed 5, callback.received 14
            22 a3 terminal: challenge.created 0, verification.failed 5, callback.received 14; 2 s before b (unknown)
            376 b1 idle: method.selected 16; 2 s after a
            journeys_revised 2
        "#]],
    );
}

#[test]
fn rule_3_codes_rotate_within_a_journey() {
    check(
        "
        0 server challenge.created journey=J
        1 desktop qr.shown journey=J code=K1
        31 desktop qr.refreshed journey=J code=K2
        40 phone qr.scanned code=K2
        41 phone error code=K1
        ",
        expect![[r#"
            281 a1 idle: challenge.created 0, qr.shown 1, qr.refreshed 31, qr.scanned 40, error 41
        "#]],
    );
}

#[test]
fn rule_3_a_code_seen_before_its_journey_is_merged_into_it() {
    check(
        "
        1@1 phone qr.scanned code=K
        0@2 desktop qr.shown journey=J code=K
        ",
        expect![[r#"
            242 a1 idle: qr.shown 0, qr.scanned 1
        "#]],
    );
}

#[test]
fn rule_3_a_code_is_bound_by_a_container() {
    check(
        "
        0 server challenge.created flow=F challenge=C
        1 desktop qr.shown flow=F code=K
        9 phone qr.scanned code=K
        ",
        expect![[r#"
            249 a1 idle: challenge.created 0, qr.shown 1, qr.scanned 9
        "#]],
    );
}

#[test]
fn rule_3_a_key_that_links_too_many_journeys_is_poisoned() {
    check(
        "
        0 desktop qr.shown journey=J0 code=CONSTANT
        1 desktop qr.shown journey=J1 code=CONSTANT
        2 desktop qr.shown journey=J2 code=CONSTANT
        3 desktop qr.shown journey=J3 code=CONSTANT
        4 desktop qr.shown journey=J4 code=CONSTANT
        5 desktop qr.shown journey=J5 code=CONSTANT
        6 desktop qr.shown journey=J6 code=CONSTANT
        7 desktop qr.shown journey=J7 code=CONSTANT
        8 desktop qr.shown journey=J8 code=CONSTANT
        9 desktop qr.shown journey=J9 code=CONSTANT
        10 desktop qr.shown journey=J10 code=CONSTANT
        11 desktop qr.shown journey=J11 code=CONSTANT
        20 phone qr.scanned code=CONSTANT
        ",
        expect![[r#"
            240 a1 idle: qr.shown 0
            241 b1 idle: qr.shown 1
            242 c1 idle: qr.shown 2
            243 d1 idle: qr.shown 3
            244 e1 idle: qr.shown 4
            245 f1 idle: qr.shown 5
            246 g1 idle: qr.shown 6
            247 h1 idle: qr.shown 7
            248 i1 idle: qr.shown 8
            249 j1 idle: qr.shown 9
            250 k1 idle: qr.shown 10
            251 l1 idle: qr.shown 11
            keyless 1; key_conflicts 8; poisoned_keys 1
        "#]],
    );
}

#[test]
fn rule_4_a_weak_event_waits_six_seconds_for_a_strong_one() {
    check(
        "
        1@1 desktop method.selected session=S
        2@6.9 server challenge.created journey=J session=S
        20 desktop session.established journey=J
        ",
        expect![[r#"
            30 a1 terminal: ~method.selected 1, challenge.created 2, session.established 20
        "#]],
    );
}

#[test]
fn rule_4_a_weak_event_that_waited_in_vain_is_an_orphan() {
    check(
        "
        1@1 desktop method.selected session=S
        2@8 server challenge.created journey=J session=S
        ",
        expect![[r#"
            368 a1 idle: challenge.created 2
            orphaned 1
        "#]],
    );
}

#[test]
fn rule_4_it_joins_the_latest_start_at_or_before_it() {
    check(
        "
        0 server challenge.created journey=J1 session=S
        10 server challenge.created journey=J2 session=S
        12 desktop page.hidden session=S
        ",
        expect![[r#"
            360 a1 idle: challenge.created 0; 10 s before b (unknown)
            372 b1 idle: challenge.created 10, ~page.hidden 12; 10 s after a
        "#]],
    );
}

#[test]
fn rule_4_else_the_next_to_start_within_two_seconds() {
    check(
        "
        1 desktop method.selected session=S
        2.5 server challenge.created journey=J session=S
        50 desktop method.offered session=T
        53 server challenge.created journey=L session=T
        ",
        expect![[r#"
            362.5 a1 idle: ~method.selected 1, challenge.created 2.5
            413 b1 idle: challenge.created 53
            orphaned 1
        "#]],
    );
}

#[test]
fn rule_4_two_starts_within_two_seconds_leave_it_to_neither() {
    check(
        "
        0 server challenge.created journey=J1 session=S
        1.5 server challenge.created journey=J2 session=S
        3 desktop page.hidden session=S
        ",
        expect![[r#"
            360 a1 idle: challenge.created 0; 1.5 s before b (unknown)
            361.5 b1 idle: challenge.created 1.5; 1.5 s after a
            ambiguous 1
        "#]],
    );
}

#[test]
fn rule_4_it_joins_none_over_ten_seconds_after_a_terminal_event() {
    check(
        "
        0 server challenge.created journey=J session=S
        5 server verification.failed journey=J
        14 desktop page.hidden session=S
        16 desktop page.visible session=S
        ",
        expect![[r#"
            15 a1 terminal: challenge.created 0, verification.failed 5
            20 a2 terminal: challenge.created 0, verification.failed 5, ~page.hidden 14
            orphaned 1; journeys_revised 1
        "#]],
    );
}

#[test]
fn rule_4_a_beginning_after_a_terminal_event_is_of_the_next_attempt() {
    check(
        "
        0 server challenge.created journey=J1 session=S
        5 desktop cancelled journey=J1 session=S
        6 desktop method.selected session=S
        7 server challenge.created journey=J2 session=S
        ",
        expect![[r#"
            15 a1 terminal: challenge.created 0, cancelled 5; 2 s before b (unknown)
            367 b1 idle: ~method.selected 6, challenge.created 7; 2 s after a
        "#]],
    );
}

#[test]
fn rule_4_a_trace_can_found_a_journey_of_its_own() {
    check(
        "
        0 desktop method.selected trace=1
        1 server challenge.created trace=1
        3 desktop webauthn.failed trace=1
        ",
        expect![[r#"
            13 a1 terminal: ~method.selected 0, ~challenge.created 1, ~webauthn.failed 3
        "#]],
    );
}

#[test]
fn rule_4_a_link_that_was_sent_founds_none() {
    check(
        "
        0 server link.sent trace=1
        ",
        expect![[r#"
            orphaned 1
        "#]],
    );
}

#[test]
fn rule_4_a_session_alone_founds_none() {
    check(
        "
        0 desktop qr.shown session=S
        1 desktop cancelled session=S
        ",
        expect![[r#"
            orphaned 2
        "#]],
    );
}

#[test]
fn rule_5_copies_are_dropped_wherever_they_come() {
    check(
        "
        0 server challenge.created journey=J session=S
        0@3 server challenge.created journey=J session=S
        1 desktop page.hidden session=S
        1@2 desktop page.hidden session=S
        1@30 desktop page.hidden session=S
        ",
        expect![[r#"
            361 a1 idle: challenge.created 0, ~page.hidden 1
            duplicates 3
        "#]],
    );
}

#[test]
fn rule_6_a_terminal_event_closes_after_ten_seconds_and_the_last_one_counts() {
    check(
        "
        0 server challenge.created journey=J
        5 server verification.failed journey=J
        9 desktop session.established journey=J
        ",
        expect![[r#"
            19 a1 terminal: challenge.created 0, verification.failed 5, session.established 9
        "#]],
    );
}

#[test]
fn rule_6_idle_time_is_that_of_the_flow_and_a_minute() {
    check(
        "
        0 desktop qr.shown journey=J1 as=app_qr
        0 desktop webauthn.started journey=J2 as=passkey_cda
        0 server link.sent journey=J3 as=magic_link
        ",
        expect![[r#"
            240 a1 idle: qr.shown 0
            360 b1 idle: webauthn.started 0
            960 c1 idle: link.sent 0
        "#]],
    );
}

#[test]
fn rule_6_an_announced_lifetime_lengthens_it() {
    check(
        "
        0 desktop qr.shown journey=J as=app_qr ttl=1000
        ",
        expect![[r#"
            1060 a1 idle: qr.shown 0
        "#]],
    );
}

#[test]
fn rule_6_a_browsers_limit_lengthens_it_by_at_most_ten_minutes() {
    check(
        "
        0 desktop webauthn.started journey=J1 timeout=400 browser=Chrome
        0 desktop webauthn.started journey=J2 timeout=4000 browser=Chrome
        ",
        expect![[r#"
            460 a1 idle: webauthn.started 0
            660 b1 idle: webauthn.started 0
        "#]],
    );
}

#[test]
fn rule_6_a_page_that_went_away_shortens_it_to_a_minute() {
    check(
        "
        0 server link.sent journey=J as=magic_link
        5 desktop page.unloaded journey=J
        ",
        expect![[r#"
            65 a1 idle: link.sent 0, page.unloaded 5
        "#]],
    );
}

#[test]
fn rule_6_closing_is_by_receipt_time_not_by_the_phones_clock() {
    check(
        "
        0 desktop qr.shown journey=J as=app_qr
        900000@9 phone qr.scanned journey=J
        ",
        expect![[r#"
            249 a1 idle: qr.shown 0, qr.scanned 900000
        "#]],
    );
}

#[test]
fn rule_7_a_late_event_gives_a_new_revision() {
    check(
        "
        0 desktop qr.shown journey=J
        5 desktop cancelled journey=J
        4@60 phone qr.scanned journey=J
        ",
        expect![[r#"
            15 a1 terminal: qr.shown 0, cancelled 5
            60 a2 terminal: qr.shown 0, qr.scanned 4, cancelled 5
            journeys_revised 1
        "#]],
    );
}

#[test]
fn rule_7_after_the_window_it_is_too_late_and_makes_no_ghost() {
    check(
        "
        0 desktop qr.shown journey=J code=K
        5 desktop cancelled journey=J
        4@140 phone qr.scanned journey=J
        4@150 phone mobile.opened code=K
        ",
        expect![[r#"
            15 a1 terminal: qr.shown 0, cancelled 5
            too_late of phone 2, lag 260 s, at most 135 s
        "#]],
    );
}

#[test]
fn rule_7_a_start_event_on_a_remembered_key_begins_a_new_journey() {
    check(
        "
        0 server challenge.created challenge=C
        5 desktop webauthn.failed challenge=C
        300 server challenge.created challenge=C
        ",
        expect![[r#"
            15 a1 terminal: challenge.created 0, webauthn.failed 5
            660 b1 idle: challenge.created 300
        "#]],
    );
}

#[test]
fn rule_7_a_code_whose_life_is_over_is_forgotten() {
    check(
        "
        0 desktop qr.shown code=K ttl=30
        5 desktop cancelled code=K
        800 phone qr.scanned code=K
        ",
        expect![[r#"
            15 a1 terminal: qr.shown 0, cancelled 5
            1040 b1 idle: qr.scanned 800
        "#]],
    );
}

#[test]
fn rule_8_the_older_id_survives_and_what_was_told_is_taken_back() {
    check(
        "
        0 server challenge.created challenge=C
        1 desktop qr.shown code=K
        3 desktop cancelled code=K
        20 desktop callback.received challenge=C code=K
        ",
        expect![[r#"
            13 b1 terminal: qr.shown 1, cancelled 3
            20 b2 merged into a
            13 a1 terminal: challenge.created 0, qr.shown 1, cancelled 3, callback.received 20
            journeys_merged 1
        "#]],
    );
}

#[test]
fn rule_8_a_strong_journey_absorbs_what_its_trace_founded() {
    check(
        "
        0 server challenge.created trace=1
        10 desktop webauthn.started challenge=C trace=1
        12 desktop webauthn.failed challenge=C
        ",
        expect![[r#"
            22 a1 terminal: ~challenge.created 0, webauthn.started 10, webauthn.failed 12
            journeys_merged 1
        "#]],
    );
}

#[test]
fn rule_9_the_phones_clock_is_corrected() {
    check(
        "
        0 server challenge.created journey=J
        1 desktop qr.shown journey=J
        69@9 phone qr.scanned journey=J
        73@13 phone confirmation.completed journey=J
        14 server verification.succeeded journey=J
        15 desktop session.established journey=J
        ",
        expect![[r#"
            25 a1 terminal: challenge.created 0, qr.shown 1, qr.scanned 10, verification.succeeded 14, confirmation.completed 14, session.established 15; phone off by 59
        "#]],
    );
}

#[test]
fn rule_10_a_retry_is_linked_and_the_attempt_before_it_told_of_again() {
    check(
        "
        0 desktop webauthn.started challenge=C1 session=S as=passkey_cda
        5 desktop webauthn.failed challenge=C1 session=S
        18 desktop webauthn.started challenge=C2 session=S as=passkey_cda
        25 desktop session.established challenge=C2 session=S
        ",
        expect![[r#"
            15 a1 terminal: webauthn.started 0, webauthn.failed 5
            18 a2 terminal: webauthn.started 0, webauthn.failed 5; 13 s before b (passkey_cda)
            35 b1 terminal: webauthn.started 18, session.established 25; 13 s after a
            journeys_revised 1
        "#]],
    );
}

#[test]
fn rule_10_a_trace_links_no_retries() {
    check(
        "
        0 desktop webauthn.started challenge=C1 trace=1
        5 desktop webauthn.failed challenge=C1 trace=1
        8 desktop webauthn.started challenge=C2 trace=1
        ",
        expect![[r#"
            15 a1 terminal: webauthn.started 0, webauthn.failed 5
            368 b1 idle: webauthn.started 8
        "#]],
    );
}

#[test]
fn shutting_down_places_what_waits_and_closes_everything() {
    check(
        "
        0 server challenge.created journey=J session=S
        2 desktop page.hidden session=S
        3 shutdown
        ",
        expect![[r#"
            3 a1 shutdown: challenge.created 0, ~page.hidden 2
        "#]],
    );
}

#[test]
fn timers_fire_by_deadline_then_by_age() {
    check(
        "
        0 desktop cancelled journey=J2
        0 desktop cancelled journey=J1
        1 tick
        ",
        expect![[r#"
            10 a1 terminal: cancelled 0
            10 b1 terminal: cancelled 0
        "#]],
    );
}

#[test]
fn realms_never_meet() {
    check(
        "
        0 desktop qr.shown code=K realm=a
        1 phone qr.scanned code=K realm=b
        2 desktop cancelled code=K realm=a
        ",
        expect![[r#"
            12 a1 terminal: qr.shown 0, cancelled 2
            241 b1 idle: qr.scanned 1
        "#]],
    );
}

#[test]
fn rule_11_at_the_bound_closed_journeys_go_first_then_the_oldest() {
    let settings = Settings { journeys: 2, ..Settings::default() };
    let scenario = "
        0 desktop qr.shown journey=J1
        1 desktop cancelled journey=J1
        12 desktop qr.shown journey=J2
        13 desktop qr.shown journey=J3
        14 desktop qr.shown journey=J4
        15 phone qr.scanned journey=J1
        16 phone qr.scanned journey=J2
    ";
    expect![[r#"
        11 a1 terminal: qr.shown 0, cancelled 1
        14 b1 evicted: qr.shown 12
        253 c1 idle: qr.shown 13
        254 d1 idle: qr.shown 14
        journeys_evicted 1; too_late of phone 2, lag 6 s, at most 4 s
    "#]]
    .assert_eq(&stitched_with(settings, scenario));
}

#[test]
fn rule_11_one_huge_trace_fills_its_journey_and_starves_nobody() {
    let mut scenario =
        String::from("0 server challenge.created journey=J trace=1\n0 server challenge.created journey=L\n");
    for nth in 1..=600 {
        scenario.push_str(&format!("{} desktop page.hidden trace=1\n", f64::from(nth) / 100.0));
    }
    scenario.push_str("7 desktop session.established journey=L\n");
    let said = stitched(&scenario);
    assert!(said.contains("session.established 7"), "{said}");
    assert!(said.contains("events_over_cap 89"), "{said}");
}
