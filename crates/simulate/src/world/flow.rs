//! One kind of login in a world: how long its steps take, what breaks at each, and what people decide there.

use authstitch_model::document::Fields;
use authstitch_model::{Cause, Flow, Millis, Outcome, Phase, Transport, phases};

use super::law::{Law, share};
use super::mix::{Mix, listed};

/// All three kinds of login.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flows {
    app_qr: FlowWorld,
    passkey_cda: FlowWorld,
    magic_link: FlowWorld,
}

/// One kind of login.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FlowWorld {
    /// Which.
    pub(crate) flow: Flow,
    /// From the start of an attempt until nothing more of it is emitted: its truth is settled.
    pub(crate) horizon: Millis,
    /// The codes of `app_qr`.
    pub(crate) codes: Codes,
    /// How long the prompt waits for an answer, where the relying party's app or page shows it.
    pub(crate) prompt_lifetime_s: f64,
    /// The ceremony of `passkey_cda`.
    pub(crate) ceremony: Ceremony,
    /// The link of `magic_link`.
    pub(crate) link: Link,
    steps: Vec<Step>,
}

/// How long a code lives and how often it is replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Codes {
    /// Lifetime of one code.
    pub(crate) lifetime_s: f64,
    /// Codes of one order, the first included; after the last one the order is over.
    pub(crate) count: u64,
}

/// How the page asks for a passkey, and where the answer comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ceremony {
    /// The timeout that the page asks for; `None` leaves it to the browser.
    pub(crate) requested_timeout: Mix<Option<Millis>>,
    /// Share of ceremonies that wait in autofill and never resolve unless a passkey is chosen.
    pub(crate) conditional: f64,
    /// Where people's answer would come from.
    pub(crate) transports: Mix<Transport>,
}

/// The link and its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Link {
    /// How long the link works.
    pub(crate) lifetime_s: f64,
    /// Share of links that come as a QR code instead of a mail.
    pub(crate) by_qr: f64,
    /// Share of mails that a scanner looks at without harm.
    pub(crate) scanned_harmlessly: f64,
}

/// The way to one phase.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// The phase that the step reaches.
    pub(crate) phase: Phase,
    /// How long it takes when all goes well.
    pub(crate) time: Law,
    /// What can stop it: mishaps and people's own decisions, with their probabilities.
    pub(crate) hazards: Vec<(Cause, f64)>,
}

impl Flows {
    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        let read = |flow: Flow| fields.map(flow.code(), |fields| FlowWorld::read(fields, flow));
        Self {
            app_qr: read(Flow::AppQr),
            passkey_cda: read(Flow::PasskeyCda),
            magic_link: read(Flow::MagicLink),
        }
    }

    /// The world of a kind of login; people make no login of an unknown kind.
    pub(crate) const fn of(&self, flow: Flow) -> &FlowWorld {
        match flow {
            Flow::AppQr | Flow::Unknown => &self.app_qr,
            Flow::PasskeyCda => &self.passkey_cda,
            Flow::MagicLink => &self.magic_link,
        }
    }
}

impl FlowWorld {
    fn read(fields: &Fields<'_>, flow: Flow) -> Self {
        let horizon_s = fields.number("horizon_s", 60.0..=86_400.0, default_horizon_s(flow));
        let steps = fields.map("steps", |steps| {
            phases::of(flow)
                .iter()
                .map(|known| steps.map(known.phase.code(), |fields| Step::read(fields, flow, known.phase)))
                .collect()
        });
        let mut world = Self {
            flow,
            horizon: Millis((horizon_s * 1e3) as u64),
            codes: Codes { lifetime_s: 60.0, count: 3 },
            prompt_lifetime_s: 120.0,
            ceremony: Ceremony::default(),
            link: Link { lifetime_s: 900.0, by_qr: 0.0, scanned_harmlessly: 0.0 },
            steps,
        };
        if flow == Flow::PasskeyCda {
            world.ceremony = fields.map("ceremony", Ceremony::read);
        } else {
            world.prompt_lifetime_s = fields.number("prompt_lifetime_s", 1.0..=86_400.0, 120.0);
        }
        if flow == Flow::AppQr {
            world.codes = fields.map("codes", |codes| Codes {
                lifetime_s: codes.number("lifetime_s", 1.0..=3600.0, 60.0),
                count: codes.integer("count", 1..=100, 3),
            });
        }
        if flow == Flow::MagicLink {
            world.link = fields.map("link", |link| Link {
                lifetime_s: link.number("lifetime_s", 1.0..=86_400.0, 900.0),
                by_qr: share(link, "by_qr", 0.0),
                scanned_harmlessly: share(link, "scanned_harmlessly", 0.0),
            });
        }
        let longest_s = match flow {
            Flow::AppQr => world.codes.lifetime_s * world.codes.count as f64,
            Flow::MagicLink => world.link.lifetime_s,
            Flow::PasskeyCda | Flow::Unknown => 0.0,
        };
        if horizon_s < longest_s {
            fields.problem(
                "horizon_s",
                format!("{horizon_s} lies below the lifetime of code or link, {longest_s}"),
            );
        }
        world
    }

