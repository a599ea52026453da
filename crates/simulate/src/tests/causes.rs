//! Every cause can be injected into every flow where it can stop a phase.

use authstitch_model::{Cause, Flow, Outcome, Phase, phases};

use super::{truth, world};
use crate::World;

/// The causes that can stop a phase of a flow, with that phase.
pub(crate) fn injectable() -> impl Iterator<Item = (Flow, Phase, Cause)> {
    let flows = [Flow::AppQr, Flow::PasskeyCda, Flow::MagicLink];
    let steps =
        flows.into_iter().flat_map(|flow| phases::of(flow).iter().map(move |known| (flow, known.phase)));
    steps.flat_map(|(flow, phase)| {
        let causes = Cause::ALL.iter().copied().filter(move |cause| cause.stops().contains(&phase));
        causes.map(move |cause| (flow, phase, cause))
    })
}

/// A world in which this cause always stops this phase.
pub(crate) fn forced(flow: Flow, phase: Phase, cause: Cause) -> World {
    let technical = cause.outcome() == Outcome::TechnicalFailure;
    let kind = if technical { "mishaps" } else { "decisions" };
    let link = if flow == Flow::MagicLink { "link: {by_qr: 1}, " } else { "" };
    world(&format!(
        "{{name: forced, segments: [{{mix: {{{flow}: 1}}}}],
           flows: {{{flow}: {{{link}steps: {{{phase}: {{{kind}: {{{cause}: 1}}}}}}}}}}}}"
    ))
}

#[test]
fn every_cause_can_be_injected_in_every_flow_where_it_can_stop_a_phase() {
    let mut seen = 0;
    for (flow, phase, cause) in injectable() {
        for line in truth(forced(flow, phase, cause), 1, 2) {
            let said = (line.flow, line.failing_phase, line.cause, line.outcome);
            assert_eq!(said, (flow, Some(phase), Some(cause), cause.outcome()));
            seen += 1;
        }
    }
    assert!(seen > 1000, "{seen}");
}

#[test]
fn a_world_without_hazards_succeeds_always() {
    let happy = world(
        "{name: happy, segments: [{mix: {app_qr: 1, passkey_cda: 1, magic_link: 1}}], flows: {magic_link: {link: {lifetime_s: 1800}}}}",
    );
    let lines = truth(happy, 1, 50);
    let failed: Vec<_> = lines.iter().filter_map(|line| line.cause).collect();
    // Only the tails of the laws are left: a scan slower than the order lives.
    assert!(failed.len() < 10, "{failed:?}");
}

#[test]
fn a_factor_multiplies_a_rate() {
    let share = |factor: f64| {
        let world = world(&format!(
            "{{name: w, segments: [{{factors: {{scan_failed: {factor}}}}}],
               flows: {{app_qr: {{steps: {{scanned: {{mishaps: {{scan_failed: 0.1}}}}}}}}}}}}"
        ));
        let lines = truth(world, 1, 250);
        lines.iter().filter(|line| line.cause == Some(Cause::ScanFailed)).count() as f64 / lines.len() as f64
    };
    assert!((share(1.0) - 0.1).abs() < 0.02 && (share(3.0) - 0.3).abs() < 0.03 && share(0.0) == 0.0);
}

#[test]
fn what_is_overcome_is_a_hiccup_and_no_cause() {
    let world = world(
        "{name: w, people: {overcome: {user_verification_failed: 1}},
          flows: {app_qr: {prompt_lifetime_s: 800, steps: {confirmed: {mishaps: {user_verification_failed: 0.5}}}}}}",
    );
    let lines = truth(world, 1, 100);
    assert!(lines.iter().all(|line| line.cause != Some(Cause::UserVerificationFailed)));
    let hiccups = lines.iter().filter(|line| line.hiccups.contains(&Cause::UserVerificationFailed)).count();
    assert!((hiccups as f64 / lines.len() as f64 - 0.5).abs() < 0.06, "{hiccups}");
}
