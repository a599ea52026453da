//! Start, run, stop.
//!
//! - The service starts whole or not at all: an address in use leaves nothing behind.
//! - Stopping ends the intake first; then everything received is judged, and everything is stored before the summary
//!   is given. With a journal open journeys stay open and go on at the next start; without one they are closed as
//!   `shutdown`.
//! - Whoever waits for the end may cut it off; then it is told what was not done.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use authstitch_engine::{self as engine, Tables};
use authstitch_journal::Durability;
use authstitch_model::Secret;
use authstitch_store::Store;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

use crate::clock::Clock;
use crate::counters::{Counters, Counts};
use crate::data_dir::{self, DataDir};
use crate::door::{Door, Doors, Refreshed};
use crate::error::{Listener, StartError};
use crate::health::Health;
use crate::lag::Lines;
use crate::log::{Log, LogLevel};
use crate::parts::{OnDisk, Parts, watched};
use crate::reports::{Exporting, Reports, refuse_own};
use crate::sequencer::Sequencer;
use crate::settings::{SecretSource, Settings};
use crate::tables::{TablesError, read_tables};
use crate::web::Kept;

/// A service that runs. Dropping it cuts it off; [`Running::stop`] ends it in order.
#[derive(Debug)]
pub struct Running {
    /// Where OTLP over gRPC is taken.
    pub grpc: SocketAddr,
    /// Where OTLP over HTTP is taken.
    pub http: SocketAddr,
    /// Where pages, queries, health and metrics are.
    pub web: SocketAddr,
    /// Where browsers and phones send, if they may.
    pub public: Option<SocketAddr>,
    /// Whether pages are there over https.
    pub web_is_secure: bool,
    /// What is to be told of the journal that was read, a line each.
    pub recovered: Vec<String>,
    sequencer: Arc<Sequencer>,
    counters: Arc<Counters>,
    health: Arc<Health>,
    decides: engine::Settings,
    tables: Option<PathBuf>,
    guards: Vec<Arc<Door>>,
    stop: watch::Sender<bool>,
    stopping: Arc<AtomicBool>,
    journaled: bool,
    lines: Arc<Lines>,
    tasks: JoinSet<()>,
    threads: Vec<JoinHandle<()>>,
}

/// What a service has done, once it has stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Everything counted.
    pub counts: Counts,
    /// What went wrong until the end, for a person.
    pub trouble: Option<String>,
}

/// Starts the service, without a log.
///
/// # Errors
/// If the tables, an address, the data directory, the secret, the store or the journal cannot be had; then nothing runs.
pub async fn start(settings: Settings, clock: Clock) -> Result<Running, StartError> {
    start_with_log(settings, clock, Log::none()).await
}

/// Starts the service, which tells its events to a log.
///
/// # Errors
/// As [`start`].
pub async fn start_with_log(settings: Settings, clock: Clock, log: Log) -> Result<Running, StartError> {
    let tables = match &settings.tables {
        Some(path) => read_tables(path).map_err(StartError::Tables)?,
        None => Tables::shipped(),
    };
    // What can fail comes before what runs: a start that fails leaves no thread and no lock behind.
    let exporting = settings.telemetry.as_ref().map(Exporting::new).transpose()?;
    let counters = Arc::default();
    let doors = Doors::open(&settings, &counters).await?;
    let data = settings.data_dir.as_deref().map(DataDir::open).transpose()?;
    let secret = secret(data.as_ref(), settings.secret)?;
    if let Some(data) = &data {
        let scheme = if settings.web.tls.is_some() { "https" } else { "http" };
        data.say_where(&format!("{scheme}://{}", doors.web.address))?;
    }
    let (store, kept) = match (&data, settings.store) {
        (_, false) => (None, None),
        (None, true) => return Err(StartError::NoDataDir),
        (Some(data), true) => {
            let store = Store::open(data.path()).map_err(StartError::Store)?;
            (Some(store), Some(Kept { data_dir: data.path().to_owned(), secret }))
        }
    };
    let decides = engine::Settings { stitch: settings.stitch, completeness: settings.completeness, tables };
    if let Some(telemetry) = &settings.telemetry {
        refuse_own(&telemetry.endpoint, &doors.addresses())?;
    }
    let disk = OnDisk { data, store, secret };
    let (parts, threads, recovered) =
        Parts::running(settings, clock, counters, Some(decides.clone()), disk, log).await?;
    let (stop, _) = watch::channel(false);
    let (grpc, http, web) = (doors.grpc.address, doors.http.address, doors.web.address);
    let public = doors.public.as_ref().map(|public| public.address);
    let (guards, addresses) = (doors.all(), doors.addresses());
    let mut tasks = parts.receive(doors, kept, &stop);
    if let Some(exporting) = exporting {
        let reports = Reports::new(exporting, parts.numbers(), parts.log.clone());
        tasks.spawn(watched("telemetry", &parts.health, reports.run(stop.subscribe())));
    }
    let Parts { sequencer, counters, health, stopping, settings, journaled, lines, log, .. } = parts;
    tell_started(&log, &settings, &addresses, journaled);
    let tables = settings.tables;
    let web_is_secure = settings.web.tls.is_some();
    Ok(Running {
        grpc,
        http,
        web,
        public,
        web_is_secure,
        recovered,
        sequencer,
        counters,
        health,
        decides,
        tables,
        guards,
        stop,
        stopping,
        journaled,
        lines,
        tasks,
        threads,
    })
}

