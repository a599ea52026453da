//! How much of each side's telemetry arrives: what makes an absent event evidence, or not.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Side;

/// Shares of events that get lost, each between 0 and 1. A versioned argument of the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completeness {
    /// Which estimate this is; 0 is the built-in first one.
    pub version: u32,
    /// Share of the initiator's events that never arrive.
    pub initiator_loss: f32,
    /// Share of the phone's events that never arrive.
    pub authenticator_loss: f32,
    /// Share of the server's events that never arrive.
    pub server_loss: f32,
    /// Share of events sent while a page goes away that never arrive.
    pub unload_loss: f32,
    /// Whether phones are instrumented at all: without that their silence says nothing.
    pub phone_instrumented: bool,
}

impl Default for Completeness {
    /// Two percent normally and fifteen on a page that closes: our own prior, nothing is published.
    fn default() -> Self {
        Self {
            version: 0,
            initiator_loss: 0.02,
            authenticator_loss: 0.05,
            server_loss: 0.005,
            unload_loss: 0.15,
            phone_instrumented: true,
        }
    }
}

impl Completeness {
    /// The loss of one side's ordinary events.
    #[must_use]
    pub const fn loss(&self, side: Side) -> f32 {
        match side {
            Side::Initiator => self.initiator_loss,
            Side::Authenticator => self.authenticator_loss,
            Side::Server => self.server_loss,
        }
    }
}
