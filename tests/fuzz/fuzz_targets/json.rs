//! Any text as a request in OTLP JSON: it is read or refused, and what is read gives the events that its protobuf
//! writing gives, and its own writing again. The first byte chooses the signal.

#![no_main]

use std::sync::LazyLock;

use authstitch_model::{AuthEvent, Secret};
use authstitch_otlp::wire::{LogsRequest, TracesRequest};
use authstitch_otlp::{Encoding, Malformed, Mapping, Signal, Tally, decode, encode_logs, encode_traces};
use libfuzzer_sys::fuzz_target;
use prost::Message;

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| Mapping::new(Secret::PUBLIC));

fn read(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<(Tally, Vec<AuthEvent>), Malformed> {
    let mut events = Vec::new();
    let tally = decode(signal, encoding, bytes, &MAPPING, &mut events);
    assert!(tally.is_ok() || events.is_empty(), "of a malformed request nothing is appended");
    Ok((tally?, events))
}

/// The same request in protobuf and in JSON.
fn written(signal: Signal, text: &[u8]) -> (Vec<u8>, String) {
    let read = "what was accepted is such a message, or null";
    match signal {
        Signal::Traces => {
            let request =
                serde_json::from_slice::<Option<TracesRequest>>(text).expect(read).unwrap_or_default();
            (request.encode_to_vec(), encode_traces(&request))
        }
        Signal::Logs => {
            let request =
                serde_json::from_slice::<Option<LogsRequest>>(text).expect(read).unwrap_or_default();
            (request.encode_to_vec(), encode_logs(&request))
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((first, text)) = input.split_first() else { return };
    let signal = if first & 1 == 0 { Signal::Traces } else { Signal::Logs };
    let ours = read(signal, Encoding::Json, text);
    if let Err(Malformed(why)) = &ours {
        assert!(why.len() < 4096, "an error is for a person: {} bytes", why.len());
        return;
    }
    let (protobuf, json) = written(signal, text);
    assert_eq!(ours, read(signal, Encoding::Protobuf, &protobuf));
    assert_eq!(ours, read(signal, Encoding::Json, json.as_bytes()));
});
