//! The stitcher against the naive oracle, change by change.

use authstitch_model::UnixNanos;
use authstitch_stitch::{Change, Settings, Stitcher};
use proptest::prelude::{ProptestConfig, TestCaseError, any, prop_assert_eq, proptest};

use crate::attempts::arrivals;
use crate::dsl::{Line, Stitching, What, feed, shown};
use crate::oracle::Oracle;

/// Feeds both and compares what they say after every line, and after everything has run out.
fn compare(settings: Settings, lines: &[Line]) -> Result<(), TestCaseError> {
    let mut stitcher = Stitcher::new(settings);
    let mut oracle = Oracle::new(settings);
    let (mut said, mut expected) = (Vec::new(), Vec::new());
    for line in lines {
        feed(&mut stitcher, line, &mut said);
        feed(&mut oracle, line, &mut expected);
        agree(line.received(), &mut said, &mut expected)?;
        prop_assert_eq!(stitcher.counters(), oracle.counters(), "after {:?}", line);
    }
    while let Some(deadline) = stitcher.next_deadline() {
        stitcher.advance(deadline, &mut said);
        Stitching::advance(&mut oracle, deadline, &mut expected);
        agree(deadline, &mut said, &mut expected)?;
    }
    prop_assert_eq!(stitcher.counters(), oracle.counters(), "at the end");
    Ok(())
}

/// Compares as values, and shows differences as text.
fn agree(at: UnixNanos, said: &mut Vec<Change>, expected: &mut Vec<Change>) -> Result<(), TestCaseError> {
    if said != expected {
        let text = |changes: &[Change]| {
            let log: Vec<_> = changes.iter().map(|change| (at, change.clone())).collect();
            shown(&log)
        };
        let (said, expected) = (text(said), text(expected));
        return Err(TestCaseError::fail(format!("the stitcher says\n{said}the oracle says\n{expected}")));
    }
    said.clear();
    expected.clear();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn says_what_the_oracle_says(lines in arrivals()) {
        compare(Settings::default(), &lines)?;
    }

    #[test]
    fn says_what_the_oracle_says_at_the_bound_of_journeys(lines in arrivals(), journeys in 1usize..6) {
        compare(Settings { journeys, ..Settings::default() }, &lines)?;
    }

    #[test]
    fn says_what_the_oracle_says_when_it_stops(lines in arrivals(), cut in any::<proptest::sample::Index>()) {
        let mut lines = lines;
        lines.truncate(cut.index(lines.len() + 1));
        if let Some(last) = lines.last() {
            let mut stop = last.clone();
            stop.what = What::Shutdown;
            lines.push(stop);
        }
        compare(Settings::default(), &lines)?;
    }
}
