//! Rule 4 of the walk: why an event is missing.

use authstitch_model::{Flow, Phase, Side};

use super::super::density::RESOLUTION_S;
use super::super::seen::Emitter;
use super::{Particle, Walk};
use crate::stack::happy::SESSION_TOLD_BY_SERVER;
use crate::world::{Form, Sampling};

/// The probability that an event is missing though a batch arrived that should have carried it: that batch was
/// a delayed one, and its window another.
const MISSING_FROM_ARRIVED: f64 = 0.0005;
/// From sending to arriving, about.
const LATENCY_S: f64 = 0.1;

impl Walk<'_> {
    /// The probability that nobody told of a phase that was reached.
    pub(super) fn untold(&self, phase: Phase, particle: &mut Particle, at: f64) -> f64 {
        let passkey = self.setting.flow == Flow::PasskeyCda;
        let emitter = match (self.setting.flow, phase) {
            (_, Phase::Started) => Emitter::ServerForPage,
            (Flow::PasskeyCda, Phase::Presented | Phase::Scanned | Phase::Proximity) => return 1.0,
            (Flow::PasskeyCda, Phase::Prompted) if !self.setting.phone_emits => return 1.0,
            (Flow::PasskeyCda, Phase::Confirmed) => {
                let phone =
                    if self.setting.phone_emits { self.lose(Emitter::Phone, particle, at) } else { 1.0 };
                return phone * self.lose(Emitter::Page, particle, at);
            }
            (Flow::MagicLink, Phase::Opened) => Emitter::ServerForPhone,
            (_, Phase::Presented | Phase::Returned) => Emitter::Page,
            (_, Phase::Verified) if passkey => Emitter::ServerForPage,
            (_, Phase::Verified) => Emitter::ServerForPhone,
            (_, Phase::Established) => {
                let by_server = self.lose(Emitter::ServerForPage, &mut particle.clone(), at);
                let by_page = self.lose(Emitter::Page, particle, at);
                return SESSION_TOLD_BY_SERVER * by_server + (1.0 - SESSION_TOLD_BY_SERVER) * by_page;
            }
            _ => Emitter::Phone,
        };
        self.lose(emitter, particle, at)
    }

    /// The probability that an event does not arrive; notes when it was.
    pub(super) fn lose(&self, emitter: Emitter, particle: &mut Particle, at: f64) -> f64 {
        let last = std::mem::replace(&mut particle.missing[emitter as usize], at);
        self.missing(emitter, at, last)
    }

    pub(super) fn missing(&self, emitter: Emitter, at: f64, last: f64) -> f64 {
        if self.silent(emitter.side()) {
            return 1.0;
        }
        let form = self.setting.style.sides.of(emitter.side()).form;
        let is_log = matches!(form, Form::Log | Form::LogInSpan);
        let sampling = self.sampling();
        let mut kept = 1.0;
        if !is_log && (sampling.head < 1.0 || sampling.errors_only) {
            let own_trace = emitter.side() == Side::Server && !self.setting.style.propagated;
            let of_phone = matches!(emitter, Emitter::Phone | Emitter::ServerForPhone);
            if own_trace {
                kept = if sampling.errors_only { 0.0 } else { sampling.head };
            } else if self.setting.dropped[usize::from(of_phone)] {
                return 1.0;
            }
        }
        let batching = self.setting.model.world.telemetry.batching;
        let window = if is_log { batching.logs } else { batching.spans }.0 as f64 / 1e3;
        let arrived = &self.seen.batches[emitter as usize * 2 + usize::from(is_log)];
        let blur = 0.1
            + match emitter.side() {
                Side::Initiator => self.setting.blur[0],
                Side::Authenticator => self.setting.blur[1],
                Side::Server => 0.0,
            };
        let within = |arrives: &f64| {
            let before = arrives - LATENCY_S - at;
            let inside = before.min(window - before);
            ((inside + blur) / (2.0 * blur)).clamp(0.0, 1.0)
        };
        let carried = arrived.iter().map(within).fold(0.0, f64::max);
        let loss = self.loss(emitter.side());
        let same = if last.is_nan() { 0.0 } else { (1.0 - (at - last).abs() / window).max(0.0) };
        let lost = same + (1.0 - same) * loss;
        let missing = carried * MISSING_FROM_ARRIVED + (1.0 - carried) * lost;
        1.0 - kept * (1.0 - missing)
    }

    /// Whether a side is not instrumented.
    pub(super) fn silent(&self, side: Side) -> bool {
        self.setting.style.sides.of(side).form == Form::Nothing
    }

    pub(super) fn sampling(&self) -> Sampling {
        self.setting.style.sampling.unwrap_or(self.setting.model.world.telemetry.sampling)
    }

    /// The share of a side's events that do not arrive.
    pub(super) fn loss(&self, side: Side) -> f64 {
        if self.silent(side) {
            return 1.0;
        }
        *self.setting.model.world.telemetry.loss.of(side)
    }

    pub(super) fn blur(&self, one: Side, other: Side) -> f64 {
        if one == other {
            return RESOLUTION_S / 2.0;
        }
        let of = |side| match side {
            Side::Initiator => self.setting.blur[0],
            Side::Authenticator => self.setting.blur[1],
            Side::Server => 0.02,
        };
        of(one).max(of(other))
    }
}
