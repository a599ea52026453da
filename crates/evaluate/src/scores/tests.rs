use authstitch_model::Cause::{
    self, CallbackLost, Cancelled, None as Succeeded, ProximityFailed, ScanFailed, WalkedAway,
};
use proptest::prelude::*;

use super::Scores;
use crate::testing::{attempt, card, events, journey, near, shares, told};
use crate::{Scorecard, caps};

fn scored(cases: &[(Cause, &[(Cause, f64)])]) -> Scorecard {
    let (truth, journeys) = told(cases);
    card(&truth, &journeys)
}

#[test]
fn a_perfect_classifier_scores_one_and_errs_nowhere() {
    let causes: Vec<_> = Cause::ALL.iter().map(|cause| (*cause, [(*cause, 1.0)])).collect();
    let cases: Vec<_> = causes.iter().map(|(cause, said)| (*cause, said.as_slice())).collect();
    let expected = Scores {
        outcome_accuracy: Some(1.0),
        cause_top1: Some(1.0),
        cause_macro_f1: Some(1.0),
        credible_coverage: Some(1.0),
        // Certain sets hold a tenth more than they need.
        credible_coverage_randomised: Some(0.9),
        credible_mass: Some(1.0),
        credible_size: Some(1.0),
        ece: Some(0.0),
        brier: Some(0.0),
        log_loss: Some(0.0),
        abandoned_called_technical: Some(0.0),
        technical_called_abandoned: Some(0.0),
    };
    let found = scored(&cases).scores;
    assert!(near(found.credible_coverage_randomised, 0.9));
    assert_eq!(Scores { credible_coverage_randomised: Some(0.9), ..found }, expected);
}

#[test]
fn outcome_and_cause_are_forced_to_the_likeliest_and_abstaining_earns_nothing() {
    let card = scored(&[
        // No cause reaches one half, and the likeliest is the right one.
        (ScanFailed, &[(ScanFailed, 0.4), (WalkedAway, 0.35), (Cancelled, 0.25)]),
        // The likeliest cause is wrong, and the outcomes still sum up to the right one.
        (CallbackLost, &[(WalkedAway, 0.4), (ScanFailed, 0.3), (CallbackLost, 0.3)]),
    ]);
    assert!(near(card.scores.outcome_accuracy, 1.0));
    assert!(near(card.scores.cause_top1, 0.5));
}

#[test]
fn a_line_without_outcomes_means_the_sums_of_its_causes() {
    let said: &[(Cause, f64)] = &[(WalkedAway, 0.4), (ScanFailed, 0.3), (CallbackLost, 0.3)];
    let (truth, mut journeys) = told(&[(ScanFailed, said)]);
    journeys[0].outcomes.clear();
    assert!(near(card(&truth, &journeys).scores.outcome_accuracy, 1.0));
}

#[test]
fn macro_f1_weighs_every_true_cause_alike() {
    let card = scored(&[
        (Succeeded, &[(Succeeded, 1.0)]),
        (Succeeded, &[(Succeeded, 1.0)]),
        (Succeeded, &[(ScanFailed, 1.0)]),
        (ScanFailed, &[(ScanFailed, 1.0)]),
        (WalkedAway, &[(CallbackLost, 1.0)]),
    ]);
    // Success 4/5, scan 2/3, walked away 0; the lost callback never truly occurs.
    assert!(near(card.scores.cause_macro_f1, (0.8 + 2.0 / 3.0) / 3.0));
}

#[test]
fn plain_coverage_asks_whether_the_set_holds_the_cause() {
    let said: &[(Cause, f64)] = &[(ScanFailed, 0.6), (WalkedAway, 0.35), (Cancelled, 0.05)];
    let card = scored(&[(ScanFailed, said), (WalkedAway, said), (Cancelled, said), (Succeeded, said)]);
    assert!(near(card.scores.credible_coverage, 0.5));
    assert!(near(card.scores.credible_size, 2.0));
}

#[test]
fn randomised_coverage_counts_the_last_admitted_cause_as_far_as_it_was_needed() {
    let said: &[(Cause, f64)] = &[(ScanFailed, 0.8), (WalkedAway, 0.2)];
    // The set needed 0.1 of the last one's 0.2.
    assert!(near(scored(&[(WalkedAway, said)]).scores.credible_coverage_randomised, 0.5));
    assert!(near(scored(&[(ScanFailed, said)]).scores.credible_coverage_randomised, 1.0));
    assert!(near(scored(&[(Cancelled, said)]).scores.credible_coverage_randomised, 0.0));
}

