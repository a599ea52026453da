//! Reads the tables' document.
//!
//! - A cause that cannot stop any phase of a flow has the prior 0 there, and giving it one is a mistake; so is
//!   giving it a weight.
//! - A cause without a prior has `rare`; one without a row in `halts` stops each phase that it can alike, and
//!   one without a row in `transport` uses each alike.
//! - A value without a row, and a cause without a weight in a row, has the weight 0: it moves nothing.

use authstitch_model::document::{self, Fields, Problem, Problems, quoted, remark};
use authstitch_model::{Cause, Completeness, Flow, Phase, Transport};

use super::{FlowTable, Prior, Tables, Weights, is_possible};
use crate::by_cause::{ByCause, turned};
use crate::feature::{Known, Observation};
use crate::hard;
use crate::stops::{ByStop, NOWHERE};
use crate::train::SHARED_FATE;
use crate::transport::Transports;

const SHARES: std::ops::RangeInclusive<f64> = 0.0..=1.0;
const COUNTS: std::ops::RangeInclusive<f64> = 0.0..=1e12;
const NATS: std::ops::RangeInclusive<f64> = -20.0..=20.0;

/// The prior of a cause that a flow does not list but that can stop it.
const RARE: f64 = 0.0005;

pub fn read(text: &str) -> Result<Tables, Problems> {
    let document = serde_json::from_str(text).map_err(|error| {
        let message = format!("{}; a JSON object as in the shipped tables is accepted", remark(error));
        Problems(vec![Problem::at("(top)", message)])
    })?;
    document::read(&document, tables)
}

fn tables(top: &Fields<'_>) -> Tables {
    let version = top.text("version").unwrap_or_default().to_owned();
    if version.is_empty() {
        top.problem("version", "is missing; a name that tells these tables from all others is accepted");
    }
    if !top.has("flows") {
        top.problem(
            "flows",
            "is missing; a map with app_qr, passkey_cda, magic_link and unknown is accepted",
        );
    }
    Tables {
        version,
        text: None,
        made_by: top.text("made_by").unwrap_or_default().to_owned(),
        fingerprint: top.text("fingerprint").unwrap_or_default().to_owned(),
        fitted_at: top.map("fitted_at", completeness),
        shared_fate: top.number("shared_fate", SHARES, f64::from(SHARED_FATE)) as f32,
        flows: top.map("flows", |flows| {
            [Flow::AppQr, Flow::PasskeyCda, Flow::MagicLink, Flow::Unknown]
                .map(|flow| flows.map(flow.code(), |fields| flow_table(fields, flow)))
        }),
    }
}

fn completeness(fields: &Fields<'_>) -> Completeness {
    let usual = Completeness::default();
    let share = |key, usual: f32| fields.number(key, SHARES, f64::from(usual)) as f32;
    Completeness {
        version: usual.version,
        initiator_loss: share("initiator_loss", usual.initiator_loss),
        authenticator_loss: share("authenticator_loss", usual.authenticator_loss),
        server_loss: share("server_loss", usual.server_loss),
        unload_loss: share("unload_loss", usual.unload_loss),
        phone_instrumented: fields.flag("phone_instrumented", usual.phone_instrumented),
    }
}

fn flow_table(fields: &Fields<'_>, flow: Flow) -> FlowTable {
    if !fields.has("prior") {
        fields.problem("prior", "is missing; a map from causes to how often each occurs is accepted");
    }
    let transport = turned(&transport(fields));
    FlowTable {
        prior: Prior::new(prior(fields, flow)),
        emission: emission(fields),
        halts: turned(&halts(fields, flow)),
        transport,
        transports: Transports::new(&transport),
        weights: fields.map("weights", |weights| read_weights(weights, flow)),
    }
}

fn accepted(codes: impl IntoIterator<Item = &'static str>) -> String {
    codes.into_iter().collect::<Vec<_>>().join(", ")
}

fn prior(fields: &Fields<'_>, flow: Flow) -> ByCause {
    let codes = accepted(Cause::ALL.iter().map(|cause| cause.code()));
    let given = fields.weights("prior", COUNTS, &codes, Cause::from_code);
    let mut prior = ByCause::all(0.0);
    for cause in Cause::ALL.iter().filter(|cause| is_possible(flow, **cause)) {
        prior[cause.index()] = RARE as f32;
    }
    for (cause, share) in given {
        if is_possible(flow, cause) {
            prior[cause.index()] = share as f32;
        } else {
            fields.problem(&format!("prior.{cause}"), format!("{cause} stops no phase of {flow}; remove it"));
        }
    }
    prior
}

