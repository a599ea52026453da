//! What a challenger learns from: one row an attempt, from what arrived of it under the true grouping.
//!
//! `challenger_features WORLD SEED ATTEMPTS FILE [ceilings]` writes little-endian 32-bit floats, row by row: the
//! true cause's number, the probability that the ideal observer gave to it (NaN without `ceilings`), then the
//! features; the number of columns goes to standard output. Only attempts are written of which a strong key
//! survived and no session on the initiator, for the others are decided.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use authstitch_model::line::SpanLine;
use authstitch_model::truth::TruthLine;
use authstitch_model::{
    AuthEvent, Browser, Cause, ErrorClass, EventName, Flow, KeyKind, Os, Reason, Secret, Side, Synthetic,
    UnixNanos,
};
use authstitch_otlp::{Encoding, Mapping, decode};
use authstitch_simulate::{Schedule, Simulation, World};

/// What tells one event from another.
type Identity = (String, String, String, EventName);

/// An event and when it arrived.
type Seen = (AuthEvent, UnixNanos);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [world, seed, attempts, file, rest @ ..] = arguments.as_slice() else {
        return Err("expected WORLD SEED ATTEMPTS FILE [ceilings]".into());
    };
    let text = World::shipped(world).ok_or_else(|| format!("`{world}` is no shipped world"))?;
    let world = World::from_yaml(text).map_err(|problems| problems.to_string())?;
    let mut simulation = Simulation::new(world, seed.parse()?);
    if rest.first().is_some_and(|word| word == "ceilings") {
        simulation = simulation.with_ceilings();
    }
    let mut out = BufWriter::new(File::create(file)?);
    let (mut columns, mut rows) = (0, 0);
    let attempts: u64 = attempts.parse()?;
    const PART: u64 = 8_000;
    for part in (0..attempts).step_by(PART as usize) {
        for row in part_rows(&simulation, part..(part + PART).min(attempts))? {
            columns = row.len();
            rows += 1;
            for value in row {
                out.write_all(&value.to_le_bytes())?;
            }
        }
    }
    println!("{columns} {rows}");
    Ok(())
}

fn part_rows(
    simulation: &Simulation,
    attempts: std::ops::Range<u64>,
) -> Result<Vec<Vec<f32>>, Box<dyn std::error::Error>> {
    let mapping = Mapping::new(Secret::PUBLIC);
    let mut schedule = Schedule::new(simulation.clone(), attempts);
    let (mut truth, mut arrived): (Vec<TruthLine>, HashMap<Identity, Seen>) = Default::default();
    while let Some(request) = schedule.next() {
        truth.extend(schedule.drain_truth());
        let mut events = Vec::new();
        decode(request.signal(), Encoding::Protobuf, &request.encode_protobuf(), &mapping, &mut events)?;
        for event in events {
            arrived.entry(of_event(&event)).or_insert((event, request.at));
        }
    }
    truth.extend(schedule.drain_truth());
    let seen: Vec<Vec<&Seen>> = truth
        .iter()
        .map(|line| line.spans.iter().filter_map(|span| arrived.get(&of_line(span))).collect())
        .collect();
    let next: HashMap<u64, usize> =
        truth.iter().enumerate().filter_map(|(place, line)| Some((line.previous_attempt?, place))).collect();
    let place: HashMap<u64, usize> =
        truth.iter().enumerate().map(|(place, line)| (line.attempt, place)).collect();
    let mut rows = Vec::new();
    for (nth, line) in truth.iter().enumerate() {
        let mut labels = line.spans.iter().flat_map(|span| span.keys.iter().flatten());
        let strong =
            labels.any(|label| matches!(label.kind, KeyKind::Journey | KeyKind::Challenge | KeyKind::Code));
        let session = seen[nth].iter().any(|(event, _)| {
            event.name == EventName::SessionEstablished && event.side != Side::Authenticator
        });
        if !strong || session || seen[nth].is_empty() {
            continue;
        }
        let cause = line.cause.unwrap_or(Cause::None);
        let said = line.ideal.as_ref().map_or(f64::NAN, |ideal| {
            ideal.iter().find(|share| share.cause == cause).map_or(0.0, |share| share.probability)
        });
        let mut row = vec![cause.index() as f32, said as f32];
        describe(&seen[nth], &mut row);
        let after = next.get(&line.attempt).map(|place| (&seen[*place], &truth[*place]));
        let before = line.previous_attempt.and_then(|attempt| place.get(&attempt)).map(|place| &seen[*place]);
        neighbours(&seen[nth], after.map(|(seen, _)| seen), before, &mut row);
        rows.push(row);
    }
    Ok(rows)
}

fn hex<T: ToString>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn of_line(line: &SpanLine) -> Identity {
    let id = line.event_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
    (hex(line.trace_id), hex(line.span_id), id, line.event)
}

fn of_event(event: &AuthEvent) -> Identity {
    let id = event.event_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
    (hex(event.origin.trace_id), hex(event.origin.span_id), id, event.name)
}

fn seconds(from: UnixNanos, to: UnixNanos) -> f32 {
    ((to.0 as i128 - from.0 as i128) as f64 / 1e9) as f32
}

