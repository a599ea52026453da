//! What the ceilings promise: they are calibrated, overall and within what simpler observers see; no count of
//! what was seen does better; and they know the traces of each mishap as the stack leaves them.

use std::collections::HashMap;

use authstitch_model::truth::TruthLine;
use authstitch_model::{EventName, Flow, KeyKind, Phase, Side};

use super::traces::{Mark, Telling, traces};
use super::*;
use crate::tests::causes::{forced, injectable};
use crate::{SHIPPED, Simulation, VARIANTS, World};

fn shipped(name: &str) -> Arc<World> {
    let text = World::shipped(name).unwrap_or_else(|| panic!("{name} is no shipped world"));
    Arc::new(World::from_yaml(text).unwrap_or_else(|problems| panic!("{problems}")))
}

/// A scored attempt.
struct Judged {
    line: TruthLine,
    ideal: Vec<CauseShare>,
}

impl Judged {
    fn truth(&self) -> Cause {
        self.line.cause.unwrap_or(Cause::None)
    }

    fn said(&self, cause: Cause) -> f64 {
        self.ideal.iter().find(|share| share.cause == cause).map_or(0.0, |share| share.probability)
    }

    fn loss(&self) -> f64 {
        -self.said(self.truth()).max(1e-6).ln()
    }
}

fn judged_from(world: &Arc<World>, seed: u64, blocks: u64, turn: f64) -> Vec<Judged> {
    let ceilings = Ceilings::new(world, &[]);
    let simulation = Simulation::new(world.clone(), seed);
    let lines = (0..blocks).flat_map(|number| {
        let mut block = simulation.block(number);
        ceilings.fill_from(&mut block, turn);
        block.attempts
    });
    let strong = |line: &TruthLine| {
        let mut labels = line.spans.iter().flat_map(|span| span.keys.iter().flatten());
        labels.any(|label| matches!(label.kind, KeyKind::Journey | KeyKind::Challenge | KeyKind::Code))
    };
    lines
        .filter(strong)
        .map(|mut line| Judged { ideal: line.ideal.take().expect("what arrived is judged"), line })
        .collect()
}

fn judged(name: &str, blocks: u64) -> Vec<Judged> {
    judged_from(&shipped(name), 11, blocks, 0.0)
}

/// What was said should lie within so many standard errors of what was.
const ERRORS: f64 = 4.5;

#[test]
fn the_ideal_observer_is_right_as_often_as_it_says() {
    for (name, _) in SHIPPED.iter().chain(VARIANTS) {
        let all = judged(name, 300);
        let count = all.len() as f64;
        let said: f64 = all.iter().map(|one| one.ideal[0].probability).sum::<f64>() / count;
        let right = all.iter().filter(|one| one.ideal[0].cause == one.truth()).count() as f64 / count;
        let error = (right * (1.0 - right) / count).sqrt();
        println!("{name}: said {said:.4}, was {right:.4} ± {error:.4}");
        assert!((said - right).abs() < ERRORS * error, "{name}: said {said}, was {right}");
    }
}

#[test]
fn each_cause_occurs_as_often_as_the_ideal_observer_says() {
    for name in ["baseline", "passkey_launch", "partly_instrumented"] {
        let mut sums: HashMap<(Flow, Cause), (f64, f64, f64)> = HashMap::new();
        for one in judged(name, 500) {
            for share in &one.ideal {
                let sum = sums.entry((one.line.flow, share.cause)).or_default();
                sum.0 += share.probability;
                sum.2 += share.probability * (1.0 - share.probability);
            }
            sums.entry((one.line.flow, one.truth())).or_default().1 += 1.0;
        }
        for ((flow, cause), (said, was, variance)) in sums {
            let error = (variance + 0.01 * said + 1.0).sqrt();
            assert!((said - was).abs() < ERRORS * error, "{name} {flow} {cause}: said {said}, was {was}");
        }
    }
}

