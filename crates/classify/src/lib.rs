//! Journey → Verdict. Pure, total, allocation-free.
//!
//! A verdict is a probability over causes, `none` (success) among them. It comes from three sources, in this
//! order of precedence:
//!
//! 1. **What is certain** ([`hard`]): an observed event or a certain implication excludes causes.
//! 2. **Likelihoods** ([`likelihood`]): a short list of observations ([`feature`]), read from the events in one
//!    pass ([`evidence`]), each with a fitted weight for every cause of the flow.
//! 3. **Priors**: how often each cause occurs in the flow.
//!
//! Weights and priors are data ([`Tables`]). What is left is renormalised; phases, transport, end and
//! evidence follow from it. The absence of an event counts only as far as the telemetry of the side that would
//! have sent it is complete, and a phase that the relying party cannot see is observed or inferred, never
//! implied.
//!
//! Given a journey, its completeness and the tables, the verdict is always the same: nothing here reads a
//! clock, draws a number or touches a file. [`classify()`] holds everything on the stack; only [`explain()`]
//! allocates.

mod by_cause;
mod caps;
mod citation;
mod ending;
mod evidence;
mod explain;
mod feature;
mod hard;
mod likelihood;
mod limits;
mod phase_set;
mod reached;
mod stops;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
mod tables;
pub mod train;
mod transport;

use authstitch_model::{Completeness, Flow, Journey, Verdict};

pub use explain::explain;
pub use tables::Tables;

use likelihood::Losses;
use reached::Stopped;

/// Judges a journey.
#[must_use]
pub fn classify(journey: &Journey, completeness: &Completeness, tables: &Tables) -> Verdict {
    let features = evidence::observe(journey);
    let losses = Losses::of(&features, completeness);
    let posterior = likelihood::weigh(&features, &losses, tables);
    let table = tables.of(features.flow);
    let stopped = Stopped::of(&features, &posterior, table);
    let transport = match &stopped {
        Some(stopped) if features.flow == Flow::PasskeyCda => {
            Some(transport::verdict(&features, &stopped.transports))
        }
        _ => None,
    };
    Verdict {
        phases: reached::phases(&features, stopped.as_ref(), transport.as_ref(), &losses, table),
        transport,
        end_act: ending::end_act(&features, &posterior.causes, posterior.likeliest),
        hiccups: features.hiccups,
        relay_suspected: features.relayed,
        unfinished: features.unfinished(),
        evidence: posterior.evidence,
        causes: posterior.causes,
    }
}
