//! Writes the tables' document: keys in the order of the vocabulary, one row a line, so that two versions can be
//! compared by their lines.

use std::fmt::Write as _;

use authstitch_model::{Cause, Flow, Phase, Transport};
use serde_json::{Value, json};

use super::{FlowTable, Tables, is_possible};
use crate::by_cause::ByCause;
use crate::feature::Observation;
use crate::hard;

pub fn write(tables: &Tables) -> String {
    let mut text = String::from("{\n");
    let at = &tables.fitted_at;
    let fitted_at = json!({
        "initiator_loss": decimal(at.initiator_loss), "authenticator_loss": decimal(at.authenticator_loss),
        "server_loss": decimal(at.server_loss), "unload_loss": decimal(at.unload_loss),
        "phone_instrumented": at.phone_instrumented,
    });
    let _ = writeln!(text, "\"version\": {},", json!(tables.version));
    let _ = writeln!(text, "\"made_by\": {},", json!(tables.made_by));
    let _ = writeln!(text, "\"fingerprint\": {},", json!(tables.fingerprint));
    let _ = writeln!(text, "\"fitted_at\": {fitted_at},");
    let _ = writeln!(text, "\"shared_fate\": {},", decimal(tables.shared_fate));
    let flows: Vec<_> = Flow::ALL.iter().map(|flow| flow_table(*flow, tables.of(*flow))).collect();
    let _ = writeln!(text, "\"flows\": {{\n{}\n}}", flows.join(",\n"));
    text.push_str("}\n");
    text
}

fn flow_table(flow: Flow, table: &FlowTable) -> String {
    let prior = by_cause(&table.prior.shares, |cause, _| is_possible(flow, cause));
    let emission = Phase::ALL.iter().filter(|phase| table.emission[phase.index()] > 0.0);
    let emission = map(emission.map(|phase| (phase.code(), decimal(table.emission[phase.index()]))));
    let causes = || Cause::ALL.iter().filter(|cause| !hard::may_halt(flow, **cause).is_empty());
    let halts = causes().map(|cause| {
        let shares = Phase::ALL.iter().map(|phase| (phase.code(), table.halts[phase.index()][cause.index()]));
        (cause.code().to_owned(), shown(shares))
    });
    let mut parts = vec![
        format!("\"prior\": {prior}"),
        format!("\"emission\": {emission}"),
        format!("\"halts\": {}", lines(halts)),
    ];
    if flow == Flow::PasskeyCda {
        let transport = Cause::ALL.iter().map(|cause| {
            let shares = Transport::ALL
                .iter()
                .map(|transport| (transport.code(), table.transport[transport.index()][cause.index()]));
            (cause.code().to_owned(), shown(shares))
        });
        parts.push(format!("\"transport\": {}", lines(transport)));
    }
    let weights = Observation::ALL.iter().filter_map(|about| {
        let rows: Vec<_> = about
            .values()
            .filter_map(|known| {
                let row = table.weights.nats(known)?;
                Some((known.code().to_owned(), by_cause(row, |_, weight| weight != 0.0)))
            })
            .collect();
        (!rows.is_empty()).then(|| (about.code().to_owned(), lines(rows.into_iter())))
    });
    parts.push(format!("\"weights\": {}", lines(weights)));
    format!("{}: {{\n{}\n}}", json!(flow.code()), parts.join(",\n"))
}

fn by_cause(row: &ByCause, wanted: impl Fn(Cause, f32) -> bool) -> String {
    let known = Cause::ALL.iter().filter(|cause| wanted(**cause, row[cause.index()]));
    map(known.map(|cause| (cause.code(), decimal(row[cause.index()]))))
}

fn shown<'a>(shares: impl Iterator<Item = (&'a str, f32)>) -> String {
    map(shares.filter(|(_, share)| *share > 0.0).map(|(code, share)| (code, decimal(share))))
}

/// A number as short as reads back the same.
fn decimal(number: f32) -> Value {
    number.to_string().parse::<f64>().map_or(Value::Null, |number| json!(number))
}

fn map<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> String {
    let entries: Vec<_> = entries.map(|(code, value)| format!("\"{code}\":{value}")).collect();
    format!("{{{}}}", entries.join(","))
}

fn lines(entries: impl Iterator<Item = (String, String)>) -> String {
    let entries: Vec<_> = entries.map(|(code, value)| format!("\"{code}\": {value}")).collect();
    format!("{{\n{}\n}}", entries.join(",\n"))
}
