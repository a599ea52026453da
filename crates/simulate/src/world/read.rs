//! From YAML text to a checked world.

use std::sync::Arc;

use authstitch_model::Millis;
use authstitch_model::document::{self, Fields, Problem, Problems, quoted, remark};
use serde_json::{Map, Value};

use super::flow::Flows;
use super::law::Timing;
use super::mix::Mix;
use super::people::People;
use super::segment::Segment;
use super::telemetry::Telemetry;
use super::{Day, Pace, Realms, SHIPPED, VARIANTS, World};
use crate::caps;

/// How many worlds may stand on each other: a chain, not a circle.
const BASES: usize = 4;

pub(super) fn world(text: &str) -> Result<World, Problems> {
    let mut document = with_bases(parse(text)?, BASES)?;
    lay_segments_over_flows(&mut document);
    document::read(&document, read)
}

fn parse(text: &str) -> Result<Value, Problems> {
    let read = document::value(yaml_serde::Deserializer::from_str(text));
    match read.map_err(|error| problem("(yaml)", remark(error)))? {
        (document, problems) if problems.is_empty() => Ok(document),
        (_, problems) => Err(Problems(problems)),
    }
}

fn problem(path: &str, message: String) -> Problems {
    Problems(vec![Problem::at(path, message)])
}

/// Lays a document over the shipped worlds it is based on.
fn with_bases(document: Value, left: usize) -> Result<Value, Problems> {
    let Some(base) = document.get("based_on") else { return Ok(document) };
    let names: Vec<&str> = SHIPPED.iter().chain(VARIANTS).map(|(name, _)| *name).collect();
    let text = base.as_str().and_then(World::shipped).filter(|_| left > 0).ok_or_else(|| {
        problem(
            "based_on",
            format!("{} is no shipped world; accepted: {}", quoted(&base.to_string()), names.join(", ")),
        )
    })?;
    let base = with_bases(parse(text)?, left - 1)?;
    Ok(over(base, document))
}

/// Lays one value over another: maps merge key by key, anything else takes the place of what was there.
fn over(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, value) in above {
                let value = match below.remove(&key) {
                    Some(old) => over(old, value),
                    None => value,
                };
                below.insert(key, value);
            }
            Value::Object(below)
        }
        (_, above) => above,
    }
}

/// A segment that says something of its own about the flows gets the world's flows under it.
fn lay_segments_over_flows(document: &mut Value) {
    let flows = document.get("flows").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    let segments = document.get_mut("segments").and_then(Value::as_array_mut);
    for segment in segments.into_iter().flatten() {
        if let Some(own) = segment.get_mut("flows") {
            *own = over(flows.clone(), own.take());
        }
    }
}

fn read(top: &Fields<'_>) -> World {
    // Looked up before, when the document was laid over it.
    let _ = top.text("based_on");
    let name = top.text("name").map_or_else(
        || {
            top.problem("name", "missing; a world has a name");
            "".into()
        },
        Arc::from,
    );
    let flows = Arc::new(top.map("flows", Flows::read));
    let segments = top.list("segments", |fields| Segment::read(fields, &flows));
    if segments.len() > caps::LIST_ITEMS {
        top.problem("segments", format!("more than {} segments", caps::LIST_ITEMS));
    }
    let segments = segments.into_iter().map(|segment| (segment.weight, Arc::new(segment)));
    let segments = Mix::new(segments.map(|(weight, segment)| (segment, weight)).collect())
        .unwrap_or_else(|| Mix::only(Arc::new(Segment::everybody(flows.clone()))));
    World {
        name,
        about: top.text("about").unwrap_or_default().trim().to_owned(),
        reproduces: top.texts("reproduces"),
        pace: top.map("pace", read_pace),
        realms: top.map("realms", |realms| Realms {
            relying_parties: realms.integer("relying_parties", 1..=1000, 1),
            codes_reused: realms.flag("codes_reused", false),
            attributes: realms.texts("attributes"),
        }),
        segments,
        flows,
        timing: top.map("timing", Timing::read),
        people: top.map("people", People::read),
        telemetry: top.map("telemetry", Telemetry::read),
    }
}

fn read_pace(fields: &Fields<'_>) -> Pace {
    let day = fields.has("day").then(|| {
        fields.map("day", |day| Day {
            blocks: day.integer("attempts", caps::BLOCK_ATTEMPTS..=1_000_000_000, 4000)
                / caps::BLOCK_ATTEMPTS,
            length: Millis::from_secs(day.integer("hours", 1..=10_000, 24) * 3600),
        })
    });
    let pace = Pace {
        attempts_per_second: fields.number("attempts_per_second", 0.001..=1e6, 50.0),
        jitter_s: fields.number("jitter_s", 0.0..=60.0, 0.5),
        day,
    };
    if let Some(day) = pace.day {
        let busy_s = (day.blocks * caps::BLOCK_ATTEMPTS) as f64 / pace.attempts_per_second;
        if busy_s * 1e3 > day.length.0 as f64 {
            fields.problem("day", format!("its attempts take {busy_s} s, longer than the day"));
        }
    }
    pace
}
