//! The configuration: what a person may set, its defaults, and how it is read.
//!
//! - A missing key has its default; an empty document is the default configuration.
//! - An unknown key, a wrong value and an environment variable that is not set are mistakes; all are told at
//!   once, each with its path.
//! - `${env:NAME}` stands for an environment variable, `${env:NAME:-other}` for the other text if it is not
//!   set. A value is never read as YAML structure.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use authstitch_engine::StitchSettings;
use authstitch_journal::Durability;
use authstitch_model::document::{self, Fields, Problem, Problems, remark};
use authstitch_model::{Completeness, Millis, Secret};
use authstitch_otlp::Mapping;
use serde_json::Value;

use crate::caps;

mod environment;
mod files;
mod listeners;
mod public;
mod telling;
#[cfg(test)]
mod tests;

pub(crate) use listeners::beyond_loopback;
pub use listeners::{Listening, TlsFiles};
pub use public::{Origin, Public, Share};
pub use telling::{Headers, Logging, ReportProtocol, Telemetry};

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where OTLP over gRPC is taken.
    pub grpc: Listening,
    /// Where OTLP over HTTP is taken.
    pub http: Listening,
    /// Where pages, queries, health and metrics are.
    pub web: Listening,
    /// Where browsers and phones send, if they may.
    pub public: Option<Public>,
    /// Where journeys and the secret are kept; without one, nothing is on disk.
    pub data_dir: Option<PathBuf>,
    /// Whether journeys are kept, or only judged and counted.
    pub store: bool,
    /// How long journeys are kept after they were first heard of.
    pub retention: Millis,
    /// Under which secret keys are hashed.
    pub secret: SecretSource,
    /// How what was accepted is kept until it is judged and stored.
    pub journal: Journal,
    /// How records become events. Its secret is replaced at the start.
    pub mapping: Mapping,
    /// How events become journeys.
    pub stitch: StitchSettings,
    /// Engines, each with a thread of its own. Realms are spread over them.
    pub shards: NonZero<u32>,
    /// A file of model tables that takes the place of the shipped ones.
    pub tables: Option<PathBuf>,
    /// How much telemetry arrives.
    pub completeness: Completeness,
    /// How much is taken at once.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: Logging,
    /// Where the service's own numbers are sent, if they are.
    pub telemetry: Option<Telemetry>,
    /// Time for an orderly end.
    pub shutdown: Duration,
}

/// Where the secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The file in the data directory, made at the first start; without a data directory a new one each time.
    File,
    /// The caller.
    Fixed(Secret),
}

/// How much is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request, after decompression.
    pub request_bytes: usize,
    /// Bytes of requests and events that wait or are worked on.
    pub queue_bytes: usize,
    /// Requests that are not answered yet.
    pub requests_in_flight: usize,
    /// Time for one request from its head to its answer, and for the head.
    pub request_time: Duration,
    /// Connections open at once on one listener.
    pub connections: usize,
}

/// How what was accepted is kept until it is judged and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    /// When a request is answered.
    pub durability: Durability,
    /// Bytes that segments and snapshots may have in all; at the bound nothing is taken.
    pub disk_bytes: u64,
    /// Bytes of one segment.
    pub segment_bytes: u64,
    /// Bytes of records after which a snapshot is made.
    pub snapshot_bytes: u64,
}

impl From<Journal> for authstitch_journal::Settings {
    fn from(journal: Journal) -> Self {
        let Journal { durability, disk_bytes, segment_bytes, .. } = journal;
        Self { durability, segment_bytes, disk_bytes }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            disk_bytes: authstitch_journal::caps::DISK_BYTES,
            segment_bytes: authstitch_journal::caps::SEGMENT_BYTES,
            snapshot_bytes: caps::SNAPSHOT_BYTES,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: caps::REQUEST_BYTES,
            queue_bytes: caps::QUEUE_BYTES,
            requests_in_flight: caps::REQUESTS_IN_FLIGHT,
            request_time: caps::REQUEST_TIME,
            connections: caps::CONNECTIONS,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let local = |port| Listening::from(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        Self {
            grpc: local(4317),
            http: local(4318),
            web: local(4380),
            public: None,
            data_dir: Some(PathBuf::from("./authstitch-data")),
            store: true,
            retention: days(caps::RETENTION_DAYS),
            secret: SecretSource::File,
            journal: Journal::default(),
            mapping: Mapping::new(Secret::PUBLIC),
            stitch: StitchSettings::default(),
            shards: NonZero::<u32>::MIN,
            tables: None,
            completeness: Completeness::default(),
            limits: Limits::default(),
            log: Logging::default(),
            telemetry: None,
            shutdown: caps::SHUTDOWN_TIME,
        }
    }
}

impl Settings {
    /// Reads a configuration, with the environment of this process.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn from_yaml(text: &str) -> Result<Self, Problems> {
        Self::from_yaml_with(text, |name| std::env::var(name).ok())
    }

