//! Start, run, stop.
//!
//! - The service starts whole or not at all: an address in use leaves nothing behind.
//! - Stopping ends the intake first; then everything received is judged, and everything is stored before the summary
//!   is given. With a journal open journeys stay open and go on at the next start; without one they are closed as
//!   `shutdown`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use authstitch_engine::{self as engine, Tables};
use authstitch_journal::Durability;
use authstitch_model::Secret;
use authstitch_store::Store;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use crate::admission::Admission;
use crate::caps;
use crate::clock::Clock;
use crate::counters::{Counters, Counts};
use crate::data_dir::{self, DataDir};
use crate::door::{Door, Doors};
use crate::engines::Engines;
use crate::error::StartError;
use crate::forgetting::{Forgetting, Forgotten, Wanted};
use crate::health::Health;
use crate::intake::{Intake, Receiver};
use crate::judge::Judge;
use crate::listener::serve;
use crate::recovery::{Decides, Recovered, recover};
use crate::sequencer::Sequencer;
use crate::settings::{Journal, SecretSource, Settings, days};
use crate::shards::Shards;
use crate::sink::{Retention, Sink};
use crate::tables::{TablesError, read_tables};
use crate::web::{Kept, Web};
use crate::writer::{Snapshots, Writer};
use crate::{grpc, http, public, web};

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

/// Starts the service.
///
/// # Errors
/// If the tables, an address, the data directory, the secret, the store or the journal cannot be had; then nothing runs.
pub async fn start(settings: Settings, clock: Clock) -> Result<Running, StartError> {
    let tables = match &settings.tables {
        Some(path) => read_tables(path).map_err(StartError::Tables)?,
        None => Tables::shipped(),
    };
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
    let (parts, threads, recovered) =
        Parts::running(settings, clock, secret, counters, Some(decides.clone()), store, data).await?;
    let (stop, _) = watch::channel(false);
    let (grpc, http, web) = (doors.grpc.address, doors.http.address, doors.web.address);
    let public = doors.public.as_ref().map(|public| public.address);
    let guards = doors.all();
    let tasks = parts.receive(doors, kept, &stop);
    let Parts { sequencer, counters, health, stopping, settings, journaled, .. } = parts;
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
        tasks,
        threads,
    })
}

/// Forgets what is known under a key in a data directory in which no server works: a journey id, or the raw value of any
/// key, in the realm that is named or in every one.
///
/// Nothing is received meanwhile, no time goes on, and what decides stays what it was.
///
/// # Errors
/// If there is no such directory, somebody works in it, or it cannot be done, or not all of it.
pub async fn forget(data_dir: &Path, key: &str, realm: Option<&str>) -> Result<Forgotten, StartError> {
    let there = data_dir.join("secret").is_file();
    let nothing = || StartError::NothingThere { path: data_dir.to_owned() };
    let data = there.then(|| DataDir::open(data_dir)).ok_or_else(nothing)??;
    let secret = data_dir::secret_of(data_dir)?;
    let store =
        Store::is_in(data_dir).then(|| Store::open(data_dir)).transpose().map_err(StartError::Store)?;
    let durability = match data_dir.join("journal").is_dir() {
        true => Durability::Fsync,
        false => Durability::None,
    };
    let mut settings = Settings::default();
    // A segment as small as can be, and room for it whatever the server's bound.
    settings.journal = Journal {
        durability,
        segment_bytes: caps::SMALL_SEGMENT_BYTES,
        disk_bytes: 1 << 50,
        ..settings.journal
    };
    settings.retention = days(caps::RETENTION_DAYS_MOST);
    let counters = Arc::default();
    let (parts, threads, _) =
        Parts::running(settings, Clock::System, secret, counters, None, store, Some(data)).await?;
    let wanted = Wanted { key: key.to_owned(), realm: realm.map(str::to_owned) };
    let done = parts.sequencer.forget(&parts.forgetting, wanted).await;
    parts.stopping.store(true, Ordering::Release);
    let stopped = parts.sequencer.stop().await;
    let joined = spawn_blocking(|| threads.into_iter().try_for_each(JoinHandle::join)).await;
    let panicked = || StartError::Forgetting("a thread panicked".to_owned());
    joined.map_err(|_panic| panicked())?.map_err(|_panic| panicked())?;
    let done = done.map_err(StartError::Forgetting)?;
    stopped.map_err(StartError::Forgetting)?;
    Ok(done)
}

