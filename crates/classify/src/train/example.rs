//! A journey reduced to what fitting needs of it.

use authstitch_model::verdict::CauseSet;
use authstitch_model::{Cause, Completeness, Flow, Journey, Phase, Transport};

use crate::evidence;
use crate::feature::Known;
use crate::hard;
use crate::likelihood::Losses;
use crate::phase_set::PhaseSet;

/// What really happened.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// The cause; `none` for success.
    pub cause: Cause,
    /// The first required phase that was not reached.
    pub halted: Option<Phase>,
    /// How a passkey ceremony reached its authenticator.
    pub transport: Option<Transport>,
    /// How much it counts.
    pub weight: f64,
}

/// A journey with its label.
#[derive(Clone, Debug)]
pub struct Example {
    pub(super) flow: Flow,
    pub(super) label: Label,
    /// What was observed.
    pub(super) values: Box<[Known]>,
    /// The causes that the rules leave.
    pub(super) left: CauseSet,
    /// Whether a rule decides it, so that no weight can move it.
    pub(super) decided: bool,
    /// Whether a rule stands alone, so that its silence says nothing.
    pub(super) decisive: bool,
    pub(super) observed: PhaseSet,
    pub(super) known: PhaseSet,
    pub(super) passed: PhaseSet,
    pub(super) losses: Losses,
}

impl Example {
    /// Reduces a journey; `None` for one that was cut off, whose silence says nothing.
    #[must_use]
    pub fn new(journey: &Journey, completeness: &Completeness, label: Label) -> Option<Self> {
        let features = evidence::observe(journey);
        if features.cut_off {
            return None;
        }
        let rulings = hard::rulings(&features);
        let left =
            Cause::ALL.iter().filter(|cause| rulings.iter().flatten().all(|ruling| ruling.left.has(**cause)));
        Some(Self {
            flow: features.flow,
            label,
            values: features.values.known().collect(),
            left: left.fold(CauseSet::default(), |left, cause| left.with(*cause)),
            decided: hard::decided(&rulings).is_some(),
            decisive: hard::is_decisive(&rulings),
            observed: features.progress.observed(),
            known: features.known,
            passed: features.passed,
            losses: Losses::of(&features, completeness),
        })
    }

    /// Whether the rules leave the true cause.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.left.has(self.label.cause)
    }
}
