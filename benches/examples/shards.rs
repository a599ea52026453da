//! Realms on shards: how fast one and two engines, each on a thread of its own, take the logins of one and two
//! realms, and what an event costs.
//!
//! ```text
//! cargo run --release -p authstitch-benches --example shards
//! ```
//!
//! Half a million logins of five spans, decoded before, in records of a hundred, a millisecond apart: they are
//! stitched, judged ten seconds after they ended, and forgotten two minutes later. The engines' threads take what is
//! made beforehand, so the clock shows them alone; on a machine with fewer cores than shards it shows the machine.
//! Figures, never assertions.

use std::num::NonZero;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use authstitch_benches::fixed;
use authstitch_engine::{Engine, Settings, shard_of};
use authstitch_model::{Millis, Position, Realm, Record, RecordBody, Secret, UnixNanos};
use authstitch_otlp::{Encoding, Mapping, Signal, decode};

const RECORDS: u64 = 25_000;

/// Logins of a record.
const LOGINS: u64 = 20;

/// Records that wait for an engine.
const WAITING: usize = 64;

fn main() {
    println!(
        "| realms | shards | events/s by the clock | ns of processor time an event |\n|---|---|---|---|"
    );
    for realms in [1, 2] {
        for shards in [1, 2] {
            let (seconds, processor) = measured(realms, NonZero::new(shards).expect("not zero"));
            let events = RECORDS * LOGINS * fixed::SPANS_PER_LOGIN as u64;
            println!(
                "| {realms} | {shards} | {:.2} M | {:.0} |",
                events as f64 / seconds / 1e6,
                processor as f64 / events as f64
            );
        }
    }
}

/// Seconds by the clock, and nanoseconds of the engines' processor time.
#[expect(clippy::disallowed_methods, reason = "the clock is what is measured")]
fn measured(realms: u64, shards: NonZero<u32>) -> (f64, u64) {
    // Two realms that two shards share between them.
    let names = ["default", "shop-us"].map(Realm::bounded);
    let mapping = Mapping::new(Secret::PUBLIC);
    let records: Vec<(usize, Record)> = (0..RECORDS)
        .map(|number| {
            let realm = &names[(number % realms) as usize];
            let mut events = Vec::new();
            let request = fixed::request(number * LOGINS, LOGINS, 0);
            decode(Signal::Traces, Encoding::Protobuf, &request, &mapping, &mut events)
                .expect("requests of our own");
            events.iter_mut().for_each(|event| event.realm = realm.clone());
            let received = UnixNanos(fixed::EPOCH_NS).plus(Millis(10_000 + number));
            let body = RecordBody::Events(events);
            (shard_of(realm, shards) as usize, Record { position: Position(number + 1), received, body })
        })
        .collect();
    let end = UnixNanos(fixed::EPOCH_NS).plus(Millis::from_mins(60));
    let began = Instant::now();
    let processor = thread::scope(|scope| {
        let (queues, engines): (Vec<_>, Vec<_>) = (0..shards.get())
            .map(|_| {
                let (queue, waiting) = sync_channel::<Record>(WAITING);
                let run = move || {
                    let (mut engine, mut effects) = (Engine::new(Settings::default()), Vec::new());
                    for record in waiting {
                        engine.step(record, &mut effects);
                        effects.clear();
                    }
                    let tick =
                        Record { position: Position(RECORDS + 1), received: end, body: RecordBody::Tick };
                    engine.step(tick, &mut effects);
                    processor_time()
                };
                (queue, scope.spawn(run))
            })
            .unzip();
        for (shard, record) in records {
            queues[shard].send(record).expect("the engine takes all");
        }
        drop(queues);
        engines.into_iter().map(|engine| engine.join().expect("no engine panics")).sum()
    });
    (began.elapsed().as_secs_f64(), processor)
}

/// Of this thread, in nanoseconds.
fn processor_time() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}