/// What a simple observer sees: which events, and how long from the first to the last, by doubling.
fn signature(line: &TruthLine, block: &[Emission]) -> String {
    let mut names: Vec<_> = line.spans.iter().map(|span| (span.event.code(), span.side.code())).collect();
    names.sort_unstable();
    let times =
        block.iter().filter(|one| one.attempt == line.attempt && one.exporter.side() == Side::Initiator);
    let times: Vec<u64> = times
        .filter_map(|one| match &one.content {
            Content::Span { scope: Scope::Other, .. } => None,
            Content::Span { span, .. } => Some(span.end_time_unix_nano),
            Content::Log { record, .. } => Some(record.time_unix_nano),
        })
        .collect();
    let length =
        times.iter().max().zip(times.iter().min()).map_or(0, |(to, from)| (to - from) / 1_000_000_000);
    format!("{names:?} {}", 64 - length.leading_zeros())
}

/// A small world, so that every constellation comes often enough to be counted.
const SMALL: &str = "
name: small
segments: [{mix: {app_qr: 1}}]
people:
  endings: {cancelled: 1, silent: 1}
  overcome: {scan_failed: 0.3}
  retry: {shares: {technical_failure: 0.4}}
flows:
  app_qr:
    steps:
      scanned: {mishaps: {scan_failed: 0.15}, decisions: {walked_away: 0.15, cancelled: 0.1}}
      opened: {mishaps: {handoff_failed: 0.15}, decisions: {walked_away: 0.05}}
      verified: {mishaps: {result_lost: 0.1}}
telemetry:
  errors_reported: 0.5
  loss: {initiator: 0.1, authenticator: 0.2, server: 0.02}
  unload_loss: 0.3
";

/// Brute force: attempts are counted by what a simple observer sees. Within each group the ideal observer, who
/// sees more, must on average say what was counted; and on attempts that were not counted, the counts must not
/// say it better.
#[test]
fn in_a_small_world_counting_says_the_same_and_never_more() {
    let world = Arc::new(World::from_yaml(SMALL).unwrap_or_else(|problems| panic!("{problems}")));
    let (ceilings, simulation) = (Ceilings::new(&world, &[]), Simulation::new(world.clone(), 3));
    let mut groups: HashMap<String, Vec<Judged>> = HashMap::new();
    for number in 0..2500 {
        let mut block = simulation.block(number);
        ceilings.fill(&mut block);
        for mut line in block.attempts {
            let Some(ideal) = line.ideal.take() else { continue };
            groups.entry(signature(&line, &block.emissions)).or_default().push(Judged { line, ideal });
        }
    }
    let (mut compared, mut ideal_loss, mut counted_loss, mut spread, mut held_out) = (0, 0.0, 0.0, 0.0, 0.0);
    for (signature, group) in groups.iter().filter(|(_, group)| group.len() >= 150) {
        let size = group.len() as f64;
        for cause in Cause::ALL {
            let said: f64 = group.iter().map(|one| one.said(*cause)).sum::<f64>() / size;
            let was = group.iter().filter(|one| one.truth() == *cause).count() as f64 / size;
            let error = (said.max(0.5 / size) * (1.0 - said).max(0.5 / size) / size).sqrt();
            assert!(
                (said - was).abs() < ERRORS * error + 0.004,
                "{signature} ({size}): {cause} said {said:.4}, was {was:.4}"
            );
            compared += 1;
        }
        let (counted, held) = group.split_at(group.len() / 2);
        for one in held {
            let same = counted.iter().filter(|other| other.truth() == one.truth()).count() as f64;
            let by_count = -((same + 0.1) / (counted.len() as f64 + 3.3)).ln();
            ideal_loss += one.loss();
            counted_loss += by_count;
            spread += (one.loss() - by_count).powi(2);
            held_out += 1.0;
        }
    }
    println!(
        "{compared} compared; log loss {:.4} counted {:.4}",
        ideal_loss / held_out,
        counted_loss / held_out
    );
    assert!(compared > 300, "{compared}");
    assert!(ideal_loss <= counted_loss + 3.0 * spread.sqrt(), "{ideal_loss} against {counted_loss}");
}

#[test]
fn an_observer_of_a_mixture_of_one_world_is_the_ideal_one() {
    let world = shipped("baseline");
    let ceilings = Ceilings::new(&world, &[(shipped("baseline"), 1.0)]);
    let mut block = Simulation::new(world, 5).block(3);
    ceilings.fill(&mut block);
    assert!(block.attempts.iter().any(|line| line.ideal.is_some()));
    assert!(block.attempts.iter().all(|line| line.ideal == line.ideal_blind));
}

