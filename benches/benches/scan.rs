//! OTLP bytes → events on one core: requests of one hundred spans of 489 bytes with ten attributes. Figures,
//! never assertions.

use std::hint::black_box;

use authstitch_benches::fixed;
use authstitch_model::Secret;
use authstitch_otlp::{Encoding, Mapping, Signal, decode};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const REQUESTS: u64 = 50;
const LOGINS: u64 = 20;

fn scanning(criterion: &mut Criterion) {
    let mapping = Mapping::new(Secret::PUBLIC);
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(REQUESTS * LOGINS * fixed::SPANS_PER_LOGIN as u64));
    for (name, foreign) in [("every span relevant", 0), ("95 % unrelated", 95)] {
        let requests: Vec<_> =
            (0..REQUESTS).map(|number| fixed::request(number * LOGINS, LOGINS, foreign)).collect();
        let mut events = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for request in &requests {
                    events.clear();
                    let tally =
                        decode(Signal::Traces, Encoding::Protobuf, black_box(request), &mapping, &mut events);
                    black_box(&tally);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(scan, scanning);
criterion_main!(scan);
