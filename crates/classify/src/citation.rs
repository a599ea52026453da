//! As what an observation is cited. What was not seen is cited with how far the journey came, and a page that
//! stayed with the silence at the end.

use authstitch_model::Evidence;

use crate::feature::{Ceremony, Complaint, Known, Observation as O, Parting, VALUES};

/// By value: as what it is cited.
static CITED: [Option<Evidence>; VALUES] = {
    let mut cited = [None; VALUES];
    let mut about = 0;
    while about < O::COUNT {
        let mut value = 0;
        while value < O::ALL[about].codes().len() {
            let known = Known { about: O::ALL[about], value: value as u8 };
            cited[known.row()] = cite(known);
            value += 1;
        }
        about += 1;
    }
    cited
};

/// As what a value is cited; `None` for with how far the journey came.
pub fn cited_as(known: Known) -> Option<Evidence> {
    CITED[known.row()]
}

const fn cite(known: Known) -> Option<Evidence> {
    let value = known.value as usize;
    Some(match known.about {
        O::ServerFault | O::Refusal | O::PhoneFault | O::PageFault | O::UserVerification | O::Complaint
            if value == 0 =>
        {
            return None;
        }
        O::Credential | O::CodeUse | O::Refreshes | O::Scanner | O::PhoneSession | O::Page if value == 0 => {
            return None;
        }
        O::Retry | O::Previous if value == 0 => return None,
        O::Stage | O::PageStage | O::PhoneStage | O::ServerStage | O::Form | O::Sampled | O::Holes => {
            return None;
        }
        O::ServerFault => Evidence::ServerError,
        O::Refusal => Evidence::ServerReason,
        O::PhoneFault => Evidence::AuthenticatorError,
        O::PageFault => Evidence::InitiatorError,
        O::Complaint if value == Complaint::Phone as usize => Evidence::AuthenticatorError,
        O::Complaint if value == Complaint::Server as usize => Evidence::ServerError,
        O::Complaint => Evidence::InitiatorError,
        O::Ceremony if value <= Ceremony::Pending as usize => Evidence::CeremonyWithoutEnd,
        O::Ceremony => Evidence::InitiatorError,
        O::Elapsed | O::Limit | O::Dwell | O::SinceFault => Evidence::Elapsed,
        O::UserVerification => Evidence::UserVerificationFailed,
        O::Credential => Evidence::CredentialUnknown,
        O::CodeUse => Evidence::CodeUsedAfterExpiry,
        O::Refreshes => Evidence::CodesRefreshed,
        O::Scanner => Evidence::Prefetched,
        O::PhoneSession => Evidence::SessionOnPhone,
        O::Parting if value == Parting::Closed as usize => Evidence::PageUnloaded,
        O::Parting if value == Parting::Cancelled as usize => Evidence::CancelPressed,
        O::Parting if value == Parting::Switched as usize => Evidence::MethodSwitched,
        O::Parting if value == Parting::Declined as usize => Evidence::DeclinedOnPhone,
        O::Parting => Evidence::SilentEnd,
        O::Page => Evidence::PageHidden,
        O::Alive => Evidence::SilentEnd,
        O::Retry | O::Previous => Evidence::RetriedSoon,
        O::Begun => Evidence::ConditionalPending,
        O::Hybrid => Evidence::HybridUnavailable,
        O::Place => Evidence::PlaceMismatch,
        O::System | O::Family | O::PhoneSystem => Evidence::Environment,
    })
}
