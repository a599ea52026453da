//! A scored attempt beside what was said of it: no more than the scores need, so that the attempts of many
//! worlds fit in memory together.

use std::sync::Arc;

use authstitch_model::line::JourneyLine;
use authstitch_model::truth::TruthLine;
use authstitch_model::{Basis, Cause, EventName, Flow, Outcome, Phase, Side};

use crate::forecast::Forecast;
use crate::honesty::last_step;

/// Who says something of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observer {
    /// The journey's verdict.
    Classifier,
    /// Who knows the training mixture.
    IdealBlind,
    /// Who knows the world.
    Ideal,
}

/// One scored attempt.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The true cause; `none` for success.
    pub cause: Cause,
    /// The true outcome.
    pub outcome: Outcome,
    pub flow: Flow,
    pub segment: Arc<str>,
    pub relayed: bool,
    /// The phases that were really reached, by [`Phase::index`].
    pub reached: [bool; Phase::COUNT],
    /// Whether its journey holds exactly its events.
    pub exact: bool,
    /// Whether its events hang together by strong keys.
    pub connected: bool,
    /// What its journey shows, where it has one.
    pub shown: Option<Shown>,
    forecast: Option<Forecast>,
    ideal_blind: Option<Forecast>,
    ideal: Option<Forecast>,
}

/// What a journey shows beside its probabilities.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Whether it holds a session that is not on the phone alone.
    pub session: bool,
    /// Whether it displays no outcome.
    pub undetermined: bool,
    pub relay_suspected: bool,
    /// The furthest phase that its events evidence.
    pub last_step: Option<Phase>,
    /// The probability of each phase and how it is known, by [`Phase::index`].
    pub phases: [Option<(f64, Basis)>; Phase::COUNT],
}

impl Case {
    /// An attempt and its journey.
    pub(crate) fn new(
        truth: &TruthLine,
        journey: Option<&JourneyLine>,
        exact: bool,
        connected: bool,
    ) -> Self {
        let mut reached = [false; Phase::COUNT];
        truth.phases.iter().for_each(|known| reached[known.phase.index()] = true);
        Self {
            cause: truth.cause.unwrap_or(Cause::None),
            outcome: truth.outcome,
            flow: truth.flow,
            segment: truth.segment.as_str().into(),
            relayed: truth.relayed,
            reached,
            exact,
            connected,
            shown: journey.map(Shown::of),
            forecast: journey.and_then(Forecast::of_line),
            ideal_blind: truth.ideal_blind.as_deref().and_then(Forecast::of_posterior),
            ideal: truth.ideal.as_deref().and_then(Forecast::of_posterior),
        }
    }

    /// What an observer says of it; `None` where nothing.
    pub(crate) const fn said(&self, observer: Observer) -> Option<&Forecast> {
        match observer {
            Observer::Classifier => self.forecast.as_ref(),
            Observer::IdealBlind => self.ideal_blind.as_ref(),
            Observer::Ideal => self.ideal.as_ref(),
        }
    }

    /// Whether its journey holds a session. A session on the phone alone is none.
    pub(crate) fn session_seen(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.session)
    }
}

impl Shown {
    fn of(line: &JourneyLine) -> Self {
        let mut phases = [None; Phase::COUNT];
        for known in &line.phases {
            phases[known.phase.index()] = Some((known.reached.clamp(0.0, 1.0), known.basis));
        }
        Self {
            session: line
                .spans
                .iter()
                .any(|span| span.event == EventName::SessionEstablished && span.side != Side::Authenticator),
            undetermined: line.outcome == Outcome::Undetermined,
            relay_suspected: line.relay_suspected,
            last_step: last_step(line),
            phases,
        }
    }
}

/// A case and how much it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighed<'a> {
    pub weight: f64,
    pub case: &'a Case,
}
