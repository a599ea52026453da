//! OTLP bytes ⇄ events: decoding, mapping, and encoding. Pure: no clock, no IO, and nothing kept between two
//! requests but what was made of emitters, which changes no event.
//!
//! [`decode`] takes the bytes of a request and appends its events. [`wire`] and [`json`] know the two
//! encodings; `records` picks out what is ours, `event` reduces a record to an [`AuthEvent`], and [`Mapping`]
//! says how names are read. Raw keys, addresses, messages and user agents end here.

use authstitch_model::{AuthEvent, Browser, ErrorClass, Side};
use prost::Message;

use scan::Odd;

mod agent;
mod attributes;
pub mod caps;
mod dictionary;
mod emitter;
mod emitters;
mod errors;
mod event;
mod facts;
mod failure;
mod hashes;
pub mod json;
mod mapping;
mod network;
mod realm;
mod reasons;
mod records;
mod reject;
mod response;
mod sampling;
mod scan;
mod value;
pub mod wire;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use mapping::Mapping;
pub use reject::Reason;
pub use response::encode_response;

/// Which of the two signals a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// `/v1/traces`.
    Traces,
    /// `/v1/logs`.
    Logs,
}

/// How a request is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Binary protobuf.
    Protobuf,
    /// OTLP JSON.
    Json,
}

/// What became of the records of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Spans or log records in the request.
    pub records: u64,
    /// Events appended.
    pub events: u64,
    /// Records of ours that were rejected; a span counts once, however many of its events are bad.
    pub rejected: u64,
    /// The same by reason, at the reason's index; a record counts for its first.
    pub reasons: [u64; Reason::COUNT],
    /// Why the first of them was, for a person.
    pub message: Option<String>,
}

/// The request as a whole cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// Bytes in, events appended, rejects returned.
///
/// # Errors
/// [`Malformed`] if the bytes are no such request at all; then nothing was appended.
pub fn decode(
    signal: Signal,
    encoding: Encoding,
    bytes: &[u8],
    mapping: &Mapping,
    events: &mut Vec<AuthEvent>,
) -> Result<Tally, Malformed> {
    if encoding == Encoding::Protobuf
        && let Ok(tally) = scan(signal, bytes, mapping, events)
    {
        return Ok(tally);
    }
    let usual = match signal {
        Signal::Traces => message::<wire::TracesRequest>(signal, encoding, bytes)?.encode_to_vec(),
        Signal::Logs => message::<wire::LogsRequest>(signal, encoding, bytes)?.encode_to_vec(),
    };
    scan(signal, &usual, mapping, events)
        .map_err(|Odd| Malformed("the body holds more than can be read in one piece".to_owned()))
}

/// Appends the events of a request in the usual form; of any other nothing.
fn scan(signal: Signal, bytes: &[u8], mapping: &Mapping, events: &mut Vec<AuthEvent>) -> scan::Scan<Tally> {
    let before = events.len();
    let tally = records::walk(signal, bytes, mapping, events);
    if tally.is_err() {
        events.truncate(before);
    }
    tally
}

/// The class that an error is reduced to, by its type, its message and who raised it.
#[must_use]
pub fn error_class(kind: &str, message: Option<&str>, browser: Option<Browser>, side: Side) -> ErrorClass {
    let raised = errors::Raised { kind: Some(kind), message };
    errors::class(raised, browser, side).unwrap_or(ErrorClass::Other)
}

/// A traces request as one line of OTLP JSON.
#[must_use]
pub fn encode_traces(request: &wire::TracesRequest) -> String {
    json::write(request)
}

/// A logs request as one line of OTLP JSON.
#[must_use]
pub fn encode_logs(request: &wire::LogsRequest) -> String {
    json::write(request)
}

fn message<T>(signal: Signal, encoding: Encoding, bytes: &[u8]) -> Result<T, Malformed>
where
    T: Message + Default + serde::de::DeserializeOwned,
{
    let read = match encoding {
        Encoding::Protobuf => T::decode(bytes).map_err(|error| error.to_string()),
        Encoding::Json => json::read(bytes),
    };
    read.map_err(|error| {
        let request = match signal {
            Signal::Traces => "ExportTraceServiceRequest",
            Signal::Logs => "ExportLogsServiceRequest",
        };
        let encoding = match encoding {
            Encoding::Protobuf => "protobuf",
            Encoding::Json => "OTLP JSON",
        };
        Malformed(format!("the body is no {request} in {encoding}: {error}"))
    })
}
