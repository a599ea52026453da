//! Layer one: what happened to the person. No event, no telemetry, no receiver is known here.
//!
//! A login is a row of steps, each reaching one phase. On every step, in this order:
//!
//! 1. A standing obstacle that stopped the attempt before (a missing passkey, a filter) may still be there.
//! 2. Else one of the step's hazards may strike, each with its rate: a mishap, or the person's own decision.
//! 3. A mishap may be overcome, which takes time and leaves a hiccup; else it blocks, and it is the cause.
//! 4. Else the step takes its time. If that is longer than what it waits on lives (a code, a prompt, a link,
//!    the browser's ceremony), the expiry is the mishap, by rule 3.
//!    An order's code that has expired by the time the app opens was stale when it was scanned: from a
//!    photograph, or off a page that had gone to sleep and showed no newer one.
//! 5. Who is blocked either sees an error that ends it, or is stuck and gives up after their patience; what
//!    they do then is the act that ended it, and never its cause.
//! 6. Who decides to go has decided; an expiry after that is no mishap. But a browser does not wait: what would
//!    come after its ceremony's limit is the expiry instead. Where nothing can expire yet, before the code is on
//!    the screen, it comes at some moment before the limit.
//! 7. Whoever is still on the way at the flow's horizon walks away.

mod browser;
mod ending;
mod person;

use authstitch_model::truth::TruePhase;
use authstitch_model::{Cause, EndAct, Flow, Millis, Outcome, Phase, Transport, UnixNanos};

pub(crate) use browser::{EndOfTime, effective_timeout, end_of_time};
pub(crate) use ending::shown_as_error;
pub(crate) use person::{Initiator, Person, Phone};

use crate::caps;
use crate::random::{Dice, after};
use crate::world::{FlowWorld, Law, People, Step, Timing, World};

/// Everything that happened in one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) flow: Flow,
    /// The person turned to this kind of login.
    pub(crate) started_at: UnixNanos,
    /// The passkey ceremony, where there is one.
    pub(crate) ceremony: Option<Ceremony>,
    /// Whether the link of a magic link came as a QR code.
    pub(crate) link_by_qr: bool,
    /// When each code of the order was put on the screen.
    pub(crate) codes: Vec<UnixNanos>,
    /// The phases reached, in order.
    pub(crate) reached: Vec<TruePhase>,
    /// Mishaps that were overcome, in order.
    pub(crate) hiccups: Vec<Hiccup>,
    /// Why it did not succeed.
    pub(crate) stopped: Option<Stopped>,
    pub(crate) end: End,
}

/// A passkey ceremony.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ceremony {
    /// Where the answer would come from.
    pub(crate) transport: Transport,
    /// Whether it waits in autofill.
    pub(crate) conditional: bool,
    /// The timeout that the page asked for.
    pub(crate) requested: Option<Millis>,
    /// How long the browser really waits; an autofill ceremony has no limit.
    pub(crate) limit: Option<Millis>,
}

/// A mishap that was overcome.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hiccup {
    pub(crate) cause: Cause,
    pub(crate) phase: Phase,
    pub(crate) at: UnixNanos,
    pub(crate) over_at: UnixNanos,
}

/// What stopped an attempt, and before which phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stopped {
    pub(crate) cause: Cause,
    pub(crate) phase: Phase,
    pub(crate) at: UnixNanos,
}

/// The act that ended an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) act: EndAct,
    /// When it ended; for those who leave silently, when they left.
    pub(crate) at: UnixNanos,
}

impl Story {
    /// When a phase was reached.
    pub(crate) fn at(&self, phase: Phase) -> Option<UnixNanos> {
        self.reached.iter().find(|reached| reached.phase == phase).map(|reached| reached.at)
    }

    /// Why it ended as it did; `none` if it succeeded.
    pub(crate) fn cause(&self) -> Cause {
        self.stopped.map_or(Cause::None, |stopped| stopped.cause)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.cause().outcome()
    }

    /// When the browser gives the ceremony up.
    pub(crate) fn ceremony_limit(&self) -> Option<UnixNanos> {
        let limit = self.ceremony?.limit?;
        Some(self.at(Phase::Started)?.plus(limit))
    }

    /// Whether a ceremony was begun and gave no answer.
    pub(crate) fn ceremony_pending(&self) -> bool {
        self.ceremony.is_some() && self.at(Phase::Started).is_some() && self.at(Phase::Confirmed).is_none()
    }
}

