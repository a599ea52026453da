//! For profilers: classifies the journeys of a simulated world so many times, all of them or only those whose end is
//! `established` or `open`.
//!
//! Instructions a classification, as the difference of two runs over 100 rounds:
//! `valgrind --tool=callgrind --toggle-collect=authstitch_classify::classify classify_rounds 101 established`

use std::hint::black_box;

use authstitch_benches::journeys;
use authstitch_classify::{Tables, classify};
use authstitch_model::{Completeness, Journey, Phase};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rounds: u32 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let wanted = arguments.next();
    let (tables, completeness) = (Tables::shipped(), Completeness::default());
    let is_wanted = |journey: &Journey| {
        let phases = classify(journey, &completeness, &tables).phases;
        let established = phases[Phase::Established.index()].is_some_and(|phase| phase.at.is_some());
        wanted.as_deref().is_none_or(|wanted| (wanted == "established") == established)
    };
    let journeys: Vec<_> = journeys(500).into_iter().filter(is_wanted).collect();
    for journey in (0..rounds).flat_map(|_| &journeys) {
        black_box(classify(black_box(journey), &completeness, &tables));
    }
    println!("{} journeys, {rounds} times", journeys.len());
}
