//! A journey: the events of one attempt, stitched; no opinion of what they mean.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{AuthEvent, Environment};
use crate::ids::{JourneyId, Realm};
use crate::time::{Millis, UnixNanos};
use crate::vocabulary::{CloseReason, EventName, Flow, JoinedBy, Side};

/// One attempt, as closed by the stitcher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    /// Its id, the same in every revision.
    pub id: JourneyId,
    /// 1 when it first closes, one more each time something is learnt later.
    pub revision: u32,
    /// Its population.
    pub realm: Realm,
    /// The flow as sent, else as its events conclude.
    pub flow: Flow,
    /// Its events by corrected time; those of one time in the order in which a login goes. Never empty.
    pub events: Vec<JourneyEvent>,
    /// How far each side's clock is off.
    pub offsets: ClockOffsets,
    /// Why it closed.
    pub close_reason: CloseReason,
    /// The attempt before it, of the same session or container.
    pub previous: Option<Predecessor>,
    /// The attempt after it, where one began soon.
    pub next: Option<Successor>,
}

/// An event in its journey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JourneyEvent {
    /// The event.
    pub event: AuthEvent,
    /// Its time by the common clock.
    pub corrected: UnixNanos,
    /// What tied it to the journey.
    pub joined_by: JoinedBy,
}

/// How far each side's clock stands ahead of the common clock, in nanoseconds; `None` where nothing tells.
///
/// The common clock is the server's where the server was seen, else the initiator's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockOffsets {
    /// Of the desktop.
    pub initiator: Option<i64>,
    /// Of the phone.
    pub authenticator: Option<i64>,
    /// Of the backend.
    pub server: Option<i64>,
}

impl ClockOffsets {
    /// The offset of one side, zero where unknown.
    #[must_use]
    pub fn of(&self, side: Side) -> i64 {
        match side {
            Side::Initiator => self.initiator,
            Side::Authenticator => self.authenticator,
            Side::Server => self.server,
        }
        .unwrap_or(0)
    }
}

/// The attempt before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predecessor {
    /// Its journey.
    pub journey: JourneyId,
    /// From its last event to this journey's first.
    pub gap: Millis,
}

/// The attempt after this one: a quick retry is evidence about this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Successor {
    /// Its journey.
    pub journey: JourneyId,
    /// From this journey's last event to its first.
    pub gap: Millis,
    /// Its flow: another one means that the person switched.
    pub flow: Flow,
}

impl Journey {
    /// The corrected time of the first event.
    #[must_use]
    pub fn started_at(&self) -> UnixNanos {
        self.events.first().map_or(UnixNanos(0), |first| first.corrected)
    }

    /// The corrected time of the last event.
    #[must_use]
    pub fn ended_at(&self) -> UnixNanos {
        self.events.last().map_or(UnixNanos(0), |last| last.corrected)
    }

    /// From the first event to the last.
    #[must_use]
    pub fn duration(&self) -> Millis {
        self.ended_at().since(self.started_at())
    }

    /// The events with this name, earliest first.
    pub fn named(&self, name: EventName) -> impl Iterator<Item = &JourneyEvent> {
        self.events.iter().filter(move |event| event.event.name == name)
    }

    /// The environments that one side reported, earliest first.
    pub fn environments(&self, side: Side) -> impl Iterator<Item = &Arc<Environment>> {
        self.events.iter().filter(move |event| event.event.side == side).map(|event| &event.event.environment)
    }
}
