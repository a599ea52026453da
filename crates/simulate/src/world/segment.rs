//! A segment of the population: who they are, which devices they hold, and what differs for them.

use std::sync::Arc;

use authstitch_model::document::Fields;
use authstitch_model::{Browser, Cause, Flow, Os};

use super::flow::Flows;
use super::mix::{Mix, listed};

/// A part of the population.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Segment {
    /// Its name in truth lines.
    pub(crate) name: Arc<str>,
    /// Its weight among the segments.
    pub(crate) weight: f64,
    /// Which kinds of login its people begin.
    pub(crate) mix: Mix<Flow>,
    /// What they sit at.
    pub(crate) initiators: Mix<(Os, Browser)>,
    /// What they hold.
    pub(crate) phones: Mix<Os>,
    /// The version of the relying party's app on the phone.
    pub(crate) app_versions: Mix<Arc<str>>,
    /// Where on the site the login begins.
    pub(crate) entry_points: Mix<Arc<str>>,
    /// The country, as two capital letters.
    pub(crate) country: Arc<str>,
    /// Whether an attacker relays the code of his own screen to these people.
    pub(crate) relayed: bool,
    /// By what the rate of a cause is multiplied.
    pub(crate) factors: Vec<(Cause, f64)>,
    /// The kinds of login as they go for this segment.
    pub(crate) flows: Arc<Flows>,
}

impl Segment {
    /// Everybody, where a world names no segment.
    pub(crate) fn everybody(flows: Arc<Flows>) -> Self {
        Self {
            name: "everybody".into(),
            weight: 1.0,
            mix: Mix::only(Flow::AppQr),
            initiators: Mix::only((Os::Windows, Browser::Chrome)),
            phones: Mix::only(Os::Android),
            app_versions: Mix::only("7.3.0".into()),
            entry_points: Mix::only("login_page".into()),
            country: "DE".into(),
            relayed: false,
            factors: Vec::new(),
            flows,
        }
    }

    pub(crate) fn read(fields: &Fields<'_>, flows: &Arc<Flows>) -> Self {
        let default = Self::everybody(flows.clone());
        let name = fields.text("name").map_or(default.name, Arc::from);
        let causes = listed(Cause::ALL.iter().map(|cause| cause.code()));
        let country = fields.parsed("country", "two capital letters", default.country, |text| {
            (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())).then(|| text.into())
        });
        Self {
            name,
            weight: fields.number("weight", 0.0..=1e6, default.weight),
            mix: Mix::read(fields, "mix", "app_qr, passkey_cda, magic_link", default.mix, |code| {
                Flow::from_code(code).filter(|flow| *flow != Flow::Unknown)
            }),
            initiators: Mix::read(
                fields,
                "initiators",
                "system/browser, such as Windows/Chrome",
                default.initiators,
                initiator,
            ),
            phones: Mix::read(fields, "phones", "iOS, Android", default.phones, |code| {
                Os::from_code(code).filter(|os| matches!(os, Os::Ios | Os::Android))
            }),
            app_versions: Mix::read(fields, "app_versions", "a version", default.app_versions, some_text),
            entry_points: Mix::read(fields, "entry_points", "a name", default.entry_points, some_text),
            country,
            relayed: fields.flag("relayed", false),
            factors: fields.weights("factors", 0.0..=1e6, &causes, Cause::from_code),
            flows: if fields.has("flows") {
                Arc::new(fields.map("flows", Flows::read))
            } else {
                default.flows
            },
        }
    }

    /// By what the rate of a cause is multiplied.
    pub(crate) fn factor(&self, cause: Cause) -> f64 {
        self.factors.iter().find(|(known, _)| *known == cause).map_or(1.0, |(_, factor)| *factor)
    }
}

fn initiator(text: &str) -> Option<(Os, Browser)> {
    let (os, browser) = text.split_once('/')?;
    Some((Os::from_code(os)?, Browser::from_code(browser)?))
}

fn some_text(text: &str) -> Option<Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}
