//! The simulator's throughput, world → encoded requests, in spans and log records on one core: attempt by
//! attempt, and from a pool of templates. Figures, never assertions.

use std::hint::black_box;
use std::sync::Arc;

use authstitch_simulate::{Load, Pool, Schedule, Share, Simulation, Throng, World};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ATTEMPTS: u64 = 4000;
const POOL: u64 = 1000;
const RECORDS: usize = 4096;

fn baseline() -> Simulation {
    let world = World::shipped("baseline").and_then(|text| World::from_yaml(text).ok());
    Simulation::new(world.expect("the shipped world is read by its own tests"), 1)
}

fn exact(criterion: &mut Criterion) {
    let requests = || Schedule::new(baseline(), 0..ATTEMPTS);
    let mut group = criterion.benchmark_group("world to bytes");
    group
        .throughput(Throughput::Elements(requests().map(|request| request.records as u64).sum()))
        .sample_size(10);
    group.bench_function("exact", |bencher| {
        bencher.iter(|| requests().map(|request| black_box(request.encode_protobuf()).len()).sum::<usize>());
    });
    group.finish();
}

fn templates(criterion: &mut Criterion) {
    let load = baseline().under(Load::Constant { rate: 100_000.0 });
    let pool = Arc::new(Pool::new(&load, POOL));
    let requests = || Throng::new(Arc::clone(&pool), load.clone(), 0..20 * ATTEMPTS, Share::WHOLE, RECORDS);
    let mut group = criterion.benchmark_group("world to bytes");
    group
        .throughput(Throughput::Elements(requests().map(|request| request.records as u64).sum()))
        .sample_size(10);
    group.bench_function("templates", |bencher| {
        bencher.iter(|| requests().map(|request| black_box(request.bytes).len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(simulate, exact, templates);
criterion_main!(simulate);
