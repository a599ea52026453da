//! The act that ended a journey, apart from its cause. A journey that was cut off before anything ended it is
//! silent. Else the first that applies:
//!
//! 1. Success, where it is the likeliest outcome with at least one half.
//! 2. The person's refusal, switch or cancel.
//! 3. A ceremony that timed out, at the limit or by the browser's word, or was cancelled, by the browser's word
//!    or where it says nothing and cancelling has at least one half.
//! 4. A closed page: closed.
//! 5. A ceremony that failed otherwise, a failed verification or an error: failed.
//! 6. Where an expiry is the likeliest cause: timed out.
//! 7. Silent.

use authstitch_model::verdict::{CauseDistribution, DISPLAYED};
use authstitch_model::{Cause, EndAct};

use crate::evidence::Features;
use crate::feature::{Ceremony, Elapsed, Fault, Parting};

/// The act that ended it.
pub fn end_act(features: &Features, causes: &CauseDistribution, likeliest: Cause) -> EndAct {
    let values = &features.values;
    if features.unfinished() {
        return EndAct::Silent;
    }
    if causes.of(Cause::None) >= DISPLAYED {
        return EndAct::Succeeded;
    }
    match values.parting {
        Some(Parting::Declined) => return EndAct::Declined,
        Some(Parting::Switched) => return EndAct::Switched,
        Some(Parting::Cancelled) => return EndAct::Cancelled,
        Some(Parting::Closed | Parting::Nothing) | None => {}
    }
    if let Some(end) = features.failed_ceremony.and_then(|_| ended_ceremony(features, causes)) {
        return end;
    }
    let faults = [values.page_fault, values.phone_fault, values.server_fault];
    let fault = faults.iter().flatten().any(|fault| *fault != Fault::Nothing);
    if values.parting == Some(Parting::Closed) {
        EndAct::Closed
    } else if fault || features.refused() || features.failed_ceremony.is_some() {
        EndAct::Failed
    } else if matches!(likeliest, Cause::CodeExpired | Cause::PromptExpired) {
        EndAct::TimedOut
    } else {
        EndAct::Silent
    }
}

fn ended_ceremony(features: &Features, causes: &CauseDistribution) -> Option<EndAct> {
    match features.values.ceremony {
        Some(Ceremony::TimedOut) => Some(EndAct::TimedOut),
        Some(Ceremony::UserCancelled) => Some(EndAct::Cancelled),
        _ if matches!(features.values.elapsed, Some(Elapsed::Limit | Elapsed::Beyond)) => {
            Some(EndAct::TimedOut)
        }
        Some(Ceremony::NotAllowed) if causes.of(Cause::Cancelled) >= DISPLAYED => Some(EndAct::Cancelled),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
