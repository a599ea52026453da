//! The act that ended a journey, apart from its cause. The first that applies:
//!
//! 1. Success, where it is the likeliest outcome with at least one half.
//! 2. The person's refusal, switch or cancel.
//! 3. A failed ceremony: timed out at the limit or where the browser says so; cancelled where the browser says
//!    so, or where it says nothing and cancelling is the likeliest cause; failed otherwise.
//! 4. A failed verification or an error: failed.
//! 5. A closed page: closed.
//! 6. Where an expiry is the likeliest cause: timed out.
//! 7. Silent.

use authstitch_model::verdict::{CauseDistribution, DISPLAYED};
use authstitch_model::{Cause, EndAct};

use crate::evidence::Features;
use crate::feature::{Ceremony, Elapsed, Fault, Parting, Refusal};

/// The act that ended it.
pub fn end_act(features: &Features, causes: &CauseDistribution, likeliest: Cause) -> EndAct {
    let values = &features.values;
    if causes.of(Cause::None) >= DISPLAYED {
        return EndAct::Succeeded;
    }
    match values.parting {
        Some(Parting::Declined) => return EndAct::Declined,
        Some(Parting::Switched) => return EndAct::Switched,
        Some(Parting::Cancelled) => return EndAct::Cancelled,
        Some(Parting::Closed | Parting::Nothing) | None => {}
    }
    if features.failed_ceremony.is_some() {
        return match values.ceremony {
            Some(Ceremony::TimedOut) => EndAct::TimedOut,
            Some(Ceremony::UserCancelled) => EndAct::Cancelled,
            _ if matches!(values.elapsed, Some(Elapsed::Limit | Elapsed::Beyond)) => EndAct::TimedOut,
            Some(Ceremony::NotAllowed) if likeliest == Cause::Cancelled => EndAct::Cancelled,
            _ => EndAct::Failed,
        };
    }
    let faults = [values.page_fault, values.phone_fault, values.server_fault];
    let failed = faults.iter().flatten().any(|fault| *fault != Fault::Nothing);
    if failed || values.refusal.is_some_and(|refusal| refusal != Refusal::Nothing) {
        EndAct::Failed
    } else if values.parting == Some(Parting::Closed) {
        EndAct::Closed
    } else if matches!(likeliest, Cause::CodeExpired | Cause::PromptExpired) {
        EndAct::TimedOut
    } else {
        EndAct::Silent
    }
}

#[cfg(test)]
mod tests;
