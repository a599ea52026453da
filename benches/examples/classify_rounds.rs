//! For profilers: classifies the journeys of a simulated world so many times.
use std::hint::black_box;

use authstitch_benches::{encoded, records, requests};
use authstitch_classify::{Tables, classify};
use authstitch_engine::{Effect, Engine, Settings};
use authstitch_model::{Completeness, Journey, Outcome};
use authstitch_otlp::Encoding;

fn main() {
    let rounds: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let only = std::env::args().nth(2).unwrap_or_default();
    let (mut engine, mut effects) = (Engine::new(Settings::default()), Vec::new());
    records(&encoded(&requests(500), Encoding::Protobuf))
        .into_iter()
        .for_each(|record| engine.step(record, &mut effects));
    engine.shut_down(&mut effects);
    let mut journeys: Vec<Journey> = effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Judged(judged) => Some(judged),
            Effect::Merged { .. } => None,
        })
        .filter(|judged| match only.as_str() {
            "won" => judged.verdict.outcome() == Outcome::Succeeded,
            "lost" => judged.verdict.outcome() != Outcome::Succeeded,
            _ => true,
        })
        .map(|judged| judged.journey)
        .collect();
    let (tables, completeness) = (Tables::shipped(), Completeness::default());
    let mut times = Vec::new();
    journeys.shrink_to_fit();
    for _ in 0..rounds {
        let begin = std::time::Instant::now();
        for journey in &journeys {
            black_box(classify(black_box(journey), &completeness, &tables));
        }
        times.push(begin.elapsed().as_nanos() as f64 / journeys.len() as f64);
    }
    times.sort_by(f64::total_cmp);
    let events: usize = journeys.iter().map(|journey| journey.events.len()).sum();
    eprintln!(
        "{} journeys {} events; {} bytes a JourneyEvent; min {:?} ns",
        journeys.len(),
        events,
        size_of::<authstitch_model::JourneyEvent>(),
        times.first()
    );
    if only != "each" {
        return;
    }
    // Each journey alone, warm: the minimum of many runs, and the clock's own cost.
    let mut clock: Vec<u64> = (0..10_000)
        .map(|_| {
            let begin = std::time::Instant::now();
            begin.elapsed().as_nanos() as u64
        })
        .collect();
    clock.sort_unstable();
    let own = clock[5000];
    let mut each: Vec<u64> = journeys
        .iter()
        .map(|journey| {
            (0..50)
                .map(|_| {
                    let begin = std::time::Instant::now();
                    black_box(classify(black_box(journey), &completeness, &tables));
                    begin.elapsed().as_nanos() as u64
                })
                .min()
                .unwrap_or(0)
                .saturating_sub(own)
        })
        .collect();
    each.sort_unstable();
    let at = |share: f64| each[((each.len() - 1) as f64 * share) as usize];
    eprintln!(
        "clock {own} ns; warm p10 {} p50 {} p80 {} p90 {} p99 {} max {}",
        at(0.1),
        at(0.5),
        at(0.8),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}
