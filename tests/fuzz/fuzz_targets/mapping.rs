//! Any text as the rules of a mapping: they are read or refused, and by rules that are accepted every request is
//! read, record by record, to as many records as there are.

#![no_main]

use std::sync::LazyLock;

use authstitch_fuzz::assert_short;
use authstitch_model::Secret;
use authstitch_model::document;
use authstitch_otlp::{Encoding, Mapping, Signal, decode};
use authstitch_simulate::{Body, Schedule, Simulation, World};
use libfuzzer_sys::fuzz_target;

/// Requests of a world whose logins take every form, and how many records each has.
static REQUESTS: LazyLock<Vec<(Signal, Vec<u8>, u64)>> = LazyLock::new(|| {
    let text = World::shipped("partly_instrumented").expect("it is shipped");
    let world = World::from_yaml(text).expect("it is right");
    let requests = Schedule::new(Simulation::new(world, 1), 0..8).map(|request| {
        let signal = match &request.body {
            Body::Traces(_) => Signal::Traces,
            Body::Logs(_) => Signal::Logs,
        };
        let (bytes, plain) = (request.encode_protobuf(), Mapping::new(Secret::PUBLIC));
        let tally = decode(signal, Encoding::Protobuf, &bytes, &plain, &mut Vec::new());
        (signal, bytes, tally.expect("it is a request").records)
    });
    requests.collect()
});

fuzz_target!(|text: &str| {
    let Ok((rules, _)) = document::value(yaml_serde::Deserializer::from_str(text)) else { return };
    match document::read(&rules, |fields| Mapping::read(fields, Secret::PUBLIC)) {
        Err(problems) => assert_short(problems),
        Ok(mapping) => {
            for (signal, bytes, records) in &*REQUESTS {
                let mut events = Vec::new();
                let tally = decode(*signal, Encoding::Protobuf, bytes, &mapping, &mut events);
                let tally = tally.expect("rules make no request malformed");
                assert_eq!((tally.records, tally.events), (*records, events.len() as u64));
                assert!(tally.rejected <= tally.records);
            }
        }
    }
});
