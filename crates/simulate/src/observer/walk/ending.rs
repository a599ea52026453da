//! Rules 3 and 5 of the walk: the events of the end, those that were seen and those that were not, given the act
//! that ended the attempt; and whether the person came again.

use std::sync::LazyLock;

use authstitch_model::{Browser, Cause, EndAct, ErrorClass, Flow, Outcome, Phase, Side};
use authstitch_otlp::error_class;

use super::super::density::{RESOLUTION_S, uniform};
use super::super::seen::{Emitter, Moment};
use super::{Particle, Walk};
use crate::life::{EndOfTime, end_of_time};
use crate::stack::ending::{
    CANCELLED_ON_PAGE, HIDDEN_AFTER_S, HIDDEN_BEFORE_UNLOAD, HIDDEN_WHEN_LEFT, SHEET_DISMISSED_S,
};
use crate::stack::webauthn::{self, Thrown};
use crate::world::Form;

/// Share of attempts after which a block has room for a retry: an attempt is as likely to be any of the eight.
const ROOM: f64 = 7.0 / 8.0;

/// What stopped the attempt.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) cause: Cause,
    pub(super) phase: Phase,
    pub(super) missing: [f64; 4],
    pub(super) renewed: f64,
}

impl Walk<'_> {
    /// Whether the ceremony waits for an answer while a phase is not reached.
    pub(super) fn pending(&self, phase: Phase) -> bool {
        self.setting.flow == Flow::PasskeyCda && phase > Phase::Started && phase <= Phase::Confirmed
    }

    /// The moment that tells when an act happened, where one of its events was seen.
    pub(super) fn pinned(&self, act: EndAct, phase: Phase) -> Option<Moment> {
        let page = |at| Moment { at, side: Side::Initiator };
        let failed = self.seen.failed.filter(|_| self.pending(phase)).map(|(at, _)| page(at));
        match act {
            EndAct::Cancelled => self.seen.cancelled.map(page).or(failed),
            EndAct::Switched => self.seen.switched.map(page).or(failed),
            EndAct::Closed => self.seen.unloaded.map(page),
            EndAct::Declined => self.seen.declined.or(failed),
            EndAct::Failed | EndAct::TimedOut => failed,
            EndAct::Silent | EndAct::Succeeded => None,
        }
    }

    pub(super) fn nobody_there(&self, end: &End, at: f64) -> f64 {
        match self.limit.filter(|limit| self.pending(end.phase) && *limit < self.horizon) {
            Some(limit) => self.timed_out(end, limit),
            None => self.ending(end, EndAct::Silent, at),
        }
    }

    /// The browser ends the ceremony at its limit.
    pub(super) fn timed_out(&self, end: &End, limit: f64) -> f64 {
        let Some(moment) = self.pinned(EndAct::TimedOut, end.phase) else {
            return self.ending(end, EndAct::TimedOut, limit);
        };
        let density = match end_of_time(self.setting.browser) {
            EndOfTime::Fails => uniform(moment.at - limit, (-RESOLUTION_S, RESOLUTION_S), RESOLUTION_S),
            EndOfTime::Sheet => uniform(moment.at - limit, SHEET_DISMISSED_S, RESOLUTION_S),
        };
        density * self.ending(end, EndAct::TimedOut, moment.at)
    }

    /// The probability of what was and was not seen of the end, given the act and its time.
    pub(super) fn ending(&self, end: &End, act: EndAct, at: f64) -> f64 {
        let mut particle = Particle {
            now: at,
            side: Side::Initiator,
            weight: 1.0,
            missing: end.missing,
            renewed: end.renewed,
            prompted: at,
            stale: 1.0,
        };
        let passkey = self.setting.flow == Flow::PasskeyCda;
        let pending = self.pending(end.phase) && !self.setting.conditional;
        let fails = pending
            && matches!(
                act,
                EndAct::Cancelled | EndAct::Switched | EndAct::Declined | EndAct::Failed | EndAct::TimedOut
            );
        let sheet = act == EndAct::TimedOut && end_of_time(self.setting.browser) == EndOfTime::Sheet;
        let told = if sheet { self.setting.model.world.people.dismisses_sheet } else { 1.0 };
        let mut weight = 1.0;
        match (self.seen.failed, fails) {
            (Some(_), false) => return 0.0,
            (Some(_), true) => weight *= told * self.thrown(act, end.cause),
            (None, true) => weight *= 1.0 - told + told * self.lose(Emitter::Page, &mut particle, at),
            (None, false) => {}
        }
        if passkey && self.setting.style.long_spans {
            match (self.seen.called.is_some() && self.seen.failed.is_none(), fails) {
                _ if !pending => {}
                // A ceremony without an end never tells of its beginning.
                (true, _) if self.seen.at(Phase::Confirmed).is_none() => return 0.0,
                _ => {}
            }
        }
        let cancels = match act {
            EndAct::Cancelled if passkey => CANCELLED_ON_PAGE,
            EndAct::Cancelled => 1.0,
            _ => 0.0,
        };
        weight *= self.told(self.seen.cancelled.is_some(), cancels, &mut particle, at);
        let switches = f64::from(act == EndAct::Switched);
        weight *= self.told(self.seen.switched.is_some(), switches, &mut particle, at);
        if weight == 0.0 {
            return 0.0;
        }
        weight *= match (self.seen.unloaded.is_some(), act == EndAct::Closed) {
            (true, true) | (false, false) => 1.0,
            (true, false) => return 0.0,
            (false, true) => {
                let kept = 1.0 - self.setting.model.world.telemetry.unload_loss;
                1.0 - kept * (1.0 - self.lose(Emitter::Page, &mut particle, at))
            }
        };
        weight *= match (self.seen.declined.is_some(), act == EndAct::Declined) {
            (true, false) => return 0.0,
            (false, true) if !passkey || self.setting.phone_emits => {
                self.lose(Emitter::Phone, &mut particle, at)
            }
            _ => 1.0,
        };
        if self.setting.flow == Flow::AppQr && end.phase == Phase::Scanned {
            weight *= self.codes(&particle, at);
        }
        weight * self.visibility(act, at) * self.trace_kept(end, act) * self.again(end.cause, act, at)
    }

    /// An event of the page that is sent with some probability.
    pub(super) fn told(&self, seen: bool, sent: f64, particle: &mut Particle, at: f64) -> f64 {
        match seen {
            true => sent,
            false if sent == 0.0 => 1.0,
            false => 1.0 - sent + sent * self.lose(Emitter::Page, particle, at),
        }
    }

    /// A sampler that keeps errors alone: a trace that was kept has one, a trace that was dropped has none.
    pub(super) fn trace_kept(&self, end: &End, act: EndAct) -> f64 {
        if !self.sampling().errors_only
            || matches!(self.setting.style.sides.of(Side::Initiator).form, Form::Log | Form::LogInSpan)
        {
            return 1.0;
        }
        let pending = self.pending(end.phase) && !self.setting.conditional;
        let failed = self.seen.failed.is_some()
            || pending && !matches!(act, EndAct::Silent | EndAct::Closed)
            || !self.seen.marks.is_empty();
        match (self.setting.dropped[0], failed) {
            (true, true) | (false, false) => 0.02,
            _ => 1.0,
        }
    }

    /// Codes rotate on the screen while somebody is there.
    pub(super) fn codes(&self, particle: &Particle, until: f64) -> f64 {
        if self.setting.flow != Flow::AppQr {
            return 1.0;
        }
        let codes = self.setting.segment.world(Flow::AppQr).codes;
        let shown = self.seen.at(Phase::Presented).map_or(particle.renewed, |moment| moment.at);
        if particle.renewed > shown + 1.0 {
            return 1.0;
        }
        let mut last = f64::NAN;
        let mut weight = 1.0;
        let slack = self.setting.blur[0] + self.setting.blur[1];
        for nth in 1..codes.count {
            let at = shown + codes.lifetime_s * nth as f64;
            let seen = self.seen.refreshed.iter().any(|seen| (seen - at).abs() < 2.0);
            match (at < until, seen) {
                (true, false) => {
                    weight *= self.missing(Emitter::Page, at, last);
                    last = at;
                }
                (false, true) if at > until + slack => return 0.0,
                _ => {}
            }
        }
        weight
    }

    /// The page's coming and going.
    pub(super) fn visibility(&self, act: EndAct, end: f64) -> f64 {
        if self.silent(Side::Initiator) {
            return 1.0;
        }
        let seen = self.seen;
        let away = self.setting.model.world.people.looks_away;
        let length = (end - seen.first).max(0.1);
        let back = seen.visible.last().copied();
        let hidden = seen.hidden.iter().copied().rfind(|at| back.is_none_or(|back| *at > back));
        let mut weight = match back {
            Some(_) => {
                let from = seen.hidden.first().copied().unwrap_or(f64::NAN);
                let share = (from - seen.first) / length;
                if from.is_nan() {
                    away * 0.05
                } else if (0.29..0.61).contains(&share) {
                    away / (0.3 * length)
                } else {
                    away * 1e-6
                }
            }
            None => 1.0 - away,
        };
        let lone = away / (0.3 * length) * self.missing(Emitter::Page, end, f64::NAN);
        weight *= match (act, hidden) {
            (EndAct::Closed, Some(at)) if (end - at).abs() < 0.05 => HIDDEN_BEFORE_UNLOAD / RESOLUTION_S,
            (EndAct::Closed, None) if seen.unloaded.is_some() => 1.0 - HIDDEN_BEFORE_UNLOAD,
            (EndAct::Silent, Some(at)) if (HIDDEN_AFTER_S.0..HIDDEN_AFTER_S.1).contains(&(at - end)) => {
                HIDDEN_WHEN_LEFT / (HIDDEN_AFTER_S.1 - HIDDEN_AFTER_S.0)
            }
            (EndAct::Silent, None) => {
                1.0 - HIDDEN_WHEN_LEFT + HIDDEN_WHEN_LEFT * self.missing(Emitter::Page, end + 60.0, f64::NAN)
            }
            (_, Some(_)) => lone,
            (_, None) => 1.0,
        };
        weight
    }

    /// Whether, when and how the person tried again.
    pub(super) fn again(&self, cause: Cause, act: EndAct, end: f64) -> f64 {
        let retry = &self.setting.model.world.people.retry;
        let share = if cause.outcome() == Outcome::Succeeded { 0.0 } else { retry.share(cause.outcome()) };
        let Some(next) = self.setting.next else { return 1.0 - share * ROOM };
        let same = f64::from(next.flow == self.setting.flow);
        let flow = if act == EndAct::Switched {
            let other = retry.with_other_flow;
            other * self.setting.segment.flow(next.flow).share + (1.0 - other) * same
        } else {
            same
        };
        if flow == 0.0 || share == 0.0 {
            return 0.0;
        }
        let gap = self.setting.model.gap.density(next.starts - end, 0.5);
        share * ROOM * flow * (gap + 1e-9)
    }

    /// The probability of the class of what the browser threw.
    pub(super) const fn thrown(&self, act: EndAct, cause: Cause) -> f64 {
        let shares = &self.thrown;
        match (act, cause) {
            (EndAct::Cancelled, _) => shares.cancelled,
            (EndAct::Switched, _) => shares.switched,
            (EndAct::TimedOut, _) => shares.timed_out,
            (_, Cause::ClientError) => shares.misused,
            (_, Cause::PolicyBlocked | Cause::Unknown) => shares.odd,
            _ => shares.failed,
        }
    }
}

