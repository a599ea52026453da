//! Journeys for the tests of this crate.

use std::sync::Arc;

use authstitch_model::event::testing::event;
use authstitch_model::event::{Environment, Named};
use authstitch_model::line::JourneyLine;
use authstitch_model::verdict::{CauseDistribution, CauseSet, PhaseVerdict, TransportVerdict, Weighed};
use authstitch_model::{
    Basis, Cause, ClockOffsets, CloseReason, EndAct, EventName, Evidence, Flow, Identity, JoinedBy, Journey,
    JourneyEvent, JourneyId, Judged, KeyHash, Millis, Os, Phase, Side, Transport, UnixNanos, Verdict,
};

use crate::change::Change;

const EPOCH: UnixNanos = UnixNanos(1_767_225_600_000_000_000);

/// When the `nth` journey began.
pub(crate) fn began(nth: u64) -> UnixNanos {
    EPOCH.plus(Millis::from_secs(nth))
}

/// The id of the `nth` journey.
pub(crate) fn id(nth: u64) -> JourneyId {
    JourneyId::new(began(nth), Identity(u128::from(nth) << 48))
}

/// The `nth` journey in a revision, under these keys: a passkey login that failed at proximity.
pub(crate) fn judged(nth: u64, revision: u32, keys: &[u128]) -> Judged {
    let windows = Arc::new(Environment {
        os: Some(Named { kind: Os::Windows, name: "Windows".into() }),
        ..Environment::default()
    });
    let mut event = event(EventName::WebauthnStarted, began(nth), nth);
    event.side = Side::Initiator;
    event.environment = windows;
    let mut first = JourneyEvent { event, corrected: began(nth), joined_by: JoinedBy::Strong };
    let mut events = vec![first.clone()];
    for key in keys {
        first.event.keys.session = Some(KeyHash::new(*key));
        events.push(first.clone());
    }
    first.corrected = began(nth).plus(Millis(nth));
    events.push(first);
    let mut causes = [0.0; Cause::COUNT];
    causes[Cause::ProximityFailed.index()] = 1.0;
    let mut phases = [None; Phase::COUNT];
    phases[Phase::Started.index()] =
        Some(PhaseVerdict { reached: 1.0, basis: Basis::Observed, at: Some(began(nth)), required: true });
    phases[Phase::Proximity.index()] =
        Some(PhaseVerdict { reached: 0.125, basis: Basis::Inferred, at: None, required: true });
    let mut evidence = [None; authstitch_model::caps::EVIDENCE_SHOWN];
    evidence[0] = Some(Weighed { evidence: Evidence::SilentEnd, weight: 1.5 });
    Judged {
        journey: Journey {
            id: id(nth),
            revision,
            realm: "default".into(),
            flow: Flow::PasskeyCda,
            events,
            offsets: ClockOffsets { authenticator: Some(12_000_000), ..ClockOffsets::default() },
            close_reason: CloseReason::Idle,
            previous: None,
            next: None,
        },
        verdict: Verdict {
            causes: CauseDistribution::from_weights(causes),
            phases,
            transport: Some(TransportVerdict {
                value: Transport::HybridQr,
                probability: 0.8,
                basis: Basis::Inferred,
            }),
            end_act: EndAct::TimedOut,
            hiccups: CauseSet::of(&[Cause::CodeExpired]),
            relay_suspected: false,
            unfinished: false,
            evidence,
        },
        tables: "first".into(),
    }
}

/// The line of a journey, with an explanation of its own.
pub(crate) fn told(judged: &Judged) -> JourneyLine {
    JourneyLine::new(&judged.journey, &judged.verdict, &judged.tables, "It timed out.".to_owned())
}

/// The line of the `nth` journey in a revision, under these keys.
pub(crate) fn line(nth: u64, revision: u32, keys: &[u128]) -> JourneyLine {
    told(&judged(nth, revision, keys))
}

/// Puts the `nth` journey in a revision, under these keys.
pub(crate) fn put(nth: u64, revision: u32, keys: &[u128]) -> Change {
    Change::Put(Box::new(judged(nth, revision, keys)))
}

/// Merges one journey into another.
pub(crate) fn remove(nth: u64, revision: u32, into: u64) -> Change {
    Change::Remove { journey: id(nth), revision, into: id(into) }
}
