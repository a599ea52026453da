//! Worlds scored together.

use authstitch_model::Cause::{self, CallbackLost, None as Succeeded, ScanFailed, WalkedAway};

use super::{Assessment, pooled};
use crate::testing::{attempt, card, event, events, journey, near, shares, told};
use crate::{Meta, Scorecard};

type Said<'a> = (Cause, &'a [(Cause, f64)]);

fn world(name: &str, cases: &[Said<'_>]) -> Assessment {
    let (mut truth, journeys) = told(cases);
    for line in &mut truth {
        line.ideal_blind = Some(shares(&[(Succeeded, 1.0)]));
    }
    Assessment::new(Meta { world: name.into(), seed: Some(7) }, &truth, &journeys)
}

const RIGHT: Said<'_> = (ScanFailed, &[(ScanFailed, 1.0)]);
const WRONG: Said<'_> = (ScanFailed, &[(WalkedAway, 1.0)]);

#[test]
fn a_world_weighs_its_share_however_many_attempts_it_made() {
    let (small, large) = (world("small", &[RIGHT; 10]), world("large", &[WRONG; 90]));
    let card = pooled(&[(0.75, &small), (0.25, &large)]);
    assert!(near(card.scores.cause_top1, 0.75) && near(card.scores.outcome_accuracy, 0.75));
    assert!(near(card.scores.technical_called_abandoned, 0.25));
    assert_eq!((card.world.as_str(), card.seed), ("pooled", Some(7)));
    assert_eq!((card.attempts, card.scored, card.journeys), (100, 100, 100));
}

#[test]
fn an_attempt_that_left_nothing_takes_its_part_of_its_worlds_share() {
    // Half of the first world's attempts are not scored, so it is a third of what is.
    let (mut truth, journeys) = told(&[RIGHT; 10]);
    truth.extend((10..20).map(|number| attempt(number, Succeeded, Vec::new())));
    let thin = Assessment::new(Meta::default(), &truth, &journeys);
    let card = pooled(&[(0.5, &thin), (0.5, &world("whole", &[WRONG; 10]))]);
    assert!(near(card.scores.cause_top1, 1.0 / 3.0));
}

#[test]
fn one_world_pooled_is_that_world() {
    let alone = world("alone", &[RIGHT, WRONG, (CallbackLost, &[(CallbackLost, 0.6), (WalkedAway, 0.4)])]);
    let expected = Scorecard { world: "pooled".into(), ..alone.scorecard() };
    let pooled = serde_json::to_value(pooled(&[(0.5, &alone)])).unwrap();
    assert_alike(&pooled, &serde_json::to_value(expected).unwrap());
}

#[test]
fn a_world_taken_twice_at_half_the_share_is_that_world_with_half_the_variance() {
    let cases: Vec<_> = (0..200).map(|nth| if nth % 4 == 0 { WRONG } else { RIGHT }).collect();
    let world = world("twice", &cases);
    let (once, twice) = (pooled(&[(1.0, &world)]), pooled(&[(0.5, &world), (0.5, &world)]));
    assert!(near(twice.scores.cause_top1, once.scores.cause_top1.unwrap()));
    assert!(near(twice.scores.ece, once.scores.ece.unwrap()));
    let error = |card: &Scorecard| card.standard_errors.scores.cause_top1;
    assert!(near(error(&once), f64::sqrt(0.25 * 0.75 / 199.0)));
    assert!(near(error(&twice), f64::sqrt(0.25 * 0.75 / 399.0)));
}

#[test]
fn the_calibration_error_weighs_its_bins_as_the_mixture_does() {
    // One world says 0.75 and is always right, one says 0.9 and is right half the time.
    let unsure: Said<'_> = (ScanFailed, &[(ScanFailed, 0.75), (WalkedAway, 0.25)]);
    let sure: &[(Cause, f64)] = &[(ScanFailed, 0.9), (WalkedAway, 0.1)];
    let first = world("first", &[unsure; 50]);
    let second = world("second", &[[(ScanFailed, sure); 5], [(WalkedAway, sure); 5]].concat());
    let card = pooled(&[(0.2, &first), (0.8, &second)]);
    assert!(near(card.scores.ece, 0.2 * 0.25 + 0.8 * 0.4), "{:?}", card.scores.ece);
}

#[test]
fn baselines_and_ceilings_are_taken_over_the_mixture() {
    let abandoned: Said<'_> = (WalkedAway, &[(WalkedAway, 1.0)]);
    let (failed, left) = (world("failed", &[RIGHT; 90]), world("left", &[abandoned; 10]));
    // The commonest cause is the one with the most mass, not with the most attempts.
    let card = pooled(&[(0.4, &failed), (0.6, &left)]);
    assert!(near(card.baselines.most_frequent_top1, 0.6));
    assert!(near(card.ideal_blind.unwrap().cause_top1, 0.0));
    assert_eq!(card.ideal, None);
}

#[test]
fn stitching_is_weighed_by_attempts_and_wrong_merges_are_counted() {
    let attempts = |spans: [Vec<_>; 2]| -> Vec<_> {
        (0..).zip(spans).map(|(nth, spans)| attempt(nth, Succeeded, spans)).collect()
    };
    let truth = attempts([events(0..2), events(2..4)]);
    let certain: &[(Cause, f64)] = &[(Succeeded, 1.0)];
    let merged = Assessment::new(Meta::default(), &truth, &[journey(0, events(0..4), certain)]);
    let exact = Assessment::new(
        Meta::default(),
        &truth,
        &[journey(0, events(0..2), certain), journey(1, events(2..4), certain)],
    );
    let card = pooled(&[(0.5, &merged), (0.5, &exact), (0.0, &merged)]);
    assert!(near(card.stitching.exact, 0.5) && near(card.stitching.exact_connected, 0.5));
    // Of 6 pairs in journeys 2 are right in the first world, of 2 both in the second.
    assert!(near(card.stitching.pairwise_precision, 4.0 / 8.0));
    assert_eq!(card.stitching.over_merged, 2);
    let weak = attempts([vec![event(0, "journey:1"), event(1, "")], events(2..4)]);
    let strayed = [journey(0, vec![event(0, "")], certain), journey(1, events(1..4), certain)];
    let strayed = Assessment::new(Meta::default(), &weak, &strayed);
    assert!(near(pooled(&[(1.0, &strayed), (1.0, &exact)]).stitching.weak_misjoined, 1.0));
}

#[test]
fn segments_are_told_apart_and_by_world_where_several_are_pooled() {
    let (mut truth, journeys) = told(&[RIGHT, WRONG, WRONG]);
    truth[0].segment = "android".into();
    let alone = card(&truth, &journeys);
    assert_eq!(alone.by_segment.keys().collect::<Vec<_>>(), ["all", "android"]);
    assert!(
        near(alone.by_segment["android"].cause_top1, 1.0) && near(alone.by_segment["all"].cause_top1, 0.0)
    );
    assert_eq!(alone.populations.by_segment["all"], 2);
    let pooled = pooled(&[(0.5, &world("a", &[RIGHT])), (0.5, &world("b", &[WRONG]))]);
    assert_eq!(pooled.by_segment.keys().collect::<Vec<_>>(), ["a/all", "b/all"]);
}

/// Equal but for rounding.
fn assert_alike(found: &serde_json::Value, expected: &serde_json::Value) {
    match (found.as_object(), expected.as_object()) {
        (Some(found), Some(expected)) => {
            assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
            found.iter().for_each(|(key, value)| assert_alike(value, &expected[key]));
        }
        _ => match (found.as_f64(), expected.as_f64()) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-9, "{found} {expected}"),
            _ => assert_eq!(found, expected),
        },
    }
}
