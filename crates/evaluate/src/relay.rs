//! How well relayed logins are told.

use serde::Serialize;

use crate::case::Weighed;
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

pub(crate) fn measure(cases: &[Weighed<'_>]) -> Relay {
    let (mut right, mut wrong, mut relayed, mut others) = (0.0, 0.0, 0.0, 0.0);
    for Weighed { weight, case } in cases {
        let suspected = case.shown.as_ref().is_some_and(|shown| shown.relay_suspected);
        let alarm = if suspected { *weight } else { 0.0 };
        if case.relayed {
            relayed += weight;
            right += alarm;
        } else {
            others += weight;
            wrong += alarm;
        }
    }
    Relay {
        precision: ratio(right, right + wrong),
        recall: ratio(right, relayed),
        false_alarms_per_100k: ratio(wrong * 100_000.0, others),
    }
}
