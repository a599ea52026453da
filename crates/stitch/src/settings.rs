//! The times by which journeys wait, close and are forgotten.

use authstitch_model::document::Fields;
use authstitch_model::{Flow, Millis};
use serde::{Deserialize, Serialize};

use crate::caps;

/// The times of the stitcher. The defaults are the documented ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Idle time before a journey closes, by flow.
    pub idle: FlowTimes,
    /// Added to every idle time.
    pub idle_margin: Millis,
    /// Idle time after the page went away.
    pub idle_after_unload: Millis,
    /// How long a journey stays open after a terminal event.
    pub grace: Millis,
    /// How long a weak event waits for a stronger one.
    pub hold: Millis,
    /// How long a closed journey takes late events.
    pub reopen_window: Millis,
    /// How long keys are remembered after their journey.
    pub tombstones: Millis,
    /// A code's lifetime where none was announced.
    pub code_ttl: Millis,
    /// How long a code is remembered after its lifetime.
    pub code_margin: Millis,
    /// The longest that a browser's limit lengthens the idle time.
    pub ceremony_limit_cap: Millis,
    /// A journey's greatest age.
    pub greatest_age: Millis,
    /// Journeys kept at once, open or waiting for late events.
    pub journeys: usize,
}

/// A time for each flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowTimes {
    /// A site's own QR login.
    pub app_qr: Millis,
    /// A cross-device passkey ceremony.
    pub passkey_cda: Millis,
    /// A link opened on another device.
    pub magic_link: Millis,
}

impl FlowTimes {
    /// The time of a flow; of an unknown one that of a passkey ceremony, the middle of the three.
    #[must_use]
    pub const fn of(&self, flow: Flow) -> Millis {
        match flow {
            Flow::AppQr => self.app_qr,
            Flow::PasskeyCda | Flow::Unknown => self.passkey_cda,
            Flow::MagicLink => self.magic_link,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            idle: FlowTimes {
                app_qr: Millis::from_mins(3),
                passkey_cda: Millis::from_mins(5),
                magic_link: Millis::from_mins(15),
            },
            idle_margin: Millis::from_secs(60),
            idle_after_unload: Millis::from_secs(60),
            grace: Millis::from_secs(10),
            hold: Millis::from_secs(6),
            reopen_window: Millis::from_secs(120),
            tombstones: Millis::from_mins(24 * 60),
            code_ttl: Millis::from_mins(5),
            code_margin: Millis::from_mins(10),
            ceremony_limit_cap: Millis::from_mins(10),
            greatest_age: Millis::from_mins(24 * 60),
            journeys: caps::JOURNEYS,
        }
    }
}

impl Settings {
    /// Reads the times, in seconds, from a map of a document; a missing one keeps its default.
    #[must_use]
    pub fn read(fields: &Fields<'_>) -> Self {
        let default = Self::default();
        let seconds = |fields: &Fields<'_>, key, default: Millis| {
            Millis::from_secs(fields.integer(key, 1..=7 * 86_400, default.0 / 1000))
        };
        Self {
            idle: fields.map("idle_s", |idle| FlowTimes {
                app_qr: seconds(idle, "app_qr", default.idle.app_qr),
                passkey_cda: seconds(idle, "passkey_cda", default.idle.passkey_cda),
                magic_link: seconds(idle, "magic_link", default.idle.magic_link),
            }),
            idle_margin: seconds(fields, "idle_margin_s", default.idle_margin),
            idle_after_unload: seconds(fields, "idle_after_unload_s", default.idle_after_unload),
            grace: seconds(fields, "grace_s", default.grace),
            hold: seconds(fields, "hold_s", default.hold),
            reopen_window: seconds(fields, "reopen_window_s", default.reopen_window),
            tombstones: seconds(fields, "tombstones_s", default.tombstones),
            code_ttl: seconds(fields, "code_ttl_s", default.code_ttl),
            code_margin: seconds(fields, "code_margin_s", default.code_margin),
            ceremony_limit_cap: seconds(fields, "ceremony_limit_cap_s", default.ceremony_limit_cap),
            greatest_age: seconds(fields, "greatest_age_s", default.greatest_age),
            journeys: fields.integer("journeys", 1..=caps::JOURNEYS_CONFIGURABLE, default.journeys as u64)
                as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use authstitch_model::document::read;

    use super::*;

    #[test]
    fn a_missing_time_keeps_its_default() {
        let document = serde_json::json!({"hold_s": 3, "idle_s": {"app_qr": 60}});
        let settings = read(&document, Settings::read);
        let idle = FlowTimes { app_qr: Millis::from_secs(60), ..Settings::default().idle };
        assert_eq!(settings, Ok(Settings { hold: Millis::from_secs(3), idle, ..Settings::default() }));
    }
}