#[test]
fn an_observer_who_believes_in_another_world_does_worse() {
    let (here, there) = (shipped("passkey_launch"), shipped("baseline"));
    let ceilings = Ceilings::new(&here, &[(there, 1.0)]);
    let simulation = Simulation::new(here, 5);
    let (mut ideal, mut blind) = (0.0, 0.0);
    for number in 0..150 {
        let mut block = simulation.block(number);
        ceilings.fill(&mut block);
        for line in &block.attempts {
            let (Some(of_ideal), Some(of_blind)) = (&line.ideal, &line.ideal_blind) else { continue };
            let truth = line.cause.unwrap_or(Cause::None);
            let loss = |shares: &[CauseShare]| {
                let said =
                    shares.iter().find(|share| share.cause == truth).map_or(0.0, |share| share.probability);
                -said.max(1e-6).ln()
            };
            ideal += loss(of_ideal);
            blind += loss(of_blind);
        }
    }
    assert!(ideal + 20.0 < blind, "{ideal} {blind}");
}

/// The integrals' own error: another set of points changes little.
#[test]
fn the_choice_of_points_hardly_matters() {
    let world = shipped("baseline");
    let (one, other) = (judged_from(&world, 2, 250, 0.0), judged_from(&world, 2, 250, 0.381));
    let count = one.len() as f64;
    let difference: f64 = one.iter().zip(&other).map(|(a, b)| a.loss() - b.loss()).sum::<f64>() / count;
    let each: f64 = one.iter().zip(&other).map(|(a, b)| (a.loss() - b.loss()).powi(2)).sum::<f64>();
    println!("mean difference {difference:.5}, standard error {:.5}", each.sqrt() / count);
    assert!(difference.abs() < 0.01, "{difference}");
}

#[test]
fn the_marks_of_a_mishap_are_those_that_the_stack_leaves() {
    for (flow, phase, cause) in injectable().filter(|(.., cause)| *cause != Cause::LinkPrefetched) {
        // Before the start there is nothing that ties an event to a login.
        if phase == Phase::Started {
            continue;
        }
        let world = Arc::new(forced(flow, phase, cause));
        let telling = Telling {
            reported: world.telemetry.errors_reported,
            unknown: 0.5,
            phone_emits: world.telemetry.phone_emits_in_passkey > 0.0,
        };
        let expected = traces(flow, cause, phase, telling);
        let ceilings = Ceilings::new(&world, &[]);
        let simulation = Simulation::new(world, 7);
        let (mut count, mut marked, mut unexpected) = (0.0, 0.0, Vec::new());
        for number in 0..25 {
            let block = simulation.block(number);
            for (_, sightings) in ceilings.sightings(&block.emissions) {
                let seen = seen::Seen::new(&sightings, UnixNanos(0), [0.0; 2]);
                let foreign = seen.as_foreign_login().filter(|_| seen.phone_session);
                let marks = foreign.map_or(seen, |(foreign, _)| foreign).marks;
                count += 1.0;
                marked += f64::from(!marks.is_empty());
                unexpected
                    .extend(marks.iter().map(|(_, mark)| *mark).filter(|mark| expected.of(*mark) == 0.0));
            }
        }
        unexpected.retain(|mark| *mark != Mark::CredentialUnknown);
        // A link or code that ran out before the mishap could strike is another one.
        assert!(unexpected.len() as f64 <= 0.03 * count, "{flow} {phase} {cause}: {unexpected:?}");
        let said = expected.any().min(1.0);
        assert!((marked / count - said).abs() < 0.15, "{flow} {phase} {cause}: {} {said}", marked / count);
    }
}

#[test]
fn a_session_that_was_seen_is_a_success() {
    for one in judged("baseline", 20) {
        if one.line.spans.iter().any(|span| span.event == EventName::SessionEstablished) {
            assert_eq!(one.ideal.len(), 1, "{:?}", one.ideal);
        }
    }
}
