//! A world made ready for questions: laws as densities, hazards with their segment's rates, marks with their
//! probabilities.

use std::sync::Arc;

use authstitch_model::{Cause, Flow, Outcome, Phase};

use super::density::Duration;
use super::traces::{Telling, Traces, traces};
use crate::life::REFUSAL;
use crate::world::{FlowWorld, Segment, World};

/// A world made ready.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) world: Arc<World>,
    pub(super) patience: Duration,
    pub(super) decision: Duration,
    pub(super) recovery: Duration,
    pub(super) gap: Duration,
    /// How long a call takes that the browser refuses at once.
    pub(super) refusal: Duration,
    pub(super) segments: Vec<SegmentModel>,
}

/// A segment made ready.
#[derive(Debug)]
pub(super) struct SegmentModel {
    pub(super) segment: Arc<Segment>,
    pub(super) share: f64,
    flows: [FlowModel; 3],
}

/// One kind of login in a segment.
#[derive(Debug)]
pub(super) struct FlowModel {
    pub(super) share: f64,
    steps: Vec<StepModel>,
}

/// The way to one phase.
#[derive(Debug)]
pub(super) struct StepModel {
    pub(super) phase: Phase,
    pub(super) time: Duration,
    pub(super) hazards: Vec<Hazard>,
    /// The probability that none strikes.
    pub(super) unharmed: f64,
}

/// What can strike on the way.
#[derive(Debug)]
pub(super) struct Hazard {
    pub(super) cause: Cause,
    pub(super) rate: f64,
    /// The probability that it is overcome.
    pub(super) overcome: f64,
    /// Its marks where the phone's part of a passkey login is dark, and where it is not.
    pub(super) marks: [Traces; 2],
}

impl Hazard {
    pub(super) const fn is_decision(&self) -> bool {
        matches!(self.cause.outcome(), Outcome::UserAbandoned | Outcome::UserDeclined)
    }
}

/// The kinds of login that a world makes.
pub(super) const FLOWS: [Flow; 3] = [Flow::AppQr, Flow::PasskeyCda, Flow::MagicLink];

impl Model {
    pub(super) fn new(world: &Arc<World>) -> Self {
        let people = &world.people;
        let plain = |law| Duration::new(law, crate::world::Timing::PLAIN);
        let segments = world.segments.shares().map(|(segment, share)| SegmentModel {
            segment: segment.clone(),
            share,
            flows: FLOWS.map(|flow| FlowModel::new(world, segment, flow)),
        });
        Self {
            patience: plain(&people.patience),
            decision: plain(&people.decision),
            recovery: plain(&people.recovery),
            gap: plain(&people.retry.gap),
            refusal: plain(&REFUSAL),
            segments: segments.collect(),
            world: world.clone(),
        }
    }
}

impl SegmentModel {
    pub(super) fn flow(&self, flow: Flow) -> &FlowModel {
        let place = FLOWS.iter().position(|known| *known == flow).unwrap_or(0);
        &self.flows[place]
    }

    pub(super) fn world(&self, flow: Flow) -> &FlowWorld {
        self.segment.flows.of(flow)
    }
}

impl FlowModel {
    fn new(world: &World, segment: &Segment, flow: Flow) -> Self {
        let share = segment.mix.shares().filter(|(known, _)| **known == flow).map(|(_, share)| share).sum();
        let steps = segment.flows.of(flow).steps().iter().map(|step| {
            let hazards: Vec<_> = step
                .hazards
                .iter()
                .map(|(cause, rate)| (*cause, rate * segment.factor(*cause)))
                .filter(|(_, rate)| *rate > 0.0)
                .collect();
            let scale = hazards.iter().map(|(_, rate)| rate).sum::<f64>().max(1.0);
            let hazards: Vec<_> = hazards
                .into_iter()
                .map(|(cause, rate)| Hazard {
                    cause,
                    rate: rate / scale,
                    overcome: world.people.overcomes(cause),
                    marks: [false, true].map(|phone_emits| {
                        let telling = Telling {
                            reported: world.telemetry.errors_reported,
                            unknown: world.telemetry.unknown_reported,
                            phone_emits,
                        };
                        traces(flow, cause, step.phase, telling)
                    }),
                })
                .collect();
            StepModel {
                phase: step.phase,
                time: Duration::new(&step.time, world.timing),
                unharmed: 1.0 - hazards.iter().map(|hazard| hazard.rate).sum::<f64>(),
                hazards,
            }
        });
        Self { share, steps: steps.collect() }
    }

    pub(super) fn step(&self, phase: Phase) -> Option<&StepModel> {
        self.steps.iter().find(|step| step.phase == phase)
    }
}
