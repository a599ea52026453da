use authstitch_model::Cause;
use authstitch_model::line::{JourneyLine, SpanLine};
use authstitch_model::truth::TruthLine;

use super::Stitching;
use crate::testing::{attempt, card, event, events, journey, near};

fn scores(attempts: Vec<Vec<SpanLine>>, journeys: Vec<Vec<SpanLine>>) -> Stitching {
    let truth: Vec<TruthLine> =
        (0..).zip(attempts).map(|(nth, spans)| attempt(nth, Cause::None, spans)).collect();
    let journeys: Vec<JourneyLine> =
        (0..).zip(journeys).map(|(nth, spans)| journey(nth, spans, &[(Cause::None, 1.0)])).collect();
    card(&truth, &journeys).stitching
}

#[test]
fn faultless_stitching_scores_one_throughout() {
    let attempts = vec![events(0..3), events(3..5)];
    let expected = Stitching {
        exact: Some(1.0),
        exact_connected: Some(1.0),
        pairwise_precision: Some(1.0),
        pairwise_recall: Some(1.0),
        pairwise_f1: Some(1.0),
        bcubed_f1: Some(1.0),
        over_merged: 0,
        over_split: 0,
        weak_misjoined: None,
    };
    assert_eq!(scores(attempts.clone(), attempts), expected);
}

#[test]
fn exact_is_the_share_of_journeys_that_hold_all_events_and_no_other() {
    let attempts = vec![events(0..2), events(2..4), events(4..6), events(6..8)];
    // The first lacks an event, the second has a stranger's, the third has none, the fourth is exact.
    let journeys = vec![events(0..1), [events(2..4), events(90..91)].concat(), events(6..8)];
    assert!(near(scores(attempts, journeys).exact, 0.25));
}

#[test]
fn exact_connected_leaves_out_attempts_that_keys_do_not_connect() {
    let loose = vec![event(0, "journey:1"), event(1, "")];
    let attempts = vec![loose, events(2..4)];
    let scores = scores(attempts, vec![vec![event(0, "journey:1")], events(2..4)]);
    assert!(near(scores.exact, 0.5) && near(scores.exact_connected, 1.0));
}

#[test]
fn pairs_count_against_their_journey_and_against_their_attempt() {
    // Two attempts of three; one journey holds three of the first and one of the second.
    let scores = scores(vec![events(0..3), events(3..6)], vec![events(0..4), events(4..6)]);
    // In journeys 6 + 1 pairs, of attempts 3 + 3; of both 3 + 1.
    assert!(near(scores.pairwise_precision, 4.0 / 7.0));
    assert!(near(scores.pairwise_recall, 4.0 / 6.0));
    assert!(near(scores.pairwise_f1, 8.0 / 13.0));
}

#[test]
fn b_cubed_averages_over_events_and_an_event_in_no_journey_stands_alone() {
    // Of four events two are together, one is in a journey of its own, one is in none.
    let scores = scores(vec![events(0..4)], vec![events(0..2), events(2..3)]);
    // Precision 1; recall (2 × 1/2 + 1/4 + 1/4) / 4.
    assert!(near(scores.bcubed_f1, 2.0 * 0.375 / 1.375));
}

#[test]
fn over_merged_counts_journeys_with_strong_keys_of_two_attempts() {
    let weak = vec![event(4, ""), event(5, "journey:1")];
    let attempts = vec![events(0..2), events(2..4), weak.clone()];
    let merged = scores(attempts.clone(), vec![events(0..4), weak]);
    assert_eq!(merged.over_merged, 1);
    // A stray weak event is no merge.
    let strayed = scores(attempts, vec![[events(0..2), vec![event(4, "")]].concat(), events(2..4)]);
    assert_eq!(strayed.over_merged, 0);
}

#[test]
fn over_split_counts_attempts_with_strong_keys_in_two_journeys() {
    let attempts = vec![vec![event(0, "code:1"), event(1, "code:1"), event(2, "")], events(3..5)];
    let split =
        scores(attempts.clone(), vec![vec![event(0, "")], vec![event(1, ""), event(2, "")], events(3..5)]);
    assert_eq!(split.over_split, 1);
    let strayed = scores(attempts, vec![vec![event(0, ""), event(1, "")], vec![event(2, "")], events(3..5)]);
    assert_eq!(strayed.over_split, 0);
}

#[test]
fn a_weak_event_is_misjoined_in_anothers_journey_and_not_if_it_joined_none() {
    let first = vec![event(0, "journey:1"), event(1, "session:1"), event(2, ""), event(3, "flow:1")];
    let second = vec![event(4, "journey:1"), event(5, "journey:1"), event(6, "trace:1"), event(7, "")];
    // Of four weak events one is lost to another's journey, one to no journey; the container's is not weak.
    let journeys = vec![
        vec![event(0, "")],
        vec![event(4, ""), event(5, ""), event(6, ""), event(7, ""), event(1, ""), event(3, "")],
    ];
    assert!(near(scores(vec![first, second], journeys).weak_misjoined, 0.25));
}
