//! The worlds reproduce the published figures that they state.

use authstitch_model::truth::TruthLine;
use authstitch_model::{Cause, Outcome, Phase};

use super::{truth, world};
use crate::World;

fn share(lines: &[&TruthLine], is_one: impl Fn(&TruthLine) -> bool) -> f64 {
    lines.iter().filter(|line| is_one(line)).count() as f64 / lines.len() as f64
}

fn succeeded(line: &TruthLine) -> bool {
    line.outcome == Outcome::Succeeded
}

#[test]
fn passkey_launch_completes_as_published() {
    let lines = truth(world(World::shipped("passkey_launch").unwrap()), 1, 2500);
    let segment = |name: &str| lines.iter().filter(|line| line.segment == name).collect::<Vec<_>>();
    for (name, accepted) in [
        ("windows_overall", 0.60..0.78),
        ("macos_overall", 0.66..0.86),
        ("windows_identifier_first", 0.52..0.67),
    ] {
        let completion = share(&segment(name), succeeded);
        assert!(accepted.contains(&completion), "{name}: {completion}");
    }
    let declined = share(&segment("windows_identifier_first"), |line| {
        line.cause == Some(Cause::Cancelled) && line.failing_phase == Some(Phase::Started)
    });
    assert!((declined - 0.34).abs() < 0.03, "{declined}");
}

#[test]
fn passkey_launch_follows_the_published_funnel() {
    let lines = truth(world(World::shipped("passkey_launch").unwrap()), 2, 7500);
    let funnel: Vec<_> = lines.iter().filter(|line| line.segment == "funnel").collect();
    let reached = |phase| {
        let reached = |line: &TruthLine| line.phases.iter().any(|reached| reached.phase == phase);
        funnel.iter().filter(|line| reached(line)).count() as f64
    };
    let steps = [
        ("start to browser prompt", reached(Phase::Presented) / funnel.len() as f64, 0.48),
        ("prompt to scan", reached(Phase::Scanned) / reached(Phase::Presented), 0.29),
        ("scan to success", reached(Phase::Confirmed) / reached(Phase::Scanned), 0.64),
        ("success to signed in", reached(Phase::Established) / reached(Phase::Confirmed), 0.89),
    ];
    for (step, realised, published) in steps {
        assert!((realised - published).abs() < 0.035, "{step}: {realised}, published {published}");
    }
    let on_phone = |line: &&&TruthLine| {
        matches!(line.failing_phase, Some(Phase::Proximity | Phase::Prompted | Phase::Confirmed))
    };
    let failed: Vec<_> = funnel.iter().filter(on_phone).copied().collect();
    for (what, causes, published) in [
        ("user cancellation", &[Cause::Cancelled, Cause::Declined][..], 0.44),
        ("credential not found", &[Cause::NoCredential], 0.32),
        ("connection", &[Cause::BluetoothUnavailable, Cause::ProximityFailed, Cause::NetworkBlocked], 0.17),
    ] {
        let realised = share(&failed, |line| line.cause.is_some_and(|cause| causes.contains(&cause)));
        assert!((realised - published).abs() < 0.08, "{what}: {realised}, published {published}");
    }
}

#[test]
fn baseline_loses_about_as_many_logins_as_published() {
    let lines = truth(world(World::shipped("baseline").unwrap()), 1, 1000);
    let in_baseline = lines.iter().collect::<Vec<_>>();
    let dropped = 1.0 - share(&in_baseline, succeeded);
    assert!((0.20..0.36).contains(&dropped), "{dropped}");
}

#[test]
fn quick_retries_come_within_seconds_in_one_session() {
    let lines = truth(world(World::shipped("quick_retries").unwrap()), 1, 500);
    let retries = lines.iter().filter(|line| line.previous_attempt.is_some()).count();
    assert!(retries * 4 > lines.len(), "{retries} of {} are retries", lines.len());
}
