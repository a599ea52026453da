//! Events → the journal: taking a request into the batch, reading a segment, and commits that wait for the disk on which the
//! build directory lies. Figures, never assertions.

#![expect(clippy::disallowed_methods, reason = "a stopwatch")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use authstitch_benches::fixed;
use authstitch_journal::{Body, Directory, Disk, Durability, Journal, Settings, Stamp, read_entries, walk};
use authstitch_model::ids::Text;
use authstitch_model::{AuthEvent, Position, Secret, UnixNanos};
use authstitch_otlp::{Encoding, Mapping, Signal, decode};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};

const LOGINS: u64 = 20;
const REQUESTS: u64 = 50;

/// When the requests arrive.
const NOW: UnixNanos = UnixNanos(fixed::EPOCH_NS + 15_000_000_000);

fn requests() -> Vec<Vec<AuthEvent>> {
    let mapping = Mapping::new(Secret::PUBLIC);
    let events = |request: u64| {
        let mut events = Vec::new();
        let bytes = fixed::request(request * LOGINS, LOGINS, 0);
        decode(Signal::Traces, Encoding::Protobuf, &bytes, &mapping, &mut events)
            .expect("our own requests are well-formed");
        events
    };
    (0..REQUESTS).map(events).collect()
}

fn open(directory: &Path, durability: Durability) -> Journal<Directory> {
    let settings = Settings { durability, ..Settings::default() };
    let disk = Directory::open(directory, durability).expect("a directory of the build can be opened");
    Journal::open(disk, settings, Stamp::default()).expect("a journal there, too").0
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build directory can be written to")
}

/// Commits, and frees what was written.
fn commit<D: Disk>(journal: &mut Journal<D>) {
    let position = journal.commit().expect("the disk works");
    if journal.segments() > 2 {
        for back in [1, 0] {
            journal.snapshot(Position(position.0 - back), &[]).expect("the disk works");
        }
        journal.release(position).expect("the disk works");
    }
}

/// A segment that holds just these requests, a frame each.
fn one_segment(requests: &[Vec<AuthEvent>]) -> Vec<u8> {
    let directory = directory();
    let mut journal = open(directory.path(), Durability::Os);
    for events in requests {
        journal.append(NOW, Body::Events(events)).expect("there is room");
        journal.commit().expect("the disk works");
    }
    drop(journal);
    // Opened once more it is cut to what it holds.
    drop(open(directory.path(), Durability::Os));
    std::fs::read(directory.path().join("segment-0000000000000001")).expect("it was there")
}

/// Requests of a hundred events into the batch, and back from the bytes of a segment.
fn codec(criterion: &mut Criterion) {
    let requests = requests();
    let events = requests.iter().map(Vec::len).sum::<usize>();
    let directory = directory();
    let mut journal = open(directory.path(), Durability::Os);
    let mut bytes = 0;
    let mut group = criterion.benchmark_group("journal");
    group.throughput(Throughput::Elements(events as u64));
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    group.bench_function("append", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut time = Duration::ZERO;
            for _ in 0..rounds {
                let begin = Instant::now();
                for events in &requests {
                    journal.append(NOW, Body::Events(black_box(events))).expect("there is room");
                }
                time += begin.elapsed();
                bytes = journal.waiting_bytes();
                commit(&mut journal);
            }
            time
        });
    });
    println!("{:.1} bytes an event", bytes as f64 / events as f64);
    group.bench_function("read", |bencher| {
        let segment = one_segment(&requests);
        bencher.iter(|| {
            for (header, entries) in walk(black_box(&segment), 1, Position(0), None).frames {
                let read = read_entries(&segment[entries], header.entries, header.first, header.received);
                assert!(black_box(read).is_ok());
            }
        });
    });
    group.finish();
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Prints commits a second and the processor time of one, by their size: of settings of that size, for the disk alone,
/// and of as many requests as fit into it.
fn commits(_: &mut Criterion) {
    let requests = requests();
    for durability in [Durability::Fsync, Durability::Os] {
        for size in [4 << 10, 64 << 10, 1 << 20] {
            let directory = directory();
            let mut journal = open(directory.path(), durability);
            journal.make_ready().expect("there is room");
            let (kind, setting) = (Text::from("filler"), vec![7; size - 128]);
            let mut measure = |name: &str, fill: &mut dyn FnMut(&mut Journal<Directory>)| {
                let (mut count, begin, processor) = (0, Instant::now(), processor_time());
                while begin.elapsed() < Duration::from_secs(2) {
                    fill(&mut journal);
                    commit(&mut journal);
                    count += 1;
                }
                let (time, processor) = (begin.elapsed(), processor_time() - processor);
                println!(
                    "{durability:?}, {} KiB of {name}: {:.0} commits a second, {:.1} µs of processor time each",
                    size >> 10,
                    f64::from(count) / time.as_secs_f64(),
                    processor.as_secs_f64() * 1e6 / f64::from(count),
                );
            };
            measure("filler", &mut |journal| {
                journal.append(NOW, Body::Setting { kind: &kind, bytes: &setting }).expect("there is room");
            });
            let mut next = requests.iter().cycle();
            measure("requests", &mut |journal| {
                while journal.waiting_bytes() < size.saturating_sub(8192) || journal.waiting_bytes() == 0 {
                    let request = next.next().expect("it goes round");
                    journal.append(NOW, Body::Events(request)).expect("there is room");
                }
            });
        }
    }
}

// The disk comes first: the other half fills its queues.
criterion_group!(benches, commits, codec);
criterion_main!(benches);
