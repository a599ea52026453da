//! Two rules that anyone could write down without a model, as the floor of every score.

use authstitch_model::{Cause, Phase};

use crate::case::{Case, Weighed};
use crate::mean::Mean;

#[cfg(test)]
mod tests;

/// What the last-step rule says of a login that came this far: the first thing that comes to mind when the
/// next step is missing.
const fn cause_after(last: Option<Phase>) -> Cause {
    match last {
        None | Some(Phase::Started | Phase::Opened) => Cause::WalkedAway,
        Some(Phase::Presented) => Cause::ScanFailed,
        Some(Phase::Scanned) => Cause::HandoffFailed,
        Some(Phase::Proximity) => Cause::NoCredential,
        Some(Phase::Prompted) => Cause::ConfirmationAbandoned,
        Some(Phase::Confirmed) => Cause::ResultLost,
        Some(Phase::Verified) => Cause::CallbackLost,
        Some(Phase::Returned) => Cause::SessionNotKept,
        Some(Phase::Established) => Cause::None,
    }
}

/// Share of attempts whose cause the last-step rule finds.
pub(crate) fn last_step_top1(cases: &[Weighed<'_>]) -> Mean {
    let finds =
        |case: &Case| case.shown.as_ref().is_some_and(|shown| cause_after(shown.last_step) == case.cause);
    Mean::share(cases.iter().map(|weighed| (weighed.weight, finds(weighed.case))))
}

/// Share of attempts with the cause that most attempts have: what one gets who always says the same.
pub(crate) fn most_frequent_top1(cases: &[Weighed<'_>]) -> Mean {
    let mut masses = [0.0_f64; Cause::COUNT];
    cases.iter().for_each(|weighed| masses[weighed.case.cause.index()] += weighed.weight);
    let heavier = |a: &&Cause, b: &&Cause| masses[a.index()].total_cmp(&masses[b.index()]);
    let most = Cause::ALL.iter().max_by(heavier);
    Mean::share(cases.iter().map(|weighed| (weighed.weight, Some(&weighed.case.cause) == most)))
}
