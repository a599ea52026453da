use authstitch_model::Cause;
use expect_test::expect;

use super::visible;
use crate::Scorecard;
use crate::testing::{card, shares, told};

/// A world with every table filled: 1,200 attempts, five of six judged rightly.
fn sample() -> Scorecard {
    let (right, wrong): (&[_], &[_]) =
        (&[(Cause::ScanFailed, 0.75), (Cause::WalkedAway, 0.25)], &[(Cause::WalkedAway, 1.0)]);
    let mut cases = vec![(Cause::ScanFailed, right); 1000];
    cases.extend([(Cause::ScanFailed, wrong); 200]);
    let (mut truth, journeys) = told(&cases);
    for line in &mut truth {
        line.ideal = Some(shares(right));
        line.ideal_blind = Some(shares(right));
        line.relayed = line.attempt % 100 == 0;
    }
    card(&truth, &journeys)
}

#[test]
fn at_eighty_columns_it_looks_like_this() {
    expect![[r#"
        Scorecard of tiny, seed 7
          1,200 attempts, 1,200 of them scored; 1,200 journeys; 1,200 events

        Verdicts                                 all           ±  no session ideal blind
          outcome right                       83.3 %       1.1 %      83.3 %     100.0 %
          cause right                         83.3 %       1.1 %      83.3 %     100.0 %
          F1 by cause, averaged               90.9 %                  90.9 %     100.0 %
          abandoned, called technical          0.0 %       0.0 %       0.0 %       0.0 %
          technical, called abandoned         16.7 %       1.1 %      16.7 %       0.0 %
          credible set holds the cause        83.3 %       1.1 %      83.3 %     100.0 %
          randomised: 90 % if calibrated      83.3 %       1.1 %      83.3 %     100.0 %
          mass of the credible set           100.0 %       0.0 %     100.0 %     100.0 %
          causes in the credible set           1.833       0.011       1.833       2.000
          calibration error                    0.375                   0.375       0.250
          Brier score, 0 to 2                  0.438       0.020       0.438       0.125
          log loss, nats                       2.542       0.146       2.542       0.288
          no outcome displayed                 0.0 %       0.0 %
          phases that claim too much               0

        Flows                               attempts     outcome       cause
          app_qr                               1,200      83.3 %      83.3 %

        Stitching                                all           ±
          journeys exact                     100.0 %       0.0 %
          exact, where keys connect them     100.0 %       0.0 %
          pairs of events: precision               –
          pairs of events: recall                  –
          pairs of events: F1                      –
          events: B-cubed F1                 100.0 %
          weak events in a wrong journey           –
          journeys of two attempts                 0
          attempts in two journeys                 0

        Rules without a model
          cause right by the last step       100.0 %
          cause right by the commonest       100.0 %

        Relayed logins
          suspicions that were right               –
          relayed and suspected                0.0 %
          false alarms per 100,000                 0
    "#]]
    .assert_eq(&sample().to_text(80, false));
}

#[test]
fn no_line_is_wider_than_asked() {
    for width in [68, 72, 80, 100, 200] {
        let text = sample().to_text(width, true);
        let widest = text.lines().map(visible).max();
        assert!(widest.is_some_and(|widest| widest <= width), "{widest:?} of {width}");
    }
}

#[test]
fn a_wide_page_shows_both_ceilings_and_a_narrow_one_what_fits() {
    assert!(sample().to_text(100, false).contains("ideal blind       ideal"));
    assert!(!sample().to_text(80, false).contains("  ideal\n"));
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let (plain, coloured) = (sample().to_text(80, false), sample().to_text(80, true));
    let mut stripped = String::new();
    for (nth, part) in coloured.split('\x1b').enumerate() {
        stripped.push_str(if nth == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain);
    assert_ne!(coloured, plain);
}

#[test]
fn what_is_not_defined_is_a_dash() {
    let text = card(&[], &[]).to_text(80, false);
    assert!(text.contains("outcome right                            –"), "{text}");
}