/// Everything that arrived of one attempt, in a fixed number of columns; NaN where there is nothing.
fn describe(seen: &[&Seen], row: &mut Vec<f32>) {
    let first_of =
        |side: Side| seen.iter().filter(|(event, _)| event.side == side).map(|(event, _)| event.time).min();
    let start = seen.iter().map(|(_, arrived)| *arrived).min().unwrap_or(UnixNanos(0));
    for name in EventName::ALL {
        let of_name: Vec<_> = seen.iter().filter(|(event, _)| event.name == *name).collect();
        row.push(of_name.len() as f32);
        let last = of_name.iter().max_by_key(|(event, _)| event.time);
        row.push(last.map_or(f32::NAN, |(event, _)| {
            first_of(event.side).map_or(f32::NAN, |first| seconds(first, event.time))
        }));
        row.push(last.map_or(f32::NAN, |(_, arrived)| seconds(start, *arrived)));
        row.push(last.map_or(f32::NAN, |(event, arrived)| seconds(event.time, *arrived)));
    }
    let code = |place: Option<usize>| place.map_or(f32::NAN, |place| place as f32);
    let number = |value: Option<u64>| value.map_or(f32::NAN, |value| value as f32 / 1e3);
    let facts = |pick: fn(&AuthEvent) -> Option<usize>| code(seen.iter().find_map(|(event, _)| pick(event)));
    row.push(facts(|event| event.flow.and_then(|flow| Flow::ALL.iter().position(|known| *known == flow))));
    row.push(facts(|event| {
        let browser = event.environment.browser.as_ref().filter(|_| event.side == Side::Initiator)?.kind;
        Browser::ALL.iter().position(|known| *known == browser)
    }));
    for side in Side::ALL {
        let of_side = || seen.iter().filter(|(event, _)| event.side == *side);
        let errors = || of_side().filter_map(|(event, _)| event.facts.error);
        let place = |class: ErrorClass| ErrorClass::ALL.iter().position(|known| *known == class);
        row.push(code(errors().next().and_then(place)));
        row.push(code(errors().next_back().and_then(place)));
        row.push(errors().count() as f32);
        let os = of_side().find_map(|(event, _)| event.environment.os.as_ref()).map(|os| os.kind);
        row.push(code(os.and_then(|os| Os::ALL.iter().position(|known| *known == os))));
        row.push(code(of_side().next().map(|(event, _)| usize::from(event.event_id.is_some()))));
        row.push(code(of_side().next().map(|(event, _)| usize::from(event.keys.journey.is_some()))));
        row.push(code(of_side().next().map(|(event, _)| usize::from(event.keys.session.is_some()))));
        let last = of_side().map(|(event, _)| event.time).max();
        row.push(first_of(*side).zip(last).map_or(f32::NAN, |(first, last)| seconds(first, last)));
        row.push(of_side().map(|(_, arrived)| seconds(start, *arrived)).fold(f32::NAN, f32::max));
    }
    row.push(facts(|event| {
        let reason = event.facts.reason?;
        Reason::ALL.iter().position(|known| *known == reason)
    }));
    row.push(facts(|event| Some(usize::from(event.facts.hybrid_capability?))));
    row.push(facts(|event| event.facts.mediation.map(|mediation| mediation as usize)));
    row.push(facts(|event| event.facts.attachment.map(|attachment| attachment as usize)));
    let of_any = |pick: fn(&AuthEvent) -> Option<u64>| number(seen.iter().find_map(|(event, _)| pick(event)));
    row.push(of_any(|event| event.facts.webauthn_timeout.map(|millis| millis.0)));
    row.push(of_any(|event| event.facts.webauthn_elapsed.map(|millis| millis.0)));
    row.push(of_any(|event| event.facts.sampled.map(u64::from)));
    let bots = seen.iter().filter(|(event, _)| event.facts.synthetic == Some(Synthetic::Bot));
    row.push(bots.clone().count() as f32);
    row.push(code(
        bots.clone().next().and_then(|(event, _)| event.facts.http_method.map(|method| method as usize)),
    ));
    let abroad = |side: Side| {
        seen.iter().find(|(event, _)| event.side == side).and_then(|(event, _)| event.facts.country)
    };
    row.push(f32::from(u8::from(abroad(Side::Server) == Some(*b"NL"))));
}

/// The attempts before and after it, of the same person.
fn neighbours(seen: &[&Seen], after: Option<&Vec<&Seen>>, before: Option<&Vec<&Seen>>, row: &mut Vec<f32>) {
    let last = seen.iter().map(|(event, _)| event.time).max().unwrap_or(UnixNanos(0));
    let first = seen.iter().map(|(event, _)| event.time).min().unwrap_or(UnixNanos(0));
    let begins = after.and_then(|after| after.iter().map(|(event, _)| event.time).min());
    row.push(begins.map_or(f32::NAN, |begins| seconds(last, begins)));
    row.push(begins.map_or(f32::NAN, |begins| seconds(first, begins)));
    for other in [after, before] {
        let flow = other.and_then(|other| other.iter().find_map(|(event, _)| event.flow));
        row.push(flow.map_or(f32::NAN, |flow| flow as usize as f32));
        for name in [
            EventName::SessionEstablished,
            EventName::WebauthnFailed,
            EventName::Error,
            EventName::ConfirmationShown,
            EventName::QrScanned,
            EventName::VerificationFailed,
            EventName::MethodSwitched,
        ] {
            let count = other.map(|other| other.iter().filter(|(event, _)| event.name == name).count());
            row.push(count.map_or(f32::NAN, |count| count as f32));
        }
        let error = other.and_then(|other| other.iter().find_map(|(event, _)| event.facts.error));
        row.push(error.map_or(f32::NAN, |error| error as usize as f32));
    }
}