/// Whether an obstacle outlives the attempt that it stopped: a passkey is missing tomorrow, too.
pub(crate) const fn stands(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::NoCredential
            | Cause::BluetoothUnavailable
            | Cause::NetworkBlocked
            | Cause::PolicyBlocked
            | Cause::UnsupportedDevice
            | Cause::WrongDevice
            | Cause::WrongApp
            | Cause::HandoffFailed
            | Cause::DeliveryFailed
            | Cause::RiskDenied
    )
}

/// Whether a browser refuses the page's call at once, before anybody sees anything.
pub(crate) const fn refused_at_once(flow: Flow, cause: Cause, phase: Phase) -> bool {
    matches!((flow, cause, phase), (Flow::PasskeyCda, Cause::ClientError, Phase::Presented))
}

/// Whether what expired was stale when it was scanned.
pub(crate) const fn scanned_stale(flow: Flow, cause: Cause, phase: Phase) -> bool {
    matches!((flow, cause, phase), (Flow::AppQr, Cause::CodeExpired, Phase::Opened))
}

/// So many seconds after its end a stale code is scanned.
pub(crate) const STALE_S: (f64, f64) = (2.0, 60.0);

/// How long a browser takes to refuse a call.
pub(crate) const REFUSAL: Law = Law::new(0.12, 0.45);

/// Lives one attempt. `standing` is what stopped the attempt before it, where that may still be there.
pub(crate) fn live(
    world: &World,
    person: &Person,
    flow: Flow,
    started_at: UnixNanos,
    standing: Option<Stopped>,
    dice: &mut Dice,
) -> Story {
    let flow_world = person.segment.flows.of(flow);
    let ceremony = (flow == Flow::PasskeyCda).then(|| begin_ceremony(flow_world, person, dice));
    let link_by_qr = flow == Flow::MagicLink && dice.chance(flow_world.link.by_qr);
    let story = Story {
        flow,
        started_at,
        ceremony,
        link_by_qr,
        codes: Vec::new(),
        reached: Vec::new(),
        hiccups: Vec::new(),
        stopped: None,
        end: End { act: EndAct::Succeeded, at: started_at },
    };
    let horizon = started_at.plus(flow_world.horizon);
    let people = &world.people;
    let walk = Walk {
        flow_world,
        people,
        timing: world.timing,
        person,
        standing,
        dice,
        story,
        now: started_at,
        horizon,
    };
    walk.run()
}

fn begin_ceremony(flow_world: &FlowWorld, person: &Person, dice: &mut Dice) -> Ceremony {
    let world = &flow_world.ceremony;
    let wanted = *world.transports.pick(dice);
    let transport = person.possible(wanted);
    let conditional = dice.chance(world.conditional);
    let requested = *world.requested_timeout.pick(dice);
    let limit = (!conditional).then(|| effective_timeout(person.initiator.browser, requested));
    Ceremony { transport, conditional, requested, limit }
}

/// How far a step came.
enum Passage {
    Reached(UnixNanos),
    Blocked(Cause, UnixNanos),
    Decided(Cause, UnixNanos),
}

/// One attempt while it is lived.
struct Walk<'a> {
    flow_world: &'a FlowWorld,
    people: &'a People,
    timing: Timing,
    person: &'a Person,
    standing: Option<Stopped>,
    dice: &'a mut Dice,
    story: Story,
    now: UnixNanos,
    horizon: UnixNanos,
}

