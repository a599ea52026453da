//! One test a sentence of the module.

use authstitch_model::{Cause, Phase};

use super::*;
use crate::feature::{Begun, Fault, Place, Retry, Scanner, Wait};
use crate::support::journey;

fn features(text: &str) -> Features {
    observe(&journey(text))
}

#[test]
fn a_phase_is_observed_or_implied() {
    let said = features("flow app_qr\n0 auth.confirmation.shown");
    assert!(said.progress.observed().has(Phase::Prompted) && !said.progress.observed().has(Phase::Opened));
    assert!(said.known.has(Phase::Opened));
}

#[test]
fn a_hidden_phase_of_a_passkey_is_observed_by_the_phone_or_not_at_all() {
    let said = features("flow passkey_cda\n0 auth.webauthn.completed");
    assert!(!said.known.has(Phase::Scanned));
    let said = features("flow passkey_cda\n0 authenticator auth.qr.scanned");
    assert!(said.progress.observed().has(Phase::Scanned));
}

#[test]
fn an_error_is_overcome_when_its_side_goes_on() {
    let error = "flow app_qr\n0 auth.qr.shown\n5 auth.qr.scanned\n6 authenticator auth.error error=handoff";
    assert_eq!(features(error).values.phone_fault, Some(Fault::Handoff));
    let again = format!("{error}\n7 auth.qr.scanned");
    assert_eq!(
        features(&again).values.phone_fault,
        Some(Fault::Handoff),
        "the same phase again is no progress"
    );
    let on = features(&format!("{again}\n8 auth.mobile.opened"));
    assert_eq!(on.values.phone_fault, Some(Fault::Nothing));
    assert!(on.hiccups.has(Cause::HandoffFailed));
}

#[test]
fn an_error_is_not_overcome_by_another_side() {
    let said =
        features("flow app_qr\n0 auth.qr.shown\n3 initiator auth.error error=network\n5 auth.qr.scanned");
    assert_eq!(said.values.page_fault, Some(Fault::Network));
    assert_eq!(said.hiccups, CauseSet::default());
}

#[test]
fn a_session_overcomes_everything() {
    let said = features(
        "flow app_qr\n0 auth.qr.shown\n3 authenticator auth.error error=network\n5 auth.session.established",
    );
    assert!(said.hiccups.has(Cause::NetworkBlocked));
}

#[test]
fn a_failed_ceremony_is_overcome_by_a_completed_one() {
    let failed = "flow passkey_cda\n0 auth.webauthn.started\n1 auth.webauthn.failed error=policy";
    assert!(features(failed).failed_ceremony.is_some());
    let said = features(&format!("{failed}\n2 auth.webauthn.started\n9 auth.webauthn.completed"));
    assert!(said.failed_ceremony.is_none() && said.values.ceremony.is_none());
    assert!(said.hiccups.has(Cause::PolicyBlocked));
}

#[test]
fn an_unexplained_failure_that_was_overcome_names_no_hiccup() {
    let said = features(
        "flow passkey_cda\n0 auth.webauthn.started\n9 auth.webauthn.failed error=not_allowed\n20 auth.webauthn.completed",
    );
    assert_eq!(said.hiccups, CauseSet::default());
}

#[test]
fn a_failure_is_forgotten_when_the_page_replaced_its_request() {
    for (error, hiccup) in [("aborted", false), ("superseded", true), ("not_focused", true)] {
        let said = features(&format!(
            "flow passkey_cda\n0 auth.webauthn.started\n1 auth.webauthn.failed error={error}\n2 auth.webauthn.started"
        ));
        assert_eq!(said.values.ceremony, Some(Ceremony::Pending), "{error}");
        assert_eq!(said.hiccups.has(Cause::ClientError), hiccup, "{error}");
    }
}

#[test]
fn a_refusal_is_overcome_by_an_accepted_result() {
    let said = features(
        "flow app_qr\n0 auth.verification.failed reason=wrong_account\n9 auth.verification.succeeded",
    );
    assert_eq!(said.values.refusal, Some(Refusal::Nothing));
    assert!(said.hiccups.has(Cause::WrongAccount));
}

#[test]
fn failed_user_verification_is_overcome_by_a_confirmation() {
    let failed = "flow app_qr\n0 auth.confirmation.shown\n1 auth.user_verification.failed";
    assert_eq!(features(failed).values.user_verification, Some(UserVerification::FailedOnce));
    let often = format!("{failed}\n2 auth.user_verification.failed");
    assert_eq!(features(&often).values.user_verification, Some(UserVerification::FailedOften));
    let said = features(&format!("{often}\n3 auth.confirmation.completed"));
    assert_eq!(said.values.user_verification, Some(UserVerification::Fine));
    assert!(said.hiccups.has(Cause::UserVerificationFailed));
}

#[test]
fn what_fails_after_the_persons_decision_is_no_mishap_unless_somebody_goes_on() {
    let cancelled = "flow app_qr\n0 auth.qr.shown\n2 auth.cancelled";
    let said = features(&format!("{cancelled}\n3 initiator auth.error error=network"));
    assert_eq!(said.values.page_fault, Some(Fault::Nothing));
    let said = features(&format!("{cancelled}\n3 auth.qr.scanned\n4 authenticator auth.error error=network"));
    assert_eq!(said.values.phone_fault, Some(Fault::Network));
}

