//! The journey line: what `replay` writes and what the store and the query interface hold.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::event::{Environment, Facts};
use crate::ids::{EventId, JourneyId, SpanId, Text, TraceId};
use crate::journey::{Journey, JourneyEvent};
use crate::key::KeyKind;
use crate::phases;
use crate::remedy;
use crate::time::UnixNanos;
use crate::verdict::Verdict;
use crate::vocabulary::{
    Attachment, Basis, Cause, CloseReason, EndAct, EventName, Evidence, Flow, HttpMethod, JoinedBy,
    Mediation, Method, Outcome, Phase, Reason, Side, Transport,
};

/// Probabilities below this are left out of a line: far below what any score can see.
const SMALLEST_SHARE: f64 = 1e-6;

/// One journey, one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JourneyLine {
    /// Its id.
    pub journey_id: JourneyId,
    /// 1 at its first closing, one more each time.
    pub revision: u32,
    /// The journey that took its place.
    pub merged_into: Option<JourneyId>,
    /// Its population.
    pub realm: Text,
    /// What kind of login.
    pub flow: Flow,
    /// Corrected time of its first event.
    pub started_at: UnixNanos,
    /// Corrected time of its last event.
    pub ended_at: UnixNanos,
    /// Between the two.
    pub duration_ms: u64,
    /// The displayed outcome.
    pub outcome: Outcome,
    /// The displayed cause.
    pub cause: Option<Cause>,
    /// The first required phase that was probably not reached.
    pub failing_phase: Option<Phase>,
    /// The act that ended it.
    pub end_act: EndAct,
    /// Mishaps that were overcome.
    pub hiccups: Vec<Cause>,
    /// Signs of a relayed code.
    pub relay_suspected: bool,
    /// Every outcome that is possible, likeliest first.
    pub outcomes: Vec<OutcomeShare>,
    /// Every cause that is possible, likeliest first; `none` is success.
    pub causes: Vec<CauseShare>,
    /// The smallest set of causes with nine tenths of the mass.
    pub credible_set: Vec<Cause>,
    /// How a passkey ceremony reached its authenticator.
    pub transport: Option<TransportLine>,
    /// The flow's phases in order.
    pub phases: Vec<PhaseLine>,
    /// What both devices are.
    pub environment: EnvironmentLine,
    /// The events it holds.
    pub spans: Vec<SpanLine>,
    /// The attempt before it.
    pub previous_journey: Option<JourneyId>,
    /// From that attempt's last event to this one's first.
    pub retried_after_ms: Option<u64>,
    /// Why it closed.
    pub close_reason: CloseReason,
    /// How far each side's clock stands ahead.
    pub clock_offset_ms: OffsetLine,
    /// What to try first.
    pub remedy: Option<RemedyLine>,
    /// What moved the verdict.
    pub evidence: Vec<EvidenceLine>,
    /// The model tables that judged it.
    pub tables: String,
    /// One to three sentences for a ticket.
    pub explanation: String,
}

/// A cause and its probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CauseShare {
    /// Which.
    pub cause: Cause,
    /// Between 0 and 1.
    pub probability: f64,
}

/// An outcome and its probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutcomeShare {
    /// Which.
    pub outcome: Outcome,
    /// Between 0 and 1.
    pub probability: f64,
}

/// A guess of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransportLine {
    /// Which.
    pub value: Transport,
    /// Between 0 and 1.
    pub probability: f64,
    /// How we know.
    pub basis: Basis,
}

/// One phase of a journey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseLine {
    /// Which.
    pub phase: Phase,
    /// The probability that it was reached.
    pub reached: f64,
    /// How we know.
    pub basis: Basis,
    /// When.
    pub at: Option<UnixNanos>,
    /// The spans that evidence it, as `<trace id>:<span id>`, or the event id of an event without a span.
    pub spans: Vec<String>,
}

/// One event, by its ids. The same shape stands in journey lines and truth lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanLine {
    /// Its trace.
    #[serde(default)]
    pub trace_id: Option<TraceId>,
    /// Its span.
    #[serde(default)]
    pub span_id: Option<SpanId>,
    /// Its own id.
    #[serde(default)]
    pub event_id: Option<EventId>,
    /// Who emitted it.
    pub side: Side,
    /// What happened.
    pub event: EventName,
    /// What tied it to its journey; absent in truth lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_by: Option<JoinedBy>,
    /// When, by the common clock; absent in truth lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UnixNanos>,
    /// What it said beside its name: `error <class>`, or a reason, method or other code; absent in truth lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Text>,
    /// The keys that the event carried, in truth lines; an empty list says that it carried none, an absent one
    /// that the writer does not tell. Absent in journey lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<KeyLabel>>,
}

