//! The truth line is true, and agrees with what a receiver can see.

use std::collections::{HashMap, HashSet};

use authstitch_model::line::SpanLine;
use authstitch_model::truth::TruthLine;
use authstitch_model::{AuthEvent, Cause, EndAct, EventName, Flow, Phase, Transport, phases};
use proptest::prelude::*;

use super::causes::{forced, injectable};
use super::{received, truth, world};
use crate::{SHIPPED, Simulation, World};

/// What tells one event from another.
type Identity = (String, String, String, EventName);

fn identity(trace: Option<String>, span: Option<String>, id: Option<&str>, name: EventName) -> Identity {
    (trace.unwrap_or_default(), span.unwrap_or_default(), id.unwrap_or_default().to_owned(), name)
}

fn of_line(line: &SpanLine) -> Identity {
    let hex = |id: Option<String>| id;
    identity(
        hex(line.trace_id.map(|id| id.to_string())),
        hex(line.span_id.map(|id| id.to_string())),
        line.event_id.as_ref().map(authstitch_model::EventId::as_str),
        line.event,
    )
}

fn of_event(event: &AuthEvent) -> Identity {
    identity(
        event.origin.trace_id.map(|id| id.to_string()),
        event.origin.span_id.map(|id| id.to_string()),
        event.event_id.as_ref().map(authstitch_model::EventId::as_str),
        event.name,
    )
}

fn required(line: &TruthLine) -> Vec<Phase> {
    let skipped = match line.transport {
        Some(Transport::HybridLinked) => &[Phase::Presented, Phase::Scanned][..],
        Some(Transport::SecurityKey | Transport::Platform) => {
            &[Phase::Presented, Phase::Scanned, Phase::Proximity]
        }
        _ => &[],
    };
    phases::of(line.flow).iter().map(|known| known.phase).filter(|phase| !skipped.contains(phase)).collect()
}

