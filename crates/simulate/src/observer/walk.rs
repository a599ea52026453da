//! One attempt walked again under one setting: every way in which it can have gone, weighed by how well it
//! gives what was seen.
//!
//! 1. The walk follows the flow's phases, as `life` does. A phase that an event tells pins the time; one that
//!    nobody told is passed at some points spread over its law, each weighed by the probability that
//!    its event did not arrive.
//! 2. On each step a mishap may have been overcome, with its mark among those seen or without one.
//! 3. Beyond the furthest phase seen, each hazard may have stopped the attempt, with the last mark or without
//!    one; each act that can follow is weighed by the events of the end that were and were not seen.
//! 4. An event that is missing was lost with its batch: hardly if a batch of the same exporter arrived that
//!    would have carried it, together with the one before it if both fit into one batch, else by the loss rate.
//! 5. Whether and when the person tried again counts, too.

mod ending;
mod loss;
mod stop;

use std::sync::LazyLock;

use authstitch_model::{Browser, Cause, EndAct, Flow, Phase, Side, Transport};

use super::density::{Duration, uniform};
use super::model::{FlowModel, Hazard, Model, SegmentModel, StepModel};
use super::seen::Seen;
use crate::life::STALE_S;
use crate::world::Style;
use ending::ThrownShares;

/// Points at which a law of a hidden step is asked, in a setting that is likely and in one that is not.
pub(super) const POINTS: (usize, usize) = (10, 5);
/// An attempt of which nobody told that it started began so long before its first event.
const BEFORE_FIRST_S: f64 = 0.2;

/// What is taken as given on one walk.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) model: &'a Model,
    pub(super) segment: &'a SegmentModel,
    pub(super) style: &'a Style,
    pub(super) flow: Flow,
    pub(super) phone_emits: bool,
    pub(super) transport: Option<Transport>,
    pub(super) by_qr: bool,
    pub(super) conditional: bool,
    pub(super) browser: Browser,
    /// How long the browser waits.
    pub(super) limit_s: Option<f64>,
    /// Whether the sampler dropped the page's trace, and the phone's.
    pub(super) dropped: [bool; 2],
    /// How exactly page and phone are known against the server, in seconds.
    pub(super) blur: [f64; 2],
    /// The attempt that came after it.
    pub(super) next: Option<Next>,
    /// At how many points a hidden law is asked.
    pub(super) points: usize,
    /// Another set of points, to see what the choice of points does.
    pub(super) turn: f64,
}

/// The attempt after this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    /// When it began, in this attempt's seconds.
    pub(super) starts: f64,
    pub(super) flow: Flow,
}

/// One number for each cause and the phase it stopped.
pub(super) type Leaves = [[f64; Phase::COUNT]; Cause::COUNT];

/// What a walk found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) leaves: Leaves,
    pub(super) success: f64,
    /// The same for an obstacle that stands there for certain.
    pub(super) standing: Leaves,
}

#[derive(Clone, Copy, Debug)]
struct Particle {
    now: f64,
    side: Side,
    weight: f64,
    /// When the last event of each emitter was that did not arrive.
    missing: [f64; 4],
    /// From when the code or link counts.
    renewed: f64,
    prompted: f64,
    /// By how much likelier the scan's moment is if its code was stale.
    stale: f64,
}

struct Walk<'a> {
    setting: Setting<'a>,
    seen: &'a Seen,
    flow: &'a FlowModel,
    started: f64,
    horizon: f64,
    limit: Option<f64>,
    thrown: ThrownShares,
    found: Found,
}

/// Walks one attempt.
pub(super) fn walk(setting: Setting<'_>, seen: &Seen) -> Found {
    let flow = setting.segment.flow(setting.flow);
    let started = started_at(&setting, seen);
    let world = setting.segment.world(setting.flow);
    let zero = [[0.0; Phase::COUNT]; Cause::COUNT];
    let mut walk = Walk {
        flow,
        started,
        horizon: started + world.horizon.0 as f64 / 1e3,
        limit: setting.limit_s.map(|limit| started + limit),
        thrown: ThrownShares::new(setting.browser, seen.failed.and_then(|(_, class)| class)),
        setting,
        seen,
        found: Found { leaves: zero, success: 0.0, standing: zero },
    };
    walk.run();
    walk.found
}

