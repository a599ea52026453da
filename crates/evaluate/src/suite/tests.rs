//! What a suite shows.

use authstitch_model::Cause::{None as Succeeded, ScanFailed, WalkedAway};
use expect_test::expect;

use super::{Member, Suite};
use crate::testing::{near, shares, told};
use crate::{Assessment, Meta, pooled};

fn member(name: &str, right: usize, share: Option<f64>) -> Member {
    let mut cases: Vec<(_, &[_])> = vec![(ScanFailed, &[(ScanFailed, 1.0)]); right];
    cases.extend([(ScanFailed, &[(WalkedAway, 0.75), (ScanFailed, 0.25)] as &[_]); 10]);
    let (mut truth, journeys) = told(&cases);
    for line in &mut truth {
        line.ideal_blind = Some(shares(&[(ScanFailed, 0.6), (Succeeded, 0.4)]));
    }
    Member {
        assessment: Assessment::new(Meta { world: name.into(), seed: Some(1) }, &truth, &journeys),
        share,
    }
}

fn suite() -> Suite {
    Suite::new(vec![
        member("strange", 10, None),
        member("first", 30, Some(0.75)),
        member("second", 90, Some(0.25)),
    ])
}

#[test]
fn worlds_of_the_mixture_come_first_then_all_of_them_then_those_outside() {
    expect![[r#"
        Worlds                        Outcomes
                                           scored        right     of blind        ideal
          first                                40  75.0 ±6.9 %       75.0 %            –
          second                              100  90.0 ±3.0 %       90.0 %            –
          the mixture together                140  78.7 ±5.2 %       78.7 %            –
          outside the mixture
          strange                              20 50.0 ±11.5 %       50.0 %            –

        Worlds                        Causes
                                            right     of blind        ideal
          first                       75.0 ±6.9 %       75.0 %            –
          second                      90.0 ±3.0 %       90.0 %            –
          the mixture together        78.7 ±5.2 %       78.7 %            –
          outside the mixture
          strange                    50.0 ±11.5 %       50.0 %            –

        Worlds                        Credible sets
                                       randomised        plain         mass       causes
          first                       82.5 ±2.1 %      100.0 %      100.0 % 1.250 ±0.069
          second                      87.0 ±0.9 %      100.0 %      100.0 % 1.100 ±0.030
          the mixture together        83.6 ±1.6 %      100.0 %      100.0 % 1.212 ±0.052
          outside the mixture
          strange                     75.0 ±3.4 %      100.0 %      100.0 % 1.500 ±0.115

        Worlds                        Calibration, confusion
                                            error   left→tech.   tech.→left
          first                             0.188   0.0 ±0.0 %  25.0 ±6.9 %
          second                            0.075   0.0 ±0.0 %  10.0 ±3.0 %
          the mixture together              0.159   0.0 ±0.0 %  21.3 ±5.2 %
          outside the mixture
          strange                           0.375   0.0 ±0.0 % 50.0 ±11.5 %

        Worlds                        Beside ideal, blind
                                         set size     confused     by blind
          first                            62.5 %       25.0 %        0.0 %
          second                           55.0 %       10.0 %        0.0 %
          the mixture together             60.6 %       21.3 %        0.0 %
          outside the mixture
          strange                          75.0 %       50.0 %        0.0 %

        Worlds                        Stitching, honesty
                                            exact   two in one   overclaims
          first                      100.0 ±0.0 %            0            0
          second                     100.0 ±0.0 %            0            0
          the mixture together       100.0 ±0.0 %            0            0
          outside the mixture
          strange                    100.0 ±0.0 %            0            0

        Worlds                        Causes by rule
                                        last step    commonest
          first                      100.0 ±0.0 % 100.0 ±0.0 %
          second                     100.0 ±0.0 % 100.0 ±0.0 %
          the mixture together       100.0 ±0.0 % 100.0 ±0.0 %
          outside the mixture
          strange                    100.0 ±0.0 % 100.0 ±0.0 %
    "#]]
    .assert_eq(&suite().to_text(80, false));
}

#[test]
fn a_wide_page_shows_the_whole_table_at_once() {
    let text = suite().to_text(400, false);
    assert_eq!(text.lines().count(), 7, "{text}");
    let narrow = suite().to_text(80, false);
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
}

#[test]
fn the_json_holds_the_pool_and_every_world_under_its_name() {
    let suite = suite();
    let json = serde_json::to_value(&suite).unwrap();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["pooled", "worlds"]);
    let worlds = json["worlds"].as_object().unwrap();
    let placed: Vec<_> = worlds.iter().map(|(name, card)| (name.as_str(), &card["in_mixture"])).collect();
    assert_eq!(placed, [("first", &true.into()), ("second", &true.into()), ("strange", &false.into())]);
    assert_eq!(worlds["first"]["world"], "first");
    assert_eq!(worlds["first"]["cause_top1"], 0.75);
    // What lies outside the mixture has no part in the pool.
    let expected = pooled(&suite.mixture());
    assert_eq!(json["pooled"], serde_json::to_value(&expected).unwrap());
    assert!(near(expected.scores.cause_top1, 0.75 * 0.75 + 0.25 * 0.9));
}
