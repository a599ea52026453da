//! Rule 6: when a journey closes. Rule 11: at which bounds.

use authstitch_model::Millis;
use authstitch_stitch::Settings;
use expect_test::expect;

use super::check;
use crate::dsl::stitched_with;

#[test]
fn a_journey_closes_10_s_after_a_terminal_event() {
    check(
        "0 server challenge.created journey=A
         5 desktop session.established journey=A
         0 server challenge.created journey=B
         6 phone confirmation.declined journey=B
         0 server challenge.created journey=C
         7 desktop cancelled journey=C
         0 server challenge.created journey=D
         8 desktop method.switched journey=D
         0 server challenge.created journey=E
         9 desktop webauthn.failed journey=E
         0 server challenge.created journey=F
         10 server verification.failed journey=F",
        expect![[r#"
            15 f1 terminal: challenge.created 0, session.established 5
            16 c1 terminal: challenge.created 0, confirmation.declined 6
            17 a1 terminal: challenge.created 0, cancelled 7
            18 d1 terminal: challenge.created 0, method.switched 8
            19 e1 terminal: challenge.created 0, webauthn.failed 9
            20 b1 terminal: challenge.created 0, verification.failed 10
        "#]],
    );
}

#[test]
fn the_grace_counts_from_the_receipt_of_the_last_terminal_event() {
    check(
        "0 server challenge.created journey=A
         1@10 desktop webauthn.failed journey=A
         15 desktop page.hidden journey=A
         18 desktop cancelled journey=A",
        expect![[r#"
            28 a1 terminal: challenge.created 0, webauthn.failed 1, page.hidden 15, cancelled 18
        "#]],
    );
}

#[test]
fn idle_time_depends_on_the_flow() {
    check(
        "0 desktop qr.shown journey=A
         0 desktop webauthn.started journey=B
         0 server link.sent journey=C
         0 server challenge.created journey=D
         0 desktop qr.shown journey=E as=magic_link",
        expect![[r#"
            240 c1 idle: qr.shown 0
            360 b1 idle: challenge.created 0
            360 d1 idle: webauthn.started 0
            960 a1 idle: link.sent 0
            960 e1 idle: qr.shown 0
        "#]],
    );
}

#[test]
fn idle_time_counts_from_the_receipt_of_the_last_event() {
    check(
        "0 desktop qr.shown journey=A
         50@100 phone qr.scanned journey=A
         20@200 phone mobile.opened journey=A",
        expect![[r#"
            440 a1 idle: qr.shown 0, mobile.opened 20, qr.scanned 50
        "#]],
    );
}

#[test]
fn no_clock_but_the_receipt_closes() {
    check(
        "0 server challenge.created journey=A
         86400@5 phone confirmation.declined journey=A
         0 server challenge.created journey=B
         -86400@5 desktop cancelled journey=B",
        expect![[r#"
            15 a1 terminal: cancelled -86400, challenge.created 0
            15 b1 terminal: challenge.created 0, confirmation.declined 86400
        "#]],
    );
}

#[test]
fn an_announced_lifetime_lengthens_it() {
    check(
        "0 desktop qr.shown journey=A ttl=400
         0 desktop qr.shown journey=B ttl=30",
        expect![[r#"
            240 a1 idle: qr.shown 0
            460 b1 idle: qr.shown 0
        "#]],
    );
}

#[test]
fn so_does_the_browsers_limit_up_to_10_minutes() {
    check(
        "0 desktop webauthn.started journey=A browser=Chrome
         0 desktop webauthn.started journey=B browser=Chrome timeout=400
         0 desktop webauthn.started journey=C browser=Safari timeout=900
         0 desktop webauthn.started journey=D timeout=480
         0 desktop webauthn.started journey=E browser=Firefox",
        expect![[r#"
            360 a1 idle: webauthn.started 0
            360 e1 idle: webauthn.started 0
            460 c1 idle: webauthn.started 0
            540 b1 idle: webauthn.started 0
            660 d1 idle: webauthn.started 0
        "#]],
    );
}

#[test]
fn a_page_that_went_away_shortens_it() {
    check(
        "0 server link.sent journey=A
         5 desktop page.unloaded journey=A
         0 server link.sent journey=B
         5 phone page.unloaded journey=B",
        expect![[r#"
            65 a1 idle: link.sent 0, page.unloaded 5
            965 b1 idle: link.sent 0, page.unloaded 5
        "#]],
    );
}

#[test]
fn and_only_shortens_it() {
    let settings = Settings { idle_after_unload: Millis::from_mins(60), ..Settings::default() };
    expect![[r#"
        241 a1 idle: qr.shown 0, page.unloaded 1
    "#]]
    .assert_eq(&stitched_with(
        settings,
        "0 desktop qr.shown journey=A
         1 desktop page.unloaded journey=A",
    ));
}

#[test]
fn at_its_greatest_age_it_closes_in_any_case() {
    let settings = Settings { greatest_age: Millis::from_secs(300), ..Settings::default() };
    expect![[r#"
        300 a1 age: qr.shown 0, qr.refreshed 200, qr.refreshed 299
        640 b1 idle: qr.shown 400
        695 b2 idle: qr.shown 400, cancelled 695
        journeys_revised 1
    "#]]
    .assert_eq(&stitched_with(
        settings,
        "0 desktop qr.shown journey=A
         200 desktop qr.refreshed journey=A
         299 desktop qr.refreshed journey=A
         400 desktop qr.shown journey=B
         695 desktop cancelled journey=B",
    ));
}

#[test]
fn what_waits_is_placed_before_a_journey_closes_at_the_same_time_and_journeys_close_by_id() {
    check(
        "0 desktop qr.shown journey=B session=S
         0.001 desktop qr.shown journey=A
         5 desktop cancelled journey=A
         5 desktop cancelled journey=B
         9 desktop page.hidden session=S",
        expect![[r#"
            15 a1 terminal: qr.shown 0, cancelled 5, ~page.hidden 9
            15 b1 terminal: qr.shown 0.001, cancelled 5
        "#]],
    );
}

#[test]
fn at_the_end_everything_is_placed_and_closed_oldest_first() {
    check(
        "0 server challenge.created journey=A session=S
         5 server challenge.created journey=B
         6 desktop page.hidden session=S
         7 desktop page.hidden trace=1
         7 shutdown",
        expect![[r#"
            7 a1 shutdown: challenge.created 0, ~page.hidden 6
            7 b1 shutdown: challenge.created 5
            orphaned 1
        "#]],
    );
}

fn few(journeys: usize) -> Settings {
    Settings { journeys, ..Settings::default() }
}

#[test]
fn at_the_bound_those_that_only_wait_for_late_events_go_first() {
    expect![[r#"
        12 b1 terminal: challenge.created 1, cancelled 2
        31 a1 evicted: challenge.created 0, qr.shown 30
        271 d1 idle: qr.shown 31
        380 c1 idle: challenge.created 20
        journeys_evicted 1
    "#]]
    .assert_eq(&stitched_with(
        few(2),
        "0 server challenge.created journey=A
         1 server challenge.created journey=B
         2 desktop cancelled journey=B
         20 server challenge.created journey=C
         30 desktop qr.shown journey=A
         31 desktop qr.shown journey=B",
    ));
}

#[test]
fn then_the_oldest_is_evicted() {
    expect![[r#"
        2 a1 evicted: challenge.created 0
        244 b1 idle: challenge.created 1, qr.scanned 4
        362 c1 idle: challenge.created 2
        journeys_evicted 1; too_late of phone 1, lag 1 s, at most 1 s
    "#]]
    .assert_eq(&stitched_with(
        few(2),
        "0 server challenge.created journey=A
         1 server challenge.created journey=B
         2 server challenge.created journey=C
         3 phone qr.scanned journey=A
         4 phone qr.scanned journey=B",
    ));
}

#[test]
fn the_journey_that_an_event_joins_is_not_evicted_for_it() {
    expect![[r#"
        242 a1 idle: challenge.created 0, qr.shown 1, ~page.hidden 2
    "#]]
    .assert_eq(&stitched_with(
        few(1),
        "0 server challenge.created journey=A
         1 desktop qr.shown journey=A code=K session=S
         2 desktop page.hidden session=S",
    ));
}

#[test]
fn one_huge_trace_keeps_512_events_and_leaves_the_others_alone() {
    let mut text = String::from("0 server challenge.created journey=A trace=1\n");
    for nth in 0..600 {
        text.push_str(&format!("{} desktop qr.refreshed journey=A trace=1\n", 1.0 + f64::from(nth) / 10.0));
    }
    text.push_str("61 server challenge.created journey=B trace=2\n62 desktop cancelled journey=B trace=2");
    let outcome = crate::dsl::stitched(&text);
    let kept = outcome.lines().find(|line| line.contains(" a1 ")).unwrap().matches("qr.refreshed").count();
    assert_eq!(kept, 511);
    let rest: Vec<_> = outcome.lines().filter(|line| !line.contains(" a1 ")).collect();
    expect![[r#"
        72 b1 terminal: challenge.created 61, cancelled 62
        events_over_cap 89"#]]
    .assert_eq(&rest.join("\n"));
}

#[test]
fn a_journey_keeps_512_keys() {
    let mut text = String::new();
    for nth in 0..600 {
        text.push_str(&format!("{} desktop qr.refreshed journey=A code=K{nth}\n", f64::from(nth) / 10.0));
    }
    text.push_str("60 phone qr.scanned code=K510\n60 phone qr.scanned code=K511");
    let outcome = crate::dsl::stitched(&text);
    let journeys = outcome.lines().filter(|line| line.contains("idle")).count();
    let found = outcome.lines().filter(|line| line.contains("idle: qr.scanned 60")).count();
    assert_eq!((journeys, found), (2, 1), "{outcome}");
}
