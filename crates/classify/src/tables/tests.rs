//! The shipped tables, and what is said of bad ones.

use expect_test::expect;

use authstitch_model::Cause;

use super::*;
use crate::feature::{Hybrid, Observation};

#[test]
fn the_shipped_tables_are_read_and_written_as_they_are() {
    let tables = Tables::from_json(SHIPPED).unwrap();
    let again = Tables::from_json(&tables.to_json()).unwrap();
    assert_eq!((again.version(), again.made_by()), (tables.version(), tables.made_by()));
    assert_eq!(again.of(Flow::PasskeyCda).weights, tables.of(Flow::PasskeyCda).weights);
    assert!(tables.version().ends_with(tables.fingerprint()), "{}", tables.version());
}

#[test]
fn priors_sum_to_about_one_and_exclude_what_cannot_be() {
    for flow in Flow::ALL {
        let tables = Tables::shipped();
        let prior = &tables.of(*flow).prior.shares;
        let sum: f32 = prior.iter().sum();
        assert!((0.85..1.15).contains(&sum), "{flow}: {sum}");
        for cause in Cause::ALL {
            let possible = is_possible(*flow, *cause);
            assert_eq!(prior[cause.index()] > 0.0, possible, "{flow} {cause}");
        }
    }
}

#[test]
fn every_row_of_halts_is_a_distribution() {
    for flow in Flow::ALL {
        let tables = Tables::shipped();
        let table = tables.of(*flow);
        for cause in Cause::ALL {
            let halts: f32 = table.halts.iter().map(|by_cause| by_cause[cause.index()]).sum();
            let possible = is_possible(*flow, *cause);
            assert!((halts - f32::from(u8::from(possible))).abs() < 1e-3, "{flow} {cause} halts: {halts}");
        }
    }
}

#[test]
fn a_value_without_a_row_moves_nothing() {
    let others = r#""passkey_cda": {"prior": {}}, "magic_link": {"prior": {}}, "unknown": {"prior": {}}"#;
    let app_qr = r#"{"prior": {}, "weights": {"hybrid": {"able": {"walked_away": 0.5}}}}"#;
    let text = format!(r#"{{"version": "t", "flows": {{"app_qr": {app_qr}, {others}}}}}"#);
    let tables = Tables::from_json(&text).unwrap();
    let table = tables.of(Flow::AppQr);
    let known = |hybrid: Hybrid| Known { about: Observation::Hybrid, value: hybrid as u8 };
    let odds = &table.weights.row(known(Hybrid::Able)).odds;
    assert!((odds[Cause::WalkedAway.index()] - 0.5_f32.exp()).abs() < 1e-6);
    assert_eq!(odds[Cause::Cancelled.index()], 1.0);
    assert_eq!(table.weights.nats(known(Hybrid::Unable)), None);
    assert_eq!(table.weights.row(known(Hybrid::Unable)).odds, ByCause::all(1.0));
    assert_eq!(tables.of(Flow::MagicLink).weights.nats(known(Hybrid::Able)), None);
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
        flows.app_qr.prior.bad_luck: unknown code; accepted: render_failed, delivery_failed, scan_failed, wrong_app, w
        flows.app_qr.prior.proximity_failed: proximity_failed stops no phase of app_qr; remove it
        flows.app_qr.halts.scan_failed.opened: scan_failed does not stop opened in app_qr; remove it
        flows.passkey_cda.prior: is missing; a map from causes to how often each occurs is accepted
        flows.magic_link.prior: is missing; a map from causes to how often each occurs is accepted
        flows.unknown.prior: is missing; a map from causes to how often each occurs is accepted
        flows.ftp: unknown key; accepted here: app_qr, magic_link, passkey_cda, unknown
        floor: unknown key; accepted here: fingerprint, fitted_at, flows, made_by, shared_fate, version
        likelihood: unknown key; accepted here: fingerprint, fitted_at, flows, made_by, shared_fate, version
    "#]].assert_eq(&shortened(&problems.to_string()));
}

#[test]
fn tables_without_priors_are_none() {
    let problems = Tables::from_json(r#"{"version": "t"}"#).unwrap_err().to_string();
    for missing in ["flows: is missing", "flows.app_qr.prior: is missing", "flows.unknown.prior: is missing"]
    {
        assert!(problems.contains(missing), "{problems}");
    }
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
