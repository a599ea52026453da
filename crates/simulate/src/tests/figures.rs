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

/// One row of the table of published against simulated figures.
struct Row {
    what: String,
    published: std::ops::RangeInclusive<f64>,
    simulated: f64,
}

/// Corbado's figures and Google's measure different populations: each segment follows one source.
#[test]
fn passkey_launch_shows_the_published_figures() {
    let lines = truth(world(World::shipped("passkey_launch").unwrap()), 1, 40_000);
    let segment = |name: &str| lines.iter().filter(|line| line.segment == name).collect::<Vec<_>>();
    let mut rows = Vec::new();
    for (name, published) in [
        ("windows_overall", 0.60..=0.78),
        ("macos_overall", 0.66..=0.86),
        ("windows_identifier_first", 0.52..=0.67),
    ] {
        let what = format!("Corbado: {name}, completion");
        rows.push(Row { what, published, simulated: share(&segment(name), succeeded) });
    }
    let declines =
        |line: &TruthLine| line.cause == Some(Cause::Cancelled) && line.failing_phase == Some(Phase::Started);
    let simulated = share(&segment("windows_identifier_first"), declines);
    rows.push(Row { what: "Corbado: Windows, declines to start".into(), published: 0.32..=0.36, simulated });

    let funnel = segment("funnel");
    let reached = |phase| {
        let reached = |line: &TruthLine| line.phases.iter().any(|reached| reached.phase == phase);
        funnel.iter().filter(|line| reached(line)).count() as f64
    };
    let mut google = |what: &str, figure: f64, simulated: f64| {
        let what = format!("Google: {what}");
        rows.push(Row { what, published: figure - 0.02..=figure + 0.02, simulated });
    };
    google("start to browser prompt", 0.48, reached(Phase::Presented) / funnel.len() as f64);
    google("prompt to QR scan", 0.29, reached(Phase::Scanned) / reached(Phase::Presented));
    google("scan to authenticator success", 0.64, reached(Phase::Confirmed) / reached(Phase::Scanned));
    google("success to signed in", 0.89, reached(Phase::Established) / reached(Phase::Confirmed));
    let on_phone = |line: &&&TruthLine| {
        matches!(line.failing_phase, Some(Phase::Proximity | Phase::Prompted | Phase::Confirmed))
    };
    let failed: Vec<_> = funnel.iter().filter(on_phone).copied().collect();
    let because =
        |causes: &[Cause]| share(&failed, |line| line.cause.is_some_and(|cause| causes.contains(&cause)));
    let connection = [Cause::BluetoothUnavailable, Cause::ProximityFailed, Cause::NetworkBlocked];
    let other =
        1.0 - because(&[Cause::Cancelled, Cause::Declined, Cause::NoCredential]) - because(&connection);
    google("fails by user cancellation", 0.44, because(&[Cause::Cancelled, Cause::Declined]));
    google("fails for want of a credential", 0.32, because(&[Cause::NoCredential]));
    google("fails by the connection", 0.17, because(&connection));
    google("fails otherwise", 0.068, other);

    println!("{:<42} {:>13} {:>9}", "figure", "published", "simulated");
    for Row { what, published, simulated } in &rows {
        println!("{what:<42} {:>5.3}..{:.3}  {simulated:>9.3}", published.start(), published.end());
    }
    for Row { what, published, simulated } in rows {
        assert!(published.contains(&simulated), "{what}: {simulated} is not within {published:?}");
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

/// The shares of all causes, success among them.
fn causes(name: &str) -> Vec<f64> {
    let lines = truth(world(World::shipped(name).unwrap()), 5, 2500);
    let share = |cause: &Cause| {
        let of_cause = lines.iter().filter(|line| line.cause.unwrap_or(Cause::None) == *cause);
        of_cause.count() as f64 / lines.len() as f64
    };
    Cause::ALL.iter().map(share).collect()
}

#[test]
fn shifted_priors_lie_a_fifth_from_baseline() {
    let (baseline, shifted) = (causes("baseline"), causes("shifted_priors"));
    let distance: f64 = baseline.iter().zip(&shifted).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
    println!("total variation distance {distance:.3}");
    assert!((0.17..0.23).contains(&distance), "{distance}");
}
