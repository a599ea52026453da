//! Journeys for the tests of this crate.

use authstitch_model::line::JourneyLine;
use authstitch_model::{Identity, JourneyId, KeyHash, UnixNanos};
use serde_json::json;

use crate::change::Change;

/// The id of the `nth` journey.
pub(crate) fn id(nth: u64) -> JourneyId {
    JourneyId::new(
        UnixNanos(1_767_225_600_000_000_000 + nth * 1_000_000_000),
        Identity(u128::from(nth) << 48),
    )
}

/// The `nth` journey in a revision: a passkey login that failed at proximity.
pub(crate) fn line(nth: u64, revision: u32) -> JourneyLine {
    let at = UnixNanos(1_767_225_600_000_000_000 + nth * 1_000_000_000);
    serde_json::from_value(json!({
        "journey_id": id(nth), "revision": revision, "merged_into": null, "realm": "default",
        "flow": "passkey_cda", "started_at": at, "ended_at": at, "duration_ms": nth,
        "outcome": "technical_failure", "cause": "proximity_failed", "failing_phase": "proximity",
        "end_act": "timed_out", "hiccups": ["code_expired"], "relay_suspected": false,
        "outcomes": [{"outcome": "technical_failure", "probability": 1.0}],
        "causes": [{"cause": "proximity_failed", "probability": 1.0}],
        "credible_set": ["proximity_failed"],
        "transport": {"value": "hybrid_qr", "probability": 0.8, "basis": "inferred"},
        "phases": [], "spans": [], "previous_journey": null, "retried_after_ms": null,
        "environment": {"initiator": {"os": {"value": "Windows", "basis": "observed"}}, "authenticator": {}},
        "close_reason": "idle", "clock_offset_ms": {"authenticator": 12}, "evidence": [],
        "remedy": {"cause": "proximity_failed", "action": "Hold it near."},
        "tables": "first", "explanation": "It timed out."
    }))
    .unwrap()
}

/// Puts the `nth` journey in a revision, under these keys.
pub(crate) fn put(nth: u64, revision: u32, keys: &[u128]) -> Change {
    Change::Put { line: Box::new(line(nth, revision)), keys: keys.iter().copied().map(KeyHash).collect() }
}

/// Merges one journey into another.
pub(crate) fn remove(nth: u64, revision: u32, into: u64) -> Change {
    Change::Remove { journey: id(nth), revision, into: id(into) }
}