/// Tells that the service runs, where, and how it keeps what it takes.
fn tell_started(log: &Log, settings: &Settings, addresses: &[(Listener, SocketAddr)], journaled: bool) {
    let version = env!("CARGO_PKG_VERSION");
    let directory = settings.data_dir.as_ref().map(|path| path.display().to_string());
    let durability = match settings.journal.durability {
        Durability::Fsync if journaled => "fsync",
        Durability::Os if journaled => "os",
        _ => "none",
    };
    let shown = directory.as_deref().unwrap_or("memory");
    let sentence = format!("started: authstitch {version}, data in {shown}, durability {durability}");
    let mut fields = vec![
        ("version", version.into()),
        ("data_dir", directory.into()),
        ("durability", durability.into()),
        ("store", settings.store.into()),
        ("shards", settings.shards.get().into()),
    ];
    fields.extend(addresses.iter().map(|(what, address)| (what.key(), address.to_string().into())));
    log.tell(LogLevel::Info, "started", &sentence, &fields);
}

fn secret(data: Option<&DataDir>, source: SecretSource) -> Result<Secret, StartError> {
    match (data, source) {
        (Some(data), source) => data.secret(source),
        (None, SecretSource::Fixed(secret)) => Ok(secret),
        (None, SecretSource::File) => data_dir::random().map(Secret::new),
    }
}

impl Running {
    /// Everything counted so far.
    #[must_use]
    pub fn counters(&self) -> Counts {
        self.counters.snapshot()
    }

    /// Whether every part works; if not, which does not and why.
    ///
    /// # Errors
    /// One line for each part that has stopped or fails.
    pub fn health(&self) -> Result<(), String> {
        self.health.ready()
    }

    /// Reads the file of tables again and judges by it from here on; gives its version.
    ///
    /// # Errors
    /// If there is no file, or it is refused; then the old tables stay.
    pub async fn reload_tables(&self) -> Result<String, TablesError> {
        let path = self.tables.clone().ok_or(TablesError::NotNamed)?;
        let unfinished = TablesError::Unreadable {
            path: path.clone(),
            source: std::io::Error::other("reading was cut off"),
        };
        let tables = spawn_blocking(move || read_tables(&path)).await.unwrap_or(Err(unfinished))?;
        let version = tables.version().to_owned();
        let settings = engine::Settings { tables, ..self.decides.clone() };
        let taken = self.sequencer.set_tables(settings).await;
        taken.map(|()| version).map_err(|refusal| TablesError::NotTaken(refusal.status().message))
    }

    /// Reads the files of certificates and tokens again, and says what came of it for each listener where
    /// there is news. Files that cannot be used change nothing.
    pub async fn refresh_credentials(&self) -> Vec<Refreshed> {
        let guards = self.guards.clone();
        let read = move || guards.iter().filter_map(|door| door.refresh()).collect();
        // A panic in it is a mistake of ours, and changes nothing either.
        spawn_blocking(read).await.unwrap_or_default()
    }

    /// With a schedule: lets time run on from timer to timer until none is left, then waits until everything
    /// is stored. If the engine is gone it returns at once, and [`Self::health`] says so.
    pub async fn run_out(&self) {
        if self.sequencer.run_out().await.is_ok() {
            // An engine that went meanwhile shows in the health answer.
            let _ = self.sequencer.flush().await;
        }
    }

    /// Waits until everything received so far is judged, and what was judged is stored.
    pub async fn flush(&self) {
        // An engine that is gone shows in the health answer.
        let _ = self.sequencer.flush().await;
    }

    /// Ends the service in order.
    pub async fn stop(self) -> Summary {
        self.stop_unless(std::future::pending()).await
    }

    /// Ends the service in order, unless it is cut off before; then the summary says what was not done, and threads may
    /// still be at work, which end with the process.
    pub async fn stop_unless(mut self, cut_off: impl Future<Output = ()>) -> Summary {
        let (lines, counters, journaled) =
            (Arc::clone(&self.lines), Arc::clone(&self.counters), self.journaled);
        tokio::select! {
            summary = self.stop_in_order() => summary,
            () = cut_off => Summary { counts: counters.snapshot(), trouble: Some(not_done(&lines, journaled)) },
        }
    }

    async fn stop_in_order(&mut self) -> Summary {
        self.health.end();
        let mut trouble = Vec::from_iter(self.health.ready().err());
        self.stop.send_replace(true);
        self.sequencer.close();
        while self.tasks.join_next().await.is_some() {}
        self.stopping.store(true, Ordering::Release);
        trouble.extend(self.sequencer.stop().await.err());
        let threads = std::mem::take(&mut self.threads);
        let joined = spawn_blocking(move || {
            threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count() == 0
        });
        if !joined.await.unwrap_or(false) {
            trouble.push("a thread of the service panicked".to_owned());
        }
        let counts = self.counters.snapshot();
        if counts.lost > 0 {
            let then = if self.journaled { "are stored at the next start" } else { "are lost" };
            trouble.push(format!("{} changes could not be stored and {then}", counts.lost));
        }
        let trouble = (!trouble.is_empty()).then(|| trouble.join("\n"));
        Summary { counts, trouble }
    }
}

/// What was not done when the end was cut off, for a person.
fn not_done(lines: &Lines, journaled: bool) -> String {
    let records: u64 = lines.engines.iter().map(|line| line.waiting().count).sum();
    let (requests, changes) = (lines.journal.waiting().count, lines.store.waiting().size);
    let then = if journaled {
        "what was acknowledged is in the journal, and the next start goes on with it"
    } else {
        "they and all open journeys are lost"
    };
    format!(
        "stopping was cut off: {requests} requests were not committed, {records} records not judged, {changes} changes \
         not stored; {then}"
    )
}
