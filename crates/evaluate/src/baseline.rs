//! Two rules that anyone could write down without a model, as the floor of every score.

use authstitch_model::{Cause, Phase};

use crate::case::Case;
use crate::honesty::last_step;
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
pub(crate) fn last_step_top1(cases: &[&Case<'_>]) -> Mean {
    Mean::share(
        cases
            .iter()
            .map(|case| case.journey.is_some_and(|line| cause_after(last_step(line)) == case.cause())),
    )
}

/// Share of attempts with the cause that most attempts have: what one gets who always says the same.
pub(crate) fn most_frequent_top1(cases: &[&Case<'_>]) -> Mean {
    let mut counts = [0_usize; Cause::COUNT];
    cases.iter().for_each(|case| counts[case.cause().index()] += 1);
    let most = Cause::ALL.iter().copied().max_by_key(|cause| counts[cause.index()]);
    Mean::share(cases.iter().map(|case| Some(case.cause()) == most))
}
