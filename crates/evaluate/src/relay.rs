//! How well relayed logins are told.

use serde::Serialize;

use crate::case::Case;
use crate::mean::ratio;

/// The scores of the relay flag, over scored attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Relay {
    /// Of the journeys that are suspected, the share that was relayed.
    pub precision: Option<f64>,
    /// Of the attempts that were relayed, the share that is suspected.
    pub recall: Option<f64>,
    /// How many of 100,000 attempts that were not relayed are suspected.
    pub false_alarms_per_100k: Option<f64>,
}

pub(crate) fn measure(cases: &[&Case<'_>]) -> Relay {
    let (mut right, mut wrong, mut relayed, mut others) = (0.0, 0.0, 0.0, 0.0);
    for case in cases {
        let suspected = case.journey.is_some_and(|journey| journey.relay_suspected);
        if case.truth.relayed {
            relayed += 1.0;
            right += f64::from(suspected);
        } else {
            others += 1.0;
            wrong += f64::from(suspected);
        }
    }
    Relay {
        precision: ratio(right, right + wrong),
        recall: ratio(right, relayed),
        false_alarms_per_100k: ratio(wrong * 100_000.0, others),
    }
}
