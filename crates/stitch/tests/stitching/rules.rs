//! One test a sentence of the rules, as scenario and outcome. How to read them: see [`crate::dsl`]; `~` marks an
//! event that joined by weak keys, `a2` is the second revision of the oldest journey.

mod closing;
mod codes;
mod containers;
mod late;
mod merging;
mod retries;
mod strong;
mod weak;

use expect_test::Expect;

/// A scenario and what becomes of it under the default settings.
#[expect(clippy::needless_pass_by_value, reason = "`expect!` is written where it is passed")]
fn check(scenario: &str, outcome: Expect) {
    outcome.assert_eq(&crate::dsl::stitched(scenario));
}
