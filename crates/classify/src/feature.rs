//! What the likelihood tables know a journey by: a short list of features, each with a small closed set of
//! values. A table holds one probability for each (flow, cause, value); fitting counts the same cells.
//!
//! A feature without a value was not applicable or could not be seen, and moves nothing. A value that stands
//! for an absence (the first of a set marked so by [`Feature::absence`]) is weakened by the loss of the side
//! that would have spoken.

mod values;

use authstitch_model::{Evidence, Side};

pub use values::{
    Begun, Ceremony, CodeUse, Credential, Dwell, Elapsed, Fault, Hybrid, Page, Parting, PhoneSession, Place,
    Refreshes, Refusal, Retry, Scanner, System, UserVerification,
};

/// Who would have reported what is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporter {
    /// An ordinary event of this side.
    Side(Side),
    /// An event sent while a page goes away.
    LeavingPage,
}

/// Declares the features: the enum, the struct that holds a value for each, and where each one's values
/// begin in a table.
macro_rules! features {
    ($($(#[$meta:meta])* $field:ident: $values:ident = $feature:ident $(absent in $reporter:expr)?;)+) => {
        /// A feature.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Feature { $($(#[$meta])* $feature,)+ }

        /// The value of each feature of one journey.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct Values { $($(#[$meta])* pub $field: Option<$values>,)+ }

        impl Feature {
            /// Every feature, in the order in which its evidence is weighed.
            pub const ALL: &'static [Self] = &[$(Self::$feature,)+];

            /// The name of this feature in the tables.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$feature => stringify!($field),)+ }
            }

            /// The codes of its values.
            pub const fn values(self) -> &'static [&'static str] {
                match self { $(Self::$feature => $values::CODES,)+ }
            }

            /// Who is silent where its first value (and, of a ceremony, its second) is an absence.
            pub const fn absence(self) -> Option<Reporter> {
                match self {
                    $($(Self::$feature => Some($reporter),)?)+
                    _ => None,
                }
            }
        }

        impl Values {
            /// The features that have a value, with the value's place in its set.
            pub fn known(&self) -> impl Iterator<Item = (Feature, usize)> {
                [$((Feature::$feature, self.$field.map(|value| value as usize)),)+]
                    .into_iter()
                    .filter_map(|(feature, value)| Some((feature, value?)))
            }
        }
    };
}

use Reporter::LeavingPage;
const INITIATOR: Reporter = Reporter::Side(Side::Initiator);
const PHONE: Reporter = Reporter::Side(Side::Authenticator);
const SERVER: Reporter = Reporter::Side(Side::Server);

features! {
    /// An error of the server.
    server_fault: Fault = ServerFault absent in SERVER;
    /// A failed verification.
    refusal: Refusal = Refusal absent in SERVER;
    /// An error of the phone.
    phone_fault: Fault = PhoneFault absent in PHONE;
    /// An error of the page, other than the ceremony's.
    page_fault: Fault = PageFault absent in INITIATOR;
    /// The ceremony.
    ceremony: Ceremony = Ceremony absent in INITIATOR;
    /// Its length, where the browser is known.
    elapsed: Elapsed = Elapsed;
    /// User verification.
    user_verification: UserVerification = UserVerification absent in PHONE;
    /// An unknown credential.
    credential: Credential = Credential absent in INITIATOR;
    /// A use of the code after its lifetime.
    code_use: CodeUse = CodeUse absent in PHONE;
    /// Refreshed codes.
    refreshes: Refreshes = Refreshes absent in INITIATOR;
    /// A scanner's fetch.
    scanner: Scanner = Scanner;
    /// A session on the phone.
    phone_session: PhoneSession = PhoneSession absent in PHONE;
    /// The act of parting.
    parting: Parting = Parting absent in LeavingPage;
    /// How long the person waited before it.
    dwell: Dwell = Dwell;
    /// The page's visibility.
    page: Page = Page absent in LeavingPage;
    /// A retry.
    retry: Retry = Retry;
    /// Who began a pending ceremony.
    begun: Begun = Begun;
    /// The browser's capability.
    hybrid: Hybrid = Hybrid;
    /// Where the devices stand.
    place: Place = Place;
    /// The initiator's system.
    system: System = System;
}

impl Feature {
    /// How many features there are.
    pub const COUNT: usize = Self::ALL.len();

    /// How many values all features have together.
    pub const VALUES: usize = Self::offset_of(Self::COUNT);

    /// Where the values of this feature begin among all values.
    pub const fn offset(self) -> usize {
        Self::offset_of(self as usize)
    }

    const fn offset_of(count: usize) -> usize {
        let mut offset = 0;
        let mut next = 0;
        while next < count {
            offset += Self::ALL[next].values().len();
            next += 1;
        }
        offset
    }

    /// Whether this value says that something was not seen, so that a loss may explain it.
    pub const fn is_absence(self, value: usize) -> bool {
        self.absence().is_some()
            && (value == 0 || matches!(self, Self::Ceremony) && value == Ceremony::Pending as usize)
    }

    /// As what a value of this feature is cited.
    pub const fn evidence(self, value: usize) -> Evidence {
        match self {
            Self::ServerFault => Evidence::ServerError,
            Self::Refusal => Evidence::ServerReason,
            Self::PhoneFault => Evidence::AuthenticatorError,
            Self::PageFault => Evidence::InitiatorError,
            Self::Ceremony if value <= Ceremony::Pending as usize => Evidence::CeremonyWithoutEnd,
            Self::Ceremony => Evidence::InitiatorError,
            Self::Elapsed | Self::Dwell => Evidence::Elapsed,
            Self::UserVerification => Evidence::UserVerificationFailed,
            Self::Credential => Evidence::CredentialUnknown,
            Self::CodeUse => Evidence::CodeUsedAfterExpiry,
            Self::Refreshes => Evidence::CodesRefreshed,
            Self::Scanner => Evidence::Prefetched,
            Self::PhoneSession => Evidence::SessionOnPhone,
            Self::Parting if value == Parting::Closed as usize => Evidence::PageUnloaded,
            Self::Parting if value == Parting::Cancelled as usize => Evidence::CancelPressed,
            Self::Parting if value == Parting::Switched as usize => Evidence::MethodSwitched,
            Self::Parting if value == Parting::Declined as usize => Evidence::DeclinedOnPhone,
            Self::Parting => Evidence::SilentEnd,
            Self::Page => Evidence::PageHidden,
            Self::Retry => Evidence::RetriedSoon,
            Self::Begun => Evidence::ConditionalPending,
            Self::Hybrid => Evidence::HybridUnavailable,
            Self::Place => Evidence::PlaceMismatch,
            Self::System => Evidence::Environment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_place_of_its_own() {
        let ends = Feature::ALL.iter().map(|feature| feature.offset() + feature.values().len());
        let begins = Feature::ALL.iter().skip(1).map(|feature| feature.offset()).chain([Feature::VALUES]);
        assert!(ends.eq(begins));
    }

    #[test]
    fn codes_are_unique_within_a_feature() {
        for feature in Feature::ALL {
            let codes = feature.values();
            for (index, code) in codes.iter().enumerate() {
                assert!(!codes[index + 1..].contains(code), "{}: {code} stands twice", feature.code());
            }
        }
    }

    #[test]
    fn only_known_features_are_listed() {
        let values = Values { parting: Some(Parting::Closed), place: Some(Place::Same), ..Values::default() };
        let known: Vec<_> = values.known().collect();
        assert_eq!(known, [(Feature::Parting, 1), (Feature::Place, 0)]);
    }
}
