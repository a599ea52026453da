//! Reads the tables' document.
//!
//! - A row of weights becomes probabilities: each value gets its share of the sum, and none less than `floor`.
//! - A row for a cause is looked for in this order: the flow's row of the cause, the general row of the cause,
//!   the flow's row of its outcome, the general row of its outcome, the flow's `otherwise`, the general
//!   `otherwise`. Where there is none, all values are equally likely.
//! - A cause that cannot stop any phase of a flow has the prior 0 there, and giving it one is a mistake.
//! - A cause without a prior has `rare`; one without a row in `halts` stops each phase that it can alike.

use authstitch_model::document::{self, Fields, Problem, Problems};
use authstitch_model::{Cause, Flow, Outcome, Phase, Transport};

use super::{FlowTable, Tables};
use crate::by_cause::ByCause;
use crate::feature::Feature;
use crate::hard;

/// The rows that hold for every flow.
const ANY_FLOW: &str = "any";
/// The row that holds for every cause.
const OTHERWISE: &str = "otherwise";

const SHARES: std::ops::RangeInclusive<f64> = 0.0..=1.0;
const WEIGHTS: std::ops::RangeInclusive<f64> = 0.0..=1e12;

/// Weights by value, as they stand in the document.
type Row = Vec<(usize, f64)>;