/// The page calls the browser 30 ms after the challenge.
fn started_at(setting: &Setting<'_>, seen: &Seen) -> f64 {
    let called = seen.called.filter(|_| setting.flow == Flow::PasskeyCda).map(|called| called - 0.03);
    called.or(seen.at(Phase::Started).map(|moment| moment.at)).unwrap_or(seen.first - BEFORE_FIRST_S)
}

/// The fractions of the square roots of the primes, which are independent over the rationals.
static STEPS: LazyLock<[f64; 24]> = LazyLock::new(|| {
    [
        2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0, 31.0, 37.0, 41.0, 43.0, 47.0, 53.0, 59.0,
        61.0, 67.0, 71.0, 73.0, 79.0, 83.0, 89.0,
    ]
    .map(|prime: f64| prime.sqrt().fract())
});

/// A point of a sequence that fills the unit interval evenly in every dimension.
fn point(nth: usize, dimension: usize, turn: f64) -> f64 {
    (0.5 + turn + (nth + 1) as f64 * STEPS[dimension % STEPS.len()]).fract()
}

/// What each use of a point is.
#[derive(Clone, Copy)]
enum Use {
    Step,
    Strike,
    Decision,
    Recovery,
    Patience,
    Again,
}

impl<'a> Walk<'a> {
    fn run(&mut self) {
        let start = Particle {
            now: self.started,
            side: if self.seen.called.is_some() { Side::Initiator } else { Side::Server },
            weight: 1.0,
            missing: [f64::NAN; 4],
            renewed: self.started,
            prompted: self.started,
            stale: 1.0,
        };
        let marks = self.seen.marks.len();
        let mut sets: Vec<Vec<Particle>> = vec![Vec::new(); marks + 1];
        sets[0].push(start);
        // Where the start was told, it is where the walk begins.
        let told = self.seen.called.is_some() || self.seen.at(Phase::Started).is_some();
        let furthest = self.seen.furthest();
        let plan: Vec<Phase> = self.plan().collect();
        let ahead = |phase: Phase| phase > Phase::Started || !told;
        for (nth, phase) in plan.iter().enumerate().filter(|(_, phase)| ahead(**phase)) {
            let Some(step) = self.flow.step(*phase) else { continue };
            let mut next: Vec<Vec<Particle>> = vec![Vec::new(); marks + 1];
            for (taken, set) in sets.iter().enumerate() {
                let set = thinned(spread(set, self.setting.points), self.setting.points);
                for (place, particle) in set.iter().enumerate() {
                    if furthest.is_none_or(|furthest| *phase > furthest) {
                        self.stop(step, particle, taken, (place, nth));
                    }
                    self.pass(step, particle, taken, (place, nth), &mut next);
                }
            }
            sets = next;
        }
        let success: f64 = sets[marks].iter().map(|particle| particle.weight).sum();
        let seen = self.seen;
        let parted = seen.failed.is_some() || seen.cancelled.is_some() || seen.switched.is_some();
        if !(parted || seen.unloaded.is_some() || seen.declined.is_some()) {
            let end = sets[marks].first().map_or(self.started, |particle| particle.now);
            let again = self.again(Cause::None, EndAct::Succeeded, end);
            self.found.success = success * again * self.visibility(EndAct::Succeeded, end);
        }
    }

