//! Why the service cannot start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use authstitch_journal::OpenError;
use authstitch_model::Position;
use authstitch_store::StoreError;

use crate::settings::beyond_loopback;
use crate::tables::TablesError;

/// One of the listening addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP.
    Http,
    /// Pages, queries, health and metrics.
    Web,
    /// OTLP from browsers and phones.
    Public,
}

impl Listener {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Public => "public OTLP",
            Self::Grpc => "OTLP/gRPC",
            Self::Http => "OTLP/HTTP",
            Self::Web => "pages and queries",
        }
    }

    /// The setting's key, which is the option's name, too, where there is an option.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Grpc => "grpc",
            Self::Http => "http",
            Self::Web => "web",
        }
    }

    const fn likely_holder(self) -> &'static str {
        match self {
            Self::Grpc | Self::Http => "an OpenTelemetry Collector or another authstitch",
            Self::Web | Self::Public => "another authstitch",
        }
    }

    /// How another address is chosen.
    fn choose(self, address: &str) -> String {
        let key = self.key();
        let setting = if address.is_empty() { String::new() } else { format!(": {address}") };
        match self {
            Self::Public => format!("`listeners.{key}.address{setting}` in the configuration"),
            _ => {
                let option = if address.is_empty() { String::new() } else { format!(" {address}") };
                format!("`--{key}{option}`, or `listeners.{key}{setting}` in the configuration")
            }
        }
    }
}

