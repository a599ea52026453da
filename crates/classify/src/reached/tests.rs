//! One test a sentence of the module.

use authstitch_model::{Basis, Completeness, Phase, Verdict};

use crate::support::journey;
use crate::{Tables, classify};

fn judged(text: &str) -> Verdict {
    classify(&journey(text), &Completeness::default(), &Tables::shipped())
}

fn phase(verdict: &Verdict, phase: Phase) -> (Basis, f32) {
    let said = verdict.phases[phase.index()].unwrap();
    (said.basis, said.reached)
}

#[test]
fn observed_and_implied_phases_were_reached() {
    let said = judged("flow app_qr\n3 auth.qr.scanned");
    assert_eq!(phase(&said, Phase::Scanned), (Basis::Observed, 1.0));
    assert_eq!(phase(&said, Phase::Presented), (Basis::Implied, 1.0));
    assert!(said.phases[Phase::Scanned.index()].unwrap().at.is_some());
    assert!(said.phases[Phase::Presented.index()].unwrap().at.is_none());
    assert_eq!(phase(&said, Phase::Opened).0, Basis::Inferred);
}

#[test]
fn an_unseen_phase_is_the_less_likely_the_later() {
    let said = judged("flow app_qr\n0 auth.qr.shown");
    let reached: Vec<_> =
        Phase::ALL.iter().filter_map(|phase| Some(said.phases[phase.index()]?.reached)).collect();
    assert!(reached.is_sorted_by(|earlier, later| earlier >= later), "{reached:?}");
}

#[test]
fn success_passed_them_all() {
    let said = judged("flow app_qr\n0 auth.session.established");
    assert!(said.phases.iter().flatten().all(|phase| phase.reached > 0.999));
}

#[test]
fn a_hidden_phase_is_inferred_even_in_a_success() {
    let said = judged("flow passkey_cda\n0 auth.session.established");
    let (basis, reached) = phase(&said, Phase::Proximity);
    assert_eq!(basis, Basis::Inferred);
    assert!(reached > 0.5 && reached < 0.95, "a key or the platform remains possible: {reached}");
}

#[test]
fn a_cause_that_can_stop_only_what_lies_behind_passed_the_hidden_phases() {
    let said = judged(
        "flow passkey_cda\n0 auth.webauthn.started\n18 auth.webauthn.completed attachment=cross-platform\n19 auth.verification.failed reason=wrong_device",
    );
    assert!(phase(&said, Phase::Prompted).1 > 0.99);
    assert!(phase(&said, Phase::Scanned).1 > 0.5 && phase(&said, Phase::Verified).1 < 0.01);
}

#[test]
fn a_ceremony_that_failed_within_a_second_had_not_come_to_its_hidden_phases() {
    let said = judged(
        "flow passkey_cda\n0 auth.webauthn.started\n0.2 auth.webauthn.failed error=not_allowed elapsed=200",
    );
    assert!(phase(&said, Phase::Scanned).1 < 0.01);
}

#[test]
fn a_hidden_phase_that_lies_behind_is_none_that_a_login_failed_at() {
    let said = judged(
        "flow passkey_cda\n0 auth.webauthn.started\n18 auth.webauthn.completed\n19 auth.verification.failed reason=risk_denied",
    );
    assert_eq!(said.failing_phase(), Some(Phase::Verified));
}

#[test]
fn an_optional_phase_that_nobody_reported_was_probably_left_out() {
    let said = judged("flow magic_link\n0 auth.link.sent\n9 auth.session.established");
    assert!(phase(&said, Phase::Scanned).1 < 0.3);
    assert_eq!(said.failing_phase(), None);
}
