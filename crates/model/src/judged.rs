//! A journey and what was made of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::journey::Journey;
use crate::key::{EventKeys, KeyHash};
use crate::verdict::Verdict;

/// A journey with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What was stitched.
    pub journey: Journey,
    /// What it means.
    pub verdict: Verdict,
    /// The version of the tables that said so.
    pub tables: Arc<str>,
}

impl Judged {
    /// Every key under which the journey can be looked up, without repetition, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyHash> {
        let mut keys = Vec::with_capacity(self.journey.events.len());
        for event in &self.journey.events {
            let EventKeys { journey, challenge, code, flow, session, trace: _ } = event.event.keys;
            keys.extend([journey, challenge, code, flow, session].into_iter().flatten());
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