/// The rows of one feature in one scope, by row key.
struct Rows(Vec<(&'static str, Row)>);

pub fn read(text: &str) -> Result<Tables, Problems> {
    let document = serde_json::from_str(text).map_err(|error| {
        Problems(vec![Problem {
            path: "(top)".into(),
            message: format!("{error}; a JSON object as in the shipped tables is accepted"),
        }])
    })?;
    document::read(&document, tables)
}

fn tables(top: &Fields<'_>) -> Tables {
    let version = top.text("version").unwrap_or_default().to_owned();
    if version.is_empty() {
        top.problem("version", "is missing; a name that tells these tables from all others is accepted");
    }
    let floor = top.number("floor", 0.0..=0.01, 0.001) as f32;
    let rare = top.number("rare", SHARES, 0.0005) as f32;
    let shared_fate = top.number("shared_fate", SHARES, 0.5) as f32;
    let likelihood = top.map("likelihood", |likelihood| {
        Feature::ALL
            .iter()
            .map(|feature| by_scope(likelihood, feature.code(), feature.values()))
            .collect::<Vec<_>>()
    });
    let transports: Vec<_> = Transport::ALL.iter().map(|transport| transport.code()).collect();
    let transport = by_scope(top, "transport", &transports);
    let flows = top.map("flows", |flows| {
        [Flow::AppQr, Flow::PasskeyCda, Flow::MagicLink, Flow::Unknown].map(|flow| {
            flows.map(flow.code(), |fields| {
                let (prior, emission, halts) =
                    (prior(fields, flow, rare), emission(fields), halts(fields, flow));
                let rows = likelihood.iter().zip(Feature::ALL);
                let likelihood: Vec<_> = rows
                    .flat_map(|(scopes, feature)| compile(scopes, flow, feature.values().len(), floor))
                    .collect();
                let likelihood = likelihood.try_into().expect("one row for each value of each feature");
                let transport = compile(&transport, flow, Transport::COUNT, floor)
                    .try_into()
                    .expect("one row for each transport");
                FlowTable { prior, emission, halts, likelihood, transport }
            })
        })
    });
    Tables { version, shared_fate, flows }
}

fn accepted(codes: impl IntoIterator<Item = &'static str>) -> String {
    codes.into_iter().collect::<Vec<_>>().join(", ")
}

fn prior(fields: &Fields<'_>, flow: Flow, rare: f32) -> ByCause {
    let codes = accepted(Cause::ALL.iter().map(|cause| cause.code()));
    let given = fields.weights("prior", WEIGHTS, &codes, Cause::from_code);
    let possible = |cause: Cause| cause == Cause::None || !hard::may_halt(flow, cause).is_empty();
    let mut prior = [0.0; Cause::COUNT];
    for cause in Cause::ALL.iter().filter(|cause| possible(**cause)) {
        prior[cause.index()] = rare;
    }
    for (cause, share) in given {
        if possible(cause) {
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

fn halts(fields: &Fields<'_>, flow: Flow) -> [ByCause; Phase::COUNT] {
    let codes = accepted(Phase::ALL.iter().map(|phase| phase.code()));
    let mut halts = [[0.0; Cause::COUNT]; Phase::COUNT];
    fields.map("halts", |rows| {
        for cause in Cause::ALL {
            let possible = hard::may_halt(flow, *cause);
            let given = rows.weights(cause.code(), WEIGHTS, &codes, Phase::from_code);
            for (phase, _) in given.iter().filter(|(phase, _)| !possible.has(*phase)) {
                rows.problem(
                    &format!("{cause}.{phase}"),
                    format!("{cause} does not stop {phase} in {flow}; remove it"),
                );
            }
            let uniform =
                || Phase::ALL.iter().filter(|phase| possible.has(**phase)).map(|phase| (*phase, 1.0));
            let weights: Vec<_> = if given.is_empty() { uniform().collect() } else { given };
            let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
            if !weights.is_empty() && sum == 0.0 {
                rows.problem(cause.code(), "has no weight above 0; give at least one phase a weight");
            }
            for (phase, weight) in weights {
                halts[phase.index()][cause.index()] = (weight / sum.max(f64::MIN_POSITIVE)) as f32;
            }
        }
    });
    halts
}

/// The rows of one feature: general ones first, then each flow's.
fn by_scope(fields: &Fields<'_>, key: &'static str, values: &[&str]) -> Vec<(Option<Flow>, Rows)> {
    let scopes = [None].into_iter().chain(Flow::ALL.iter().copied().map(Some));
    fields.map(key, |scoped| {
        scopes
            .map(|flow| {
                let name = flow.map_or(ANY_FLOW, Flow::code);
                (flow, scoped.map(name, |rows| read_rows(rows, values)))
            })
            .collect()
    })
}

fn read_rows(fields: &Fields<'_>, values: &[&str]) -> Rows {
    let codes = values.join(", ");
    let keys = [OTHERWISE].into_iter().chain(Outcome::ALL.iter().map(|outcome| outcome.code()));
    let keys = keys.chain(Cause::ALL.iter().map(|cause| cause.code()));
    let rows = keys.filter_map(|key| {
        let place = |code: &str| values.iter().position(|known| *known == code);
        let row = fields.weights(key, WEIGHTS, &codes, place);
        if row.iter().all(|(_, weight)| *weight == 0.0) && fields.has(key) {
            fields.problem(key, "has no weight above 0; give at least one value a weight");
        }
        (!row.is_empty()).then_some((key, row))
    });
    Rows(rows.collect())
}

fn find(scopes: &[(Option<Flow>, Rows)], flow: Flow, cause: Cause) -> Option<&Row> {
    let row = |scope: Option<Flow>, key: &str| {
        let (_, rows) = scopes.iter().find(|(known, _)| *known == scope)?;
        rows.0.iter().find(|(known, _)| *known == key).map(|(_, row)| row)
    };
    [cause.code(), cause.outcome().code(), OTHERWISE]
        .into_iter()
        .find_map(|key| row(Some(flow), key).or_else(|| row(None, key)))
}

/// One line for each value, by cause.
fn compile(scopes: &[(Option<Flow>, Rows)], flow: Flow, values: usize, floor: f32) -> Vec<ByCause> {
    let mut compiled = vec![[0.0; Cause::COUNT]; values];
    for cause in Cause::ALL {
        let row = find(scopes, flow, *cause);
        let sum: f64 = row.map_or(0.0, |row| row.iter().map(|(_, weight)| weight).sum());
        for (value, line) in compiled.iter_mut().enumerate() {
            let weight = row.map_or(0.0, |row| {
                row.iter().find(|(known, _)| *known == value).map_or(0.0, |(_, weight)| *weight)
            });
            let share = if sum > 0.0 { (weight / sum) as f32 } else { 1.0 / values as f32 };
            line[cause.index()] = floor + (1.0 - floor * values as f32) * share;
        }
    }
    compiled
}