fn secret(data: Option<&DataDir>, source: SecretSource) -> Result<Secret, StartError> {
    match (data, source) {
        (Some(data), source) => data.secret(source),
        (None, SecretSource::Fixed(secret)) => Ok(secret),
        (None, SecretSource::File) => data_dir::random().map(Secret::new),
    }
}

/// What the parts share, and what is needed to make them run.
struct Parts {
    settings: Settings,
    secret: Secret,
    sequencer: Arc<Sequencer>,
    forgetting: Forgetting,
    admission: Arc<Admission>,
    counters: Arc<Counters>,
    health: Arc<Health>,
    stopping: Arc<AtomicBool>,
    journaled: bool,
}

impl Parts {
    /// The parts, with the threads that write, judge and store; and what was found in the journal, for a person. Where
    /// nothing is said to decide, what the journal says goes on to.
    async fn running(
        settings: Settings,
        clock: Clock,
        secret: Secret,
        counters: Arc<Counters>,
        decides: Option<engine::Settings>,
        store: Option<Store>,
        data: Option<DataDir>,
    ) -> Result<(Self, Vec<JoinHandle<()>>, Vec<String>), StartError> {
        let limits = settings.limits;
        // Early requests of a schedule hold bytes while they wait for the one before them, which must not be
        // turned away for that; its sender bounds itself.
        let queue_bytes = match clock {
            Clock::System => limits.queue_bytes,
            Clock::Schedule => usize::MAX,
        };
        let admission = Admission::new(queue_bytes, limits.requests_in_flight);
        let (health, stopping): (Arc<Health>, Arc<AtomicBool>) = Default::default();
        let applied = store.as_ref().map(Store::applied).transpose().map_err(StartError::Store)?;
        // A schedule begins anew each time, and is no time that a journal could go on with.
        let journal = data
            .as_ref()
            .map(|data| data.path().join("journal"))
            .filter(|_| clock == Clock::System && settings.journal.durability != Durability::None);
        let journaled = journal.is_some();
        let stored = data.as_ref().filter(|_| store.is_some()).map(|data| data.path().to_owned());

        let (deliveries, delivered) = sync_channel(caps::SINK_BATCHES);
        let sink = Sink {
            store,
            counters: Arc::clone(&counters),
            health: Arc::clone(&health),
            stopping: Arc::clone(&stopping),
            // On a schedule what is received may be of any time.
            retention: (clock == Clock::System).then(|| Retention::of(settings.retention)),
        };
        let store_writer = thread("store writer", &health, move || {
            sink.run(&delivered);
            // The directory is free for others when nothing is written to it any more.
            drop(data);
        })?;
        let recovered = match journal {
            None => Ok(None),
            Some(directory) => {
                // A store that fails now keeps the service from starting.
                stopping.store(true, Ordering::Release);
                let (kept, shards, sink) = (settings.journal, settings.shards, deliveries.clone());
                let decides = decides.clone().map(|settings| Decides { settings, shards });
                let applied = applied.unwrap_or_default();
                let read = move || recover(&directory, &kept.into(), decides, applied, &sink);
                let cut_off = StartError::Snapshot("reading it was cut off".into());
                spawn_blocking(read).await.unwrap_or(Err(cut_off)).map(Some)
            }
        };
        stopping.store(false, Ordering::Release);
        let recovered = match recovered {
            Ok(recovered) => recovered,
            Err(error) => {
                // What could not start leaves nothing behind.
                drop(deliveries);
                let _ = spawn_blocking(move || store_writer.join()).await;
                return Err(error);
            }
        };

        let mut threads = vec![store_writer];
        // As many places again as requests in flight, so that an engine has something to do meanwhile.
        let count = recovered.as_ref().map_or(settings.shards, |recovered| recovered.engines.shards());
        let (queues, shards) = Shards::new(count, limits.requests_in_flight * 2);
        let queues = Arc::new(queues);
        let forgetting = Forgetting { shards: Arc::clone(&queues), secret, store: stored };
        let (sequencer, engines, told) = match recovered {
            None => {
                let engines = Engines::new(decides.unwrap_or_default(), settings.shards);
                (Sequencer::new(clock, queues), engines, Vec::new())
            }
            Some(Recovered { journal, engines, clock, told, quarantined, unfinished }) => {
                counters.quarantined.add(quarantined);
                let (jobs, waiting) = sync_channel(limits.requests_in_flight + caps::JOURNAL_JOBS);
                let writer = Writer {
                    journal,
                    clock,
                    shards: Arc::clone(&queues),
                    admission: Arc::clone(&admission),
                    counters: Arc::clone(&counters),
                    health: Arc::clone(&health),
                    settings: engines.settings().clone(),
                    gone: false,
                    forgetting: forgetting.clone(),
                    unfinished,
                    snapshots: Snapshots {
                        // Two must fit into the journal long before it is full: only the second lets go.
                        every_bytes: settings.journal.snapshot_bytes.min(settings.journal.disk_bytes / 8),
                        since: 0,
                        // What was read again is read no third time.
                        wanted: true,
                        latest: None,
                        under_way: None,
                    },
                };
                threads.push(thread("journal", &health, move || writer.run(&waiting))?);
                (Sequencer::journaled(clock, jobs, queues), engines, told)
            }
        };
        for ((number, shard), engine) in shards.into_iter().enumerate().zip(engines.into_each()) {
            let judge = Judge {
                engine,
                number,
                deadline: shard.deadline,
                closes: !journaled,
                counters: Arc::clone(&counters),
                clock: sequencer.clock(),
                sink: deliveries.clone(),
            };
            threads.push(thread("engine", &health, move || judge.run(shard.queue))?);
        }
        let sequencer = Arc::new(sequencer);
        let parts = Self {
            settings,
            secret,
            sequencer,
            forgetting,
            admission,
            counters,
            health,
            stopping,
            journaled,
        };
        Ok((parts, threads, told))
    }