/// Why the service cannot start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Somebody listens there already.
    AddressInUse {
        /// Which listener.
        what: Listener,
        /// Its address.
        address: SocketAddr,
    },
    /// The address cannot be opened.
    Listen {
        /// Which listener.
        what: Listener,
        /// Its address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address can be reached from other machines, unguarded, which was not allowed.
    BeyondLoopback {
        /// Which listener.
        what: Listener,
        /// Its address.
        address: SocketAddr,
    },
    /// The certificates or tokens of a listener cannot be used.
    Credentials {
        /// Which listener.
        what: Listener,
        /// Which file, and why.
        why: String,
    },
    /// Journeys are to be stored, and there is no directory for them.
    NoDataDir,
    /// The data directory cannot be used.
    DataDir {
        /// The file or directory.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process works in the data directory.
    DataDirInUse {
        /// The directory.
        path: PathBuf,
    },
    /// A data directory that nobody has worked in.
    NothingThere {
        /// The directory.
        path: PathBuf,
    },
    /// Something was not forgotten everywhere.
    Forgetting(String),
    /// A journal without a snapshot, of which nobody says what decides in it.
    NoSnapshot,
    /// A record of what is to be forgotten that nobody wrote.
    Forget(Position),
    /// The secret's file is not a secret.
    SecretLength {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        bytes: usize,
    },
    /// The data directory's keys were made with another secret.
    SecretDiffers {
        /// The file.
        path: PathBuf,
    },
    /// The model tables cannot be used.
    Tables(TablesError),
    /// The store cannot be opened.
    Store(StoreError),
    /// A thread cannot be started.
    Thread(std::io::Error),
    /// The journal cannot be opened.
    Journal(OpenError),
    /// The journal cannot be read, or does not take what decides from now on, and why.
    Refused(String),
    /// What the journal holds cannot be used, and why.
    Snapshot(String),
    /// The journal was written by another number of shards.
    Shards {
        /// By so many.
        found: u32,
        /// So many are set.
        wanted: u32,
    },
    /// The engine panics on too many records of the journal.
    Replay {
        /// The last of them.
        position: Position,
        /// So many were passed over.
        quarantined: usize,
    },
    /// The service's own numbers cannot be sent there.
    Telemetry {
        /// Where.
        endpoint: String,
        /// Why.
        why: String,
    },
    /// The store's writer is gone.
    StoreGone,
    /// The store does not take what the journal brings about.
    StoreFails,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressInUse { what, address } => {
                let (name, holder) = (what.name(), what.likely_holder());
                let other = SocketAddr::new(address.ip(), beside(address.port()));
                write!(
                    f,
                    "{address} ({name}) is in use, most likely by {holder}; stop that, or choose another address: {}",
                    what.choose(&other.to_string())
                )
            }
            Self::Listen { what, address, source } => {
                let name = what.name();
                write!(
                    f,
                    "{address} ({name}) cannot be opened: {source}; choose another address with {}",
                    what.choose("")
                )
            }
            Self::BeyondLoopback { what, address } => {
                let why = beyond_loopback(*what == Listener::Public);
                write!(f, "{address} ({}) {why}", what.name())
            }
            Self::Credentials { what, why } => {
                write!(f, "{} cannot be opened: {why}; mend `listeners.{}` in the configuration", what.name(), what.key())
            }
            Self::Telemetry { endpoint, why } => {
                write!(f, "telemetry cannot be sent to {endpoint}: {why}; mend `telemetry` in the configuration")
            }
            Self::NoDataDir => f.write_str(
                "journeys are to be stored, and there is no data directory; name one, or switch the store off",
            ),
            Self::DataDir { path, doing, source } => write!(
                f,
                "{doing} {} failed: {source}; choose another data directory with `--data-dir`",
                path.display()
            ),
            Self::DataDirInUse { path } => write!(
                f,
                "another authstitch works in {}; stop it, or choose another directory with `--data-dir`",
                path.display()
            ),
            Self::NothingThere { path } => write!(
                f,
                "{} is no data directory of authstitch; name the one that `authstitch serve` works in",
                path.display()
            ),
            Self::Forgetting(why) => write!(f, "not forgotten everywhere: {why}; forget again"),
            Self::NoSnapshot => f.write_str(
                "the journal has no snapshot yet, so only a server knows what decides in it; start \
                 `authstitch serve` and ask it",
            ),
            Self::Forget(position) => write!(
                f,
                "record {} of the journal says what is to be forgotten, and cannot be read; please report it",
                position.0
            ),
            Self::SecretLength { path, bytes } => write!(
                f,
                "{} has {bytes} bytes and a secret has 16; put the right file back, or delete it together with \
                 the data directory: what is stored cannot be found without it",
                path.display()
            ),
            Self::SecretDiffers { path } => write!(
                f,
                "the keys of this data directory were made with another secret, that of {}; choose another data \
                 directory",
                path.display()
            ),
            Self::Tables(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Thread(source) => write!(f, "a thread cannot be started: {source}"),
            Self::Journal(error) => error.fmt(f),
            Self::Refused(why) => f.write_str(why),
            Self::Snapshot(why) => write!(
                f,
                "the journal's snapshot cannot be used: {why}; start the version that wrote it, or move `journal` out of \
                 the data directory: journeys that are open are lost then, those that are stored stay"
            ),
            Self::Shards { found, wanted } => write!(
                f,
                "the journal was written with `shards: {found}`, and {wanted} are set; set {found}, or move `journal` out \
                 of the data directory: journeys that are open are lost then, those that are stored stay"
            ),
            Self::Replay { position, quarantined } => write!(
                f,
                "the engine panics on more than {quarantined} records of the journal, last on {}; start the version that \
                 wrote them, and please report it",
                position.0
            ),
            Self::StoreFails => f.write_str(
                "the store does not take what the journal holds; make room on its disk, or mend the database, and start \
                 again: nothing is lost meanwhile",
            ),
            Self::StoreGone => f.write_str("the store's writer has ended; its error stands above"),
        }
    }
}

/// A port that is easy to remember beside one that is taken.
const fn beside(port: u16) -> u16 {
    if port < 50_000 { port + 10_000 } else { port - 10_000 }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::DataDir { source, .. } | Self::Thread(source) => Some(source),
            Self::Tables(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Journal(error) => Some(error),
            _ => None,
        }
    }
}
