//! What outlives the machine's crashes: its disk and store, the people who log in, and what was heard of their requests.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::num::NonZero;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use authstitch_engine::{self as engine, StitchSettings, Tables, line};
use authstitch_journal::disk::simulated::{Crash, Simulated};
use authstitch_journal::{self as journal, Journal, Stamp};
use authstitch_model::EventName::{
    ChallengeCreated, ConfirmationCompleted, QrScanned, QrShown, SessionEstablished, WebauthnFailed,
};
use authstitch_model::event::testing::event;
use authstitch_model::{AuthEvent, KeyKind, Millis, Position, Realm, Secret, UnixNanos};
use authstitch_store::{Reader, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::oneshot;

use super::machine::{Direct, Life, MANY, OnMachine, jobs};
use super::oracle::Oracle;
use crate::admission::Admission;
use crate::clock::SystemClock;
use crate::error::StartError;
use crate::forgetting::Forgetting;
use crate::judge::{Judge, Unsent};
use crate::lag::{Line, Lines};
use crate::log::Log;
use crate::recovery::{Decides, recover};
use crate::shards::Shards;
use crate::sink::{Sink, Waiting};
use crate::unreached::Unreached;
use crate::writer::{Append, Job, Snapshots, Writer};

pub(super) const HOUR: u64 = 3_600_000_000_000;
pub(super) const DAY: u64 = 24 * HOUR;
const SECOND: u64 = 1_000_000_000;

/// What became of a world, and of many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    lives: u64,
    crashes: u64,
    acknowledged: u64,
    journeys: u64,
    merged: u64,
    snapshots: u64,
    held: u64,
}

impl Found {
    /// Whether everything happened that is to be outlived.
    pub fn is_much(&self) {
        let Self { lives, crashes, acknowledged, journeys, merged, snapshots, held } = *self;
        for (number, least) in [
            (lives, 200),
            (crashes, 100),
            (acknowledged, 2000),
            (journeys, 1000),
            (merged, 1),
            (snapshots, 100),
            (held, 1000),
        ] {
            assert!(number >= least, "{self}");
        }
    }
}

impl AddAssign for Found {
    fn add_assign(&mut self, more: Self) {
        self.lives += more.lives;
        self.crashes += more.crashes;
        self.acknowledged += more.acknowledged;
        self.journeys += more.journeys;
        self.merged += more.merged;
        self.snapshots += more.snapshots;
        self.held += more.held;
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lives, crashes, acknowledged, journeys, merged, snapshots, held } = self;
        write!(
            f,
            "{lives} lives, {crashes} cut off in a step, {snapshots} snapshots, {acknowledged} requests acknowledged, \
             {journeys} journeys, {merged} merged, 0 lost, 0 double, {held} keys left the journal"
        )
    }
}

pub(super) struct World {
    pub chance: ChaCha8Rng,
    /// Whether anything but a stop happens.
    pub faults: bool,
    disk: Simulated,
    store: Arc<Mutex<Store>>,
    directory: tempfile::TempDir,
    settings: engine::Settings,
    kept: journal::Settings,
    snapshot_bytes: u64,
    shards: NonZero<u32>,
    /// What the wall clock shows.
    wall: u64,
    elapsed: &'static AtomicU64,
    logins: Vec<(u64, usize)>,
    begun: u64,
    events: u64,
    requests: u64,
    /// The request of each event.
    sent: BTreeMap<u128, u64>,
    /// The keys of all events, as they stand in files.
    keys: HashSet<[u8; 16]>,
    acknowledged: BTreeSet<u64>,
    oracle: Oracle,
    found: Found,
}

