//! What the tables know a journey by.
//!
//! - An *observation* is one fact of a journey with a small closed set of values. One without a value was not
//!   applicable or could not be seen.
//! - Each value of an observation has weights of its own. They are fitted all together, so none needs to be
//!   paired with another to be understood.
//! - A value that says that something was not seen is an *absence*, and weaker the more telemetry of those is
//!   lost who would have told.

mod values;

use authstitch_model::Side;

pub use values::{
    Begun, Ceremony, CodeUse, Complaint, Credential, Elapsed, Family, Fault, Form, Holes, Hybrid, Limit,
    Page, Parting, PhoneSession, PhoneSystem, Place, Previous, Refreshes, Refusal, Retry, Sampled, Scanner,
    Stage, System, UserVerification, Wait,
};

/// Who would have reported what is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporter {
    /// An ordinary event of this side.
    Side(Side),
    /// An event sent while a page goes away.
    LeavingPage,
    /// Any of the sides.
    Anyone,
}

/// Declares the observations: the enum, and the struct that holds a value for each.
macro_rules! observations {
    ($($(#[$meta:meta])* $field:ident: $values:ident = $observation:ident;)+) => {
        /// An observation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Observation { $($(#[$meta])* $observation,)+ }

        /// The value of each observation of one journey.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct Values { $($(#[$meta])* pub $field: Option<$values>,)+ }

        impl Observation {
            /// Every observation, in the order in which its evidence is weighed.
            pub const ALL: &'static [Self] = &[$(Self::$observation,)+];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Its name in the tables.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$observation => stringify!($field),)+ }
            }

            /// The codes of its values.
            pub const fn codes(self) -> &'static [&'static str] {
                match self { $(Self::$observation => $values::CODES,)+ }
            }
        }

        impl Values {
            /// The place of each observation's value in its set, by observation; [`NO_VALUE`] where it has none.
            fn places(&self) -> [u8; Observation::COUNT] {
                [$(match self.$field { Some(value) => value as u8, None => NO_VALUE },)+]
            }
        }
    };
}

const NO_VALUE: u8 = u8::MAX;

observations! {
    /// How far it came for certain.
    stage: Stage = Stage;
    /// How far the page said it came.
    page_stage: Stage = PageStage;
    /// How far the phone said it came.
    phone_stage: Stage = PhoneStage;
    /// How far the server said it came.
    server_stage: Stage = ServerStage;
    /// As what the page's telemetry comes.
    form: Form = Form;
    /// What samplers say.
    sampled: Sampled = Sampled;
    /// Whose reports have holes.
    holes: Holes = Holes;
    /// Whether it is a retry.
    previous: Previous = Previous;
    /// An error of the server.
    server_fault: Fault = ServerFault;
    /// A failed verification.
    refusal: Refusal = Refusal;
    /// An error of the phone.
    phone_fault: Fault = PhoneFault;
    /// An error of the page, other than the ceremony's.
    page_fault: Fault = PageFault;
    /// Who told the last error.
    complaint: Complaint = Complaint;
    /// From the last error to the act of parting.
    since_fault: Wait = SinceFault;
    /// The ceremony.
    ceremony: Ceremony = Ceremony;
    /// Its length, where it failed.
    elapsed: Elapsed = Elapsed;
    /// The browser's limit.
    limit: Limit = Limit;
    /// User verification.
    user_verification: UserVerification = UserVerification;
    /// An unknown credential.
    credential: Credential = Credential;
    /// A use of the code after its lifetime.
    code_use: CodeUse = CodeUse;
    /// Refreshed codes.
    refreshes: Refreshes = Refreshes;
    /// A scanner's fetch.
    scanner: Scanner = Scanner;
    /// A session on the phone.
    phone_session: PhoneSession = PhoneSession;
    /// The act of parting.
    parting: Parting = Parting;
    /// How long the person waited before it.
    dwell: Wait = Dwell;
    /// The page's visibility.
    page: Page = Page;
    /// How long after the last phase the page was last heard of, where nobody parted.
    alive: Wait = Alive;
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
    /// The initiator's browser.
    browser: Family = Family;
    /// The phone's system.
    phone_system: PhoneSystem = PhoneSystem;
}