fn check(line: &TruthLine) -> Result<(), TestCaseError> {
    let cause = line.cause.unwrap_or(Cause::None);
    prop_assert_eq!(line.outcome, cause.outcome());
    prop_assert_eq!(line.failing_phase.is_none(), cause == Cause::None);
    prop_assert_eq!(line.end_act == EndAct::Succeeded, cause == Cause::None);
    prop_assert!(line.phases.is_sorted_by(|a, b| a.phase < b.phase && a.at < b.at));
    prop_assert!(line.phases.first().is_none_or(|first| first.at >= line.started_at));
    prop_assert_eq!(line.transport.is_some(), line.flow == Flow::PasskeyCda);
    let reached: Vec<_> = line.phases.iter().map(|reached| reached.phase).collect();
    match line.failing_phase {
        None => prop_assert_eq!(reached.last(), Some(&Phase::Established)),
        Some(failing) => {
            prop_assert!(cause.stops().contains(&failing), "{} cannot stop {}", cause, failing);
            prop_assert!(reached.iter().all(|phase| *phase < failing));
            let known = line.flow != Flow::MagicLink && line.transport != Some(Transport::None);
            if known {
                let first = required(line).into_iter().find(|phase| !reached.contains(phase));
                prop_assert_eq!(first, Some(failing));
            }
        }
    }
    let mut identities = HashSet::new();
    for span in line.spans.iter().chain(&line.lost) {
        prop_assert!(identities.insert(of_line(span)), "{:?} stands twice", span);
        prop_assert!(span.keys.is_some() && span.joined_by.is_none());
        prop_assert!(span.event_id.is_some() || span.trace_id.is_some() && span.span_id.is_some());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_truth_line_agrees_with_itself(place in 0..SHIPPED.len(), seed: u64, number in 0..1_000_000u64) {
        let block = Simulation::new(world(SHIPPED[place].1), seed).block(number);
        prop_assert_eq!(block.attempts.len(), 8);
        for (line, attempt) in block.attempts.iter().zip(number * 8..) {
            prop_assert_eq!(line.attempt, attempt);
            check(line)?;
        }
    }

    #[test]
    fn chains_of_retries_stay_in_their_block(seed: u64, number in 0..1_000_000u64) {
        let block = Simulation::new(world(World::shipped("quick_retries").unwrap()), seed).block(number);
        for (before, line) in block.attempts.iter().zip(&block.attempts[1..]) {
            if let Some(previous) = line.previous_attempt {
                prop_assert_eq!(previous, before.attempt);
                prop_assert!(before.cause.is_some() && before.segment == line.segment);
                prop_assert!(line.started_at >= before.started_at);
            }
        }
        prop_assert!(block.attempts[0].previous_attempt.is_none());
    }
}

/// What the receiver's mapping makes of the requests is exactly what the truth says survived.
#[test]
fn what_survived_is_what_a_receiver_sees_and_nothing_unrelated() {
    for (name, yaml) in SHIPPED {
        let mut expected: HashMap<Identity, _> = HashMap::new();
        for line in truth(world(yaml), 6, 100) {
            for span in line.spans {
                expected.insert(of_line(&span), (span.side, line.flow));
            }
        }
        let mut seen = HashSet::new();
        for event in received(world(yaml), 6, 800) {
            let identity = of_event(&event);
            let known = expected.get(&identity);
            assert!(known.is_some(), "{name}: {identity:?} is in no truth line");
            let (side, flow) = known.unwrap();
            if event.flow.is_some() {
                assert_eq!(event.flow, Some(*flow), "{name}: {identity:?}");
            }
            // A server that does not say of which side it speaks is taken for itself.
            if event.name != EventName::SessionEstablished {
                assert_eq!(event.side, *side, "{name}: {identity:?}");
            }
            seen.insert(identity);
        }
        assert_eq!(seen.len(), expected.len(), "{name}: events that survived were not seen");
    }
}

/// Two events of an attempt have a label in common exactly if they have that key in common.
#[test]
fn labels_are_equal_exactly_where_keys_are() {
    for (name, yaml) in SHIPPED {
        let events: HashMap<Identity, AuthEvent> =
            received(world(yaml), 6, 400).into_iter().map(|event| (of_event(&event), event)).collect();
        for line in truth(world(yaml), 6, 50) {
            for (nth, a) in line.spans.iter().enumerate() {
                for b in &line.spans[..nth] {
                    let (Some(at), Some(bt)) = (events.get(&of_line(a)), events.get(&of_line(b))) else {
                        panic!("{name}: {a:?} or {b:?} did not arrive");
                    };
                    let labels = |line: &SpanLine| line.keys.clone().unwrap_or_default();
                    let in_labels = labels(a).iter().filter(|label| labels(b).contains(label)).count();
                    let in_keys = [
                        (at.keys.journey, bt.keys.journey),
                        (at.keys.challenge, bt.keys.challenge),
                        (at.keys.code, bt.keys.code),
                        (at.keys.flow, bt.keys.flow),
                        (at.keys.session, bt.keys.session),
                        (at.keys.trace, bt.keys.trace),
                    ];
                    let in_keys = in_keys.iter().filter(|(a, b)| a.is_some() && a == b).count();
                    assert_eq!(in_labels, in_keys, "{name}: {a:?} and {b:?}");
                }
            }
        }
    }
}

/// No event says that a phase was reached which was not: neither in the shipped worlds, nor for any cause.
#[test]
fn no_event_evidences_a_phase_that_was_not_reached() {
    let causes = injectable().map(|(flow, phase, cause)| forced(flow, phase, cause));
    for world in SHIPPED.iter().map(|(_, yaml)| world(yaml)).chain(causes) {
        let mut of_attempt: HashMap<Identity, (Flow, Vec<Phase>, Option<Cause>)> = HashMap::new();
        for line in truth(world.clone(), 8, 4) {
            let reached: Vec<_> = line.phases.iter().map(|reached| reached.phase).collect();
            for span in &line.spans {
                of_attempt.insert(of_line(span), (line.flow, reached.clone(), line.cause));
            }
        }
        for event in received(world, 8, 32) {
            let (flow, reached, cause) = &of_attempt[&of_event(&event)];
            // In the wrong browser a link goes as far as in the right one, for nobody.
            let elsewhere = *cause == Some(Cause::WrongBrowser) && *flow == Flow::MagicLink;
            if let Some(phase) = phases::evidenced(*flow, &event).filter(|_| !elsewhere) {
                assert!(reached.contains(&phase), "{} with {cause:?} evidences {phase}", event.name);
            }
        }
    }
}

#[test]
fn truth_never_goes_into_the_telemetry() {
    for (_, yaml) in SHIPPED {
        let simulation = Simulation::new(world(yaml), 1);
        for emission in (0..20).flat_map(|number| simulation.block(number).emissions) {
            let said = format!("{:?} {:?}", emission.content, emission.resource).replace("because", "");
            assert!(
                !said.contains("segment") && !said.contains("attempt") && !said.contains("cause"),
                "{said}"
            );
            for cause in [Cause::WalkedAway, Cause::ConfirmationAbandoned, Cause::ProximityFailed] {
                assert!(!said.contains(cause.code()), "{said}");
            }
        }
    }
}