    /// As [`Self::from_yaml`], with the variables that `variable` knows.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn from_yaml_with(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        match Self::read_text(text, variable)? {
            (settings, problems) if problems.is_empty() => Ok(settings),
            (_, problems) => Err(Problems(problems)),
        }
    }

    /// Checks a configuration, with the environment of this process, and the files that it names: certificates, keys,
    /// tokens and tables are read as a start reads them.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn check(text: &str) -> Result<(), Problems> {
        let (settings, mut problems) = Self::read_text(text, |name| std::env::var(name).ok())?;
        problems.extend(files::problems(&settings));
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    /// What a text says, with the defaults where it is mistaken, and its mistakes; only a text that is no map of keys
    /// is refused whole.
    fn read_text(
        text: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<Problem>), Problems> {
        let (mut document, mut problems) = parse(text)?;
        environment::substitute(&mut document, &variable, &mut problems);
        let (settings, more) = document::read_through(&document, Self::read)?;
        problems.extend(more);
        Ok((settings, problems))
    }

    /// A commented configuration that says every default.
    #[must_use]
    pub const fn default_yaml() -> &'static str {
        include_str!("settings/default.yaml")
    }

    /// The JSON schema of a configuration, for editors.
    #[must_use]
    pub const fn schema() -> &'static str {
        include_str!("settings/schema.json")
    }

    fn read(top: &Fields<'_>) -> Self {
        let default = Self::default();
        let (grpc, http, web, public) = top.map("listeners", |fields| {
            let beyond = fields.flag("beyond_loopback", false);
            let listening = |key, usual: &Listening| listeners::listening(fields, key, usual.address, beyond);
            (
                listening("grpc", &default.grpc),
                listening("http", &default.http),
                listening("web", &default.web),
                public::public(fields, "public", beyond),
            )
        });
        Self {
            grpc,
            http,
            web,
            public,
            data_dir: top.text("data_dir").map(PathBuf::from).or(default.data_dir),
            store: top.flag("store", default.store),
            retention: top.map("retention", retention),
            secret: default.secret,
            journal: top.map("journal", journal),
            mapping: top.map("mapping", |fields| Mapping::read(fields, default.mapping.secret())),
            stitch: top.map("stitch", StitchSettings::read),
            shards: shards(top),
            tables: top.text("tables").map(PathBuf::from),
            completeness: top.map("completeness", completeness),
            limits: top.map("limits", limits),
            log: top.map("log", telling::logging),
            telemetry: top.map("telemetry", telling::telemetry),
            shutdown: Duration::from_secs(top.integer(
                "shutdown_seconds",
                1..=3600,
                default.shutdown.as_secs(),
            )),
        }
    }
}

/// So many days.
pub(crate) const fn days(days: u64) -> Millis {
    Millis::from_mins(days * 24 * 60)
}

fn retention(fields: &Fields<'_>) -> Millis {
    days(fields.integer("days", 1..=caps::RETENTION_DAYS_MOST, caps::RETENTION_DAYS))
}

fn shards(top: &Fields<'_>) -> NonZero<u32> {
    let shards = top.integer("shards", 1..=u64::from(caps::SHARDS), 1);
    u32::try_from(shards).ok().and_then(NonZero::new).unwrap_or(NonZero::<u32>::MIN)
}

fn parse(text: &str) -> Result<(Value, Vec<Problem>), Problems> {
    let whole = |message: String| Problems(vec![Problem::at("(top)", message)]);
    if text.len() > caps::SETTINGS_BYTES {
        return Err(whole(format!("{} bytes; at most {} are accepted", text.len(), caps::SETTINGS_BYTES)));
    }
    document::value(yaml_serde::Deserializer::from_str(text))
        .map_err(|error| whole(format!("not YAML that is accepted: {}", remark(error))))
}

fn completeness(fields: &Fields<'_>) -> Completeness {
    let default = Completeness::default();
    let share = |key, default: f32| fields.number(key, 0.0..=1.0, f64::from(default)) as f32;
    Completeness {
        version: fields.integer("version", 0..=u64::from(u32::MAX), u64::from(default.version)) as u32,
        initiator_loss: share("initiator_loss", default.initiator_loss),
        authenticator_loss: share("authenticator_loss", default.authenticator_loss),
        server_loss: share("server_loss", default.server_loss),
        unload_loss: share("unload_loss", default.unload_loss),
        phone_instrumented: fields.flag("phone_instrumented", default.phone_instrumented),
    }
}

fn journal(fields: &Fields<'_>) -> Journal {
    let default = Journal::default();
    let durability =
        fields.parsed("durability", "fsync, os or none", default.durability, |text| match text {
            "fsync" => Some(Durability::Fsync),
            "os" => Some(Durability::Os),
            "none" => Some(Durability::None),
            _ => None,
        });
    let segment_bytes = fields.integer("segment_bytes", 64 << 10..=1 << 30, default.segment_bytes);
    let disk_bytes = fields.integer("disk_bytes", 1 << 18..=1 << 50, default.disk_bytes);
    if disk_bytes / 4 < segment_bytes {
        let message = format!("`{disk_bytes}` is less than four times segment_bytes ({segment_bytes})");
        fields.problem("disk_bytes", message);
    }
    let snapshot_bytes = fields.integer("snapshot_bytes", 1 << 10..=1 << 40, default.snapshot_bytes);
    Journal { durability, disk_bytes, segment_bytes, snapshot_bytes }
}

fn limits(fields: &Fields<'_>) -> Limits {
    let default = Limits::default();
    let size = |key, least: u64, most: u64, default: usize| {
        usize::try_from(fields.integer(key, least..=most, default as u64)).unwrap_or(usize::MAX)
    };
    // A frame's length has 32 bits.
    let request_bytes = size("request_bytes", 1 << 10, 1 << 30, default.request_bytes);
    let queue_bytes = size("queue_bytes", 1 << 12, 1 << 40, default.queue_bytes);
    if queue_bytes / 2 < request_bytes {
        let message = format!(
            "`{queue_bytes}` is less than twice request_bytes ({request_bytes}): a packed request and what it \
             unpacks to must both fit"
        );
        fields.problem("queue_bytes", message);
    }
    let requests_in_flight = size("requests_in_flight", 1, 1 << 16, default.requests_in_flight);
    let request_time =
        Duration::from_secs(fields.integer("request_s", 1..=3600, default.request_time.as_secs()));
    let connections = size("connections", 1, 1 << 20, default.connections);
    Limits { request_bytes, queue_bytes, requests_in_flight, request_time, connections }
}
