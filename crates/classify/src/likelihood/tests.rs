//! One test a sentence of the module.

use authstitch_model::{Cause, Completeness};

use super::*;
use crate::evidence::observe;
use crate::support::journey;
use crate::tables::Tables;

fn posterior(text: &str, completeness: &Completeness) -> Posterior {
    let features = observe(&journey(text));
    weigh(&features, &Losses::of(&features, completeness), &Tables::shipped())
}

fn of(text: &str, completeness: &Completeness, cause: Cause) -> f32 {
    posterior(text, completeness).causes.of(cause)
}

fn usual(text: &str, cause: Cause) -> f32 {
    of(text, &Completeness::default(), cause)
}

const SHOWN: &str = "flow app_qr\n0 auth.challenge.created\n1 auth.qr.shown ttl=60000";

#[test]
fn nothing_but_a_prior_leaves_the_prior() {
    let cut_off = format!("{SHOWN}\nclose evicted");
    let tables = Tables::shipped();
    let prior = &tables.of(Flow::AppQr).prior.shares;
    let still_possible: f32 = Cause::ALL
        .iter()
        .filter(|cause| !matches!(cause, Cause::RenderFailed))
        .map(|cause| prior[cause.index()])
        .sum();
    let expected = prior[Cause::None.index()] / still_possible;
    let said = usual(&cut_off, Cause::None);
    // What was seen still says a little.
    assert!((said - expected).abs() < 0.2, "{said} and {expected}");
}

#[test]
fn a_decisive_ruling_ends_the_matter() {
    let refused = format!("{SHOWN}\n9 auth.verification.failed reason=risk_denied");
    assert!((usual(&refused, Cause::RiskDenied) - 1.0).abs() < f32::EPSILON);
}

#[test]
fn silence_counts_as_far_as_telemetry_is_complete() {
    let complete = Completeness { authenticator_loss: 0.0, ..Completeness::default() };
    let lossy = Completeness { authenticator_loss: 0.6, ..Completeness::default() };
    let confirmed_later = Cause::ConfirmationAbandoned;
    assert!(of(SHOWN, &complete, confirmed_later) < of(SHOWN, &lossy, confirmed_later));
}

#[test]
fn phones_that_never_report_say_nothing_by_their_silence() {
    let blind = Completeness { phone_instrumented: false, ..Completeness::default() };
    let abandoned = Cause::ConfirmationAbandoned;
    assert!(of(SHOWN, &blind, abandoned) > 3.0 * usual(SHOWN, abandoned));
}

#[test]
fn with_passkeys_the_phones_silence_says_nothing() {
    let text = "flow passkey_cda\n0 auth.webauthn.started\n60 auth.webauthn.failed error=not_allowed";
    let blind = Completeness { phone_instrumented: false, ..Completeness::default() };
    for cause in Cause::ALL {
        assert!((of(text, &blind, *cause) - usual(text, *cause)).abs() < 1e-6, "{cause}");
    }
}

#[test]
fn losses_of_one_side_come_together() {
    let text = format!("{SHOWN}\n30 auth.verification.succeeded");
    let features = observe(&journey(&text));
    let losses = Losses::of(&features, &Completeness { initiator_loss: 0.05, ..Completeness::default() });
    let tables = Tables::shipped();
    let both = |shared_fate: f32| {
        silence_between(Flow::AppQr, features.known, &losses, tables.of(Flow::AppQr), shared_fate)
            [Phase::COUNT]
    };
    assert!(both(0.9) > 3.0 * both(0.0), "returned and established are both the initiator's");
}

#[test]
fn a_journey_that_was_cut_off_says_nothing_by_its_silence() {
    let cut_off = format!("{SHOWN}\nclose shutdown");
    assert!(usual(&cut_off, Cause::None) > 0.7 && usual(SHOWN, Cause::None) < 0.1);
}

#[test]
fn a_side_that_a_sampler_may_have_dropped_is_silent_with_its_share() {
    let sampled = format!("{SHOWN} sampled=6553");
    let sampled_phone = format!("{sampled}\n5 auth.qr.scanned sampled=6553");
    let further = |text: &str| usual(text, Cause::ConfirmationAbandoned) + usual(text, Cause::RiskDenied);
    assert!(further(&sampled) > 3.0 * further(SHOWN), "{} {}", further(&sampled), further(SHOWN));
    let heard = format!("{SHOWN}\n5 auth.qr.scanned");
    let difference = usual(&sampled_phone, Cause::HandoffFailed) - usual(&heard, Cause::HandoffFailed);
    assert!(difference.abs() < 0.2, "the phone was heard of, so its trace was kept: {difference}");
}

#[test]
fn an_absence_is_explained_by_a_loss() {
    let closed_lossy = Completeness { unload_loss: 0.9, ..Completeness::default() };
    assert!(
        of(SHOWN, &closed_lossy, Cause::SwitchedMethod) > usual(SHOWN, Cause::SwitchedMethod),
        "a switch that nobody reported"
    );
}

#[test]
fn the_weights_of_all_evidence_add_up_to_the_log_odds() {
    let text = "flow passkey_cda\non initiator Windows Chrome\n0 auth.webauthn.started timeout=180000\n8 auth.webauthn.failed error=not_allowed";
    let said = posterior(text, &Completeness::default());
    let likeliest = said.causes.likeliest();
    let probability = said.causes.of(likeliest);
    let sum: f32 = said.evidence.iter().flatten().map(|weighed| weighed.weight).sum();
    let log_odds = (probability / (1.0 - probability)).ln();
    assert!((sum - log_odds).abs() < 1.0, "shown {sum}, log odds {log_odds}");
}

#[test]
fn abandonment_is_not_technical() {
    for text in [SHOWN, "flow passkey_cda\n0 auth.webauthn.started\n40 auth.page.unloaded"] {
        let said = posterior(text, &Completeness::default()).causes;
        let abandoned = [Cause::WalkedAway, Cause::ConfirmationAbandoned, Cause::SwitchedMethod];
        let sum: f32 = abandoned.iter().map(|cause| said.of(*cause)).sum();
        assert!((said.outcome(authstitch_model::Outcome::UserAbandoned) - sum).abs() < 1e-6);
    }
}