/// A key of an event in a truth line, written as `code:2`: two events of one attempt carried the same key
/// exactly if their labels are equal. A label says nothing of the key's value, and nothing across attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyLabel {
    /// What kind of key.
    pub kind: KeyKind,
    /// Which one of its kind within the attempt, from 1.
    pub number: u32,
}

impl KeyLabel {
    /// Reads `kind:number`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, number) = text.split_once(':')?;
        Some(Self { kind: KeyKind::from_code(kind)?, number: number.parse().ok()? })
    }
}

impl fmt::Display for KeyLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.number)
    }
}

impl Serialize for KeyLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!("`{text}` is not a key label: a kind and a number, such as code:2"))
        })
    }
}

/// What both devices are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentLine {
    /// The desktop.
    #[serde(default)]
    pub initiator: DeviceLine,
    /// The phone.
    #[serde(default)]
    pub authenticator: DeviceLine,
}

/// What one device is. A field is null where nothing said so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceLine {
    /// Operating system.
    #[serde(default)]
    pub os: Option<Known>,
    /// Browser.
    #[serde(default)]
    pub browser: Option<Known>,
    /// Browser version.
    #[serde(default)]
    pub browser_version: Option<Known>,
    /// Device model.
    #[serde(default)]
    pub device: Option<Known>,
    /// App version.
    #[serde(default)]
    pub app_version: Option<Known>,
}

/// A value and how we know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The value.
    pub value: Text,
    /// How we know.
    pub basis: EnvironmentBasis,
}

/// How a fact about a device is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentBasis {
    /// An event said so.
    Observed,
    /// The credential's record says so.
    Registered,
}

/// How far each side's clock stands ahead, in milliseconds; absent where unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetLine {
    /// The desktop's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<i64>,
    /// The phone's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticator: Option<i64>,
    /// The backend's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<i64>,
}

/// What to try first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemedyLine {
    /// For which cause.
    pub cause: Cause,
    /// What.
    pub action: String,
}

/// What moved the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceLine {
    /// What it was.
    pub evidence: Evidence,
    /// In nats; positive speaks for the likeliest cause.
    pub weight: f64,
}

impl JourneyLine {
    /// The line of a judged journey.
    #[must_use]
    pub fn new(journey: &Journey, verdict: &Verdict, tables: &str, explanation: String) -> Self {
        Self {
            journey_id: journey.id,
            revision: journey.revision,
            merged_into: None,
            realm: journey.realm.clone(),
            flow: journey.flow,
            started_at: journey.started_at(),
            ended_at: journey.ended_at(),
            duration_ms: journey.duration().0,
            outcome: verdict.outcome(),
            cause: verdict.cause(),
            failing_phase: verdict.failing_phase(),
            end_act: verdict.end_act,
            hiccups: verdict.hiccups.iter().collect(),
            relay_suspected: verdict.relay_suspected,
            outcomes: outcome_shares(verdict),
            causes: cause_shares(verdict),
            credible_set: credible_set(verdict),
            transport: verdict.transport.map(|transport| TransportLine {
                value: transport.value,
                probability: rounded(transport.probability),
                basis: transport.basis,
            }),
            phases: phase_lines(journey, verdict),
            environment: EnvironmentLine {
                initiator: DeviceLine::of(journey, Side::Initiator),
                authenticator: DeviceLine::of(journey, Side::Authenticator),
            },
            spans: journey.events.iter().map(SpanLine::of).collect(),
            previous_journey: journey.previous.map(|previous| previous.journey),
            retried_after_ms: journey.previous.map(|previous| previous.gap.0),
            close_reason: journey.close_reason,
            clock_offset_ms: OffsetLine {
                initiator: journey.offsets.initiator.map(to_millis),
                authenticator: journey.offsets.authenticator.map(to_millis),
                server: journey.offsets.server.map(to_millis),
            },
            remedy: verdict
                .cause_to_act_on()
                .and_then(|cause| Some(RemedyLine { cause, action: remedy::remedy(cause)?.to_owned() })),
            evidence: verdict
                .evidence
                .iter()
                .flatten()
                .map(|weighed| EvidenceLine { evidence: weighed.evidence, weight: rounded(weighed.weight) })
                .collect(),
            tables: tables.to_owned(),
            explanation,
        }
    }
}

fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e6).round() / 1e6
}

const fn to_millis(nanos: i64) -> i64 {
    nanos / 1_000_000
}

fn cause_shares(verdict: &Verdict) -> Vec<CauseShare> {
    let ranked = verdict.causes.ranked();
    let shares = ranked
        .iter()
        .map(|(cause, probability)| CauseShare { cause: *cause, probability: rounded(*probability) });
    shares.filter(|share| share.probability >= SMALLEST_SHARE).collect()
}

fn outcome_shares(verdict: &Verdict) -> Vec<OutcomeShare> {
    let shares = Outcome::ALL.iter().map(|outcome| OutcomeShare {
        outcome: *outcome,
        probability: rounded(verdict.causes.outcome(*outcome)),
    });
    let mut shares: Vec<_> = shares.filter(|share| share.probability >= SMALLEST_SHARE).collect();
    shares.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    shares
}

fn credible_set(verdict: &Verdict) -> Vec<Cause> {
    let set = verdict.causes.credible_set();
    verdict.causes.ranked().iter().map(|(cause, _)| *cause).filter(|cause| set.has(*cause)).collect()
}

fn phase_lines(journey: &Journey, verdict: &Verdict) -> Vec<PhaseLine> {
    let known = Phase::ALL.iter().filter_map(|phase| Some((*phase, verdict.phases[phase.index()]?)));
    known
        .map(|(phase, known)| PhaseLine {
            phase,
            reached: rounded(known.reached),
            basis: known.basis,
            at: known.at,
            spans: journey
                .events
                .iter()
                .filter(|event| phases::evidenced(journey.flow, &event.event) == Some(phase))
                .map(evidence_id)
                .collect(),
        })
        .collect()
}

fn evidence_id(event: &JourneyEvent) -> String {
    let origin = &event.event.origin;
    match (origin.trace_id, origin.span_id, &event.event.event_id) {
        (Some(trace), Some(span), _) => format!("{trace}:{span}"),
        (_, _, Some(id)) => id.as_str().to_owned(),
        (Some(trace), None, None) => format!("{trace}:"),
        _ => String::new(),
    }
}

/// What precedes the class of an error in [`SpanLine::detail`], so that no other word is taken for one.
pub const ERROR_DETAIL: &str = "error ";

/// What an event says beside its name: an error by its class, else a reason, a method or another word.
fn detail(facts: &Facts) -> Option<Text> {
    if let Some(error) = facts.error {
        return Some(Text::from(format!("{ERROR_DETAIL}{error}")));
    }
    let code = None
        .or(facts.reason.map(Reason::code))
        .or(facts.method.map(Method::code))
        .or(facts.http_method.map(HttpMethod::code))
        .or(facts.attachment.map(Attachment::code))
        .or(facts.mediation.map(Mediation::code))?;
    Some(Text::from(code))
}

impl SpanLine {
    fn of(event: &JourneyEvent) -> Self {
        Self {
            trace_id: event.event.origin.trace_id,
            span_id: event.event.origin.span_id,
            event_id: event.event.event_id.clone(),
            side: event.event.side,
            event: event.event.name,
            joined_by: Some(event.joined_by),
            at: Some(event.corrected),
            detail: detail(&event.event.facts),
            keys: None,
        }
    }
}

impl DeviceLine {
    fn of(journey: &Journey, side: Side) -> Self {
        let find = |value: fn(&Environment) -> Option<Text>| {
            let value = journey.environments(side).find_map(|environment| value(environment))?;
            Some(Known { value, basis: EnvironmentBasis::Observed })
        };
        Self {
            os: find(|environment| environment.os.as_ref().map(|os| os.name.clone())),
            browser: find(|environment| environment.browser.as_ref().map(|browser| browser.name.clone())),
            browser_version: find(|environment| environment.browser_version.clone()),
            device: find(|environment| environment.device.clone()),
            app_version: find(|environment| environment.app_version.clone()),
        }
    }
}
