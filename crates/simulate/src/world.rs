//! A world: who logs in, with what, how long steps take, what breaks for whom, and how the telemetry fails.
//!
//! A world is a YAML file. Every key has a default; the defaults make a world in which nothing goes wrong. A
//! file that says `based_on: NAME` stands on a shipped world: maps are laid over its maps, anything else
//! takes the place of what was there. `worlds/README.md` documents every key.

mod flow;
mod law;
mod mix;
mod mixture;
mod people;
mod read;
mod segment;
mod telemetry;

use std::sync::Arc;

use authstitch_model::document::Problems;
use authstitch_model::{Flow, Millis};

pub(crate) use flow::{FlowWorld, Flows, Step};
pub(crate) use law::{Law, NORMAL_P95, Shape, Timing};
pub(crate) use mix::Mix;
pub use mixture::mixture;
pub(crate) use people::People;
pub(crate) use segment::Segment;
pub(crate) use telemetry::{Band, Form, Sampling, SideStyle, Style, Telemetry};

/// The worlds that are part of the program: name and YAML text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("baseline", include_str!("../worlds/baseline.yaml")),
    ("passkey_launch", include_str!("../worlds/passkey_launch.yaml")),
    ("quick_retries", include_str!("../worlds/quick_retries.yaml")),
    ("kiosk", include_str!("../worlds/kiosk.yaml")),
    ("lossy_mobile", include_str!("../worlds/lossy_mobile.yaml")),
    ("clock_chaos", include_str!("../worlds/clock_chaos.yaml")),
    ("sampled", include_str!("../worlds/sampled.yaml")),
    ("magic_link_mail_scanners", include_str!("../worlds/magic_link_mail_scanners.yaml")),
    ("android_regression", include_str!("../worlds/android_regression.yaml")),
    ("partly_instrumented", include_str!("../worlds/partly_instrumented.yaml")),
    ("corporate_network", include_str!("../worlds/corporate_network.yaml")),
    ("attack", include_str!("../worlds/attack.yaml")),
];

/// Variants of these worlds, for scoring outside the training mixture: name and YAML text.
pub const VARIANTS: &[(&str, &str)] = &[
    ("stretched", include_str!("../worlds/variants/stretched.yaml")),
    ("shifted_priors", include_str!("../worlds/variants/shifted_priors.yaml")),
    ("unknown_signature", include_str!("../worlds/variants/unknown_signature.yaml")),
    ("unknown_mimic", include_str!("../worlds/variants/unknown_mimic.yaml")),
];

/// A world, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    name: Arc<str>,
    about: String,
    reproduces: Vec<String>,
    pub(crate) pace: Pace,
    pub(crate) realms: Realms,
    pub(crate) segments: Mix<Arc<Segment>>,
    pub(crate) flows: Arc<Flows>,
    pub(crate) timing: Timing,
    pub(crate) people: People,
    pub(crate) telemetry: Telemetry,
}

/// When attempts start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Slots for attempts a second.
    pub(crate) attempts_per_second: f64,
    /// An attempt starts within so many seconds after its slot.
    pub(crate) jitter_s: f64,
    /// The world's days.
    pub(crate) day: Option<Day>,
}

/// A day: so many attempts, then quiet until the next day begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Day {
    /// Blocks of attempts.
    pub(crate) blocks: u64,
    /// From the beginning of one day to the beginning of the next.
    pub(crate) length: Millis,
}

/// Populations that never meet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Realms {
    /// How many relying parties there are.
    pub(crate) relying_parties: u64,
    /// Whether codes come again at other relying parties and on other days.
    pub(crate) codes_reused: bool,
    /// The attributes that tell the realms apart.
    pub(crate) attributes: Vec<String>,
}

impl World {
    /// The YAML text of a shipped world or variant.
    #[must_use]
    pub fn shipped(name: &str) -> Option<&'static str> {
        SHIPPED.iter().chain(VARIANTS).find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Reads a world from its YAML text.
    ///
    /// # Errors
    /// All mistakes of the text at once, each with its path.
    pub fn from_yaml(text: &str) -> Result<Self, Problems> {
        read::world(text)
    }

    /// Its name, which stands in truth lines.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in a sentence or two.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The published figures that it reproduces, one text each.
    #[must_use]
    pub fn reproduces(&self) -> &[String] {
        &self.reproduces
    }

    /// The attributes that tell this world's realms apart, for the receiver's mapping; empty for one realm.
    #[must_use]
    pub fn realm_attributes(&self) -> &[String] {
        &self.realms.attributes
    }

    /// From the start of an attempt of this kind until nothing more of it is emitted: its truth is settled.
    /// What the telemetry's faults delay comes on top.
    #[must_use]
    pub fn horizon(&self, flow: Flow) -> Millis {
        let segments = self.segments.things().map(|segment| segment.flows.of(flow).horizon);
        segments.fold(self.flows.of(flow).horizon, Ord::max)
    }
}

#[cfg(test)]
mod tests;
