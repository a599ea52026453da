//! Journey → verdict on one core: throughput, and the time of single classifications. Figures, never assertions.

#![expect(clippy::disallowed_methods, reason = "a stopwatch")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use authstitch_benches::journeys;
use authstitch_classify::{Tables, classify};
use authstitch_model::{Completeness, Journey, Phase};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hdrhistogram::Histogram;

const ATTEMPTS: u64 = 2000;

/// How often a journey is put on the clock. Its shortest time counts, for what is longer is the machine's.
const TRIES: usize = 50;

/// Whether a session decides the verdict, so that nothing has to be weighed.
fn is_established(journey: &Journey, tables: &Tables) -> bool {
    let verdict = classify(journey, &Completeness::default(), tables);
    verdict.phases[Phase::Established.index()].is_some_and(|phase| phase.at.is_some())
}

/// Journeys a second: all, those that a session decides, and those whose evidence is weighed.
fn throughput(criterion: &mut Criterion) {
    let (tables, completeness) = (Tables::shipped(), Completeness::default());
    let all = journeys(ATTEMPTS);
    let (decided, weighed): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|journey| is_established(journey, &tables));
    let mut group = criterion.benchmark_group("classify");
    for (name, journeys) in [("all", &all), ("decided by a session", &decided), ("weighed", &weighed)] {
        group.throughput(Throughput::Elements(journeys.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for journey in journeys {
                    black_box(classify(black_box(journey), &completeness, &tables));
                }
            });
        });
    }
    group.finish();
}

/// Prints how long single classifications take: of a journey that was just classified, and in turn with all
/// others, so that its events come from further away.
fn single(_: &mut Criterion) {
    let (tables, completeness) = (Tables::shipped(), Completeness::default());
    let journeys = journeys(ATTEMPTS);
    let time = |journey: &Journey| {
        let begin = Instant::now();
        black_box(classify(black_box(journey), &completeness, &tables));
        begin.elapsed()
    };
    let shortest = |times: &mut dyn Iterator<Item = Duration>| times.min().unwrap_or_default();
    let again = journeys.iter().map(|journey| shortest(&mut (0..TRIES).map(|_| time(journey))));
    print("again", again.collect());
    let mut in_turn = vec![Duration::MAX; journeys.len()];
    for _ in 0..TRIES {
        for (shortest, journey) in in_turn.iter_mut().zip(&journeys) {
            *shortest = time(journey).min(*shortest);
        }
    }
    print("in turn", in_turn);
    let clock = (0..journeys.len()).map(|_| shortest(&mut (0..TRIES).map(|_| Instant::now().elapsed())));
    print("nothing, the clock alone", clock.collect());
}

fn print(name: &str, times: Vec<Duration>) {
    let Ok(mut histogram) = Histogram::<u64>::new(3) else { return };
    for time in times {
        histogram.saturating_record(time.as_nanos() as u64);
    }
    let at = |share| histogram.value_at_quantile(share);
    println!(
        "one classification, {name}: p50 {} ns, p90 {} ns, p99 {} ns, max {} ns",
        at(0.5),
        at(0.9),
        at(0.99),
        histogram.max()
    );
}

criterion_group!(benches, throughput, single);
criterion_main!(benches);