#[test]
fn the_calibration_error_is_how_far_confidence_lies_from_being_right() {
    let said: &[(Cause, f64)] = &[(ScanFailed, 0.75), (WalkedAway, 0.25)];
    let right_half_the_time =
        [(ScanFailed, said), (ScanFailed, said), (WalkedAway, said), (WalkedAway, said)];
    assert!(near(scored(&right_half_the_time).scores.ece, 0.25));
    let calibrated = [(ScanFailed, said), (ScanFailed, said), (ScanFailed, said), (WalkedAway, said)];
    assert!(near(scored(&calibrated).scores.ece, 0.0));
}

#[test]
fn calibration_is_told_bin_by_bin() {
    // Half says 0.9 and is right half the time, half says 0.5 and is always right: the errors do not cancel.
    let (sure, unsure): (&[_], &[_]) =
        (&[(ScanFailed, 0.9), (WalkedAway, 0.1)], &[(ScanFailed, 0.5), (WalkedAway, 0.5)]);
    let mut cases = vec![(ScanFailed, unsure); 10];
    cases.extend([[(ScanFailed, sure); 5], [(WalkedAway, sure); 5]].concat());
    assert!(near(scored(&cases).scores.ece, 0.5 * 0.4 + 0.5 * 0.5));
}

#[test]
fn the_brier_score_is_taken_over_all_causes() {
    let said: &[(Cause, f64)] = &[(ScanFailed, 0.5), (WalkedAway, 0.3), (Cancelled, 0.2)];
    assert!(near(scored(&[(WalkedAway, said)]).scores.brier, 0.25 + 0.49 + 0.04));
}

#[test]
fn the_log_loss_is_in_nats_and_bounded() {
    let said: &[(Cause, f64)] = &[(ScanFailed, 0.5), (WalkedAway, 0.5)];
    assert!(near(scored(&[(ScanFailed, said)]).scores.log_loss, std::f64::consts::LN_2));
    assert!(near(scored(&[(Cancelled, said)]).scores.log_loss, -(1e-6_f64.ln())));
}

#[test]
fn confusions_are_shares_of_all_attempts() {
    let card = scored(&[
        (WalkedAway, &[(ScanFailed, 1.0)]),
        (ScanFailed, &[(WalkedAway, 1.0)]),
        (CallbackLost, &[(WalkedAway, 1.0)]),
        // Wrong within its outcome is no confusion, nor is a refusal.
        (CallbackLost, &[(ScanFailed, 1.0)]),
        (Cancelled, &[(ScanFailed, 1.0)]),
    ]);
    assert!(near(card.scores.abandoned_called_technical, 0.2));
    assert!(near(card.scores.technical_called_abandoned, 0.4));
}

#[test]
fn an_attempt_without_a_journey_is_wrong_everywhere() {
    let truth = [attempt(1, ScanFailed, events(0..1))];
    let scores = card(&truth, &[]).scores;
    assert_eq!(scores.outcome_accuracy, Some(0.0));
    assert_eq!(scores.cause_top1, Some(0.0));
    assert_eq!(scores.cause_macro_f1, Some(0.0));
    assert_eq!(scores.credible_coverage, Some(0.0));
    assert_eq!(scores.credible_coverage_randomised, Some(0.0));
    assert_eq!(scores.brier, Some(caps::WORST_BRIER));
    assert!(near(scores.log_loss, -(1e-6_f64.ln())));
    // Nothing was said, so there is no set and no confidence to judge.
    assert_eq!((scores.credible_size, scores.ece), (None, None));
}

#[test]
fn standard_errors_are_those_of_independent_attempts() {
    let (right, wrong): (&[_], &[_]) = (&[(ScanFailed, 1.0)], &[(WalkedAway, 1.0)]);
    let mut cases = vec![(ScanFailed, right); 75];
    cases.extend([(ScanFailed, wrong); 25]);
    let card = scored(&cases);
    assert!(near(card.scores.cause_top1, 0.75));
    assert!(near(card.standard_errors.scores.cause_top1, f64::sqrt(0.75 * 0.25 / 99.0)));
}

/// A stream of numbers that look random, the same each time.
struct Chance(u64);

