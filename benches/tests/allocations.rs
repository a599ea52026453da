//! How often the stages ask the allocator, counted.

use std::hint::black_box;

use allocation_counter::measure;
use authstitch_benches::journeys;
use authstitch_classify::{Tables, classify, explain};
use authstitch_model::Completeness;

#[test]
fn a_classification_allocates_nothing() {
    let (journeys, tables) = (journeys(500), Tables::shipped());
    for completeness in [
        Completeness::default(),
        Completeness { initiator_loss: 0.3, phone_instrumented: false, ..Completeness::default() },
    ] {
        let counted = measure(|| {
            for journey in &journeys {
                black_box(classify(black_box(journey), &completeness, &tables));
            }
        });
        assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{} journeys", journeys.len());
    }
}

#[test]
fn an_explanation_does_so_that_the_counter_counts() {
    let (journeys, tables) = (journeys(8), Tables::shipped());
    let verdict = classify(&journeys[0], &Completeness::default(), &tables);
    assert!(measure(|| drop(black_box(explain(&journeys[0], &verdict)))).count_total > 0);
}
