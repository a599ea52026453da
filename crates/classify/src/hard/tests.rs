//! One test a rule, in the order of the module's list.

use authstitch_model::{Cause, Flow};

use super::*;
use crate::evidence::observe;
use crate::support::journey;

/// What all rules together leave.
fn left(text: &str) -> Vec<Cause> {
    let features = observe(&journey(text));
    let rulings = rulings(&features);
    Cause::ALL
        .iter()
        .copied()
        .filter(|cause| rulings.iter().flatten().all(|ruling| ruling.left.has(*cause)))
        .collect()
}

fn refused(flow: Flow, before: &str, reason: &str) -> Vec<Cause> {
    left(&format!(
        "flow {flow}\n0 auth.challenge.created\n{before}\n9 auth.verification.failed reason={reason}"
    ))
}

#[test]
fn a_session_on_the_initiator_leaves_success_alone() {
    let said = left("flow app_qr\n1 auth.verification.failed reason=risk_denied\n2 auth.session.established");
    assert_eq!(said, [Cause::None]);
    let on_phone = left("flow magic_link\n0 auth.link.sent\n2 authenticator auth.session.established");
    assert!(on_phone.len() > 1, "a session on the phone decides nothing");
}

#[test]
fn an_expired_challenge_or_token_is_an_expired_code_and_with_passkeys_a_rejection() {
    for reason in ["challenge_expired", "token_expired"] {
        assert_eq!(refused(Flow::AppQr, "", reason), [Cause::CodeExpired]);
        assert_eq!(refused(Flow::MagicLink, "", reason), [Cause::CodeExpired]);
        assert_eq!(refused(Flow::PasskeyCda, "", reason), [Cause::VerificationRejected]);
    }
}

#[test]
fn another_account_another_device_and_a_risk_rule_are_what_they_say() {
    for flow in [Flow::AppQr, Flow::PasskeyCda, Flow::MagicLink] {
        assert_eq!(refused(flow, "", "wrong_account"), [Cause::WrongAccount]);
        assert_eq!(refused(flow, "", "wrong_device"), [Cause::WrongDevice]);
        assert_eq!(refused(flow, "", "risk_denied"), [Cause::RiskDenied]);
    }
}

#[test]
fn challenge_origin_rp_id_signature_credential_and_user_verification_are_rejections() {
    for reason in [
        "challenge_mismatch",
        "origin_mismatch",
        "rp_id_mismatch",
        "signature_invalid",
        "unknown_credential",
        "user_not_verified",
    ] {
        assert_eq!(refused(Flow::PasskeyCda, "", reason), [Cause::VerificationRejected], "{reason}");
    }
}

#[test]
fn a_used_token_was_prefetched_after_a_scanner() {
    let scanner = "2 auth.link.opened http=HEAD agent=bot";
    assert_eq!(refused(Flow::MagicLink, scanner, "token_already_used"), [Cause::LinkPrefetched]);
    let without = refused(Flow::MagicLink, "", "token_already_used");
    assert_eq!(without, [Cause::CodeExpired, Cause::LinkPrefetched, Cause::VerificationRejected]);
    let of_an_order = refused(Flow::AppQr, "", "token_already_used");
    assert_eq!(of_an_order, [Cause::LinkPrefetched, Cause::VerificationRejected]);
    assert_eq!(refused(Flow::PasskeyCda, "", "token_already_used"), [Cause::VerificationRejected]);
}

#[test]
fn a_refusal_that_was_overcome_decides_nothing() {
    let said =
        left("flow app_qr\n1 auth.verification.failed reason=risk_denied\n2 auth.verification.succeeded");
    assert!(said.contains(&Cause::None) && !said.contains(&Cause::RiskDenied));
}

#[test]
fn a_refusal_after_the_persons_own_decision_decides_nothing() {
    let said = left(
        "flow app_qr\n0 auth.qr.shown\n4 auth.cancelled\n60 auth.verification.failed reason=token_expired",
    );
    assert!(said.contains(&Cause::Cancelled));
}