    /// The steps to all phases of the flow.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The phases that a login passes: those of the flow, less what a transport or a mailed link leaves out.
    pub(crate) fn plan(
        &self,
        transport: Option<Transport>,
        link_by_qr: bool,
    ) -> impl Iterator<Item = &Step> + use<'_> {
        self.steps.iter().filter(move |step| match (step.phase, transport) {
            (Phase::Presented | Phase::Scanned, None) => self.flow != Flow::MagicLink || link_by_qr,
            (Phase::Presented | Phase::Scanned, Some(transport)) => transport == Transport::HybridQr,
            (Phase::Proximity, Some(transport)) => {
                matches!(transport, Transport::HybridQr | Transport::HybridLinked)
            }
            _ => true,
        })
    }
}

const fn default_horizon_s(flow: Flow) -> f64 {
    match flow {
        Flow::MagicLink => 1800.0,
        _ => 900.0,
    }
}

impl Default for Ceremony {
    fn default() -> Self {
        Self {
            requested_timeout: Mix::only(Some(Millis::from_mins(5))),
            conditional: 0.0,
            transports: Mix::only(Transport::HybridQr),
        }
    }
}

impl Ceremony {
    fn read(fields: &Fields<'_>) -> Self {
        let default = Self::default();
        Self {
            requested_timeout: Mix::read(
                fields,
                "requested_timeout_s",
                "whole seconds in quotes, or `unset`",
                default.requested_timeout,
                |text| match text {
                    "unset" => Some(None),
                    seconds => seconds.parse().ok().map(|seconds| Some(Millis::from_secs(seconds))),
                },
            ),
            conditional: share(fields, "conditional", default.conditional),
            transports: Mix::read(
                fields,
                "transports",
                "hybrid_qr, hybrid_linked, security_key, platform",
                default.transports,
                |code| Transport::from_code(code).filter(|transport| *transport != Transport::None),
            ),
        }
    }
}

impl Step {
    fn read(fields: &Fields<'_>, flow: Flow, phase: Phase) -> Self {
        let time = Law::read(fields, "time", default_time(flow, phase));
        let mut hazards =
            read_hazards(fields, "mishaps", phase, |outcome| outcome == Outcome::TechnicalFailure);
        hazards.extend(read_hazards(fields, "decisions", phase, |outcome| {
            matches!(outcome, Outcome::UserAbandoned | Outcome::UserDeclined)
        }));
        let sum: f64 = hazards.iter().map(|(_, rate)| rate).sum();
        if sum > 1.0 + 1e-9 {
            fields.problem("mishaps", format!("mishaps and decisions sum to {sum}; at most 1 is possible"));
        }
        Self { phase, time, hazards }
    }
}

fn read_hazards(
    fields: &Fields<'_>,
    key: &'static str,
    phase: Phase,
    is_one: impl Fn(Outcome) -> bool,
) -> Vec<(Cause, f64)> {
    let fits = |cause: Cause| cause.stops().contains(&phase) && is_one(cause.outcome());
    let accepted = listed(Cause::ALL.iter().copied().filter(|cause| fits(*cause)).map(Cause::code));
    fields.weights(key, 0.0..=1.0, &accepted, |code| Cause::from_code(code).filter(|cause| fits(*cause)))
}

/// How long a step takes where a world does not say: our own priors, for nothing is published.
const fn default_time(flow: Flow, phase: Phase) -> Law {
    match (flow, phase) {
        (Flow::PasskeyCda, Phase::Started) => Law::new(0.15, 0.6),
        (Flow::MagicLink, Phase::Started) => Law::new(0.8, 3.0),
        (_, Phase::Started) => Law::new(0.12, 0.5),
        (_, Phase::Presented) => Law::new(0.3, 1.2),
        (_, Phase::Scanned) => Law::new(8.0, 30.0),
        (Flow::MagicLink, Phase::Opened) => Law::new(25.0, 180.0),
        (_, Phase::Opened) => Law::new(1.5, 5.0),
        (_, Phase::Proximity) => Law::new(1.6, 5.5),
        (_, Phase::Prompted) => Law::new(0.7, 2.5),
        (_, Phase::Confirmed) => Law::new(3.0, 12.0),
        (_, Phase::Verified) => Law::new(0.06, 0.4),
        (_, Phase::Returned) => Law::new(0.3, 1.5),
        (_, Phase::Established) => Law::new(0.1, 0.5),
    }
}