#[test]
fn the_strongest_personal_act_counts() {
    let all = ["auth.page.unloaded", "auth.cancelled", "auth.method.switched", "auth.confirmation.declined"];
    let expected = [Parting::Closed, Parting::Cancelled, Parting::Switched, Parting::Declined];
    for (last, expected) in expected.iter().enumerate() {
        let lines: String = (0..=last).rev().map(|nth| format!("{} {}\n", 9 - nth, all[nth])).collect();
        assert_eq!(features(&format!("flow app_qr\n{lines}")).values.parting, Some(*expected));
    }
}

#[test]
fn a_code_is_late_only_beyond_what_the_clocks_may_be_off() {
    let scanned = |at: u32, clock: &str| {
        let text = format!("flow app_qr\n{clock}\n0 auth.qr.shown ttl=60000\n{at} auth.qr.scanned");
        features(&text).values.code_use
    };
    assert_eq!(scanned(69, ""), Some(CodeUse::NoSign));
    assert_eq!(scanned(71, ""), Some(CodeUse::Late));
    assert_eq!(scanned(61, "clock known"), Some(CodeUse::NoSign));
    assert_eq!(scanned(63, "clock known"), Some(CodeUse::Late));
}

#[test]
fn the_code_that_was_scanned_counts_not_the_newest() {
    let said = features(
        "flow app_qr\nclock known\n0 auth.qr.shown ttl=30000 code=the-first-code\n31 auth.qr.refreshed ttl=30000 code=the-second-code\n40 auth.qr.scanned code=the-first-code",
    );
    assert_eq!(said.values.code_use, Some(CodeUse::Late));
}

#[test]
fn a_late_use_is_overcome_by_a_confirmation() {
    let said = features(
        "flow app_qr\nclock known\n0 auth.qr.shown ttl=30000\n40 auth.qr.scanned\n50 auth.confirmation.completed",
    );
    assert_eq!(said.values.code_use, Some(CodeUse::NoSign));
    assert!(said.hiccups.has(Cause::CodeExpired));
}

#[test]
fn codes_that_ran_out_are_a_hiccup_and_rotated_ones_are_not() {
    let hiccups = |refreshed: u32, ttl: &str| {
        let text = format!(
            "flow app_qr\n0 auth.qr.shown {ttl}\n{refreshed} auth.qr.refreshed {ttl}\n80 auth.qr.scanned"
        );
        features(&text).hiccups.has(Cause::CodeExpired)
    };
    assert!(hiccups(60, "ttl=60000"));
    assert!(!hiccups(20, "ttl=60000"));
    assert!(hiccups(40, ""));
    assert!(!hiccups(20, ""));
}

#[test]
fn a_code_that_ran_out_is_overcome_only_when_the_login_goes_on() {
    let renewed = "flow app_qr\n0 auth.qr.shown ttl=20000\n15 auth.qr.scanned\n22 auth.qr.refreshed";
    assert!(!features(renewed).hiccups.has(Cause::CodeExpired));
    assert!(features(&format!("{renewed}\n23 auth.mobile.opened")).hiccups.has(Cause::CodeExpired));
}

#[test]
fn an_error_on_another_event_counts_like_an_auth_error() {
    let said = features("flow magic_link\n0 auth.link.sent\n40 auth.link.opened error=network");
    assert_eq!(said.values.phone_fault, Some(Fault::Network));
    assert!(!said.progress.observed().has(Phase::Opened));
}

#[test]
fn the_ceremonys_length_is_measured_else_taken_from_its_start_else_from_its_span() {
    let elapsed = |start: &str, facts: &str| {
        let text = format!("flow passkey_cda\n{start}\n9 auth.webauthn.failed error=not_allowed {facts}");
        features(&text).failed_ceremony.and_then(|failed| failed.elapsed).map(|elapsed| elapsed.0)
    };
    let start = "1 auth.webauthn.started";
    assert_eq!(elapsed(start, "elapsed=4000 duration=3000"), Some(4000));
    assert_eq!(elapsed(start, "duration=3000"), Some(8000));
    assert_eq!(elapsed("", "duration=3000"), Some(3000));
    assert_eq!(elapsed("", ""), None);
}

#[test]
fn the_length_counts_against_the_browsers_own_limit() {
    let elapsed = |browser: &str, ms: u32| {
        let text = format!(
            "flow passkey_cda\non initiator Windows {browser}\n0 auth.webauthn.started timeout=60000\n9 auth.webauthn.failed error=not_allowed elapsed={ms}"
        );
        features(&text).values.elapsed
    };
    assert_eq!(elapsed("Chrome", 999), Some(Elapsed::Instant));
    assert_eq!(elapsed("Chrome", 4_000), Some(Elapsed::From4));
    assert_eq!(elapsed("Chrome", 14_000), Some(Elapsed::From12));
    assert_eq!(elapsed("Chrome", 44_000), Some(Elapsed::From35));
    assert_eq!(elapsed("Chrome", 60_100), Some(Elapsed::From60));
    assert_eq!(elapsed("Firefox", 60_100), Some(Elapsed::Limit));
    assert_eq!(elapsed("Chrome", 180_100), Some(Elapsed::Limit));
    assert_eq!(elapsed("Chrome", 400_000), Some(Elapsed::Beyond));
}

