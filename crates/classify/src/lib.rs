//! Journey → Verdict. Pure, total, allocation-free.

use std::sync::Arc;

use authstitch_model::document::Problems;
use authstitch_model::verdict::CauseDistribution;
use authstitch_model::verdict::CauseSet;
use authstitch_model::{Cause, Completeness, EndAct, Journey, Verdict};

/// The likelihoods and priors: data, versioned.
#[derive(Clone, Debug)]
pub struct Tables {
    version: String,
}

impl Tables {
    /// The tables that are part of the program.
    #[must_use]
    pub fn shipped() -> Arc<Self> {
        Arc::new(Self { version: "none".into() })
    }

    /// Reads tables from a file's text.
    ///
    /// # Errors
    /// All problems of the file at once.
    pub fn from_json(_text: &str) -> Result<Self, Problems> {
        Ok(Self { version: "none".into() })
    }

    /// Which tables these are.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// Judges a journey.
#[must_use]
pub fn classify(_journey: &Journey, _completeness: &Completeness, _tables: &Tables) -> Verdict {
    Verdict {
        causes: CauseDistribution::from_weights([0.0; Cause::COUNT]),
        phases: Default::default(),
        transport: None,
        end_act: EndAct::Silent,
        hiccups: CauseSet::default(),
        relay_suspected: false,
        evidence: Default::default(),
    }
}

/// One to three sentences that a support engineer can paste.
#[must_use]
pub fn explain(_journey: &Journey, _verdict: &Verdict) -> String {
    String::new()
}
