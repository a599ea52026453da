//! The parts of the service, and how they are put together: the threads that write, judge and store, and the tasks that
//! receive, answer and look at the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use authstitch_engine::{self as engine};
use authstitch_journal::{Directory, Durability};
use authstitch_model::Secret;
use authstitch_store::Store;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use crate::admission::Admission;
use crate::caps;
use crate::clock::{Clock, Stopwatch, SystemClock};
use crate::counters::Counters;
use crate::data_dir::DataDir;
use crate::door::{Door, Doors};
use crate::engines::Engines;
use crate::error::StartError;
use crate::forgetting::Forgetting;
use crate::health::Health;
use crate::intake::{Intake, Receiver};
use crate::judge::{Judge, Unsent};
use crate::lag::{Lags, Lines};
use crate::listener::serve;
use crate::log::{Log, LogLevel};
use crate::metrics::Sources;
use crate::recovery::{Decides, Recovered, recover};
use crate::refused::Refused;
use crate::sequencer::Sequencer;
use crate::settings::Settings;
use crate::shards::Shards;
use crate::sink::{Retention, Sink, Waiting};
use crate::unreached::Unreached;
use crate::web::{Kept, Web};
use crate::writer::{Snapshots, Writer};
use crate::{grpc, http, public, web};

/// What is on the disk, and the secret under which.
pub(crate) struct OnDisk {
    pub data: Option<DataDir>,
    pub store: Option<Store>,
    pub secret: Secret,
}

/// What the parts share, and what is needed to make them run.
pub(crate) struct Parts {
    pub settings: Settings,
    pub secret: Secret,
    pub sequencer: Arc<Sequencer>,
    pub forgetting: Forgetting,
    pub admission: Arc<Admission>,
    pub counters: Arc<Counters>,
    pub health: Arc<Health>,
    pub stopping: Arc<AtomicBool>,
    pub journaled: bool,
    pub lines: Arc<Lines>,
    pub log: Log,
}