#[test]
fn an_error_before_anything_was_presented_is_a_render_failure() {
    assert_eq!(left("flow app_qr\n0 auth.challenge.created\n1 initiator auth.error"), [Cause::RenderFailed]);
    assert_eq!(
        left("flow app_qr\n0 server auth.error error=http_5xx"),
        [Cause::RenderFailed, Cause::ServerError]
    );
    let page_heard =
        "flow app_qr\n0 auth.challenge.created\n1 server auth.error error=http_5xx\n2 auth.page.hidden";
    assert_eq!(left(page_heard), [Cause::RenderFailed]);
    let page_silent = left("flow app_qr\n0 auth.challenge.created\n1 server auth.error error=http_5xx");
    assert!(page_silent.contains(&Cause::ServerError) && page_silent.contains(&Cause::RenderFailed));
    let overcome = left("flow app_qr\n0 initiator auth.error error=render\n1 auth.qr.shown");
    assert!(overcome.len() > 1 && !overcome.contains(&Cause::RenderFailed));
}

#[test]
fn the_pages_or_the_browsers_own_fault_is_a_client_error() {
    for error in ["not_supported", "security", "superseded", "not_focused", "invalid_state"] {
        let said =
            left(&format!("flow passkey_cda\n0 auth.webauthn.started\n1 auth.webauthn.failed error={error}"));
        assert_eq!(said, [Cause::ClientError], "{error}");
    }
    let platform = left("flow passkey_cda\n0 auth.webauthn.started\n1 auth.webauthn.failed error=platform");
    assert!(platform.contains(&Cause::ClientError) && platform.contains(&Cause::PolicyBlocked));
}

#[test]
fn a_refusal_without_a_known_reason_leaves_what_the_server_can_refuse() {
    let said = left("flow app_qr\n0 auth.challenge.created\n9 auth.verification.failed reason=other");
    let expected = [
        Cause::CodeExpired,
        Cause::WrongAccount,
        Cause::ResultLost,
        Cause::VerificationRejected,
        Cause::RiskDenied,
        Cause::ServerError,
        Cause::Unknown,
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_failed_ceremony_excludes_success_and_what_stops_later_than_the_confirmation() {
    let said = left("flow passkey_cda\n0 auth.webauthn.started\n9 auth.webauthn.failed error=not_allowed");
    for cause in [
        Cause::None,
        Cause::ResultLost,
        Cause::VerificationRejected,
        Cause::RiskDenied,
        Cause::CallbackLost,
        Cause::SessionNotKept,
    ] {
        assert!(!said.contains(&cause), "{cause}");
    }
    assert!(said.contains(&Cause::ProximityFailed) && said.contains(&Cause::WrongAccount));
}

#[test]
fn a_refusal_on_the_phone_excludes_success() {
    let said = left("flow app_qr\n0 auth.confirmation.shown\n9 auth.confirmation.declined");
    assert!(!said.contains(&Cause::None) && said.contains(&Cause::Declined));
}

#[test]
fn a_page_that_cannot_before_the_start_leaves_out_the_persons_decisions() {
    let said = left("flow passkey_cda\n0 initiator auth.error error=not_supported\n3 auth.method.switched");
    assert!(said.contains(&Cause::UnsupportedDevice) && !said.contains(&Cause::SwitchedMethod));
    let started = "flow passkey_cda\n0 auth.challenge.created\n1 initiator auth.error error=not_supported\n3 auth.method.switched";
    assert!(left(started).contains(&Cause::SwitchedMethod));
}

#[test]
fn a_cause_is_out_when_every_phase_it_can_stop_lies_behind() {
    let said = left("flow app_qr\n0 auth.qr.scanned");
    assert!(!said.contains(&Cause::ScanFailed) && !said.contains(&Cause::RenderFailed));
    assert!(said.contains(&Cause::CodeExpired), "an expired code can stop later phases, too");
    let confirmed = left("flow passkey_cda\n0 auth.webauthn.completed");
    assert!(!confirmed.contains(&Cause::ProximityFailed), "what is hidden and needed no more is behind");
}

#[test]
fn a_cause_that_stops_no_phase_of_the_flow_is_out() {
    assert!(may_halt(Flow::AppQr, Cause::ProximityFailed).is_empty());
    assert!(may_halt(Flow::PasskeyCda, Cause::HandoffFailed).is_empty());
    assert!(!left("flow app_qr\n0 auth.qr.shown").contains(&Cause::ProximityFailed));
}

#[test]
fn a_spent_link_and_a_wrong_browser_let_later_events_appear() {
    let opened = "flow magic_link\n0 auth.link.sent\n40 auth.link.opened http=GET";
    assert!(left(opened).contains(&Cause::LinkPrefetched));
    let verified = left(&format!("{opened}\n41 auth.verification.succeeded"));
    assert!(!verified.contains(&Cause::HandoffFailed));
    assert!(verified.contains(&Cause::WrongBrowser) && verified.contains(&Cause::CallbackLost));
}
