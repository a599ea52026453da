//! The model tables: priors, weights, and how far each cause lets a login come. They are data, read from one
//! JSON document; `crates/classify/model/README.md` describes its keys.
//!
//! Weights are kept by cause as the innermost index, so that one observation is one multiplication of 32 numbers
//! that stand together.

mod reading;
mod writing;

use std::sync::{Arc, LazyLock};

use authstitch_model::document::Problems;
use authstitch_model::{Cause, Completeness, Evidence, Flow, Phase, Transport};

use crate::by_cause::ByCause;
use crate::citation::cited_as;
use crate::feature::{Known, Observation, Reporter, VALUES};
use crate::likelihood::Product;
use crate::stops::STOPS;
use crate::transport::Transports;

const SHIPPED: &str = include_str!("../model/tables.json");

/// Weights and priors: data, versioned.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    pub(crate) version: String,
    /// What they were read from.
    pub(crate) text: Option<Arc<str>>,
    /// The command that made them.
    pub(crate) made_by: String,
    /// What tells whether that command would make them again.
    pub(crate) fingerprint: String,
    /// How complete the telemetry was at which the weights hold.
    pub(crate) fitted_at: Completeness,
    /// The probability that a side's next event is lost where the one before it was.
    pub(crate) shared_fate: f32,
    pub(crate) flows: [FlowTable; Flow::COUNT],
}

/// The tables of one flow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FlowTable {
    pub(crate) prior: Prior,
    /// The probability that a reached phase is reported by those who could.
    pub(crate) emission: [f32; Phase::COUNT],
    /// By stop: given each cause, the probability that it is the first that is not passed; success stops nowhere.
    pub(crate) halts: [ByCause; STOPS],
    /// By [`Transport::index`]: its probability, given each cause.
    pub(crate) transport: [ByCause; Transport::COUNT],
    /// The same, given what was seen.
    pub(crate) transports: Transports,
    pub(crate) weights: Weights,
}

/// How often each cause occurs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Prior {
    /// Its share of all.
    pub(crate) shares: ByCause,
    /// Its log odds against the others together.
    pub(crate) log_odds: ByCause,
}

impl Prior {
    /// Of these shares.
    pub(crate) fn new(shares: ByCause) -> Self {
        let mut log_odds = ByCause::all(0.0);
        for cause in Cause::ALL {
            log_odds[cause.index()] = Product::but_one(shares, *cause).log_odds();
        }
        Self { shares, log_odds }
    }
}

/// What each value of each observation does to the odds of each cause: a row a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    /// In nats.
    nats: Vec<ByCause>,
    rows: Box<[Row; VALUES]>,
}

/// What one value does, as it is weighed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    /// The factors by which it changes the odds of each cause.
    pub(crate) odds: ByCause,
    /// By how many nats it moves a cause at most, whatever the sign; zero for a row that says nothing.
    pub(crate) reach: f32,
    /// As what it is cited; `None` for with how far the journey came.
    pub(crate) cited: Option<Evidence>,
    /// Who is silent where it is an absence.
    pub(crate) absent: Option<Reporter>,
}

impl Weights {
    /// Weights that say nothing.
    pub(crate) fn nothing() -> Self {
        let nothing = Row { odds: ByCause::all(1.0), reach: 0.0, cited: None, absent: None };
        let mut rows = Box::new([nothing; VALUES]);
        for known in Observation::ALL.iter().flat_map(|about| about.values()) {
            let row = &mut rows[known.row()];
            (row.cited, row.absent) = (cited_as(known), known.absent());
        }
        Self { nats: vec![ByCause::all(0.0); VALUES], rows }
    }

    /// Gives a value its weights.
    pub(crate) fn set(&mut self, known: Known, nats: ByCause) {
        self.nats[known.row()] = nats;
        let row = &mut self.rows[known.row()];
        row.odds = ByCause(nats.map(f32::exp));
        row.reach = nats.iter().fold(0.0, |reach, weight| weight.abs().max(reach));
    }

    /// A value's weights, in nats; `None` where they say nothing.
    pub(crate) fn nats(&self, known: Known) -> Option<&ByCause> {
        (self.row(known).reach > 0.0).then(|| &self.nats[known.row()])
    }

    /// What a value does.
    #[inline]
    pub(crate) fn row(&self, known: Known) -> &Row {
        &self.rows[known.row()]
    }
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
        Ok(Self { text: Some(text.into()), ..reading::read(text)? })
    }

    /// A text from which these very tables are read, to the last bit: what they were read from, if they were. Reading
    /// makes shares add up, so a text that is written of what was read may say the last digits otherwise.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        self.text.clone().unwrap_or_else(|| self.to_json().into())
    }

    /// The file's text: what [`Tables::from_json`] reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        writing::write(self)
    }

    /// Which tables these are.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The command that made them.
    #[must_use]
    pub fn made_by(&self) -> &str {
        &self.made_by
    }

    /// What tells whether that command would make them again.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(crate) const fn of(&self, flow: Flow) -> &FlowTable {
        &self.flows[flow.index()]
    }
}

/// Whether a cause can stop a flow, or is success.
pub(crate) fn is_possible(flow: Flow, cause: Cause) -> bool {
    cause == Cause::None || !crate::hard::may_halt(flow, cause).is_empty()
}

#[cfg(test)]
mod tests;
