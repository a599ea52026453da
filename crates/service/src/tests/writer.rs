//! The journal's thread on a disk of the test's: one that hangs, one that has no room for a while. Engines and the store's
//! thread are the real ones; its clock is moved by hand.

use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use authstitch_journal::disk::simulated::{Simulated, SimulatedFile};
use authstitch_journal::disk::{Disk, File};
use authstitch_model::event::testing::event;
use authstitch_model::{EventName, KeyKind, Millis, Position, Secret, UnixNanos};
use authstitch_store::Store;
use tokio::sync::oneshot;

use crate::admission::Admission;
use crate::caps;
use crate::clock::SystemClock;
use crate::counters::Counters;
use crate::forgetting::{Forgetting, Forgotten, Wanted};
use crate::health::Health;
use crate::judge::{Judge, Unsent};
use crate::lag::{Line, Lines};
use crate::log::Log;
use crate::recovery::{Decides, recover};
use crate::refusal::Refusal;
use crate::shards::Shards;
use crate::sink::{Sink, Waiting};
use crate::unreached::Unreached;
use crate::writer::{Append, Job, Snapshots, Writer};

const START: UnixNanos = UnixNanos(1_800_000_000_000_000_000);

/// Whether syncs of a disk come back.
#[derive(Clone, Debug, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn set_closed(&self, closed: bool) {
        *self.0.0.lock().unwrap() = closed;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |closed| *closed).unwrap());
    }
}

/// A disk whose syncs hang as long as its gate is closed.
#[derive(Clone)]
struct Gated {
    disk: Simulated,
    gate: Gate,
}

struct GatedFile {
    file: SimulatedFile,
    gate: Gate,
}

impl Gated {
    fn file(&self, file: SimulatedFile) -> GatedFile {
        GatedFile { file, gate: self.gate.clone() }
    }

    /// Whether bytes stand in any file.
    fn holds(&self, bytes: &[u8]) -> bool {
        let content = |name: &String| self.disk.content(name);
        let holds = |content: Vec<u8>| content.windows(bytes.len()).any(|window| window == bytes);
        self.disk.names().iter().map(content).any(holds)
    }
}

