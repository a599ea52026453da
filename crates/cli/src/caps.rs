//! Every bound of the command line's own structures, with its reason.

/// Bytes of one request in an OTLP file: the receivers' limit of 64 MiB, and room for JSON's overhead.
pub const FILE_REQUEST_BYTES: usize = 256 << 20;

/// Events that a replay holds back until the first time appears that may move its clock. A file that names no
/// such time within so many events has none worth waiting for.
pub const REPLAY_WAITING_EVENTS: usize = 100_000;

/// Malformed requests of one file that are told one by one; the rest is only counted.
pub const FILE_WARNINGS: usize = 5;

/// Requests that the sender keeps in flight: enough to hide a round trip on one machine.
pub const IN_FLIGHT: usize = 64;

/// Times that a refused request is sent again, as an exporter would, before it counts as failed.
pub const SEND_ATTEMPTS: u32 = 8;

/// Rows of causes shown after a demo: more does not fit beside their remedies.
pub const CAUSES_SHOWN: usize = 5;

/// Encoded requests that wait for the sender: enough to even out both.
pub const GENERATED_AHEAD: usize = 1024;

/// Spans and log records in the requests that wait for the sender: some 100 MB.
pub const RECORDS_AHEAD: usize = 256 << 10;

/// Bytes of a stream that the HTTP/2 client buffers: a request is handed over at once.
pub const SEND_BUFFER_BYTES: usize = 8 << 20;

/// Seconds of a latency log: a day. What comes later counts into the last one.
pub const INTERVALS: u64 = 86_400;

/// Worlds that a suite judges beside each other: the events and lines of one take some hundred megabytes.
pub const WORLDS_AT_ONCE: usize = 2;

/// Bytes of a file of tokens: what a listener accepts of one.
pub const TOKEN_FILE_BYTES: u64 = authstitch_service::caps::PEM_BYTES;

/// Bytes of a key that is read from standard input: far more than any header or cookie holds.
pub const KEY_BYTES: u64 = 64 << 10;
