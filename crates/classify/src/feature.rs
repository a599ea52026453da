//! What the tables know a journey by.
//!
//! - An *observation* is one fact of a journey with a small closed set of values. One without a value was not
//!   applicable or could not be seen.
//! - A *feature* is one observation, or several together: how long a person waited means something else at the
//!   prompt than before the scan. It has a value where each of its observations has one.
//! - A feature's value that says that something was not seen is an *absence*, and weaker the more telemetry of
//!   those is lost who would have told. Its first observation decides.

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
            /// How many there are.
            const COUNT: usize = [$(Self::$observation,)+].len();

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
            Self::ServerFault | Self::Refusal => Reporter::Side(Side::Server),
            Self::PhoneFault | Self::UserVerification | Self::PhoneSession | Self::CodeUse => {
                Reporter::Side(Side::Authenticator)
            }
            Self::Ceremony if value <= Ceremony::Pending as u8 => {
                return Some(Reporter::Side(Side::Initiator));
            }
            Self::PageFault | Self::Ceremony | Self::Credential | Self::Refreshes => {
                Reporter::Side(Side::Initiator)
            }
            Self::Parting | Self::Page => Reporter::LeavingPage,
            Self::Stage | Self::PageStage => return Some(Reporter::Anyone),
            Self::Complaint => Reporter::Anyone,
            _ => return None,
        };
        if value == 0 { Some(reporter) } else { None }
    }
}

/// One observation, or several together.
#[derive(Debug)]
pub struct Feature {
    /// Its name in the tables.
    pub code: &'static str,
    /// The observations, the first of which says what it is about.
    pub of: &'static [Observation],
}

/// A value of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which feature.
    pub feature: usize,
    /// The place of its value in the feature's set.
    pub value: usize,
    /// The place of the first observation's value in its set.
    pub first: u8,
}

/// Every feature, in the order in which its evidence is weighed.
pub const FEATURES: &[Feature] = {
    use Observation as O;
    macro_rules! of {
        ($code:literal, $($observation:ident),+) => { Feature { code: $code, of: &[$(O::$observation),+] } };
    }
    &[
        of!("reports", PageStage, PhoneStage, ServerStage),
        of!("stage, form", Stage, Form),
        of!("stage, sampled", Stage, Sampled),
        of!("stage, holes", Stage, Holes),
        of!("stage, previous", Stage, Previous),
        of!("server_fault, stage", ServerFault, Stage),
        of!("refusal, stage", Refusal, Stage),
        of!("phone_fault, stage", PhoneFault, Stage),
        of!("page_fault, stage", PageFault, Stage),
        of!("complaint, stage", Complaint, Stage),
        of!("ceremony, stage", Ceremony, Stage),
        of!("ceremony, browser", Ceremony, Family),
        of!("ceremony, limit", Ceremony, Limit),
        of!("elapsed", Elapsed),
        of!("elapsed, limit", Elapsed, Limit),
        of!("dwell, parting", Dwell, Parting),
        of!("dwell, parting, stage", Dwell, Parting, Stage),
        of!("since_fault, parting", SinceFault, Parting),
        of!("parting, stage", Parting, Stage),
        of!("user_verification, stage", UserVerification, Stage),
        of!("credential", Credential),
        of!("code_use, stage", CodeUse, Stage),
        of!("code_use, phone_fault", CodeUse, PhoneFault),
        of!("refreshes, stage", Refreshes, Stage),
        of!("refreshes, parting", Refreshes, Parting),
        of!("scanner, stage", Scanner, Stage),
        of!("phone_session, stage", PhoneSession, Stage),
        of!("page, stage", Page, Stage),
        of!("alive, page, stage", Alive, Page, Stage),
        of!("retry, stage", Retry, Stage),
        of!("retry, parting", Retry, Parting),
        of!("retry, ceremony", Retry, Ceremony),
        of!("begun, parting", Begun, Parting),
        of!("hybrid", Hybrid),
        of!("place", Place),
        of!("system", System),
        of!("browser", Family),
        of!("phone_system", PhoneSystem),
    ]
};

