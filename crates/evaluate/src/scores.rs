//! The block of scores that is the same for all attempts, for a part of them, and for an ideal observer.

use authstitch_model::{Cause, Outcome};
use serde::Serialize;

use crate::case::{Observer, Weighed};
use crate::forecast::{Forecast, log_loss};
use crate::mean::Mean;
use crate::{calibration, caps};

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
    /// The mean probability of the credible set: what plain coverage is if calibrated.
    pub credible_mass: T,
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
            credible_mass: of(&self.credible_mass),
            credible_size: of(&self.credible_size),
            ece: of(&self.ece),
            brier: of(&self.brier),
            log_loss: of(&self.log_loss),
            abandoned_called_technical: of(&self.abandoned_called_technical),
            technical_called_abandoned: of(&self.technical_called_abandoned),
        }
    }
}

/// Scores what an observer says.
pub(crate) fn measure(cases: &[Weighed<'_>], observer: Observer) -> Scores<Mean> {
    // An attempt of which nothing was said gets `otherwise`.
    let over_all = |score: fn(&Forecast, Cause) -> f64, otherwise: f64| {
        Mean::of(cases.iter().map(|Weighed { weight, case }| {
            (*weight, case.said(observer).map_or(otherwise, |said| score(said, case.cause)))
        }))
    };
    let sizes = cases
        .iter()
        .filter_map(|weighed| Some((weighed.weight, weighed.case.said(observer)?.set_size() as f64)));
    let called = |truth: Outcome, called: Outcome| {
        Mean::share(cases.iter().map(|Weighed { weight, case }| {
            let said = case.said(observer).map(Forecast::outcome);
            (*weight, case.outcome == truth && said == Some(called))
        }))
    };
    let outcome_right = cases.iter().map(|Weighed { weight, case }| {
        (*weight, case.said(observer).map(Forecast::outcome) == Some(case.outcome))
    });
    Scores {
        outcome_accuracy: Mean::share(outcome_right),
        cause_top1: over_all(|said, cause| f64::from(said.cause() == cause), 0.0),
        cause_macro_f1: Mean::without_error(macro_f1(cases, observer)),
        credible_coverage: over_all(|said, cause| f64::from(said.covers(cause)), 0.0),
        credible_coverage_randomised: over_all(Forecast::covers_randomised, 0.0),
        credible_mass: over_all(|said, _| said.set_mass(), 0.0),
        credible_size: Mean::of(sizes),
        ece: Mean::without_error(calibration::error(&calibration::bins(cases, observer))),
        brier: over_all(Forecast::brier, caps::WORST_BRIER),
        log_loss: over_all(Forecast::log_loss, log_loss(0.0)),
        abandoned_called_technical: called(Outcome::UserAbandoned, Outcome::TechnicalFailure),
        technical_called_abandoned: called(Outcome::TechnicalFailure, Outcome::UserAbandoned),
    }
}

/// The mean F1 over the causes that truly occur. What is called a cause that never occurs costs the recall of
/// the cause that it was.
fn macro_f1(cases: &[Weighed<'_>], observer: Observer) -> Option<f64> {
    let [mut right, mut called, mut true_of] = [[0.0; Cause::COUNT]; 3];
    for Weighed { weight, case } in cases {
        true_of[case.cause.index()] += weight;
        if let Some(said) = case.said(observer).map(Forecast::cause) {
            called[said.index()] += weight;
            right[case.cause.index()] += if said == case.cause { *weight } else { 0.0 };
        }
    }
    let occurring = (0..Cause::COUNT).filter(|cause| true_of[*cause] > 0.0);
    Mean::of(occurring.map(|cause| (1.0, 2.0 * right[cause] / (called[cause] + true_of[cause])))).value
}
