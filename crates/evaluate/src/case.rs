//! A scored attempt beside what was said of it.

use authstitch_model::line::{CauseShare, JourneyLine};
use authstitch_model::truth::TruthLine;
use authstitch_model::{Cause, EventName, Outcome, Side};

use crate::forecast::Forecast;

/// One scored attempt and one forecast of it.
pub(crate) struct Case<'a> {
    pub truth: &'a TruthLine,
    /// Its journey, where it has one.
    pub journey: Option<&'a JourneyLine>,
    /// What was said of it; `None` where nothing was.
    pub forecast: Option<Forecast>,
}

impl<'a> Case<'a> {
    /// What its journey says.
    pub(crate) fn judged(truth: &'a TruthLine, journey: Option<&'a JourneyLine>) -> Self {
        Self { truth, journey, forecast: journey.and_then(Forecast::of_line) }
    }

    /// The same attempt as an ideal observer sees it.
    pub(crate) fn observed(&self, posterior: &[CauseShare]) -> Self {
        Self { truth: self.truth, journey: self.journey, forecast: Forecast::of_posterior(posterior) }
    }

    /// The true cause; `none` for success.
    pub(crate) fn cause(&self) -> Cause {
        self.truth.cause.unwrap_or(Cause::None)
    }

    /// The outcome that was called, if any.
    pub(crate) fn called(&self) -> Option<Outcome> {
        self.forecast.as_ref().map(Forecast::outcome)
    }

    /// Whether its journey holds a session on the initiator. A session on the phone alone is none.
    pub(crate) fn session_seen(&self) -> bool {
        self.journey.is_some_and(|journey| {
            journey
                .spans
                .iter()
                .any(|span| span.event == EventName::SessionEstablished && span.side != Side::Authenticator)
        })
    }
}
