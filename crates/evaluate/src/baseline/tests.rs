use authstitch_model::{Cause, EventName, Phase};
use expect_test::expect;

use super::cause_after;
use crate::testing::{attempt, card, journey, named, near, told};

#[test]
fn the_last_step_rule_is_this_table() {
    let steps = std::iter::once(None).chain(Phase::ALL.iter().copied().map(Some));
    let table: String = steps
        .map(|last| format!("{} → {}\n", last.map_or("nothing", Phase::code), cause_after(last)))
        .collect();
    expect![[r#"
        nothing → walked_away
        started → walked_away
        presented → scan_failed
        scanned → handoff_failed
        opened → walked_away
        proximity → no_credential
        prompted → confirmation_abandoned
        confirmed → result_lost
        verified → callback_lost
        returned → session_not_kept
        established → none
    "#]]
    .assert_eq(&table);
}

#[test]
fn the_last_step_rule_judges_by_what_the_journey_holds() {
    let scanned = |nth| vec![named(nth, EventName::QrScanned)];
    let truth = [
        attempt(0, Cause::HandoffFailed, scanned(0)),
        attempt(1, Cause::WrongApp, scanned(1)),
        attempt(2, Cause::HandoffFailed, scanned(2)),
    ];
    // The last attempt has no journey, and so is not found.
    let journeys = [0, 1].map(|nth| journey(nth, scanned(nth), &[(Cause::None, 1.0)]));
    assert!(near(card(&truth, &journeys).baselines.last_step_top1, 1.0 / 3.0));
}

#[test]
fn the_most_frequent_cause_is_taken_from_the_truth() {
    let said: &[(Cause, f64)] = &[(Cause::None, 1.0)];
    let cases = [(Cause::WalkedAway, said), (Cause::WalkedAway, said), (Cause::None, said)];
    let (truth, journeys) = told(&cases);
    assert!(near(card(&truth, &journeys).baselines.most_frequent_top1, 2.0 / 3.0));
    let unscored = [attempt(0, Cause::None, Vec::new())];
    assert_eq!(card(&unscored, &[]).baselines.most_frequent_top1, None);
}