impl Disk for Gated {
    type File = GatedFile;

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.disk.list()
    }

    fn open(&self, name: &str) -> io::Result<GatedFile> {
        self.disk.open(name).map(|file| self.file(file))
    }

    fn create(&self, name: &str, length: u64) -> io::Result<GatedFile> {
        self.disk.create(name, length).map(|file| self.file(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        self.disk.unlink(name)
    }

    fn written(&self, name: &str) -> io::Result<UnixNanos> {
        self.disk.written(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.gate.pass();
        self.disk.sync_directory()
    }
}

impl File for GatedFile {
    fn read(&self) -> io::Result<Vec<u8>> {
        self.file.read()
    }

    fn read_first(&self, length: usize) -> io::Result<Vec<u8>> {
        self.file.read_first(length)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.gate.pass();
        self.file.sync()
    }
}

/// The threads that write, judge and store.
struct Threads {
    disk: Gated,
    elapsed: &'static AtomicU64,
    jobs: SyncSender<Job>,
    health: Arc<Health>,
    counters: Arc<Counters>,
    threads: Vec<JoinHandle<()>>,
    _directory: tempfile::TempDir,
}

impl Threads {
    /// Every commit wants a snapshot.
    fn start() -> Self {
        Self::with_snapshots_every(1)
    }

    fn with_snapshots_every(bytes: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let disk = Gated { disk: Simulated::new(1), gate: Gate::default() };
        let elapsed: &'static AtomicU64 = Box::leak(Box::default());
        let clock = SystemClock::by_hand(START, elapsed);
        let (counters, health) = (Arc::<Counters>::default(), Arc::<Health>::default());
        let sink = Sink {
            store: Some(Store::open(directory.path()).unwrap()),
            counters: Arc::clone(&counters),
            health: Arc::clone(&health),
            stopping: Arc::default(),
            waiting: Waiting::default(),
            retention: None,
        };
        let (mut deliver, deliveries) = sync_channel(caps::SINK_BATCHES);
        let mut threads = vec![thread::spawn(move || sink.run(&deliveries))];
        let one = NonZero::<u32>::MIN;
        let decides = Some(Decides { settings: authstitch_engine::Settings::default(), shards: one });
        let kept = authstitch_journal::Settings { segment_bytes: 64 << 10, ..Default::default() };
        let recovered = recover(&disk, &kept, decides, Position(0), clock, &mut deliver).unwrap();
        let lines = Lines::new(one);
        let (queues, shards) = Shards::new(one, 64, Arc::clone(&lines));
        let queues = Arc::new(queues);
        let settings = recovered.engines.settings().clone();
        for (shard, engine) in shards.into_iter().zip(recovered.engines.into_each()) {
            let judge = Judge {
                engine,
                number: 0,
                deadline: shard.deadline,
                closes: false,
                counters: Arc::clone(&counters),
                clock: None,
                sink: deliver.clone(),
                store: Arc::clone(&lines.store),
                unsent: Unsent::default(),
            };
            threads.push(thread::spawn(move || judge.run(shard.queue)));
        }
        let writer = Writer {
            journal: recovered.journal,
            clock: recovered.clock,
            shards: Arc::clone(&queues),
            admission: Admission::new(usize::MAX, usize::MAX),
            counters: Arc::clone(&counters),
            health: Arc::clone(&health),
            settings,
            gone: false,
            log: Log::none(),
            retention: Millis::from_mins(24 * 60),
            forgetting: Forgetting {
                shards: queues,
                secret: Secret::PUBLIC,
                store: None,
                counters: Arc::clone(&counters),
                unreached: Unreached::default(),
            },
            unfinished: recovered.unfinished,
            noted: None,
            snapshots: Snapshots::every(bytes),
        };
        let (jobs, waiting) = sync_channel(64);
        threads.push(thread::spawn(move || writer.run(&waiting)));
        Self { disk, elapsed, jobs, health, counters, threads, _directory: directory }
    }

    /// Sends the first step of a login.
    fn send(&self, journey: &str, nth: u64) -> oneshot::Receiver<Result<(), Refusal>> {
        let mut event = event(EventName::QrShown, START, nth);
        event.keys.journey = Secret::PUBLIC.key("default", KeyKind::Journey, journey);
        let charge = Admission::new(usize::MAX, 1).enter().unwrap().charge();
        let (answer, heard) = oneshot::channel();
        let append = Append { events: vec![event], charge, answer, ticket: Line::new().enter(1) };
        self.jobs.send(Job::Append(append)).unwrap();
        heard
    }

    fn forget(&self, journey: &str) -> Result<Forgotten, String> {
        let (answer, heard) = oneshot::channel();
        self.jobs
            .send(Job::Forget(Wanted { key: journey.into(), realm: Some("default".into()) }, answer))
            .unwrap();
        heard.blocking_recv().unwrap()
    }

    /// Time goes by, as the journal's thread has it.
    fn pass(&self, time: Duration) {
        self.elapsed.fetch_add(u64::try_from(time.as_nanos()).unwrap(), Ordering::Relaxed);
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..3000 {
            if is_so(self) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{what}: {:?}", self.health.ready());
    }

    /// Gives the disk room, and the journal's thread some turns, in which it does not try again yet.
    fn has_room_again(&self) {
        self.disk.disk.set_room(usize::MAX);
        thread::sleep(caps::TICK * 3);
    }

    fn stop(self) {
        let (stopped, heard) = oneshot::channel();
        self.jobs.send(Job::Stop(stopped)).unwrap();
        assert_eq!(heard.blocking_recv().unwrap(), Ok(()));
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn a_commit_that_hangs_makes_the_health_bad_until_it_is_done() {
    let threads = Threads::start();
    assert_eq!(threads.send("journey-before", 1).blocking_recv().unwrap(), Ok(()));
    threads.until("the snapshot is written", |threads| threads.counters.snapshots.get() == 1);
    threads.disk.gate.set_closed(true);
    let mut heard = threads.send("journey-meanwhile", 2);
    threads.until("it hangs", |threads| {
        threads.health.ready().is_err_and(|why| why.starts_with("journal: hangs since"))
    });
    assert_eq!(threads.health.live(), Ok(()), "nothing has stopped");
    assert!(heard.try_recv().is_err(), "what is not on the disk is not acknowledged");
    threads.disk.gate.set_closed(false);
    assert_eq!(heard.blocking_recv().unwrap(), Ok(()));
    threads.until("it works again", |threads| threads.health.ready().is_ok());
    threads.stop();
}

#[test]
fn a_snapshot_that_failed_is_tried_again_after_a_while_though_nothing_comes() {
    let threads = Threads::start();
    assert_eq!(threads.send("journey-one", 1).blocking_recv().unwrap(), Ok(()));
    threads.until("the first is written", |threads| threads.counters.snapshots.get() == 1);
    threads.disk.disk.set_room(0);
    assert_eq!(threads.send("journey-other", 2).blocking_recv().unwrap(), Ok(()));
    threads
        .until("it fails", |threads| threads.health.ready().is_err_and(|why| why.starts_with("snapshot: ")));
    threads.has_room_again();
    threads.pass(caps::SNAPSHOT_RETRY - Duration::from_secs(1));
    thread::sleep(caps::TICK * 3);
    assert_eq!(threads.counters.snapshots.get(), 1, "it is not time yet");
    threads.pass(Duration::from_secs(1));
    threads.until("it is tried again", |threads| threads.counters.snapshots.get() == 2);
    threads.until("it works again", |threads| threads.health.ready().is_ok());
    threads.stop();
}

#[test]
fn a_forgetting_that_failed_is_finished_after_a_while_though_nothing_comes() {
    let threads = Threads::start();
    for (nth, journey) in [(1, "journey-forgotten"), (2, "journey-other")] {
        assert_eq!(threads.send(journey, nth).blocking_recv().unwrap(), Ok(()));
        // No snapshot is wanted any more, which would try again, too.
        threads.until("it is written down", |threads| threads.counters.snapshots.get() == nth);
    }
    // A trace stands in the journal as it is.
    let traces = [1, 2].map(|nth| event(EventName::QrShown, START, nth).origin.trace_id.unwrap());
    let bytes = traces.map(|trace| u128::from_str_radix(&trace.to_string(), 16).unwrap().to_be_bytes());
    assert!(bytes.iter().all(|trace| threads.disk.holds(trace)), "the search finds what is there");
    threads.disk.disk.set_room(0);
    let refused = threads.forget("journey-forgotten").unwrap_err();
    let health = threads.health.ready().unwrap_err();
    assert!(health.contains("forgetting: not finished, and tried again: "), "{health} after {refused}");
    threads.has_room_again();
    assert!(threads.disk.holds(&bytes[0]), "it is not time yet");
    threads.pass(caps::SNAPSHOT_RETRY);
    threads.until("it is finished", |threads| threads.health.ready().is_ok());
    assert_eq!([threads.disk.holds(&bytes[0]), threads.disk.holds(&bytes[1])], [false, true]);
    assert!(threads.forget("journey-forgotten").unwrap().is_nothing());
    assert_eq!(threads.forget("journey-other").unwrap().journeys, 1, "the other is there as before");
    threads.stop();
}

#[test]
fn a_forgetting_that_failed_is_not_tried_again_with_every_request() {
    let threads = Threads::start();
    assert_eq!(threads.send("journey-forgotten", 1).blocking_recv().unwrap(), Ok(()));
    threads.until("the snapshot is written", |threads| threads.counters.snapshots.get() == 1);
    threads.disk.disk.set_room(0);
    threads.forget("journey-forgotten").unwrap_err();
    let before = threads.disk.disk.steps();
    for nth in 2..12 {
        // Each wants a snapshot.
        assert_eq!(threads.send("journey-other", nth).blocking_recv().unwrap(), Ok(()));
    }
    // A write and a sync each.
    assert_eq!(threads.disk.disk.steps() - before, 20);
    threads.disk.disk.set_room(usize::MAX);
    threads.stop();
}

#[test]
fn what_stands_beside_what_was_forgotten_leaves_the_journal_no_later_than_else() {
    let threads = Threads::with_snapshots_every(u64::MAX);
    let trace = event(EventName::QrShown, START, 1).origin.trace_id.unwrap();
    let trace = u128::from_str_radix(&trace.to_string(), 16).unwrap().to_be_bytes();
    assert_eq!(threads.send("journey-kept", 1).blocking_recv().unwrap(), Ok(()));
    assert_eq!(threads.send("journey-forgotten", 2).blocking_recv().unwrap(), Ok(()));
    let hours = |hours: u64| {
        threads.pass(Duration::from_secs(hours * 3600));
        threads.jobs.send(Job::Tick).unwrap();
    };
    hours(23);
    assert_eq!(threads.forget("journey-forgotten").unwrap().journeys, 1);
    assert!(threads.disk.holds(&trace), "the search finds what is there");
    // A snapshot follows at once, so that the next of the day lets go.
    thread::sleep(caps::TICK * 3);
    hours(25);
    threads.until("it is gone", |threads| !threads.disk.holds(&trace));
    threads.stop();
}