    fn plan(&self) -> impl Iterator<Item = Phase> + use<'a> {
        let world = self.setting.segment.world(self.setting.flow);
        world.plan(self.setting.transport, self.setting.by_qr).map(|step| step.phase)
    }

    fn draw(&self, of: &Duration, (place, nth): (usize, usize), what: Use) -> f64 {
        let dimension = nth * 6 + what as usize;
        let turn = self.setting.turn;
        let extra = (point(place, dimension + 11, turn) + 0.37).fract();
        of.at(point(place, dimension, turn), extra)
    }

    /// A point of the law as far as it lies below `most`, and the probability that it does.
    fn draw_within(&self, of: &Duration, (place, nth): (usize, usize), what: Use, most: f64) -> (f64, f64) {
        let dimension = nth * 6 + what as usize;
        let turn = self.setting.turn;
        let extra = (point(place, dimension + 11, turn) + 0.37).fract();
        of.within(point(place, dimension, turn), extra, most)
    }

    /// Passes a step, with at most one mishap overcome on it.
    fn pass(
        &mut self,
        step: &StepModel,
        particle: &Particle,
        taken: usize,
        place: (usize, usize),
        next: &mut [Vec<Particle>],
    ) {
        self.arrive(step, *particle, step.unharmed, taken, place, Use::Step, next);
        let emits = usize::from(self.setting.phone_emits);
        let recovery = self.setting.model.recovery;
        let beyond = self.seen.furthest().is_none_or(|furthest| step.phase > furthest);
        for hazard in step.hazards.iter().filter(|hazard| hazard.overcome > 0.0) {
            let rate = hazard.rate * hazard.overcome * self.fits(step, hazard.cause, particle);
            if rate < 1e-7 {
                continue;
            }
            let traces = &hazard.marks[emits];
            let struck = self.strike(step, hazard, particle, place);
            let silent = 1.0 - traces.any() * (1.0 - self.loss(traces.side()));
            let over = struck + self.draw(&recovery, place, Use::Recovery);
            if silent > 0.01 && !self.limit.is_some_and(|limit| over >= limit) {
                let later = self.overcome(particle, hazard, over);
                self.arrive(step, later, rate * silent * step.unharmed, taken, place, Use::Again, next);
                if beyond {
                    let later = Particle { weight: later.weight * rate * silent, ..later };
                    self.stop(step, &later, taken, place);
                }
            }
            if let Some((moment, mark)) = self.seen.marks.get(taken).copied() {
                let share = traces.of(mark);
                if share > 0.0 {
                    let density = self.struck_at(step, hazard, particle, moment, place);
                    let over = moment.at + self.draw(&recovery, place, Use::Recovery);
                    let over = match self.seen.at(step.phase) {
                        // Where the phase is told, the recovery is shorter than the time left.
                        Some(reached) => {
                            let left = (reached.at - moment.at).max(0.0);
                            moment.at + left * point(place.0, place.1 * 6 + 3, self.setting.turn)
                        }
                        None => over,
                    };
                    let mut weight = rate * share * density;
                    if let Some(reached) = self.seen.at(step.phase) {
                        weight *= recovery.density(over - moment.at, 0.2) * (reached.at - moment.at).max(0.0);
                    }
                    let later = Particle { side: moment.side, ..self.overcome(particle, hazard, over) };
                    self.arrive(step, later, weight * step.unharmed, taken + 1, place, Use::Again, next);
                    if beyond {
                        let later = Particle { weight: later.weight * weight, ..later };
                        self.stop(step, &later, taken + 1, place);
                    }
                }
            }
        }
    }

    fn overcome(&self, particle: &Particle, hazard: &Hazard, over: f64) -> Particle {
        let renewed = if hazard.cause == Cause::CodeExpired { over } else { particle.renewed };
        let prompted = if hazard.cause == Cause::PromptExpired { over } else { particle.prompted };
        Particle { now: over, renewed, prompted, ..*particle }
    }

    /// Reaches the phase from where the particle stands, after the hazards were survived with `weight`.
    #[expect(clippy::too_many_arguments, reason = "each is a part of where the particle stands")]
    fn arrive(
        &mut self,
        step: &StepModel,
        mut particle: Particle,
        weight: f64,
        taken: usize,
        place: (usize, usize),
        what: Use,
        next: &mut [Vec<Particle>],
    ) {
        let phase = step.phase;
        particle.weight *= weight;
        if particle.weight <= 0.0 {
            return;
        }
        if let Some(reached) = self.seen.at(phase) {
            let blur = self.blur(particle.side, reached.side);
            let plain = step.time.density(reached.at - particle.now, blur) + 1e-9;
            if self.setting.flow == Flow::AppQr && phase == Phase::Scanned {
                let codes = self.codes(&particle, reached.at).max(1e-9);
                particle.stale = self.stale(step, &particle, reached.at, blur) / (plain * codes);
            }
            particle.weight *= plain;
            (particle.now, particle.side) = (reached.at, reached.side);
        } else {
            let expiry = self.expiry(phase, &particle);
            let left = expiry.map_or(f64::INFINITY, |(limit, _)| limit - particle.now);
            if let Some((limit, cause)) = expiry
                && self.seen.furthest().is_none_or(|furthest| phase > furthest)
            {
                let beyond = 1.0 - step.time.below(left);
                let passkey = self.setting.flow == Flow::PasskeyCda;
                // The browser ends its ceremony at the limit; a dead code or prompt is noticed when it is used.
                let (noticed, blocked) = match passkey {
                    true => (limit, 1.0),
                    false => (limit + 5.0, 1.0 - self.setting.model.world.people.overcomes(cause)),
                };
                if beyond * blocked > 1e-9 {
                    self.expire(step, &particle, cause, noticed, taken, beyond * blocked, place);
                }
            }
            let (length, share) = self.draw_within(&step.time, place, what, left);
            let at = particle.now + length;
            particle.weight *= share;
            if at >= self.horizon {
                return;
            }
            particle.now = at;
            particle.weight *= self.untold(phase, &mut particle, at);
        }
        match phase {
            Phase::Presented => particle.renewed = particle.now,
            Phase::Prompted => particle.prompted = particle.now,
            Phase::Scanned => particle.weight *= self.codes(&particle, particle.now),
            _ => {}
        }
        next[taken].push(particle);
    }

    /// The density of a scan's moment if its code was stale: some code was the last one on the screen.
    fn stale(&self, step: &StepModel, particle: &Particle, at: f64, blur: f64) -> f64 {
        let codes = self.setting.segment.world(Flow::AppQr).codes;
        let passed = particle.now - particle.renewed;
        (0..codes.count)
            .map(|nth| {
                let (from, to) = (codes.lifetime_s * nth as f64, codes.lifetime_s * (nth + 1) as f64);
                let meant = step.time.below(to - passed) - step.time.below(from - passed);
                let end = particle.renewed + to;
                meant * uniform(at - end, STALE_S, blur) * self.codes(particle, end - 0.01)
            })
            .sum()
    }

    /// What a step waits on, until when, and what it is called when that is over.
    fn expiry(&self, phase: Phase, particle: &Particle) -> Option<(f64, Cause)> {
        let world = self.setting.segment.world(self.setting.flow);
        let (limit, cause) = match (self.setting.flow, phase) {
            (Flow::PasskeyCda, Phase::Scanned | Phase::Prompted) => (self.limit?, Cause::CodeExpired),
            (Flow::PasskeyCda, Phase::Proximity) => (self.limit?, Cause::ProximityFailed),
            (Flow::PasskeyCda, Phase::Confirmed) => (self.limit?, Cause::PromptExpired),
            (Flow::AppQr, Phase::Scanned) => {
                (particle.renewed + world.codes.lifetime_s * world.codes.count as f64, Cause::CodeExpired)
            }
            (Flow::MagicLink, Phase::Opened) => {
                (particle.renewed.min(particle.now) + world.link.lifetime_s, Cause::CodeExpired)
            }
            (Flow::AppQr | Flow::MagicLink, Phase::Confirmed) => {
                (particle.prompted + world.prompt_lifetime_s, Cause::PromptExpired)
            }
            _ => return None,
        };
        (limit < self.horizon).then_some((limit, cause))
    }
}

/// So many copies of each that there are enough for a law that is hidden.
fn spread(set: &[Particle], points: usize) -> Vec<Particle> {
    let Some(copies) = points.checked_div(set.len()).filter(|copies| *copies > 1) else {
        return set.to_vec();
    };
    let share = 1.0 / copies as f64;
    set.iter()
        .flat_map(|particle| {
            std::iter::repeat_n(Particle { weight: particle.weight * share, ..*particle }, copies)
        })
        .collect()
}

/// As many as there should be: each survives as often as its weight says, at even steps.
fn thinned(set: Vec<Particle>, points: usize) -> Vec<Particle> {
    if set.len() <= points + points / 2 {
        return set;
    }
    let sum: f64 = set.iter().map(|particle| particle.weight).sum();
    let each = sum / points as f64;
    let (mut left, mut kept) = (each * 0.5, Vec::with_capacity(points));
    for particle in set {
        left -= particle.weight;
        while left < 0.0 && kept.len() < points {
            kept.push(Particle { weight: each, ..particle });
            left += each;
        }
    }
    kept
}