    /// The tasks that receive, answer and look at the clock.
    fn receive(&self, doors: Doors, kept: Option<Kept>, stop: &watch::Sender<bool>) -> JoinSet<()> {
        let limits = self.settings.limits;
        let intake = Arc::new(Intake {
            sequencer: Arc::clone(&self.sequencer),
            admission: Arc::clone(&self.admission),
            mapping: Arc::new(self.settings.mapping.clone().with_secret(self.secret)),
            counters: Arc::clone(&self.counters),
            request_bytes: limits.request_bytes,
            request_time: limits.request_time,
        });
        let through =
            |door: &Arc<Door>| Arc::new(Receiver { intake: Arc::clone(&intake), door: Arc::clone(door) });
        let pages = Arc::new(Web {
            counters: Arc::clone(&self.counters),
            health: Arc::clone(&self.health),
            admission: Arc::clone(&self.admission),
            sequencer: Arc::clone(&self.sequencer),
            forgetting: self.forgetting.clone(),
            kept,
            door: Arc::clone(&doors.web.door),
            local_only: self.settings.web.is_private(),
            questions: Semaphore::new(caps::QUERIES_AT_ONCE),
        });
        let mut tasks = JoinSet::new();
        let Doors { grpc, http, web, public } = doors;
        let over_grpc = through(&grpc.door);
        let over_grpc = serve(grpc.listener, grpc.door, over_grpc, grpc::answer, stop.subscribe());
        tasks.spawn(watched("OTLP/gRPC", &self.health, over_grpc));
        let over_http = through(&http.door);
        let over_http = serve(http.listener, http.door, over_http, http::answer, stop.subscribe());
        tasks.spawn(watched("OTLP/HTTP", &self.health, over_http));
        if let Some(public) = public {
            let from_all = through(&public.door);
            let from_all = serve(public.listener, public.door, from_all, public::answer, stop.subscribe());
            tasks.spawn(watched("public OTLP", &self.health, from_all));
        }
        let to_people = serve(web.listener, web.door, pages, web::answer, stop.subscribe());
        tasks.spawn(watched("pages", &self.health, to_people));
        let ticks = tick(Arc::clone(&self.sequencer), stop.subscribe());
        tasks.spawn(watched("clock", &self.health, ticks));
        tasks
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

    /// Reads the files of certificates and tokens again, and says what came of it, a line for each listener where
    /// there is news. Files that cannot be used change nothing.
    pub async fn refresh_credentials(&self) -> Vec<String> {
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
    pub async fn stop(mut self) -> Summary {
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

fn thread(
    name: &'static str,
    health: &Arc<Health>,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StartError> {
    let running = health.watch(name);
    let run = move || {
        work();
        drop(running);
    };
    std::thread::Builder::new().name(name.into()).spawn(run).map_err(StartError::Thread)
}

fn watched(
    part: &'static str,
    health: &Arc<Health>,
    work: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let running = health.watch(part);
    async move {
        work.await;
        drop(running);
    }
}

async fn tick(sequencer: Arc<Sequencer>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(caps::TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => sequencer.tick(),
        }
    }
}
