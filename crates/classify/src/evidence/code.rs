//! Codes and links: when they were made, for how long they are good, whether they were used later than that.
//!
//! A code that was replaced when its lifetime had run out is an expired one, a mishap that was overcome if the
//! login went on; one that was replaced earlier was rotated.

use authstitch_model::verdict::CauseSet;
use authstitch_model::{Cause, EventName, Journey, JourneyEvent, Millis, Phase, Side, UnixNanos, phases};

/// What a clock that is known may be off.
const CLOCK: Millis = Millis::from_secs(2);
/// What a phone's clock may be off of which nothing is known.
const UNKNOWN_CLOCK: Millis = Millis::from_secs(10);
/// A code that is replaced before this share of its lifetime is over is rotated, not expired.
const ROTATED_BEFORE_PERCENT: u64 = 90;
/// The same where no lifetime is given: rotating codes change every second to every 30 seconds.
const ROTATED_WITHIN: Millis = Millis::from_secs(35);

/// The codes while their events are read.
#[derive(Debug, Default)]
pub struct Codes {
    made: Option<UnixNanos>,
    lifetime: Option<Millis>,
    refreshes: u32,
    expired: bool,
    late: bool,
    used: bool,
}

impl Codes {
    /// Notes the making or the use of a code.
    #[inline]
    pub fn see(&mut self, journey: &Journey, nth: usize, seen: &JourneyEvent) {
        match seen.event.name {
            EventName::ChallengeCreated | EventName::QrShown | EventName::LinkSent => self.make(seen),
            EventName::QrRefreshed => self.make_anew(seen),
            EventName::QrScanned | EventName::LinkOpened => self.take(journey, nth, seen),
            _ => {}
        }
    }

    fn make_anew(&mut self, seen: &JourneyEvent) {
        self.refreshes += u32::from(!self.used);
        self.expired |= self.ran_out(seen.corrected);
        self.made = None;
        self.make(seen);
    }

    fn take(&mut self, journey: &Journey, nth: usize, seen: &JourneyEvent) {
        if !phases::is_scanner(&seen.event) {
            self.used = true;
            self.late = self.is_late(journey, nth, seen);
        }
    }

    fn make(&mut self, seen: &JourneyEvent) {
        let lifetime = seen.event.facts.code_ttl;
        if lifetime.is_some() || self.made.is_none() {
            self.made = Some(seen.corrected);
        }
        self.lifetime = lifetime.or(self.lifetime);
    }

    fn ran_out(&self, now: UnixNanos) -> bool {
        let Some(made) = self.made else { return false };
        let lived = now.since(made);
        match self.lifetime {
            Some(lifetime) => lived.0 >= lifetime.0 / 100 * ROTATED_BEFORE_PERCENT,
            None => lived >= ROTATED_WITHIN,
        }
    }

    /// The code that was used is the one with the same key, where one has it, else the newest.
    fn is_late(&self, journey: &Journey, nth: usize, seen: &JourneyEvent) -> bool {
        let same_key = |made: &&JourneyEvent| {
            let key = made.event.keys.code;
            key.is_some() && key == seen.event.keys.code && makes_code(made.event.name)
        };
        let own = journey.events[..nth].iter().rev().find(same_key);
        let made = own.map(|own| own.corrected).or(self.made);
        let lifetime = own.and_then(|own| own.event.facts.code_ttl).or(self.lifetime);
        let Some((made, lifetime)) = made.zip(lifetime) else { return false };
        let unknown_clock = seen.event.side == Side::Authenticator && journey.offsets.authenticator.is_none();
        let tolerance = if unknown_clock { UNKNOWN_CLOCK } else { CLOCK };
        seen.corrected.since(made).0 > lifetime.0.saturating_add(tolerance.0)
    }

    /// Something was confirmed after all.
    pub fn overcome(&mut self, hiccups: CauseSet) -> CauseSet {
        if std::mem::take(&mut self.late) { hiccups.with(Cause::CodeExpired) } else { hiccups }
    }

    /// Whether the last use came after the code's lifetime.
    pub const fn late(&self) -> bool {
        self.late
    }

    /// How often the code was replaced before it was used.
    pub const fn refreshes(&self) -> u32 {
        self.refreshes
    }

    /// A side reached a phase: codes that ran out before it were overcome, once the phone came in.
    pub fn gone_on(&mut self, phase: Phase, hiccups: CauseSet) -> CauseSet {
        if phase > Phase::Presented && std::mem::take(&mut self.expired) {
            hiccups.with(Cause::CodeExpired)
        } else {
            hiccups
        }
    }
}

const fn makes_code(name: EventName) -> bool {
    matches!(
        name,
        EventName::ChallengeCreated | EventName::QrShown | EventName::QrRefreshed | EventName::LinkSent
    )
}
