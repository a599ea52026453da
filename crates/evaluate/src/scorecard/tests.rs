use authstitch_model::line::{JourneyLine, SpanLine};
use authstitch_model::truth::TruthLine;
use authstitch_model::{Basis, Cause, EventName, Flow, Outcome, Phase, Side};
use expect_test::expect;
use serde_json::Value;

use crate::testing::{attempt, card, event, events, journey, named, near, phase, shares, told};

#[test]
fn the_json_has_these_keys_in_this_order() {
    let said: &[(Cause, f64)] = &[(Cause::ScanFailed, 0.75), (Cause::WalkedAway, 0.25)];
    let (mut truth, journeys) = told(&[(Cause::ScanFailed, said), (Cause::WalkedAway, said)]);
    for line in &mut truth {
        line.ideal = Some(shares(said));
    }
    let json = serde_json::to_string_pretty(&card(&truth, &journeys)).unwrap();
    expect![[r#"
        {
          "world": "tiny",
          "seed": 7,
          "attempts": 2,
          "journeys": 2,
          "spans": 2,
          "stitching": {
            "exact": 1.0,
            "exact_connected": 1.0,
            "pairwise_precision": null,
            "pairwise_recall": null,
            "pairwise_f1": null,
            "bcubed_f1": 1.0,
            "over_merged": 0,
            "over_split": 0,
            "weak_misjoined": null
          },
          "outcome_accuracy": 0.5,
          "cause_top1": 0.5,
          "cause_macro_f1": 0.3333333333333333,
          "credible_coverage": 1.0,
          "credible_coverage_randomised": 0.8,
          "credible_mass": 1.0,
          "credible_size": 2.0,
          "ece": 0.25,
          "brier": 0.625,
          "log_loss": 0.8369882167858358,
          "abandoned_called_technical": 0.5,
          "technical_called_abandoned": 0.0,
          "undetermined_share": 0.0,
          "honesty_violations": 0,
          "relay": {
            "precision": null,
            "recall": null,
            "false_alarms_per_100k": 0.0
          },
          "scored": 2,
          "no_session_seen": {
            "outcome_accuracy": 0.5,
            "cause_top1": 0.5,
            "cause_macro_f1": 0.3333333333333333,
            "credible_coverage": 1.0,
            "credible_coverage_randomised": 0.8,
            "credible_mass": 1.0,
            "credible_size": 2.0,
            "ece": 0.25,
            "brier": 0.625,
            "log_loss": 0.8369882167858358,
            "abandoned_called_technical": 0.5,
            "technical_called_abandoned": 0.0
          },
          "ideal": {
            "outcome_accuracy": 0.5,
            "cause_top1": 0.5,
            "cause_macro_f1": 0.3333333333333333,
            "credible_coverage": 1.0,
            "credible_coverage_randomised": 0.8,
            "credible_mass": 1.0,
            "credible_size": 2.0,
            "ece": 0.25,
            "brier": 0.625,
            "log_loss": 0.8369882167858358,
            "abandoned_called_technical": 0.5,
            "technical_called_abandoned": 0.0
          },
          "ideal_blind": null,
          "baselines": {
            "last_step_top1": 0.5,
            "most_frequent_top1": 0.5
          },
          "by_flow": {
            "app_qr": {
              "outcome_accuracy": 0.5,
              "cause_top1": 0.5,
              "cause_macro_f1": 0.3333333333333333,
              "credible_coverage": 1.0,
              "credible_coverage_randomised": 0.8,
              "credible_mass": 1.0,
              "credible_size": 2.0,
              "ece": 0.25,
              "brier": 0.625,
              "log_loss": 0.8369882167858358,
              "abandoned_called_technical": 0.5,
              "technical_called_abandoned": 0.0
            }
          },
          "by_segment": {
            "all": {
              "outcome_accuracy": 0.5,
              "cause_top1": 0.5,
              "cause_macro_f1": 0.3333333333333333,
              "credible_coverage": 1.0,
              "credible_coverage_randomised": 0.8,
              "credible_mass": 1.0,
              "credible_size": 2.0,
              "ece": 0.25,
              "brier": 0.625,
              "log_loss": 0.8369882167858358,
              "abandoned_called_technical": 0.5,
              "technical_called_abandoned": 0.0
            }
          },
          "populations": {
            "connected": 2,
            "weak_events": 0,
            "no_session_seen": 2,
            "by_flow": {
              "app_qr": 2
            },
            "by_segment": {
              "all": 2
            }
          },
          "standard_errors": {
            "exact": 0.0,
            "exact_connected": 0.0,
            "weak_misjoined": null,
            "outcome_accuracy": 0.5,
            "cause_top1": 0.5,
            "cause_macro_f1": null,
            "credible_coverage": 0.0,
            "credible_coverage_randomised": 0.19999999999999996,
            "credible_mass": 0.0,
            "credible_size": 0.0,
            "ece": null,
            "brier": 0.5,
            "log_loss": 0.5493061443340548,
            "abandoned_called_technical": 0.5,
            "technical_called_abandoned": 0.0,
            "undetermined_share": 0.0,
            "no_session_seen": {
              "outcome_accuracy": 0.5,
              "cause_top1": 0.5,
              "cause_macro_f1": null,
              "credible_coverage": 0.0,
              "credible_coverage_randomised": 0.19999999999999996,
              "credible_mass": 0.0,
              "credible_size": 0.0,
              "ece": null,
              "brier": 0.5,
              "log_loss": 0.5493061443340548,
              "abandoned_called_technical": 0.5,
              "technical_called_abandoned": 0.0
            },
            "ideal": {
              "outcome_accuracy": 0.5,
              "cause_top1": 0.5,
              "cause_macro_f1": null,
              "credible_coverage": 0.0,
              "credible_coverage_randomised": 0.19999999999999996,
              "credible_mass": 0.0,
              "credible_size": 0.0,
              "ece": null,
              "brier": 0.5,
              "log_loss": 0.5493061443340548,
              "abandoned_called_technical": 0.5,
              "technical_called_abandoned": 0.0
            },
            "ideal_blind": null,
            "baselines": {
              "last_step_top1": 0.5,
              "most_frequent_top1": 0.5
            }
          }
        }"#]]
    .assert_eq(&json);
}

#[test]
fn of_nothing_every_score_is_null() {
    let json = serde_json::to_value(card(&[], &[])).unwrap();
    for key in ["outcome_accuracy", "cause_top1", "ece", "undetermined_share", "ideal", "ideal_blind"] {
        assert_eq!(json[key], Value::Null, "{key}");
    }
    assert_eq!(json["stitching"]["exact"], Value::Null);
    assert_eq!(json["relay"]["false_alarms_per_100k"], Value::Null);
    assert_eq!(json["by_flow"], serde_json::json!({}));
}

#[test]
fn attempts_journeys_and_events_are_counted_and_only_strong_ones_scored() {
    let truth = [
        attempt(1, Cause::None, events(0..2)),
        attempt(2, Cause::None, vec![event(2, "session:1")]),
        attempt(3, Cause::None, Vec::new()),
    ];
    let stranger = journey(9, events(90..91), &[(Cause::None, 1.0)]);
    let card = card(&truth, &[journey(0, events(0..2), &[(Cause::None, 1.0)]), stranger]);
    assert_eq!((card.attempts, card.scored, card.journeys, card.spans), (3, 1, 2, 3));
    assert_eq!((card.populations.weak_events, card.populations.connected), (1, 1));
    assert!(near(card.scores.cause_top1, 1.0));
}

#[test]
fn whether_a_session_was_seen_is_told_by_the_journey_and_never_by_the_truth() {
    let session = |nth| vec![named(nth, EventName::SessionEstablished)];
    let on_the_phone = SpanLine { side: Side::Authenticator, ..named(3, EventName::SessionEstablished) };
    let truth = [
        attempt(0, Cause::None, session(0)),
        // It truly succeeded, and the event was not stitched to it.
        attempt(1, Cause::None, [session(1), events(10..12)].concat()),
        // No journey at all.
        attempt(2, Cause::None, session(2)),
        attempt(3, Cause::ScanFailed, vec![on_the_phone.clone()]),
    ];
    let journeys = [
        journey(0, session(0), &[(Cause::ScanFailed, 1.0)]),
        journey(1, events(10..12), &[(Cause::None, 1.0)]),
        journey(3, vec![on_the_phone], &[(Cause::ScanFailed, 1.0)]),
    ];
    let card = card(&truth, &journeys);
    assert_eq!(card.populations.no_session_seen, 3);
    assert!(near(card.no_session_seen.cause_top1, 2.0 / 3.0));
    assert!(near(card.scores.cause_top1, 0.5));
}

#[test]
fn undetermined_is_the_share_of_attempts_whose_journey_displays_no_outcome() {
    let said: &[(Cause, f64)] = &[(Cause::None, 1.0)];
    let (mut truth, mut journeys) = told(&[(Cause::None, said), (Cause::None, said), (Cause::None, said)]);
    truth.push(attempt(9, Cause::None, events(9..10)));
    journeys[0].outcome = Outcome::Undetermined;
    assert!(near(card(&truth, &journeys).undetermined_share, 0.25));
}

#[test]
fn honesty_violations_are_counted_over_all_journeys() {
    let claim =
        || vec![phase(Phase::Proximity, Basis::Implied, &[]), phase(Phase::Scanned, Basis::Implied, &[])];
    let dishonest = |nth| JourneyLine {
        flow: Flow::PasskeyCda,
        phases: claim(),
        ..journey(nth, Vec::new(), &[(Cause::None, 1.0)])
    };
    assert_eq!(card(&[], &[dishonest(0), dishonest(1)]).honesty_violations, 4);
}

#[test]
fn relays_are_scored_by_precision_recall_and_false_alarms() {
    let said: &[(Cause, f64)] = &[(Cause::None, 1.0)];
    let (mut truth, mut journeys) = told(&[(Cause::None, said); 10]);
    truth[..4].iter_mut().for_each(|line| line.relayed = true);
    for nth in [0, 1, 2, 7] {
        journeys[nth].relay_suspected = true;
    }
    let relay = card(&truth, &journeys).relay;
    assert!(near(relay.precision, 0.75) && near(relay.recall, 0.75));
    assert!(near(relay.false_alarms_per_100k, 100_000.0 / 6.0));
}

#[test]
fn an_ideal_is_scored_only_where_every_scored_attempt_has_one() {
    let said: &[(Cause, f64)] = &[(Cause::WalkedAway, 1.0)];
    let (mut truth, journeys) = told(&[(Cause::None, said), (Cause::ScanFailed, said)]);
    let posterior: &[(Cause, f64)] = &[(Cause::None, 0.6), (Cause::ScanFailed, 0.4)];
    truth[0].ideal_blind = Some(shares(posterior));
    assert_eq!(card(&truth, &journeys).ideal_blind, None);
    truth[1].ideal_blind = Some(shares(posterior));
    // An attempt that is not scored needs none.
    truth.push(attempt(9, Cause::None, Vec::new()));
    let card = card(&truth, &journeys);
    let blind = card.ideal_blind.unwrap();
    assert!(near(blind.cause_top1, 0.5) && near(blind.outcome_accuracy, 0.5));
    assert!(near(blind.credible_size, 2.0));
    assert_eq!(card.ideal, None);
}

#[test]
fn an_ideals_set_is_the_smallest_with_nine_tenths_and_its_outcomes_are_sums() {
    let (mut truth, journeys) = told(&[(Cause::WalkedAway, &[(Cause::None, 1.0)])]);
    truth[0].ideal = Some(shares(&[
        (Cause::ScanFailed, 0.3),
        (Cause::WalkedAway, 0.35),
        (Cause::SwitchedMethod, 0.3),
        (Cause::None, 0.05),
    ]));
    let ideal = card(&truth, &journeys).ideal.unwrap();
    assert!(near(ideal.outcome_accuracy, 1.0) && near(ideal.credible_size, 3.0));
}

#[test]
fn flows_are_those_of_the_attempts() {
    let said: &[(Cause, f64)] = &[(Cause::None, 1.0)];
    let (mut truth, journeys) = told(&[(Cause::None, said), (Cause::None, said), (Cause::ScanFailed, said)]);
    truth[0] = TruthLine { flow: Flow::MagicLink, ..truth[0].clone() };
    let card = card(&truth, &journeys);
    assert_eq!(card.by_flow.keys().copied().collect::<Vec<_>>(), [Flow::AppQr, Flow::MagicLink]);
    assert!(near(card.by_flow[&Flow::MagicLink].cause_top1, 1.0));
    assert!(near(card.by_flow[&Flow::AppQr].cause_top1, 0.5));
    assert_eq!(card.populations.by_flow[&Flow::AppQr], 2);
}
