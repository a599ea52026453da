//! A set of phases, as bits.

use authstitch_model::{Flow, Phase, phases};

/// Some of the phases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseSet(u16);

const _: () = assert!(Phase::COUNT <= 16, "PhaseSet holds 16 phases");

/// The phases of each flow.
const OF_FLOW: [PhaseSet; Flow::COUNT] = {
    let mut sets = [PhaseSet(0); Flow::COUNT];
    let mut flow = 0;
    while flow < Flow::COUNT {
        let places = phases::of(Flow::ALL[flow]);
        let mut next = 0;
        while next < places.len() {
            sets[flow] = sets[flow].with(places[next].phase);
            next += 1;
        }
        flow += 1;
    }
    sets
};

impl PhaseSet {
    /// The set of these phases.
    pub const fn of(phases: &[Phase]) -> Self {
        let mut bits = 0;
        let mut next = 0;
        while next < phases.len() {
            bits |= 1 << phases[next].index();
            next += 1;
        }
        Self(bits)
    }

    /// Those of a flow.
    pub const fn of_flow(flow: Flow) -> Self {
        OF_FLOW[flow.index()]
    }

    /// This set and a phase.
    pub const fn with(self, phase: Phase) -> Self {
        Self(self.0 | 1 << phase.index())
    }

    /// Both sets together.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What of this set is not in the other.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it holds a phase.
    pub const fn has(self, phase: Phase) -> bool {
        self.0 & 1 << phase.index() != 0
    }

    /// Whether it holds none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The latest of its phases.
    pub fn last(self) -> Option<Phase> {
        let index = self.0.checked_ilog2()?;
        Phase::ALL.get(index as usize).copied()
    }
}