impl Observation {
    /// Who is silent where this value is an absence.
    const fn absent(self, value: u8) -> Option<Reporter> {
        let reporter = match self {
            Self::ServerStage | Self::ServerFault | Self::Refusal => Reporter::Side(Side::Server),
            Self::PhoneStage
            | Self::PhoneFault
            | Self::UserVerification
            | Self::PhoneSession
            | Self::CodeUse => Reporter::Side(Side::Authenticator),
            Self::Ceremony if value <= Ceremony::Pending as u8 => {
                return Some(Reporter::Side(Side::Initiator));
            }
            Self::PageStage
            | Self::Form
            | Self::PageFault
            | Self::Ceremony
            | Self::Credential
            | Self::Refreshes
            | Self::Alive => Reporter::Side(Side::Initiator),
            Self::Parting | Self::Page => Reporter::LeavingPage,
            Self::Stage | Self::Complaint => Reporter::Anyone,
            _ => return None,
        };
        if value == 0 { Some(reporter) } else { None }
    }
}

/// An observation that has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Of what.
    pub about: Observation,
    /// The place of its value in the observation's set.
    pub value: u8,
}

/// How many values all observations have together.
pub const VALUES: usize = OFFSETS[Observation::COUNT];

/// Where the values of each observation begin among all values.
const OFFSETS: [usize; Observation::COUNT + 1] = {
    let mut offsets = [0; Observation::COUNT + 1];
    let mut next = 0;
    while next < Observation::COUNT {
        offsets[next + 1] = offsets[next] + Observation::ALL[next].codes().len();
        next += 1;
    }
    offsets
};

impl Known {
    /// Its place among all values.
    pub const fn row(self) -> usize {
        OFFSETS[self.about as usize] + self.value as usize
    }

    /// Its text in the tables.
    pub const fn code(self) -> &'static str {
        self.about.codes()[self.value as usize]
    }

    /// Who is silent where it is an absence.
    pub const fn absent(self) -> Option<Reporter> {
        self.about.absent(self.value)
    }
}

impl Observation {
    /// Its values, in order.
    pub fn values(self) -> impl Iterator<Item = Known> {
        (0_u8..).take(self.codes().len()).map(move |value| Known { about: self, value })
    }
}

impl Values {
    /// The observations that have a value.
    pub fn known(&self) -> impl Iterator<Item = Known> {
        let places = self.places();
        Observation::ALL
            .iter()
            .zip(places)
            .filter_map(|(about, value)| (value != NO_VALUE).then_some(Known { about: *about, value }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_row_and_a_text_of_its_own() {
        let all: Vec<_> = Observation::ALL.iter().flat_map(|about| about.values()).collect();
        assert_eq!(all.len(), VALUES);
        for (row, known) in all.into_iter().enumerate() {
            assert_eq!(known.row(), row);
            let same = known.about.values().filter(|other| other.code() == known.code());
            assert_eq!(same.count(), 1, "{} {}", known.about.code(), known.code());
        }
    }

    #[test]
    fn only_observations_with_a_value_are_known() {
        let values = Values { parting: Some(Parting::Closed), ..Values::default() };
        let known: Vec<_> = values.known().map(|known| (known.about.code(), known.code())).collect();
        assert_eq!(known, [("parting", "closed")]);
    }

    #[test]
    fn the_value_says_whether_it_is_an_absence() {
        let absent = |parting| {
            let values = Values { parting: Some(parting), ..Values::default() };
            values.known().next().and_then(Known::absent)
        };
        assert_eq!(absent(Parting::Nothing), Some(Reporter::LeavingPage));
        assert_eq!(absent(Parting::Closed), None);
    }
}
