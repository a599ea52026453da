//! The shipped tables, and what is said of bad ones.

use expect_test::expect;

use authstitch_model::Cause;

use super::*;
use crate::hard;

#[test]
fn the_shipped_tables_are_read() {
    assert_eq!(Tables::from_json(SHIPPED).unwrap().version(), "first-estimate-1");
}

#[test]
fn priors_sum_to_about_one_and_exclude_what_cannot_be() {
    for flow in Flow::ALL {
        let tables = Tables::shipped();
        let prior = &tables.of(*flow).prior;
        let sum: f32 = prior.iter().sum();
        assert!((0.85..1.15).contains(&sum), "{flow}: {sum}");
        for cause in Cause::ALL {
            let possible = *cause == Cause::None || !hard::may_halt(*flow, *cause).is_empty();
            assert_eq!(prior[cause.index()] > 0.0, possible, "{flow} {cause}");
        }
    }
}

#[test]
fn every_row_is_a_distribution() {
    for flow in Flow::ALL {
        let tables = Tables::shipped();
        let table = tables.of(*flow);
        for cause in Cause::ALL {
            for feature in Feature::ALL {
                let values = 0..feature.values().len();
                let sum: f32 = values.map(|value| table.likelihood(*feature, value)[cause.index()]).sum();
                assert!((sum - 1.0).abs() < 1e-4, "{flow} {cause} {}: {sum}", feature.code());
            }
            let halts: f32 = table.halts.iter().map(|line| line[cause.index()]).sum();
            let possible = !hard::may_halt(*flow, *cause).is_empty();
            assert!((halts - f32::from(u8::from(possible))).abs() < 1e-4, "{flow} {cause} halts: {halts}");
        }
    }
}

#[test]
fn the_most_special_row_wins() {
    let tables = Tables::from_json(
        r#"{"version": "t", "floor": 0, "likelihood": {"page": {
            "any": {"otherwise": {"shown": 1}, "user_abandoned": {"hidden": 1}, "declined": {"shown": 1, "hidden": 1}},
            "app_qr": {"otherwise": {"shown": 3, "hidden": 1}, "walked_away": {"shown": 1, "hidden": 3}}}}}"#,
    )
    .unwrap();
    let hidden = |flow: Flow, cause: Cause| tables.of(flow).likelihood(Feature::Page, 1)[cause.index()];
    assert_eq!(hidden(Flow::AppQr, Cause::WalkedAway), 0.75, "the flow's row of the cause");
    assert_eq!(hidden(Flow::AppQr, Cause::Declined), 0.5, "the general row of the cause");
    assert_eq!(hidden(Flow::AppQr, Cause::ConfirmationAbandoned), 1.0, "the general row of the outcome");
    assert_eq!(hidden(Flow::AppQr, Cause::Cancelled), 0.25, "the flow's otherwise");
    assert_eq!(hidden(Flow::MagicLink, Cause::Cancelled), 0.0, "the general otherwise");
    let other = tables.of(Flow::AppQr).likelihood(Feature::Hybrid, 0)[Cause::Cancelled.index()];
    assert_eq!(other, 0.5, "without any row all values are alike");
}

#[test]
fn all_problems_are_shown_at_once() {
    let problems = Tables::from_json(
        r#"{"floor": 2, "flows": {"app_qr": {"prior": {"none": 1, "proximity_failed": 0.1, "bad_luck": 1},
            "halts": {"scan_failed": {"opened": 1}}}, "ftp": {}},
            "likelihood": {"page": {"any": {"otherwise": {"green": 1}, "declined": {"shown": 0}}}, "mood": {}}}"#,
    )
    .unwrap_err();
    expect![[r#"
        version: is missing; a name that tells these tables from all others is accepted
        floor: `2` is not a number from 0 to 0.01
        likelihood.page.any.otherwise.green: unknown code; accepted: shown, hidden
        likelihood.page.any.otherwise: has no weight above 0; give at least one value a weight
        likelihood.page.any.declined: has no weight above 0; give at least one value a weight
        likelihood.mood: unknown key; accepted here: begun, ceremony, code_use, credential, dwell, elapsed, hybrid, pa
        flows.app_qr.prior.bad_luck: unknown code; accepted: render_failed, delivery_failed, scan_failed, wrong_app, w
        flows.app_qr.prior.proximity_failed: proximity_failed stops no phase of app_qr; remove it
        flows.app_qr.halts.scan_failed.opened: scan_failed does not stop opened in app_qr; remove it
        flows.ftp: unknown key; accepted here: app_qr, magic_link, passkey_cda, unknown
    "#]].assert_eq(&shortened(&problems.to_string()));
}

#[test]
fn what_is_no_json_is_said_so() {
    let problems = Tables::from_json("{").unwrap_err();
    expect!["(top): EOF while parsing an object at line 1 column 1; a JSON object as in the shipped tables is accepted"].assert_eq(&problems.to_string());
}

/// Long lists of what is accepted are cut.
fn shortened(text: &str) -> String {
    text.lines().map(|line| line.chars().take(110).collect::<String>() + "\n").collect()
}
