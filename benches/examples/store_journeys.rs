//! What it costs to store a journey: microseconds of processor time each, bytes each, and journeys a second, with N
//! stored before.
//!
//! ```text
//! cargo run --release -p authstitch-benches --example store_journeys -- 1000000
//! ```
//!
//! Journeys of five spans and four keys, as `authstitch_benches::fixed` makes them, are judged and stored in
//! transactions as large as those of a service under load. The rate is by the wall clock, over the storing alone.
//! Then one is forgotten, and all are retired, in pieces as large as the service's. Figures, never assertions.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use authstitch_benches::fixed;
use authstitch_engine::{Effect, Engine, Settings, line};
use authstitch_model::{Forget, Position, Record, RecordBody, Secret, UnixNanos};
use authstitch_otlp::{Encoding, Mapping, Signal, decode};
use authstitch_store::{Change, Reader, Store};

/// Journeys that are measured.
const MEASURED: u64 = 200_000;

/// Logins of a request.
const LOGINS: u64 = 20;

/// Changes of a transaction, as many as the service puts into one.
const BATCH: usize = 8192;

/// Journeys that are retired at once, as many as the service does.
const RETIRED_AT_ONCE: usize = 4096;

fn main() {
    let before = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(0u64);
    let directory = std::env::temp_dir().join(format!("store_journeys.{}", std::process::id()));
    let mut run = Run::new(&directory);
    run.store(0..before);
    let (bytes, _) = (size(&directory), std::mem::take(&mut run.spent));
    run.store(before..before + MEASURED);
    run.report(before, size(&directory) - bytes);
    run.forget(&directory);
    run.retire(&directory);
    drop(run);
    fs::remove_dir_all(&directory).expect("the directory is ours");
}

/// Where the time went.
#[derive(Debug, Default)]
struct Spent {
    stored: u64,
    changing: u64,
    applying: u64,
    wall: Duration,
}

struct Run {
    mapping: Mapping,
    engine: Engine,
    store: Store,
    spent: Spent,
    effects: Vec<Effect>,
    position: Position,
}

impl Run {
    fn new(directory: &Path) -> Self {
        Self {
            mapping: Mapping::new(Secret::PUBLIC),
            engine: Engine::new(Settings::default()),
            store: Store::open(directory).expect("a new store"),
            spent: Spent::default(),
            effects: Vec::new(),
            position: Position::default(),
        }
    }

    /// Judges and stores these logins.
    fn store(&mut self, logins: std::ops::Range<u64>) {
        for first in logins.clone().step_by(LOGINS as usize) {
            let count = LOGINS.min(logins.end - first);
            self.position.0 += 1;
            let mut events = Vec::new();
            let bytes = fixed::request(first, count, 0);
            decode(Signal::Traces, Encoding::Protobuf, &bytes, &self.mapping, &mut events)
                .expect("our own requests are well-formed");
            let received = UnixNanos(fixed::EPOCH_NS + first * 1_000_000);
            let record = Record { position: self.position, received, body: RecordBody::Events(events) };
            self.engine.step(record, &mut self.effects);
            if self.effects.len() >= BATCH {
                self.apply();
            }
        }
        while self.engine.shut_down(&mut self.effects) {}
        self.apply();
    }

    #[expect(clippy::disallowed_methods, reason = "a rate is measured by the clock")]
    fn apply(&mut self) {
        let (began, wall) = (processor_time(), Instant::now());
        let changes: Vec<Change> = self.effects.drain(..).map(change).collect();
        let changed = processor_time();
        self.store.apply(&changes, self.position).expect("the disk is not full");
        self.spent.stored += changes.len() as u64;
        drop(changes);
        self.spent.changing += changed - began;
        self.spent.applying += processor_time() - changed;
        self.spent.wall += wall.elapsed();
    }

    /// Forgets one journey by a key of it.
    #[expect(clippy::disallowed_methods, reason = "it is measured by the clock")]
    fn forget(&mut self, directory: &Path) {
        let reader = Reader::open(directory, line).expect("the store that was made");
        let journey = reader.lines().expect("it is read").next().expect("one is stored").expect("it is read");
        let mut what = Forget { journeys: [journey.journey_id].into(), ..Forget::default() };
        drop(reader);
        let wall = Instant::now();
        self.store.recall(&mut what).expect("it is read");
        let found = wall.elapsed();
        let count = self.store.forget(&what).expect("nobody reads");
        println!("{count} forgotten: found in {found:.1?}, erased after {:.1?}", wall.elapsed());
    }

    /// Retires all.
    #[expect(clippy::disallowed_methods, reason = "it is measured by the clock")]
    fn retire(&mut self, directory: &Path) {
        let (before, began) = (size(directory), processor_time());
        let (mut retired, mut longest) = (0, Duration::ZERO);
        loop {
            let wall = Instant::now();
            let count =
                self.store.retire(UnixNanos(u64::MAX), RETIRED_AT_ONCE).expect("the disk is not full");
            longest = longest.max(wall.elapsed());
            retired += count;
            if count == 0 {
                break;
            }
        }
        let micros = (processor_time() - began) as f64 / 1000.0 / retired as f64;
        println!(
            "{retired} retired: {micros:.2} µs each, {longest:.0?} the longest piece; {before} bytes before, {} after",
            size(directory)
        );
    }

    fn report(&self, before: u64, bytes: u64) {
        let Spent { stored, changing, applying, wall } = self.spent;
        let micros = |nanos: u64| nanos as f64 / stored as f64 / 1000.0;
        println!(
            "{stored} journeys into a store of {before}: {:.2} µs each to make, {:.2} µs to store; {} bytes each; \
             {:.0} a second",
            micros(changing),
            micros(applying),
            bytes / stored,
            stored as f64 / wall.as_secs_f64()
        );
    }
}

fn change(effect: Effect) -> Change {
    match effect {
        Effect::Judged(judged) => Change::Put(judged),
        Effect::Merged { journey, revision, into } => Change::Remove { journey, revision, into },
    }
}

/// Bytes of the database and its log.
fn size(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

fn processor_time() -> u64 {
    let schedstat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}
