//! Throughput of each stage of the way of the data, on one core. Figures, never assertions.

use std::hint::black_box;

use authstitch_benches::{encoded, events, records, requests};
use authstitch_classify::{Tables, classify};
use authstitch_engine::{Effect, Engine, Settings};
use authstitch_model::{Completeness, Journey, RecordBody, Secret};
use authstitch_otlp::{Encoding, Mapping};
use authstitch_simulate::{Simulation, World};
use authstitch_stitch::Stitcher;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const ATTEMPTS: u64 = 2000;

/// OTLP bytes → events, by span or log record.
fn decoding(criterion: &mut Criterion) {
    let requests = requests(ATTEMPTS);
    let spans = requests.iter().map(|request| request.records as u64).sum();
    let mapping = Mapping::new(Secret::PUBLIC);
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(spans)).sample_size(10);
    for (name, encoding) in [("protobuf", Encoding::Protobuf), ("json", Encoding::Json)] {
        let requests = encoded(&requests, encoding);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                requests
                    .iter()
                    .map(|request| events(black_box(request), encoding, &mapping).len())
                    .sum::<usize>()
            });
        });
    }
    group.finish();
}

/// Events → journeys, and events → verdicts, by event.
fn judging(criterion: &mut Criterion) {
    let records = records(&encoded(&requests(ATTEMPTS), Encoding::Protobuf));
    let count = |body: &RecordBody| match body {
        RecordBody::Events(events) => events.len() as u64,
        RecordBody::Tick => 0,
    };
    let mut group = criterion.benchmark_group("events");
    group
        .throughput(Throughput::Elements(records.iter().map(|record| count(&record.body)).sum()))
        .sample_size(10);
    group.bench_function("stitch", |bencher| {
        bencher.iter_batched(
            || records.clone(),
            |records| {
                let (mut stitcher, mut changes) = (Stitcher::default(), Vec::new());
                for record in records {
                    stitcher.advance(record.received, &mut changes);
                    if let RecordBody::Events(events) = record.body {
                        events.iter().for_each(|event| stitcher.accept(record.received, event, &mut changes));
                    }
                }
                changes
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("stitch and classify", |bencher| {
        bencher.iter_batched(
            || records.clone(),
            |records| {
                let (mut engine, mut effects) = (Engine::new(Settings::default()), Vec::new());
                records.into_iter().for_each(|record| engine.step(record, &mut effects));
                effects
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// Journey → verdict.
fn classifying(criterion: &mut Criterion) {
    let (mut engine, mut effects) = (Engine::new(Settings::default()), Vec::new());
    records(&encoded(&requests(ATTEMPTS), Encoding::Protobuf))
        .into_iter()
        .for_each(|record| engine.step(record, &mut effects));
    while engine.shut_down(&mut effects) {}
    let journeys: Vec<Journey> = effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Judged(judged) => Some(judged.journey),
            Effect::Merged { .. } => None,
        })
        .collect();
    let (tables, completeness) = (Tables::shipped(), Completeness::default());
    let mut group = criterion.benchmark_group("journeys");
    group.throughput(Throughput::Elements(journeys.len() as u64));
    group.bench_function("classify", |bencher| {
        bencher.iter(|| {
            for journey in &journeys {
                black_box(classify(black_box(journey), &completeness, &tables));
            }
        });
    });
    group.finish();
}

/// World → requests, by attempt.
fn simulating(criterion: &mut Criterion) {
    let text = World::shipped("baseline").unwrap_or_default();
    let Ok(world) = World::from_yaml(text) else { return };
    let simulation = Simulation::new(world, 1);
    let mut group = criterion.benchmark_group("simulate");
    group.throughput(Throughput::Elements(8)).sample_size(20);
    let mut number = 0;
    group.bench_function("a block of attempts", |bencher| {
        bencher.iter(|| {
            number += 1;
            simulation.block(number)
        });
    });
    group.finish();
}

criterion_group!(stages, decoding, judging, classifying, simulating);
criterion_main!(stages);
