//! The block of scores that is the same for all attempts, for a part of them, and for an ideal observer.

use authstitch_model::{Cause, Outcome};
use serde::Serialize;

use crate::caps;
use crate::case::Case;
use crate::forecast::{Forecast, log_loss};
use crate::mean::{Mean, ratio};

#[cfg(test)]
mod tests;

/// How good a set of forecasts is. Shares are between 0 and 1; a score of nothing is `null`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Scores<T = Option<f64>> {
    /// Share whose likeliest outcome is the true one; abstaining earns nothing.
    pub outcome_accuracy: T,
    /// Share whose likeliest cause is the true one, success among them.
    pub cause_top1: T,
    /// The F1 of each cause that truly occurs, averaged: rare causes weigh as much as frequent ones.
    pub cause_macro_f1: T,
    /// Share whose credible set holds the true cause.
    pub credible_coverage: T,
    /// The same with the last-admitted cause counted only as far as it was needed: 0.9 if calibrated.
    pub credible_coverage_randomised: T,
    /// How many causes the credible set holds, where something was said.
    pub credible_size: T,
    /// How far the probability of the likeliest cause lies from how often it is right, over bins of equal
    /// size, where something was said.
    pub ece: T,
    /// The mean Brier score over all causes, from 0 to 2.
    pub brier: T,
    /// The mean log loss of the true cause, in nats.
    pub log_loss: T,
    /// Share that was abandoned by the person and called a technical failure.
    pub abandoned_called_technical: T,
    /// Share that failed technically and was called abandoned.
    pub technical_called_abandoned: T,
}

impl<T> Scores<T> {
    /// The same block of something else.
    pub(crate) fn map<U>(&self, of: impl Fn(&T) -> U) -> Scores<U> {
        Scores {
            outcome_accuracy: of(&self.outcome_accuracy),
            cause_top1: of(&self.cause_top1),
            cause_macro_f1: of(&self.cause_macro_f1),
            credible_coverage: of(&self.credible_coverage),
            credible_coverage_randomised: of(&self.credible_coverage_randomised),
            credible_size: of(&self.credible_size),
            ece: of(&self.ece),
            brier: of(&self.brier),
            log_loss: of(&self.log_loss),
            abandoned_called_technical: of(&self.abandoned_called_technical),
            technical_called_abandoned: of(&self.technical_called_abandoned),
        }
    }
}

/// Scores forecasts.
pub(crate) fn measure(cases: &[&Case<'_>]) -> Scores<Mean> {
    let said = || cases.iter().filter_map(|case| Some((case.cause(), case.forecast.as_ref()?)));
    // An attempt of which nothing was said gets `otherwise`.
    let over_all = |score: fn(&Forecast, Cause) -> f64, otherwise: f64| {
        let score =
            |case: &&Case<'_>| case.forecast.as_ref().map_or(otherwise, |said| score(said, case.cause()));
        Mean::of(cases.iter().map(score))
    };
    let called = |truth: Outcome, called: Outcome| {
        Mean::share(cases.iter().map(|case| case.truth.outcome == truth && case.called() == Some(called)))
    };
    Scores {
        outcome_accuracy: Mean::share(cases.iter().map(|case| case.called() == Some(case.truth.outcome))),
        cause_top1: over_all(|said, cause| f64::from(said.cause() == cause), 0.0),
        cause_macro_f1: Mean::without_error(macro_f1(cases)),
        credible_coverage: over_all(|said, cause| f64::from(said.covers(cause)), 0.0),
        credible_coverage_randomised: over_all(Forecast::covers_randomised, 0.0),
        credible_size: Mean::of(said().map(|(_, said)| said.set_size() as f64)),
        ece: Mean::without_error(calibration_error(
            said().map(|(truth, said)| (said.of(said.cause()), said.cause() == truth)).collect(),
        )),
        brier: over_all(Forecast::brier, caps::WORST_BRIER),
        log_loss: over_all(Forecast::log_loss, log_loss(0.0)),
        abandoned_called_technical: called(Outcome::UserAbandoned, Outcome::TechnicalFailure),
        technical_called_abandoned: called(Outcome::TechnicalFailure, Outcome::UserAbandoned),
    }
}

/// The mean F1 over the causes that truly occur. What is called a cause that never occurs costs the recall of
/// the cause that it was.
fn macro_f1(cases: &[&Case<'_>]) -> Option<f64> {
    let [mut right, mut called, mut true_of] = [[0.0; Cause::COUNT]; 3];
    for case in cases {
        let truth = case.cause();
        true_of[truth.index()] += 1.0;
        if let Some(said) = case.forecast.as_ref().map(Forecast::cause) {
            called[said.index()] += 1.0;
            right[truth.index()] += f64::from(said == truth);
        }
    }
    let occurring = (0..Cause::COUNT).filter(|cause| true_of[*cause] > 0.0);
    Mean::of(occurring.map(|cause| 2.0 * right[cause] / (called[cause] + true_of[cause]))).value
}

/// The expected calibration error of (probability, was right) over bins of equal size. Forecasts of equal
/// probability stay in one bin.
fn calibration_error(mut forecasts: Vec<(f64, bool)>) -> Option<f64> {
    forecasts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let bin_size = forecasts.len().div_ceil(caps::CALIBRATION_BINS);
    let (mut rest, mut error) = (forecasts.as_slice(), 0.0);
    while !rest.is_empty() {
        let last = rest[bin_size.min(rest.len()) - 1];
        let end = rest.partition_point(|forecast| forecast.0 <= last.0);
        let (bin, after) = rest.split_at(end);
        let confidence: f64 = bin.iter().map(|forecast| forecast.0).sum();
        let right: f64 = bin.iter().map(|forecast| f64::from(forecast.1)).sum();
        error += (confidence - right).abs();
        rest = after;
    }
    ratio(error, forecasts.len() as f64)
}