#[test]
fn with_an_unknown_browser_every_limit_has_its_share() {
    let said = features(
        "flow passkey_cda\n0 auth.webauthn.started timeout=60000\n61 auth.webauthn.failed elapsed=60100",
    );
    let shares = said.elapsed.unwrap();
    assert!(shares[Elapsed::Limit as usize] > 0.2 && shares[Elapsed::From60 as usize] > 0.5);
    assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn a_browser_that_reports_cancelling_did_not_see_it_in_a_plain_failure() {
    let ceremony = |browser: &str| {
        let text =
            format!("flow passkey_cda\non initiator {browser}\n0 auth.webauthn.failed error=not_allowed");
        features(&text).values.ceremony
    };
    assert_eq!(ceremony("Chrome"), Some(Ceremony::NotAllowed));
    assert_eq!(ceremony("Firefox"), Some(Ceremony::NotCancelled));
}

#[test]
fn autofill_begins_a_ceremony_by_itself() {
    let said = features("flow passkey_cda\n0 auth.webauthn.started mediation=conditional");
    assert_eq!(said.values.begun, Some(Begun::Conditional));
    let ended = features(
        "flow passkey_cda\n0 auth.webauthn.started mediation=conditional\n5 auth.webauthn.failed error=not_allowed",
    );
    assert_eq!(ended.values.begun, None);
}

#[test]
fn a_scanner_is_known_by_its_fetch_or_suspected_by_its_haste() {
    let scanner =
        |fetches: &str| features(&format!("flow magic_link\n0 auth.link.sent\n{fetches}")).values.scanner;
    assert_eq!(scanner("2 auth.link.opened http=HEAD"), Some(Scanner::Fetched));
    assert_eq!(
        scanner("2 auth.link.opened http=GET\n60 auth.link.opened http=GET"),
        Some(Scanner::Suspected)
    );
    assert_eq!(scanner("2 auth.link.opened http=GET"), Some(Scanner::NoSign));
    assert_eq!(scanner("40 auth.link.opened http=GET\n60 auth.link.opened http=GET"), Some(Scanner::NoSign));
}

#[test]
fn retries_count_by_gap_and_flow() {
    let retry = |next: &str| features(&format!("flow app_qr\n0 auth.qr.shown\n{next}")).values.retry;
    assert_eq!(retry(""), Some(Retry::Never));
    assert_eq!(retry("next 3 app_qr"), Some(Retry::AtOnce));
    assert_eq!(retry("next 40 app_qr"), Some(Retry::Minute));
    assert_eq!(retry("next 400 app_qr"), Some(Retry::Later));
    assert_eq!(retry("next 4 magic_link"), Some(Retry::OtherSoon));
}

#[test]
fn the_wait_before_parting_counts_from_the_last_progress() {
    let said = features("flow app_qr\n0 auth.qr.shown\n30 auth.qr.refreshed\n33 auth.cancelled");
    assert_eq!(said.values.dwell, Some(Wait::From20));
}

#[test]
fn places_are_compared_where_both_are_known() {
    let place = |phone: &str| {
        let text = format!("flow app_qr\n0 auth.qr.shown network=1 country=NL\n5 auth.qr.scanned {phone}");
        let said = features(&text);
        (said.values.place, said.relayed)
    };
    assert_eq!(place(""), (None, false));
    assert_eq!(place("network=1 country=NL"), (Some(Place::Same), false));
    assert_eq!(place("network=2 country=NL"), (Some(Place::OtherNetwork), false));
    assert_eq!(place("network=2 country=DE"), (Some(Place::OtherCountry), true));
}

#[test]
fn the_server_tells_from_where_it_was_asked() {
    let said = features(
        "flow app_qr\n0 auth.challenge.created network=1 country=NL\n5 auth.qr.scanned\n9 auth.verification.succeeded network=2 country=DE",
    );
    assert!(said.relayed);
    let same = features(
        "flow app_qr\n0 auth.challenge.created network=1 country=DE\n5 auth.qr.scanned\n9 auth.verification.succeeded network=2 country=DE",
    );
    assert!(!same.relayed);
}

#[test]
fn many_origins_of_one_initiator_look_relayed() {
    let said = features(
        "flow app_qr\n0 auth.qr.shown network=1\n1 auth.qr.refreshed network=2\n2 auth.qr.refreshed network=3\n5 auth.qr.scanned",
    );
    assert!(said.relayed);
}

#[test]
fn a_journey_that_was_cut_off_is_marked() {
    for (reason, cut_off) in [("terminal", false), ("idle", false), ("evicted", true), ("shutdown", true)] {
        assert_eq!(
            features(&format!("flow app_qr\n0 auth.qr.shown\nclose {reason}")).cut_off,
            cut_off,
            "{reason}"
        );
    }
}