/// How many values all features have together.
pub const VALUES: usize = OFFSETS[FEATURES.len()];

/// Where the values of each feature begin among all values.
const OFFSETS: [usize; FEATURES.len() + 1] = {
    let mut offsets = [0; FEATURES.len() + 1];
    let mut next = 0;
    while next < FEATURES.len() {
        offsets[next + 1] = offsets[next] + FEATURES[next].count();
        next += 1;
    }
    offsets
};

impl Feature {
    /// How many values it has.
    pub const fn count(&self) -> usize {
        let mut count = 1;
        let mut next = 0;
        while next < self.of.len() {
            count *= self.of[next].codes().len();
            next += 1;
        }
        count
    }

    /// The text of a value: the codes of its observations.
    pub fn code_of(&self, value: usize) -> String {
        let mut left = value;
        let mut codes = Vec::new();
        for observation in self.of.iter().rev() {
            let known = observation.codes();
            codes.push(known[left % known.len()]);
            left /= known.len();
        }
        codes.reverse();
        codes.join(", ")
    }

    /// The value with this text.
    pub fn value_of(&self, text: &str) -> Option<usize> {
        let mut codes = text.split(", ");
        let mut value = 0;
        for observation in self.of {
            let code = codes.next()?;
            let place = observation.codes().iter().position(|known| *known == code)?;
            value = value * observation.codes().len() + place;
        }
        codes.next().is_none().then_some(value)
    }
}

impl Known {
    /// Its place among all values.
    pub const fn row(self) -> usize {
        OFFSETS[self.feature] + self.value
    }

    /// The place among all values of the one whose first observation has this value instead.
    pub const fn with_first(self, first: usize) -> usize {
        let each = FEATURES[self.feature].count() / self.about().codes().len();
        OFFSETS[self.feature] + self.value % each + first * each
    }

    /// What it is about.
    pub const fn about(self) -> Observation {
        FEATURES[self.feature].of[0]
    }

    /// Who is silent where it is an absence.
    pub const fn absent(self) -> Option<Reporter> {
        self.about().absent(self.first)
    }
}

/// Where the values of a feature begin among all values.
pub const fn offset(feature: usize) -> usize {
    OFFSETS[feature]
}

impl Values {
    /// The features that have a value.
    pub fn known(&self) -> impl Iterator<Item = Known> {
        let places = self.places();
        FEATURES.iter().enumerate().filter_map(move |(feature, known)| {
            let mut value = 0;
            for observation in known.of {
                let place = places[*observation as usize];
                if place == NO_VALUE {
                    return None;
                }
                value = value * observation.codes().len() + usize::from(place);
            }
            Some(Known { feature, value, first: places[known.of[0] as usize] })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_text_of_its_own() {
        for (nth, feature) in FEATURES.iter().enumerate() {
            for value in 0..feature.count() {
                assert_eq!(feature.value_of(&feature.code_of(value)), Some(value), "{}", feature.code);
            }
            assert_eq!(offset(nth) + feature.count(), OFFSETS[nth + 1]);
            assert!(!FEATURES[nth + 1..].iter().any(|other| other.code == feature.code));
        }
        assert_eq!(FEATURES[0].value_of("nothing"), None);
    }

    #[test]
    fn a_feature_has_a_value_where_each_of_its_observations_has_one() {
        let values =
            Values { parting: Some(Parting::Closed), stage: Some(Stage::Scanned), ..Values::default() };
        let known: Vec<_> = values.known().collect();
        assert_eq!(known.len(), 1);
        assert_eq!(FEATURES[known[0].feature].code, "parting, stage");
        assert_eq!(FEATURES[known[0].feature].code_of(known[0].value), "closed, scanned");
    }

    #[test]
    fn the_first_observation_says_whether_it_is_an_absence() {
        let absent = |parting| {
            let values = Values { parting: Some(parting), stage: Some(Stage::Nothing), ..Values::default() };
            values.known().next().and_then(Known::absent)
        };
        assert_eq!(absent(Parting::Nothing), Some(Reporter::LeavingPage));
        assert_eq!(absent(Parting::Closed), None);
    }
}