impl Parts {
    /// The parts, with the threads that write, judge and store; and what was found in the journal, for a person. Where
    /// nothing is said to decide, what the journal says goes on to.
    pub(crate) async fn running(
        settings: Settings,
        clock: Clock,
        counters: Arc<Counters>,
        decides: Option<engine::Settings>,
        disk: OnDisk,
        log: Log,
    ) -> Result<(Self, Vec<JoinHandle<()>>, Vec<String>), StartError> {
        let OnDisk { data, store, secret } = disk;
        let limits = settings.limits;
        // Early requests of a schedule hold bytes while they wait for the one before them, which must not be
        // turned away for that; its sender bounds itself.
        let queue_bytes = match clock {
            Clock::System => limits.queue_bytes,
            Clock::Schedule => usize::MAX,
        };
        let admission = Admission::new(queue_bytes, limits.requests_in_flight);
        let (health, stopping) = (Arc::new(Health::new(log.clone())), Arc::<AtomicBool>::default());
        let applied = store.as_ref().map(Store::applied).transpose().map_err(StartError::Store)?;
        // A schedule begins anew each time, and is no time that a journal could go on with.
        let journal = data
            .as_ref()
            .map(|data| data.path().join("journal"))
            .filter(|_| clock == Clock::System && settings.journal.durability != Durability::None);
        let journaled = journal.is_some();
        let stored = data.as_ref().filter(|_| store.is_some()).map(|data| data.path().to_owned());
        let unreached = Unreached::of(data.as_ref().map(DataDir::path), store.is_some(), journaled);
        unreached.tell(&log);
        if store.as_ref().is_some_and(|store| !store.wipes_pages()) {
            log.tell(LogLevel::Warn, "unwiped", UNWIPED, &[]);
        }

        let (deliveries, delivered) = sync_channel(caps::SINK_BATCHES);
        let sink = Sink {
            store,
            counters: Arc::clone(&counters),
            health: Arc::clone(&health),
            stopping: Arc::clone(&stopping),
            waiting: Waiting::default(),
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
                let (kept, shards, mut sink) = (settings.journal, settings.shards, deliveries.clone());
                let decides = decides.clone().map(|settings| Decides { settings, shards });
                let applied = applied.unwrap_or_default();
                let read = move || {
                    let disk = Directory::open(&directory, kept.durability).map_err(|source| {
                        StartError::DataDir { path: directory, doing: "opening", source }
                    })?;
                    let clock = SystemClock::start();
                    recover(&disk, &kept.into(), decides, applied, clock, &mut sink)
                };
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
        let lines = Lines::new(count);
        let (queues, shards) = Shards::new(count, limits.requests_in_flight * 2, Arc::clone(&lines));
        let queues = Arc::new(queues);
        let forgetting = Forgetting {
            shards: Arc::clone(&queues),
            secret,
            store: stored,
            counters: Arc::clone(&counters),
            unreached,
        };
        let (sequencer, engines, told) = match recovered {
            None => {
                let engines = Engines::new(decides.unwrap_or_default(), settings.shards);
                (Sequencer::new(clock, queues), engines, Vec::new())
            }
            Some(Recovered { journal, engines, clock, told, quarantined, damaged, unfinished }) => {
                counters.quarantined.add(quarantined);
                for line in &told {
                    log.tell(LogLevel::Warn, "journal_recovered", line, &[]);
                }
                tell_quarantined(&log, quarantined, damaged);
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
                    noted: None,
                    log: log.clone(),
                    retention: settings.retention,
                    // Two must fit into the journal long before it is full: only the second lets go.
                    snapshots: Snapshots::every(
                        settings.journal.snapshot_bytes.min(settings.journal.disk_bytes / 8),
                    ),
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
                store: Arc::clone(&lines.store),
                unsent: Unsent::default(),
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
            lines,
            log,
        };
        Ok((parts, threads, told))
    }

    /// The tasks that receive, answer and look at the clock.
    pub(crate) fn receive(
        &self,
        doors: Doors,
        kept: Option<Kept>,
        stop: &watch::Sender<bool>,
    ) -> JoinSet<()> {
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
            numbers: self.numbers(),
            sequencer: Arc::clone(&self.sequencer),
            forgetting: self.forgetting.clone(),
            kept,
            door: Arc::clone(&doors.web.door),
            local_only: self.settings.web.is_private(),
            questions: Semaphore::new(caps::QUERIES_AT_ONCE),
            forgets: Semaphore::new(1),
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
        let look = self.look(stop.subscribe());
        tasks.spawn(watched("watch", &self.health, look));
        tasks
    }

    /// Where everything that is told in numbers comes from.
    pub(crate) fn numbers(&self) -> Sources {
        Sources {
            counters: Arc::clone(&self.counters),
            health: Arc::clone(&self.health),
            admission: Arc::clone(&self.admission),
            lines: Arc::clone(&self.lines),
        }
    }

    /// Looks whether parts fall behind, and sums up what is refused.
    fn look(&self, mut stop: watch::Receiver<bool>) -> impl Future<Output = ()> + Send + 'static {
        let Sources { counters, health, lines, .. } = self.numbers();
        let log = self.log.clone();
        let (mut looks, began) = (interval(caps::LAG_CHECK), Stopwatch::start());
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut lags, mut refused, mut summed) = (Lags::default(), Refused::default(), began.elapsed());
        async move {
            loop {
                let ends = tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => true,
                    _ = looks.tick() => false,
                };
                let now = began.elapsed();
                lags.look(now, lines.lags(), &health);
                if ends || now - summed >= caps::REFUSALS_SUMMARY {
                    summed = now;
                    tell_refused(&log, &refused.since(&counters.snapshot()));
                }
                if ends {
                    return;
                }
            }
        }
    }
}

/// What a build says that lacks what wiping needs.
const UNWIPED: &str = "unwiped: SQLite was built without `sqlite_dbpage`: forgetting writes the whole store anew, and copies \
                       of retired journeys may stay in it until then; build in the checkout, whose .cargo/config.toml asks \
                       for it";

/// Tells, in one line, how much of the journal is set aside: no journey has it.
fn tell_quarantined(log: &Log, records: u64, damaged: u64) {
    if (records, damaged) == (0, 0) {
        return;
    }
    let sentence = format!(
        "quarantined: {records} parts of records, on which an engine panics, and {damaged} damaged parts of the journal"
    );
    let fields = [("records", records.into()), ("damaged", damaged.into())];
    log.tell(LogLevel::Error, "quarantined", &sentence, &fields);
}

/// Tells what was refused since the last time, in one line.
fn tell_refused(log: &Log, refused: &[(&'static str, u64)]) {
    if refused.is_empty() {
        return;
    }
    let said: Vec<_> = refused.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let fields: Vec<_> = refused.iter().map(|(reason, count)| (*reason, (*count).into())).collect();
    log.tell(LogLevel::Warn, "refused", &format!("refused: {}", said.join(", ")), &fields);
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

pub(crate) fn watched(
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
