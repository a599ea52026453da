use authstitch_model::line::{JourneyLine, SpanLine};
use authstitch_model::truth::TruthLine;
use authstitch_model::{Cause, EventId, EventName};

use super::Matching;
use crate::testing::{attempt, event, events, journey, named};

/// The journey of each attempt, as its place among the journeys by id.
fn journeys_of(truth: &[TruthLine], journeys: &[JourneyLine]) -> Vec<Option<usize>> {
    Matching::new(truth, journeys).attempts.iter().map(|attempt| attempt.journey).collect()
}

fn held(nth: u64, spans: Vec<SpanLine>) -> JourneyLine {
    journey(nth, spans, &[(Cause::None, 1.0)])
}

fn made(number: u64, spans: Vec<SpanLine>) -> TruthLine {
    attempt(number, Cause::None, spans)
}

#[test]
fn a_journey_belongs_to_the_attempt_with_which_it_shares_most() {
    let truth = [made(1, events(0..3)), made(2, events(3..5))];
    let mixed = held(0, [events(0..1), events(3..5)].concat());
    assert_eq!(journeys_of(&truth, &[mixed]), [None, Some(0)]);
}

#[test]
fn of_attempts_that_share_as_many_the_smaller_number_has_it() {
    let truth = [made(2, events(0..2)), made(1, events(2..4))];
    let mixed = held(0, events(1..3));
    // Attempts stand in the order of their numbers: attempt 1 first.
    assert_eq!(journeys_of(&truth, &[mixed]), [Some(0), None]);
}

#[test]
fn an_attempts_journey_is_the_one_with_most_of_its_events() {
    let truth = [made(1, events(0..3))];
    assert_eq!(journeys_of(&truth, &[held(0, events(0..1)), held(1, events(1..3))]), [Some(1)]);
}

#[test]
fn of_journeys_that_share_as_many_the_older_one_is_it() {
    let truth = [made(1, events(0..2))];
    assert_eq!(journeys_of(&truth, &[held(1, events(0..1)), held(0, events(1..2))]), [Some(0)]);
}

#[test]
fn only_the_newest_revision_counts_and_a_merged_journey_not_at_all() {
    let truth = [made(1, events(0..2))];
    let newer = JourneyLine { revision: 2, ..held(0, events(0..2)) };
    let older = held(0, events(0..1));
    let merged = JourneyLine { merged_into: Some(newer.journey_id), revision: 2, ..held(1, events(0..2)) };
    let lines = [newer, older, held(1, events(0..2)), merged];
    let matching = Matching::new(&truth, &lines);
    assert_eq!(matching.journeys.len(), 1);
    assert!(matching.is_exact(&matching.attempts[0]));
}

#[test]
fn an_event_is_known_by_its_name_too() {
    let truth = [made(1, vec![named(0, EventName::QrShown)]), made(2, vec![named(0, EventName::QrScanned)])];
    assert_eq!(journeys_of(&truth, &[held(0, vec![named(0, EventName::QrScanned)])]), [None, Some(0)]);
}

#[test]
fn an_event_without_a_span_is_known_by_its_event_id() {
    let log = |id| SpanLine {
        trace_id: None,
        span_id: None,
        event_id: Some(EventId::new(id)),
        ..named(0, EventName::QrShown)
    };
    let truth = [made(1, vec![log("a")]), made(2, vec![log("b")])];
    assert_eq!(journeys_of(&truth, &[held(0, vec![log("b")])]), [None, Some(0)]);
}

#[test]
fn events_without_any_id_are_matched_with_nothing() {
    let nameless = SpanLine { trace_id: None, span_id: None, ..named(0, EventName::QrShown) };
    assert_eq!(journeys_of(&[made(1, vec![nameless.clone()])], &[held(0, vec![nameless])]), [None]);
}

#[test]
fn a_copy_that_the_truth_does_not_hold_makes_a_journey_inexact() {
    let exact = |truth: Vec<SpanLine>, stitched: Vec<SpanLine>| {
        let (truth, lines) = ([made(1, truth)], [held(0, stitched)]);
        let matching = Matching::new(&truth, &lines);
        matching.is_exact(&matching.attempts[0])
    };
    let twice = || [events(0..2), events(1..2)].concat();
    assert!(exact(twice(), twice()));
    assert!(!exact(events(0..2), twice()));
    assert!(!exact(twice(), events(0..2)));
}

#[test]
fn an_attempt_is_scored_if_an_event_with_a_strong_key_survived() {
    let scored = |keys: &[&str]| {
        let truth = [made(1, (0..).zip(keys).map(|(nth, keys)| event(nth, keys)).collect())];
        Matching::new(&truth, &[]).attempts[0].scored
    };
    assert!(scored(&["", "code:1"]));
    assert!(scored(&["challenge:1"]));
    assert!(!scored(&["flow:1 session:1 trace:1", ""]));
    assert!(!scored(&[]));
}

#[test]
fn a_truth_without_keys_counts_as_strong_and_connected() {
    let truth = [made(1, vec![named(0, EventName::QrShown), named(1, EventName::QrScanned)])];
    let attempt = &Matching::new(&truth, &[]).attempts[0];
    assert!(attempt.scored && attempt.connected);
}

#[test]
fn events_hang_together_over_shared_strong_keys_and_no_others() {
    let connected = |keys: &[&str]| {
        let truth = [made(1, (0..).zip(keys).map(|(nth, keys)| event(nth, keys)).collect())];
        Matching::new(&truth, &[]).attempts[0].connected
    };
    assert!(connected(&["journey:1", "journey:1"]));
    assert!(connected(&["code:2", "journey:1", "code:1 code:2", "code:1 journey:1"]));
    assert!(!connected(&["journey:1", "code:1"]));
    assert!(!connected(&["journey:1", "journey:1", ""]));
    assert!(!connected(&["code:1 trace:1", "code:2 trace:1", "flow:1 trace:1"]));
}
