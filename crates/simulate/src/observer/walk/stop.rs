//! Rule 3 of the walk: what can have stopped the attempt on a step, and what the person did then.

use authstitch_model::{Cause, EndAct, Flow, Phase, Side};

use super::super::density::{Duration, RESOLUTION_S, uniform};
use super::super::model::{Hazard, StepModel};
use super::super::seen::{Emitter, Moment};
use super::ending::End;
use super::{Particle, Use, Walk, point};
use crate::life::{refused_at_once, scanned_stale, shown_as_error};

/// Share of pages that learn that there is no Bluetooth, where there is none.
const ASKS_BLUETOOTH: f64 = 0.4;
/// An expiry is noticed so many seconds after it.
const NOTICED_S: (f64, f64) = (0.5, 15.0);

impl<'a> Walk<'a> {
    /// The law of the time until a mishap strikes.
    fn strikes(&self, step: &'a StepModel, cause: Cause) -> &'a Duration {
        match refused_at_once(self.setting.flow, cause, step.phase) {
            true => &self.setting.model.refusal,
            false => &step.time,
        }
    }

    /// When a mishap strikes.
    pub(super) fn strike(
        &self,
        step: &StepModel,
        hazard: &Hazard,
        particle: &Particle,
        place: (usize, usize),
    ) -> f64 {
        let at = particle.now + self.draw(self.strikes(step, hazard.cause), place, Use::Strike);
        match self.expires(step, hazard, particle) {
            Some(limit) => {
                let late = point(place.0, place.1 * 6 + 7, self.setting.turn);
                limit.max(at) + NOTICED_S.0 + (NOTICED_S.1 - NOTICED_S.0) * late
            }
            None => at,
        }
    }

    /// Outside of passkeys, an expiry is not noticed before its limit.
    pub(super) fn expires(&self, step: &StepModel, hazard: &Hazard, particle: &Particle) -> Option<f64> {
        let (limit, cause) = self.expiry(step.phase, particle)?;
        (self.setting.flow != Flow::PasskeyCda && cause == hazard.cause).then_some(limit)
    }

    /// The density of a mishap's moment, where its mark was seen.
    pub(super) fn struck_at(
        &self,
        step: &StepModel,
        hazard: &Hazard,
        particle: &Particle,
        seen: Moment,
        place: (usize, usize),
    ) -> f64 {
        let blur = self.blur(particle.side, seen.side);
        match self.expires(step, hazard, particle) {
            Some(limit) => {
                let at = particle.now + self.draw(&step.time, place, Use::Strike);
                uniform(seen.at - limit.max(at), NOTICED_S, blur)
            }
            None => self.strikes(step, hazard.cause).density(seen.at - particle.now, blur),
        }
    }

    /// A page that asks the browser learns that there is no Bluetooth.
    fn asks(&self, cause: Cause) -> f64 {
        match (cause == Cause::BluetoothUnavailable, self.seen.no_hybrid) {
            (true, true) => ASKS_BLUETOOTH,
            (true, false) if self.seen.called.is_some() => 1.0 - ASKS_BLUETOOTH,
            _ => 1.0,
        }
    }

    /// How well what else was seen fits a mishap on this step.
    pub(super) fn fits(&self, step: &StepModel, cause: Cause, particle: &Particle) -> f64 {
        match scanned_stale(self.setting.flow, cause, step.phase) {
            true => particle.stale,
            false => self.asks(cause),
        }
    }

    /// What it costs that the page learnt of missing Bluetooth and this is not why the attempt stopped.
    pub(super) fn bluetooth_unexplained(&self, step: &StepModel, cause: Cause) -> f64 {
        if !self.seen.no_hybrid || cause == Cause::BluetoothUnavailable {
            return 1.0;
        }
        let overcome = |hazard: &&Hazard| hazard.cause == Cause::BluetoothUnavailable;
        let proximity = self.flow.step(Phase::Proximity);
        let rate = proximity.and_then(|step| step.hazards.iter().find(overcome));
        let rate = rate.map_or(0.0, |hazard| hazard.rate * hazard.overcome);
        if step.phase >= Phase::Proximity { rate * ASKS_BLUETOOTH } else { 1e-9 }
    }

    /// Everything that can have stopped the attempt on this step.
    pub(super) fn stop(
        &mut self,
        step: &StepModel,
        particle: &Particle,
        taken: usize,
        place: (usize, usize),
    ) {
        let left = self.seen.marks.len() - taken;
        if left > 1 || particle.weight <= 0.0 {
            return;
        }
        let mark = self.seen.marks.get(taken).copied();
        if let Some((limit, cause)) = self.browser_limit(step, particle).filter(|_| mark.is_none()) {
            let open = limit - particle.now;
            let (decides, strikes) =
                (1.0 - self.setting.model.decision.below(open), 1.0 - step.time.below(open));
            let beyond: f64 = step
                .hazards
                .iter()
                .map(|hazard| hazard.rate * if hazard.is_decision() { decides } else { strikes })
                .sum();
            if beyond > 1e-9 {
                self.expire(step, particle, cause, limit, taken, beyond, place);
            }
        }
        let unmarked = mark.is_none().then(|| self.unmarked(step, particle, place));
        for hazard in &step.hazards {
            let cause = hazard.cause;
            let other = self.bluetooth_unexplained(step, cause) * self.scanner(cause);
            if hazard.is_decision() {
                if let Some(unmarked) = &unmarked {
                    let weight = unmarked.decided(cause) * other;
                    self.add(cause, step.phase, particle.weight * hazard.rate * weight);
                }
                continue;
            }
            let traces = &hazard.marks[usize::from(self.setting.phone_emits)];
            // The browser's own code lives as long as its ceremony.
            let limit = self.browser_limit(step, particle).filter(|(_, expiry)| *expiry == cause);
            if let Some((limit, _)) = limit.filter(|_| cause == Cause::CodeExpired) {
                if mark.is_none() {
                    self.expire(step, particle, cause, limit, taken, hazard.rate, place);
                }
                continue;
            }
            let weight = match (mark, &unmarked) {
                (None, Some(unmarked)) => {
                    let told = traces.any();
                    let silent = 1.0 - told + told * unmarked.silent[traces.side().index()];
                    let shown = shown_as_error(self.setting.flow, cause, step.phase);
                    let blocked = match self.expires(step, hazard, particle) {
                        Some(_) => {
                            let at = self.strike(step, hazard, particle, place);
                            self.blocked(step, cause, particle, Strike { at, marked: None }, place)
                        }
                        None => unmarked.blocked(cause, shown),
                    };
                    silent * blocked
                }
                (Some((moment, mark)), _) => {
                    let share = traces.of(mark);
                    if share <= 0.0 {
                        continue;
                    }
                    let density = self.struck_at(step, hazard, particle, moment, place);
                    let strike = Strike { at: moment.at, marked: Some(moment) };
                    share * density * self.blocked(step, cause, particle, strike, place)
                }
                (None, None) => 0.0,
            };
            let weight = particle.weight * weight * other * self.fits(step, cause, particle);
            self.add(cause, step.phase, weight * hazard.rate * (1.0 - hazard.overcome));
            self.found.standing[cause.index()][step.phase.index()] += weight;
        }
    }

    /// The browser's limit, and what it is called, where it can come first.
    pub(super) fn browser_limit(&self, step: &StepModel, particle: &Particle) -> Option<(f64, Cause)> {
        self.expiry(step.phase, particle).filter(|_| self.setting.flow == Flow::PasskeyCda)
    }

    /// What is the same for many causes: each act after a decision, and after a mishap that nobody told.
    pub(super) fn unmarked(&self, step: &StepModel, particle: &Particle, place: (usize, usize)) -> Unmarked {
        let phase = step.phase;
        let decided = |cause| match step.hazards.iter().any(|hazard| hazard.cause == cause) {
            true => self.decide(step, cause, particle, place),
            false => 0.0,
        };
        let at = particle.now + self.draw(&step.time, place, Use::Strike);
        let strike = Strike { at, marked: None };
        let limit = self.limit.filter(|_| self.pending(phase));
        let too_late = limit.is_some_and(|limit| at > limit) && self.expiry(phase, particle).is_some();
        let end = |cause| End { cause, phase, missing: particle.missing, renewed: particle.renewed };
        let told =
            if too_late { 0.0 } else { self.failed(step, &end(Cause::NoCredential), particle, strike) };
        let thrown = |cause| match self.seen.failed {
            // What was thrown is all that differs, but for a call that is refused at once.
            Some(_) if self.thrown.failed > 0.0 && !refused_at_once(self.setting.flow, cause, phase) => {
                told * self.thrown(EndAct::Failed, cause) / self.thrown.failed
            }
            Some(_) if too_late => 0.0,
            Some(_) => self.failed(step, &end(cause), particle, strike),
            None => told,
        };
        let silent = |emitter: Emitter| self.missing(emitter, at, particle.missing[emitter as usize]);
        let server = self.emitter_of(Side::Server, phase);
        let mut sides = [0.0; Side::COUNT];
        sides[Side::Initiator.index()] = silent(Emitter::Page);
        sides[Side::Authenticator.index()] = silent(Emitter::Phone);
        sides[Side::Server.index()] = silent(server);
        let walks = decided(Cause::WalkedAway);
        Unmarked {
            cancelled: decided(Cause::Cancelled),
            declined: decided(Cause::Declined),
            switched: decided(Cause::SwitchedMethod),
            abandoned: if walks > 0.0 { walks } else { decided(Cause::ConfirmationAbandoned) },
            misused: thrown(Cause::ClientError),
            odd: thrown(Cause::Unknown),
            failed: told,
            gave_up: if too_late { 0.0 } else { self.gave_up(&end(Cause::Unknown), strike, limit, place) },
            silent: sides,
        }
    }

    pub(super) fn add(&mut self, cause: Cause, phase: Phase, weight: f64) {
        self.found.leaves[cause.index()][phase.index()] += weight;
    }

    pub(super) const fn emitter_of(&self, side: Side, phase: Phase) -> Emitter {
        let by_page = matches!(self.setting.flow, Flow::PasskeyCda)
            || !matches!(phase, Phase::Verified | Phase::Opened | Phase::Confirmed);
        match side {
            Side::Initiator => Emitter::Page,
            Side::Authenticator => Emitter::Phone,
            Side::Server if by_page => Emitter::ServerForPage,
            Side::Server => Emitter::ServerForPhone,
        }
    }

    /// The fetch of a scanner: seldom by `HEAD` alone where it did no harm.
    pub(super) fn scanner(&self, cause: Cause) -> f64 {
        if self.setting.flow != Flow::MagicLink {
            return 1.0;
        }
        let harmless = if self.setting.by_qr {
            0.0
        } else {
            self.setting.segment.world(Flow::MagicLink).link.scanned_harmlessly
        };
        match (self.seen.scanner, cause == Cause::LinkPrefetched) {
            (Some(true), true) => 2.0 / 3.0,
            (Some(false), true) => 1.0 / 3.0,
            (Some(true), false) => 1e-6,
            (Some(false), false) => harmless.max(1e-6),
            (None, true) => self.loss(Side::Server),
            (None, false) => 1.0 - harmless * (1.0 - self.loss(Side::Server)),
        }
    }

    /// A decision after a pause, and the act that it is.
    pub(super) fn decide(
        &self,
        step: &StepModel,
        cause: Cause,
        particle: &Particle,
        place: (usize, usize),
    ) -> f64 {
        let acts: &[(EndAct, f64)] = match cause {
            Cause::Cancelled => &[(EndAct::Cancelled, 1.0)],
            Cause::Declined => &[(EndAct::Declined, 1.0)],
            Cause::SwitchedMethod => &[(EndAct::Switched, 1.0)],
            _ => {
                let closes = self.setting.model.world.people.walking_closes;
                return self.parted(step, cause, EndAct::Closed, particle, place) * closes
                    + self.parted(step, cause, EndAct::Silent, particle, place) * (1.0 - closes);
            }
        };
        acts.iter().map(|(act, share)| share * self.parted(step, cause, *act, particle, place)).sum()
    }

    pub(super) fn parted(
        &self,
        step: &StepModel,
        cause: Cause,
        act: EndAct,
        particle: &Particle,
        place: (usize, usize),
    ) -> f64 {
        let decision = self.setting.model.decision;
        let end = End { cause, phase: step.phase, missing: particle.missing, renewed: particle.renewed };
        let limit = self.limit.filter(|_| self.pending(step.phase));
        let expires = self.expiry(step.phase, particle).filter(|_| limit.is_some());
        if act == EndAct::Silent {
            // Whoever leaves the page open is not heard of before the browser gives up.
            let at = particle.now + self.draw(&decision, place, Use::Decision);
            if limit.is_some_and(|limit| at > limit) && expires.is_some() {
                return 0.0;
            }
            return self.nobody_there(&end, at);
        }
        match self.pinned(act, step.phase) {
            Some(moment) => {
                let blur = self.blur(particle.side, moment.side);
                let after = moment.at - particle.now;
                let density = match (limit, expires) {
                    (Some(limit), _) if moment.at > limit + RESOLUTION_S => 0.0,
                    // Where nothing can expire, whoever is too slow decides at some moment before.
                    (Some(limit), None) => {
                        let open = (limit - particle.now).max(RESOLUTION_S);
                        decision.density(after, blur) + (1.0 - decision.below(open)) / open
                    }
                    _ => decision.density(after, blur),
                };
                density * self.ending(&end, act, moment.at)
            }
            None => {
                let at = particle.now + self.draw(&decision, place, Use::Decision);
                if limit.is_some_and(|limit| at > limit) && expires.is_some() {
                    return 0.0;
                }
                self.ending(&end, act, limit.map_or(at, |limit| at.min(limit)))
            }
        }
    }

    /// A mishap that was not overcome.
    pub(super) fn blocked(
        &self,
        step: &StepModel,
        cause: Cause,
        particle: &Particle,
        strike: Strike,
        place: (usize, usize),
    ) -> f64 {
        let pending = self.pending(step.phase);
        let limit = self.limit.filter(|_| pending);
        if limit.is_some_and(|limit| strike.at > limit) && self.expiry(step.phase, particle).is_some() {
            return 0.0;
        }
        let end = End { cause, phase: step.phase, missing: particle.missing, renewed: particle.renewed };
        let shown = shown_as_error(self.setting.flow, cause, step.phase);
        let mut weight = 0.0;
        if shown > 0.0 {
            weight += shown * self.failed(step, &end, particle, strike);
        }
        if shown < 1.0 {
            weight += (1.0 - shown) * self.gave_up(&end, strike, limit, place);
        }
        weight
    }

    /// The mishap was shown as an error that ended the attempt.
    pub(super) fn failed(&self, step: &StepModel, end: &End, particle: &Particle, strike: Strike) -> f64 {
        let told_by_phone = self.setting.flow == Flow::PasskeyCda && step.phase >= Phase::Prompted;
        let delay = if told_by_phone { (0.8, 6.05) } else { (0.02, 0.35) };
        let Some(moment) = self.pinned(EndAct::Failed, step.phase) else {
            return self.ending(end, EndAct::Failed, strike.at + f64::midpoint(delay.0, delay.1));
        };
        let density = match strike.marked {
            Some(marked) => uniform(moment.at - marked.at, delay, self.blur(marked.side, moment.side)),
            None => {
                let since = moment.at - particle.now;
                let law = self.strikes(step, end.cause);
                (law.below(since - delay.0) - law.below(since - delay.1)).max(0.0) / (delay.1 - delay.0)
            }
        };
        density * self.ending(end, EndAct::Failed, moment.at)
    }

    /// The person is stuck and gives up at last, if the browser does not first.
    pub(super) fn gave_up(
        &self,
        end: &End,
        strike: Strike,
        limit: Option<f64>,
        place: (usize, usize),
    ) -> f64 {
        let patience = self.setting.model.patience;
        let mut weight = 0.0;
        let last = limit.unwrap_or(f64::INFINITY).min(self.horizon);
        if let Some(limit) = limit.filter(|limit| *limit < self.horizon) {
            let outlasted = 1.0 - patience.below(limit - strike.at);
            weight += outlasted * self.timed_out(end, limit);
        } else {
            let outlasted = 1.0 - patience.below(self.horizon - strike.at);
            weight += outlasted * self.ending(end, EndAct::Silent, strike.at);
        }
        let gives_up = strike.at + self.draw(&patience, place, Use::Patience);
        for (act, share) in self.setting.model.world.people.endings.shares() {
            let side = strike.marked.map_or(Side::Initiator, |moment| moment.side);
            weight += share
                * match (act, self.pinned(*act, end.phase)) {
                    (EndAct::Silent, _) if gives_up < last => self.nobody_there(end, gives_up),
                    (EndAct::Silent, _) => 0.0,
                    (_, Some(moment)) if moment.at < last => {
                        patience.density(moment.at - strike.at, self.blur(side, moment.side))
                            * self.ending(end, *act, moment.at)
                    }
                    (_, None) if gives_up < last => self.ending(end, *act, gives_up),
                    _ => 0.0,
                };
        }
        weight
    }

    /// Time ran out on a step that nothing else had stopped.
    #[expect(clippy::too_many_arguments, reason = "each is a part of what ran out")]
    pub(super) fn expire(
        &mut self,
        step: &StepModel,
        particle: &Particle,
        cause: Cause,
        noticed: f64,
        taken: usize,
        blocked: f64,
        place: (usize, usize),
    ) {
        let left = self.seen.marks.len() - taken;
        if left > 1 || noticed >= self.horizon {
            return;
        }
        let end = End { cause, phase: step.phase, missing: particle.missing, renewed: particle.renewed };
        let traces = step.hazards.iter().find(|hazard| hazard.cause == cause);
        let traces = traces.map(|hazard| &hazard.marks[usize::from(self.setting.phone_emits)]);
        let weight = if self.setting.flow == Flow::PasskeyCda {
            if left > 0 {
                return;
            }
            self.timed_out(&end, noticed)
        } else {
            let told = traces.map_or(0.0, |traces| traces.any() * (1.0 - self.loss(traces.side())));
            match self.seen.marks.get(taken) {
                None => {
                    let strike = Strike { at: noticed, marked: None };
                    (1.0 - told) * self.blocked(step, cause, particle, strike, place)
                }
                Some((moment, mark)) => {
                    let share = traces.map_or(0.0, |traces| traces.of(*mark));
                    let strike = Strike { at: moment.at, marked: Some(*moment) };
                    share * 0.05 * self.blocked(step, cause, particle, strike, place)
                }
            }
        };
        let other = self.bluetooth_unexplained(step, cause) * self.scanner(cause);
        self.add(cause, step.phase, particle.weight * weight * blocked * other);
    }
}

/// What follows on a step where no mark is left, by what it follows from.
pub(super) struct Unmarked {
    cancelled: f64,
    declined: f64,
    switched: f64,
    abandoned: f64,
    misused: f64,
    odd: f64,
    failed: f64,
    gave_up: f64,
    /// The probability that a mark of each side does not arrive.
    silent: [f64; Side::COUNT],
}

impl Unmarked {
    pub(super) const fn decided(&self, cause: Cause) -> f64 {
        match cause {
            Cause::Cancelled => self.cancelled,
            Cause::Declined => self.declined,
            Cause::SwitchedMethod => self.switched,
            _ => self.abandoned,
        }
    }

    pub(super) fn blocked(&self, cause: Cause, shown: f64) -> f64 {
        let failed = match cause {
            Cause::ClientError => self.misused,
            Cause::PolicyBlocked | Cause::Unknown => self.odd,
            _ => self.failed,
        };
        shown * failed + (1.0 - shown) * self.gave_up
    }
}

/// When a mishap struck, and its mark's moment where that was seen.
#[derive(Clone, Copy)]
pub(super) struct Strike {
    at: f64,
    marked: Option<Moment>,
}
