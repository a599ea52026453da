//! One test a line of the module's list.

use authstitch_model::verdict::CauseDistribution;
use authstitch_model::{Cause, Completeness, EndAct};

use super::end_act;
use crate::evidence::observe;
use crate::support::journey;
use crate::{Tables, classify};

fn end(text: &str) -> EndAct {
    classify(&journey(text), &Completeness::default(), &Tables::shipped()).end_act
}

const FAILED: &str = "flow passkey_cda\non initiator Windows Chrome\n0 auth.webauthn.started timeout=180000";

#[test]
fn success_comes_first() {
    assert_eq!(end("flow app_qr\n0 auth.cancelled\n1 auth.session.established"), EndAct::Succeeded);
}

#[test]
fn then_the_persons_own_act() {
    assert_eq!(end("flow app_qr\n0 auth.qr.shown\n1 auth.cancelled"), EndAct::Cancelled);
    assert_eq!(
        end(&format!("{FAILED}\n181 auth.webauthn.failed error=not_allowed\n183 auth.method.switched")),
        EndAct::Switched
    );
    assert_eq!(end("flow app_qr\n0 auth.confirmation.shown\n1 auth.confirmation.declined"), EndAct::Declined);
}

#[test]
fn then_a_ceremony_that_timed_out_or_was_cancelled() {
    assert_eq!(end(&format!("{FAILED}\n181 auth.webauthn.failed error=not_allowed")), EndAct::TimedOut);
    assert_eq!(end(&format!("{FAILED}\n60 auth.webauthn.failed error=timed_out")), EndAct::TimedOut);
    assert_eq!(end(&format!("{FAILED}\n4 auth.webauthn.failed error=not_allowed")), EndAct::Cancelled);
    assert_eq!(end(&format!("{FAILED}\n60 auth.webauthn.failed error=user_cancelled")), EndAct::Cancelled);
}

#[test]
fn then_a_closed_page() {
    assert_eq!(end("flow app_qr\n0 auth.qr.shown\n1 auth.page.unloaded"), EndAct::Closed);
    let after_error =
        "flow app_qr\n0 auth.qr.shown\n1 authenticator auth.error error=network\n9 auth.page.unloaded";
    assert_eq!(end(after_error), EndAct::Closed);
}

#[test]
fn then_a_failure() {
    assert_eq!(end(&format!("{FAILED}\n1 auth.webauthn.failed error=security")), EndAct::Failed);
    assert_eq!(
        end("flow app_qr\n0 auth.challenge.created\n0 auth.qr.shown\n1 auth.verification.failed"),
        EndAct::Failed
    );
    assert_eq!(
        end("flow app_qr\n0 auth.challenge.created\n0 auth.qr.shown\n1 server auth.error error=http_5xx"),
        EndAct::Failed
    );
}

#[test]
fn then_an_expiry_else_silence() {
    let shown = observe(&journey("flow app_qr\n0 auth.challenge.created\n0 auth.qr.shown"));
    let mut weights = [0.0; Cause::COUNT];
    weights[Cause::CodeExpired.index()] = 1.0;
    let expired = CauseDistribution::from_weights(weights);
    assert_eq!(end_act(&shown, &expired, Cause::CodeExpired), EndAct::TimedOut);
    assert_eq!(end("flow app_qr\n0 auth.challenge.created\n0 auth.qr.shown"), EndAct::Silent);
}