/// The probability of the class that was thrown, by what made the browser throw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ThrownShares {
    cancelled: f64,
    switched: f64,
    timed_out: f64,
    misused: f64,
    odd: f64,
    pub(super) failed: f64,
}

/// What a browser throws, by what makes it throw: each class with its share.
type Classes = Vec<(ErrorClass, f64)>;

/// The classes of each browser, in the order of [`ThrownShares`]' fields.
static CLASSES: LazyLock<Vec<(Browser, [Classes; 6])>> = LazyLock::new(|| {
    let of = |browser: Browser| {
        let classes = |thrown: Vec<(Thrown, f64)>| -> Classes {
            let class = |(kind, message)| error_class(kind, Some(message), Some(browser), Side::Initiator);
            thrown.into_iter().map(|(thrown, share)| (class(thrown), share)).collect()
        };
        let cancel = webauthn::cancel(browser);
        let made = [
            vec![(cancel, 1.0)],
            vec![(webauthn::ABORTED, 0.5), (cancel, 0.5)],
            webauthn::timeout(browser),
            webauthn::failure(browser, Cause::ClientError),
            webauthn::failure(browser, Cause::PolicyBlocked),
            webauthn::failure(browser, Cause::NoCredential),
        ];
        (browser, made.map(classes))
    };
    Browser::ALL.iter().map(|browser| of(*browser)).collect()
});

impl ThrownShares {
    pub(super) fn new(browser: Browser, seen: Option<ErrorClass>) -> Self {
        let of_browser = CLASSES.iter().find(|(known, _)| *known == browser);
        let Some((seen, (_, classes))) = seen.zip(of_browser) else { return Self::default() };
        let share = |nth: usize| -> f64 {
            classes[nth].iter().filter(|(class, _)| *class == seen).map(|(_, share)| share).sum()
        };
        Self {
            cancelled: share(0),
            switched: share(1),
            timed_out: share(2),
            misused: share(3),
            odd: share(4),
            failed: share(5),
        }
    }
}
