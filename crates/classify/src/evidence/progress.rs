//! How far a journey came.

use authstitch_model::{Flow, Phase, Side, UnixNanos, phases};

use crate::phase_set::PhaseSet;

/// By flow and phase: what it makes certain when it is observed.
static IMPLIED: [[PhaseSet; Phase::COUNT]; Flow::COUNT] = {
    let mut table = [[PhaseSet::of(&[]); Phase::COUNT]; Flow::COUNT];
    let mut flow = 0;
    while flow < Flow::COUNT {
        let mut phase = 0;
        while phase < Phase::COUNT {
            table[flow][phase] = PhaseSet::of(phases::implied_by(Flow::ALL[flow], Phase::ALL[phase]));
            phase += 1;
        }
        flow += 1;
    }
    table
};

/// The phases that were reached for certain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    observed: PhaseSet,
    implied: PhaseSet,
    at: [Option<UnixNanos>; Phase::COUNT],
    furthest_of: [Option<Phase>; Side::COUNT],
    last_at: Option<UnixNanos>,
}

impl Progress {
    /// Notes that an event of `side` evidences a phase; says whether this side had not come so far before.
    pub fn reach(&mut self, flow: Flow, phase: Phase, side: Side, at: UnixNanos) -> bool {
        self.observed = self.observed.with(phase);
        self.implied = self.implied.and(IMPLIED[flow.index()][phase.index()]);
        self.at[phase.index()].get_or_insert(at);
        let furthest = &mut self.furthest_of[side.index()];
        let went_on = *furthest < Some(phase);
        if went_on {
            *furthest = Some(phase);
            self.last_at = Some(at);
        }
        went_on
    }

    /// Notes what an event without a phase of its own makes certain.
    pub fn imply(&mut self, implied: &[Phase]) {
        self.implied = self.implied.and(PhaseSet::of(implied));
    }

    /// The phases that an event evidences.
    pub const fn observed(&self) -> PhaseSet {
        self.observed
    }

    /// The phases that are observed, or made certain by what is observed.
    pub const fn known(&self) -> PhaseSet {
        self.observed.and(self.implied)
    }

    /// The furthest phase that a side reported.
    pub const fn furthest_of(&self, side: Side) -> Option<Phase> {
        self.furthest_of[side.index()]
    }

    /// When a phase was first evidenced.
    pub const fn at(&self, phase: Phase) -> Option<UnixNanos> {
        self.at[phase.index()]
    }

    /// When any side last went on.
    pub const fn last_at(&self) -> Option<UnixNanos> {
        self.last_at
    }
}

/// The phases that lie behind: nothing stopped the journey there. They are the known ones, and those before the
/// furthest known one, whether they were reached or left out. In `magic_link` only the optional ones of these,
/// for a scanner may have spent the link before a person opened it.
pub fn passed(flow: Flow, known: PhaseSet) -> PhaseSet {
    let Some(furthest) = known.last() else { return known };
    known.and(BEFORE[flow.index()][furthest.index()])
}

/// By flow and phase: those before it that lie behind once it is reached.
static BEFORE: [[PhaseSet; Phase::COUNT]; Flow::COUNT] = {
    let mut table = [[PhaseSet::of(&[]); Phase::COUNT]; Flow::COUNT];
    let mut flow = 0;
    while flow < Flow::COUNT {
        let places = phases::of(Flow::ALL[flow]);
        let mut next = 0;
        while next < places.len() {
            let mut later = places[next].phase.index() + 1;
            while later < Phase::COUNT {
                if places[next].optional || !matches!(Flow::ALL[flow], Flow::MagicLink) {
                    table[flow][later] = table[flow][later].with(places[next].phase);
                }
                later += 1;
            }
            next += 1;
        }
        flow += 1;
    }
    table
};
