//! How an attempt ends that does not go on.

use authstitch_model::{Cause, EndAct, Flow, Outcome, Phase, UnixNanos};

use super::{End, Walk};
use crate::random::after;

impl Walk<'_> {
    /// The act that ends an attempt which this cause stopped before this phase.
    pub(super) fn ending(&mut self, cause: Cause, phase: Phase, at: UnixNanos) -> End {
        match cause {
            Cause::Cancelled => End { act: EndAct::Cancelled, at },
            Cause::Declined => End { act: EndAct::Declined, at },
            Cause::SwitchedMethod => End { act: EndAct::Switched, at },
            Cause::WalkedAway | Cause::ConfirmationAbandoned => self.walk_off(at),
            _ => self.end_of_mishap(cause, phase, at),
        }
    }

    fn walk_off(&mut self, at: UnixNanos) -> End {
        if self.dice.chance(self.people.walking_closes) {
            return End { act: EndAct::Closed, at };
        }
        self.nobody_there(at)
    }

    /// The page stays open: a ceremony runs out of time, if that is soon enough for anybody to hear of it.
    fn nobody_there(&self, at: UnixNanos) -> End {
        match self.story.ceremony_limit().filter(|_| self.story.ceremony_pending()) {
            Some(limit) if limit < self.horizon => End { act: EndAct::TimedOut, at: limit.max(at) },
            _ => End { act: EndAct::Silent, at },
        }
    }

    fn end_of_mishap(&mut self, cause: Cause, phase: Phase, at: UnixNanos) -> End {
        debug_assert_eq!(cause.outcome(), Outcome::TechnicalFailure, "{cause}");
        let limit = self.story.ceremony_limit().filter(|_| self.story.ceremony_pending());
        if limit == Some(at) {
            return End { act: EndAct::TimedOut, at };
        }
        if self.dice.chance(shown_as_error(self.story.flow, cause, phase)) {
            let told_by_phone = self.story.flow == Flow::PasskeyCda && phase >= Phase::Prompted;
            let delay =
                if told_by_phone { self.dice.between(0.8, 6.0) } else { self.dice.between(0.02, 0.3) };
            let at = after(at, delay);
            return match limit.filter(|limit| *limit < at) {
                Some(limit) => End { act: EndAct::TimedOut, at: limit },
                None => End { act: EndAct::Failed, at },
            };
        }
        let gives_up = after(at, self.draw(&self.people.patience));
        if let Some(limit) = limit.filter(|limit| *limit <= gives_up) {
            return End { act: EndAct::TimedOut, at: limit };
        }
        if gives_up >= self.horizon {
            return End { act: EndAct::Silent, at };
        }
        match *self.people.endings.pick(self.dice) {
            EndAct::Silent => self.nobody_there(gives_up),
            act => End { act, at: gives_up },
        }
    }
}

/// The probability that a mishap is shown as an error that ends the attempt; the others leave people stuck
/// before a screen that goes on waiting. Our own estimates: nothing is published.
pub(crate) const fn shown_as_error(flow: Flow, cause: Cause, phase: Phase) -> f64 {
    let passkey = matches!(flow, Flow::PasskeyCda);
    let phone_side = matches!(phase, Phase::Scanned | Phase::Opened);
    match cause {
        Cause::ServerError | Cause::VerificationRejected | Cause::RiskDenied => 1.0,
        Cause::ClientError if phone_side => 0.3,
        Cause::ClientError => 1.0,
        Cause::WrongAccount | Cause::CodeExpired if matches!(phase, Phase::Verified) => 1.0,
        Cause::UnsupportedDevice if matches!(phase, Phase::Started) => 1.0,
        // Filtering software and device management fail a ceremony at once.
        Cause::PolicyBlocked => {
            if passkey {
                0.8
            } else {
                0.4
            }
        }
        Cause::NetworkBlocked => {
            if passkey {
                0.4
            } else {
                0.2
            }
        }
        // The phone says so, and some phones tell the browser.
        Cause::NoCredential | Cause::UserVerificationFailed | Cause::WrongDevice | Cause::WrongAccount => 0.5,
        Cause::Unknown => 0.4,
        _ => 0.0,
    }
}
