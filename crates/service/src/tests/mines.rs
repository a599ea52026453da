//! Records that make an engine panic, as a mistake in it would: a realm says which.

use authstitch_model::{Record, RecordBody};

/// The engine panics on an event of a realm that begins so, whenever it sees one.
pub(crate) const MINE: &str = "mine-";
/// The engine panics on it only while the service runs, not when it is read again.
pub(crate) const MINE_ONCE: &str = "once-mine-";

/// Panics if the part of a record has a mine.
pub(crate) fn step_on(part: &Record) {
    let RecordBody::Events(events) = &part.body else { return };
    let is_live = std::thread::current().name() == Some("engine");
    for event in events {
        let realm = event.realm.as_str();
        assert!(!realm.starts_with(MINE), "a mine of the test");
        assert!(!realm.starts_with(MINE_ONCE) || !is_live, "a mine of the test");
    }
}
