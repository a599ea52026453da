//! What people do when a step does not go on: how long they wait, how they leave, whether they come back.

use authstitch_model::document::Fields;
use authstitch_model::{Cause, EndAct, Outcome};

use super::law::{Law, share};
use super::mix::{Mix, listed};

/// How people behave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct People {
    /// From the moment when nothing goes on until they give up.
    pub(crate) patience: Law,
    /// From the beginning of a step until they decide against it.
    pub(crate) decision: Law,
    /// How those leave who are stuck.
    pub(crate) endings: Mix<EndAct>,
    /// Share of those who walk away and close the page; the others leave it open.
    pub(crate) walking_closes: f64,
    /// Share of those who see and dismiss a browser's sheet that says the time is over.
    pub(crate) dismisses_sheet: f64,
    /// The probability that a mishap of a kind is overcome within the attempt.
    pub(crate) overcome: Vec<(Cause, f64)>,
    /// How long overcoming it takes.
    pub(crate) recovery: Law,
    /// Share of those whose page is hidden for a while.
    pub(crate) looks_away: f64,
    /// Whether and how they try again.
    pub(crate) retry: Retry,
}

/// Trying again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Retry {
    /// The share who try again, by the outcome of the attempt.
    shares: Vec<(Outcome, f64)>,
    /// From the end of one attempt to the start of the next.
    pub(crate) gap: Law,
    /// Share of retries that take another kind of login, where the person switched.
    pub(crate) with_other_flow: f64,
    /// Share of retries in the same browser session.
    pub(crate) same_session: f64,
    /// Share of retries in the same trace.
    pub(crate) same_trace: f64,
    /// Share of retries in the same flow of the identity server.
    pub(crate) same_container: f64,
    /// The probability that a standing obstacle, such as a missing passkey, is still there.
    pub(crate) still_there: f64,
}

impl People {
    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        let causes = listed(technical().map(Cause::code));
        Self {
            patience: Law::read(fields, "patience", Law::new(20.0, 90.0)),
            decision: Law::read(fields, "decision", Law::new(6.0, 25.0)),
            endings: Mix::read(
                fields,
                "endings",
                "cancelled, closed, switched, silent",
                Mix::new(vec![
                    (EndAct::Cancelled, 0.35),
                    (EndAct::Closed, 0.25),
                    (EndAct::Switched, 0.15),
                    (EndAct::Silent, 0.25),
                ])
                .unwrap_or_else(|| Mix::only(EndAct::Silent)),
                |code| {
                    EndAct::from_code(code).filter(|act| {
                        matches!(act, EndAct::Cancelled | EndAct::Closed | EndAct::Switched | EndAct::Silent)
                    })
                },
            ),
            walking_closes: share(fields, "walking_closes", 0.5),
            dismisses_sheet: share(fields, "dismisses_sheet", 0.5),
            overcome: fields.weights("overcome", 0.0..=1.0, &causes, |code| {
                technical().find(|cause| cause.code() == code)
            }),
            recovery: Law::read(fields, "recovery", Law::new(6.0, 25.0)),
            looks_away: share(fields, "looks_away", 0.0),
            retry: fields.map("retry", Retry::read),
        }
    }

    /// The probability that a mishap is overcome within the attempt.
    pub(crate) fn overcomes(&self, cause: Cause) -> f64 {
        self.overcome.iter().find(|(known, _)| *known == cause).map_or(0.0, |(_, share)| *share)
    }
}

impl Retry {
    fn read(fields: &Fields<'_>) -> Self {
        Self {
            shares: fields.weights(
                "shares",
                0.0..=1.0,
                "technical_failure, user_abandoned, user_declined",
                |code| {
                    Outcome::from_code(code)
                        .filter(|outcome| !matches!(outcome, Outcome::Succeeded | Outcome::Undetermined))
                },
            ),
            gap: Law::read(fields, "gap", Law::new(4.0, 30.0)),
            with_other_flow: share(fields, "with_other_flow", 0.5),
            same_session: share(fields, "same_session", 1.0),
            same_trace: share(fields, "same_trace", 0.0),
            same_container: share(fields, "same_container", 0.0),
            still_there: share(fields, "still_there", 0.8),
        }
    }

    /// The share who try again after this outcome.
    pub(crate) fn share(&self, outcome: Outcome) -> f64 {
        self.shares.iter().find(|(known, _)| *known == outcome).map_or(0.0, |(_, share)| *share)
    }
}

fn technical() -> impl Iterator<Item = Cause> {
    Cause::ALL.iter().copied().filter(|cause| cause.outcome() == Outcome::TechnicalFailure)
}
