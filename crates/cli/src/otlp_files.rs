//! OTLP files: what the Collector's file exporter writes (one JSON request a line, or protobuf requests each
//! behind its length), and protobuf behind varint lengths as other tools write it.
//!
//! Three rules tell the forms apart. A file whose first byte other than white space is `{` is JSON lines.
//! Otherwise four-byte big-endian lengths are taken if they add up to the file's size, else varint lengths.
//! A protobuf request is a traces request if it decodes as one, else logs.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use authstitch_model::AuthEvent;
use authstitch_otlp::wire::{LogsRequest, TracesRequest};
use authstitch_otlp::{Encoding, Mapping, Signal, decode};
use prost::Message as _;

use crate::caps;
use crate::failure::{Failure, While};

/// The requests of one file, in the file's order.
pub struct OtlpFile {
    path: PathBuf,
    requests: Requests,
    malformed: usize,
    read: usize,
}

enum Requests {
    JsonLines { reader: BufReader<File>, line: usize },
    Protobuf { bytes: Vec<u8>, at: usize, framing: Framing, nth: usize },
}

#[derive(Clone, Copy)]
enum Framing {
    BigEndian32,
    Varint,
}

struct Request<'a> {
    place: String,
    signal: Option<Signal>,
    encoding: Encoding,
    bytes: &'a [u8],
}

impl Request<'_> {
    /// Its signal, and its bytes in protobuf. Of JSON that is what authstitch reads; protobuf stays as it is.
    fn protobuf(&self) -> Result<(Signal, Vec<u8>), String> {
        let from_json = |error: serde_json::Error| error.to_string();
        match (self.encoding, self.signal) {
            (Encoding::Json, Some(Signal::Logs)) => {
                let request: LogsRequest = serde_json::from_slice(self.bytes).map_err(from_json)?;
                Ok((Signal::Logs, request.encode_to_vec()))
            }
            (Encoding::Json, _) => {
                let request: TracesRequest = serde_json::from_slice(self.bytes).map_err(from_json)?;
                Ok((Signal::Traces, request.encode_to_vec()))
            }
            (Encoding::Protobuf, _) if TracesRequest::decode(self.bytes).is_ok() => {
                Ok((Signal::Traces, self.bytes.to_vec()))
            }
            (Encoding::Protobuf, _) => {
                LogsRequest::decode(self.bytes).map_err(|error| error.to_string())?;
                Ok((Signal::Logs, self.bytes.to_vec()))
            }
        }
    }
}

impl OtlpFile {
    /// Opens a file and finds out its form.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let what = format!("read {}", path.display());
        let mut reader = BufReader::new(File::open(path).cannot(&what)?);
        let first = reader.fill_buf().cannot(&what)?.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        let requests = if matches!(first, Some(b'{') | None) {
            Requests::JsonLines { reader, line: 0 }
        } else {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).cannot(&what)?;
            let framing = if big_endian_lengths_fit(&bytes) { Framing::BigEndian32 } else { Framing::Varint };
            Requests::Protobuf { bytes, at: 0, framing, nth: 0 }
        };
        Ok(Self { path: path.to_owned(), requests, malformed: 0, read: 0 })
    }

    /// Appends the next request's events; `false` at the file's end. A malformed request is told on standard
    /// error and passed over.
    pub fn next(&mut self, mapping: &Mapping, events: &mut Vec<AuthEvent>) -> Result<bool, Failure> {
        loop {
            let mut line_buffer = Vec::new();
            let Some(request) = self.requests.next(&self.path, &mut line_buffer)? else { return Ok(false) };
            let Request { place, signal, encoding, bytes } = request;
            let result = match signal {
                Some(signal) => decode(signal, encoding, bytes, mapping, events),
                None => decode(Signal::Traces, encoding, bytes, mapping, events)
                    .or_else(|_| decode(Signal::Logs, encoding, bytes, mapping, events)),
            };
            match result {
                Ok(tally) => {
                    self.read += 1;
                    if let Some(message) = tally.message {
                        self.warn(&format!("{place}: {} rejected: {message}", tally.rejected));
                    }
                    return Ok(true);
                }
                Err(malformed) => {
                    self.warn(&format!("{place}: passed over, {malformed}"));
                }
            }
        }
    }

    /// The next request in binary protobuf; `None` at the file's end. One that cannot be read is passed over.
    pub fn next_request(&mut self) -> Result<Option<(Signal, Vec<u8>)>, Failure> {
        loop {
            let mut line_buffer = Vec::new();
            let Some(request) = self.requests.next(&self.path, &mut line_buffer)? else { return Ok(None) };
            match request.protobuf() {
                Ok(request) => {
                    self.read += 1;
                    return Ok(Some(request));
                }
                Err(why) => {
                    let place = request.place;
                    self.warn(&format!("{place}: passed over, {why}"));
                }
            }
        }
    }

    /// Whether the file held requests and not one of them could be read.
    pub fn is_all_malformed(&self) -> bool {
        self.read == 0 && self.malformed > 0
    }

    fn warn(&mut self, message: &str) {
        self.malformed += 1;
        if self.malformed <= caps::FILE_WARNINGS {
            eprintln!("warning: {}: {message}", self.path.display());
        } else if self.malformed == caps::FILE_WARNINGS + 1 {
            eprintln!("warning: {}: further ones are not told", self.path.display());
        }
    }
}

