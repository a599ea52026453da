//! Tiny worlds for the tests of this crate: attempts, their events, and journeys, one line each.

use authstitch_model::line::{
    CauseShare, EnvironmentLine, JourneyLine, KeyLabel, OffsetLine, OutcomeShare, PhaseLine, SpanLine,
};
use authstitch_model::truth::TruthLine;
use authstitch_model::{
    Basis, Cause, CloseReason, EndAct, EventName, Flow, Identity, JourneyId, Outcome, Phase, Realm, Side,
    SpanId, TraceId, UnixNanos,
};

use crate::{Meta, Scorecard, score};

/// The `nth` event of a world: a QR code shown, with these keys (`journey:1 code:2`; none if empty).
pub(crate) fn event(nth: u64, keys: &str) -> SpanLine {
    let keys = keys.split_whitespace().map(|label| KeyLabel::parse(label).unwrap()).collect();
    SpanLine { keys: Some(keys), ..named(nth, EventName::QrShown) }
}

/// The `nth` event of a world, of this name and on its usual side; its keys are not told.
pub(crate) fn named(nth: u64, name: EventName) -> SpanLine {
    SpanLine {
        trace_id: TraceId::from_bytes(&u128::from(nth + 1).to_be_bytes()),
        span_id: SpanId::from_bytes(&(nth + 1).to_be_bytes()),
        event_id: None,
        side: name.usual_side().unwrap_or(Side::Server),
        event: name,
        joined_by: None,
        at: None,
        detail: None,
        keys: None,
    }
}

/// The events of these numbers, each with one and the same strong key.
pub(crate) fn events(range: std::ops::Range<u64>) -> Vec<SpanLine> {
    range.map(|nth| event(nth, "journey:1")).collect()
}

/// An attempt that ended with this cause, and the events that survived of it.
pub(crate) fn attempt(number: u64, cause: Cause, spans: Vec<SpanLine>) -> TruthLine {
    TruthLine {
        attempt: number,
        world: "tiny".into(),
        segment: "all".into(),
        flow: Flow::AppQr,
        outcome: cause.outcome(),
        cause: (cause != Cause::None).then_some(cause),
        failing_phase: None,
        end_act: EndAct::Silent,
        hiccups: Vec::new(),
        relayed: false,
        transport: None,
        started_at: UnixNanos(0),
        phases: Vec::new(),
        spans,
        lost: Vec::new(),
        environment: EnvironmentLine::default(),
        previous_attempt: None,
        ideal: None,
        ideal_blind: None,
    }
}

/// The `nth` journey, which holds these events and says this of their cause, likeliest first.
pub(crate) fn journey(nth: u64, spans: Vec<SpanLine>, causes: &[(Cause, f64)]) -> JourneyLine {
    let outcome_share = |outcome: &Outcome| {
        let causes = causes.iter().filter(|(cause, _)| cause.outcome() == *outcome);
        OutcomeShare { outcome: *outcome, probability: causes.map(|(_, share)| share).sum() }
    };
    let mut mass = 0.0;
    let credible_set = causes.iter().take_while(|(_, share)| {
        let wanted = mass < 0.9;
        mass += share;
        wanted
    });
    JourneyLine {
        journey_id: JourneyId::new(UnixNanos(nth * 1_000_000), Identity(0)),
        revision: 1,
        merged_into: None,
        realm: Realm::from("default"),
        flow: Flow::AppQr,
        started_at: UnixNanos(0),
        ended_at: UnixNanos(0),
        duration_ms: 0,
        outcome: Outcome::TechnicalFailure,
        cause: None,
        failing_phase: None,
        end_act: EndAct::Silent,
        hiccups: Vec::new(),
        relay_suspected: false,
        outcomes: Outcome::ALL.iter().map(outcome_share).collect(),
        causes: shares(causes),
        credible_set: credible_set.map(|(cause, _)| *cause).collect(),
        transport: None,
        phases: Vec::new(),
        environment: EnvironmentLine::default(),
        spans: spans.into_iter().map(|span| SpanLine { keys: None, ..span }).collect(),
        previous_journey: None,
        retried_after_ms: None,
        close_reason: CloseReason::Idle,
        clock_offset_ms: OffsetLine::default(),
        remedy: None,
        evidence: Vec::new(),
        tables: "none".into(),
        explanation: String::new(),
    }
}

/// Causes with their probabilities.
pub(crate) fn shares(causes: &[(Cause, f64)]) -> Vec<CauseShare> {
    causes
        .iter()
        .map(|(cause, probability)| CauseShare { cause: *cause, probability: *probability })
        .collect()
}

/// A phase that names these events.
pub(crate) fn phase(phase: Phase, basis: Basis, spans: &[&SpanLine]) -> PhaseLine {
    let name = |span: &&SpanLine| format!("{}:{}", span.trace_id.unwrap(), span.span_id.unwrap());
    PhaseLine { phase, reached: 1.0, basis, at: None, spans: spans.iter().map(name).collect() }
}

/// One attempt for each (true cause, what its journey says), stitched without fault.
pub(crate) fn told(cases: &[(Cause, &[(Cause, f64)])]) -> (Vec<TruthLine>, Vec<JourneyLine>) {
    let numbered = || (0..).zip(cases);
    let truth = numbered().map(|(nth, (cause, _))| attempt(nth, *cause, events(nth..nth + 1)));
    let journeys = numbered().map(|(nth, (_, said))| journey(nth, events(nth..nth + 1), said));
    (truth.collect(), journeys.collect())
}

/// The scorecard of a tiny world.
pub(crate) fn card(truth: &[TruthLine], journeys: &[JourneyLine]) -> Scorecard {
    score(Meta { world: "tiny".into(), seed: Some(7) }, truth, journeys)
}

/// Whether two scores are equal but for rounding.
pub(crate) fn near(score: Option<f64>, expected: f64) -> bool {
    score.is_some_and(|score| (score - expected).abs() < 1e-9)
}
