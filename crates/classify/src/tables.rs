//! The model tables: priors, likelihoods, and how far each cause lets a login come. They are data, read from
//! one JSON document; `crates/classify/model/README.md` describes its keys.
//!
//! Everything is kept by cause as the innermost index, so that one observation is one multiplication of 32
//! numbers.

mod reading;

use std::sync::{Arc, LazyLock};

use authstitch_model::document::Problems;
use authstitch_model::{Flow, Phase, Transport};

use crate::by_cause::ByCause;
use crate::feature::Feature;

const SHIPPED: &str = include_str!("../model/tables.json");

/// The likelihoods and priors: data, versioned.
#[derive(Clone, Debug)]
pub struct Tables {
    version: String,
    /// The probability that a side's next event is lost where the one before it was.
    pub(crate) shared_fate: f32,
    flows: [FlowTable; Flow::COUNT],
}

/// The tables of one flow.
#[derive(Clone, Debug)]
pub(crate) struct FlowTable {
    /// How often each cause occurs.
    pub(crate) prior: ByCause,
    /// The probability that a reached phase is reported by those who could.
    pub(crate) emission: [f32; Phase::COUNT],
    /// Given a cause, the probability of each phase to be the first that is not passed, by [`Phase::index`].
    pub(crate) halts: [ByCause; Phase::COUNT],
    /// Given a cause, the probability of each value of each feature, by [`Feature::offset`] and value.
    likelihood: Box<[ByCause; Feature::VALUES]>,
    /// Given a cause, the probability of each transport, by [`Transport::index`].
    pub(crate) transport: [ByCause; Transport::COUNT],
}

impl Tables {
    /// The tables that are part of the program.
    #[must_use]
    pub fn shipped() -> Arc<Self> {
        static TABLES: LazyLock<Arc<Tables>> = LazyLock::new(|| {
            Arc::new(Tables::from_json(SHIPPED).expect("the shipped tables are read by a test"))
        });
        Arc::clone(&TABLES)
    }

    /// Reads tables from a file's text.
    ///
    /// # Errors
    /// All problems of the file at once.
    pub fn from_json(text: &str) -> Result<Self, Problems> {
        reading::read(text)
    }

    /// Which tables these are.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(crate) const fn of(&self, flow: Flow) -> &FlowTable {
        &self.flows[flow.index()]
    }
}

impl FlowTable {
    /// The probability of a value given each cause.
    pub(crate) fn likelihood(&self, feature: Feature, value: usize) -> &ByCause {
        &self.likelihood[feature.offset() + value]
    }
}

#[cfg(test)]
mod tests;
