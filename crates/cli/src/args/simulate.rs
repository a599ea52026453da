//! The options of `simulate`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("source").required(true),
    group = ArgGroup::new("amount").required(true).multiple(true),
    group = ArgGroup::new("target").required(true),
)]
pub struct Simulate {
    /// A shipped world, or a world file
    #[arg(long, value_name = "W", group = "source")]
    pub world: Option<String>,
    /// Play captured OTLP again instead, with fresh ids and keys and times of now: JSON, one request a line,
    /// or length-delimited protobuf
    #[arg(long, value_name = "FILE", groups = ["source", "amount"], conflicts_with_all = ["load", "templates", "truth", "shard"])]
    pub from: Option<PathBuf>,
    /// How many attempts, or which: N or A..B
    #[arg(long, value_name = "N|A..B", group = "amount", conflicts_with_all = ["duration", "from"])]
    pub attempts: Option<String>,
    /// For how long attempts start, or a capture is played over and over, as 30s, 10m or 2h
    #[arg(long, value_name = "D", group = "amount")]
    pub duration: Option<String>,
    /// Raise the rate until the receiver refuses or falls behind; print the highest rate without loss
    #[arg(long, group = "amount", requires = "endpoint", conflicts_with_all = ["attempts", "duration", "from", "truth", "speed", "shard", "start_at", "hdr", "out"])]
    pub find_limit: bool,
    /// The seed; fresh at each run for a capture without one
    #[arg(long, value_name = "S", required_unless_present = "from")]
    pub seed: Option<u64>,
    /// Attempts a second: constant:R, ramp:R1..R2/D, step:R1+dR/D, or a file with a line `seconds rate` for each
    /// corner of the curve; the world's own rate otherwise. With --find-limit the rate to begin with
    #[arg(long, value_name = "LOAD")]
    pub load: Option<String>,
    /// Make the load from so many attempts, each repeated with ids, keys and times of its own: for rates beyond
    /// what can be made attempt by attempt (1000 with --find-limit)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=authstitch_simulate::caps::TEMPLATES))]
    pub templates: Option<u64>,
    /// Run the schedule so many times as fast
    #[arg(long, value_name = "X", default_value_t = 1.0, requires = "endpoint", value_parser = factor, conflicts_with = "out")]
    pub speed: f64,
    /// Only every Nth block of attempts, from the Ith on: one of N senders that make the load together
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// When the first attempt starts, so that several senders agree: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "T")]
    pub start_at: Option<String>,
    /// Send to this OTLP endpoint, as http://127.0.0.1:4317
    #[arg(long, value_name = "URL", group = "target")]
    pub endpoint: Option<String>,
    /// How to send
    #[arg(long, value_enum, default_value_t = Protocol::Grpc, requires = "endpoint", conflicts_with = "out")]
    pub protocol: Protocol,
    /// Spans or log records of a request, at most; with --templates what one device sent at once stays together
    #[arg(long, value_name = "N", default_value_t = authstitch_simulate::caps::REQUEST_RECORDS as u64, value_parser = clap::value_parser!(u64).range(1..=65_536), conflicts_with = "from")]
    pub batch: u64,
    /// Requests that wait for their answer, at most
    #[arg(long, value_name = "N", default_value_t = crate::caps::IN_FLIGHT as u64, requires = "endpoint", value_parser = clap::value_parser!(u64).range(1..=10_000), conflicts_with = "out")]
    pub in_flight: u64,
    /// Send this header with every request; may be given again
    #[arg(long, value_name = "K=V", requires = "endpoint", conflicts_with = "out")]
    pub header: Vec<String>,
    /// Trust the certificates in this file (PEM), for https
    #[arg(long, value_name = "FILE", requires = "endpoint", conflicts_with = "out")]
    pub tls_ca: Option<PathBuf>,
    /// Write what was sent and how long it took (JSON)
    #[arg(long, value_name = "FILE", requires = "endpoint", conflicts_with = "out")]
    pub report: Option<PathBuf>,
    /// Write the latencies second by second, as an interval log of HdrHistogram
    #[arg(long, value_name = "FILE", requires = "endpoint", conflicts_with = "out")]
    pub hdr: Option<PathBuf>,
    /// How long each rate is tried
    #[arg(long, value_name = "D", default_value = "5s", requires = "find_limit", conflicts_with_all = ["attempts", "duration", "from"])]
    pub probe: String,
    /// A receiver is behind if it acknowledges one request in a hundred later than so
    #[arg(long, value_name = "D", default_value = "1s", requires = "find_limit", conflicts_with_all = ["attempts", "duration", "from"])]
    pub latency_bound: String,
    /// Write OTLP files into this directory
    #[arg(long, value_name = "DIR", group = "target")]
    pub out: Option<PathBuf>,
    /// How to write
    #[arg(long, value_enum, default_value_t = Format::OtlpJson, requires = "out")]
    pub format: Format,
    /// Write what really happened, one line an attempt
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Write into the truth what two ideal observers make of each attempt; slow
    #[arg(long, requires = "truth")]
    pub ceilings: bool,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (0.001..=1_000_000.0).contains(factor));
    factor.ok_or_else(|| format!("`{text}` is not a number from 0.001 to 1000000"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    #[value(name = "grpc")]
    Grpc,
    #[value(name = "http/protobuf")]
    HttpProtobuf,
    #[value(name = "http/json")]
    HttpJson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One request a line
    OtlpJson,
    /// Each request behind its length
    OtlpProto,
}