/// Tables that say nothing but their version.
fn tables(version: &str) -> Arc<Tables> {
    let flows = ["app_qr", "passkey_cda", "magic_link", "unknown"]
        .map(|flow| format!(r#""{flow}": {{"prior": {{}}}}"#));
    let text = format!(r#"{{"version": "{version}", "flows": {{{}}}}}"#, flows.join(", "));
    Arc::new(Tables::from_json(&text).unwrap())
}

/// In memory where the system has such a place: what is to be crashed is not the system's disk.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let directory = directory();
        let store = Arc::new(Mutex::new(Store::open(directory.path()).unwrap()));
        let reopen_window = Millis([5000, 600_000][chance.random_range(0..2)]);
        let stitch = StitchSettings { grace: Millis(1000), reopen_window, ..StitchSettings::default() };
        let settings = engine::Settings { stitch, tables: tables("first"), ..engine::Settings::default() };
        let segment_bytes = chance.random_range(8..64) * 512;
        let disk_bytes = segment_bytes * chance.random_range(8..60);
        let kept = journal::Settings { segment_bytes, disk_bytes, ..journal::Settings::default() };
        let shards = NonZero::new(chance.random_range(1..4)).unwrap();
        Self {
            faults: true,
            disk: Simulated::new(seed),
            store,
            directory,
            oracle: Oracle::new(settings.clone(), shards),
            settings,
            kept,
            snapshot_bytes: chance.random_range(2048..16384),
            shards,
            wall: 1_800_000_000 * SECOND,
            elapsed: Box::leak(Box::default()),
            logins: Vec::new(),
            begun: 0,
            events: 0,
            requests: 0,
            sent: BTreeMap::new(),
            keys: HashSet::new(),
            acknowledged: BTreeSet::new(),
            found: Found::default(),
            chance,
        }
    }

    /// A start; none if the machine or the store failed during it.
    fn start(&mut self) -> Option<Life> {
        self.found.lives += 1;
        self.elapsed.store(0, Ordering::Relaxed);
        let clock = SystemClock::by_hand(UnixNanos(self.wall), self.elapsed);
        let stopping = Arc::new(AtomicBool::new(true));
        let counters = Arc::default();
        let health = Arc::default();
        let fails = u32::from(self.faults && self.chance.random_ratio(1, 12));
        let store = OnMachine {
            store: Arc::clone(&self.store),
            disk: self.disk.clone(),
            chance: ChaCha8Rng::seed_from_u64(self.chance.random()),
            fails,
        };
        let mut sink = Sink {
            store: Some(store),
            counters: Arc::clone(&counters),
            health: Arc::clone(&health),
            stopping: Arc::clone(&stopping),
            waiting: Waiting::default(),
            retention: None,
        };
        let applied = self.store.lock().unwrap().applied().unwrap();
        let onward = &mut Direct(&mut sink);
        let decides = Some(Decides { settings: self.settings.clone(), shards: self.shards });
        let recovered = recover(&self.disk, &self.kept, decides, applied, clock, onward);
        stopping.store(false, Ordering::Relaxed);
        let recovered = match recovered {
            Ok(recovered) => recovered,
            Err(error) => {
                let is_expected = self.disk.has_failed()
                    || fails > 0 && matches!(error, StartError::StoreFails)
                    || self.faults && matches!(error, StartError::Refused(_));
                assert!(is_expected, "{error}");
                return None;
            }
        };
        assert_eq!(recovered.quarantined, 0);
        self.look(Position(u64::MAX));
        assert!(applied <= self.oracle.last(), "the store is never ahead of the journal");
        self.compare();
        let lines = Lines::new(self.shards);
        let (queues, shards) = Shards::new(self.shards, self.chance.random_range(4..64), Arc::clone(&lines));
        let queues = Arc::new(queues);
        let (deliver, deliveries) = sync_channel(MANY);
        let engines = shards.into_iter().enumerate().zip(recovered.engines.into_each());
        let engines = engines.map(|((number, shard), engine)| {
            let judge = Judge {
                engine,
                number,
                deadline: shard.deadline,
                closes: false,
                counters: Arc::clone(&counters),
                clock: None,
                sink: deliver.clone(),
                store: Arc::clone(&lines.store),
                unsent: Unsent::default(),
            };
            Some((judge, shard.queue))
        });
        let engines = engines.collect();
        let writer = Writer {
            journal: recovered.journal,
            clock: recovered.clock,
            shards: Arc::clone(&queues),
            admission: Admission::new(usize::MAX, usize::MAX),
            counters: Arc::clone(&counters),
            health,
            settings: self.settings.clone(),
            gone: false,
            log: Log::none(),
            retention: Millis(DAY / 1_000_000),
            forgetting: Forgetting {
                shards: Arc::clone(&queues),
                secret: Secret::PUBLIC,
                store: None,
                counters: Arc::clone(&counters),
                unreached: Unreached::default(),
            },
            unfinished: recovered.unfinished,
            noted: None,
            snapshots: Snapshots::every(self.snapshot_bytes),
        };
        let (jobs, waiting) = jobs();
        Some(Life { writer, jobs, waiting, engines, sink, deliveries, snapshot: None, answers: Vec::new() })
    }

    /// One life with its faults, up to a stop in whatever step.
    pub fn live(&mut self) {
        if self.chance.random_ratio(3, 4) {
            let stop = self.chance.random_range(1..150);
            self.disk.stop_after(stop);
        }
        match self.chance.random_range(0..6) {
            0 => self.disk.fail_sync_after(self.chance.random_range(0..40)),
            1 => self.disk.set_room(self.chance.random_range(0..self.kept.disk_bytes as usize)),
            _ => {}
        }
        let turns = self.chance.random_range(10..250);
        self.live_until(None, turns);
    }

    /// One life of so many turns, unless the machine stops before; gives its steps.
    pub fn live_until(&mut self, stop: Option<u64>, turns: u32) -> u64 {
        if let Some(stop) = stop {
            self.disk.stop_after(stop);
        }
        let Some(mut life) = self.start() else { return self.disk.steps() };
        for _ in 0..turns {
            if self.disk.has_stopped() {
                break;
            }
            self.turn(&mut life);
            self.hear(&mut life);
        }
        assert_eq!(life.writer.counters.lost.get(), 0, "nothing is given up before a stop");
        if self.chance.random_ratio(1, 4) && !self.disk.has_stopped() {
            life.write();
            self.look(life.writer.journal.committed());
            life.stop();
        }
        self.hear(&mut life);
        self.found.snapshots += life.writer.counters.snapshots.get();
        self.disk.steps()
    }

    fn turn(&mut self, life: &mut Life) {
        match self.chance.random_range(0..24) {
            0..6 => {
                for _ in 0..self.chance.random_range(1..4) {
                    self.send(life);
                }
            }
            6..11 => life.write(),
            11..16 => {
                let number = self.chance.random_range(0..life.engines.len());
                life.judge(number, self.chance.random_range(1..8));
            }
            16..19 => drop(life.store(self.chance.random_range(1..8))),
            19 | 20 => {
                let longest =
                    [SECOND / 10, 3 * SECOND, 200 * SECOND, 2 * DAY][self.chance.random_range(0..30) / 9];
                let passed = self.chance.random_range(1..longest);
                self.pass(passed);
                life.jobs.try_send(Job::Tick).unwrap();
            }
            21 => {
                // What it lets go is known before.
                if !self.disk.has_stopped() && life.snapshot.is_some() {
                    self.look(life.writer.journal.committed());
                }
                life.end_snapshot();
            }
            22 => {
                if let Some(store) = life.sink.store.as_mut().filter(|_| self.faults) {
                    store.fails = self.chance.random_range(0..4);
                }
            }
            _ => match self.chance.random_range(0..12) {
                0 if self.faults => {
                    let number = self.chance.random_range(0..life.engines.len());
                    life.engines[number] = None;
                }
                1 => self.change(life),
                _ => {}
            },
        }
    }

    /// Other tables decide from here on.
    fn change(&mut self, life: &mut Life) {
        life.write();
        if !life.settle() {
            return;
        }
        let version = ["first", "second", "third"][self.chance.random_range(0..3)];
        let settings = engine::Settings { tables: tables(version), ..self.settings.clone() };
        let (answer, _heard) = oneshot::channel();
        life.jobs.try_send(Job::Settings(settings, answer)).unwrap();
        life.write();
    }

    /// Time goes by.
    fn pass(&mut self, nanoseconds: u64) {
        self.wall += nanoseconds;
        self.elapsed.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Somebody sends the next steps of some logins.
    fn send(&mut self, life: &mut Life) {
        let mut events = Vec::new();
        for _ in 0..self.chance.random_range(1..4) {
            if self.logins.len() < 3 || self.chance.random_ratio(1, 3) {
                self.logins.push((self.begun, 0));
                self.begun += 1;
            }
            let place = self.chance.random_range(0..self.logins.len());
            let (login, step) = self.logins[place];
            events.push(self.step_of(login, step));
            if step == 4 || self.chance.random_ratio(1, 10) {
                self.logins.swap_remove(place);
            } else {
                self.logins[place].1 += 1;
            }
        }
        let passed = self.chance.random_range(1..SECOND / 5);
        self.pass(passed);
        self.requests += 1;
        self.sent.extend(events.iter().map(|event| (event.identity.0, self.requests)));
        let charge = life.writer.admission.enter().unwrap().charge();
        let (answer, heard) = oneshot::channel();
        let ticket = Line::new().enter(1);
        life.jobs.try_send(Job::Append(Append { events, charge, answer, ticket })).unwrap();
        life.answers.push((self.requests, heard));
    }

    /// A step of a login. Of one login in five the two devices have one key each until a code joins them.
    fn step_of(&mut self, login: u64, step: usize) -> AuthEvent {
        let last = if login.is_multiple_of(3) { WebauthnFailed } else { SessionEstablished };
        let name = [ChallengeCreated, QrShown, QrScanned, ConfirmationCompleted, last][step];
        let realm = format!("realm-{}", login % 7);
        self.events += 1;
        let mut event = event(name, UnixNanos(self.wall), self.events);
        event.realm = Realm::bounded(&realm);
        let mut key = |kind, name: &str| {
            let key = Secret::PUBLIC.key(&realm, kind, &format!("{name}-{login:08}"));
            self.keys.extend(key.map(|key| key.get().to_le_bytes()));
            key
        };
        let is_split = login.is_multiple_of(5);
        if !is_split || step >= 2 {
            event.keys.journey = key(KeyKind::Journey, "journey");
        }
        if is_split && step < 2 {
            event.keys.challenge = key(KeyKind::Challenge, "challenge");
        }
        if is_split && (step == 1 || step == 3) {
            event.keys.code = key(KeyKind::Code, "code");
        }
        event
    }

    /// Hears the answers that came.
    fn hear(&mut self, life: &mut Life) {
        life.answers.retain_mut(|(request, answer)| match answer.try_recv() {
            Ok(Ok(())) => {
                self.acknowledged.insert(*request);
                false
            }
            Ok(Err(_)) | Err(oneshot::error::TryRecvError::Closed) => false,
            Err(oneshot::error::TryRecvError::Empty) => true,
        });
    }

    /// The machine ends and starts again; its wall clock may have gone back.
    pub fn restart(&mut self, crash: Crash) {
        self.found.crashes += u64::from(self.disk.has_stopped());
        self.disk = self.disk.restart(crash);
        if self.faults && self.chance.random_ratio(1, 4) {
            self.jump_back();
        }
    }

    /// The wall clock goes back an hour.
    pub const fn jump_back(&mut self) {
        self.wall -= HOUR;
    }

    /// When the last record that the oracle knows was received.
    pub const fn received(&self) -> UnixNanos {
        self.oracle.received()
    }

    /// Learns what the journal holds up to a position: what it promised, or has after a restart.
    fn look(&mut self, last: Position) {
        let opened = Journal::open(self.disk.copy(), self.kept.clone(), Stamp::default());
        let (_journal, recovery) = opened.unwrap();
        assert_eq!((recovery.report.damaged_parts, recovery.report.lost), (0, 0));
        let entries = recovery.entries.map(Result::unwrap);
        self.oracle.learn(entries.take_while(|entry| entry.position() <= last).collect());
    }

    /// Compares what was acknowledged and what is stored with what should be.
    fn compare(&self) {
        let mut taken: BTreeMap<u64, u64> = BTreeMap::new();
        for (event, times) in &self.oracle.events {
            assert_eq!(*times, 1, "an event is taken twice");
            *taken.entry(*self.sent.get(event).expect("nothing is taken that was not sent")).or_default() +=
                1;
        }
        for request in &self.acknowledged {
            assert!(taken.contains_key(request), "request {request} was acknowledged and is lost");
        }
        let mut whole: BTreeMap<u64, u64> = BTreeMap::new();
        self.sent.values().for_each(|request| *whole.entry(*request).or_default() += 1);
        assert!(taken.iter().all(|(request, events)| whole[request] == *events), "a request is whole");
        let reader = Reader::open(self.directory.path(), line).unwrap();
        let stored: Vec<_> = reader.lines().unwrap().map(Result::unwrap).collect();
        self.oracle.check(&stored);
    }

    /// How many keys of events stand in files of the journal.
    pub fn keys_in_journal(&self) -> u64 {
        let files = self.disk.names().into_iter().map(|name| self.disk.content(&name));
        let keys = |file: Vec<u8>| {
            let keys = file.array_windows().filter(|bytes| self.keys.contains(*bytes)).copied();
            keys.collect::<Vec<_>>()
        };
        files.flat_map(keys).collect::<HashSet<_>>().len() as u64
    }

    /// Time goes by in which nothing comes but a tick.
    fn pause(&mut self, life: &mut Life, nanoseconds: u64) {
        self.pass(nanoseconds);
        life.jobs.try_send(Job::Tick).unwrap();
        self.look(Position(u64::MAX));
        life.write();
        self.look(Position(u64::MAX));
        assert!(life.settle());
        life.end_snapshot();
    }

    /// So many lives without faults in which nothing comes; before each the machine stands still for so long, and it is cut
    /// off after a minute.
    pub fn stand_still(&mut self, lives: u32, nanoseconds: u64) {
        self.faults = false;
        for _ in 0..lives {
            self.disk = self.disk.restart(Crash::Killed);
            self.wall += nanoseconds;
            let mut life = self.start().expect("nothing keeps it from starting");
            for _ in 0..4 {
                self.pause(&mut life, 20 * SECOND);
            }
        }
    }

    /// A last life without faults, in which all that is open closes and leaves the journal.
    pub fn end(mut self) -> Found {
        self.faults = false;
        let mut life = self.start().expect("nothing keeps it from starting");
        let held = self.keys_in_journal();
        for day in 0..6 {
            let since = self.oracle.received().0.saturating_sub(self.wall);
            self.pause(&mut life, DAY + since);
            if day == 2 {
                self.look(Position(u64::MAX));
                self.compare();
            }
        }
        assert_eq!(self.keys_in_journal(), 0, "days after the last event its keys are in a file");
        self.found.held += held;
        let (journeys, merged) = self.oracle.counts();
        self.found +=
            Found { journeys, merged, acknowledged: self.acknowledged.len() as u64, ..Found::default() };
        self.found
    }
}