fn emission(fields: &Fields<'_>) -> [f32; Phase::COUNT] {
    let codes = accepted(Phase::ALL.iter().map(|phase| phase.code()));
    let mut emission = [0.0; Phase::COUNT];
    for (phase, share) in fields.weights("emission", SHARES, &codes, Phase::from_code) {
        emission[phase.index()] = share as f32;
    }
    emission
}

fn halts(fields: &Fields<'_>, flow: Flow) -> [ByStop; Cause::COUNT] {
    let codes = accepted(Phase::ALL.iter().map(|phase| phase.code()));
    let mut halts = [ByStop::default(); Cause::COUNT];
    halts[Cause::None.index()][NOWHERE] = 1.0;
    fields.map("halts", |rows| {
        for cause in Cause::ALL {
            let possible = hard::may_halt(flow, *cause);
            let given = rows.weights(cause.code(), COUNTS, &codes, Phase::from_code);
            for (phase, _) in given.iter().filter(|(phase, _)| !possible.has(*phase)) {
                rows.problem(
                    &format!("{cause}.{phase}"),
                    format!("{cause} does not stop {phase} in {flow}; remove it"),
                );
            }
            let alike = || Phase::ALL.iter().filter(|phase| possible.has(**phase)).map(|phase| (*phase, 1.0));
            let weights: Vec<_> = if given.is_empty() { alike().collect() } else { given };
            let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
            if !weights.is_empty() && sum == 0.0 {
                rows.problem(cause.code(), "has no weight above 0; give at least one phase a weight");
            }
            for (phase, weight) in weights {
                halts[cause.index()][phase.index()] = (weight / sum.max(f64::MIN_POSITIVE)) as f32;
            }
        }
    });
    halts
}

fn transport(fields: &Fields<'_>) -> [[f32; Transport::COUNT]; Cause::COUNT] {
    let codes = accepted(Transport::ALL.iter().map(|transport| transport.code()));
    let mut shares = [[1.0 / Transport::COUNT as f32; Transport::COUNT]; Cause::COUNT];
    fields.map("transport", |rows| {
        for cause in Cause::ALL {
            let given = rows.weights(cause.code(), COUNTS, &codes, Transport::from_code);
            let sum: f64 = given.iter().map(|(_, weight)| weight).sum();
            if sum > 0.0 {
                shares[cause.index()] = [0.0; Transport::COUNT];
            }
            for (transport, weight) in given.iter().filter(|_| sum > 0.0) {
                shares[cause.index()][transport.index()] = (weight / sum) as f32;
            }
        }
    });
    shares
}

fn read_weights(fields: &Fields<'_>, flow: Flow) -> Weights {
    let codes =
        accepted(Cause::ALL.iter().filter(|cause| is_possible(flow, **cause)).map(|cause| cause.code()));
    let mut weights = Weights::nothing();
    for about in Observation::ALL {
        for (known, nats) in rows(fields, *about, flow, &codes) {
            weights.set(known, nats);
        }
    }
    weights
}

/// The rows of one observation, in the order of its values.
fn rows(fields: &Fields<'_>, about: Observation, flow: Flow, codes: &str) -> Vec<(Known, ByCause)> {
    let Some(given) = fields.get(about.code()) else { return Vec::new() };
    let Some(given) = given.as_object() else {
        fields.problem(about.code(), "is not a map of values");
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (code, row) in given {
        let here = format!("{}.{code}", about.code());
        let Some(known) = about.values().find(|known| known.code() == code) else {
            fields.problem(&here, format!("unknown value; accepted: {}", about.codes().join(", ")));
            continue;
        };
        let Some(row) = row.as_object() else {
            fields.problem(&here, "is not a map from causes to weights");
            continue;
        };
        let mut nats = ByCause::all(0.0);
        for (code, weight) in row {
            let cause = Cause::from_code(code).filter(|cause| is_possible(flow, *cause));
            match (cause, weight.as_f64().filter(|weight| NATS.contains(weight))) {
                (Some(cause), Some(weight)) => nats[cause.index()] = weight as f32,
                (None, _) => {
                    fields.problem(&format!("{here}.{code}"), format!("unknown code; accepted: {codes}"));
                }
                (_, None) => fields.problem(
                    &format!("{here}.{code}"),
                    format!(
                        "{} is not a number from {} to {}",
                        quoted(&weight.to_string()),
                        NATS.start(),
                        NATS.end()
                    ),
                ),
            }
        }
        rows.push((known, nats));
    }
    rows.sort_by_key(|(known, _)| known.value);
    rows
}
