//! Any bytes as a request: the scanner never panics, and gives what prost reads in them wherever prost reads
//! anything. The first byte chooses the signal.

#![no_main]

use std::sync::LazyLock;

use authstitch_model::{AuthEvent, Secret};
use authstitch_otlp::wire::{LogsRequest, TracesRequest};
use authstitch_otlp::{Encoding, Malformed, Mapping, Signal, Tally, decode};
use libfuzzer_sys::fuzz_target;
use prost::Message;

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| Mapping::new(Secret::PUBLIC));

fn read(signal: Signal, bytes: &[u8]) -> Result<(Tally, Vec<AuthEvent>), Malformed> {
    let mut events = Vec::new();
    let tally = decode(signal, Encoding::Protobuf, bytes, &MAPPING, &mut events);
    assert!(tally.is_ok() || events.is_empty(), "of a malformed request nothing is appended");
    Ok((tally?, events))
}

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let (signal, rewritten) = match first & 1 {
        0 => (Signal::Traces, TracesRequest::decode(bytes).map(|request| request.encode_to_vec())),
        _ => (Signal::Logs, LogsRequest::decode(bytes).map(|request| request.encode_to_vec())),
    };
    let ours = read(signal, bytes);
    if let Ok(rewritten) = rewritten {
        assert_eq!(ours, read(signal, &rewritten));
    }
});