impl Chance {
    /// The next one, from 0 up to 1 (the mixer of splitmix64).
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[test]
fn a_calibrated_observer_covers_nine_tenths_and_has_hardly_a_calibration_error() {
    const CAUSES: [Cause; 4] = [Succeeded, ScanFailed, ProximityFailed, WalkedAway];
    let mut chance = Chance(7);
    let (mut truth, mut journeys) = (Vec::new(), Vec::new());
    for nth in 0..20_000 {
        // A posterior, sharp or flat, and a truth drawn from it.
        let mut said = CAUSES.map(|cause| (cause, chance.next().powi(4)));
        let sum: f64 = said.iter().map(|(_, share)| share).sum();
        said.iter_mut().for_each(|(_, share)| *share /= sum);
        said.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut drawn = chance.next();
        let cause = said.iter().find(|(_, share)| {
            drawn -= share;
            drawn < 0.0
        });
        let cause = cause.map_or(said[3].0, |(cause, _)| *cause);
        let mut line = attempt(nth, cause, events(nth..nth + 1));
        line.ideal = Some(shares(&said));
        truth.push(line);
        journeys.push(journey(nth, events(nth..nth + 1), &said));
    }
    let card = card(&truth, &journeys);
    let randomised = card.scores.credible_coverage_randomised.unwrap();
    assert!((randomised - 0.9).abs() < 0.01, "{randomised}");
    assert!(card.scores.ece.unwrap() < 0.015, "{:?}", card.scores.ece);
    assert!(card.scores.credible_coverage.unwrap() > 0.93);
    // The same posterior as truth's ideal observer gets the same scores.
    let ideal = card.ideal.unwrap();
    assert_eq!(ideal.log_loss, card.scores.log_loss);
    assert!(near(card.scores.credible_coverage_randomised, ideal.credible_coverage_randomised.unwrap()));
}

fn any_cause() -> impl Strategy<Value = Cause> {
    prop::sample::select(Cause::ALL)
}

fn any_said() -> impl Strategy<Value = Vec<(Cause, f64)>> {
    prop::collection::vec((any_cause(), prop_oneof![Just(0.0), Just(1.0), 0.0..1.5]), 0..6)
}

proptest! {
    #[test]
    fn shares_lie_between_zero_and_one_and_nothing_is_nan(
        cases in prop::collection::vec((any_cause(), any_said(), any::<bool>()), 0..12),
        merged in 0_usize..4,
    ) {
        let truth: Vec<_> = (0..).zip(&cases)
            .map(|(nth, (cause, said, _))| {
                let mut line = attempt(nth, *cause, events(nth * 2..nth * 2 + 2));
                line.ideal_blind = Some(shares(said));
                line
            })
            .collect();
        let journeys: Vec<_> = (0..).zip(&cases)
            .filter(|(_, (_, _, stitched))| *stitched)
            .map(|(nth, (_, said, _))| journey(nth, events(nth * 2..nth * 2 + 1 + merged as u64), said))
            .collect();
        let card = card(&truth, &journeys);
        let json = serde_json::to_value(&card).unwrap();
        let unbounded =
            ["credible_size", "brier", "log_loss", "over_merged", "over_split", "false_alarms_per_100k"];
        for part in ["stitching", "no_session_seen", "ideal_blind", "baselines", "relay"] {
            for (key, value) in json[part].as_object().into_iter().flatten() {
                let bounded = unbounded.contains(&key.as_str())
                    || value.as_f64().is_none_or(|share| (0.0..=1.0).contains(&share));
                prop_assert!(bounded, "{part}.{key} = {value}");
            }
        }
        // JSON writes NaN and infinity as null, so they are looked for in the scores themselves.
        let numbers = [card.scores, card.no_session_seen, card.standard_errors.scores];
        for number in numbers.iter().flat_map(all_of).flatten() {
            prop_assert!(number.is_finite());
        }
        prop_assert!(card.scores.brier.is_none_or(|brier| (0.0..=2.0).contains(&brier)));
        prop_assert!(card.scores.log_loss.is_none_or(|loss| (0.0..=13.9).contains(&loss)));
        prop_assert!(card.to_text(80, false).lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn the_order_of_the_lines_changes_nothing(
        cases in prop::collection::vec((any_cause(), any_said()), 1..8),
        turn in 0_usize..8,
    ) {
        let borrowed: Vec<_> = cases.iter().map(|(cause, said)| (*cause, said.as_slice())).collect();
        let (mut truth, mut journeys) = told(&borrowed);
        let before = card(&truth, &journeys);
        truth.rotate_left(turn % cases.len());
        journeys.reverse();
        prop_assert_eq!(card(&truth, &journeys), before);
    }
}

fn all_of(scores: &Scores) -> Vec<Option<f64>> {
    let all = std::cell::RefCell::new(Vec::new());
    let _ = scores.map(|score| all.borrow_mut().push(*score));
    all.into_inner()
}
