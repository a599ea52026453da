//! The truth line: what really happened in one attempt. The simulator writes it beside the telemetry, and
//! anyone else can write it, too; `evaluate` reads it.

use serde::{Deserialize, Serialize};

use crate::line::{CauseShare, EnvironmentLine, SpanLine};
use crate::time::UnixNanos;
use crate::vocabulary::{Cause, EndAct, Flow, Outcome, Phase, Transport};

/// One attempt, one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TruthLine {
    /// Its number within the world.
    pub attempt: u64,
    /// The world.
    pub world: String,
    /// The segment of the population.
    pub segment: String,
    /// What kind of login.
    pub flow: Flow,
    /// What became of it.
    pub outcome: Outcome,
    /// Why; `None` for success.
    pub cause: Option<Cause>,
    /// The first required phase that was not reached.
    pub failing_phase: Option<Phase>,
    /// The act that ended it.
    pub end_act: EndAct,
    /// Mishaps that were overcome.
    #[serde(default)]
    pub hiccups: Vec<Cause>,
    /// Whether an attacker relayed it.
    #[serde(default)]
    pub relayed: bool,
    /// How a passkey ceremony reached its authenticator.
    #[serde(default)]
    pub transport: Option<Transport>,
    /// When it really began.
    pub started_at: UnixNanos,
    /// The phases that were really reached, with their real times.
    #[serde(default)]
    pub phases: Vec<TruePhase>,
    /// The events whose telemetry survived.
    #[serde(default)]
    pub spans: Vec<SpanLine>,
    /// The events whose telemetry was lost.
    #[serde(default)]
    pub lost: Vec<SpanLine>,
    /// What both devices really were.
    #[serde(default)]
    pub environment: EnvironmentLine,
    /// The attempt before it, of the same person.
    #[serde(default)]
    pub previous_attempt: Option<u64>,
    /// The posterior of an observer who knows the world.
    #[serde(default)]
    pub ideal: Option<Vec<CauseShare>>,
    /// The posterior under the training mixture.
    #[serde(default)]
    pub ideal_blind: Option<Vec<CauseShare>>,
}

/// A phase that was really reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruePhase {
    /// Which.
    pub phase: Phase,
    /// When.
    pub at: UnixNanos,
}