impl Walk<'_> {
    fn run(mut self) -> Story {
        let transport = self.story.ceremony.map(|ceremony| ceremony.transport);
        for step in self.flow_world.plan(transport, self.story.link_by_qr) {
            let passage = match self.pass(step) {
                Passage::Reached(at) | Passage::Blocked(_, at) if at >= self.horizon => {
                    Passage::Decided(Cause::WalkedAway, self.horizon)
                }
                passage => passage,
            };
            match passage {
                Passage::Reached(at) => self.reach(step.phase, at),
                Passage::Blocked(cause, at) | Passage::Decided(cause, at) => {
                    self.story.stopped = Some(Stopped { cause, phase: step.phase, at });
                    self.story.end = self.ending(cause, step.phase, at);
                    self.show_codes(self.story.end.at);
                    return self.story;
                }
            }
        }
        self.story.end = End { act: EndAct::Succeeded, at: self.now };
        self.story
    }

    fn reach(&mut self, phase: Phase, at: UnixNanos) {
        // Two phases never share a nanosecond, so their order is a fact.
        let at = UnixNanos(at.0.max(self.now.0 + 1));
        match phase {
            Phase::Presented => self.story.codes.push(at),
            Phase::Scanned => self.show_codes(at),
            _ => {}
        }
        self.story.reached.push(TruePhase { phase, at });
        self.now = at;
    }

    /// Rules 1 to 4.
    fn pass(&mut self, step: &Step) -> Passage {
        if let Some(cause) = self.still_standing(step.phase) {
            return self.struck(cause, step);
        }
        let mut from = self.now;
        for _ in 0..caps::TRIES_PER_STEP {
            let Some(cause) = self.hazard(step) else { break };
            if matches!(cause.outcome(), Outcome::UserAbandoned | Outcome::UserDeclined) {
                let at = after(from, self.draw(&self.people.decision));
                return match self.too_late(step.phase, at) {
                    Some((limit, expiry)) => Passage::Blocked(expiry, limit),
                    None => Passage::Decided(cause, self.within_ceremony(at)),
                };
            }
            if scanned_stale(self.story.flow, cause, step.phase) {
                self.scan_late();
            }
            let struck = self.struck(cause, step);
            match struck {
                Passage::Blocked(struck, at) if struck == cause && self.overcomes(cause, step.phase, at) => {}
                _ => return struck,
            }
            from = self.now;
        }
        for _ in 0..caps::TRIES_PER_STEP {
            let at = after(self.now, self.draw_step(step));
            let Some((limit, cause)) = self.limit(step.phase).filter(|(limit, _)| at > *limit) else {
                return Passage::Reached(at);
            };
            // A browser ends its ceremony at the limit; a dead code or prompt is noticed when it is used.
            let noticed = if self.story.flow == Flow::PasskeyCda { limit } else { at };
            if !self.overcomes(cause, step.phase, noticed) {
                return Passage::Blocked(cause, noticed);
            }
        }
        let at = after(self.now, self.draw(&self.people.patience));
        Passage::Decided(Cause::WalkedAway, at)
    }

    /// The last code on the screen was scanned after its end.
    fn scan_late(&mut self) {
        let Some(shown) = self.story.codes.last() else { return };
        let late = self.flow_world.codes.lifetime_s + self.dice.between(STALE_S.0, STALE_S.1);
        let at = after(*shown, late).max(self.now);
        if let Some(scan) = self.story.reached.last_mut().filter(|last| last.phase == Phase::Scanned) {
            scan.at = at;
            self.now = at;
        }
    }

    fn still_standing(&mut self, phase: Phase) -> Option<Cause> {
        let standing = self.standing.filter(|standing| standing.phase == phase)?;
        self.dice.chance(self.people.retry.still_there).then_some(standing.cause)
    }

    fn hazard(&mut self, step: &Step) -> Option<Cause> {
        let mut left = self.dice.unit();
        let rates =
            step.hazards.iter().map(|(cause, rate)| (*cause, rate * self.person.segment.factor(*cause)));
        let sum: f64 = rates.clone().map(|(_, rate)| rate).sum();
        left *= sum.max(1.0);
        for (cause, rate) in rates {
            if left < rate {
                return Some(cause);
            }
            left -= rate;
        }
        None
    }

    /// A mishap blocks, unless the browser's limit comes first.
    fn struck(&mut self, cause: Cause, step: &Step) -> Passage {
        let at = self.strikes_at(cause, step);
        match self.too_late(step.phase, at) {
            Some((limit, expiry)) => Passage::Blocked(expiry, limit),
            None => Passage::Blocked(cause, at),
        }
    }

    /// A mishap strikes where the step would have come to its end; a refused call at once, an expiry not before
    /// its limit.
    fn strikes_at(&mut self, cause: Cause, step: &Step) -> UnixNanos {
        let passkey = self.story.flow == Flow::PasskeyCda;
        if refused_at_once(self.story.flow, cause, step.phase) {
            return after(self.now, self.draw(&REFUSAL));
        }
        let at = after(self.now, self.draw_step(step));
        match self.limit(step.phase) {
            // The browser's own code lives as long as its ceremony; an advert that is not matched, or a prompt
            // that leaves the phone's screen, strikes earlier, and the desktop goes on waiting.
            Some((limit, Cause::CodeExpired)) if passkey && cause == Cause::CodeExpired => limit,
            Some((limit, expiry)) if !passkey && expiry == cause => {
                after(limit.max(at), self.dice.between(0.5, 15.0))
            }
            _ => self.within_ceremony(at),
        }
    }

    /// The browser's limit, and what it is called, where it comes before this time.
    fn too_late(&self, phase: Phase, at: UnixNanos) -> Option<(UnixNanos, Cause)> {
        let passkey = self.story.flow == Flow::PasskeyCda;
        self.limit(phase).filter(|(limit, _)| passkey && at > *limit)
    }

    /// Nothing happens in a ceremony after the browser has ended it.
    fn within_ceremony(&mut self, at: UnixNanos) -> UnixNanos {
        let limit = self.story.ceremony_limit().filter(|_| self.story.ceremony_pending());
        match limit.filter(|limit| at > *limit) {
            Some(limit) => after(self.now, self.dice.between(0.0, limit.since(self.now).0 as f64 / 1e3)),
            None => at,
        }
    }

    /// Whether a mishap is overcome. The end of a ceremony is not: what follows is another ceremony.
    fn overcomes(&mut self, cause: Cause, phase: Phase, at: UnixNanos) -> bool {
        if !self.dice.chance(self.people.overcomes(cause)) {
            return false;
        }
        let over_at = after(at, self.draw(&self.people.recovery));
        let ceremony = self.story.ceremony_limit().filter(|_| self.story.ceremony_pending());
        if ceremony.is_some_and(|limit| over_at >= limit) {
            return false;
        }
        self.show_codes(at);
        self.story.hiccups.push(Hiccup { cause, phase, at, over_at });
        // A new order shows a new code; a link is sent again as it was.
        if cause == Cause::CodeExpired && self.story.flow == Flow::AppQr && !self.story.codes.is_empty() {
            self.story.codes.push(over_at);
        }
        self.now = over_at;
        true
    }

    /// What a step waits on, until when, and what it is called when that is over.
    fn limit(&self, phase: Phase) -> Option<(UnixNanos, Cause)> {
        let prompt = self.flow_world.prompt_lifetime_s;
        match (self.story.flow, phase) {
            (Flow::PasskeyCda, Phase::Scanned | Phase::Prompted) => {
                Some((self.story.ceremony_limit()?, Cause::CodeExpired))
            }
            (Flow::PasskeyCda, Phase::Proximity) => {
                Some((self.story.ceremony_limit()?, Cause::ProximityFailed))
            }
            (Flow::PasskeyCda, Phase::Confirmed) => {
                Some((self.story.ceremony_limit()?, Cause::PromptExpired))
            }
            (Flow::AppQr, Phase::Scanned) => {
                let codes = self.flow_world.codes;
                let renewed =
                    self.renewed_at(phase, Cause::CodeExpired).or(self.story.at(Phase::Presented))?;
                Some((after(renewed, codes.lifetime_s * codes.count as f64), Cause::CodeExpired))
            }
            (Flow::MagicLink, Phase::Opened) => {
                let sent = self.renewed_at(phase, Cause::CodeExpired).or(self.story.at(Phase::Started))?;
                Some((after(sent, self.flow_world.link.lifetime_s), Cause::CodeExpired))
            }
            (Flow::AppQr | Flow::MagicLink, Phase::Confirmed) => {
                let shown =
                    self.renewed_at(phase, Cause::PromptExpired).or(self.story.at(Phase::Prompted))?;
                Some((after(shown, prompt), Cause::PromptExpired))
            }
            _ => None,
        }
        .filter(|(limit, _)| *limit < self.horizon)
    }

    fn renewed_at(&self, phase: Phase, cause: Cause) -> Option<UnixNanos> {
        let same = |hiccup: &&Hiccup| hiccup.cause == cause && hiccup.phase == phase;
        self.story.hiccups.iter().rev().find(same).map(|hiccup| hiccup.over_at)
    }

    /// Codes rotate on the screen until one is scanned, the order is over, or nobody is there.
    fn show_codes(&mut self, until: UnixNanos) {
        let codes = self.flow_world.codes;
        if self.story.flow != Flow::AppQr || self.story.at(Phase::Scanned).is_some() {
            return;
        }
        let Some(first) =
            self.renewed_at(Phase::Scanned, Cause::CodeExpired).or(self.story.at(Phase::Presented))
        else {
            return;
        };
        for nth in 1..codes.count {
            let at = after(first, codes.lifetime_s * nth as f64);
            if at < until && self.story.codes.last().is_none_or(|last| *last < at) {
                self.story.codes.push(at);
            }
        }
    }

    fn draw(&mut self, law: &Law) -> f64 {
        law.draw(self.dice, Timing::PLAIN)
    }

    fn draw_step(&mut self, step: &Step) -> f64 {
        step.time.draw(self.dice, self.timing)
    }
}

#[cfg(test)]
mod tests;