impl Requests {
    fn next<'a>(
        &'a mut self,
        path: &Path,
        line_buffer: &'a mut Vec<u8>,
    ) -> Result<Option<Request<'a>>, Failure> {
        match self {
            Self::JsonLines { reader, line } => loop {
                line_buffer.clear();
                let limit = caps::FILE_REQUEST_BYTES as u64 + 1;
                let length = reader.by_ref().take(limit).read_until(b'\n', line_buffer);
                if length.cannot(format!("read {}", path.display()))? == 0 {
                    return Ok(None);
                }
                *line += 1;
                if line_buffer.len() > caps::FILE_REQUEST_BYTES {
                    return Err(Failure::new(format!(
                        "{}: line {line} is over {} bytes",
                        path.display(),
                        caps::FILE_REQUEST_BYTES
                    ))
                    .hint("a file holds one OTLP JSON request a line"));
                }
                if line_buffer.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                match json_signal(line_buffer) {
                    JsonKind::Ours(signal) => {
                        let place = format!("line {line}");
                        return Ok(Some(Request {
                            place,
                            signal: Some(signal),
                            encoding: Encoding::Json,
                            bytes: line_buffer,
                        }));
                    }
                    JsonKind::OtherSignal => {}
                }
            },
            Self::Protobuf { bytes, at, framing, nth } => {
                if *at >= bytes.len() {
                    return Ok(None);
                }
                *nth += 1;
                let Some((start, end)) = framing.frame(bytes, *at) else {
                    return Err(Failure::new(format!(
                        "{}: request {nth} is cut off at byte {at}",
                        path.display()
                    ))
                    .hint(
                        "accepted: OTLP JSON, one request a line; protobuf requests, each behind its length",
                    ));
                };
                *at = end;
                let place = format!("request {nth}");
                Ok(Some(Request {
                    place,
                    signal: None,
                    encoding: Encoding::Protobuf,
                    bytes: &bytes[start..end],
                }))
            }
        }
    }
}

impl Framing {
    /// Where the request that begins with its length at `at` starts and ends.
    fn frame(self, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let (length, start) = match self {
            Self::BigEndian32 => {
                let length: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
                (u32::from_be_bytes(length) as usize, at + 4)
            }
            Self::Varint => {
                let mut rest = bytes.get(at..)?;
                let before = rest.len();
                let length = prost::decode_length_delimiter(&mut rest).ok()?;
                (length, at + before - rest.len())
            }
        };
        let end = start.checked_add(length)?;
        (end <= bytes.len() && length <= caps::FILE_REQUEST_BYTES).then_some((start, end))
    }
}

fn big_endian_lengths_fit(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        match Framing::BigEndian32.frame(bytes, at) {
            Some((_, end)) => at = end,
            None => return false,
        }
    }
    true
}

enum JsonKind {
    Ours(Signal),
    OtherSignal,
}

/// Which signal a line carries, by its top-level keys. A line that is no JSON is left to the decoder, which
/// says what is wrong with it.
fn json_signal(line: &[u8]) -> JsonKind {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct TopLevel {
        resource_spans: Option<serde::de::IgnoredAny>,
        resource_logs: Option<serde::de::IgnoredAny>,
        resource_metrics: Option<serde::de::IgnoredAny>,
    }
    match serde_json::from_slice::<TopLevel>(line) {
        Ok(TopLevel { resource_spans: None, resource_logs: Some(_), .. }) => JsonKind::Ours(Signal::Logs),
        Ok(TopLevel { resource_spans: None, resource_logs: None, resource_metrics: Some(_) }) => {
            JsonKind::OtherSignal
        }
        _ => JsonKind::Ours(Signal::Traces),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_framings_are_told_apart() {
        let big_endian = [0, 0, 0, 2, 10, 0, 0, 0, 0, 2, 10, 0];
        assert!(big_endian_lengths_fit(&big_endian));
        let varint = [2, 10, 0, 2, 10, 0];
        assert!(!big_endian_lengths_fit(&varint));
        assert_eq!(Framing::Varint.frame(&varint, 3), Some((4, 6)));
        assert_eq!(Framing::Varint.frame(&[5, 1], 0), None);
    }

    #[test]
    fn a_line_is_told_by_its_top_level_key() {
        assert!(matches!(json_signal(br#"{"resourceLogs":[]}"#), JsonKind::Ours(Signal::Logs)));
        assert!(matches!(
            json_signal(br#"{"x":{"resourceLogs":1},"resourceSpans":[]}"#),
            JsonKind::Ours(Signal::Traces)
        ));
        assert!(matches!(json_signal(br#"{"resourceMetrics":[]}"#), JsonKind::OtherSignal));
    }
}
